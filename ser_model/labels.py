"""The emotions' names and their order, everywhere in the project."""

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")
