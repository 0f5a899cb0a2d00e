"""From a 3-second file to its answer: PyTorch beside ONNX in float32 and int8, in one run on one core.

`python -m benchmarks.onnx_answer [CHECKPOINT ...]` prints each ratio beside its goal. Seconds are of CPU time, which
other processes on the machine change little.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
import torch

from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.inference.onnx_export.export import export_onnx
from ser_model.inference.onnx_recognizer import OnnxRecognizer
from ser_model.inference.recognizer import EmotionRecognizer

ROOT = Path(__file__).parents[1]
CHECKPOINTS = ("default", "logmel-cnn-bilstm")
SPEECH = ROOT / "examples" / "even.flac"
SECONDS, ROUNDS = 3.0, 30
GOALS = {"float32": 1.0, "int8": 1.5}  # times as fast as PyTorch


def seconds_to_answer(recognizers: dict[str, BaseRecognizer], clip: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU seconds from a file to its answer of each recognizer, who take turns."""
    taken: dict[str, list[float]] = {name: [] for name in recognizers}
    for number in range(rounds + 1):
        for name, recognizer in recognizers.items():
            since = time.process_time()
            recognizer(clip)
            if number:  # the first one is warm-up
                taken[name].append(time.process_time() - since)
    return {name: median(values) for name, values in taken.items()}


def ratios(checkpoint: str, folder: Path) -> dict[str, float]:
    """How many times as fast as PyTorch a checkpoint of the project is through ONNX, by kind of weights."""
    source = ROOT / "checkpoints" / checkpoint
    recognizers: dict[str, BaseRecognizer] = {"PyTorch": EmotionRecognizer.from_pretrained(source)}
    for weights in GOALS:
        exported = folder / f"{checkpoint}-{weights}"
        if not exported.exists():
            export_onnx(str(source), exported, int8=weights == "int8")
        recognizers[weights] = OnnxRecognizer.from_pretrained(exported)
    seconds = seconds_to_answer(recognizers, three_seconds(folder))
    print(checkpoint, ", ".join(f"{name} {1000 * value:.1f} ms" for name, value in seconds.items()))
    return {weights: seconds["PyTorch"] / seconds[weights] for weights in GOALS}


def three_seconds(folder: Path) -> Path:
    """A file of `SECONDS` of speech."""
    wave, rate = soundfile.read(SPEECH, dtype="float32")
    path = folder / "three_seconds.wav"
    soundfile.write(path, np.resize(wave, int(SECONDS * rate)), rate)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="*", default=CHECKPOINTS, help="folders of checkpoints/ (default: two)")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        for checkpoint in parser.parse_args().checkpoints:
            for weights, ratio in ratios(checkpoint, Path(name)).items():
                print(f"{checkpoint} ONNX {weights}: {ratio:.2f} x PyTorch (goal {GOALS[weights]:.1f} x)")


if __name__ == "__main__":
    main()
