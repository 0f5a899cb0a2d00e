"""More than two hundred files that something is wrong with, or that only look so, made within seconds."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from conftest import voiced_tone

RATE = 16_000
WAVE = voiced_tone(0.4)
FORMATS = {
    "pcm.wav": ("WAV", "PCM_16"),
    "u8.wav": ("WAV", "PCM_U8"),
    "float.wav": ("WAV", "FLOAT"),
    "gsm.wav": ("WAV", "GSM610"),
    "ima.wav": ("WAV", "IMA_ADPCM"),
    "ulaw.wav": ("WAV", "ULAW"),
    "rf64.wav": ("RF64", "PCM_16"),
    "w64.wav": ("W64", "PCM_16"),
    "x.aiff": ("AIFF", "PCM_16"),
    "au.wav": ("AU", "PCM_16"),
    "caf.wav": ("CAF", "PCM_16"),
    "x.flac": ("FLAC", "PCM_16"),
    "x.ogg": ("OGG", "VORBIS"),
    "x.opus": ("OGG", "OPUS"),
    "x.mp3": ("MP3", "MPEG_LAYER_III"),
}
PLAYLISTS = {
    "hls.wav": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
    "open.wav": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n",
    "itself.wav": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{itself}\n",
    "concat.wav": "ffconcat version 1.0\nfile '{other}'\n",
    "address.wav": "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "shout.wav": "[playlist]\nFile1={other}\nNumberOfEntries=1\n",
    "sdp.wav": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
}
OTHER_THINGS = {
    "pointer.wav": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n",
    "annex.wav": b"/annex/objects/SHA256E-s12--ab.wav\n",
    "empty.wav": b"",
    "one-byte.wav": b"R",
    "letter.wav": b"A letter, and no recording. " * 40,
    "page.wav": b"<!DOCTYPE html><html><body>404</body></html>",
    "zip.wav": b"PK\x03\x04" + bytes(200),
    "picture.wav": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "zeros.wav": bytes(5_000),
    "riff-only.wav": b"RIFF\x24\x00\x00\x00WAVE",
    "tag-only.mp3": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(50),
    "box-loop.m4a": b"\x00\x00\x00\x08ftyp" * 2_000,
    "ebml.webm": b"\x1a\x45\xdf\xa3" + bytes(300),
    "ogg-head.ogg": b"OggS" + bytes(10),
    "rf64-head.wav": b"RF64\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff",
    "w64-head.wav": b"riff\x2e\x91\xcf\x11" + bytes(56),
    "samples.raw": WAVE.tobytes(),
    "endless-chunk.wav": b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + bytes(100),
}


def encoded(name: str, samples: np.ndarray = WAVE, rate: int = RATE) -> bytes:
    """The bytes of a recording in one of `FORMATS`."""
    container, subtype = FORMATS[name]
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def write_nasty_files(folder: Path) -> list[Path]:
    """Writes them all below `folder` and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / name, content) for name, content in _mutants()]
    return written + write_special_files(folder)


def write_special_files(folder: Path) -> list[Path]:
    """Those that are not damaged recordings but something else: texts, links, pipes, names, odd samples."""
    folder.mkdir(parents=True, exist_ok=True)
    good = _write(folder / "good.wav", encoded("pcm.wav"))
    made = [good, *(_write(folder / name, content) for name, content in OTHER_THINGS.items())]
    for name, text in PLAYLISTS.items():
        made.append(_write(folder / name, text.format(other=good, itself=folder / name).encode()))
    for name, samples in _odd_samples().items():
        path = folder / f"odd-{name}.wav"
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        made.append(path)
    (folder / "gone.wav").symlink_to(folder / "annex" / "objects" / "nowhere.wav")
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    os.mkfifo(folder / "pipe.wav")
    names = [
        "line\nbreak.wav",
        "quote'\".wav",
        "-v.wav",
        "%d.wav",
        "a|b;c$(d).wav",
        "ünï 🎤.wav",
        "concat:a|b.wav",
        f"{'l' * 250}.wav",
    ]
    made += [_write(folder / name, encoded("pcm.wav", np.roll(WAVE, place + 1))) for place, name in enumerate(names)]
    made.append(_write(Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav")), encoded("pcm.wav", np.roll(WAVE, 99))))
    return made + [folder / name for name in ("gone.wav", "loop.wav", "pipe.wav")]


def _odd_samples() -> dict[str, np.ndarray]:
    nan, infinite = WAVE.copy(), WAVE.copy()
    nan[7], infinite[7] = np.nan, -np.inf
    return {
        "nan": nan, "infinite": infinite, "silent": 0 * WAVE, "constant": 0 * WAVE + 0.5, "short": WAVE[:100],
        "none": WAVE[:0], "huge": WAVE * 1e30, "faint": WAVE * 1e-6, "offset": WAVE + 0.2, "loud": WAVE * 20,
        "cancelling": np.stack([WAVE, -WAVE], axis=1), "many": np.tile(WAVE[:, None], (1, 64)),
    }  # fmt: skip


def _mutants() -> Iterator[tuple[str, bytes]]:
    """Each format whole, cut, with bytes flipped, zeroed, appended, and with sizes that lie."""
    random = np.random.default_rng(0)
    for seed, name in enumerate(FORMATS):
        whole = encoded(name, np.roll(WAVE, 100 * seed + 200))
        size = len(whole)
        yield f"whole-{name}", whole
        for share in (0.02, 0.3, 0.6, 0.95):
            yield f"cut-{share:.2f}-{name}", whole[: int(size * share)]
        for place in (4, 22, 40):
            yield f"ff-{place}-{name}", whole[:place] + b"\xff" * 4 + whole[place + 4 :]
        yield f"zero-{name}", whole[:40] + bytes(4) + whole[44:]
        yield f"hole-{name}", whole[: size // 2] + bytes(size // 4) + whole[size * 3 // 4 :]
        yield f"junk-{name}", whole + random.bytes(1_000)
        yield f"twice-{name}", whole + whole
        flipped = bytearray(whole)
        for place in random.integers(0, size, 30):
            flipped[place] ^= 1 << int(random.integers(8))
        yield f"flipped-{name}", bytes(flipped)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
