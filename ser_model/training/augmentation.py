"""Changed copies ("views") of training clips, drawn from a stated seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ser_model.perturbations import channels, sounds
from ser_model.perturbations.scene import Scene, Transform, drawn_from, gain

# In the order in which they are made: the voice, the room, what else sounds in it, microphone and line.
CHANGES = (
    "time_stretch", "pitch_semitones", "speed", "time_shift", "silence_seconds", "room", "tilt_db", "noise_snr_db",
    "background_snr_db", "band_hz", "sampling_rates", "gain_db", "clipped_share",
)  # fmt: skip
# Length, width and height in m, distance from mouth to microphone in m, seconds in which sound falls by 60 dB.
ROOMS = (
    ((3.2, 2.6, 2.4), 0.8, 0.25),
    ((5.2, 4.1, 2.7), 0.6, 0.3),
    ((4.2, 3.3, 2.5), 1.2, 0.35),
    ((7.0, 4.0, 2.6), 2.2, 0.45),
    ((6.5, 5.0, 2.8), 1.8, 0.5),
    ((9.0, 7.0, 3.5), 2.5, 0.7),
    ((10.5, 9.5, 4.2), 2.0, 0.85),
    ((13.0, 8.0, 4.5), 3.5, 1.0),
)
BACKGROUNDS = (sounds.white, sounds.pink, sounds.babble, sounds.hum, sounds.music, sounds.cough)
BABBLE_SPEEDS = (0.8, 0.9, 1.1, 1.25)  # babble is made of the clip itself, backwards: nobody else is in a view


@dataclass(frozen=True)
class Augmentation:
    """Which views of a clip are made, by the changes of `CHANGES` in their order.

    Args:
        views: Augmented views of each clip beside the clip itself.
        probability: Probability of each change.
        changes_by_view: Names of the changes that view 1, 2, ... get for certain, such as
            `[["noise_snr_db"], ["pitch_semitones"]]`, from the first again where there are more views; None to
            draw them with `probability`.
        time_stretch: Slowest and fastest speed, pitch kept; None for no change.
        pitch_semitones: Largest shift up or down in semitones, speed kept.
        speed: Slowest and fastest speed, pitch and formants moving along as on a tape.
        time_shift: Largest shift as a share of the clip, either way; what is left is silent.
        silence_seconds: Most silence before and after the clip.
        room: Whether a room of `ROOMS` is put around the voice.
        tilt_db: Largest rise or fall of the spectrum in dB an octave.
        noise_snr_db: Lowest and highest signal-to-noise ratio of white Gaussian noise in dB.
        background_snr_db: The same for a sound drawn from `BACKGROUNDS`.
        band_hz: Lowest and highest edge of a high-pass, then of a low-pass filter.
        sampling_rates: Rates in Hz of which one is resampled to and back.
        gain_db: Lowest and highest gain.
        clipped_share: Largest share of the samples that clipping cuts off.
    """

    views: int = 0
    probability: float = 0.5
    changes_by_view: Sequence[Sequence[str]] | None = None
    time_stretch: Sequence[float] | None = None
    pitch_semitones: float | None = None
    speed: Sequence[float] | None = None
    time_shift: float | None = None
    silence_seconds: float | None = None
    room: bool | None = None
    tilt_db: float | None = None
    noise_snr_db: Sequence[float] | None = None
    background_snr_db: Sequence[float] | None = None
    band_hz: Sequence[Sequence[float]] | None = None
    sampling_rates: Sequence[int] | None = None
    gain_db: Sequence[float] | None = None
    clipped_share: float | None = None

    def __post_init__(self):
        for name in {name for names in self.changes_by_view or () for name in names}:
            if name not in CHANGES or getattr(self, name) is None:
                raise ValueError(f"changes_by_view names {name}, which is not among the changes that have a value.")

    def view(self, samples: np.ndarray, sampling_rate: int, clip: str, view: int, seed: int) -> np.ndarray:
        """Makes one view of a clip; the same arguments give the same samples.

        Args:
            samples: Mono float32 `(num_samples,)`.
            sampling_rate: In Hz.
            clip: Name of the clip's file without folder and ending, part of the seed: clips of one name, as `001.wav`
                in the folders of several speakers, get the same draws.
            view: 0 for the clip itself, else the number of the view.
            seed: Seed of the run.
        """
        if view == 0:
            return samples
        with drawn_from(zlib.crc32(f"{seed}/{view}/{clip}".encode())):
            return self._changes(view)(samples, sample_rate=sampling_rate)

    def _changes(self, view: int) -> Any:
        from audiomentations import Compose

        if self.changes_by_view is not None:
            chosen, probability = self.changes_by_view[(view - 1) % len(self.changes_by_view)], 1.0
        else:
            chosen, probability = [name for name in CHANGES if getattr(self, name)], self.probability
        return Compose([_MAKERS[name](getattr(self, name), probability) for name in CHANGES if name in chosen])


def _audiomentation(name: str, settings: Callable[[Any], dict[str, Any]]) -> Callable[[Any, float], Any]:
    """Makes a transform of audiomentations, by its class name, from the value of a field and a probability."""

    def make(value: Any, probability: float) -> Any:
        import audiomentations

        return getattr(audiomentations, name)(**settings(value), p=probability)

    return make


def _ours(transform: Callable[[Any, np.random.Generator], Transform]) -> Callable[[Any, float], Any]:
    """The same for one of `ser_model.perturbations`, whose parameters are drawn for each clip."""

    def apply(samples: np.ndarray, sample_rate: int, value: Any) -> np.ndarray:
        draw = np.random.default_rng(np.random.randint(2**31))
        return transform(value, draw)(samples, Scene(sample_rate, draw)).astype(np.float32)

    def make(value: Any, probability: float) -> Any:
        from audiomentations import Lambda

        return Lambda(transform=partial(apply, value=value), p=probability)

    return make


def _background(snr_db: Sequence[float], draw: np.random.Generator) -> Transform:
    mix = sounds.add(BACKGROUNDS[draw.integers(len(BACKGROUNDS))], draw.uniform(snr_db[0], snr_db[1]))

    def apply(wave: np.ndarray, scene: Scene) -> np.ndarray:
        voices = [channels.speed(factor)(wave[::-1], scene) for factor in BABBLE_SPEEDS]
        return mix(wave, Scene(scene.rate, scene.draw, voices))

    return apply


_MAKERS = {
    "time_stretch": _audiomentation(
        "TimeStretch", lambda rates: {"min_rate": rates[0], "max_rate": rates[1], "leave_length_unchanged": False}
    ),
    "pitch_semitones": _audiomentation("PitchShift", lambda most: {"min_semitones": -most, "max_semitones": most}),
    "speed": _ours(lambda speeds, draw: channels.speed(draw.uniform(*speeds))),
    "time_shift": _audiomentation("Shift", lambda most: {"min_shift": -most, "max_shift": most, "rollover": False}),
    "silence_seconds": _ours(lambda most, draw: channels.silence(draw.uniform(0, most), draw.uniform(0, most))),
    "room": _ours(lambda _, draw: channels.room(*ROOMS[draw.integers(len(ROOMS))])),
    "tilt_db": _ours(lambda most, draw: channels.tilt(draw.uniform(-most, most))),
    "noise_snr_db": _audiomentation("AddGaussianSNR", lambda snr: {"min_snr_db": snr[0], "max_snr_db": snr[1]}),
    "background_snr_db": _ours(_background),
    "band_hz": _ours(lambda edges, draw: channels.band(draw.uniform(*edges[0]), draw.uniform(*edges[1]))),
    "sampling_rates": _ours(lambda rates, draw: channels.through(int(draw.choice(rates)))),
    "gain_db": _ours(lambda decibels, draw: gain(draw.uniform(*decibels))),
    "clipped_share": _ours(lambda most, draw: channels.clip_loudest(draw.uniform(0, most))),
}
