"""What of a corpus is there, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ser_model.audio import passed_over_text, printable, walk_audio

from .base import CorpusError
from .folder import FolderBuilder, shortcomings
from .loading import find_corpus
from .near_misses import near_misses


def corpus_status(name: str, data_dir: Path) -> str:
    """Found and expected clips of a corpus by label and speaker, as text."""
    builder = find_corpus(name)
    scan = builder.scan(data_dir)
    near = [f"  not taken: {line}" for line in near_misses(builder, data_dir)]
    if not scan.clips:
        return "\n".join([f"{name}: not there. {builder.how_to_get}", *near])
    labels = Counter(clip.row["emotion"] for clip in scan.clips)
    speakers = Counter(clip.row["speaker"] for clip in scan.clips)
    expected = sum(builder.clips_per_label.values())
    count = f"{len(scan.clips):,} of {expected:,} clips" if expected else f"{len(scan.clips):,} clips"
    whole = "complete, " if len(scan.clips) == expected else "incomplete, " if expected else ""
    lines = [
        f"{name}: {whole}{count}",
        f"  labels: {_counts(labels, {name: builder.clips_per_label.get(name) for name in builder.labels_of(scan)})}",
        f"  speakers: {_speakers(speakers, builder.clips_per_speaker)}",
    ]
    if scan.copies:
        lines.append(f"  {len(scan.copies):,} further copies of clips, not counted")
    if builder is FolderBuilder:
        rows = [(clip.row["emotion"], clip.row["speaker"]) for clip in scan.clips]
        lines += [f"  {sentence}" for sentence in shortcomings(rows)]
    lines += [f"  misnamed: {printable(path)}: {reason}" for path, reason in scan.defects]
    return "\n".join(lines + near)


def own_recordings(data_dir: Path, others: list[str]) -> str:
    """The status of the corpus `folder`; beside other corpora it lies in a subfolder of that name."""
    below, builders = data_dir / FolderBuilder.corpus, [find_corpus(name) for name in others]
    if not below.is_dir() and any(
        builder.scan(data_dir).clips or near_misses(builder, data_dir) for builder in builders
    ):
        return f"{FolderBuilder.corpus}: not there. Recordings of your own go into {below}."
    try:
        return corpus_status(FolderBuilder.corpus, data_dir)
    except CorpusError as error:
        return f"{FolderBuilder.corpus}: {error}"


def passed_over(data_dir: Path, corpora: list[str]) -> str:
    """How many files below `data_dir` have none of the corpora's endings, as a line of text, or no text."""
    counts: Counter[str] = Counter()
    endings = {ending for name in corpora for ending in (*find_corpus(name).endings, ".zip")}
    for _ in walk_audio(data_dir, endings, counts):
        pass
    return f"passed over, by ending: {passed_over_text(counts)}" if counts else ""


def corpora_there(data_dir: Path, corpora: list[str]) -> list[str]:
    """Those of `corpora` that have clips below `data_dir`; `folder` where neither they nor anything like them lies.

    Raises:
        CorpusError: None of them has.
    """
    there = [name for name in corpora if find_corpus(name).scan(data_dir).clips]
    if not there:
        near = [line for name in corpora for line in near_misses(find_corpus(name), data_dir)]
        if not near and FolderBuilder.scan(data_dir).clips:
            return [FolderBuilder.corpus]
        said = "".join(f" Not taken: {line}." for line in near)
        raise CorpusError(f"None of {', '.join(corpora)} lies below {data_dir}.{said}")
    return there


def _counts(found: Counter, expected: Mapping[str, int | None]) -> str:
    return ", ".join(
        f"{name} {found[name]:,}" + (f"/{wanted:,}" if wanted is not None else "") for name, wanted in expected.items()
    )


def _speakers(found: Counter, expected: dict[str, int]) -> str:
    """Only those that are not whole are named."""
    if not expected:
        unknown = found.get(None, 0)
        named = len(found) - (unknown > 0)
        return f"{named} named" + (f", {unknown:,} clips do not say who speaks" if unknown else "")
    lacking = {name: wanted for name, wanted in expected.items() if found[name] != wanted}
    text = f"{len(expected) - len(lacking)} of {len(expected)} complete"
    return f"{text}; {_counts(found, lacking)}" if lacking else text
