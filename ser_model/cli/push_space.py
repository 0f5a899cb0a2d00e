"""Push the demo and its model to the Hub as a Space."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ser_model.cli import DEFAULT_MODEL

PROJECT = Path(__file__).parents[2]
FILES = ("app.py", "requirements.txt", "packages.txt", "README.md", "LICENSE")
FOLDERS = ("ser_model", "demo", "examples")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repo_id", metavar="ID", help="user/name on the Hub")
    parser.add_argument(
        "--model", type=Path, default=DEFAULT_MODEL, metavar="FOLDER", help="checkpoint to show (default: shipped)"
    )
    parser.add_argument("--private", action="store_true", help="if the Space is new, only you see it")


def run(args: argparse.Namespace) -> int:
    """Prints the Space's address."""
    from ser_model.hub import HubError, push_folder

    try:
        with TemporaryDirectory() as parent:
            space = Path(parent, "space")
            gather(args.model, space)
            print(push_folder(space, args.repo_id, "space", args.private or None, mirror=True))
    except HubError as error:
        print(f"push-space: {error}", file=sys.stderr)
        return 1
    return 0


def gather(model: Path, space: Path) -> None:
    """Copies what a Space needs to a new folder `space`.

    The checkpoint goes where app.py looks for it, the other shipped ones beside it, to compare with.

    Raises:
        HubError: The checkpoint is not complete, or this is an installed package.
    """
    from ser_model.hub import NOT_PUSHED, HubError, check_complete

    if not (PROJECT / "app.py").is_file():
        raise HubError("An installed package holds no demo: push a Space with the project's own folder.")
    check_complete(model)
    space.mkdir()
    for name in FILES:
        shutil.copy(PROJECT / name, space)
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, space / name, ignore=shutil.ignore_patterns("__pycache__"))
    others = {config.parent.name: config.parent for config in DEFAULT_MODEL.parent.glob("*/config.json")}
    for name, folder in (others | {DEFAULT_MODEL.name: model}).items():
        shutil.copytree(folder, space / "checkpoints" / name, ignore=shutil.ignore_patterns(*NOT_PUSHED))
