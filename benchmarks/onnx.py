"""Exported checkpoints beside the same ones in PyTorch."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import mean

from ser_model import EmotionRecognizer

from .data import ROOT, all_clips, one_thread
from .rows import NotHere, Row, alternate, milliseconds, ratio_row
from .single_clip import REPEATS, three_seconds

CHECKPOINTS = ("default", "logmel-cnn-bilstm")
GOALS = {"float32": 1.0, "int8": 1.5}
CLIPS = 150


def rows() -> list[Row]:
    if not all(find_spec(name) for name in ("onnx", "onnxruntime", "ser_model.inference.onnx_recognizer")):
        raise NotHere("The export to ONNX is not installed: pip install 'ser-model[onnx]'.")
    from ser_model.inference.onnx_export.export import export_onnx
    from ser_model.inference.onnx_recognizer import OnnxRecognizer

    one_thread()
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, clips = three_seconds(folder), all_clips()[:CLIPS]
        for checkpoint in CHECKPOINTS:
            path = ROOT / "checkpoints" / checkpoint
            sides = {"PyTorch": EmotionRecognizer.from_pretrained(path)}
            for weights in GOALS:
                export_onnx(str(path), folder / checkpoint / weights, int8=weights == "int8")
                sides[weights] = OnnxRecognizer.from_pretrained(folder / checkpoint / weights)
            seconds = alternate(sides, [clip] * REPEATS)
            labels = {side: [recognizer(path).label for path in clips] for side, recognizer in sides.items()}
            for weights, goal in GOALS.items():
                same = mean(a == b for a, b in zip(labels["PyTorch"], labels[weights], strict=True))
                detail = f"{milliseconds(seconds)}; the same label on {same:.1%} of {CLIPS} clips"
                what = f"A clip of 3 s through ONNX, {weights}: `{checkpoint}`, faster than PyTorch"
                found.append(ratio_row(what, seconds["PyTorch"] / seconds[weights], detail, least=goal))
    return found
