"""One module a command: `add_arguments(parser)` and `run(args) -> exit status`.

Their heads import nothing heavy, so that `--help` answers at once.
"""

from pathlib import Path

DEFAULT_MODEL = Path(__file__).parents[2] / "checkpoints" / "default"
