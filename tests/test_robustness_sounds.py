"""What the suite does to clips: each change against what its name claims."""

import shutil

import numpy as np
import pytest
from conftest import voiced_tone

from ser_model.audio import load_audio
from ser_model.evaluation.robustness.perturbations import NON_SPEECH, PERTURBATIONS
from ser_model.perturbations import channels, sounds
from ser_model.perturbations.scene import Scene, audiomentation, chain, gain, high_pass, low_pass, one_of
from ser_model.training.augmentation import BACKGROUNDS

RATE = 16_000
WAVE = voiced_tone(2.0, RATE)
OTHERS = [voiced_tone(1.5, RATE, pitch, seed=round(pitch)) for pitch in (110.0, 180.0, 230.0)]
NOISE = np.random.default_rng(5).standard_normal(2 * RATE).astype(np.float32) * 0.1


def scene(seed=0, rate=RATE):
    return Scene(rate, np.random.default_rng(seed), OTHERS)


def level(wave):
    return 10 * np.log10(np.mean(np.square(wave, dtype=np.float64)))


def levels_by_frequency(wave, *frequencies, width=0.1):
    """Power in dB within a tenth of each frequency in Hz."""
    power, axis = np.abs(np.fft.rfft(wave)) ** 2, np.fft.rfftfreq(len(wave), 1 / RATE)
    return [10 * np.log10(power[np.abs(axis / hz - 1) < width].mean() + 1e-20) for hz in frequencies]


def gained(transform, *frequencies):
    """What a transform does to white noise at some frequencies, in dB."""
    after, before = (levels_by_frequency(wave, *frequencies) for wave in (transform(NOISE, scene()), NOISE))
    return np.subtract(after, before)


def pitch_of(wave):
    spectrum, axis = np.abs(np.fft.rfft(wave)), np.fft.rfftfreq(len(wave), 1 / RATE)
    return axis[spectrum.argmax()]


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda perturbation: perturbation.name)
def test_every_perturbation_gives_audio_and_the_same_each_time(perturbation):
    if perturbation.encoder and channels.missing_encoder(perturbation.encoder):
        pytest.skip(channels.missing_encoder(perturbation.encoder))
    changed, again = (perturbation.transform(WAVE, scene(3)) for _ in range(2))
    assert changed.dtype == np.float32 and changed.ndim == 1 and np.isfinite(changed).all()
    np.testing.assert_array_equal(changed, again)
    assert len(changed) != len(WAVE) or not np.array_equal(changed, WAVE)


def test_names_are_unique():
    names = [perturbation.name for perturbation in PERTURBATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("snr", [20, 10, 5])
@pytest.mark.parametrize("sound", [sounds.white, sounds.babble, sounds.music, sounds.hum, sounds.high_sine])
def test_sounds_are_added_at_the_ratio_asked_for(sound, snr):
    noise = sounds.add(sound, snr)(WAVE, scene(1)) - WAVE
    assert level(WAVE) - level(noise) == pytest.approx(snr, abs=0.5)


@pytest.mark.parametrize("sound", [*BACKGROUNDS, sounds.sine, sounds.high_sine])
def test_sounds_fit_telephone_audio(sound):
    for seed in range(3):
        changed = sounds.add(sound, 10)(WAVE[:8_000], scene(seed, rate=8_000))
        assert np.isfinite(changed).all() and not np.array_equal(changed, WAVE[:8_000])


def test_a_sound_that_is_silent_changes_nothing():
    assert sounds.add(lambda count, scene: np.zeros(count), 10)(WAVE, scene()) is WAVE


@pytest.mark.parametrize(("sound", "seconds"), [(sounds.cough, 0.35), (sounds.clicks, 5 * 0.003)])
def test_bursts_are_short_and_as_loud_as_asked_for_while_they_last(sound, seconds):
    noise = sounds.add(sound, 10)(WAVE, scene(1)) - WAVE
    burst = noise[np.abs(noise) > 0]
    assert 0.8 * seconds < len(burst) / RATE <= seconds
    assert level(WAVE) - level(burst) == pytest.approx(10, abs=0.5)


def test_babble_is_made_of_other_speakers():
    with pytest.raises(ValueError, match="other speakers"):
        sounds.babble(RATE, Scene(RATE, np.random.default_rng(0)))
    spectrum = np.abs(np.fft.rfft(sounds.babble(2 * RATE, scene(0))))
    axis = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    assert spectrum[(axis > 100) & (axis < 240)].max() > 20 * np.median(spectrum)


@pytest.mark.parametrize(("name", "sound"), NON_SPEECH)
def test_sounds_that_are_not_speech_differ_by_seed(name, sound):
    one, other = (sound(RATE, scene(seed)) for seed in (0, 1))
    assert len(one) == RATE and np.isfinite(one).all() and level(one) > -60
    assert not np.allclose(one, other)


def test_hum_is_of_the_mains_and_pink_noise_falls_by_3_db_an_octave():
    assert pitch_of(sounds.hum(RATE, scene())) in (50, 60)
    low, high = levels_by_frequency(sounds.pink(20 * RATE, scene()), 250, 4_000)
    assert (low - high) / 4 == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize(
    ("transform", "kept", "gone"),
    [
        (channels.band(300, 3_400), (700, 2_000), (60, 7_400)),
        (channels.band(150, 7_000), (500, 4_500), (30,)),
        (channels.band(250, 5_500), (700, 3_000), (50,)),
        (chain(channels.through(8_000), channels.band(200, 3_400)), (600, 2_000), (40, 5_000, 7_000)),
        (channels.through(8_000), (100, 3_000), (4_800, 7_000)),
        (channels.through(11_025), (100, 4_500), (6_500,)),
    ],
)
def test_bands_keep_what_lies_within_and_lose_the_rest(transform, kept, gone):
    assert np.abs(gained(transform, *kept)).max() < 1.5
    assert gained(transform, *gone).max() < -15


def test_resampling_up_and_back_changes_next_to_nothing():
    changed = channels.through(48_000)(WAVE, scene())
    assert len(changed) == len(WAVE) and level(changed - WAVE) < level(WAVE) - 45


def test_mu_law_errs_by_less_than_two_percent_of_each_sample():
    slow = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    error = channels.mu_law(slow, scene()) - slow
    assert 30 < level(slow) - level(error[500:-500]) < 45


@pytest.mark.parametrize(("encoder", "container", "kbit"), [("libmp3lame", "mp3", 32), ("libopus", "ogg", 12)])
def test_codecs_lose_something_and_keep_the_clip(ffmpeg, encoder, container, kbit):
    if reason := channels.missing_encoder(encoder):
        pytest.skip(reason)
    changed = channels.codec(encoder, container, kbit)(WAVE, scene())
    assert abs(len(changed) - len(WAVE)) < 0.15 * RATE
    assert pitch_of(changed) == pytest.approx(pitch_of(WAVE), abs=8)
    assert level(changed) == pytest.approx(level(WAVE), abs=2)


def test_an_encoder_that_is_not_there_is_said(monkeypatch):
    assert channels.missing_encoder.__wrapped__("libnothing")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert channels.missing_encoder.__wrapped__("libopus") == "the program ffmpeg is not installed"


def test_a_room_dies_away_as_said_and_is_drier_nearby():
    near, far = (channels.room_response((5.0, 4.0, 2.6), distance, 0.4, RATE) for distance in (1.0, 2.0))
    for response in (near, far):
        assert len(response) == 0.4 * RATE and response[0] == pytest.approx(1)
        decay = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1])
        early, late = ((decay - decay[0] < limit).argmax() for limit in (-5, -25))
        assert (late - early) / RATE * 3 == pytest.approx(0.4, rel=0.5)  # 20 dB are a third of 60
    assert np.sum(far[80:] ** 2) > np.sum(near[80:] ** 2)  # against the direct sound
    with pytest.raises(ValueError, match="never as dry"):
        channels.room_response((5.0, 4.0, 2.6), 1.0, 0.01, RATE)


def test_a_room_keeps_length_and_level():
    changed = channels.room((5.0, 4.0, 2.6), 1.0, 0.4)(WAVE, scene())
    assert len(changed) == len(WAVE) and level(changed) == pytest.approx(level(WAVE), abs=0.1)


@pytest.mark.parametrize("slope", [3, -3])
def test_tilt_has_its_slope_and_keeps_the_level(slope):
    low, high = gained(channels.tilt(slope), 500, 4_000)
    assert (high - low) / 3 == pytest.approx(slope, abs=0.3)
    assert level(channels.tilt(slope)(WAVE, scene())) == pytest.approx(level(WAVE), abs=0.1)


@pytest.mark.parametrize("factor", [1.05, 0.95])
def test_speed_changes_length_and_pitch(factor):
    changed = channels.speed(factor)(WAVE, scene())
    assert len(changed) == pytest.approx(len(WAVE) / factor, abs=2)
    assert pitch_of(changed) == pytest.approx(pitch_of(WAVE) * factor, rel=0.01)


def test_gain_offset_and_clipping():
    assert level(gain(-2)(WAVE, scene())) - level(WAVE) == pytest.approx(-2, abs=0.01)
    assert (channels.offset(0.02)(WAVE, scene()) - WAVE).mean() == pytest.approx(0.02, abs=1e-6)
    for share in (0.001, 0.003):
        clipped = channels.clip_loudest(share)(WAVE, scene())
        assert np.mean(clipped != WAVE) == pytest.approx(share, abs=0.0005)


def test_an_offset_does_not_reach_the_network():
    shifted = channels.offset(0.02)(WAVE, scene())
    np.testing.assert_allclose(load_audio(shifted, RATE, RATE), load_audio(WAVE, RATE, RATE), atol=1e-6)


def test_cuts_and_silence_are_as_long_as_said():
    np.testing.assert_array_equal(channels.crop(at_start=500)(WAVE, scene()), WAVE[500:])
    np.testing.assert_array_equal(channels.crop(at_end=100)(WAVE, scene()), WAVE[:-100])
    padded = channels.pad(at_start=1_000)(WAVE, scene())
    assert len(padded) == len(WAVE) + 1_000 and not padded[:1_000].any()
    late = channels.silence(at_end=1)(WAVE, scene())
    assert len(late) == len(WAVE) + RATE and not late[-RATE:].any()


def test_filters_of_6_db_an_octave():
    low, corner = gained(high_pass(150, 6), 38, 2_000)
    assert low == pytest.approx(-12, abs=1.5) and corner == pytest.approx(0, abs=0.5)
    (passed,) = gained(low_pass(6_500, 6), 1_000)
    assert passed == pytest.approx(0, abs=0.5)


def test_one_of_draws_each_and_audiomentations_draw_from_the_scene():
    choice = one_of(gain(0), gain(-6))
    drops = {round(level(WAVE) - level(choice(WAVE, scene(seed)))) for seed in range(10)}
    assert drops == {0, 6}
    noisy = audiomentation("AddGaussianSNR", min_snr_db=10, max_snr_db=10)
    state = np.random.get_state()[1].copy()
    one, again, other = (noisy(WAVE, scene(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # others' randomness is left alone
