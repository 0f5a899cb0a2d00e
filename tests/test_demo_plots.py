"""Pictures, judged by the data they hold."""

import numpy as np
import pytest
from conftest import voiced_tone

from demo import plots
from demo.colours import colour_of
from ser_model.inference.results import Attention, EmotionResult

RATE = 16_000


def result_over(seconds: float, peak_at: float = 0.5) -> EmotionResult:
    times = np.arange(0, seconds, 0.016)
    weights = np.exp(-((times - peak_at) ** 2) / 0.01)
    attention = Attention(times, weights / weights.sum())
    return EmotionResult("sad", {"calm": 0.3, "sad": 0.7}, attention, seconds)


@pytest.mark.parametrize("size", [plots.WIDE, plots.NARROW])
def test_clip_figure_lays_attention_over_wave_and_spectrogram(size):
    figure = plots.clip_figure(result_over(2.0), voiced_tone(2.0), RATE, size)
    upper, lower = figure.axes
    assert tuple(figure.get_size_inches()) == size
    assert upper.get_xlim() == lower.get_xlim() == (0, 2.0)
    for axes in (upper, lower):
        curve = axes.lines[0]
        assert curve.get_xdata()[np.argmax(curve.get_ydata())] == pytest.approx(0.5, abs=0.02)
    assert lower.images[0].get_extent()[:2] == [0, 2.0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["waveform", "attention over time"]


def test_attention_has_the_colour_of_the_emotion():
    upper = plots.clip_figure(result_over(1.0), voiced_tone(1.0), RATE).axes[0]
    red, green, blue = (round(255 * part) for part in upper.collections[0].get_facecolor()[0][:3])
    assert f"#{red:02X}{green:02X}{blue:02X}" == colour_of("sad")


def test_a_model_without_attention_leaves_the_wave():
    result = EmotionResult("sad", {"calm": 0.3, "sad": 0.7}, None, 1.0)
    upper, lower = plots.clip_figure(result, voiced_tone(1.0), RATE).axes
    assert len(upper.collections) == 1 and not upper.lines and not lower.lines


def test_wave_is_drawn_from_its_extremes_whatever_its_length():
    wave = np.zeros(60 * RATE, dtype=np.float32)
    wave[30 * RATE] = 0.25
    upper = plots.clip_figure(result_over(60.0), wave, RATE).axes[0]
    corners = upper.collections[-1].get_paths()[0].vertices
    assert corners[:, 1].max() == 1.0  # one sample of a million is seen
    assert corners[np.argmax(corners[:, 1]), 0] == pytest.approx(30, abs=0.2)
    assert len(corners) < 3 * plots.MOST_POINTS


def test_thinned_keeps_short_data_and_extremes():
    short = np.arange(5.0)
    assert plots.thinned(short, np.maximum) is short
    long = np.random.default_rng(0).standard_normal(100_003)
    assert len(plots.thinned(long, np.maximum)) == plots.MOST_POINTS
    assert plots.thinned(long, np.maximum).max() == long.max()
    assert plots.thinned(long, np.minimum).min() == long.min()


def test_attention_curve_keeps_its_place_in_a_long_recording():
    times, shares = plots.attention_curve(result_over(600.0, peak_at=450.0).attention)
    assert len(times) == len(shares) == plots.MOST_POINTS
    assert shares.max() == 1
    assert times[np.argmax(shares)] == pytest.approx(450, abs=1.1)


def test_frames_after_the_last_whole_step_do_not_fall_to_nothing():
    attention = result_over(1.0, peak_at=0.9).attention
    weights = attention.weights.copy()
    weights[-3:] = 0
    _, shares = plots.attention_curve(Attention(attention.times, weights))
    assert (shares[-3:] == shares[-4]).all() and shares[-1] > 0
    assert weights[-1] == 0  # the result itself stays as it is
    assert plots.attention_curve(Attention(attention.times, 0 * weights))[1].max() == 0


def test_spectrogram_of_a_long_recording_stays_small():
    assert len(plots.log_mel_for_show(voiced_tone(1.0), RATE)) == 101
    assert len(plots.log_mel_for_show(voiced_tone(60.0), RATE)) <= plots.MOST_POINTS + 1


def test_themed_svg_takes_the_colour_of_the_page_and_holds_real_text():
    svg = plots.themed_svg(plots.clip_figure(result_over(1.0), voiced_tone(1.0), RATE))
    assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
    assert "currentColor" in svg and plots.INK not in svg
    assert "attention over time" in svg and "time in seconds" in svg
