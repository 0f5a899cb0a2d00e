"""Who is trained on and who is tested: the three protocols, and what each of them leaks.

An item is a pair (clip, view): the clip's row number, and 0 for the clip as recorded or n for its
n-th augmented view.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.model_selection import GroupKFold, StratifiedKFold, train_test_split

from .base import CorpusError
from .texts import text_leakage

PROTOCOLS = ("speaker", "random", "random-augmented")
VALIDATION_SPEAKERS = 0.15
MIN_TRAINING_SPEAKERS = 3  # with fewer, no whole speaker can be spared for validation
VALIDATION_CLIPS = 0.10
NUM_RANDOM_FOLDS = 5
_FOLDS_FILE = Path(__file__).with_name("speaker_folds.json")

Item = tuple[int, int]


@dataclass(frozen=True)
class Split:
    """Items of the three parts, and what a reader must know about how they were drawn."""

    protocol: str
    fold: int
    seed: int
    train: list[Item]
    validation: list[Item]
    test: list[Item]
    notes: list[str]

    def parts(self) -> dict[str, list[Item]]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def make_split(dataset: Dataset, protocol: str, fold: int = 1, seed: int = 0, num_views: int = 0) -> Split:
    """Splits a corpus table under a named protocol.

    Args:
        dataset: Table with the columns `corpus`, `speaker`, `sex` and `emotion`.
        protocol: `speaker`: test speakers are never in the training part. `random`: a stratified fifth
            of the clips is the test part; speakers are shared. `random-augmented`: views are made
            first and then split, so that the clips themselves leak.
        fold: Number of the fold, from 1.
        seed: Draws validation speakers and random folds.
        num_views: Augmented views of each clip beside the clip itself.

    Raises:
        CorpusError: The protocol or fold does not exist for these corpora.
    """
    if protocol not in PROTOCOLS:
        raise CorpusError(f"There is no protocol called {protocol}; known are {', '.join(PROTOCOLS)}.")
    if len(found := set(dataset["emotion"])) < 2:
        name = "".join(dataset.features["emotion"].names[label] for label in found) or "none"
        raise CorpusError(
            f"These clips have one label only ({name}); two or more are needed: "
            "put recordings into one folder per label, or name their labels in labels.csv."
        )
    notes: list[str] = []
    views = range(num_views + 1)
    if protocol == "speaker":
        train, validation, test = _by_speaker(dataset, fold, seed, notes)
    else:
        clips = np.arange(len(dataset))
        strata = np.array([f"{c}/{e}" for c, e in zip(dataset["corpus"], dataset["emotion"], strict=True)])
        if protocol == "random-augmented":
            everything = [(int(clip), view) for clip in clips for view in views]
            strata = np.repeat(strata, len(views))
            parts = _stratified(np.arange(len(everything)), strata, fold, seed, notes)
            notes.append("Leaking by design: views of one clip stand on both sides.")
            leaking = [[everything[index] for index in part] for part in parts]
            return Split(protocol, fold, seed, leaking[0], leaking[1], leaking[2], notes)
        train, validation, test = _stratified(clips, strata, fold, seed, notes)
        notes.append("Speakers are shared between training and test.")
    return Split(
        protocol, fold, seed,
        train=[(clip, view) for clip in train for view in views],
        validation=[(clip, 0) for clip in validation],
        test=[(clip, 0) for clip in test],
        notes=notes,
    )  # fmt: skip


def _speaker_folds(dataset: Dataset) -> dict[str, list[list[str]]]:
    """Test speakers of each fold of each corpus: the published ones, else groups of speakers."""
    published = json.loads(_FOLDS_FILE.read_text())
    speakers: dict[str, set[str]] = defaultdict(set)
    for corpus, speaker in zip(dataset["corpus"], dataset["speaker"], strict=True):
        if not speaker:
            raise CorpusError(
                f"{corpus} does not say who speaks, so that no split by speaker can be made: "
                "name the speakers, or choose --protocol random."
            )
        speakers[corpus].add(speaker)
    folds = {}
    for corpus, found in speakers.items():
        if corpus in published:
            folds[corpus] = [[f"{corpus}_{name}" for name in fold] for fold in published[corpus]["test_speakers"]]
            continue
        if len(found) < 2:
            raise CorpusError(f"{corpus} has one speaker only; a split by speaker needs two or more.")
        names = np.array(sorted(found))
        groups = GroupKFold(n_splits=min(NUM_RANDOM_FOLDS, len(names))).split(names, groups=names)
        folds[corpus] = [names[test].tolist() for _, test in groups]
    return folds


def _by_speaker(dataset: Dataset, fold: int, seed: int, notes: list[str]) -> tuple[list[int], list[int], list[int]]:
    folds = _speaker_folds(dataset)
    _check_fold(fold, max(len(corpus_folds) for corpus_folds in folds.values()))
    rows: dict[str, list[int]] = defaultdict(list)
    for index, corpus in enumerate(dataset["corpus"]):
        rows[corpus].append(index)
    speaker, sex, emotion = list(dataset["speaker"]), list(dataset["sex"]), list(dataset["emotion"])
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    for corpus, indices in rows.items():
        held_out = set(folds[corpus][(fold - 1) % len(folds[corpus])])
        rest = [index for index in indices if speaker[index] not in held_out]
        test += [index for index in indices if speaker[index] in held_out]
        others = {speaker[index]: sex[index] or "unknown" for index in rest}
        if len(others) < MIN_TRAINING_SPEAKERS:
            notes.append(f"{corpus}: validation shares its speaker with training (10 % of the clips).")
            kept, chosen = _tenth(rest, [emotion[index] for index in rest], seed, notes)
            train, validation = train + kept, validation + chosen
            continue
        voices = _validation_speakers(others, seed)
        notes.append(f"{corpus}: validation speakers {', '.join(sorted(voices))}.")
        train += [index for index in rest if speaker[index] not in voices]
        validation += [index for index in rest if speaker[index] in voices]
    if not test:
        raise CorpusError(f"None of fold {fold}'s test speakers is in the data.")
    return train, validation, test


def _validation_speakers(sex_of: dict[str, str], seed: int) -> set[str]:
    """About 15 % of the speakers, half of each sex where there are two."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, sex in sorted(sex_of.items()):
        groups[sex].append(name)
    if min(map(len, groups.values())) < 2:  # training would lose the only voice of a sex
        groups = {"any": sorted(sex_of)}
    share = max(1, round(VALIDATION_SPEAKERS * len(sex_of) / len(groups)))
    draw = random.Random(seed)
    chosen: set[str] = set()
    for _, names in sorted(groups.items()):
        chosen.update(draw.sample(names, min(share, len(names) - 1)))
    return chosen


def _stratified(
    items: np.ndarray, strata: np.ndarray, fold: int, seed: int, notes: list[str]
) -> tuple[list[int], list[int], list[int]]:
    _check_fold(fold, NUM_RANDOM_FOLDS)
    if max(Counter(strata.tolist()).values()) < NUM_RANDOM_FOLDS:
        raise CorpusError(
            f"A random split needs at least {NUM_RANDOM_FOLDS} clips of a label; there are fewer of each."
        )
    folds = StratifiedKFold(NUM_RANDOM_FOLDS, shuffle=True, random_state=seed)
    rest, test = list(folds.split(items, strata))[fold - 1]
    train, validation = _tenth(rest.tolist(), strata[rest].tolist(), seed, notes)
    return sorted(train), sorted(validation), sorted(test.tolist())


def _tenth(rest: list[int], strata: Sequence, seed: int, notes: list[str]) -> tuple[list[int], list[int]]:
    """Training and validation clips of those that are not tested, in the proportions of `strata`."""
    if len(rest) < 2:
        raise CorpusError("Too few clips are left beside the test part to train and to validate.")
    counts = Counter(strata)
    enough = min(counts.values()) > 1 and math.ceil(VALIDATION_CLIPS * len(rest)) >= len(counts)
    if not enough:
        notes.append("Too few clips for a validation part with every label in proportion: drawn without regard to it.")
    kept, chosen = train_test_split(
        rest, test_size=VALIDATION_CLIPS, random_state=seed, stratify=strata if enough else None
    )
    return kept, chosen


def _check_fold(fold: int, count: int) -> None:
    if not 1 <= fold <= count:
        raise CorpusError(f"There is no fold {fold}: these corpora have folds 1 to {count} under this protocol.")


def leakage_report(dataset: Dataset, split: Split) -> dict[str, Any]:
    """What validation and test share with training.

    Returns:
        For each of `validation` and `test`: `shared_speakers`; `shared_clips`, clips whose recording
        (by its decoded samples) stands in training too; `augmented_twins`, items whose clip has
        another view in training. `leaking`: whether the test part shares a clip, or may by its protocol.
        `text`: corpus -> how many test clips say a sentence that tells their label, see `text_leakage`.
    """
    contents, speakers = list(dataset["content"]), list(dataset["speaker"])
    trained = {clip for clip, _ in split.train}
    trained_contents = {contents[clip] for clip in trained}
    trained_speakers = {speakers[clip] for clip in trained} - {None, ""}
    report: dict[str, Any] = {"notes": split.notes}
    for name in ("validation", "test"):
        items = split.parts()[name]
        clips = {clip for clip, _ in items}
        report[name] = {
            "shared_speakers": len({speakers[clip] for clip in clips} & trained_speakers),
            "shared_clips": sum(contents[clip] in trained_contents for clip in clips),
            "augmented_twins": sum(clip in trained for clip, _ in items),
        }
    if not all(speakers):
        report["notes"] = [*split.notes, "Some clips do not say who speaks: shared speakers are those known."]
    report["text"] = text_leakage(dataset, trained, {clip for clip, _ in split.test})
    report["leaking"] = report["test"]["shared_clips"] > 0 or split.protocol == "random-augmented"
    return report
