"""Changed copies ("views") of training clips, drawn from a stated seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Which views of a clip are made; each change happens with `probability`, in this order.

    Args:
        views: Augmented views of each clip beside the clip itself.
        probability: Probability of each change.
        time_stretch: Slowest and fastest speed, pitch kept; None for no change.
        pitch_semitones: Largest shift up or down in semitones, speed kept.
        time_shift: Largest shift as a share of the clip, either way; what is left is silent.
        noise_snr_db: Lowest and highest signal-to-noise ratio of white Gaussian noise in dB.
    """

    views: int = 0
    probability: float = 0.5
    time_stretch: Sequence[float] | None = None
    pitch_semitones: float | None = None
    time_shift: float | None = None
    noise_snr_db: Sequence[float] | None = None

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
            return self._changes()(samples, sample_rate=sampling_rate)

    def _changes(self):
        from audiomentations import AddGaussianSNR, Compose, PitchShift, Shift, TimeStretch

        p = self.probability
        changes = []
        if self.time_stretch:
            low, high = self.time_stretch
            changes.append(TimeStretch(min_rate=low, max_rate=high, leave_length_unchanged=False, p=p))
        if self.pitch_semitones:
            changes.append(PitchShift(-self.pitch_semitones, self.pitch_semitones, p=p))
        if self.time_shift:
            changes.append(Shift(-self.time_shift, self.time_shift, rollover=False, p=p))
        if self.noise_snr_db:
            low, high = self.noise_snr_db
            changes.append(AddGaussianSNR(min_snr_db=low, max_snr_db=high, p=p))
        return Compose(changes)


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
