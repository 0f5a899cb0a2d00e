"""The workbench: everything about a recording on one time axis, for the page's script to draw, zoom and play.

The server computes what is drawn, since a browser would have to decode an hour of audio for it, and cannot decode every
format: wavesurfer.js gets peaks, and the spectrogram is that of the 16 kHz that the network is given.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ser_model.inference.results import Attention
from ser_model.inference.timeline import Timeline
from ser_model.inference.timeline_formats import as_data
from ser_model.inference.timeline_reading import LONGEST_LABEL
from ser_model.inference.voice_profile import VoiceProfile
from ser_model.models.voice_quality_ser import PITCH_CEILING, PITCH_FLOOR

from . import cards, messages
from .colours import EMOTION_COLOURS, OTHER_COLOUR, colour_of, ink_on

MOST_PEAKS, PEAK_SECONDS = 60_000, 0.002  # of the waveform
MOST_STEPS, STEP_SECONDS = 30_000, 0.01  # of spectrogram, pitch and attention: whole up to five minutes
TILE = 8192  # columns of the spectrogram in one picture: browsers take no more than 16,383
DEPTH_DB = 80.0  # of the spectrogram below its loudest
QUALITY = 65  # of the pictures, WebP


def workbench(
    timeline: Timeline,
    wave: np.ndarray,
    sampling_rate: int,
    path: str,
    overview: str = "",
    voice: VoiceProfile | None = None,
) -> str:
    """The workbench of one recording, as HTML that holds its data.

    Args:
        timeline: Its segments, attention and windows.
        wave: The recording `(num_samples,)`.
        sampling_rate: In Hz.
        path: Its file, which the browser plays.
        overview: A picture of the whole recording, which is markup; a click on it moves the time axis there.
        voice: The voice profile that it was predicted with, for predicting parts of it.

    Raises:
        NoModel: Too much else is under way.
    """
    from .serving import limited  # brings torch, which the page's process has only once a model is there

    data = {
        "timeline": as_data(timeline),
        "colours": {name: [colour_of(name), ink_on(name)] for name in {*EMOTION_COLOURS, *timeline.labels}},
        "otherColour": [OTHER_COLOUR, ink_on("")],
        "voice": asdict(voice) if voice else None,
        **limited(lambda: lanes(timeline, wave, sampling_rate)),
    }
    return cards.render(
        "workbench", data=data, path=path, stem=Path(path).stem, overview=overview, segments=timeline.segments,
        labels=timeline.labels, longest=LONGEST_LABEL, cannot_play=messages.CANNOT_PLAY,
    )  # fmt: skip


def lanes(timeline: Timeline, wave: np.ndarray, sampling_rate: int) -> dict[str, Any]:
    """What is drawn over time: numbers as base64 of little-endian arrays, the spectrogram as pictures.

    Returns:
        - `peaks`: two uint8 arrays, how far the wave reaches up and down in equal stretches of time.
        - `pitch`: uint16, Hz in equal steps of time, 0 where there is none. `pitchRange`: its floor and ceiling.
        - `attention`: uint8 in equal steps of time; None where there is none.
        - `spectrogram`: `columns` in all, at most `tile` of them in each of `pictures`, which are data addresses.
    """
    duration = len(wave) / sampling_rate
    steps = min(round(duration / STEP_SECONDS), MOST_STEPS)
    return {
        "peaks": [_packed(side, "u1") for side in _peaks(wave, duration)],
        "pitch": _packed(pitch(wave, sampling_rate, steps), "<u2"),
        "pitchRange": [PITCH_FLOOR, PITCH_CEILING],
        "attention": _packed(over_time(timeline.attention, duration, steps), "u1") if timeline.attention else None,
        "spectrogram": spectrogram(wave, sampling_rate),
    }


def _peaks(wave: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
    count = min(round(duration / PEAK_SECONDS), MOST_PEAKS)
    begins = np.linspace(0, len(wave), count, endpoint=False).astype(int)
    loudest = max(float(np.abs(wave).max()), 1e-12)
    up, down = np.maximum.reduceat(wave, begins), -np.minimum.reduceat(wave, begins)
    return 255 * np.clip(up / loudest, 0, 1), 255 * np.clip(down / loudest, 0, 1)


def pitch(wave: np.ndarray, sampling_rate: int, steps: int) -> np.ndarray:
    """Fundamental frequency in Hz `(steps,)` by Praat as in the voice measures; 0 where the voice has none."""
    import parselmouth

    duration = len(wave) / sampling_rate
    wanted = (np.arange(steps) + 0.5) * duration / steps
    try:
        sound = parselmouth.Sound(wave.astype(np.float64), sampling_frequency=sampling_rate)
        track = sound.to_pitch_ac(time_step=duration / steps, pitch_floor=PITCH_FLOOR, pitch_ceiling=PITCH_CEILING)
    except parselmouth.PraatError:  # shorter than its analysis window
        return np.zeros(steps)
    hertz, times = track.selected_array["frequency"], track.xs()
    nearest = np.clip(np.round((wanted - times[0]) / track.time_step), 0, len(times) - 1).astype(int)
    return np.where(np.abs(times[nearest] - wanted) <= track.time_step, hertz[nearest], 0.0)


def over_time(attention: Attention, duration: float, steps: int) -> np.ndarray:
    """Attention in `steps` equal steps of time, the greatest 255; 0 between its windows."""
    highest = np.zeros(steps)
    if len(attention.times):
        places = np.minimum((attention.times / duration * steps).astype(int), steps - 1)
        np.maximum.at(highest, places, attention.weights)
        frame = float(np.min(np.diff(attention.times), initial=duration))
        for step in range(1, round(frame / duration * steps)):  # frames may be longer than steps
            np.maximum.at(highest, np.minimum(places + step, steps - 1), attention.weights)
    return 255 * highest / max(float(highest.max()), 1e-12)


def spectrogram(wave: np.ndarray, sampling_rate: int) -> dict[str, Any]:
    """The log-mel spectrogram as pictures; see `lanes`."""
    import librosa
    from matplotlib.image import imsave

    hop_length = max(round(STEP_SECONDS * sampling_rate), len(wave) // MOST_STEPS)
    win_length = sampling_rate // 40
    power = librosa.feature.melspectrogram(
        y=wave, sr=sampling_rate, n_fft=max(1024, win_length), win_length=win_length, hop_length=hop_length, n_mels=64
    )
    decibels = librosa.power_to_db(power, ref=np.max, top_db=DEPTH_DB)
    pictures = []
    for first in range(0, decibels.shape[1], TILE):
        file = io.BytesIO()
        imsave(
            file, decibels[:, first : first + TILE], origin="lower", vmin=-DEPTH_DB, vmax=0, cmap="magma",
            format="webp", pil_kwargs={"quality": QUALITY},
        )  # fmt: skip
        pictures.append(f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}")
    top = float(librosa.hz_to_mel(sampling_rate / 2))
    marks = {hertz: round(float(librosa.hz_to_mel(hertz)) / top, 4) for hertz in (250, 1000, 4000)}
    seconds = decibels.shape[1] * hop_length / sampling_rate
    return {"pictures": pictures, "tile": TILE, "columns": decibels.shape[1], "seconds": seconds, "marks": marks}


def _packed(values: Sequence[float] | np.ndarray, kind: str) -> str:
    return base64.b64encode(np.round(values).astype(kind).tobytes()).decode()
