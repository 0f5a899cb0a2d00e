"""Command line: `ser-model COMMAND ...`; `ser-model --help` lists the commands."""

from __future__ import annotations

import argparse
import sys

from ser_model.cli import (
    evaluate,
    predict,
    push,
    push_space,
    results,
    robustness,
    timeline,
    voice_profile,
    voice_reference,
)

COMMANDS = {
    "predict": predict,
    "evaluate": evaluate,
    "push": push,
    "push-space": push_space,
    "results": results,
    "robustness": robustness,
    "timeline": timeline,
    "voice-profile": voice_profile,
    "voice-reference": voice_reference,
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ser-model", description="Predict emotions from recorded speech.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        module.add_arguments(subparser)
    args = parser.parse_args(argv)
    return COMMANDS[args.command].run(args)


if __name__ == "__main__":
    sys.exit(main())
