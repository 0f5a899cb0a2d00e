"""The one door for audio."""

import io
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from conftest import voiced_tone

from ser_model.audio import AudioError, load_audio

WAVE = voiced_tone(1.0)
WAVE -= WAVE.mean(dtype=np.float64).astype(np.float32)
CLOSED = io.BytesIO()
CLOSED.close()


def test_path_bytes_and_array_agree(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, WAVE, 16_000, subtype="FLOAT")
    for source, rate in ((path, None), (str(path), None), (path.read_bytes(), None), (WAVE, 16_000)):
        loaded = load_audio(source, 16_000, source_rate=rate)
        assert loaded.dtype == np.float32
        np.testing.assert_allclose(loaded, WAVE, atol=1e-7)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.int16, 1e-4), (np.int32, 1e-6), (np.uint8, 1e-2), (np.int8, 1e-2), (np.float64, 1e-7)]
)
def test_sample_types_are_scaled(dtype, tolerance):
    if dtype == np.uint8:
        samples = np.round(WAVE * 128 + 128).astype(dtype)
    elif np.issubdtype(dtype, np.integer):
        samples = np.round(WAVE.astype(np.float64) * np.iinfo(dtype).max).astype(dtype)
    else:
        samples = WAVE.astype(dtype)
    np.testing.assert_allclose(load_audio(samples, 16_000, source_rate=16_000), WAVE, atol=tolerance)


def test_what_torchcodec_decoded_is_taken():
    class Decoder:  # as the datasets library gives it; torchcodec itself is not required
        def get_all_samples(self):
            return SimpleNamespace(data=torch.from_numpy(np.stack([WAVE, WAVE])), sample_rate=16_000)

    np.testing.assert_allclose(load_audio(Decoder(), 16_000), load_audio(WAVE, 16_000, 16_000), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged_whichever_way_they_lie(channels):
    stacked = np.stack([WAVE * (index + 1) / channels for index in range(channels)], axis=1)
    expected = stacked.mean(axis=1)
    np.testing.assert_allclose(load_audio(stacked, 16_000, source_rate=16_000), expected, atol=1e-6)
    np.testing.assert_allclose(load_audio(stacked.T.copy(), 16_000, source_rate=16_000), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_resampling_keeps_pitch_and_length(rate):
    time = np.arange(rate) / rate
    loaded = load_audio(np.sin(2 * np.pi * 440 * time), 16_000, source_rate=rate)
    assert abs(len(loaded) - 16_000) <= 1
    spectrum = np.abs(np.fft.rfft(loaded[:16_000] * np.hanning(len(loaded[:16_000]))))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3"])
def test_formats_of_soundfile(tmp_path, ending):
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, WAVE, 16_000)
    assert abs(len(load_audio(path, 16_000)) - len(WAVE)) < 2_500


@pytest.mark.parametrize(("ending", "codec"), [("webm", "libopus"), ("m4a", "aac")])
def test_formats_of_ffmpeg(tmp_path, ffmpeg, ending, codec):
    source, path = tmp_path / "clip.wav", tmp_path / f"clip.{ending}"
    soundfile.write(source, WAVE, 16_000)
    subprocess.run([ffmpeg, "-v", "error", "-i", source, "-c:a", codec, path], check=True)
    for given in (path, path.read_bytes()):
        loaded = load_audio(given, 16_000)
        assert abs(len(loaded) - len(WAVE)) < 2_500
        assert 0.1 < np.abs(loaded).max() < 0.6


def wav_bytes(samples, rate=16_000):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(
    ("source", "rate", "words"),
    [
        (b"", None, "empty"),
        (wav_bytes(np.zeros(0)), None, "empty"),
        (np.zeros(0, dtype=np.float32), 16_000, "empty"),
        (wav_bytes(WAVE[:1_000]), None, "too short"),
        (wav_bytes(np.zeros(16_000)), None, "silent"),
        (np.full(16_000, 0.5), 16_000, "silent"),
        (wav_bytes(WAVE)[:-8_000], None, "cut off"),
        (np.where(np.arange(16_000) == 5, np.nan, WAVE), 16_000, "not numbers"),
        (np.where(np.arange(16_000) == 5, np.inf, WAVE), 16_000, "not numbers"),
        (WAVE, None, "sampling rate"),
        (WAVE, 10, "sampling rate of 10 Hz"),
        (np.zeros((2, 3, 4)), 16_000, "dimensions"),
        (WAVE.astype(complex), 16_000, "not audio"),
        ("nowhere.wav", None, "no file at"),
        (WAVE * 30_000.5, 16_000, "9,000 times full scale.*Divide those of 16 bits by 32,768"),
        (CLOSED, None, "open file cannot be read"),
    ],
)
def test_each_fault_has_its_own_words(source, rate, words):
    with pytest.raises(AudioError, match=words):
        load_audio(source, 16_000, source_rate=rate)


def test_not_audio(tmp_path, ffmpeg):
    path = tmp_path / "letter.wav"
    path.write_text("This is a letter, and no recording. " * 50)
    with pytest.raises(AudioError, match="not audio"):
        load_audio(path, 16_000)


@pytest.mark.parametrize("ending", ["flac", "mp3"])
def test_cut_files_of_soundfile(tmp_path, ending):
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, WAVE, 16_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="cut off"):
        load_audio(path, 16_000)


def test_cut_webm(tmp_path, ffmpeg):
    source, path = tmp_path / "clip.wav", tmp_path / "clip.webm"
    soundfile.write(source, WAVE, 16_000)
    subprocess.run([ffmpeg, "-v", "error", "-i", source, "-c:a", "libopus", path], check=True)
    with pytest.raises(AudioError, match="cut off"):
        load_audio(path.read_bytes()[: path.stat().st_size // 2], 16_000)


def test_too_long_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(WAVE, 5), 16_000)
    with pytest.raises(AudioError, match=r"lasts 5\.0 s; at most 3 s"):
        load_audio(path, 16_000, max_seconds=3)
    with pytest.raises(AudioError, match="at most 3 s"):
        load_audio(np.tile(WAVE, 5), 16_000, source_rate=16_000, max_seconds=3)


def test_a_silent_part_is_simply_silent():
    half = np.concatenate([np.zeros(16_000, dtype=np.float32), WAVE])
    loaded = load_audio(half, 16_000, source_rate=16_000)
    assert np.abs(loaded[:16_000]).max() < 1e-7


def test_real_clips(corpora):
    for name in ("ravdess", "crema_d", "tess", "savee"):
        path = next(corpora.joinpath(name).rglob("*.flac"))
        assert len(load_audio(path, 16_000)) > 16_000
