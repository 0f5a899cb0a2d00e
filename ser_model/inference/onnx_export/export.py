"""A checkpoint as a folder that `OnnxRecognizer` loads."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
from huggingface_hub import snapshot_download

from ser_model.inference.onnx_recognizer import (
    DETECTOR,
    MODEL,
    REPORT,
    SETTINGS,
    OnnxRecognizer,
    OnnxSettings,
)
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.inference.voice_profile import checksum
from ser_model.models.feature_extraction_ser import SerFeatureExtractor

from .graph import recognizer_graph

TOLERANCE = 1e-4  # of probabilities, between a float32 graph and the network it was made from
OF_DETECTOR = "silero_vad/data/silero_vad_16k_sequence.onnx"  # in silero-vad's wheel, MIT


class ExportError(Exception):
    """A checkpoint that cannot be exported; the text is one sentence."""


def export_onnx(checkpoint: str, folder: Path, int8: bool = False) -> float:
    """Writes a checkpoint as `model.onnx`, beside the speech gate's graph and `model.json`, and checks it.

    Args:
        checkpoint: Folder, or `user/name` on the Hub.
        folder: Written whole or not at all; what was exported to it before is replaced.
        int8: Whether matrix products are in 8-bit integers.

    Returns:
        The largest difference of a probability from the checkpoint's own, over noise of three lengths.

    Raises:
        ModelError: The checkpoint cannot be loaded.
        ExportError: It has parts that no graph can hold, the folder holds something else, or the graph's answers
            differ from the checkpoint's.
    """
    # More than `is_exported` asks, since all that lies in the folder goes.
    if folder.exists() and not all((folder / name).is_file() for name in (MODEL, SETTINGS, DETECTOR)):
        raise ExportError(f"{folder} is there already and holds no exported model.")
    recognizer = EmotionRecognizer.from_pretrained(checkpoint)
    _refuse_what_has_no_graph(recognizer)
    graph = recognizer_graph(recognizer.model, recognizer.feature_extractor, quantised if int8 else None)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        onnx.save(graph, partial / MODEL)
        settings = asdict(_settings(recognizer, checkpoint, "int8" if int8 else "float32"))
        (partial / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        if recognizer.report is not None:
            (partial / REPORT).write_text(json.dumps(recognizer.report, indent=1) + "\n", encoding="utf-8")
        _copy_detector(partial)
        for licence in sorted(_licences(checkpoint)):
            shutil.copy(licence, partial)
        difference = _difference(recognizer, OnnxRecognizer.from_pretrained(partial))
        if difference > TOLERANCE and not int8:
            raise ExportError(f"The graph's probabilities differ from the checkpoint's by {difference:.2g}.")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return difference


def _licences(checkpoint: str) -> Iterator[Path]:
    """Licence files of a folder, or of a repository on the Hub."""
    whole = Path(checkpoint).is_dir()
    folder = checkpoint if whole else snapshot_download(checkpoint, allow_patterns="LICENSE*")
    return Path(folder).glob("LICENSE*")


def quantised(network: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with weights of matrix products and LSTMs in 8-bit integers, activations quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)  # it advises, on the root logger, what has been done
    try:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "network.onnx")
            of = {"op_types_to_quantize": ["MatMul", "LSTM"], "weight_type": QuantType.QInt8}
            quantize_dynamic(network, path, per_channel=True, **of)
            return onnx.load(path)
    finally:
        logging.disable(logging.NOTSET)


def _refuse_what_has_no_graph(recognizer: EmotionRecognizer) -> None:
    extractor = recognizer.feature_extractor
    if not isinstance(extractor, SerFeatureExtractor):
        raise ExportError("The model is not one of this project's; Optimum exports models of transformers.")
    if extractor.features == ["waveform"]:
        raise ExportError("Encoders of waveforms (wav2vec 2.0, HuBERT, WavLM) cannot be exported, only Whisper's.")


def _settings(recognizer: EmotionRecognizer, checkpoint: str, weights: str) -> OnnxSettings:
    extractor, model = recognizer.feature_extractor, recognizer.model
    takes_profiles = hasattr(model, "encoder_frames")
    return OnnxSettings(
        labels=recognizer.labels,
        sampling_rate=recognizer.sampling_rate,
        samples_per_frame=extractor.hop_length,
        frames_per_span=model.config.num_frames,
        least_samples=extractor.n_fft // 2 + 1,
        unsure_below=recognizer.unsure_below,
        calibration_temperature=recognizer.calibration_temperature,
        weights=weights,
        encoder_checksum=checksum(recognizer) if takes_profiles else None,
        profile_shape=recognizer.profile_shape if takes_profiles else None,
        checkpoint=Path(checkpoint).name,
        voice_quality=extractor.voice_quality,
    )


def _copy_detector(folder: Path) -> None:
    wheel = distribution("silero-vad")
    shutil.copy(str(wheel.locate_file(OF_DETECTOR)), folder / DETECTOR)
    for file in wheel.files or ():
        if file.name == "LICENSE":
            shutil.copy(str(wheel.locate_file(file)), folder / "LICENSE-silero-vad.txt")


def _difference(recognizer: EmotionRecognizer, exported: OnnxRecognizer) -> float:
    """Largest difference of a probability: two recordings of one window in a batch, and one of several windows."""
    draw, rate, span = np.random.default_rng(0), recognizer.sampling_rate, recognizer.span_seconds
    waves = [0.1 * draw.standard_normal(int(seconds * rate)).astype(np.float32) for seconds in (0.7, 1.9, 1.7 * span)]
    difference = 0.0
    for batch in (waves[:2], waves[2:]):
        ours, theirs = (
            [list(result.probabilities.values()) for result in each.predict_batch(batch, gate=False)]
            for each in (recognizer, exported)
        )
        difference = max(difference, float(np.abs(np.subtract(ours, theirs)).max()))
    return difference
