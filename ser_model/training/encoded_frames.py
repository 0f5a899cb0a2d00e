"""Frames that a frozen encoder gives for whole corpora, made once and kept in the datasets cache."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence, Sized
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Features, Value
from datasets.fingerprint import Hasher
from torch.nn.utils.rnn import pad_sequence

from datasets_scripts.shards import recording
from ser_model.audio import load_audio
from ser_model.inference.voice_profile import frame_sums, shrunk, statistics
from ser_model.models.feature_extraction_ser import SerFeatureExtractor
from ser_model.models.speech_encoder_ser import SpeechEncoder

from .augmentation import Augmentation
from .feature_cache import front_end
from .losses import targets_of
from .parallel import map_clips

_VERSION = 1  # raise when the frames of a clip change
CLIPS_AT_ONCE = 128  # loaded, of which batches of like length are made
BATCH_SIZE = 8
NO_PROFILE_SHARE = 0.3  # of training items, standardised as an unknown voice is
PROFILE_SIZES = (1, 3, 5, 10, 20, None)  # clips in the profile of the others; None for all of the speaker


class EncodedFrames(torch.utils.data.Dataset):
    """Standardised encoder frames of (clip, view) items, read from one cached table a view.

    Args:
        items: (row of `table`, view) pairs.
        table: Corpus table with the columns `audio`, `speaker` and `emotion`.
        model: Network with the encoder.
        extractor: The encoder's.
        augmentation: How views are made.
        seed: Seed of the views.
        num_proc: Processes that encode.
        training: The training part, whose statistics this part is standardised with; None where this
            is the training part. Its items are standardised with the statistics of a random number of
            clips of their speaker, see `PROFILE_SIZES`, of the network's `profile_label` where the table has it;
            augmented views too with those of clips as they are. Of a clip longer than a window the first window
            is taken.

    Attributes:
        weights, labels, label_masks: As for `ViewFrames`.
        mean, std: Statistics of the frames of the training part's clips as they are, `(num_layers, size)`.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        items: Sequence[tuple[int, int]],
        table: Dataset,
        model: SpeechEncoder,
        extractor: SerFeatureExtractor,
        augmentation: Augmentation,
        seed: int,
        num_proc: int = 1,
        training: EncodedFrames | None = None,
    ):
        self.items = list(items)
        self.weights = np.ones(len(self.items), dtype=np.float32)
        self.label_masks: np.ndarray | None = None
        self.labels = list(table["emotion"])
        self.extractor = extractor
        self.shape = (len(model.config.encoder_layers), model.frames_mean.shape[1])
        self.views = {
            view: _view_table(table, model, extractor, augmentation, view, seed, num_proc)
            for view in sorted({view for _, view in self.items})
        }
        if training:
            self.mean, self.std = training.mean, training.std
            return
        sums = {view: _as_sums(encoded, self.shape) for view, encoded in self.views.items()}
        self._sums = torch.stack([sums[view][clip] for clip, view in self.items])
        self._speakers = list(table["speaker"])
        as_they_are = [index for index, (_, view) in enumerate(self.items) if view == 0]
        self.mean, self.std, _ = statistics(self._sums[as_they_are])
        names, label = table.features["emotion"].names, model.config.profile_label
        wanted = names.index(label) if label in names else None
        members = defaultdict(list)
        for index in as_they_are:
            clip, _ = self.items[index]
            if wanted in (None, self.labels[clip]):
                members[self._speakers[clip]].append(index)
        self._members = {speaker: torch.tensor(indices) for speaker, indices in members.items()}
        self._whole = {speaker: statistics(self._sums[own]) for speaker, own in self._members.items()}

    @property
    def is_training(self) -> bool:
        """Whether items are standardised with the statistics of drawn clips."""
        return hasattr(self, "_sums")

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        clip, view = self.items[index]
        encoded = self.views[view].data.column("frames")[clip].as_buffer()  # of the memory-mapped file, not copied
        frames = torch.from_numpy(np.frombuffer(encoded, np.float16).reshape(-1, *self.shape).astype(np.float32))
        mean, std = self._profile(index) if self.is_training else (self.mean, self.std)
        item = {"input_features": (frames - mean) / std, "labels": self.labels[clip], "weight": self.weights[index]}
        if self.extractor.voice_quality:
            item["utterance_features"] = np.array(self.views[view][clip]["utterance"], dtype=np.float32)
        if self.label_masks is not None:
            item["label_mask"] = self.label_masks[clip]
        return item

    def utterances(self) -> list[np.ndarray]:
        """Utterance features of every item, unstandardised; none without `voice_quality`."""
        if not self.extractor.voice_quality:
            return []
        return [np.array(self.views[view][clip]["utterance"], dtype=np.float32) for clip, view in self.items]

    def clip_statistics(self) -> np.ndarray:
        """Mean and standard deviation over time of each training item, `(num_items, 2 * num_layers * size)`."""
        return np.stack([_flat(clip).numpy() for clip in self._sums])

    def collate(self, items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A padded batch: `input_features (batch, num_steps, num_layers, size)`, mask, labels, weights."""
        frames = [item["input_features"] for item in items]
        lengths = torch.tensor([len(clip) for clip in frames])
        batch = {
            "input_features": pad_sequence(frames, batch_first=True),
            "attention_mask": (torch.arange(int(lengths.max())) < lengths[:, None]).long(),
            **targets_of(items),
        }
        if "utterance_features" in items[0]:
            utterances = np.stack([item["utterance_features"] for item in items])
            nothing = [np.zeros((1, self.extractor.feature_size), dtype=np.float32)] * len(items)
            batch["utterance_features"] = self.extractor.collate(nothing, utterances, return_tensors="pt")[
                "utterance_features"
            ]
        return batch

    def _profile(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation that a training item is standardised with, drawn anew each time."""
        speaker = self._speakers[self.items[index][0]]
        # nobody knows who speaks, it is not told, or there is no clip for a profile
        if not speaker or speaker not in self._members or torch.rand(()) < NO_PROFILE_SHARE:
            return self.mean, self.std
        members, size = self._members[speaker], PROFILE_SIZES[int(torch.randint(len(PROFILE_SIZES), ()))]
        if size is None or size >= len(members):
            mean, std, count = self._whole[speaker]
        else:
            drawn = members[torch.randperm(len(members))[:size]]
            mean, std, count = statistics(self._sums[drawn])
        return shrunk(mean, self.mean, count), shrunk(std, self.std, count)


def _as_sums(encoded: Dataset, shape: tuple[int, int]) -> torch.Tensor:
    """`frame_sums` of each clip: `(num_clips, 2 * num_layers + 1, size)`."""
    joined = bytearray().join(encoded.with_format(None)["sums"])
    return torch.frombuffer(joined, dtype=torch.float32).view(len(encoded), 2 * shape[0] + 1, shape[1])


def _view_table(
    table: Dataset,
    model: SpeechEncoder,
    extractor: SerFeatureExtractor,
    augmentation: Augmentation,
    view: int,
    seed: int,
    num_proc: int,
) -> Dataset:
    columns = {"frames": Value("large_binary"), "sums": Value("binary")}
    if extractor.voice_quality:
        columns["utterance"] = [Value("float32")]
    clips = table.select_columns("audio")
    # The clips themselves do not depend on how views are made: all presets share them.
    changes = asdict(augmentation) | {"views": 0} if view else {}
    of_network = [model.config.encoder_layers, model.config.frames_per_step]
    settings = [front_end(extractor), extractor.num_frames, *of_network]  # of a longer clip the first window is taken
    key = [clips._fingerprint, _weights_hash(model), settings, changes, view, seed if view else 0, _VERSION]
    return map_clips(
        clips,
        _encode,
        num_proc,
        batched=True,
        batch_size=CLIPS_AT_ONCE,
        input_columns="audio",
        remove_columns="audio",
        fn_kwargs={
            "model": model, "extractor": extractor, "augmentation": Augmentation(**changes), "view": view, "seed": seed,
            "num_threads": 1 if num_proc > 1 else torch.get_num_threads(),
        },
        features=Features(columns),
        new_fingerprint=Hasher.hash(key),
        desc=f"Encoding view {view}" if view else "Encoding the clips",
    )  # fmt: skip


def _weights_hash(model: SpeechEncoder) -> str:
    digest = hashlib.sha256()
    for weights in model.encoder.state_dict().values():
        digest.update(weights.cpu().numpy().tobytes())
    return digest.hexdigest()


def _encode(
    audio: Sequence[str],
    model: SpeechEncoder,
    extractor: SerFeatureExtractor,
    augmentation: Augmentation,
    view: int,
    seed: int,
    num_threads: int,
) -> dict[str, Any]:
    """Encoder frames of some clips as float16, and their `frame_sums`; as bytes."""
    torch.set_num_threads(num_threads)
    rate = extractor.sampling_rate
    waves = [augmentation.view(load_audio(recording(path), rate), rate, Path(path).stem, view, seed) for path in audio]
    rows: dict[str, Any] = {"frames": [], "sums": []}
    for frames in encode(model, extractor, extractor.frames(waves)):
        rows["frames"].append(frames.numpy().tobytes())
        rows["sums"].append(frame_sums(frames.float()).numpy().tobytes())
    utterances = extractor.utterances(waves)
    return rows if utterances is None else rows | {"utterance": list(utterances)}


def encode(model: SpeechEncoder, extractor: SerFeatureExtractor, frames: Sequence[np.ndarray]) -> list[torch.Tensor]:
    """Encoder frames of some clips, float16 `(num_steps, num_layers, size)` each; of a long one the first window.

    Args:
        model: Network with the encoder.
        extractor: The encoder's.
        frames: What the extractor's `frames` gives for the clips.
    """
    fast = torch.cpu._is_avx512_bf16_supported()
    encoded: dict[int, torch.Tensor] = {}
    for places in batches_of_like_length(frames, BATCH_SIZE):
        inputs = extractor.collate([frames[place] for place in places], truncation=True, return_tensors="pt")
        lengths = inputs["attention_mask"].sum(dim=1)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
            batch = model.encoder_frames(inputs["input_features"], lengths).half()
        for place, clip, steps in zip(places, batch, (lengths // model.time_stride).tolist(), strict=True):
            encoded[place] = clip[:steps]
    return [encoded[place] for place in range(len(frames))]


def batches_of_like_length(clips: Sequence[Sized], batch_size: int) -> list[list[int]]:
    """Places of clips in batches, the shortest clips in the first one, so that little of a batch is padding."""
    order = sorted(range(len(clips)), key=lambda place: len(clips[place]))
    return [order[first : first + batch_size] for first in range(0, len(order), batch_size)]


def clip_statistics(frames: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over time of frames `(num_steps, num_layers, size)`: `(2 * num_layers * size,)`."""
    return _flat(frame_sums(frames))


def _flat(sums: torch.Tensor) -> torch.Tensor:
    return torch.cat(statistics(sums[None])[:2]).flatten()
