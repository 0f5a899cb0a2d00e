"""Changes of recordings: for views of training clips, and for the robustness suite."""
