"""The extractor, against librosa and Praat."""

import math

import librosa
import numpy as np
import parselmouth
import pytest
import torch
from conftest import spoken, voiced_tone
from parselmouth.praat import call as praat

from ser_model import SerFeatureExtractor, load_audio
from ser_model.models import feature_extraction_ser, harmonicity_ser
from ser_model.models.voice_quality_ser import MEASURES, voice_quality

FRONT_ENDS = [(16_000, 1024, 256), (22_050, 2048, 512)]


def librosa_features(wave, rate, n_fft, hop):
    y, sizes = wave / np.abs(wave).max(), {"n_fft": n_fft, "hop_length": hop, "pad_mode": "reflect"}
    return {
        "log_mel": librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=rate, **sizes)),
        "mfcc": librosa.feature.mfcc(y=y, sr=rate, n_mfcc=40, **sizes),
        "zcr": librosa.feature.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop),
        "rms": librosa.feature.rms(y=y, frame_length=n_fft, hop_length=hop, pad_mode="reflect"),
    }


def assert_equal_to_librosa(waves, rate, n_fft, hop):
    names = ["rms", "log_mel", "zcr", "mfcc"]
    extractor = SerFeatureExtractor(features=names, sampling_rate=rate, n_fft=n_fft, hop_length=hop)
    tolerances = {"log_mel": 0.01, "mfcc": 0.01, "zcr": 1e-6, "rms": 1e-6}
    for wave, frames in zip(waves, extractor.frames(waves), strict=True):
        oracle = librosa_features(wave, rate, n_fft, hop)
        start = 0
        for name in names:
            expected = oracle[name].T
            ours = frames[:, start : start + expected.shape[1]]
            np.testing.assert_allclose(ours, expected, atol=tolerances[name], rtol=0)
            start += expected.shape[1]
        assert start == frames.shape[1] == extractor.feature_size


@pytest.mark.parametrize(("rate", "n_fft", "hop"), FRONT_ENDS)
def test_equal_to_librosa_in_one_batch(rate, n_fft, hop):
    waves = [voiced_tone(seconds, rate, pitch) for seconds, pitch in ((0.11, 90.0), (1.0, 200.0), (2.3, 330.0))]
    assert_equal_to_librosa(waves, rate, n_fft, hop)


@pytest.mark.parametrize(("rate", "n_fft", "hop"), FRONT_ENDS)
def test_equal_to_librosa_on_real_clips(corpora, rate, n_fft, hop):
    paths = [sorted(corpora.joinpath(name).rglob("*.flac"))[10] for name in ("ravdess", "crema_d", "tess", "savee")]
    assert_equal_to_librosa([load_audio(path, rate) for path in paths], rate, n_fft, hop)


def test_shapes_padding_and_mask():
    extractor = SerFeatureExtractor()
    clips = [voiced_tone(1.0), voiced_tone(2.0), voiced_tone(6.0)]
    batch = extractor(clips, sampling_rate=16_000, return_tensors="pt")
    assert batch["input_features"].shape == (3, 376, 128)
    assert batch["attention_mask"].sum(dim=1).tolist() == [63, 126, 376]
    assert not batch["input_features"][0, 63:].any()
    cut = extractor(clips, sampling_rate=16_000, padding="max_length", truncation=True, return_tensors="pt")
    assert cut["input_features"].shape == (3, 300, 128)
    assert cut["attention_mask"].sum(dim=1).tolist() == [63, 126, 300]


def test_long_recordings_give_the_same_part_by_part(monkeypatch):
    wave, extractor = spoken(3.0, 16_000), SerFeatureExtractor(["log_mel", "mfcc", "zcr", "rms"], voice_quality=True)
    whole = extractor([wave, wave[:30_000]], sampling_rate=16_000)
    monkeypatch.setattr(feature_extraction_ser, "FRAMES_AT_ONCE", 10)
    monkeypatch.setattr(harmonicity_ser, "FRAMES_AT_ONCE", 7)
    parts = extractor([wave, wave[:30_000]], sampling_rate=16_000)
    for name in whole:
        np.testing.assert_allclose(np.array(parts[name]), np.array(whole[name]), rtol=1e-4, atol=1e-4)


def test_loudness_does_not_matter():
    extractor, wave = SerFeatureExtractor(), voiced_tone(1.0)
    loud, faint = extractor.frames([wave, wave * 0.01])
    np.testing.assert_allclose(loud, faint, atol=0.01)


def test_statistics_are_the_training_parts_and_survive_saving(tmp_path):
    extractor = SerFeatureExtractor(features=["mfcc", "zcr", "rms"], voice_quality=True)
    clips = [voiced_tone(1.0, seed=seed, pitch=100.0 + 40 * seed) for seed in range(4)]
    frames = extractor.frames(clips)
    extractor.fit(frames, extractor.utterances(clips))
    standardised = np.concatenate([extractor.collate([clip])["input_features"][0] for clip in frames])
    np.testing.assert_allclose(standardised.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(standardised.std(axis=0), 1, atol=1e-2)
    extractor.save_pretrained(tmp_path)
    loaded = SerFeatureExtractor.from_pretrained(tmp_path)
    ours, theirs = (one(clips, sampling_rate=16_000, return_tensors="pt") for one in (extractor, loaded))
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert loaded.to_dict() == extractor.to_dict()


def test_refusals():
    extractor = SerFeatureExtractor()
    with pytest.raises(ValueError, match="16000 Hz; resample from 8000 Hz"):
        extractor(voiced_tone(1.0), sampling_rate=8_000)
    with pytest.raises(ValueError, match="too short"):
        extractor(np.ones(400, dtype=np.float32), sampling_rate=16_000)
    with pytest.raises(ValueError, match="not numbers"):
        extractor(np.full(16_000, np.nan), sampling_rate=16_000)
    with pytest.raises(ValueError, match="not int16: divide those of 16 bits by 32,768"):
        extractor((voiced_tone(1.0) * 32_767).astype(np.int16), sampling_rate=16_000)
    with pytest.raises(ValueError, match="times full scale: divide samples of 16 bits by 32,768"):
        extractor(voiced_tone(1.0) * 32_767, sampling_rate=16_000)
    with pytest.raises(ValueError, match="one channel"):
        voice_quality(np.zeros((16_000, 2)), 16_000)
    with pytest.raises(ValueError, match="mono"):
        extractor([np.zeros((16_000, 2))], sampling_rate=16_000)
    with pytest.raises(ValueError, match="no frame feature cqt"):
        SerFeatureExtractor(features=["cqt"])


def cycles(periods, amplitudes):
    """One sine cycle after another: periods in samples."""
    shapes = [np.sin(2 * np.pi * np.arange(period) / period) for period in periods]
    return np.concatenate([size * shape for size, shape in zip(amplitudes, shapes, strict=True)])


def test_voice_quality_of_known_voices():
    even = voice_quality(cycles([100] * 160, [0.5] * 160), 16_000)
    assert list(even) == list(MEASURES)
    assert even["f0_mean"] == pytest.approx(160, abs=0.5)
    assert even["jitter_local"] < 1e-3 and even["shimmer_local"] < 1e-3
    assert even["hnr"] > 30 and even["voiced_fraction"] > 0.9 and even["f0_range"] < 1
    loud_and_soft = voice_quality(cycles([100] * 160, [0.5, 0.45] * 80), 16_000)
    assert loud_and_soft["shimmer_local"] == pytest.approx(0.05 / 0.475, rel=0.1)
    long_and_short = voice_quality(cycles([102, 98] * 80, [0.5] * 160), 16_000)
    assert 0.01 < long_and_short["jitter_local"] < 0.04  # 0.04 by construction; Praat's pulses smooth it


def plain_praat(wave, rate):
    """The measures by the Praat commands that their definitions name, one after the other."""
    sound = parselmouth.Sound(wave.astype(np.float64), rate)
    pulses = praat(sound, "To PointProcess (periodic, cc)", 75, 600)
    times = (0, 0, 1e-4, 0.02, 1.3)
    return {
        **{f"jitter_{name}": praat(pulses, f"Get jitter ({name})", *times) for name in ("local", "rap", "ppq5")},
        **{
            f"shimmer_{name}": praat([sound, pulses], f"Get shimmer ({name})", *times, 1.6)
            for name in ("local", "apq3", "apq5", "apq11")
        },
        "hnr": praat(praat(sound, "To Harmonicity (cc)", 0.01, 75, 0.1, 1.0), "Get mean", 0, 0),
        "f0_mean": praat(praat(sound, "To Pitch", 0, 75, 600), "Get mean", 0, 0, "Hertz"),
    }


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050])
@pytest.mark.parametrize("seconds", [0.1, 0.123, 1.777])
def test_voice_quality_is_that_of_plain_praat_calls(rate, seconds):
    for number in range(3):
        wave = spoken(2.0, rate, number)[-int(seconds * rate) :]
        found = voice_quality(wave, rate)
        for name, value in plain_praat(wave, rate).items():
            tolerance = {"abs": 0.05} if name == "hnr" else {"rel": 1e-9}
            assert found[name] == pytest.approx(value, nan_ok=True, **tolerance), name


@pytest.mark.parametrize("at", [0, -16])
def test_a_click_at_an_end_of_a_faint_voice_is_as_to_praat(at):
    wave = spoken(2.0, 16_000, 0)[:31_840] / 6  # a length with which no frame reaches the ends
    wave[at : at + 16 or None] += 0.7 * np.hanning(16)
    assert math.isnan(plain_praat(wave, 16_000)["hnr"]) and math.isnan(voice_quality(wave, 16_000)["hnr"])


@pytest.mark.parametrize("kind", ["silence", "noise", "short"])
def test_no_nan_reaches_a_network(kind):
    wave = {
        "silence": np.zeros(8_000, dtype=np.float32),
        "noise": np.random.default_rng(0).standard_normal(8_000).astype(np.float32),
        "short": voiced_tone(0.04),
    }[kind]
    extractor = SerFeatureExtractor(features=["mfcc"], voice_quality=True)
    raw = extractor.utterances([wave])
    assert np.isnan(raw).any() and raw[0, -1] == 0
    for fitted in (False, True):
        if fitted:
            voiced = [voiced_tone(1.0), voiced_tone(1.0, pitch=220.0)]
            extractor.fit(extractor.frames(voiced), extractor.utterances(voiced))
        batch = extractor(wave, sampling_rate=16_000, return_tensors="pt")
        assert batch["utterance_features"].shape == (1, len(MEASURES) + 1)
        assert all(torch.isfinite(value).all() for value in batch.values())
