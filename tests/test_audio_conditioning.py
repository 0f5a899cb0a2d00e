"""What is made of a recording before anything is predicted from it, and whether all of it is there."""

import io
import subprocess

import numpy as np
import pytest
import soundfile
import torch
from conftest import ROOT, voiced_tone

from ser_model import EmotionRecognizer
from ser_model.audio import AudioError, load_audio
from ser_model.audio import ffmpeg as decoder

WAVE = voiced_tone(1.0)
WHOLE = (WAVE * 32_767).astype(np.int16)


def encoded(container: str, subtype: str = "PCM_16", samples: np.ndarray = WAVE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=container, subtype=subtype)
    return file.getvalue()


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_offset_changes_no_prediction(recognizer, rate, seed):
    wave = voiced_tone(2.0, rate=rate, pitch=120 + 90 * seed, seed=seed)
    plain = recognizer(wave, rate).probabilities
    for offset in (0.005, 0.02, -0.2, 0.2):
        shifted = recognizer((wave + offset).astype(np.float32), rate).probabilities
        assert max(abs(plain[label] - shifted[label]) for label in plain) < 1e-3


def test_an_offset_changes_no_prediction_of_real_clips(recognizer, corpora):
    for path in sorted(corpora.joinpath("ravdess").rglob("*.flac"))[::288]:
        wave, rate = soundfile.read(path, dtype="float32")
        plain = recognizer(path).probabilities
        shifted = recognizer(wave + np.float32(0.2), rate).probabilities
        assert max(abs(plain[label] - shifted[label]) for label in plain) < 1e-3


def test_an_offset_of_a_long_recording_leaves_no_step_at_its_ends():
    wave = np.stack([voiced_tone(60.0, rate=48_000)] * 2, axis=1)
    loaded, shifted = (load_audio(samples, 16_000, source_rate=48_000) for samples in (wave, wave + np.float32(0.2)))
    np.testing.assert_allclose(loaded, shifted, atol=1e-5)


@pytest.mark.parametrize("residue", [0.0, 1e-3])
def test_channels_that_cancel_give_the_louder_one(residue):
    noise = residue * np.random.default_rng(0).normal(size=len(WAVE)).astype(np.float32)
    loaded = load_audio(np.stack([0.8 * WAVE + noise, -WAVE], axis=1), 16_000, source_rate=16_000)
    np.testing.assert_allclose(loaded, -(WAVE - WAVE.mean()), atol=1e-6)
    from_file = load_audio(encoded("FLAC", samples=np.stack([WAVE, -WAVE + noise], axis=1)), 16_000)
    assert abs(np.corrcoef(from_file, WAVE)[0, 1]) > 0.999
    assert np.std(from_file) == pytest.approx(np.std(WAVE), rel=0.01)


@pytest.mark.parametrize("second", [0 * WAVE, np.roll(WAVE, 300), 0.5 * WAVE, 1e-3 * WAVE])
def test_other_stereo_is_averaged(second):
    stacked = np.stack([WAVE, second], axis=1)
    mean = stacked.mean(axis=1)
    np.testing.assert_allclose(load_audio(stacked, 16_000, source_rate=16_000), mean - mean.mean(), atol=1e-6)


@pytest.mark.parametrize(
    "source",
    [
        WHOLE, WHOLE.astype(np.int32), WHOLE.astype(np.int64), WHOLE.astype(np.int32) << 16, WHOLE.astype(">i2"),
        WHOLE.astype(np.float32), (WHOLE.astype(np.int32) + 32_768).astype(np.uint16), WHOLE.tolist(), WAVE.tolist(),
        torch.from_numpy(WAVE), torch.from_numpy(WAVE)[None].double(), torch.from_numpy(WHOLE),
        torch.from_numpy(WAVE).requires_grad_(), WAVE.astype(np.float16), torch.from_numpy(WAVE).bfloat16(),
        (16_000, WHOLE), (WAVE, 16_000), (np.int64(16_000), WHOLE[:, None]), {"array": WAVE, "sampling_rate": 16_000},
        {"raw": WAVE, "sampling_rate": 16_000}, {"array": WAVE, "sampling_rate": 16_000, "path": "gone.wav"},
        {"bytes": encoded("WAV"), "path": None}, {"bytes": encoded("WAV"), "path": "gone.wav"},
        io.BytesIO(encoded("WAV")), bytearray(encoded("WAV")), memoryview(encoded("WAV")),
    ],
)  # fmt: skip
def test_what_libraries_hand_on_is_taken(source):
    loaded = load_audio(source, 16_000, source_rate=16_000)
    np.testing.assert_allclose(loaded, WAVE - WAVE.mean(), atol=2e-3)


def test_files_are_taken_by_path_dict_and_handle(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded("WAV"))
    with path.open("rb") as handle:
        for source in (path, str(path), {"path": str(path), "bytes": None}, handle):
            assert len(load_audio(source, 16_000)) == len(WAVE)


@pytest.mark.parametrize("source", [None, 7, {}, {"path": None}, object(), ["text"], WAVE > 0, (1, "a"), True])
def test_what_is_taken_is_said_for_anything_else(source):
    with pytest.raises(AudioError, match="Audio is taken as a path, as the bytes of a file"):
        load_audio(source, 16_000, source_rate=16_000)


@pytest.mark.parametrize("follows", [b"", b"LIST\x04\x00\x00\x00INFO"])
def test_a_wav_with_no_samples_is_empty_whatever_follows(follows):
    content = encoded("WAV")[:40] + bytes(4) + follows
    with pytest.raises(AudioError, match="empty"):
        load_audio(content, 16_000)


@pytest.mark.parametrize("lie", [(0, 0), (36, 0), (32_036, 0), (0x7FFFF024, 0x7FFFF000), (0xFFFFFFFF, 0xFFFFFFFF),
                                 (32_080, 32_044), (64_036, 64_000), (32_036, 64_000)])  # fmt: skip
def test_wav_sizes_that_recorders_leave_wrong_are_read_to_the_end(tmp_path, lie):
    riff, data = (size.to_bytes(4, "little") for size in lie)
    content = encoded("WAV")
    content = content[:4] + riff + content[8:40] + data + content[44:]
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    for source in (content, path):
        np.testing.assert_array_equal(load_audio(source, 16_000), load_audio(encoded("WAV"), 16_000))


def test_an_rf64_whose_recorder_left_the_size_at_0_is_read_to_the_end():
    content = encoded("RF64")
    assert content[12:16] == b"ds64"
    unfilled = content[:20] + bytes(24) + content[44:]
    np.testing.assert_array_equal(load_audio(unfilled, 16_000), load_audio(content, 16_000))


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(("container", "subtype"), [
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"),
    ("W64", "PCM_16"), ("RF64", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
])  # fmt: skip
def test_cut_files_are_noticed(container, subtype, kept):
    whole = encoded(container, subtype, np.tile(WAVE, 3))
    assert len(load_audio(whole, 16_000)) == 3 * len(WAVE)
    with pytest.raises(AudioError, match="cut off"):
        load_audio(whole[: int(kept * len(whole))], 16_000)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ["-c:a", "aac"]),
        ("b.m4a", ["-c:a", "aac", "-movflags", "+faststart"]),
        ("c.mp4", ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"]),
        ("d.mp3", ["-c:a", "libmp3lame"]),
        ("e.opus", ["-c:a", "libopus"]),
        ("f.webm", ["-c:a", "libopus"]),
    ],
)
def test_cut_files_of_ffmpeg_are_noticed(tmp_path, ffmpeg, name, options):
    soundfile.write(tmp_path / "a.wav", np.tile(WAVE, 5), 16_000)
    path = tmp_path / name
    subprocess.run([ffmpeg, "-v", "error", "-i", tmp_path / "a.wav", *options, path], check=True)
    whole = path.read_bytes()
    assert abs(len(load_audio(whole, 16_000)) - 5 * len(WAVE)) < 2_500
    for kept in (0.3, 0.7):
        with pytest.raises(AudioError, match="cut off"):
            load_audio(whole[: int(kept * len(whole))], 16_000)


def test_sound_behind_a_long_tag_is_found(tmp_path, ffmpeg):
    soundfile.write(tmp_path / "a.wav", WAVE, 16_000)
    subprocess.run([ffmpeg, "-v", "error", "-i", tmp_path / "a.wav", tmp_path / "a.aac"], check=True)
    tag = b"ID3\x04\x00\x00\x00\x02\x00\x00" + bytes(2**15)
    assert abs(len(load_audio(tag + (tmp_path / "a.aac").read_bytes(), 16_000)) - len(WAVE)) < 2_500


LONG = np.concatenate([1e-3 * np.tile(WAVE, 2), np.tile(WAVE, 4)])  # whose first frames need few bits
CONSTANT, VARIABLE = ["-c:a", "libmp3lame", "-b:a", "32k"], ["-c:a", "libmp3lame", "-q:a", "4"]
TAG = b"ID3\x04\x00\x00\x00\x00\x20\x00" + bytes(4096)


def piped(program: str, *options: str) -> bytes:
    """LONG as ffmpeg writes it where it cannot go back to fill in how long it is."""
    command = [program, "-v", "error", "-f", "wav", "-i", "pipe:0", *options, "pipe:1"]
    return subprocess.run(command, input=encoded("WAV", samples=LONG), capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        (TAG, [*CONSTANT, "-f", "mp3"], b""),
        (TAG + TAG, [*CONSTANT, "-f", "mp3"], b""),
        (b"", [*CONSTANT, "-f", "mp3"], b"TAG" + bytes(125)),
        (b"", [*CONSTANT, "-f", "mp3"], bytes(5000)),
        (b"", ["-c:a", "libmp3lame", "-b:a", "32k", "-abr", "1", "-f", "mp3"], b""),
        (b"", [*VARIABLE, "-f", "mp3"], b""),
        (b"", [*VARIABLE, "-f", "wav"], b""),
        (TAG, ["-c:a", "mp2", "-b:a", "64k", "-f", "mp2"], b""),
    ],
)
def test_mpeg_audio_that_does_not_say_how_long_it_is_is_read_to_its_end(
    tmp_path, ffmpeg, monkeypatch, before, options, after
):
    content = before + piped(ffmpeg, *options) + after
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    for source in (content, path):
        assert abs(len(load_audio(source, 16_000)) - len(LONG)) < 2_500
    with pytest.raises(AudioError, match="at most 3 s"):
        load_audio(content, 16_000, max_seconds=3)
    monkeypatch.setattr(decoder.shutil, "which", lambda _: None)
    with pytest.raises(AudioError, match="needs the program ffmpeg"):
        load_audio(content, 16_000)


def test_an_mp3_behind_other_bytes_is_read_to_its_end(tmp_path, ffmpeg):
    path = tmp_path / "a.mp3"
    path.write_bytes(bytes(2_000) + piped(ffmpeg, *CONSTANT, "-f", "mp3", "-id3v2_version", "0"))
    assert abs(len(load_audio(path, 16_000)) - len(LONG)) < 2_500


@pytest.mark.parametrize(("container", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")])
def test_joined_recordings_are_read_to_the_last(ffmpeg, container, subtype):
    first, second = encoded(container, subtype, np.tile(WAVE, 2)), encoded(container, subtype, LONG)
    for joined, seconds in ((first + second, 8), (first + first, 4), (first + second + first, 10)):
        assert abs(len(load_audio(joined, 16_000)) - seconds * len(WAVE)) < 5_000
    if container == "OGG":
        with pytest.raises(AudioError, match="cut off"):
            load_audio((first + second)[:-200], 16_000)


@pytest.mark.parametrize("tag", [b"", TAG])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3s_that_say_how_long_they_are_need_no_ffmpeg(monkeypatch, rate, channels, tag):
    monkeypatch.setattr(decoder.shutil, "which", lambda _: None)
    file = io.BytesIO()
    samples = np.stack([voiced_tone(1.0, rate=rate)] * channels, axis=1)
    soundfile.write(file, samples, rate, format="MP3", bitrate_mode="VARIABLE")
    for tail in (b"", b"TAG" + bytes(125)):
        assert abs(len(load_audio(tag + file.getvalue() + tail, 16_000)) - 16_000) < 2_500
