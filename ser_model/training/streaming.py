"""Training on clips that are read anew in every epoch: which come after which, and a sample of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from datasets_scripts.splits import Item

RUN = 100  # items that are read one after another, as many as Parquet keeps together
RUNS_MIXED = 16  # runs, from anywhere in the corpora, among whose items batches are drawn
SAMPLE = 5_000  # items that statistics are taken from


class StreamSampler(torch.utils.data.Sampler[int]):
    """A new order of the items for each epoch in which neighbours lie near each other in few places.

    Runs of neighbouring items are shuffled; then all items within so many runs. Reading random single clips
    would read a whole row group of a Parquet file for each.

    Args:
        items: (clip, view) pairs.
        seed: Of the orders.
        epoch: Gives the number of the epoch that begins; the same number gives the same order.
    """

    def __init__(self, items: Sequence[Item], seed: int, epoch: Callable[[], int]):
        self.by_clip = np.argsort([clip for clip, _ in items], kind="stable")
        self.seed, self.epoch = seed, epoch

    def __len__(self) -> int:
        return len(self.by_clip)

    def __iter__(self) -> Iterator[int]:
        draw = np.random.default_rng([self.seed, self.epoch()])
        runs = [self.by_clip[start : start + RUN] for start in range(0, len(self.by_clip), RUN)]
        order = draw.permutation(len(runs))
        for start in range(0, len(order), RUNS_MIXED):
            mixed = np.concatenate([runs[index] for index in order[start : start + RUNS_MIXED]])
            yield from draw.permutation(mixed).tolist()


def sampled(table: Dataset, items: Sequence[Item], seed: int) -> tuple[Dataset, list[Item]]:
    """`SAMPLE` items drawn without return, in their order, and the rows of the table that they are of.

    Where there are no more items, all of them.
    """
    chosen = range(len(items))
    if len(items) > SAMPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(len(items), SAMPLE, replace=False)).tolist()
    rows = sorted({items[index][0] for index in chosen})
    places = {row: place for place, row in enumerate(rows)}
    return table.select(rows), [(places[items[index][0]], items[index][1]) for index in chosen]


class OnDemand:
    """Rows of a table that are made when they are asked for.

    Args:
        function: Gives a row, a dict, for the path of a clip.
        paths: Of the clips.
        settings: Further keyword arguments of `function`.
    """

    def __init__(self, function: Callable[..., dict[str, Any]], paths: Sequence[str], settings: dict[str, Any]):
        self.function, self.paths, self.settings = function, paths, settings

    def __getitem__(self, clip: int) -> dict[str, Any]:
        return self.function(self.paths[clip], **self.settings)
