"""Speech emotion recognition: predict an emotion, show when it was spoken, say how often that is right."""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "AudioError": "audio",
    "load_audio": "audio",
    "EMOTIONS": "labels",
    "EmotionRecognizer": "inference.recognizer",
    "EmotionResult": "inference.results",
    "OnnxRecognizer": "inference.onnx_recognizer",
    "VoiceProfile": "inference.voice_profile",
    "SerFeatureExtractor": "models.registration",
    "CnnBilstmConfig": "models.registration",
    "CnnBilstmForAudioClassification": "models.registration",
    "PhoneticCnnConfig": "models.registration",
    "PhoneticCnnForAudioClassification": "models.registration",
    "voice_quality": "models.voice_quality_ser",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for: the command line starts without torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
