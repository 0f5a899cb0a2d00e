"""How soon the command line answers, and what it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from .data import ROOT
from .rows import Row

REPEATS, MOST_SECONDS = 5, 0.5
HEAVY = ("torch", "gradio", "transformers", "numpy")
CODE = {
    "import ser_model": "import ser_model",
    "ser-model --help": "from ser_model.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass",
}


def rows() -> list[Row]:
    return [_row(name, code) for name, code in CODE.items()]


def _row(name: str, code: str) -> Row:
    code += f"\nimport sys; print('IMPORTED', *[name for name in {HEAVY} if name in sys.modules])"
    seconds = []
    for _ in range(REPEATS):
        before = os.times().children_user
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        seconds.append(os.times().children_user - before)
    imported = done.stdout.rsplit("IMPORTED", 1)[1].split()
    met = median(seconds) <= MOST_SECONDS and not imported
    return Row(
        f"`{name}`", f"at most {MOST_SECONDS:g} s of user time, without torch and gradio", f"{median(seconds):.2f} s",
        met, f"imports of {', '.join(HEAVY)}: {', '.join(imported) or 'none'}",
    )  # fmt: skip
