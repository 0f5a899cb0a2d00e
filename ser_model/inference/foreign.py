"""Audio classifiers of transformers that this project did not train, behind the interface of its own models."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import ASTFeatureExtractor, BatchFeature, WhisperFeatureExtractor
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.auto.modeling_auto import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES

from ser_model.labels import renamed

ARCHITECTURES: Mapping[str, str] = MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES  # model type -> class
WINDOW_SECONDS = 10.0  # of networks without a length of their own
AST_WINDOW, AST_HOP = 400, 160  # samples, fixed in its extractor
# Weights that pre-training leaves behind, or that are drawn anew there, and that no prediction depends on.
UNUSED = re.compile(r"(^|\.)(masked_spec_embed|quantizer\..*|project_q\..*|project_hid\..*|lm_head\..*)$")
UNNAMED = re.compile(r"LABEL_\d+")


@dataclass
class ForeignConfig:
    """What the rest of the project asks a model's configuration for; see `models.registration`."""

    id2label: dict[int, str]
    num_frames: int
    calibration_temperature: float = 1.0
    unsure_below: float = 0.0


class WaveformExtractor:
    """Gives waveforms as they are, as frames of one sample: windows are cut before the model's own extractor.

    Args:
        sampling_rate: In Hz.
    """

    def __init__(self, sampling_rate: int):
        self.sampling_rate = sampling_rate
        self.seconds_per_frame = 1 / sampling_rate

    def __call__(
        self, waves: Sequence[np.ndarray], sampling_rate: int | None = None, return_tensors: str | None = None
    ) -> BatchFeature:
        """`input_features (batch, num_samples, 1)` and `attention_mask (batch, num_samples)`, boolean."""
        lengths = np.array([len(wave) for wave in waves])
        samples = np.zeros((len(waves), lengths.max(), 1), dtype=np.float32)
        for row, wave in zip(samples, waves, strict=True):
            row[: len(wave), 0] = wave
        mask = np.arange(lengths.max()) < lengths[:, None]
        return BatchFeature({"input_features": samples, "attention_mask": mask}, tensor_type=return_tensors)


class ForeignClassifier(nn.Module):
    """Window of samples > the model's own extractor > classifier of transformers; no attention over time.

    Padding and batch mates change nothing: clips of different lengths share a batch only where the extractor pads
    to a fixed length, or gives the network a mask and no layer of it normalises over time, padding included.

    Args:
        classifier: `...ForSequenceClassification` or `...ForAudioClassification`.
        extractor: Its own.
        labels: Names of its outputs.
    """

    def __init__(self, classifier: Any, extractor: Any, labels: Sequence[str]):
        super().__init__()
        self.classifier, self.extractor = classifier, extractor
        self.fixed_length = isinstance(extractor, (ASTFeatureExtractor, WhisperFeatureExtractor))
        over_time = getattr(classifier.config, "feat_extract_norm", None) == "group"
        masked = bool(getattr(extractor, "return_attention_mask", False))
        self.pads_together = self.fixed_length or (masked and not over_time)
        self.config = ForeignConfig(dict(enumerate(labels)), _span(extractor))

    @property
    def device(self) -> torch.device:
        return self.classifier.device

    @property
    def dtype(self) -> torch.dtype:
        return self.classifier.dtype

    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor,
        utterance_features: torch.Tensor | None = None,
        output_attentions: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Logits `(batch, num_labels)` of windows as `WaveformExtractor` gives them; the last two arguments have no
        effect."""
        lengths = attention_mask.sum(dim=1).cpu()
        groups = [lengths > 0] if self.pads_together else [lengths == length for length in lengths.unique()]
        logits = torch.zeros(len(lengths), len(self.config.id2label))
        for group in groups:
            rows = group.nonzero().flatten().tolist()
            waves = [input_features[row, : lengths[row], 0].float().cpu().numpy() for row in rows]
            padding = {} if self.fixed_length else {"padding": True}
            inputs = self.extractor(
                waves, sampling_rate=self.extractor.sampling_rate, return_tensors="pt", **padding
            ).to(self.device, self.dtype)
            logits[group] = self.classifier(**inputs).logits.float().cpu()
        return SequenceClassifierOutput(logits=logits.to(self.device))


def _span(extractor: Any) -> int:
    """Samples of a window at most."""
    if isinstance(extractor, WhisperFeatureExtractor):
        return extractor.n_samples
    if isinstance(extractor, ASTFeatureExtractor):
        return AST_WINDOW + AST_HOP * (extractor.max_length - 1)
    return math.ceil(WINDOW_SECONDS * extractor.sampling_rate)


def foreign_labels(config: Any, label_map: Mapping[str, str] | None) -> list[str]:
    """The names of a foreign model's outputs, under this project's names where it has them.

    Raises:
        ValueError: It does not classify recordings, or nobody knows what its outputs mean.
    """
    expected = ARCHITECTURES[config.model_type]
    for name in config.architectures or ():
        if name != expected:
            raise ValueError(
                f"it is a {name}, whose classifier would have to be made up; only {expected} has one "
                "(an encoder without a head can be trained: train.py --encoder)"
            )
    if config.problem_type not in (None, "single_label_classification"):
        raise ValueError(f"it is for {config.problem_type}, so its outputs are no probabilities of classes")
    own = [config.id2label[index] for index in sorted(config.id2label)]
    labels = renamed(own, label_map)
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"it needs two different labels or more, not {', '.join(labels)}")
    if unnamed := [label for label in labels if UNNAMED.fullmatch(label)]:
        raise ValueError(
            f"nobody says what its labels {', '.join(unnamed[:3])} mean: give a label map such as {unnamed[0]}=angry"
        )
    return labels


def missing_and_unexpected(found: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Weights that a checkpoint lacks, and those that its configuration has no place for, without unused ones."""
    missing, unexpected = (
        [key for key in found[kind] if not UNUSED.search(key)] for kind in ("missing_keys", "unexpected_keys")
    )
    return missing, unexpected
