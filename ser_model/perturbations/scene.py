"""What a change of a recording is given, and how changes are put together."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scene:
    """What belongs to one clip under one perturbation.

    Attributes:
        rate: Sampling rate in Hz.
        draw: Source of everything random; its seed is made of the run's seed, the perturbation and the clip.
        others: Clips of other speakers `(num_samples,)` each, for babble; other clips where nobody is named.
    """

    rate: int
    draw: np.random.Generator
    others: Sequence[np.ndarray] = ()


Transform = Callable[[np.ndarray, Scene], np.ndarray]  # float32 `(num_samples,)` > float32 `(num_samples,)`
Sound = Callable[[int, Scene], np.ndarray]  # number of samples > `(num_samples,)` of any level


def chain(*transforms: Transform) -> Transform:
    """One transform after the other."""

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        for transform in transforms:
            wave = transform(wave, scene)
        return wave

    return apply


def one_of(*transforms: Transform) -> Transform:
    """One of several transforms, drawn for each clip."""
    return lambda wave, scene: transforms[scene.draw.integers(len(transforms))](wave, scene)


def audiomentation(name: str, **settings: Any) -> Transform:
    """A transform of audiomentations by its class name; `settings` as in its documentation, probability 1."""

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        import audiomentations

        with drawn_from(int(scene.draw.integers(2**32))):
            return getattr(audiomentations, name)(**settings, p=1.0)(wave, sample_rate=scene.rate)

    return apply


def gain(db: float) -> Transform:
    return audiomentation("Gain", min_gain_db=db, max_gain_db=db)


def high_pass(hz: float, db_per_octave: int = 24) -> Transform:
    return audiomentation(
        "HighPassFilter", min_cutoff_freq=hz, max_cutoff_freq=hz, min_rolloff=db_per_octave, max_rolloff=db_per_octave
    )


def low_pass(hz: float, db_per_octave: int = 24) -> Transform:
    return audiomentation(
        "LowPassFilter", min_cutoff_freq=hz, max_cutoff_freq=hz, min_rolloff=db_per_octave, max_rolloff=db_per_octave
    )


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Seeds the global generators, which audiomentations draws from, and afterwards leaves them as they were."""
    state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)
