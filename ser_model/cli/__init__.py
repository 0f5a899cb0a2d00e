"""One module a command: `add_arguments(parser)` and `run(args) -> exit status`.

Their heads import nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ser_model.labels import comma_separated, parse_label_map

if TYPE_CHECKING:
    from ser_model.inference.base_recognizer import BaseRecognizer

# An installed package holds the checkpoint itself; in the project it lies beside the package.
_PACKAGED, _BESIDE = (folder / "checkpoints" / "default" for folder in Path(__file__).parents[1:3])
DEFAULT_MODEL = _PACKAGED if _PACKAGED.is_dir() else _BESIDE


def natural(text: str, least: int = 0) -> int:
    """An option's value as a whole number from 0."""
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"has to be a whole number from {least}, not {text!r}")
    return int(text)


def positive(text: str) -> int:
    """An option's value as a whole number from 1."""
    return natural(text, 1)


def add_label_map(parser: argparse.ArgumentParser) -> None:
    """The option that every command with somebody else's model has."""
    parser.add_argument(
        "--label-map",
        type=_label_map,
        metavar="LABEL_0=angry,...",
        help="for somebody else's model: what its labels mean (default: by name, with synonyms)",
    )


def add_tested_corpora(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Which clips a model is tested on, where not on its own test part."""
    parser.add_argument(
        "--corpora",
        type=comma_separated,
        metavar="A,B",
        help="test on these: a corpus it was trained on gives its test part, for which all that it was trained on have "
        f"to be there; any other gives all its clips{more}",
    )
    parser.add_argument(
        "--all-clips",
        action="store_true",
        help="test on all clips of --corpora (default: those it was trained on), as of recordings that are new",
    )


def _label_map(text: str) -> dict[str, str]:
    try:
        return parse_label_map(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def load(model: str, device: str = "cpu", label_map: dict[str, str] | None = None) -> BaseRecognizer:
    """The recognizer of a checkpoint, or of a folder that `ser-model export` wrote, which needs no torch.

    Raises:
        ModelError: There is no such model or device, or the labels of an exported model are to be renamed.
    """
    from ser_model.inference.onnx_recognizer import ModelError, OnnxRecognizer, is_exported

    if is_exported(model):
        if label_map:
            raise ModelError("A label map is for models of others; the labels of this one have names.")
        utf8_out()
        return OnnxRecognizer.from_pretrained(model).to(device)
    try:
        from ser_model.inference.recognizer import EmotionRecognizer
    except ModuleNotFoundError as error:
        raise ModelError(
            f"A checkpoint needs {error.name}, which is not installed; what `ser-model export` wrote does not."
        ) from error
    set_up()
    return EmotionRecognizer.from_pretrained(model, label_map=label_map).to(device)


def utf8_out() -> None:
    """UTF-8 out, whatever the console's encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def set_up() -> None:
    """UTF-8 out; one thread, since several on a busy machine slow an LSTM down; no progress bar for loading weights."""
    import torch
    from transformers.utils import logging

    utf8_out()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
