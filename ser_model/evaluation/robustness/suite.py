"""Runs the suite: every clip as it is, a sample of them under every perturbation, sounds that are not speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset
from tqdm import tqdm

from datasets_scripts.splits import Item
from ser_model.evaluation.encoder_svm import EncoderSvm
from ser_model.evaluation.predictions import column
from ser_model.metrics import emotion_metrics
from ser_model.perturbations.channels import missing_encoder

from .checks import Check, at_least, at_most
from .correctness import (
    PITCH_LIMITS,
    SEX_LIMITS,
    correctness_checks,
    fairness_checks,
    pitch_bands,
    speaker_figures,
)
from .perturbations import LARGEST_SHARE_ANSWERED, NON_SPEECH, PERTURBATIONS, Perturbation
from .respondents import NO_ANSWER
from .sample import draw_sample
from .worker import MODEL, Answers, Job, results_of

CLIPS_A_TASK = 32


@dataclass(frozen=True)
class Answered:
    """All answers to a test part, and what is known of its clips, `(num_clips,)` each.

    Attributes:
        labels: Names of the classes.
        references: True class numbers.
        corpora, speakers, sexes: Of each clip.
        pitches: Mean pitch of each clip in Hz.
        sample: Which clips were changed.
        clean: Answers to the clips as they are.
        changed: Number of a perturbation > answers to the sample under it.
        sounds: Answers to each kind of sound that is not speech.
    """

    labels: list[str]
    references: np.ndarray
    corpora: np.ndarray
    speakers: np.ndarray
    sexes: np.ndarray
    pitches: np.ndarray
    sample: list[int]
    clean: Answers
    changed: dict[int, Answers]
    sounds: list[Answers]

    def checks(self, respondent: str) -> list[Check]:
        """Every check of the answers of a respondent."""
        clean, bands = self.clean[respondent], pitch_bands(self.pitches, self.speakers)
        checks = correctness_checks(clean, self.references, self.labels)
        for groups, limits in ((self.sexes, SEX_LIMITS), (bands, PITCH_LIMITS)):
            checks += fairness_checks(clean, self.references, self.labels, self.corpora, groups, limits)
        before, references = clean[self.sample], self.references[self.sample]
        for number, answers in self.changed.items():
            checks += perturbation_checks(PERTURBATIONS[number], before, answers[respondent], references, self.labels)
        for (name, _), answers in zip(NON_SPEECH, self.sounds, strict=True):
            given = answers[respondent] != NO_ANSWER
            checks.append(
                at_most("non-speech", name, "share answered", given.mean(), LARGEST_SHARE_ANSWERED, len(given))
            )
        return checks

    def sample_figures(self) -> dict[str, Any]:
        """How many clips of which corpus were changed."""
        corpora = self.corpora[self.sample].tolist()
        return {
            "clips": len(self.sample),
            "of": len(self.references),
            "speakers": len({name for name in self.speakers[self.sample].tolist() if name}),
            "per_corpus": {name: corpora.count(name) for name in sorted(set(corpora))},
            "drawn": "evenly over corpora, emotions and speakers",
        }

    def effects(self) -> list[dict[str, Any]]:
        """What each perturbation did to the model's answers."""
        before, references = self.clean[MODEL][self.sample], self.references[self.sample]
        return [
            {
                "group": PERTURBATIONS[number].group,
                "name": PERTURBATIONS[number].name,
                **effect(before, answers[MODEL], references, self.labels),
            }
            for number, answers in self.changed.items()
        ]


def run_suite(
    model: str,
    labels: list[str],
    table: Dataset,
    items: list[Item],
    num_clips: int,
    seed: int = 0,
    num_proc: int = 1,
    svm: EncoderSvm | None = None,
) -> dict[str, Any]:
    """Runs all checks.

    Args:
        model: Checkpoint folder or Hub id.
        labels: Its labels, which are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs, the test part; views other than 0 are passed over.
        num_clips: How many of them are changed, see `draw_sample`.
        seed: Everything random follows from it.
        num_proc: Processes.
        svm: An SVM to compare with, trained on the speakers that the model was trained on.

    Returns:
        `share_passed`, `checks_passed`, `num_checks`, `groups` (group -> passed and checks), `seed`, `sample`,
        `clean` (UAR of the sample as it is), `speakers`, `skipped`, `baselines`, `perturbations` (fall of the
        UAR and share unchanged of each) and `checks`, ready for JSON.

    Raises:
        AudioError, ModelError: A clip or the model cannot be used.
    """
    items = [item for item in items if item[1] == 0]
    sample = draw_sample(table, items, num_clips, seed)
    skipped = skipped_perturbations(column(table, "speaker", items)[sample].tolist())
    numbers = [number for number, perturbation in enumerate(PERTURBATIONS) if perturbation.name not in skipped]
    found = _ask(model, labels, table, items, sample, numbers, seed, num_proc, svm)
    checks = found.checks(MODEL)
    before, references = found.clean[MODEL][found.sample], found.references[found.sample]
    return {
        **passed(checks),
        "seed": seed,
        "sample": found.sample_figures(),
        "clean": {"uar": round(emotion_metrics(before, references, labels)["uar"], 4)},
        "speakers": speaker_figures(found.clean[MODEL], found.references, labels, found.speakers),
        "skipped": skipped,
        "baselines": {name: passed(found.checks(name)) for name in found.clean if name != MODEL},
        "perturbations": found.effects(),
        "checks": [check.as_dict() for check in checks],
    }


def skipped_perturbations(speakers: list[str | None]) -> dict[str, str]:
    """Perturbations that cannot be done and why.

    Args:
        speakers: Who speaks in each clip that is to be changed, None where it is not known.
    """
    alone = len(set(speakers)) < 2 and (None not in speakers or len(speakers) < 2)
    skipped = {}
    for perturbation in PERTURBATIONS:
        if perturbation.encoder and (reason := missing_encoder(perturbation.encoder)):
            skipped[perturbation.name] = reason
        elif perturbation.mixes_speakers and alone:
            skipped[perturbation.name] = "all clips are of one speaker"
    return skipped


def _ask(
    model: str,
    labels: list[str],
    table: Dataset,
    items: list[Item],
    sample: list[int],
    numbers: list[int],
    seed: int,
    num_proc: int,
    svm: EncoderSvm | None,
) -> Answered:
    """Asks about every clip, the sample under the perturbations with these numbers, and every sound."""
    paths, references, corpora, speakers, sexes = (
        column(table, name, items) for name in ("audio", "emotion", "corpus", "speaker", "sex")
    )
    shares = np.bincount(references, minlength=len(labels)) / len(references)
    job = Job(model, paths.tolist(), sample, speakers.tolist(), shares, seed, svm)
    pieces = [range(first, min(first + CLIPS_A_TASK, len(items))) for first in range(0, len(items), CLIPS_A_TASK)]
    tasks: list[tuple[str, Any]] = [("unchanged", piece) for piece in pieces]
    tasks += [("perturbed", number) for number in numbers]
    tasks += [("not_speech", number) for number in range(len(NON_SPEECH))]
    results = list(tqdm(results_of(job, tasks, num_proc), total=len(tasks), desc="Robustness", unit="step"))
    unchanged, others = results[: len(pieces)], results[len(pieces) :]
    return Answered(
        labels=labels,
        references=references,
        corpora=corpora,
        speakers=speakers,
        sexes=sexes,
        pitches=np.concatenate([pitches for _, pitches in unchanged]),
        sample=sample,
        clean={name: np.concatenate([answers[name] for answers, _ in unchanged]) for name in unchanged[0][0]},
        changed=dict(zip(numbers, others, strict=False)),
        sounds=others[len(numbers) :],
    )


def effect(before: np.ndarray, after: np.ndarray, references: np.ndarray, labels: Sequence[str]) -> dict[str, float]:
    """Fall of the UAR and share of unchanged answers; arguments are class numbers `(num_clips,)`."""
    uars = [emotion_metrics(answers, references, list(labels))["uar"] for answers in (before, after)]
    return {"uar_fall": round(uars[0] - uars[1], 4), "unchanged": round(float(np.mean(before == after)), 4)}


def perturbation_checks(
    perturbation: Perturbation,
    before: np.ndarray,
    after: np.ndarray,
    references: np.ndarray,
    labels: Sequence[str],
) -> list[Check]:
    """What a perturbation did, against its limits."""
    found, limits, clips = effect(before, after, references, labels), perturbation.limits, len(references)
    named = (perturbation.group, perturbation.name)
    checks = [at_least(*named, "share unchanged", found["unchanged"], limits.unchanged, clips)]
    if limits.fall is not None:
        checks.insert(0, at_most(*named, "fall of UAR", found["uar_fall"], limits.fall, clips))
    return checks


def passed(checks: Sequence[Check]) -> dict[str, Any]:
    """How many checks are passed, in all and by group."""
    groups: dict[str, dict[str, int]] = {}
    for check in checks:
        group = groups.setdefault(check.group, {"passed": 0, "checks": 0})
        group["passed"] += check.passed
        group["checks"] += 1
    count = sum(check.passed for check in checks)
    return {
        "share_passed": round(count / len(checks), 4), "checks_passed": count, "num_checks": len(checks),
        "groups": groups,
    }  # fmt: skip
