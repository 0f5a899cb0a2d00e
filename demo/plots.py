"""Pictures of a result: functions that take data and return a matplotlib Figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import librosa
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from .colours import colour_of

if TYPE_CHECKING:
    from ser_model.inference.results import Attention, EmotionResult

matplotlib.rcParams["svg.fonttype"] = "none"  # real text: the page's own font, and no outlines to draw

INK = "#010203"  # stands for the page's text colour, light or dark, until the figure is SVG
MOST_POINTS = 600  # on the time axis, however long the recording
WIDE, NARROW = (9.6, 4.2), (4.2, 4.4)  # inches, for a desk and for a phone
SHOWN_HZ = (250, 1000, 4000)


def themed_svg(figure: Figure) -> str:
    """A figure as inline SVG that takes its text colour from the page around it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")


def time_axis(figure: Figure) -> tuple[float, float]:
    """Where the time axis begins and ends, as shares of the width of a figure that has been drawn."""
    box = figure.axes[0].get_position()
    return float(box.x0), float(box.x1)


def clip_figure(
    result: EmotionResult, wave: np.ndarray, sampling_rate: int, size: tuple[float, float] = WIDE
) -> Figure:
    """Waveform above log-mel spectrogram on one time axis, with attention laid over both.

    Args:
        result: The prediction for the recording.
        wave: The recording `(num_samples,)`.
        sampling_rate: Its sampling rate in Hz.
        size: Width and height in inches.
    """
    figure = Figure(figsize=size, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 4))
    keys = [Patch(facecolor=INK, alpha=0.75, label="waveform")]
    _draw_log_mel(lower, wave, sampling_rate)
    if result.attention is not None and result.label is not None:
        colour = colour_of(result.label)
        times, shares = attention_curve(result.attention)
        _draw_under_wave(upper, times, shares, colour)
        _draw_over_log_mel(lower, times, shares)
        keys.append(Patch(facecolor=colour, edgecolor=INK, linewidth=0.7, label="attention over time"))
    _draw_wave(upper, wave, sampling_rate)
    upper.set_xlim(0, len(wave) / sampling_rate)
    lower.set_xlabel("time in seconds")
    for axes in (upper, lower):
        _plain(axes)
    figure.legend(handles=keys, loc="outside upper left", ncols=2, frameon=False, labelcolor=INK, handlelength=1.2)
    return figure


def thinned(values: np.ndarray, take: np.ufunc) -> np.ndarray:
    """At most `MOST_POINTS` values: `take` (maximum or minimum) over equal stretches of time."""
    if len(values) <= MOST_POINTS:
        return values
    return take.reduceat(values, np.linspace(0, len(values), MOST_POINTS, endpoint=False).astype(int))


def attention_curve(attention: Attention) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds and weights relative to the greatest one, few enough to draw.

    The last frames make no whole step of the network and weigh nothing; they are drawn like the one before them.
    """
    weights = attention.weights.copy()
    if weights.any():
        last = int(np.flatnonzero(weights)[-1])
        weights[last + 1 :] = weights[last]
    weights = thinned(weights, np.maximum)
    times = np.interp(np.linspace(0, 1, len(weights)), np.linspace(0, 1, len(attention.times)), attention.times)
    return times, weights / max(float(weights.max()), 1e-12)


def log_mel_for_show(wave: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Log-mel spectrogram in dB below its loudest `(num_frames, num_mel_bins)`, coarser in time for longer recordings.

    By librosa: the extractor would bring torch into the page's process.
    """
    hop_length = max(sampling_rate // 100, len(wave) // MOST_POINTS)
    power = librosa.feature.melspectrogram(
        y=wave, sr=sampling_rate, n_fft=1024, hop_length=hop_length, n_mels=64, pad_mode="reflect"
    )
    return librosa.power_to_db(power, ref=np.max).T


def _draw_wave(axes: Axes, wave: np.ndarray, sampling_rate: int) -> None:
    """The wave's outline, its peak at 1; level is said in messages."""
    wave = wave / max(float(np.abs(wave).max()), 1e-12)
    high, low = thinned(wave, np.maximum), thinned(wave, np.minimum)
    times = np.linspace(0, len(wave) / sampling_rate, len(high))
    axes.fill_between(times, low, high, color=INK, alpha=0.75, linewidth=0.4)
    axes.set(ylim=(-1.05, 1.05), yticks=[])


def _draw_under_wave(axes: Axes, times: np.ndarray, shares: np.ndarray, colour: str) -> None:
    curve = 2 * shares - 1
    axes.fill_between(times, -1, curve, color=colour, alpha=0.6, linewidth=0)
    axes.plot(times, curve, color=INK, linewidth=0.7, zorder=3)  # a pale emotion's edge must show too


def _draw_log_mel(axes: Axes, wave: np.ndarray, sampling_rate: int) -> None:
    top = float(librosa.hz_to_mel(sampling_rate / 2))
    extent = (0, len(wave) / sampling_rate, 0, top)
    decibels = log_mel_for_show(wave, sampling_rate).T
    axes.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    shown = [hertz for hertz in SHOWN_HZ if hertz < sampling_rate / 2]
    axes.set_yticks(librosa.hz_to_mel(shown), [f"{hertz} Hz" for hertz in shown])


def _draw_over_log_mel(axes: Axes, times: np.ndarray, shares: np.ndarray) -> None:
    bottom, top = axes.get_ylim()
    outlined = [withStroke(linewidth=3, foreground="black", alpha=0.6)]
    axes.plot(times, bottom + shares * (top - bottom) * 0.96, color="white", linewidth=1.3, path_effects=outlined)
    axes.set_ylim(bottom, top)


def _plain(axes: Axes) -> None:
    """Ink for the text, and no frame around the data."""
    axes.tick_params(colors=INK, length=3)
    axes.xaxis.label.set_color(INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
