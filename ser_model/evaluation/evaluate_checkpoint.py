"""Measures a saved checkpoint again: on its own test part, another fold, or corpora it never saw."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from datasets import concatenate_datasets

from datasets_scripts import CorpusError, data_dir_or_default, find_corpus, load_with_left_out
from datasets_scripts.splits import Item, leakage_report, make_split
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.training.augmentation import Augmentation

from .scoring import figures_of, hear, without_folders


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

    parts: dict[str, list[Item]] = {"test": []}
    known, origins = None, []
    report |= {"left_out": [], "leakage": {"notes": ["No clip of these corpora was trained on."]}}
    if corpora is None or set(corpora) & set(trained["corpora"]):
        known, left_out = load_with_left_out(data_dir=folder, **settings["data"])
        report["left_out"] = without_folders(left_out)
        origins = list(known["corpus"])
        original = make_split(known, trained["protocol"], trained["fold"], seed, augmentation.views)
        split = make_split(known, report["protocol"], report["fold"], seed, augmentation.views)
        report["leakage"] = leakage_report(known, replace(split, train=original.train))
        parts = split.parts()
    if corpora is None:
        report["split_sizes"] = {name: len(items) for name, items in parts.items()}
        for name in ("validation", "test"):
            heard = hear(recognizer, known, parts[name], augmentation, seed, name)
            report[name] = figures_of(heard, known, parts[name], recognizer.labels, name)
        return report

    items = [item for item in parts["test"] if origins[item[0]] in corpora]
    unseen = [name for name in corpora if name not in trained["corpora"]]
    unknown = {name: [label for label in find_corpus(name).labels if label not in recognizer.labels] for name in unseen}
    tables = [known] if known is not None else []
    if unseen:
        relabel: dict[str, str | None] = {label: None for labels in unknown.values() for label in labels}
        foreign, left_out = load_with_left_out(unseen, folder, recognizer.labels, relabel)
        tables.append(foreign)
        report["left_out"] = [*report["left_out"], *without_folders(left_out)]
    table = concatenate_datasets(tables)
    items += [(index, 0) for index in range(len(origins), len(table))]
    del report["validation"]
    report |= {"corpora": corpora, "split_sizes": {"test": len(items)}}
    report["classes_left_out"] = {name: labels for name, labels in unknown.items() if labels}
    heard = hear(recognizer, table, items, augmentation, seed, "test")
    report["test"] = figures_of(heard, table, items, recognizer.labels, "test")
    return report
