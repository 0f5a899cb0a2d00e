"""Files that are almost a corpus's: renamed, in another case, as MP3, or in a zip of another name."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
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
        A phrase for each kind: an example, how many more, why they are not taken and what to do.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for path in walk_audio(data_dir, {*AUDIO_ENDINGS, ".zip"}):
        relative = path.relative_to(data_dir)
        look = _in_zip if path.suffix.lower() == ".zip" else _of_file
        for reason, advice in look(builder, path, relative):
            found.setdefault(reason, []).append((shortened(relative), advice))
    lines = []
    for reason, cases in found.items():
        name, advice = cases[0]
        more = f" and {len(cases) - 1:,} more" if len(cases) > 1 else ""
        lines.append(f"{name}{more}: {reason}, {advice}")
    return lines


def _of_file(builder: type[CorpusBuilder], path: Path, relative: Path) -> Iterator[tuple[str, str]]:
    """Why a file is not taken that nearly is, and what to do."""
    if relative.suffix.lower() not in builder.endings:
        if _is_clip(builder, relative):
            yield (
                f"{builder.corpus} is not read as {relative.suffix}",
                f"convert to {' or '.join(sorted(builder.endings))}",
            )
        return
    if _parses(builder, relative) is not None:
        return
    bare = relative.with_name(ADDED.sub("", relative.stem) + relative.suffix)
    if bare != relative and _is_clip(builder, bare):
        yield f"{builder.corpus} has no such addition to its names", f"rename to {bare.name}"
        return
    spelled = next((other for other in _respelled(bare) if _is_clip(builder, other)), None)
    if spelled is not None:
        yield f"{builder.corpus} spells its names otherwise", f"rename to {'/'.join(spelled.parts[-2:])}"


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


def _in_zip(builder: type[CorpusBuilder], path: Path, relative: Path) -> Iterator[tuple[str, str]]:
    """Clips in a zip that is not read as it comes."""
    if path.name in builder.archives:
        return
    try:
        with zipfile.ZipFile(path) as zipped:
            names = zipped.namelist()[:MOST_IN_A_ZIP]
    except (OSError, zipfile.BadZipFile):
        return  # no zip, so nothing of a corpus
    count = sum(_is_clip(builder, Path(name)) for name in names if not name.endswith("/"))
    if count:
        yield f"{builder.corpus} is not read from this zip", f"unpack its {count:,} clips"
