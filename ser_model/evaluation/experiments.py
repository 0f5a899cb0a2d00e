"""Experiments: alternative settings of a preset, judged by the validation part alone."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

from ser_model.training.presets import load_preset

from .queue import Job

FOLDER = "experiments"


def keep_experiment(run: Path, preset: str, folder: Path) -> Path:
    """Copies the report of a run with other settings to `folder/experiments`.

    The test part is left out, so that nobody chooses settings by it.

    Args:
        run: Folder that train.py wrote.
        preset: The preset that its settings were meant for.
        folder: Where the results lie.

    Raises:
        PresetError: There is no such preset.
        FileNotFoundError: The run has no report.
    """
    load_preset(preset)  # a wrong name is an error before anything is written
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    left_out = ("test", "voice_profiles", "leakage", "left_out")
    kept = {name: value for name, value in report.items() if name not in left_out}
    job = Job(preset, report["protocol"], report["fold"], report["seed"])
    settings = zlib.crc32(json.dumps(kept["settings"], sort_keys=True).encode())
    path = folder / FOLDER / f"{job.name}__{settings:08x}.json"
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(kept | {"preset": preset}, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
    return path
