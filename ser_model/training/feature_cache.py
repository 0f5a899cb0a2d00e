"""Frames of whole corpora, made once and kept in the datasets cache, or anew whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Features, List, Value

from datasets_scripts.shards import recording
from ser_model.audio import load_audio
from ser_model.models.feature_extraction_ser import SerFeatureExtractor

from .augmentation import Augmentation
from .parallel import map_clips
from .streaming import OnDemand

_VERSION = 2  # raise when the frames of a clip change: datasets' cache does not see a changed body


def _clip_frames(
    audio: str, extractor_class: type, front_end: dict, augmentation: dict, view: int, seed: int, version: int
) -> dict[str, Any]:
    extractor = extractor_class(**front_end)
    samples = load_audio(recording(audio), extractor.sampling_rate)
    samples = Augmentation(**augmentation).view(samples, extractor.sampling_rate, Path(audio).stem, view, seed)
    with _one_thread():
        row = {"frames": extractor.frames([samples])[0].ravel()}
    utterances = extractor.utterances([samples])
    return row if utterances is None else row | {"utterance": utterances[0]}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps torch to one thread: a forked process would wait for its parent's threads for ever."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class ViewFrames(torch.utils.data.Dataset):
    """Unstandardised frames of (clip, view) items, read from one cached table a view or made on demand.

    Args:
        table: Corpus table with the columns `audio` and `emotion`.
        items: (row of `table`, view) pairs.
        extractor: Its `mean` and `std` are not used here.
        augmentation: How views are made.
        seed: Seed of the views.
        num_proc: Processes that make the features; their number changes no value.
        streaming: Whether features are made when an item is asked for, and not kept.

    Attributes:
        weights: How much each item counts in the loss, float32 `(num_items,)`; 1 unless set.
        label_masks: Classes that count in the loss of each clip of `table`, bool
            `(num_clips, num_labels)`; None, unless set, for all.
    """

    def __init__(
        self,
        table: Dataset,
        items: Sequence[tuple[int, int]],
        extractor: SerFeatureExtractor,
        augmentation: Augmentation,
        seed: int,
        num_proc: int = 1,
        streaming: bool = False,
    ):
        self.items = list(items)
        self.weights = np.ones(len(self.items), dtype=np.float32)
        self.label_masks: np.ndarray | None = None
        self.num_features = extractor.feature_size
        self.labels = table["emotion"][:]
        self.streaming = streaming
        clips = table["audio"] if streaming else table.select_columns("audio")
        self.views = {
            view: _view(clips, extractor, augmentation, view, seed, num_proc)
            for view in sorted({view for _, view in self.items})
        }

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        clip, view = self.items[index]
        row = self.views[view][clip]
        frames = row["frames"].reshape(-1, self.num_features)
        item = {"input_features": frames, "labels": self.labels[clip], "weight": self.weights[index]}
        if "utterance" in row:
            item["utterance_features"] = row["utterance"]
        if self.label_masks is not None:
            item["label_mask"] = self.label_masks[clip]
        return item

    def column(self, name: str) -> Iterator[np.ndarray]:
        """One value of every item, in order."""
        return (self[index][name] for index in range(len(self)))


def front_end(extractor: SerFeatureExtractor) -> dict[str, Any]:
    """What features before standardisation depend on."""
    names = ("features", "sampling_rate", "n_fft", "hop_length", "num_mel_bins", "num_mfcc", "voice_quality")
    return {name: getattr(extractor, name) for name in names}


def _view(
    clips: Dataset | Sequence[str],
    extractor: SerFeatureExtractor,
    augmentation: Augmentation,
    view: int,
    seed: int,
    num_proc: int,
) -> Dataset | OnDemand:
    """Features of one view of the clips: of a table in the cache, of paths on demand."""
    columns = ["frames", "utterance"] if extractor.voice_quality else ["frames"]
    # The clips themselves do not depend on how views are made: all presets share them.
    changes = asdict(augmentation) | {"views": 0} if view else {}
    settings = {
        "extractor_class": type(extractor), "front_end": front_end(extractor), "augmentation": changes, "view": view,
        "seed": seed if view else 0, "version": _VERSION,
    }  # fmt: skip
    if not isinstance(clips, Dataset):
        return OnDemand(_clip_frames, clips, settings)
    return map_clips(
        clips,
        _clip_frames,
        num_proc,
        input_columns="audio",
        remove_columns="audio",
        fn_kwargs=settings,
        features=Features({name: List(Value("float32")) for name in columns}),
        desc=f"Features of view {view}" if view else "Features of the clips",
    ).with_format("numpy")
