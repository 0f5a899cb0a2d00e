"""Evaluates a saved checkpoint: on its own test part, another fold, or corpora it was not trained on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets

from datasets_scripts import data_dir_or_default, load_with_left_out
from datasets_scripts.leakage import leakage_report
from datasets_scripts.splits import Item, make_split
from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.training.augmentation import Augmentation
from ser_model.training.run import left_out_by_name

from .calibration import answered
from .foreign_parts import load_foreign_parts, with_labels_of
from .predictions import column, evaluate_predictions, predict_items
from .voice_profiles import predict_with_profiles


def evaluate_checkpoint(
    recognizer: BaseRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
    csv: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Evaluates a recognizer.

    Args:
        recognizer: Its report, if it has one, says how it was trained.
        data_dir: Any folder above the corpora.
        protocol, fold: Another split than the one it was trained under; the leakage report then
            says what of the new test part it was trained on.
        corpora: Corpora to evaluate on. One that it was trained on gives its test part, any other
            all its clips. Classes that the model does not know are named and left out. A model without a
            report, as one from elsewhere, is evaluated on the test part of `protocol` and `fold`.
        csv: Table of the corpus `folder`.

    Returns:
        The report with `validation` (unless the network was refitted on it), `test` and
        `voice_profiles` evaluated anew. With `corpora`, or of a refitted network under another protocol or
        fold, it has no `validation`; with `corpora` it has `classes_left_out`: corpus -> labels.

    Raises:
        CorpusError: The data are not there, or the model has no report to go by and no corpora are named.
    """
    report, table, parts = load_parts(recognizer, data_dir, protocol, fold, corpora, csv)
    augmentation = Augmentation(**report["settings"]["augmentation"]) if "settings" in report else Augmentation()
    if report.get("refit"):  # on the validation part too: its figures stay those of the first network, or go
        parts.pop("validation", None)
        trained = recognizer.report or {}
        if (report["protocol"], report["fold"]) != (trained["protocol"], trained["fold"]):
            report.pop("validation", None)
    report.pop("voice_profiles", None)
    return report | evaluate_parts(recognizer, table, parts, augmentation, report["seed"])


def load_parts(
    recognizer: BaseRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
    csv: str | os.PathLike | None = None,
) -> tuple[dict[str, Any], Dataset, dict[str, list[Item]]]:
    """The corpora and parts that a trained recognizer is evaluated on; arguments as for `evaluate_checkpoint`.

    Returns:
        The recognizer's report with protocol, fold, corpora, split sizes and leakage of these parts, still
        with the figures of its own; the corpus table; part -> items.

    Raises:
        CorpusError: The data are not there, or the model has no report to go by and no corpora are named.
    """
    folder = data_dir_or_default(data_dir or (Path(csv).parent if csv else None))
    trained = recognizer.report
    if trained is None or "settings" not in trained:
        return load_foreign_parts(recognizer.labels, folder, protocol, fold, corpora, csv)
    report = dict(trained, protocol=protocol or trained["protocol"], fold=trained["fold"] if fold is None else fold)
    if corpora is None:
        table, parts = split_again(report, trained, folder, csv)
        report["split_sizes"] = {name: len(items) for name, items in parts.items()}
        return report, table, parts
    table, items = _chosen_corpora(report, trained, folder, corpora, recognizer.labels, csv)
    report.pop("validation", None)
    report |= {"corpora": corpora, "split_sizes": {"test": len(items)}}
    return report, table, {"test": items}


def evaluate_parts(
    recognizer: BaseRecognizer,
    table: Dataset,
    parts: dict[str, list[Item]],
    augmentation: Augmentation,
    seed: int,
    predicted_before: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Figures of the validation and test parts that are given.

    Args:
        recognizer: The network.
        table: Corpus table.
        parts: Part -> items.
        augmentation: How views other than 0 are made.
        seed: Seed of the views and of the draws of profiles.
        predicted_before: Probabilities of a validation part that this very network predicted already.

    Returns:
        `validation` and `test` as `evaluate_predictions` gives them, and `answered` of each;
        `voice_profiles` of the test part as `predict_with_profiles` gives them, where it does.
    """
    report: dict[str, Any] = {}
    profiles: dict[str, Any] = {}
    for name in [name for name in ("validation", "test") if name in parts]:
        items, predicted = parts[name], (predicted_before or {}).get(name)
        if name == "test" and (found := predict_with_profiles(recognizer, table, items, augmentation, seed)):
            predicted, profiles = found
        if predicted is None:
            predicted = predict_items(recognizer, table, items, augmentation, seed, name)
        temperature = recognizer.calibration_temperature
        report[name] = evaluate_predictions(predicted, table, items, recognizer.labels, name, temperature)
        references = column(table, "emotion", items)
        report[name]["answered"] = answered(predicted, references, recognizer.unsure_below)
    return report | ({"voice_profiles": profiles} if profiles else {})


def split_again(
    report: dict[str, Any], trained: dict[str, Any], folder: Path, csv: str | os.PathLike | None = None
) -> tuple[Dataset, dict[str, list[Item]]]:
    """The corpora trained on, split as `report` says; adds to it what was left out and what leaks."""
    settings, seed = trained["settings"], trained["seed"]
    views = Augmentation(**settings["augmentation"]).views
    table, left_out = load_with_left_out(data_dir=folder, csv=csv, **settings["data"])
    original = make_split(table, trained["protocol"], trained["fold"], seed, views)
    split = make_split(table, report["protocol"], report["fold"], seed, views)
    report["left_out"] = left_out_by_name(left_out)
    refitted_too = trained.get("refit") and split.test != original.test  # the original validation part was trained on
    trained_on = original.train + (original.validation if refitted_too else [])
    report["leakage"] = leakage_report(table, replace(split, train=trained_on))
    return table, split.parts()


def _chosen_corpora(
    report: dict[str, Any],
    trained: dict[str, Any],
    folder: Path,
    corpora: list[str],
    labels: list[str],
    csv: str | os.PathLike | None,
) -> tuple[Dataset, list[Item]]:
    """Test clips of the corpora trained on and all clips of the others; adds to `report` what was left out."""
    report |= {
        "left_out": [],
        "leakage": {"notes": ["No clip of these corpora was trained on."]},
        "classes_left_out": {},
    }
    tables: list[Dataset] = []
    items: list[Item] = []
    if set(corpora) & set(trained["corpora"]):
        known, parts = split_again(report, trained, folder, csv)
        origins = list(known["corpus"])
        tables, items = [known], [item for item in parts["test"] if origins[item[0]] in corpora]
    if unseen := [name for name in corpora if name not in trained["corpora"]]:
        table, left_out = load_with_left_out(unseen, folder, csv=csv)
        foreign, report["classes_left_out"] = with_labels_of(table, labels)
        start = len(tables[0]) if tables else 0
        items += [(start + row, 0) for row in range(len(foreign))]
        tables.append(foreign)
        report["left_out"] = [*report["left_out"], *left_out_by_name(left_out)]
    return concatenate_datasets(tables), items
