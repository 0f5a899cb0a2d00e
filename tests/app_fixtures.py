"""An app that the tests of a process share, where they need no settings of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_helpers import running_app, second_checkpoint


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory) -> Path:
    """Where the app has its log, its process id and its temporary files."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_url(app_folder, tmp_path_factory) -> Iterator[str]:
    """The app with a second checkpoint to compare with."""
    second = second_checkpoint(tmp_path_factory.mktemp("checkpoints"))
    with running_app(app_folder, COMPARE_IDS=str(second)) as url:
        yield url
