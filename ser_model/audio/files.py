"""Audio files below a folder, and names of files as text."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

AUDIO_ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".webm", ".mp4", ".aif", ".aiff"}
HIDDEN, UNREADABLE = "hidden", "unreadable"
LONGEST_NAME = 200


def walk_audio(
    folder: str | os.PathLike,
    endings: Collection[str] = AUDIO_ENDINGS,
    passed_over: Counter[str] | None = None,
) -> Iterator[Path]:
    """Files with one of `endings` below `folder`, in a fixed order; links are followed, without loops.

    Hidden files and what macOS leaves behind (`._name.wav`, `__MACOSX`) are passed over.

    Args:
        folder: Where to look.
        endings: In lower case, with their dot.
        passed_over: Counts the files that are passed over, by ending in lower case or as `hidden`, and `unreadable`
            folders.
    """
    passed_over = Counter() if passed_over is None else passed_over
    walked: set[str] = set()

    def not_opened(error: OSError) -> None:
        if isinstance(error, PermissionError):
            passed_over[UNREADABLE] += 1

    for parent, subfolders, names in os.walk(os.fsdecode(folder), onerror=not_opened, followlinks=True):
        real = os.path.realpath(parent)
        if real in walked:
            subfolders.clear()
            continue
        walked.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            ending = HIDDEN if name.startswith(".") else os.path.splitext(name)[1].lower()
            if ending in endings:
                yield Path(parent, name)
            else:
                passed_over[ending] += 1


def passed_over_text(counts: Counter[str]) -> str:
    """The counts of `walk_audio` as text: `3 .txt, 2 hidden, 1 without ending`."""
    return ", ".join(f"{count:,} {printable(ending) or 'without ending'}" for ending, count in counts.most_common())


def printable(name: str | os.PathLike) -> str:
    """A name as text that any console and any file can hold: on one line, and UTF-8 whatever its bytes."""
    text = os.fsdecode(name)
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def shortened(name: str | os.PathLike) -> str:
    """A name as text for a sentence."""
    shown = printable(name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME // 2]} … {shown[-LONGEST_NAME // 3 :]}"
