"""The one way in for audio: find, identify, decode, mix down, resample, refuse."""

from .decoding import Stream, open_audio
from .files import AUDIO_ENDINGS, passed_over_text, printable, shortened, walk_audio
from .limits import MAX_RATE, MAX_SAMPLES, MAX_SECONDS, MIN_RATE, MIN_SECONDS, AudioError, TooLongError
from .loading import load_audio
from .sources import AudioSource

__all__ = [
    "AUDIO_ENDINGS",
    "MAX_RATE",
    "MAX_SAMPLES",
    "MAX_SECONDS",
    "MIN_RATE",
    "MIN_SECONDS",
    "AudioError",
    "AudioSource",
    "Stream",
    "TooLongError",
    "load_audio",
    "open_audio",
    "passed_over_text",
    "printable",
    "shortened",
    "walk_audio",
]
