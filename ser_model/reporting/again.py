"""Measures a saved checkpoint again: on its own test part, another fold, or corpora it never saw."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from datasets import Dataset, concatenate_datasets

from datasets_scripts import CorpusError, data_dir_or_default, find_corpus, load_corpora
from datasets_scripts.splits import Item, leakage_report, make_split

from ..augmentation import Augmentation
from ..recognizer import EmotionRecognizer
from .evaluation import measure


def evaluate_again(
    recognizer: EmotionRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
) -> dict[str, Any]:
    """Measures a trained recognizer.

    Args:
        recognizer: Its report says how it was trained.
        data_dir: Any folder above the corpora.
        protocol, fold: Another split than the one it was trained under; the leakage report then
            says what of the new test part it was trained on.
        corpora: Corpora to measure on. One that it was trained on gives its test part, any other
            all its clips. Classes that the model does not know are named and left out.

    Returns:
        The report with `validation` and `test` measured anew. With `corpora` it has no
        `validation`, and `classes_left_out`: corpus -> labels.

    Raises:
        CorpusError: The data are not there, or the model has no report to go by.
    """
    folder = data_dir_or_default(data_dir)
    trained = recognizer.report
    if trained is None:
        raise CorpusError("The model has no report.json, which says what it was trained on.")
    settings = trained["settings"]
    augmentation = Augmentation(**settings["augmentation"])
    report = dict(trained, protocol=protocol or trained["protocol"], fold=fold or trained["fold"])
    seed = trained["seed"]

    unseen = [name for name in corpora or [] if name not in trained["corpora"]]
    table, left_out = _unseen(unseen, folder, recognizer.labels) if unseen else (None, {})
    if corpora is None or len(unseen) < len(corpora):
        known = load_corpora(data_dir=folder, **settings["data"])
        original = make_split(known, trained["protocol"], trained["fold"], seed, augmentation.views)
        split = make_split(known, report["protocol"], report["fold"], seed, augmentation.views)
        report["leakage"] = leakage_report(known, replace(split, train=original.train))
        parts = split.parts()
    else:
        known, parts = None, {"test": []}
        report["leakage"] = {"notes": ["No clip of these corpora was trained on."]}
    if corpora is None:
        report["split_sizes"] = {name: len(items) for name, items in parts.items()}
        for name in ("validation", "test"):
            report[name] = measure(recognizer, known, parts[name], augmentation, seed, name)
        return report

    wanted = [item for item in parts["test"] if known["corpus"][item[0]] in corpora]
    table, items = _together(known, wanted, table)
    del report["validation"]
    report |= {"corpora": corpora, "classes_left_out": left_out, "split_sizes": {"test": len(items)}}
    report["test"] = measure(recognizer, table, items, augmentation, seed, "test")
    return report


def _unseen(corpora: list[str], folder: os.PathLike, labels: list[str]) -> tuple[Dataset, dict[str, list[str]]]:
    """All clips of corpora the model never saw, and the labels of theirs that it does not know."""
    foreign = {name: [label for label in find_corpus(name).labels if label not in labels] for name in corpora}
    relabel = {label: None for found in foreign.values() for label in found}
    return load_corpora(corpora, folder, labels, relabel), {name: found for name, found in foreign.items() if found}


def _together(known: Dataset | None, items: list[Item], unseen: Dataset | None) -> tuple[Dataset, list[Item]]:
    """One table of both, the known corpora's items and every clip of the others."""
    if known is None:
        return unseen, [(index, 0) for index in range(len(unseen))]
    if unseen is None:
        return known, items
    return concatenate_datasets([known, unseen]), items + [(len(known) + index, 0) for index in range(len(unseen))]
