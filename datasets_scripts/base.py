"""What every corpus shares: find the files, read their names, hand out one row a clip."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import datasets
from datasets import ClassLabel, Dataset, Value
from filelock import FileLock

from ser_model.audio import walk_audio
from ser_model.labels import EMOTIONS

from .near_misses import near_misses

if TYPE_CHECKING:
    from .download import Source


NOT_UTF8 = "its name is not in UTF-8, which a table cannot hold: rename it"


class CorpusError(Exception):
    """A corpus that cannot be used, said in one sentence."""


@dataclass(frozen=True)
class Clip:
    """A clip found on disk: its file, and what the file's name tells."""

    path: Path
    row: dict[str, Any]


@dataclass
class Scan:
    """What lies below a folder.

    Attributes:
        clips: The corpus's clips.
        defects: Files that are not as they should be, and why.
        copies: Further files of clips that are there already, as repackagings have them.
    """

    clips: list[Clip] = field(default_factory=list)
    defects: list[tuple[Path, str]] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)

    def fingerprint(self) -> str:
        """Changes when a file is added, removed or rewritten."""
        digest = hashlib.sha256()
        for clip in self.clips:
            stat = clip.path.stat() if clip.path.exists() else clip.path.lstat()
            digest.update(f"{clip.path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{clip.row}\n".encode())
        return digest.hexdigest()[:32]


class CorpusBuilder(datasets.GeneratorBasedBuilder):
    """Base of the corpora: a subclass says how a file name becomes a row.

    Instantiate with the folder that holds the corpus anywhere below it:
    `RavdessBuilder(data_dir=...).download_and_prepare(); builder.as_dataset(split="train")`,
    or use `load_corpora`.
    """

    VERSION = datasets.Version("1.0.0")
    corpus: ClassVar[str]
    labels: tuple[str, ...] = EMOTIONS
    extra_features: ClassVar[dict[str, Any]] = {}  # a name that several corpora use has one type in all
    endings: ClassVar[set[str]] = {".wav", ".flac"}
    archives: ClassVar[tuple[str, ...]] = ()  # official zip files, read as they come
    source: ClassVar[Source | None] = None  # what `download` fetches
    looked_for: ClassVar[str]  # an example of a file name, for messages
    how_to_get: ClassVar[str]  # one sentence
    cite: ClassVar[str]
    licence: ClassVar[str]
    clips_per_label: ClassVar[dict[str, int]] = {}  # the whole corpus; empty where nobody can know
    clips_per_speaker: ClassVar[dict[str, int]] = {}

    def __init__(self, data_dir: str | os.PathLike, cache_dir: str | os.PathLike | None = None, **hints: Any):
        self.scan_result = self.scan(data_dir, cache_dir, **hints)
        if not self.scan_result.clips:
            near = "".join(f" Not taken: {line}." for line in near_misses(type(self), Path(data_dir)))
            raise CorpusError(
                f"No {self.corpus} clip lies below {data_dir}: looked for {self.looked_for} "
                f"({', '.join(sorted(self.endings))}).{near} {self.how_to_get}"
            )
        self.labels = self.labels_of(self.scan_result)
        super().__init__(
            cache_dir=str(cache_dir) if cache_dir else None,
            dataset_name=self.corpus,
            data_dir=str(Path(data_dir).resolve()),  # one table, however the folder is named
            hash=self.scan_result.fingerprint(),
        )

    @classmethod
    def parse(cls, path: Path) -> dict[str, Any] | None:
        """Reads a file's row from its path below the data folder.

        Returns:
            The row without `audio` and `corpus`, or None when the file is none of this corpus's.

        Raises:
            ValueError: The name looks like this corpus's but breaks its rules; the text says how.
        """
        raise NotImplementedError(f"{cls.__name__} has to say how a file name becomes a row.")

    @classmethod
    def scan(cls, data_dir: str | os.PathLike, cache_dir: str | os.PathLike | None = None) -> Scan:
        """Finds the corpus's clips below `data_dir`; the first of several files of one clip is kept.

        Args:
            data_dir: Any folder above the corpus's files.
            cache_dir: Where official archives are unpacked; by default the datasets library's own cache.
        """
        root = Path(data_dir).resolve()
        if not os.path.isdir(root):
            raise CorpusError(f"There is no folder {root} to look for {cls.corpus} in.")
        result, seen = Scan(), set()
        unpack_to = Path(cache_dir or datasets.config.HF_DATASETS_CACHE, "archives")
        for path, relative in _files(root, cls.endings, cls.archives, unpack_to):
            try:
                row, defect = cls.parse(relative), "" if is_utf8(path) else NOT_UTF8
            except ValueError as error:
                row, defect = {}, str(error)
            if row is None:
                continue
            key = cls.clip_key(relative)
            if key in seen:
                result.copies.append(path)
            elif defect:
                result.defects.append((path, defect))
            else:
                result.clips.append(Clip(path, row))
            seen.add(key)
        return result

    @classmethod
    def clip_key(cls, relative: Path) -> str:
        """What two files of one clip share: the name without its ending."""
        return relative.stem.lower()

    @classmethod
    def text(cls, row: dict[str, Any]) -> str | None:
        """Names the words that a row of the table says, the same for the same words; None where they are not known."""
        return row.get("statement")

    @classmethod
    def labels_of(cls, scan: Scan) -> tuple[str, ...]:
        """The label set; a corpus whose labels are not known beforehand reads them off its clips."""
        return cls.labels

    def _info(self) -> datasets.DatasetInfo:
        features = {
            "audio": Value("string"),
            "corpus": Value("string"),
            "speaker": Value("string"),
            "sex": Value("string"),
            "emotion": ClassLabel(names=list(self.labels)),
            **self.extra_features,
        }
        return datasets.DatasetInfo(features=datasets.Features(features), citation=self.cite, license=self.licence)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN)]

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, clip in enumerate(self.scan_result.clips):
            yield index, {"audio": str(clip.path), "corpus": self.corpus, **clip.row}

    def dataset(self) -> Dataset:
        """Prepares (or finds prepared) the whole corpus as one Dataset."""
        self.download_and_prepare()
        return self.as_dataset(split="train")


def in_order(labels: Iterable[str]) -> list[str]:
    """Every label once: emotions in the project's order, then the others by name."""
    found = set(labels)
    return [label for label in EMOTIONS if label in found] + sorted(found.difference(EMOTIONS))


def is_utf8(path: Path) -> bool:
    """Whether a table can hold the path."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _files(root: Path, endings: set[str], archives: tuple[str, ...], unpack_to: Path) -> Iterator[tuple[Path, Path]]:
    """Clips below `root` in a fixed order, then those in official archives: (path, path below root)."""
    zips = []
    for path in walk_audio(root, {*endings, ".zip"}):
        if path.suffix.lower() in endings:
            yield path, path.relative_to(root)
        elif path.name in archives:
            zips.append(path)
    for archive in zips:
        yield from _files(_unpacked(archive, unpack_to), endings, (), unpack_to)


def _unpacked(archive: Path, unpack_to: Path) -> Path:
    """Unpacks a zip once; what a cut leaves is never taken for whole."""
    stat = archive.stat()
    key = hashlib.sha256(f"{archive.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = unpack_to / f"{archive.stem}-{key}"
    if folder.is_dir():
        return folder
    unpack_to.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.partial")
    with FileLock(f"{folder}.lock"):  # two runs may start side by side
        if folder.is_dir():
            return folder
        shutil.rmtree(partial, ignore_errors=True)
        try:
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(partial)
            os.replace(partial, folder)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise CorpusError(f"{archive} is damaged or was cut off ({error}); download it again.") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder
