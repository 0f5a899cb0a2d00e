"""What every corpus shares: find the files, read their names, hand out one row a clip."""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import datasets
from datasets import ClassLabel, Dataset, Value

from ser_model.labels import EMOTIONS

logger = logging.getLogger(__name__)

CLIP_ENDINGS = {".wav", ".flac"}


class CorpusError(Exception):
    """A corpus that cannot be used, said in one sentence."""


@dataclass(frozen=True)
class Clip:
    """A clip found on disk: its file, and what the file's name tells."""

    path: Path
    row: dict[str, Any]


@dataclass
class Scan:
    """What lies below a folder: the corpus's clips, and the files that are not as they should be."""

    clips: list[Clip] = field(default_factory=list)
    defects: list[tuple[Path, str]] = field(default_factory=list)

    def fingerprint(self) -> str:
        """Changes when a file is added, removed or rewritten."""
        digest = hashlib.sha256()
        for clip in self.clips:
            stat = clip.path.stat()
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
    labels: ClassVar[tuple[str, ...]] = EMOTIONS
    extra_features: ClassVar[dict[str, Any]] = {}
    archives: ClassVar[tuple[str, ...]] = ()  # official zip files, read as they come
    looked_for: ClassVar[str]  # an example of a file name, for messages
    how_to_get: ClassVar[str]  # one sentence
    cite: ClassVar[str]
    licence: ClassVar[str]

    def __init__(self, data_dir: str | os.PathLike, cache_dir: str | os.PathLike | None = None):
        self.scan_result = self.scan(data_dir)
        if not self.scan_result.clips:
            raise CorpusError(
                f"No {self.corpus} clip lies below {data_dir} (looked for names like {self.looked_for}, "
                f"WAV or FLAC). {self.how_to_get}"
            )
        super().__init__(
            cache_dir=str(cache_dir) if cache_dir else None,
            dataset_name=self.corpus,
            data_dir=str(data_dir),
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
    def scan(cls, data_dir: str | os.PathLike) -> Scan:
        """Finds the corpus's clips below `data_dir`; the first of several files of one name is kept."""
        root = Path(data_dir).resolve()
        if not root.is_dir():
            raise CorpusError(f"There is no folder {root} to look for {cls.corpus} in.")
        result, seen = Scan(), {}
        for path, relative in _files(root, cls.archives):
            try:
                row = cls.parse(relative)
            except ValueError as error:
                result.defects.append((path, str(error)))
                continue
            if row is None:
                continue
            key = cls.clip_key(relative)
            if key in seen:
                result.defects.append((path, f"the same clip is taken from {seen[key]}"))
                continue
            seen[key] = path
            result.clips.append(Clip(path, row))
        return result

    @classmethod
    def clip_key(cls, relative: Path) -> str:
        """What two files of one clip share: the name without its ending."""
        return relative.stem.lower()

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
        for path, reason in self.scan_result.defects:
            logger.warning("%s: %s left out: %s", self.corpus, path, reason)
        self.download_and_prepare()
        return self.as_dataset(split="train")


def _files(root: Path, archives: tuple[str, ...]) -> Iterator[tuple[Path, Path]]:
    """Clips below `root` in a fixed order, then those in official archives: (path, path below root)."""
    zips = []
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith("."):
                continue  # macOS leaves "._name.wav" beside files
            if path.suffix.lower() in CLIP_ENDINGS:
                yield path, path.relative_to(root)
            elif name in archives:
                zips.append(path)
    for archive in zips:
        yield from _files(_unpacked(archive), ())


def _unpacked(archive: Path) -> Path:
    """Unpacks a zip once into the datasets cache; what a cut leaves is never taken for whole."""
    stat = archive.stat()
    key = hashlib.sha256(f"{archive.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = Path(datasets.config.HF_DATASETS_CACHE, "archives", f"{archive.stem}-{key}")
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
        try:
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(partial)
        except (zipfile.BadZipFile, EOFError) as error:
            raise CorpusError(f"{archive} is damaged or was cut off ({error}); download it again.") from error
        os.replace(partial, folder)
    return folder
