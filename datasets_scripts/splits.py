"""Who is trained on and who is tested: the protocols, and what each of them leaks.

An item is a pair (clip, view): the clip's row number, and 0 for the clip as recorded or n for its
n-th augmented view.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset
from sklearn.model_selection import GroupKFold, StratifiedKFold, train_test_split

from .base import CorpusError

PROTOCOLS = ("speaker", "leave-one-speaker-out", "leave-corpus-out", "random", "random-augmented")
VALIDATION_SPEAKERS = 0.15
MIN_TRAINING_SPEAKERS = 3  # with fewer, no whole speaker can be spared for validation
VALIDATION_CLIPS = 0.10
NUM_RANDOM_FOLDS = 5
SHARED = "Speakers are shared between training and test."
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
        protocol: `speaker`: test speakers are never in the training part. `leave-one-speaker-out`: each of them
            in turn, in fold 1 the first of the first corpus. `leave-corpus-out`: one corpus is tested, in fold 1
            the first, on the labels that it has in common with the others. `random`: a stratified fifth of the
            clips is the test part; speakers are shared. `random-augmented`: views are made first and then split,
            so that the clips themselves leak.
        fold: Number of the fold, from 1.
        seed: Draws validation speakers and random folds.
        num_views: Augmented views of each clip beside the clip itself.

    Raises:
        CorpusError: The protocol or fold does not exist for these corpora.
    """
    _check_protocol(protocol)
    if len(found := set(dataset["emotion"][:])) < 2:
        name = "".join(dataset.features["emotion"].names[label] for label in found) or "none"
        raise CorpusError(
            f"These clips have one label only ({name}); two or more are needed: "
            "put recordings into one folder per label, or name their labels in labels.csv."
        )
    notes: list[str] = []
    views = range(num_views + 1)
    held_out = {"speaker": _by_speaker, "leave-one-speaker-out": _by_one_speaker, "leave-corpus-out": _by_corpus}
    if protocol in held_out:
        train, validation, test = held_out[protocol](dataset, fold, seed, notes)
    else:
        clips = np.arange(len(dataset))
        strata = np.array([f"{c}/{e}" for c, e in zip(dataset["corpus"][:], dataset["emotion"][:], strict=True)])
        if protocol == "random-augmented":
            everything = [(int(clip), view) for clip in clips for view in views]
            strata = np.repeat(strata, len(views))
            parts = _stratified(np.arange(len(everything)), strata, fold, seed, notes)
            notes.append("Leaking by design: views of one clip stand on both sides." if num_views else SHARED)
            leaking = [[everything[index] for index in part] for part in parts]
            return Split(protocol, fold, seed, leaking[0], leaking[1], leaking[2], notes)
        train, validation, test = _stratified(clips, strata, fold, seed, notes)
        notes.append(SHARED)
    notes += _untrained_labels(dataset, train)
    return Split(
        protocol, fold, seed,
        train=[(clip, view) for clip in train for view in views],
        validation=[(clip, 0) for clip in validation],
        test=[(clip, 0) for clip in test],
        notes=notes,
    )  # fmt: skip


def _untrained_labels(dataset: Dataset, train: list[int]) -> list[str]:
    """Labels of the table that no training clip has, one sentence each."""
    emotion, names = dataset["emotion"][:], dataset.features["emotion"].names
    missing = set(emotion) - {emotion[clip] for clip in train}
    return [f"{names[label]}: no training clip has this label, so it is never predicted." for label in sorted(missing)]


def count_published_folds(corpus: str) -> int | None:
    """How many speaker folds a corpus has; None for one whose speakers are grouped as they come."""
    published = json.loads(_FOLDS_FILE.read_text(encoding="utf-8"))
    return len(published[corpus]["test_speakers"]) if corpus in published else None


def count_folds(protocol: str, corpora: Sequence[str], load: Callable[[], Dataset]) -> int:
    """How many folds a protocol has.

    Args:
        protocol: One of `PROTOCOLS`.
        corpora: Names of the corpora.
        load: Gives their table, where it takes a look at the speakers.

    Raises:
        CorpusError: There is no such protocol, or the speakers are not known.
    """
    published = [count_published_folds(corpus) for corpus in corpora]
    if protocol == "speaker" and all(published):
        return max(count for count in published if count)
    if protocol == "leave-corpus-out":
        return len(corpora)
    if protocol in ("random", "random-augmented"):
        return NUM_RANDOM_FOLDS
    _check_protocol(protocol)
    table = load()
    return (
        len(_speakers(table)) if protocol == "leave-one-speaker-out" else max(map(len, _speaker_folds(table).values()))
    )


def _check_protocol(protocol: str) -> None:
    if protocol not in PROTOCOLS:
        raise CorpusError(f"There is no protocol called {protocol}; known are {', '.join(PROTOCOLS)}.")


def _speaker_folds(dataset: Dataset) -> dict[str, list[list[str]]]:
    """Test speakers of each fold of each corpus: the published ones, else groups of speakers."""
    published = json.loads(_FOLDS_FILE.read_text(encoding="utf-8"))
    _check_speakers(dataset)
    speakers: dict[str, set[str]] = defaultdict(set)
    for corpus, speaker in zip(dataset["corpus"][:], dataset["speaker"][:], strict=True):
        speakers[corpus].add(speaker)
    folds = {}
    for corpus, found in speakers.items():
        if corpus in published:
            folds[corpus] = [[f"{corpus}_{name}" for name in fold] for fold in published[corpus]["test_speakers"]]
            continue
        if len(found) < 2:
            raise CorpusError(
                f"{corpus} has one speaker only; a split by speaker needs two or more: record another one, or choose "
                "--protocol random, whose figures say nothing about new voices."
            )
        names = np.array(sorted(found))
        groups = GroupKFold(n_splits=min(NUM_RANDOM_FOLDS, len(names))).split(names, groups=names)
        folds[corpus] = [names[test].tolist() for _, test in groups]
    return folds


def _check_speakers(dataset: Dataset) -> None:
    for corpus, speaker in zip(dataset["corpus"][:], dataset["speaker"][:], strict=True):
        if not speaker:
            raise CorpusError(
                f"{corpus} does not say who speaks, so that no split by speaker can be made: "
                "name the speakers by folders <speaker>/<label>/ or a column speaker, or choose --protocol random."
            )


def _by_speaker(dataset: Dataset, fold: int, seed: int, notes: list[str]) -> tuple[list[int], list[int], list[int]]:
    folds = _speaker_folds(dataset)
    _check_fold(fold, max(len(corpus_folds) for corpus_folds in folds.values()))
    speaker = dataset["speaker"][:]
    held_out = {name for corpus_folds in folds.values() for name in corpus_folds[(fold - 1) % len(corpus_folds)]}
    test = [index for index, name in enumerate(speaker) if name in held_out]
    rest = [index for index, name in enumerate(speaker) if name not in held_out]
    train, validation = _spare_speakers(dataset, list(folds), rest, seed, notes)
    if not test:
        raise CorpusError(f"None of fold {fold}'s test speakers is in the data.")
    return train, validation, test


def _speakers(dataset: Dataset) -> list[str]:
    """Everybody who speaks, corpus by corpus."""
    _check_speakers(dataset)
    place = {name: index for index, name in enumerate(dict.fromkeys(dataset["corpus"][:]))}
    pairs = set(zip(dataset["corpus"][:], dataset["speaker"][:], strict=True))
    return [speaker for _, speaker in sorted(pairs, key=lambda pair: (place[pair[0]], pair[1]))]


def _by_one_speaker(dataset: Dataset, fold: int, seed: int, notes: list[str]) -> tuple[list[int], list[int], list[int]]:
    names, corpus, speaker = _speakers(dataset), dataset["corpus"][:], dataset["speaker"][:]
    if len(names) < 2:
        raise CorpusError("There is one speaker only; a split by speaker needs two or more.")
    _check_fold(fold, len(names))
    tested = names[fold - 1]
    notes.append(f"Test speaker: {tested}.")
    test = [index for index, name in enumerate(speaker) if name == tested]
    rest = [index for index, name in enumerate(speaker) if name != tested]
    train, validation = _spare_speakers(
        dataset, list(dict.fromkeys(corpus[index] for index in rest)), rest, seed, notes
    )
    return train, validation, test


def _by_corpus(dataset: Dataset, fold: int, seed: int, notes: list[str]) -> tuple[list[int], list[int], list[int]]:
    """Fold 1 tests the first corpus, and so on; clips with a label that no other corpus has are in no part."""
    _check_speakers(dataset)
    corpus, emotion, names = dataset["corpus"][:], dataset["emotion"][:], dataset.features["emotion"].names
    corpora = list(dict.fromkeys(corpus))
    if len(corpora) < 2:
        raise CorpusError(f"Protocol leave-corpus-out needs two corpora or more; here is {corpora[0]} only.")
    _check_fold(fold, len(corpora))
    tested = corpora.pop(fold - 1)
    rest = [index for index, name in enumerate(corpus) if name != tested]
    known = {emotion[index] for index in rest}
    of_tested = [index for index, name in enumerate(corpus) if name == tested]
    notes.append(f"Test corpus: {tested}; trained on {', '.join(corpora)}.")
    for label, count in sorted(Counter(emotion[index] for index in of_tested if emotion[index] not in known).items()):
        notes.append(
            f"{tested}: its {count} clips of {names[label]} are not tested; no training corpus has that label."
        )
    test = [index for index in of_tested if emotion[index] in known]
    if not test:
        raise CorpusError(f"{tested} has no label in common with the other corpora.")
    train, validation = _spare_speakers(dataset, corpora, rest, seed, notes)
    return train, validation, test


def _spare_speakers(
    dataset: Dataset, corpora: Sequence[str], rest: list[int], seed: int, notes: list[str]
) -> tuple[list[int], list[int]]:
    """Training and validation clips of those that are not tested, by speakers of each of `corpora`."""
    corpus, speaker, sex, emotion = (dataset[name][:] for name in ("corpus", "speaker", "sex", "emotion"))
    rows: dict[str, list[int]] = {name: [] for name in corpora}
    for index in rest:
        rows[corpus[index]].append(index)
    train: list[int] = []
    validation: list[int] = []
    for name, indices in rows.items():
        others = {speaker[index]: sex[index] or "unknown" for index in indices}
        if len(others) < MIN_TRAINING_SPEAKERS:
            notes.append(f"{name}: validation shares its speaker with training (10 % of the clips).")
            kept, chosen = _tenth(indices, [emotion[index] for index in indices], seed, notes)
            train, validation = train + kept, validation + chosen
            continue
        voices = _validation_speakers(others, seed)
        notes.append(f"{name}: validation speakers {', '.join(sorted(voices))}.")
        train += [index for index in indices if speaker[index] not in voices]
        validation += [index for index in indices if speaker[index] in voices]
    return train, validation


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
