"""Starts a command in a process that a server forks, where all that it imports is there already.

It is a process like any other, with a pid, signals, limits and an exit status of its own; only seconds of imports are
spared. That commands also start from nothing is tested where they run undisturbed.
"""

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parents[1]
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["ser_model.cli.train", "ser_model.evaluation.runner", "ser_model.inference.recognizer"])


def started(
    module: str, *words: object, env: Mapping[str, str], piped: int | None = None
) -> tuple[BaseProcess, TextIO]:
    """Starts `python -m module words` in the project's folder, as the leader of a session of its own.

    Args:
        module: `train` or `ser_model`.
        words: The command's arguments.
        env: Its environment.
        piped: 1 for stdout or 2 for stderr, to be read here; what it writes else is lost.

    Returns:
        The process, and what it writes to the stream that is piped.
    """
    reader, writer = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=_run, args=(module, [*map(str, words)], dict(env), piped, writer))
    process.start()
    writer.close()
    return process, open(os.dup(reader.fileno()))


def _run(module: str, words: list[str], env: dict[str, str], piped: int, writer: Connection) -> None:
    import datasets

    multiprocessing.set_start_method(None, force=True)  # processes of its own are started as by default
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell's processes ignore Ctrl-C
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    if cache := env.get("HF_DATASETS_CACHE"):
        datasets.config.HF_DATASETS_CACHE = Path(cache)  # was read when it was imported
    with open(os.devnull, "wb") as nowhere:
        for stream in (1, 2):
            os.dup2((writer if stream == piped else nowhere).fileno(), stream)
    writer.close()
    sys.path.insert(0, str(ROOT))
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)
