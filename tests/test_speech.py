"""The gate that tells speech from everything else."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT, spoken
from demo_helpers import RATE, phrases
from not_speech import NOT_SPEECH

from ser_model.audio import load_audio
from ser_model.inference.speech_blocks import CONTEXT, FRAME
from ser_model.inference.speech_detector import speech_detector, speech_probabilities
from ser_model.inference.voice_activity import level, speaking_level, speech_frames, speech_stretches, with_margin


def test_phrases_are_found():
    found = speech_stretches(phrases(2.0, 3.0), RATE)
    assert [start for start, _ in found] == pytest.approx([1.0, 4.0], abs=0.15)
    assert [end for _, end in found] == pytest.approx([3.0, 7.0], abs=0.25)


@pytest.mark.parametrize("gain", [0.003, 0.1, 1.0])
def test_faint_and_loud_recordings_alike(gain):
    assert len(speech_stretches(gain * phrases(2.0, 1.0, 2.0), RATE)) == 3


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_any_sampling_rate(rate):
    ((start, end),) = speech_stretches(phrases(2.0, rate=rate), rate)
    assert (start, end) == pytest.approx((1.0, 3.0), abs=0.25)


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_what_is_not_speech(name):
    assert speech_stretches(NOT_SPEECH[name], RATE) == []


def test_nothing_at_all():
    assert speech_stretches(np.zeros(0, dtype=np.float32), RATE) == []
    assert len(speech_frames(np.zeros(0, dtype=np.float32), RATE)) == 0


def test_speech_in_noise_is_found():
    noisy = phrases(2.0, 2.0) + 0.01 * np.random.default_rng(1).standard_normal(7 * RATE).astype(np.float32)
    assert len(speech_stretches(noisy, RATE)) == 2


def test_stretches_stay_within_a_recording_that_begins_and_ends_in_speech():
    wave = spoken(2.005)
    stretches = speech_stretches(wave, RATE)
    assert stretches[0][0] >= 0 and stretches[-1][1] <= len(wave) / RATE


def test_margins_stay_within_the_recording_and_join():
    assert with_margin([(0.1, 1.0), (1.3, 2.0), (4.0, 5.0)], 5.1, 0.2) == [(0.0, 2.2), (3.8, 5.1)]


def test_levels_are_decibels_of_full_scale():
    square = np.ones(RATE, dtype=np.float32)
    assert level(0.1 * square) == pytest.approx(-20)
    assert level(0 * square) == pytest.approx(-100)


def test_speaking_level_leaves_pauses_out():
    loudness, part = speaking_level(phrases(2.0, pause=2.0), RATE)
    assert loudness == pytest.approx(level(spoken(2.0)), abs=1.5)
    assert part == pytest.approx(1 / 3, abs=0.07)
    assert np.isnan(speaking_level(np.zeros(RATE, np.float32), RATE)[0])


def test_blocks_give_what_frames_one_by_one_give():
    wave = phrases(1.0, 2.0, 30.0)[: 600 * FRAME + 100]
    detector, state, one_by_one = speech_detector(), None, []
    padded = torch.from_numpy(np.pad(wave, (CONTEXT, FRAME)))
    with torch.inference_mode():
        for start in range(0, len(wave), FRAME):
            share, state = detector(padded[None, start : start + CONTEXT + FRAME], state)
            one_by_one.append(share.item())
    assert len(one_by_one) == 601  # more than one block
    assert speech_probabilities(wave) == pytest.approx(one_by_one, abs=1e-4)


def test_looking_for_speech_leaves_the_process_alone():
    """The wheel's own code would set the number of threads; and the page imports the gate before torch."""
    code = (
        "import sys, numpy, ser_model.inference.voice_activity as gate; assert 'torch' not in sys.modules\n"
        "import torch; torch.set_num_threads(3); gate.speech_frames(numpy.ones(9000, 'float32'), 16000)\n"
        "assert torch.get_num_threads() == 3 and 'silero_vad' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_real_clips_pass(corpora):
    """One sentence each, in every emotion."""
    paths = [
        path for name in ("ravdess", "savee", "tess", "crema_d") for path in sorted((corpora / name).rglob("*.flac"))
    ]
    assert paths
    drawn = np.random.default_rng(2).choice(len(paths), 60, replace=False)
    spoken_seconds = [
        sum(end - start for start, end in speech_stretches(load_audio(paths[index], RATE), RATE)) for index in drawn
    ]
    assert sum(seconds > 0.4 for seconds in spoken_seconds) >= 59 and max(spoken_seconds) < 6
