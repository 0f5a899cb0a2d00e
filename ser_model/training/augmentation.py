"""Changed copies ("views") of training clips, drawn from a stated seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

CHANGES = ("time_stretch", "pitch_semitones", "time_shift", "noise_snr_db")


@dataclass(frozen=True)
class Augmentation:
    """Which views of a clip are made, by changes in this order.

    Args:
        views: Augmented views of each clip beside the clip itself.
        probability: Probability of each change.
        changes_by_view: Names of the changes that view 1, 2, ... get for certain, such as
            `[["noise_snr_db"], ["pitch_semitones"]]`, from the first again where there are more views; None to
            draw them with `probability`.
        time_stretch: Slowest and fastest speed, pitch kept; None for no change.
        pitch_semitones: Largest shift up or down in semitones, speed kept.
        time_shift: Largest shift as a share of the clip, either way; what is left is silent.
        noise_snr_db: Lowest and highest signal-to-noise ratio of white Gaussian noise in dB.
    """

    views: int = 0
    probability: float = 0.5
    changes_by_view: Sequence[Sequence[str]] | None = None
    time_stretch: Sequence[float] | None = None
    pitch_semitones: float | None = None
    time_shift: float | None = None
    noise_snr_db: Sequence[float] | None = None

    def __post_init__(self):
        for name in {name for names in self.changes_by_view or () for name in names}:
            if name not in CHANGES or getattr(self, name) is None:
                raise ValueError(f"changes_by_view names {name}, which is not among the changes that have a value.")

    def view(self, samples: np.ndarray, sampling_rate: int, clip: str, view: int, seed: int) -> np.ndarray:
        """Makes one view of a clip; the same arguments give the same samples.

        Args:
            samples: Mono float32 `(num_samples,)`.
            sampling_rate: In Hz.
            clip: Name of the clip, part of the seed.
            view: 0 for the clip itself, else the number of the view.
            seed: Seed of the run.
        """
        if view == 0:
            return samples
        with drawn_from(zlib.crc32(f"{seed}/{view}/{clip}".encode())):
            return self._changes(view)(samples, sample_rate=sampling_rate)

    def _changes(self, view: int) -> Any:
        from audiomentations import AddGaussianSNR, Compose, PitchShift, Shift, TimeStretch

        low, high = self.time_stretch or (1, 1)
        lowest, highest = self.noise_snr_db or (0, 0)
        semitones, shift = self.pitch_semitones or 0, self.time_shift or 0
        makers = {
            "time_stretch": partial(TimeStretch, min_rate=low, max_rate=high, leave_length_unchanged=False),
            "pitch_semitones": partial(PitchShift, -semitones, semitones),
            "time_shift": partial(Shift, -shift, shift, rollover=False),
            "noise_snr_db": partial(AddGaussianSNR, min_snr_db=lowest, max_snr_db=highest),
        }
        if self.changes_by_view is not None:
            chosen = self.changes_by_view[(view - 1) % len(self.changes_by_view)]
            return Compose([makers[name](p=1.0) for name in CHANGES if name in chosen])
        return Compose([makers[name](p=self.probability) for name in CHANGES if getattr(self, name)])


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
