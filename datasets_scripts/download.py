"""Fetches corpora that have a DOI: each file whole and as published, or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pooch
import requests
from pooch.downloaders import DataverseRepository, choose_downloader, doi_to_repository
from tqdm import tqdm

from .base import CorpusError


class Source(Protocol):
    """What a corpus names as its `source`."""

    def download(self, data_dir: Path, url: str | None = None) -> str:
        """Fetches what is not there yet and says in a sentence what was done.

        Raises:
            CorpusError: The source cannot be reached, breaks off, or sends something else.
        """


@dataclass(frozen=True)
class DoiFile:
    """One file of a published record; `url` may name a mirror of the file."""

    doi: str
    name: str
    known_hash: str

    def download(self, data_dir: Path, url: str | None = None) -> str:
        target = data_dir / self.name
        fetched = fetch(url or f"doi:{self.doi}/{self.name}", self.known_hash, target, progress=True)
        return f"{target} is whole." if fetched else f"{target} is there already, and whole."


@dataclass(frozen=True)
class DataverseFiles:
    """All files of a Dataverse dataset, one by one; `url` may name another Dataverse that holds it."""

    doi: str
    folder: str

    def download(self, data_dir: Path, url: str | None = None) -> str:
        target = data_dir / self.folder
        try:
            repository = (
                DataverseRepository.initialize(self.doi, url) if url else doi_to_repository(self.doi, timeout=30)
            )
            if repository is None:
                raise CorpusError(f"{url} is no Dataverse that holds doi:{self.doi}.")
            listed = pooch.create(path=target, base_url=f"doi:{self.doi}")
            repository.populate_registry(listed)
        except (OSError, ValueError, KeyError) as error:
            raise CorpusError(f"The list of files of doi:{self.doi} cannot be had: {_in_words(error)}.") from error
        names = sorted(listed.registry)
        fetched = sum(
            fetch(repository.download_url(name), listed.registry[name], target / Path(name).name)
            for name in tqdm(names, unit="file", desc=self.folder)
        )
        return f"{target} holds all {len(names)} files, {fetched} of them fetched now."


def fetch(url: str, known_hash: str, target: Path, progress: bool = False) -> bool:
    """Fetches one file to `target`, which is only ever there whole.

    Args:
        url: An http(s) address, or `doi:<DOI>/<file name>`.
        known_hash: As `md5:...` or `sha256:...`.
        target: Where the file belongs; one that is there and right is not fetched again.
        progress: Shows a bar of its bytes.

    Returns:
        Whether it had to be fetched.

    Raises:
        CorpusError: The file cannot be reached, breaks off, or is another one. Nothing is left behind.
    """
    if target.is_file() and _is(target, known_hash):
        return False
    # A killed download leaves this file; its name keeps it out of every corpus, and the next run overwrites it.
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"{target.parent} cannot be written: {error.strerror}.") from error
    try:
        with tqdm(total=1, unit="B", unit_scale=True, desc=target.name, disable=not progress) as bar:
            choose_downloader(url, progressbar=bar)(url, str(partial), None)
        if not _is(partial, known_hash):
            raise CorpusError(f"What {url} sent is not {target.name} as published (another checksum); it was not kept.")
        os.replace(partial, target)
    except (OSError, ValueError) as error:
        raise CorpusError(f"{target.name} could not be fetched from {url}: {_in_words(error)}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def _is(path: Path, known_hash: str) -> bool:
    algorithm, _, digest = known_hash.rpartition(":")
    return pooch.file_hash(str(path), alg=algorithm or "sha256") == digest.lower()


def _in_words(error: Exception) -> str:
    """The libraries' messages run over several lines of classes and addresses."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off half way; try again"
    if isinstance(error, requests.ConnectionError):
        return "the connection to the server fails"
    if isinstance(error, KeyError):
        return f"the server's answer lacks {error}"
    return " ".join(str(error).split())
