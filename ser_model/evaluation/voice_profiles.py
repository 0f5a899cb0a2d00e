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

from .predictions import batches_by_length, column, figures_by_group, load_items

SIZES = (0, 1, 3, 5, 10, 20)  # clips in a profile, beside all others of the speaker
NEUTRAL_CLIPS = 3
CLIPS_AT_ONCE = 64


def predict_with_profiles(
    recognizer: BaseRecognizer, table: Dataset, items: Sequence[Item], augmentation: Augmentation, seed: int
) -> tuple[np.ndarray, dict[str, dict[str, Any]]] | None:
    """Predicts every test clip without profile and with profiles of several sizes, see `draw_profiles`.

    With profiles, as in training, a clip longer than the network's window is cut to its first window.

    Args:
        recognizer: Its labels are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs.
        augmentation: How views other than 0 are made.
        seed: Seed of the views and of the draws. A speaker's draws do not depend on the other speakers.

    Returns:
        Probabilities without profile `(num_items, num_labels)`, as `predict_items` gives them, and figures. For each
        kind of profile (`0`, `1`, `3`, `5`, `10`, `20`, `all`, and where there are neutral clips `3 neutral` and
        `all neutral`): `uar`, `accuracy`, `uar_interval` and `per_corpus` as in the figures without profile. None
        where there are no items, the model takes no profiles, or a clip does not say who speaks.
    """
    speakers = column(table, "speaker", items)
    if not isinstance(recognizer, EmotionRecognizer) or not hasattr(recognizer.model, "encoder_frames"):
        return None
    if not items or not all(speakers):
        return None
    references, labels = column(table, "emotion", items), recognizer.labels
    is_neutral = references == (labels.index("neutral") if "neutral" in labels else -1)
    clips = np.array([clip for clip, _ in items])
    predicted: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(items), dtype=int))
    without = np.empty((len(items), len(labels)))
    by_speaker = [items[index] for index in np.argsort(speakers, kind="stable").tolist()]
    waves = iter(
        tqdm(
            load_items(table, by_speaker, recognizer.sampling_rate, augmentation, seed),
            desc="Predicting the test part with voice profiles",
            total=len(items),
            unit="clip",
        )
    )
    for speaker in sorted(set(speakers.tolist())):
        own = np.flatnonzero(speakers == speaker)
        voice = SpeakerFrames(recognizer, islice(waves, len(own)))
        draw = np.random.default_rng([seed, zlib.crc32(speaker.encode())])
        for kind, profiles in draw_profiles(clips[own], is_neutral[own], draw).items():
            probabilities = voice.predict(profiles)
            predicted[kind][own] = probabilities.argmax(axis=1)
            if kind == "0":
                without[own] = voice.windowed(probabilities)
    figures = {}
    for kind, predictions in predicted.items():
        if kind.endswith("neutral") and not is_neutral.any():
            continue
        whole = emotion_metrics(predictions, references, labels)
        groups = figures_by_group(predictions, table, items, labels)
        figures[kind] = {name: whole[name] for name in ("uar", "accuracy")}
        figures[kind] |= {name: groups[name] for name in ("uar_interval", "per_corpus")}
    return without, figures


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
        frames: dict[int, torch.Tensor] = {}
        utterances: dict[int, torch.Tensor] = {}
        self._long: dict[int, list[float]] = {}  # probabilities of what takes several windows
        for places, clips in batches_by_length(waves):
            inputs = recognizer.feature_extractor(clips, sampling_rate=recognizer.sampling_rate, return_tensors="pt")
            lengths = inputs["attention_mask"].sum(dim=1).to(model.device)
            x = inputs["input_features"][:, : model.config.num_frames].to(model.device, model.dtype)
            with torch.inference_mode():
                encoded = model.encoder_frames(x, lengths.clamp(max=x.shape[1])).float()
            steps = lengths.clamp(max=x.shape[1]) // model.time_stride
            frames |= {place: clip[:size] for place, clip, size in zip(places, encoded, steps.tolist(), strict=True)}
            utterances |= dict(zip(places, inputs.get("utterance_features", ()), strict=False))
            for place, clip, size in zip(places, clips, lengths.tolist(), strict=True):
                if size > model.config.num_frames:
                    (result,) = recognizer.predict_batch([clip], gate=False)
                    self._long[place] = list(result.probabilities.values())
        self.frames = [frames[place] for place in range(len(frames))]  # (num_steps, num_layers, size) each
        in_order = [utterances[place].to(model.device) for place in range(len(utterances))]
        self.utterances = torch.stack(in_order) if in_order else None
        self.sums = torch.stack([frame_sums(clip) for clip in self.frames])

    def predict(self, profiles: Sequence[np.ndarray]) -> np.ndarray:
        """Probabilities `(num_clips, num_labels)` of each clip with its profile: the numbers of the clips in it."""
        predicted = np.empty((len(self.frames), self.model.config.num_labels))
        by_length = np.argsort([len(frames) for frames in self.frames], kind="stable")
        for first in range(0, len(by_length), CLIPS_AT_ONCE):
            batch = by_length[first : first + CLIPS_AT_ONCE]
            frames = [self._standardised(self.frames[clip], profiles[clip]) for clip in batch]
            lengths = torch.tensor([len(clip) for clip in frames])
            mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long().to(self.model.device)
            with torch.inference_mode():
                utterances = None if self.utterances is None else self.utterances[batch]
                output = self.model(pad_sequence(frames, batch_first=True), mask, utterances)
            predicted[batch] = output.logits.float().softmax(dim=-1).cpu()
        return predicted

    def windowed(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities without profile, those of clips longer than a window over all of their windows."""
        for clip, whole in self._long.items():
            probabilities[clip] = whole
        return probabilities

    def _standardised(self, frames: torch.Tensor, profile: np.ndarray) -> torch.Tensor:
        mean, std = self.model.frames_mean.float(), self.model.frames_std.float()
        if len(profile):
            own_mean, own_std, count = statistics(self.sums[profile])
            mean, std = shrunk(own_mean, mean, count), shrunk(own_std, std, count)
        return (frames - mean) / std
