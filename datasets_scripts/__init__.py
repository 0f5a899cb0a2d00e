"""Corpora of emotional speech as Hugging Face datasets."""

from importlib import import_module
from typing import Any

_HOMES = {
    "CORPORA": "loading",
    "CorpusBuilder": "base",
    "CorpusError": "base",
    "data_dir_or_default": "loading",
    "find_corpus": "loading",
    "load_corpora": "loading",
    "load_with_left_out": "loading",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for: the command line starts without `datasets`."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
