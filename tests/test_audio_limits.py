"""Nobody gets more out of audio than its sound: memory, time, processes, other files."""

import io
import struct
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
import soundfile
from conftest import ROOT, voiced_tone

from ser_model.audio import AudioError, ffmpeg, limits, load_audio
from ser_model.audio.containers import SIGNATURES

PEAK = """
import re, resource, sys
import soundfile, soxr
from ser_model.audio import AudioError, load_audio
def peak():  # of this process alone: getrusage begins with what the parent had
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
idle = peak()
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30,) * 2)  # what is asked for in vain is not there either
try:
    said = len(load_audio(sys.argv[1], 16_000))
except AudioError as error:
    said = error
print(peak() - idle, said)
"""


def peak_megabytes(path) -> tuple[float, str]:
    """Memory that loading takes over idle in a process of its own, and what came of it."""
    command = [sys.executable, "-c", PEAK, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    megabytes, said = done.stdout.split(maxsplit=1)
    return float(megabytes), said.strip()


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]


@pytest.fixture(scope="module")
def webm(tmp_path_factory, ffmpeg):
    folder = tmp_path_factory.mktemp("webm")
    soundfile.write(folder / "a.wav", voiced_tone(20.0), 16_000)
    subprocess.run([ffmpeg, "-v", "error", "-i", folder / "a.wav", "-c:a", "libopus", folder / "a.webm"], check=True)
    return folder / "a.webm"


def test_many_channels_at_a_high_rate_take_little_memory(tmp_path):
    path = tmp_path / "bomb.flac"
    second = np.zeros((192_000, 8), dtype=np.int16)
    with soundfile.SoundFile(path, "w", 192_000, 8, subtype="PCM_16") as file:
        second[:500] = (8_000 * np.sin(np.arange(500) / 20))[:, None]
        for _ in range(100):
            file.write(second)
    assert path.stat().st_size < 1_000_000
    megabytes, said = peak_megabytes(path)
    assert said == "1600000"
    assert megabytes < 150


def test_an_hour_takes_little_more_than_its_result(tmp_path):
    path = tmp_path / "hour.flac"
    wave = voiced_tone(10.0)
    with soundfile.SoundFile(path, "w", 16_000, 1, subtype="PCM_16") as file:
        for _ in range(359):
            file.write(wave)
    megabytes, said = peak_megabytes(path)
    assert said == str(3_590 * 16_000)
    assert megabytes < 400


def flac_that_promises(frames: int, rate: int = 16_000) -> bytes:
    """A second of FLAC whose STREAMINFO promises another number of samples; 0 is unknown."""
    file = io.BytesIO()
    soundfile.write(file, voiced_tone(1.0, rate=rate), rate, format="FLAC", subtype="PCM_16")
    content = bytearray(file.getvalue())
    content[21] = content[21] & 0xF0 | frames >> 32
    content[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("frames", "rate", "words"),
    [
        (2**36 - 1, 16_000, "at most 3600 s"),
        (3_599 * 192_000, 192_000, "cut off"),
        (3_599 * 16_000, 16_000, "cut off"),
        (32_000, 16_000, "cut off"),
    ],
)
def test_a_header_that_promises_more_than_there_is_costs_nothing(tmp_path, frames, rate, words):
    path = tmp_path / "lie.flac"
    path.write_bytes(flac_that_promises(frames, rate))
    megabytes, said = peak_megabytes(path)
    assert words in said
    assert megabytes < 60


def test_a_stream_that_does_not_say_how_long_it_is_is_read_to_its_end():
    assert len(load_audio(flac_that_promises(0), 16_000)) == 16_000


def test_samples_are_limited_over_all_channels(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SAMPLES", 30_000)
    assert len(load_audio(voiced_tone(1.0), 16_000, source_rate=16_000)) == 16_000
    with pytest.raises(AudioError, match="32,000 samples over its 2 channels; at most 30,000"):
        load_audio(np.stack([voiced_tone(1.0)] * 2), 16_000, source_rate=16_000)


@pytest.mark.parametrize("text", [
    "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
    "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{itself}\n",
    "\ufeff \n#EXTM3U\n#EXTINF:10,\nconcat:{other}|{other}\n",
    "ffconcat version 1.0\nfile '{other}'\n",
    "<?xml version='1.0'?><MPD><Period/></MPD>",
])  # fmt: skip
def test_playlists_never_reach_ffmpeg(tmp_path, monkeypatch, text):
    started = []
    monkeypatch.setattr(ffmpeg.subprocess, "Popen", lambda *command, **_: started.append(command))
    other, path = tmp_path / "other.wav", tmp_path / "list.wav"
    soundfile.write(other, voiced_tone(1.0), 16_000)
    path.write_text(text.format(other=other, itself=path))
    for source in (path, path.read_bytes()):
        with pytest.raises(AudioError, match=r"playlist|not audio"):
            load_audio(source, 16_000)
    assert started == []


def test_a_container_is_opened_as_that_alone(webm, monkeypatch, tmp_path):
    """A playlist behind the first bytes of a container is not played either."""
    other = tmp_path / "other.wav"
    soundfile.write(other, voiced_tone(1.0), 16_000)
    playlist = f"\n#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n".encode()
    for place, signature, _ in SIGNATURES:
        path = tmp_path / "mixed.wav"
        path.write_bytes(b"#EXT"[:place].ljust(place, b"0") + signature + playlist)
        with pytest.raises(AudioError):
            load_audio(path, 16_000)
    assert children() == []
    demuxers = {demuxer for *_, demuxer in SIGNATURES}
    assert not demuxers & {"hls", "concat", "image2", "dash", "sdp", "rtsp", "lavfi", "applehttp", "imf"}


def test_ffmpeg_is_gone_when_its_time_is_over(webm, monkeypatch):
    monkeypatch.setattr(ffmpeg, "TIME_LIMIT", 0.01)
    with pytest.raises(AudioError, match="could not be decoded within"):
        load_audio(webm, 16_000)
    assert children() == []


def test_ffmpeg_is_gone_when_its_reader_goes(webm):
    with pytest.raises(KeyboardInterrupt), ffmpeg.decoded(str(webm), "matroska", 30) as (_, _, blocks):
        next(blocks)
        raise KeyboardInterrupt
    assert children() == []


def test_a_recording_longer_than_the_limit_is_not_decoded_to_its_end(webm):
    with pytest.raises(AudioError, match="at most 3 s"):
        load_audio(webm, 16_000, max_seconds=3)
    assert children() == []


def test_at_most_two_decode_at_once(webm):
    waves, most = [], 0
    threads = [threading.Thread(target=lambda: waves.append(load_audio(webm, 16_000))) for _ in range(5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children()))
        time.sleep(0.005)
    assert len(waves) == 5
    assert 1 <= most <= 2


def test_a_file_with_pictures_only_has_no_audio(tmp_path, ffmpeg):
    path = tmp_path / "silent.mp4"
    source = ["-f", "lavfi", "-i", "color=size=16x16:rate=5:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, path], check=True)
    with pytest.raises(AudioError, match="not audio"):
        load_audio(path, 16_000)


def test_pipes_and_devices_are_not_opened():
    with pytest.raises(AudioError, match="no regular file"):
        load_audio("/dev/zero", 16_000)


def test_a_wav_of_four_gigabytes_that_is_not_there_is_cut(tmp_path):
    path = tmp_path / "a.wav"
    data = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 2**30 + 36, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", 2**30
    )
    path.write_bytes(data + bytes(20_000))
    assert peak_megabytes(path)[1].startswith("The recording is cut off")
