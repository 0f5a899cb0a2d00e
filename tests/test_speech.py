"""The gate that tells speech from silence."""

import numpy as np
import pytest
from conftest import voiced_tone
from demo_helpers import RATE, phrases

from ser_model.audio import load_audio
from ser_model.inference.voice_activity import frame_levels, speaking_level, speech_frames, speech_stretches


def test_phrases_are_found_with_a_little_margin():
    found = speech_stretches(phrases(2.0, 3.0), RATE)
    assert [start for start, _ in found] == pytest.approx([0.9, 3.9], abs=0.06)
    assert [end for _, end in found] == pytest.approx([3.1, 7.1], abs=0.06)


@pytest.mark.parametrize("gain", [0.01, 0.1, 1.0])
def test_faint_and_loud_recordings_alike(gain):
    assert len(speech_stretches(gain * phrases(2.0, 1.0, 2.0), RATE)) == 3


def test_a_short_pause_stays_within_a_phrase_and_a_click_is_none():
    short = phrases(1.0, 1.0, pause=0.2)
    assert (
        len(speech_stretches(np.concatenate([np.zeros(RATE, np.float32), short, np.zeros(RATE, np.float32)]), RATE))
        == 1
    )
    click = np.zeros(3 * RATE, dtype=np.float32)
    click[RATE : RATE + 400] = 0.5
    assert speech_stretches(click, RATE) == []


def test_silence_hiss_and_nothing_are_no_speech():
    hiss = 0.1 * np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32)
    for wave in (np.zeros(RATE, dtype=np.float32), hiss, np.zeros(0, dtype=np.float32)):
        assert speech_stretches(wave, RATE) == []


def test_speech_in_noise_is_found():
    noisy = phrases(2.0, 2.0) + 0.01 * np.random.default_rng(1).standard_normal(7 * RATE).astype(np.float32)
    assert len(speech_stretches(noisy, RATE)) == 2


def test_stretches_stay_within_a_recording_that_begins_and_ends_in_speech():
    wave = voiced_tone(2.005)
    ((start, end),) = speech_stretches(wave, RATE)
    assert start == 0 and end <= len(wave) / RATE


def test_levels_are_decibels_of_full_scale():
    square = np.ones(RATE, dtype=np.float32)
    assert frame_levels(0.1 * square, RATE) == pytest.approx(-20)
    assert frame_levels(0 * square, RATE) == pytest.approx(-100)
    assert len(frame_levels(square[:330], RATE)) == 1
    assert len(speech_frames(np.zeros(0))) == 0


def test_speaking_level_leaves_pauses_out():
    level, part = speaking_level(phrases(2.0, pause=2.0), RATE)
    wave = voiced_tone(2.0, pitch=120)
    assert level == pytest.approx(10 * np.log10(np.mean(wave**2)), abs=1.5)
    assert part == pytest.approx(1 / 3, abs=0.07)
    assert np.isnan(speaking_level(np.zeros(RATE, np.float32), RATE)[0])


def test_real_clips_hold_one_sentence(corpora):
    paths = sorted((corpora / "ravdess").rglob("03-01-0?-01-01-01-0?.flac"))[::5]
    assert paths
    for path in paths:
        spoken = sum(end - start for start, end in speech_stretches(load_audio(path, RATE), RATE))
        assert 0.8 < spoken < 3.5, path
