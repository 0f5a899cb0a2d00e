"""A baseline that anyone can run: a support vector machine on what a frozen speech encoder gives.

Whisper-base, output of layer 3 in steps of 40 ms, its mean and standard deviation over time, standardised; an RBF
SVM with C = 3 and balanced classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from datasets import Dataset
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from datasets_scripts.splits import Item
from ser_model.models.feature_extraction_ser import SerFeatureExtractor
from ser_model.models.speech_encoder_ser import SpeechEncoder
from ser_model.training.arguments import RunArguments
from ser_model.training.augmentation import Augmentation
from ser_model.training.encoded_frames import CLIPS_AT_ONCE, EncodedFrames, clip_statistics, encode
from ser_model.training.presets import Preset, load_preset
from ser_model.training.run import new_network

LAYER, FRAMES_PER_STEP, C = 3, 2, 3.0


def svm_preset() -> Preset:
    """The encoder and its front end."""
    preset = load_preset("encoder-attention")
    return replace(preset, model=preset.model | {"encoder_layers": [LAYER], "frames_per_step": FRAMES_PER_STEP})


def new_svm() -> Pipeline:
    """An untrained SVM."""
    return make_pipeline(StandardScaler(), SVC(C=C, class_weight="balanced", cache_size=800))


def clip_features(table: Dataset, encoder: str | None, num_proc: int) -> np.ndarray:
    """Mean and standard deviation over time of the encoder's frames of all clips, `(num_clips, 2 * size)`.

    Args:
        table: Corpus table. Frames that training has encoded are found in the cache.
        encoder: Folder or Hub id of Whisper-base; None for `openai/whisper-base`.
        num_proc: Processes that encode.

    Raises:
        RunError: The encoder cannot be loaded.
    """
    preset = svm_preset()
    items = [(clip, 0) for clip in range(len(table))]
    network = new_network(RunArguments(encoder=encoder), preset)
    return EncodedFrames(items, table, network, preset.extractor(), Augmentation(), 0, num_proc).clip_statistics()


@dataclass(frozen=True)
class EncoderSvm:
    """A trained SVM with its encoder."""

    network: SpeechEncoder
    extractor: SerFeatureExtractor
    svm: Pipeline

    @classmethod
    def fit(cls, table: Dataset, items: Sequence[Item], encoder: str | None, num_proc: int) -> EncoderSvm:
        """Trains on the clips of `items`, (row of `table`, view) pairs; arguments else as for `clip_features`."""
        preset, rows = svm_preset(), sorted({clip for clip, _ in items})
        features = clip_features(table, encoder, num_proc)[rows]
        svm = new_svm().fit(features, np.array(table["emotion"])[rows])
        return cls(new_network(RunArguments(encoder=encoder), preset).eval(), preset.extractor(), svm)

    def predict(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """Class numbers `(num_waves,)` of mono waves `(num_samples,)` at the extractor's sampling rate."""
        features = []
        for first in range(0, len(waves), CLIPS_AT_ONCE):
            inputs = self.extractor.frames(waves[first : first + CLIPS_AT_ONCE])
            features += [clip_statistics(frames.float()) for frames in encode(self.network, self.extractor, inputs)]
        return self.svm.predict(torch.stack(features).numpy())
