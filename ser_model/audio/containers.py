"""Containers by their content: which one it is, how long it says to be, whether the file ends before its audio does."""

from __future__ import annotations

import struct
from typing import BinaryIO

# Signature -> ffmpeg's name of the demuxer. Only containers that hold audio themselves: nothing that names other files.
SIGNATURES = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"OggS", "ogg"),
    (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"FORM", "aiff"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"fLaC", "flac"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    *((4, kind, "mov") for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
)
OTHER_FILES = (
    (b"version https://git-lfs", "This file is a Git LFS pointer, not the recording itself: run `git lfs pull`."),
    (b"/annex/objects/", "This file is a git-annex pointer, not the recording itself: run `git annex get`."),
    (b"#EXTM3U", "This file is a playlist, not a recording."),
    (b"ffconcat", "This file is a playlist, not a recording."),
    (b"[playlist]", "This file is a playlist, not a recording."),
    (b"<!doctype html", "This file is a web page, not a recording."),
    (b"<html", "This file is a web page, not a recording."),
    (b"PK\x03\x04", "This file is a zip archive, not a recording: unpack it first."),
)
NOT_AUDIO = "This file is not audio that can be read, or it is damaged."

# Signature -> start of the first chunk, format of a chunk's header, whether the size counts the header,
# alignment, name of the chunk that holds the audio.
CHUNKS = {
    b"RIFF": (12, "<4sI", False, 2, b"data"),
    b"RF64": (12, "<4sI", False, 2, b"data"),
    b"FORM": (12, ">4sI", False, 2, b"SSND"),
    b"caff": (8, ">4sQ", False, 1, b"data"),
    b"riff": (40, "<16sQ", True, 8, b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"),
}
CHUNKS_AFTER_AUDIO = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"smpl", b"PEAK", b"JUNK", b"iXML", b"_PMX")
MAX_CHUNKS = 100_000
RF64_SIZE = 28  # place of the size of the audio: in the chunk ds64, the first one
OGG_HEADER = 27 + 255
LARGEST_OGG_PAGE = OGG_HEADER + 255 * 255
ID3V1 = 128  # bytes of the tag behind the audio
MISCOUNTED_HEADER = 44, 1024  # bytes: recorders that count their header as audio promise so much too much


def demuxer_of(file: BinaryIO) -> str | None:
    """ffmpeg's name of the demuxer for a container, or None where the content is of no known one."""
    head = _at(file, 0, 16)
    for place, signature, name in SIGNATURES:
        if head[place:].startswith(signature):
            return name
    head = _at(file, _mpeg_start(file), 2)
    if not _is_mpeg(head):
        return None
    return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"


def reason_not_audio(file: BinaryIO) -> str:
    """A sentence about a file of no known container."""
    head = _at(file, 0, 64).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return next((said for start, said in OTHER_FILES if head.startswith(start.lower())), NOT_AUDIO)


def tells_length(file: BinaryIO, size: int) -> bool:
    """Whether Ogg or MPEG audio of `size` bytes says how long all of it is, and not only how long a part of it is."""
    return _is_one_ogg(file, size) if _at(file, 0, 4) == b"OggS" else _counts_frames(file, size)


def is_cut(file: BinaryIO, size: int) -> bool:
    """Whether a file of `size` bytes ends before its audio does, as far as its container tells.

    The promise of a WAV, AIFF, AU, CAF, W64 or RF64 file counts unless it is one that recorders are known to
    write into whole files: 0 or a value near the largest possible (never filled in), exactly double, or
    too much by no more than the header.
    """
    head = _at(file, 0, 12)
    if head[:4] == b"OggS":
        return _ogg_is_cut(file, size)
    if head[4:8] in (b"ftyp", b"moov"):
        return _mp4_is_cut(file, size)
    start, promised, placeholder = _audio_data(file, size, head)
    there = size - start
    if promised in (0, 2 * there) or promised >= placeholder:
        return False
    least, most = MISCOUNTED_HEADER
    return promised - there > min(max(start, least), most)


def unfilled_size(file: BinaryIO, size: int) -> tuple[int, bytes] | None:
    """Place and right value of the size of the audio of a WAV or RF64 file where its recorder left it at 0."""
    head = _at(file, 0, 12)
    start, promised, _ = _audio_data(file, size, head)
    follows = _at(file, start, 4)
    if head[:4] not in (b"RIFF", b"RF64") or promised or not follows or follows in CHUNKS_AFTER_AUDIO:
        return None
    if head[:4] == b"RF64":
        return RF64_SIZE, struct.pack("<Q", size - start)
    return start - 4, struct.pack("<I", min(size - start, 0xFFFFFFFF))


def _audio_data(file: BinaryIO, size: int, head: bytes) -> tuple[int, int, int]:
    """Where the audio starts, how many bytes it promises, from what number on that is a placeholder."""
    near_32_bits, near_63_bits = 2**31 - 2**16, 2**63 - 2**16
    if head[:4] == b".snd" and len(head) == 12:
        return *struct.unpack(">II", head[4:12]), near_32_bits
    if head[:4] not in CHUNKS:
        return 0, 0, near_32_bits
    place, header, counts_header, align, audio = CHUNKS[head[:4]]
    width = struct.calcsize(header)
    for _ in range(MAX_CHUNKS):
        if place + width > size:
            break
        name, length = struct.unpack(header, _at(file, place, width))
        length -= width if counts_header else 0
        if name == audio and head[:4] == b"RF64":
            return place + width, int.from_bytes(_at(file, RF64_SIZE, 8), "little"), near_63_bits
        if name == audio:
            return place + width, length, near_63_bits if width > 8 else near_32_bits
        if length < 0:
            break
        place += width + length + -(length + (width if counts_header else 0)) % align
    return 0, 0, near_32_bits


def _mpeg_start(file: BinaryIO) -> int:
    """Where MPEG audio begins: behind the ID3v2 tags."""
    place = 0
    for _ in range(MAX_CHUNKS):
        head = _at(file, place, 10)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        place += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return place


def _is_mpeg(head: bytes) -> bool:
    """Whether a frame of MPEG audio begins here."""
    return len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0


def _counts_frames(file: BinaryIO, size: int) -> bool:
    """Whether the first frame of MPEG audio is one of LAME's that count frames and bytes, to the end of the file."""
    start = _mpeg_start(file)
    head = _at(file, start, 64)
    if not _is_mpeg(head) or len(head) < 64:
        return False
    mpeg_1, mono = head[1] & 0x08, head[3] >> 6 == 3
    place = 4 + ((17 if mono else 32) if mpeg_1 else (9 if mono else 17))
    name, flags, num_frames, num_bytes = struct.unpack_from(">4s3I", head, place)
    counted = name in (b"Xing", b"Info") and flags & 3 == 3 and num_frames > 0
    return counted and start + num_bytes >= size - ID3V1


def _is_one_ogg(file: BinaryIO, size: int) -> bool:
    """Whether the pages are those of one recording, and not of several behind each other, up to the end of the file."""
    place, begun = 0, False
    for _ in range(MAX_CHUNKS):
        page = _at(file, place, OGG_HEADER)
        if len(page) < 27 or page[:4] != b"OggS":
            break
        first = bool(page[5] & 2)
        if begun and first:
            return False
        begun |= not first
        place += 27 + page[26] + sum(page[27 : 27 + page[26]])
    return place >= size


def _ogg_is_cut(file: BinaryIO, size: int) -> bool:
    """Whether the last page is incomplete."""
    tail = _at(file, max(0, size - LARGEST_OGG_PAGE), LARGEST_OGG_PAGE)
    start = tail.rfind(b"OggS")
    if start < 0:
        return False  # something else follows the pages
    page = tail[start:]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _mp4_is_cut(file: BinaryIO, size: int) -> bool:
    """Whether a box goes on past the end of the file, or the index never comes."""
    place, indexed = 0, False
    for _ in range(MAX_CHUNKS):
        if place + 16 > size:
            break
        length, kind, long_length = struct.unpack(">I4sQ", _at(file, place, 16))
        length = {0: size - place, 1: long_length}.get(length, length)
        if length < 8:
            return False
        indexed |= kind == b"moov"
        place += length
    return place > size or not indexed


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
