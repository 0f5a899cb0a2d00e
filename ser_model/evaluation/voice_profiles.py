"""How much voice profiles help: test clips predicted with profiles made of other clips of their speaker."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from datasets.utils import tqdm
from torch.nn.utils.rnn import pad_sequence

from datasets_scripts.splits import Item
from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.inference.voice_profile import frame_sums, shrunk, statistics
from ser_model.metrics import emotion_metrics
from ser_model.training.augmentation import Augmentation

from .predictions import column, figures_by_group, load_items

SIZES = (0, 1, 3, 5, 10, 20)  # clips in a profile, beside all others of the speaker
NEUTRAL_CLIPS = 3
CLIPS_AT_ONCE = 64


def evaluate_voice_profiles(
    recognizer: BaseRecognizer, table: Dataset, items: Sequence[Item], augmentation: Augmentation, seed: int
) -> dict[str, dict[str, Any]] | None:
    """Predicts every test clip with profiles of several sizes, see `draw_profiles`.

    As in training, a clip longer than the network's window is cut to its first window.

    Args:
        recognizer: Its labels are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs.
        augmentation: How views other than 0 are made.
        seed: Seed of the views and of the draws. A speaker's draws do not depend on the other speakers.

    Returns:
        For each kind of profile (`0`, `1`, `3`, `5`, `10`, `20`, `all`, and where there are neutral clips
        `3 neutral` and `all neutral`): `uar`, `accuracy`, `uar_interval` and `per_corpus` as in the
        figures without profile. None where there are no items, the model takes no profiles, or a clip
        does not say who speaks.
    """
    speakers = column(table, "speaker", items)
    if not items or not hasattr(recognizer.model, "encoder_frames") or not all(speakers):
        return None
    references, labels = column(table, "emotion", items), recognizer.labels
    is_neutral = references == (labels.index("neutral") if "neutral" in labels else -1)
    clips = np.array([clip for clip, _ in items])
    predicted: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(items), dtype=int))
    by_speaker = [items[index] for index in np.argsort(speakers, kind="stable").tolist()]
    waves = iter(
        tqdm(
            load_items(table, by_speaker, recognizer.sampling_rate, augmentation, seed),
            desc="Predicting with voice profiles",
            total=len(items),
            unit="clip",
        )
    )
    for speaker in sorted(set(speakers.tolist())):
        own = np.flatnonzero(speakers == speaker)
        voice = SpeakerFrames(recognizer, islice(waves, len(own)))
        draw = np.random.default_rng([seed, zlib.crc32(speaker.encode())])
        for kind, profiles in draw_profiles(clips[own], is_neutral[own], draw).items():
            predicted[kind][own] = voice.predict(profiles)
    figures = {}
    for kind, predictions in predicted.items():
        if kind.endswith("neutral") and not is_neutral.any():
            continue
        whole = emotion_metrics(predictions, references, labels)
        groups = figures_by_group(predictions, table, items, labels)
        figures[kind] = {name: whole[name] for name in ("uar", "accuracy")}
        figures[kind] |= {name: groups[name] for name in ("uar_interval", "per_corpus")}
    return figures


def draw_profiles(clips: np.ndarray, is_neutral: np.ndarray, draw: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Draws the clips of each profile of one speaker.

    One order of the speaker's other clips is drawn for each clip, and a profile of N clips is the
    first N of them, whatever their labels; with fewer others it is all of them.

    Args:
        clips: Row of each of the speaker's items, `(num_items,)`; other views of a clip are not in its profiles.
        is_neutral: Which of them are labelled neutral, `(num_items,)`.
        draw: Source of the orders.

    Returns:
        For each kind of profile, the numbers of the items in the profile of each item.
    """
    profiles: dict[str, list[np.ndarray]] = defaultdict(list)
    for clip in clips:
        order = draw.permutation(len(clips))
        others = order[clips[order] != clip]
        neutral = others[is_neutral[others]]
        for size in SIZES:
            profiles[str(size)].append(others[:size])
        profiles["all"].append(others)
        profiles[f"{NEUTRAL_CLIPS} neutral"].append(neutral[:NEUTRAL_CLIPS])
        profiles["all neutral"].append(neutral)
    return profiles


class SpeakerFrames:
    """Encoder frames of all clips of one speaker, computed once.

    Args:
        recognizer: Its model has a speech encoder.
        waves: As `load_audio` gives them, `(num_samples,)` each.
    """

    def __init__(self, recognizer: EmotionRecognizer, waves: Iterable[np.ndarray]):
        self.model = model = recognizer.model
        self.frames: list[torch.Tensor] = []  # (num_steps, num_layers, size) each
        utterances = []
        for wave in waves:
            inputs = recognizer.feature_extractor(wave, sampling_rate=recognizer.sampling_rate, return_tensors="pt")
            x = inputs["input_features"][:, : model.config.num_frames].to(model.device, model.dtype)
            with torch.inference_mode():
                self.frames.append(model.encoder_frames(x, torch.tensor([x.shape[1]], device=x.device))[0].float())
            if "utterance_features" in inputs:
                utterances.append(inputs["utterance_features"].to(model.device))
        self.utterances = torch.cat(utterances) if utterances else None
        self.sums = torch.stack([frame_sums(frames) for frames in self.frames])

    def predict(self, profiles: Sequence[np.ndarray]) -> np.ndarray:
        """Predicted classes `(num_clips,)`, each clip with its profile: the numbers of the clips in it."""
        predicted = np.zeros(len(self.frames), dtype=int)
        by_length = np.argsort([len(frames) for frames in self.frames], kind="stable")
        for first in range(0, len(by_length), CLIPS_AT_ONCE):
            batch = by_length[first : first + CLIPS_AT_ONCE]
            frames = [self._standardised(self.frames[clip], profiles[clip]) for clip in batch]
            lengths = torch.tensor([len(clip) for clip in frames])
            mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long().to(self.model.device)
            with torch.inference_mode():
                utterances = None if self.utterances is None else self.utterances[batch]
                output = self.model(pad_sequence(frames, batch_first=True), mask, utterances)
            predicted[batch] = output.logits.argmax(dim=-1).cpu()
        return predicted

    def _standardised(self, frames: torch.Tensor, profile: np.ndarray) -> torch.Tensor:
        mean, std = self.model.frames_mean.float(), self.model.frames_std.float()
        if len(profile):
            own_mean, own_std, count = statistics(self.sums[profile])
            mean, std = shrunk(own_mean, mean, count), shrunk(own_std, std, count)
        return (frames - mean) / std
