"""Push a checkpoint folder to the Hub."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="checkpoint folder that train.py wrote")
    parser.add_argument("repo_id", metavar="ID", help="user/name on the Hub")
    parser.add_argument("--private", action="store_true", help="if the repository is new, only you see it")


def run(args: argparse.Namespace) -> int:
    """Prints the model's address."""
    from ser_model.hub import HubError, push_model

    try:
        print(push_model(args.folder, args.repo_id, args.private or None))
    except HubError as error:
        print(f"push: {error}", file=sys.stderr)
        return 1
    return 0
