"""Command line: `ser-model COMMAND ...`; `ser-model --help` lists the commands."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from typing import NoReturn

from ser_model.cli import (
    cross_validate,
    evaluate,
    export,
    predict,
    push,
    push_space,
    results,
    robustness,
    timeline,
    voice_profile,
    voice_quality,
    voice_reference,
)
from ser_model.stopping import end_when_asked

COMMANDS = {
    "predict": predict,
    "cross-validate": cross_validate,
    "evaluate": evaluate,
    "export": export,
    "push": push,
    "push-space": push_space,
    "results": results,
    "robustness": robustness,
    "timeline": timeline,
    "voice-profile": voice_profile,
    "voice-quality": voice_quality,
    "voice-reference": voice_reference,
}


DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ser-model", description="Predict emotions from recorded speech.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        module.add_arguments(subparser)
    args = parser.parse_args(argv)
    try:
        status = COMMANDS[args.command].run(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print(f"{args.command}: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has enough
        _discard_output()
        return 1
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        _discard_output()
        print(f"{args.command}: the output could not be written: {error.strerror}.", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:  # as where only `requirements-onnx.txt` was installed
        if (error.name or "").startswith("ser_model"):
            raise
        print(f"{args.command}: it needs {error.name}, which is not installed.", file=sys.stderr)
        return 1


def _discard_output() -> None:
    """Loses what is still to be written to stdout, which would fail when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_as_program() -> NoReturn:
    """Runs `main` and ends the process."""
    end_when_asked()
    sys.exit(main())


if __name__ == "__main__":
    run_as_program()
