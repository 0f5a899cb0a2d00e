"""The robustness suite: checks of a checkpoint on changed recordings of its test speakers, after audeering/ser-tests."""
