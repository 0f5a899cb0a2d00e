"""Evaluates a saved checkpoint: on its own test part, another fold, or corpora it was not trained on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset, concatenate_datasets

from datasets_scripts import CorpusError, data_dir_or_default, find_corpus, load_with_left_out
from datasets_scripts.splits import Item, leakage_report, make_split
from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.training.augmentation import Augmentation
from ser_model.training.run import left_out_by_name

from .calibration import answered
from .predictions import column, evaluate_predictions, predict_items
from .voice_profiles import evaluate_voice_profiles


def evaluate_checkpoint(
    recognizer: BaseRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
) -> dict[str, Any]:
    """Evaluates a trained recognizer.

    Args:
        recognizer: Its report says how it was trained.
        data_dir: Any folder above the corpora.
        protocol, fold: Another split than the one it was trained under; the leakage report then
            says what of the new test part it was trained on.
        corpora: Corpora to evaluate on. One that it was trained on gives its test part, any other
            all its clips. Classes that the model does not know are named and left out.

    Returns:
        The report with `validation` (unless the network was refitted on it), `test` and
        `voice_profiles` evaluated anew. With `corpora` it has no `validation`, and
        `classes_left_out`: corpus -> labels.

    Raises:
        CorpusError: The data are not there, or the model has no report to go by.
    """
    report, table, parts = load_parts(recognizer, data_dir, protocol, fold, corpora)
    augmentation = Augmentation(**report["settings"]["augmentation"])
    if report.get("refit"):
        parts.pop("validation", None)  # the saved network was trained on it: its figures stay those of the first one
    report.pop("voice_profiles", None)
    return report | evaluate_parts(recognizer, table, parts, augmentation, report["seed"])


def load_parts(
    recognizer: BaseRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
) -> tuple[dict[str, Any], Dataset, dict[str, list[Item]]]:
    """The corpora and parts that a trained recognizer is evaluated on; arguments as for `evaluate_checkpoint`.

    Returns:
        The recognizer's report with protocol, fold, corpora, split sizes and leakage of these parts, still
        with the figures of its own; the corpus table; part -> items.

    Raises:
        CorpusError: The data are not there, or the model has no report to go by.
    """
    folder, trained = data_dir_or_default(data_dir), recognizer.report
    if trained is None:
        raise CorpusError("The model has no report.json, which says what it was trained on.")
    report = dict(trained, protocol=protocol or trained["protocol"], fold=fold or trained["fold"])
    if corpora is None:
        table, parts = split_again(report, trained, folder)
        report["split_sizes"] = {name: len(items) for name, items in parts.items()}
        return report, table, parts
    table, items = _chosen_corpora(report, trained, folder, corpora, recognizer.labels)
    del report["validation"]
    report |= {"corpora": corpora, "split_sizes": {"test": len(items)}}
    return report, table, {"test": items}


def evaluate_parts(
    recognizer: BaseRecognizer,
    table: Dataset,
    parts: dict[str, list[Item]],
    augmentation: Augmentation,
    seed: int,
) -> dict[str, Any]:
    """Figures of the validation and test parts that are given.

    Returns:
        `validation` and `test` as `evaluate_predictions` gives them, and `answered` of each;
        `voice_profiles` of the test part as `evaluate_voice_profiles` gives them, where it does.
    """
    report: dict[str, Any] = {}
    for name in [name for name in ("validation", "test") if name in parts]:
        predicted, items = predict_items(recognizer, table, parts[name], augmentation, seed, name), parts[name]
        temperature = recognizer.calibration_temperature
        report[name] = evaluate_predictions(predicted, table, items, recognizer.labels, name, temperature)
        references = column(table, "emotion", items)
        report[name]["answered"] = answered(predicted, references, recognizer.unsure_below)
    if profiles := evaluate_voice_profiles(recognizer, table, parts.get("test", []), augmentation, seed):
        report["voice_profiles"] = profiles
    return report


def split_again(report: dict[str, Any], trained: dict[str, Any], folder: Path) -> tuple[Dataset, dict[str, list[Item]]]:
    """The corpora trained on, split as `report` says; adds to it what was left out and what leaks."""
    settings, seed = trained["settings"], trained["seed"]
    views = Augmentation(**settings["augmentation"]).views
    table, left_out = load_with_left_out(data_dir=folder, **settings["data"])
    original = make_split(table, trained["protocol"], trained["fold"], seed, views)
    split = make_split(table, report["protocol"], report["fold"], seed, views)
    report["left_out"] = left_out_by_name(left_out)
    refitted_too = trained.get("refit") and split.test != original.test  # the original validation part was trained on
    trained_on = original.train + (original.validation if refitted_too else [])
    report["leakage"] = leakage_report(table, replace(split, train=trained_on))
    return table, split.parts()


def _chosen_corpora(
    report: dict[str, Any], trained: dict[str, Any], folder: Path, corpora: list[str], labels: list[str]
) -> tuple[Dataset, list[Item]]:
    """Test clips of the corpora trained on and all clips of the others; adds to `report` what was left out."""
    report |= {"left_out": [], "leakage": {"notes": ["No clip of these corpora was trained on."]}}
    tables: list[Dataset] = []
    items: list[Item] = []
    if set(corpora) & set(trained["corpora"]):
        known, parts = split_again(report, trained, folder)
        origins = list(known["corpus"])
        tables, items = [known], [item for item in parts["test"] if origins[item[0]] in corpora]
    unseen = [name for name in corpora if name not in trained["corpora"]]
    unknown = {name: [label for label in find_corpus(name).labels if label not in labels] for name in unseen}
    report["classes_left_out"] = {name: left for name, left in unknown.items() if left}
    if unseen:
        relabel: dict[str, str | None] = {label: None for left in unknown.values() for label in left}
        foreign, left_out = load_with_left_out(unseen, folder, labels, relabel)
        start = len(tables[0]) if tables else 0
        items += [(start + row, 0) for row in range(len(foreign))]
        tables.append(foreign)
        report["left_out"] = [*report["left_out"], *left_out_by_name(left_out)]
    return concatenate_datasets(tables), items
