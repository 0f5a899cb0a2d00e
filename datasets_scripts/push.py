"""Puts corpora on the Hub as Parquet with the audio inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ser_model.hub import check_token, push_folder

from .prepare import prepare


def push(corpora: Sequence[str], data_dir: Path, repo_id: str, private: bool = True) -> tuple[int, str]:
    """Prepares the corpora in a temporary folder and pushes that, card and all, in one commit.

    Args:
        corpora: Names, see `CORPORA`.
        data_dir: Any folder above the corpora.
        repo_id: `user/name`, or `name` for one's own.
        private: Whether a new repository is private; not every corpus may be passed on.

    Returns:
        The number of clips, and the data set's address.

    Raises:
        CorpusError: A corpus cannot be loaded.
        HubError: The push did not succeed.
    """
    check_token()  # before the long part
    with TemporaryDirectory() as parent:
        folder = Path(parent, "prepared")
        count = prepare(corpora, data_dir, folder)
        return count, push_folder(folder, repo_id, "dataset", private, mirror=True)
