"""Corpora as Parquet with the audio inside, as `prepare` writes them, read in place."""

from __future__ import annotations

import os
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset

from .base import CorpusError

COLUMNS = {"audio", "corpus", "speaker", "emotion", "content"}  # other Parquet files may be tables of labels
BYTES_KEPT = 2**30  # of the row groups that a process keeps, those read last


def find_shards(data_dir: str | os.PathLike) -> list[Path]:
    """The Parquet files of a folder that `prepare` has written, in order; none where it is another folder.

    Raises:
        CorpusError: One of them is missing or cannot be read.
    """
    shards = sorted(Path(data_dir, "data").glob("train-*.parquet"))
    for path in shards:
        with _named(path):
            if not set(pq.read_schema(path).names) >= COLUMNS:
                return []
    if shards and (count := re.search(r"-of-(\d+)$", shards[0].stem)):
        whole = {f"train-{index:05d}-of-{count[1]}.parquet" for index in range(int(count[1]))}
        if other := sorted(whole ^ {path.name for path in shards}):
            what = "is missing" if other[0] in whole else f"is none of its {count[1]} files"
            raise CorpusError(f"{shards[0].parent} is not whole: {other[0]} {what}. Prepare the corpora again.")
    return shards


def load_shards(shards: Sequence[Path], corpora: Sequence[str]) -> Dataset:
    """The rows of some corpora without their audio, which stays where it is.

    Args:
        shards: Parquet files.
        corpora: Names of corpora.

    Returns:
        The table as it was prepared, where `audio` is what `recording` takes: `SHARD#ROW/NAME`.

    Raises:
        CorpusError: A corpus is not there.
    """
    names = [name for name in pq.read_schema(shards[0]).names if name != "audio"]
    table = Dataset.from_parquet([str(path) for path in shards], columns=names)
    table = table.add_column("audio", [place for path in shards for place in _places(path)])
    there = table["corpus"][:]
    for name in corpora:
        if name not in there:
            known = ", ".join(dict.fromkeys(there))
            raise CorpusError(f"No {name} clip is in the Parquet files of {shards[0].parent}: they hold {known}.")
    chosen = set(corpora)
    return table.select([row for row, name in enumerate(there) if name in chosen])


def recording(audio: str) -> str | bytes:
    """What a table's `audio` names, for `load_audio`: the path of a file, or the bytes that a Parquet file holds."""
    shard, mark, place = audio.rpartition(".parquet#")
    if not mark:
        return audio
    path, row = f"{shard}.parquet", int(place.split("/")[0])
    ends = _row_ends(path)
    group = bisect_right(ends, row)
    return _row_group(path, group)[row - (ends[group - 1] if group else 0)].as_py()


@contextmanager
def _named(shard: str | Path) -> Iterator[None]:
    """Names the file that cannot be read."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise CorpusError(f"{shard} is damaged or was cut off: {reason}. Prepare the corpora again.") from error


def _places(shard: Path) -> list[str]:
    with _named(shard), pq.ParquetFile(shard) as file:
        names = file.read(columns=["audio.path"])["audio"].to_pylist()
    path = shard.resolve()
    return [f"{path}#{row}/{audio['path']}" for row, audio in enumerate(names)]


@lru_cache
def _row_ends(path: str) -> list[int]:
    """The number of rows up to the end of each row group."""
    metadata = pq.read_metadata(path)
    return list(accumulate(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)))


_kept: OrderedDict[tuple[str, int], pa.ChunkedArray] = OrderedDict()
_lock = threading.Lock()


def _row_group(path: str, group: int) -> pa.ChunkedArray:
    """The bytes of the recordings of one row group; the last ones are kept, within `BYTES_KEPT`, at least one."""
    with _lock:
        if (path, group) in _kept:
            _kept.move_to_end((path, group))
            return _kept[path, group]
        with _named(path), pq.ParquetFile(path) as file:
            column = file.read_row_group(group, columns=["audio.bytes"])["audio"]
        _kept[path, group] = pa.chunked_array([part.field("bytes") for part in column.chunks])
        while len(_kept) > 1 and sum(part.nbytes for part in _kept.values()) > BYTES_KEPT:
            _kept.popitem(last=False)
        return _kept[path, group]
