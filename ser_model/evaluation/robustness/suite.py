"""Runs the suite: every clip as it is, a sample of them under every perturbation, sounds that are not speech."""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import parselmouth
import torch
from datasets import Dataset
from tqdm import tqdm

from datasets_scripts.splits import Item
from ser_model.audio import load_audio
from ser_model.evaluation.predictions import column
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.metrics import emotion_metrics

from .channels import missing_encoder
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
from .respondents import NO_ANSWER, Respondent, answers_of, random_answers
from .sample import draw_sample
from .scene import Scene

MODEL, RANDOM = "model", "random"
CLIPS_A_TASK = 32
SOUNDS_EACH, SOUND_SECONDS, SOUND_LEVEL = 20, 3.0, 0.1  # level as RMS
PITCH_RANGE = (50.0, 350.0)  # Hz; what lies outside counts as a mistake of the tracker
Answers = dict[str, np.ndarray]  # respondent > class numbers `(num_clips,)`


@dataclass(frozen=True)
class Job:
    """What every process is given.

    Attributes:
        model: Checkpoint folder or Hub id.
        paths: The test clips.
        sample: Which of them are changed.
        speakers: Who speaks in each test clip, None where it is not known.
        shares: Share of each class among the test clips.
        seed: Seed of everything random.
    """

    model: str
    paths: list[str]
    sample: list[int]
    speakers: list[str | None]
    shares: np.ndarray
    seed: int


class Worker:
    """One process's recognizer and clips."""

    def __init__(self, job: Job, recognizer: EmotionRecognizer):
        torch.set_num_threads(1)
        self.job, self.rate = job, recognizer.sampling_rate
        self.respondents: dict[str, Respondent] = {
            MODEL: answers_of(recognizer), RANDOM: random_answers(job.shares, job.seed),
        }  # fmt: skip
        self.waves = [load_audio(job.paths[place], self.rate) for place in job.sample]

    def unchanged(self, places: Sequence[int]) -> tuple[Answers, np.ndarray]:
        """Answers to test clips as they are, and their mean pitch in Hz."""
        waves = [load_audio(self.job.paths[place], self.rate) for place in places]
        return self._ask(waves), np.array([mean_pitch(wave, self.rate) for wave in waves])

    def perturbed(self, number: int) -> Answers:
        """Answers to the sample under a perturbation."""
        perturbation, speakers = PERTURBATIONS[number], [self.job.speakers[place] for place in self.job.sample]
        waves = []
        for place, (wave, speaker) in enumerate(zip(self.waves, speakers, strict=True)):
            others = [
                other for other, name in zip(self.waves, speakers, strict=True) if name is None or name != speaker
            ]
            scene = Scene(self.rate, self._draw(perturbation.name, place), others)
            waves.append(perturbation.transform(wave, scene))
        return self._ask(waves)

    def not_speech(self, number: int) -> Answers:
        """Answers to sounds of one kind that are not speech."""
        name, sound = NON_SPEECH[number]
        waves = []
        for place in range(SOUNDS_EACH):
            wave = sound(round(SOUND_SECONDS * self.rate), Scene(self.rate, self._draw(name, place)))
            waves.append((SOUND_LEVEL * wave / np.sqrt(np.mean(np.square(wave)))).astype(np.float32))
        return self._ask(waves)

    def _ask(self, waves: Sequence[np.ndarray]) -> Answers:
        return {name: answer(waves) for name, answer in self.respondents.items()}

    def _draw(self, name: str, place: int) -> np.random.Generator:
        return np.random.default_rng([self.job.seed, zlib.crc32(name.encode()), place])


def mean_pitch(wave: np.ndarray, rate: int) -> float:
    """Mean of the voiced frames' pitch in Hz by Praat, NaN where it is outside 50 to 350 Hz or there is none."""
    found = parselmouth.Sound(wave.astype(np.float64), rate).to_pitch().selected_array["frequency"]
    voiced = found[found > 0]
    mean = float(voiced.mean()) if len(voiced) else np.nan
    return mean if PITCH_RANGE[0] <= mean <= PITCH_RANGE[1] else np.nan


_worker: Worker


def _start(job: Job) -> None:
    global _worker
    _worker = Worker(job, EmotionRecognizer.from_pretrained(job.model))


def _run(task: tuple[str, Any]) -> Any:
    method, argument = task
    return getattr(_worker, method)(argument)


def _results(job: Job, tasks: list[tuple[str, Any]], num_proc: int) -> Iterator[Any]:
    """Results of tasks (method of `Worker`, argument) in their order."""
    if num_proc == 1:
        _start(job)
        yield from map(_run, tasks)
        return
    spawn = multiprocessing.get_context("spawn")  # a forked process would inherit torch's threads
    with ProcessPoolExecutor(num_proc, spawn, _start, (job,)) as pool:
        yield from pool.map(_run, tasks)


def run_suite(
    model: str,
    labels: list[str],
    table: Dataset,
    items: list[Item],
    num_clips: int,
    seed: int = 0,
    num_proc: int = 1,
) -> dict[str, Any]:
    """Runs all checks.

    Args:
        model: Checkpoint folder or Hub id.
        labels: Its labels, which are the table's.
        table: Corpus table.
        items: (row of `table`, view) pairs, the test part.
        num_clips: How many of them are changed, see `draw_sample`.
        seed: Everything random follows from it.
        num_proc: Processes.

    Returns:
        `share_passed`, `checks_passed`, `num_checks`, `groups` (group -> passed and checks), `sample`,
        `clean` (UAR of the sample as it is), `speakers`, `checks`, `perturbations` (fall of the UAR and share
        unchanged of each), `skipped` and `yardsticks`, ready for JSON.

    Raises:
        AudioError, ModelError: A clip or the model cannot be used.
    """
    items = [item for item in items if item[1] == 0]
    references, speakers = column(table, "emotion", items), column(table, "speaker", items)
    sample = draw_sample(table, items, num_clips, seed)
    shares = np.bincount(references, minlength=len(labels)) / len(references)
    job = Job(model, column(table, "audio", items).tolist(), sample, speakers.tolist(), shares, seed)
    skipped = {
        perturbation.name: reason
        for perturbation in PERTURBATIONS
        if perturbation.encoder and (reason := missing_encoder(perturbation.encoder))
    }
    numbers = [number for number, perturbation in enumerate(PERTURBATIONS) if perturbation.name not in skipped]
    pieces = [range(first, min(first + CLIPS_A_TASK, len(items))) for first in range(0, len(items), CLIPS_A_TASK)]
    tasks: list[tuple[str, Any]] = [("unchanged", piece) for piece in pieces]
    tasks += [("perturbed", number) for number in numbers]
    tasks += [("not_speech", number) for number in range(len(NON_SPEECH))]
    results = list(tqdm(_results(job, tasks, num_proc), total=len(tasks), desc="Robustness", unit="step"))

    found = [results[place] for place in range(len(pieces))]
    changed = dict(zip(numbers, results[len(pieces) :], strict=False))
    sounds = results[len(pieces) + len(numbers) :]
    pitches = np.concatenate([pitch for _, pitch in found])
    clean = {name: np.concatenate([answers[name] for answers, _ in found]) for name in (MODEL, RANDOM)}
    sexes = column(table, "sex", items).astype(object)
    bands, corpora = pitch_bands(pitches, speakers), column(table, "corpus", items)

    def checks_of(name: str) -> list[Check]:
        checks = correctness_checks(clean[name], references, labels)
        checks += fairness_checks(clean[name], references, labels, corpora, sexes, SEX_LIMITS)
        checks += fairness_checks(clean[name], references, labels, corpora, bands, PITCH_LIMITS)
        for number, answers in changed.items():
            checks += perturbation_checks(
                PERTURBATIONS[number], clean[name][sample], answers[name], references[sample], labels
            )
        for (kind, _), answers in zip(NON_SPEECH, sounds, strict=True):
            share = np.mean(answers[name] != NO_ANSWER)
            checks.append(
                at_most("non-speech", kind, "share answered", share, LARGEST_SHARE_ANSWERED, len(answers[name]))
            )
        return checks

    own, chance = checks_of(MODEL), checks_of(RANDOM)
    sample_corpora = corpora[sample].tolist()
    return {
        **passed(own),
        "seed": seed,
        "sample": {
            "clips": len(sample),
            "of": len(items),
            "speakers": len({name for name in speakers[sample].tolist() if name}),
            "per_corpus": {name: sample_corpora.count(name) for name in sorted(set(sample_corpora))},
            "drawn": "evenly over corpora, emotions and speakers",
        },
        "clean": {"uar": round(emotion_metrics(clean[MODEL][sample], references[sample], labels)["uar"], 4)},
        "speakers": speaker_figures(clean[MODEL], references, labels, speakers),
        "skipped": skipped,
        "yardsticks": {RANDOM: passed(chance)},
        "perturbations": [
            {
                "group": PERTURBATIONS[number].group,
                "name": PERTURBATIONS[number].name,
                **effect(clean[MODEL][sample], answers[MODEL], references[sample], labels),
            }
            for number, answers in changed.items()
        ],
        "checks": [check.as_dict() for check in own],
    }


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
