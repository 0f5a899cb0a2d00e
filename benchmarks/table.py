"""The table of measurements in docs/performance.md, from benchmarks/results.json."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .data import ROOT
from .rows import Row

RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "performance.md"
START, END = "<!-- measurements: made by `make benchmark` -->", "<!-- end of measurements -->"
MARKS = {True: "met", False: "**missed**", None: ""}


def shown(row: Row) -> str:
    """A row as a line of text."""
    goal = f" (goal {row.goal}: {'met' if row.met else 'MISSED'})" if row.met is not None else ""
    return f"{row.what}: {row.found}{goal}. {row.detail}"


def hardware() -> dict[str, Any]:
    """Processor, cores and versions that the figures hold for."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":")[1].split() for line in lines if line.startswith("flags")), [])
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "instructions": [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    machine = results["hardware"]
    instructions = f" ({', '.join(machine['instructions'])})" if machine["instructions"] else ""
    lines = [
        f"{machine['processor']}{instructions}, {machine['cores']} cores; Python {machine['python']}, "
        f"torch {machine['torch']}.",
        "",
        "| what | goal | measured | | behind it |",
        "|---|---|---|---|---|",
    ]
    for row in (Row(**each) for each in results["rows"]):
        lines.append(f"| {row.what} | {row.goal} | {row.found} | {MARKS[row.met]} | {row.detail} |")
    return "\n".join(lines)


def write_table() -> Path:
    """Writes the table between its marks in the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    made = table(json.loads(RESULTS.read_text(encoding="utf-8")))
    PAGE.write_text(f"{before}{START}\n\n{made}\n\n{END}{after}", encoding="utf-8")
    return PAGE
