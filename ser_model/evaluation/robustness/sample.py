"""Which test clips are changed: as many of each emotion of each corpus, spread over speakers."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
from datasets import Dataset

from datasets_scripts.splits import Item
from ser_model.evaluation.predictions import column


def draw_sample(table: Dataset, items: list[Item], num_clips: int, seed: int) -> list[int]:
    """Draws test clips for the perturbations.

    Every emotion of every corpus gets a turn until `num_clips` are drawn; within it every speaker
    gets a turn, with a clip drawn by `seed`.

    Args:
        table: Corpus table.
        items: (row of `table`, view) pairs.
        num_clips: How many, or all there are.
        seed: Two draws with the same seed are the same.

    Returns:
        Positions in `items`, in their order.
    """
    groups: dict[tuple, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    corpora, emotions, speakers = (column(table, name, items) for name in ("corpus", "emotion", "speaker"))
    names = [Path(path).stem for path in column(table, "audio", items)]
    draw = np.random.default_rng(seed)
    for place in draw.permutation(np.argsort(np.array(names), kind="stable")).tolist():
        groups[corpora[place], emotions[place]][str(speakers[place])].append(place)
    by_group = [_in_turn(list(groups[key].values())) for key in sorted(groups)]
    return sorted(islice(_in_turn(by_group), num_clips))


def _in_turn(lists: list[list[int]]) -> list[int]:
    """The first of each list, then the second of each, and so on."""
    return [place for place in chain.from_iterable(zip_longest(*lists)) if place is not None]
