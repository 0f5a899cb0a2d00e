"""Evaluates a saved checkpoint: on its own test part, another fold, or corpora it was not trained on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets

from datasets_scripts import CorpusError, data_dir_or_default, load_with_left_out
from datasets_scripts.leakage import leakage_report, split_fingerprint
from datasets_scripts.splits import Item, make_split
from ser_model.inference.base_recognizer import BaseRecognizer
from ser_model.training.augmentation import Augmentation
from ser_model.training.overrides import CSV_OF_OTHERS, FOLDER
from ser_model.training.run import left_out_by_name

from .calibration import answered
from .foreign_parts import UNKNOWN_TRAINING, load_foreign_parts, with_labels_of
from .predictions import column, evaluate_predictions, predict_items
from .voice_profiles import predict_with_profiles

OTHER_CORPORA = (
    "The model was not trained on these corpora; whether one of their recordings stands in a corpus that it was "
    "trained on was not compared."
)


def evaluate_checkpoint(
    recognizer: BaseRecognizer,
    data_dir: str | os.PathLike | None,
    protocol: str | None = None,
    fold: int | None = None,
    corpora: list[str] | None = None,
    csv: str | os.PathLike | None = None,
    all_clips: bool = False,
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
        all_clips: Whether all clips of the corpora are meant, as of recordings made since the training. Nothing is
            known of what they share with it.

    Returns:
        The report with `validation` (unless the network was refitted on it), `test` and
        `voice_profiles` evaluated anew. With `corpora`, or of a refitted network under another protocol or
        fold, it has no `validation`; with `corpora` or `all_clips` it has `classes_left_out`: corpus -> labels, and
        `whole_corpora`: those of which all clips were predicted.

    Raises:
        CorpusError: The data are not there or not those trained on, or the model has no report to go by and no
            corpora are named.
    """
    report, table, parts = load_parts(recognizer, data_dir, protocol, fold, corpora, csv, all_clips)
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
    all_clips: bool = False,
) -> tuple[dict[str, Any], Dataset, dict[str, list[Item]]]:
    """The corpora and parts that a trained recognizer is evaluated on; arguments as for `evaluate_checkpoint`.

    Returns:
        The recognizer's report with protocol, fold, corpora, split sizes and leakage of these parts, still
        with the figures of its own; the corpus table; part -> items.

    Raises:
        CorpusError: As there.
    """
    folder = data_dir_or_default(data_dir or (Path(csv).parent if csv else None))
    trained = recognizer.report if "settings" in (recognizer.report or {}) else None
    if csv and FOLDER not in (corpora or (trained or {}).get("corpora", [])):
        if corpora:
            raise CorpusError(CSV_OF_OTHERS)
        corpora = [FOLDER]
    if trained is None:
        return load_foreign_parts(recognizer.labels, folder, protocol, fold, corpora, csv, all_clips)
    report = dict(trained, protocol=protocol or trained["protocol"], fold=trained["fold"] if fold is None else fold)
    if corpora is None and not all_clips:
        table, parts = split_again(report, trained, folder, csv)
        report["split_sizes"] = {name: len(items) for name, items in parts.items()}
        return report, table, parts
    corpora = corpora or trained["corpora"]
    whole = [name for name in corpora if all_clips or name not in trained["corpora"]]
    table, items = _chosen_corpora(report, trained, folder, corpora, whole, csv)
    for name in ("validation", "corpora_fingerprint", "split_fingerprint"):  # of other clips
        report.pop(name, None)
    report |= {"corpora": corpora, "whole_corpora": whole, "split_sizes": {"test": len(items)}}
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
    """The corpora trained on, split as `report` says; adds to it what was left out and what leaks.

    Raises:
        CorpusError: They are not there, or are not the clips trained on: who was tested cannot be told then.
    """
    settings, seed = trained["settings"], trained["seed"]
    views = Augmentation(**settings["augmentation"]).views
    data = settings["data"] | {"labels": trained["labels"], "drop_other_labels": True}
    table, left_out = load_with_left_out(data_dir=folder, csv=csv, **data)
    original = make_split(table, trained["protocol"], trained["fold"], seed, views)
    before = trained.get("split_fingerprint")  # reports of older versions have none
    if before and before != split_fingerprint(table, original, trained.get("refit", False)):
        raise CorpusError(
            f"The {', '.join(trained['corpora'])} clips below {folder} are not those that the model was trained on, or "
            "are split otherwise in the order in which they lie there: name the folder that it was trained on, or "
            "evaluate all of these clips with --all-clips."
        )
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
    whole: list[str],
    csv: str | os.PathLike | None,
) -> tuple[Dataset, list[Item]]:
    """All clips of the corpora `whole` and test clips of the others; adds to `report` what was left out."""
    note = UNKNOWN_TRAINING if set(whole) & set(trained["corpora"]) else OTHER_CORPORA
    report |= {"left_out": [], "leakage": {"notes": [note]}, "classes_left_out": {}}
    tables: list[Dataset] = []
    items: list[Item] = []
    if set(corpora) - set(whole):
        known, parts = split_again(report, trained, folder, csv)
        origins = list(known["corpus"])
        tables, items = [known], [item for item in parts["test"] if origins[item[0]] in corpora]
    if whole:
        known_labels = {label: label for label in trained["labels"]}  # by which folders of labels are told from others
        table, left_out = load_with_left_out(whole, folder, relabel=known_labels, csv=csv)
        foreign, report["classes_left_out"] = with_labels_of(table, trained["labels"])
        start = len(tables[0]) if tables else 0
        items += [(start + row, 0) for row in range(len(foreign))]
        tables.append(foreign)
        report["left_out"] = [*report["left_out"], *left_out_by_name(left_out)]
    return concatenate_datasets(tables), items
