"""Exported checkpoints beside the same ones in PyTorch."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sklearn.metrics import recall_score

from ser_model import EMOTIONS, EmotionRecognizer

from .data import ROOT, all_clips, one_thread
from .rows import NotHere, Row, alternate, milliseconds, ratio_row
from .single_clip import REPEATS, three_seconds

CHECKPOINTS = ("default", "logmel-cnn-bilstm")
GOALS = {"float32": 1.0, "int8": 1.5}
MOST_POINTS = 1.0  # of UAR that int8 may cost


def rows() -> list[Row]:
    if not all(find_spec(name) for name in ("onnx", "onnxruntime")):
        raise NotHere("The export to ONNX is not installed: pip install 'ser-model[onnx]'.")
    one_thread()
    with tempfile.TemporaryDirectory() as name:
        clip = three_seconds(Path(name))
        return [row for checkpoint in CHECKPOINTS for row in _rows_of(checkpoint, clip, Path(name, checkpoint))]


def _rows_of(checkpoint: str, clip: Path, folder: Path) -> list[Row]:
    from ser_model.inference.onnx_export.export import export_onnx
    from ser_model.inference.onnx_recognizer import OnnxRecognizer

    path = ROOT / "checkpoints" / checkpoint
    sides: dict[str, Any] = {"PyTorch": EmotionRecognizer.from_pretrained(path)}
    for weights in GOALS:
        export_onnx(str(path), folder / weights, int8=weights == "int8")
        sides[weights] = OnnxRecognizer.from_pretrained(folder / weights)
    seconds = alternate(sides, [clip] * REPEATS)
    sizes = ", ".join(f"{weights} {_megabytes(folder / weights):.0f} MB" for weights in GOALS)
    found = [
        ratio_row(f"A clip of 3 s through ONNX, {weights}: `{checkpoint}`, faster than PyTorch",
                  seconds["PyTorch"] / seconds[weights], f"{milliseconds(seconds)}; {sizes}", least=goal)
        for weights, goal in GOALS.items()
    ]  # fmt: skip
    clips = clips_of_test_speakers(sides["PyTorch"].report)
    uar = {side: 100 * _uar(recognizer, clips) for side, recognizer in sides.items() if side != "float32"}
    what = f"UAR that int8 costs `{checkpoint}` on RAVDESS's test speakers"
    detail = f"{len(clips)} clips: PyTorch {uar['PyTorch']:.1f} %, int8 {uar['int8']:.1f} %"
    return [*found, ratio_row(what, uar["PyTorch"] - uar["int8"], detail, most=MOST_POINTS, unit=" points")]


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def clips_of_test_speakers(report: dict[str, Any]) -> list[Path]:
    """RAVDESS's clips of the speakers that a checkpoint was tested on."""
    actors = {name[-2:] for name in report["test"]["per_speaker"] if name.startswith("ravdess")}
    return [path for path in all_clips() if path.name.startswith("03-01-") and path.stem[-2:] in actors]


def _uar(recognizer: Any, clips: list[Path]) -> float:
    """Of clips whose names give their emotion by its number."""
    truth = [EMOTIONS[int(path.name[6:8]) - 1] for path in clips]
    answers = [recognizer(path).label or "none" for path in clips]
    return recall_score(truth, answers, labels=EMOTIONS, average="macro")
