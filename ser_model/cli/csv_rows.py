"""CSV that a command writes row by row: to the console, or to a file that the same command goes on with."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

BLOCK = 2**16  # bytes


Row = dict[str, Any]  # with `file` and `error`


class OutputError(Exception):
    """A file that cannot be written or gone on with, said in one sentence."""


class CsvRows:
    """Writes rows, each at once.

    Args:
        file: Where to.
        done: First cells of the rows that are there already.
        failed: How many of those rows tell of an error.
    """

    def __init__(self, file: TextIO, done: set[str], failed: int = 0):
        self.file, self.done, self.failed = file, done, failed
        self.writer = csv.writer(file, lineterminator="\n")

    def write(self, cells: Sequence[Any]) -> None:
        self.writer.writerow(cells)
        self.file.flush()


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE.csv",
        help="write CSV there, row by row; the same command goes on where an interrupted one ended",
    )


class FileRows:
    """Rows of files as they come: a progress bar, and each error on stderr at once.

    Args:
        paths: Files and folders, as `find_files` takes them.
    """

    def __init__(self, paths: Sequence[str]):
        from ser_model.inference.files import find_files

        self.passed_over: Counter[str] = Counter()
        self.count = sum(1 for _ in find_files(paths, self.passed_over))  # for the time left; nothing is kept
        self.errors = 0

    def told(self, rows: Iterable[Row], done: int = 0) -> Iterator[Row]:
        """The rows, told of as they pass; `done` of all files have been before."""
        from tqdm import tqdm

        with tqdm(total=self.count, initial=done, unit="file", leave=False, disable=None) as progress:
            for row in rows:
                if row["error"]:
                    self.errors += 1
                    progress.write(f"{row['file']}: {row['error']}", file=sys.stderr)
                progress.update()
                yield row

    def status(self) -> int:
        """Says what was passed over; the exit status of the command."""
        from ser_model.audio import passed_over_text

        if self.passed_over:
            print(f"Passed over: {passed_over_text(self.passed_over)}.", file=sys.stderr)
        return int(self.errors > 0)


def write_file_rows(
    paths: Sequence[str],
    output: Path | None,
    columns: Sequence[str],
    made_by: dict[str, Any],
    rows_of: Callable[[Iterable[Path]], Iterable[Row]],
    cells_of: Callable[[Row], Sequence[Any]],
) -> int:
    """Writes a row for each file that has none yet, and returns the exit status.

    Args:
        paths: Files and folders; folders are searched as the rows are written, not before.
        output, columns, made_by: As for `csv_rows`.
        rows_of: Makes the rows of files, in order.
        cells_of: Makes a row's cells, the file first.

    Raises:
        OutputError: See `csv_rows`.
    """
    from ser_model.audio import printable
    from ser_model.inference.files import find_files

    files = FileRows(paths)
    try:
        with csv_rows(output, columns, made_by) as out:
            todo = (path for path in find_files(paths) if printable(path) not in out.done)
            for row in files.told(rows_of(todo), len(out.done)):
                out.write(cells_of(row))
    except KeyboardInterrupt:
        if output:
            print(f"The same command goes on with {output}.", file=sys.stderr)
        raise
    if out.failed:
        print(
            f"{out.failed} of the files in {output} had an error before: delete their rows to try again.",
            file=sys.stderr,
        )
    return files.status() or int(out.failed > 0)


@contextmanager
def csv_rows(path: Path | None, columns: Sequence[str], made_by: dict[str, Any]) -> Iterator[CsvRows]:
    """Opens the CSV and writes its header; what is written is whole rows, however the process ends.

    Args:
        path: The file; None for the console.
        columns: The header. The first column names what a row is about.
        made_by: What rows depend on. It is kept beside the file, as `NAME.json`, and rows of something else
            are not added.

    Raises:
        OutputError: The file is of something else, is being written by another process, or cannot be written.
    """
    if path is None:
        rows = CsvRows(sys.stdout, set())
        rows.write(columns)
        yield rows
        return
    from filelock import FileLock, Timeout

    lock = path.with_name(f".{path.name}.lock")
    try:
        with FileLock(lock, timeout=0), _removed_afterwards(lock):
            done = _rows_of(path, columns, made_by)
            with path.open("a", newline="", encoding="utf-8") as file:
                rows = CsvRows(file, set(done), sum(done.values()))
                if file.tell() == 0:
                    rows.write(columns)
                yield rows
    except Timeout:
        raise OutputError(f"Another process is writing {path}: wait for it, or choose another --output.") from None
    except OSError as error:
        raise OutputError(f"{error.filename or path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _removed_afterwards(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _rows_of(path: Path, columns: Sequence[str], made_by: dict[str, Any]) -> dict[str, bool]:
    """The whole rows of a file, which is cut after the last of them; checks first whose they are.

    Returns:
        First cell -> whether the row tells of an error.
    """
    beside = path.with_name(f"{path.name}.json")
    if not path.exists() or path.stat().st_size == 0:
        partial = beside.with_name(f".{beside.name}.partial")
        partial.write_text(json.dumps(made_by, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, beside)
        return {}
    try:
        before = dict(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise OutputError(f"{path} exists and was not written by this command: choose another --output.") from None
    if differing := [name for name in {**before, **made_by} if before.get(name, ...) != made_by.get(name, ...)]:
        raise OutputError(f"{path} was made with another {' and '.join(differing)}: choose another --output.")
    _cut_unfinished_row(path)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        if next(reader, list(columns)) != list(columns):
            raise OutputError(f"{path} has other columns than this command writes: choose another --output.")
        return {row[0]: bool(dict(zip(columns, row, strict=False)).get("error")) for row in reader if row}


def _cut_unfinished_row(path: Path) -> None:
    """Cuts a file after its last line end: what a killed process left behind it is half a row."""
    with path.open("r+b") as file:
        start = file.seek(0, os.SEEK_END)
        while start > 0:
            end, start = start, max(0, start - BLOCK)
            file.seek(start)
            if (found := file.read(end - start).rfind(b"\n")) >= 0:
                file.truncate(start + found + 1)
                return
        file.truncate(0)
