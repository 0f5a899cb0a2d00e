"""Files that are almost a corpus's: renamed, in another case, as MP3, or in a zip of another name."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ser_model.audio import AUDIO_ENDINGS, shortened, walk_audio

if TYPE_CHECKING:
    from .base import CorpusBuilder

ADDED = re.compile(
    r"([ _-]*(\(\d+\)|copy|\d+ ?k(hz)?|(8|16|22|22050|44|441|44100|48|480)000?|mono|resampled|converted|norm|clean))+$",
    re.I,
)
MOST_IN_A_ZIP = 100_000


def near_misses(builder: type[CorpusBuilder], data_dir: Path) -> list[str]:
    """What lies below `data_dir` that is almost one of the corpus's clips.

    Returns:
        A phrase for each kind: how many, an example, and what to do.
    """
    found: dict[str, list[str]] = {}
    for path in walk_audio(data_dir, {*AUDIO_ENDINGS, ".zip"}):
        relative = path.relative_to(data_dir)
        if path.suffix.lower() == ".zip":
            kind = "" if path.name in builder.archives else _of_zip(builder, path)
        else:
            kind = _of_file(builder, relative)
        if kind:
            found.setdefault(kind, []).append(shortened(relative))
    return [
        f"{len(names):,} {'file' if len(names) == 1 else 'files'} like {names[0]}, {kind}"
        for kind, names in found.items()
    ]


def _of_file(builder: type[CorpusBuilder], relative: Path) -> str:
    """Why a file is not taken that nearly is, or an empty text."""
    if relative.suffix.lower() not in builder.endings:
        kept = ", ".join(sorted(builder.endings))
        return (
            f"not taken for {builder.corpus} because of their ending: convert them to {kept}"
            if _is_clip(builder, relative)
            else ""
        )
    if _parses(builder, relative) is not None:
        return ""
    bare = relative.with_name(ADDED.sub("", relative.stem) + relative.suffix)
    if bare != relative and _is_clip(builder, bare):
        return f"not taken for {builder.corpus} because of what is added to the name: rename them like {bare.name}"
    for other in _respelled(bare):
        if _is_clip(builder, other):
            return f"not taken for {builder.corpus} because of their spelling: rename them like {_example(other)}"
    return ""


def _respelled(path: Path) -> Iterator[Path]:
    """The same name in upper and lower case and with other signs between its fields."""
    stems = [path.stem, path.stem.replace("_", "-"), re.sub("[- ]", "_", path.stem)]
    for stem in dict.fromkeys(stems):
        head, _, tail = stem.partition("_")
        for spelled in dict.fromkeys((stem, stem.upper(), stem.lower(), f"{head.upper()}_{tail.lower()}")):
            for parent in dict.fromkeys(
                (path.parent, path.parent.with_name(path.parent.name.upper()) if path.parent.name else path.parent)
            ):
                if (other := parent / f"{spelled}{path.suffix}") != path:
                    yield other


def _is_clip(builder: type[CorpusBuilder], relative: Path) -> bool:
    return bool(_parses(builder, relative))


def _parses(builder: type[CorpusBuilder], relative: Path) -> dict | None:
    """The row of a name, an empty one where it breaks the corpus's rules, None where it is not the corpus's."""
    try:
        return builder.parse(relative)
    except ValueError:
        return {}


def _example(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _of_zip(builder: type[CorpusBuilder], path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as zipped:
            names = zipped.namelist()[:MOST_IN_A_ZIP]
    except (OSError, zipfile.BadZipFile):
        return ""
    clips = [name for name in names if _is_clip(builder, Path(PurePosixPath(name))) and not name.endswith("/")]
    return f"with {len(clips):,} clips of {builder.corpus} inside: unpack it" if clips else ""
