"""One module a command: `add_arguments(parser)` and `run(args) -> exit status`.

Their heads import nothing heavy, so that `--help` answers at once.
"""

import io
import sys
from pathlib import Path

DEFAULT_MODEL = Path(__file__).parents[2] / "checkpoints" / "default"


def set_up() -> None:
    """UTF-8 out, whatever the console's encoding; one thread, since several on a busy machine slow an LSTM down; no
    progress bar for loading weights.
    """
    import torch
    from transformers.utils import logging

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    torch.set_num_threads(1)
    logging.disable_progress_bar()
