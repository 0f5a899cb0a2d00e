"""What the processes of the suite do: ask the recognizer and the baselines about clips and sounds."""

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

from datasets_scripts.shards import recording
from ser_model.audio import load_audio
from ser_model.evaluation.encoder_svm import EncoderSvm
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.perturbations.scene import Scene
from ser_model.stopping import end_with_parent

from .perturbations import NON_SPEECH, PERTURBATIONS
from .respondents import Respondent, answers_of, random_answers

MODEL, RANDOM, SVM = "model", "random", "encoder_svm"
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
        svm: Another baseline, or None.
    """

    model: str
    paths: list[str]
    sample: list[int]
    speakers: list[str | None]
    shares: np.ndarray
    seed: int
    svm: EncoderSvm | None = None


class Worker:
    """One process's recognizer and clips."""

    def __init__(self, job: Job, recognizer: EmotionRecognizer):
        torch.set_num_threads(1)
        self.job, self.rate = job, recognizer.sampling_rate
        self.respondents: dict[str, Respondent] = {
            MODEL: answers_of(recognizer), RANDOM: random_answers(job.shares, job.seed),
        }  # fmt: skip
        if job.svm:
            self.respondents[SVM] = job.svm.predict
        self.waves = [load_audio(recording(job.paths[place]), self.rate) for place in job.sample]

    def unchanged(self, places: Sequence[int]) -> tuple[Answers, np.ndarray]:
        """Answers to test clips as they are, and their mean pitch in Hz."""
        waves = [load_audio(recording(self.job.paths[place]), self.rate) for place in places]
        return self._ask(waves), np.array([mean_pitch(wave, self.rate) for wave in waves])

    def perturbed(self, number: int) -> Answers:
        """Answers to the sample under a perturbation."""
        perturbation, speakers = PERTURBATIONS[number], [self.job.speakers[place] for place in self.job.sample]
        waves = []
        for place, (wave, speaker) in enumerate(zip(self.waves, speakers, strict=True)):
            others = [
                self.waves[other]
                for other, name in enumerate(speakers)
                if name != speaker or (name is None and other != place)
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


def _start_beside(job: Job) -> None:
    end_with_parent()
    _start(job)


def _run(task: tuple[str, Any]) -> Any:
    method, argument = task
    return getattr(_worker, method)(argument)


def results_of(job: Job, tasks: list[tuple[str, Any]], num_proc: int) -> Iterator[Any]:
    """Results of tasks (method of `Worker`, argument) in their order."""
    if num_proc == 1:
        _start(job)
        yield from map(_run, tasks)
        return
    spawn = multiprocessing.get_context("spawn")  # a forked process would inherit torch's threads
    with ProcessPoolExecutor(num_proc, spawn, _start_beside, (job,)) as pool:
        yield from pool.map(_run, tasks)
