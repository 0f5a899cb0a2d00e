"""Views of training clips."""

import random

import numpy as np
import pytest
from conftest import voiced_tone

from ser_model.training import augmentation as augmentation_module
from ser_model.training.augmentation import Augmentation

WAVE, RATE = voiced_tone(1.0), 16_000


def pitch_of(wave):
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 16 * RATE))
    low = 60 * 16
    return (low + spectrum[low : 400 * 16].argmax()) / 16


def test_view_zero_is_the_clip_itself():
    augmentation = Augmentation(views=2, probability=1.0, noise_snr_db=[10, 10])
    assert augmentation.view(WAVE, RATE, "a", 0, 0) is WAVE


def test_drawn_from_seed_clip_and_view_alone():
    augmentation = Augmentation(views=2, probability=1.0, pitch_semitones=2, noise_snr_db=[10, 30])
    first = augmentation.view(WAVE, RATE, "a", 1, 0)
    random.seed(123)
    np.random.seed(123)
    expected = random.random(), np.random.random()
    random.seed(123)
    np.random.seed(123)
    np.testing.assert_array_equal(first, augmentation.view(WAVE, RATE, "a", 1, 0))
    assert (random.random(), np.random.random()) == expected  # others' randomness is left alone
    for other in (("b", 1, 0), ("a", 2, 0), ("a", 1, 1)):
        assert not np.array_equal(first, augmentation.view(WAVE, RATE, *other))


def test_noise_has_the_ratio_asked_for():
    noisy = Augmentation(views=1, probability=1.0, noise_snr_db=[20, 20]).view(WAVE, RATE, "a", 1, 0)
    noise = noisy - WAVE
    assert 10 * np.log10(np.mean(WAVE**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.5)


def test_views_get_the_changes_named_for_them():
    augmentation = Augmentation(
        views=3, pitch_semitones=4, noise_snr_db=[0, 0],
        changes_by_view=[["noise_snr_db"], ["pitch_semitones"], ["noise_snr_db", "pitch_semitones"]],
    )  # fmt: skip
    noisy, shifted, both, again = (augmentation.view(WAVE, RATE, "a", view, 0) for view in (1, 2, 3, 4))
    assert pitch_of(noisy) == pytest.approx(pitch_of(WAVE), rel=1e-3) and np.std(noisy) > 1.3 * np.std(WAVE)
    assert abs(np.log2(pitch_of(shifted) / pitch_of(WAVE))) > 0.02 and np.std(shifted) < 1.1 * np.std(WAVE)
    assert abs(np.log2(pitch_of(both) / pitch_of(WAVE))) > 0.02 and np.std(both) > 1.3 * np.std(WAVE)
    assert pitch_of(again) == pytest.approx(pitch_of(WAVE), rel=1e-3)
    with pytest.raises(ValueError, match="changes_by_view names time_shift, which is not among the changes"):
        Augmentation(views=1, changes_by_view=[["time_shift"]])


def test_time_stretch_changes_length_not_pitch():
    stretched = Augmentation(views=1, probability=1.0, time_stretch=[0.8, 0.8]).view(WAVE, RATE, "a", 1, 0)
    assert len(stretched) / len(WAVE) == pytest.approx(1.25, abs=0.02)
    assert pitch_of(stretched) == pytest.approx(pitch_of(WAVE), rel=0.03)


def test_pitch_stays_within_its_range_and_length():
    shifts = []
    for view in range(1, 6):
        shifted = Augmentation(views=5, probability=1.0, pitch_semitones=2).view(WAVE, RATE, "a", view, 0)
        assert abs(len(shifted) - len(WAVE)) <= 1
        shifts.append(12 * np.log2(pitch_of(shifted) / pitch_of(WAVE)))
    assert max(map(abs, shifts)) < 2.5 and max(map(abs, shifts)) > 0.3


def test_time_shift_moves_and_fills_with_silence():
    shifted = Augmentation(views=1, probability=1.0, time_shift=0.3).view(WAVE, RATE, "a", 1, 0)
    assert len(shifted) == len(WAVE)
    assert not np.array_equal(shifted, WAVE)
    assert min(np.abs(shifted[:200]).max(), np.abs(shifted[-200:]).max()) == 0


def test_a_change_can_be_left_out():
    augmentation = Augmentation(views=40, probability=0.5, noise_snr_db=[10, 10])
    changed = [not np.array_equal(augmentation.view(WAVE, RATE, "a", view, 0), WAVE) for view in range(1, 41)]
    assert 8 < sum(changed) < 32


def changed(**settings):
    return Augmentation(views=1, probability=1.0, **settings).view(WAVE, RATE, "a", 1, 0)


def power(wave, low=0, high=RATE / 2):
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    return spectrum[(frequencies >= low) & (frequencies <= high)].sum() / len(wave)


def test_recordings_are_made_of_other_length_level_and_band():
    assert len(changed(speed=[1.25, 1.25])) == pytest.approx(len(WAVE) / 1.25, rel=0.01)
    silent = changed(silence_seconds=0.5)
    assert len(WAVE) < len(silent) < len(WAVE) + RATE and np.sum(silent**2) == pytest.approx(np.sum(WAVE**2))
    assert np.std(changed(gain_db=[-20, -20])) == pytest.approx(np.std(WAVE) / 10, rel=1e-3)
    assert np.mean(changed(room=True) ** 2) == pytest.approx(np.mean(WAVE**2), rel=1e-3)
    assert 0 < np.abs(changed(clipped_share=0.3)).max() < np.abs(WAVE).max()
    assert power(changed(band_hz=[[50, 50], [500, 500]]), 2_000) < 0.05 * power(WAVE, 2_000)
    assert power(changed(sampling_rates=[4_000]), 2_500) < 0.05 * power(WAVE, 2_500)
    tilted = changed(tilt_db=6)
    assert abs(np.log(power(tilted, 1_000) / power(WAVE, 1_000))) > 0.05


def test_backgrounds_have_the_ratio_asked_for_and_only_this_clip_in_them(monkeypatch):
    for sound in augmentation_module.BACKGROUNDS:
        monkeypatch.setattr(augmentation_module, "BACKGROUNDS", [sound])
        noise = (changed(background_snr_db=[10, 10]) - WAVE).astype(np.float64)
        sounding = noise[np.abs(noise) > 1e-9]
        assert 10 * np.log10(np.mean(WAVE**2) / np.mean(sounding**2)) == pytest.approx(10, abs=0.5), sound
        np.testing.assert_array_equal(changed(background_snr_db=[10, 10]), changed(background_snr_db=[10, 10]))
