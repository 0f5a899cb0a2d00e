"""The table of Live's first labels, from what `scripts/live_openings.py` measured."""

from __future__ import annotations

import json
from pathlib import Path

from .preset_tables import table

FILE = "live-openings.json"


def live_openings_section(folder: Path) -> list[str]:
    """What an utterance's first label is worth, by the speech it waits for; nothing where that was not measured."""
    path = folder / FILE
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        [f"{seconds} s", *(f"{figures[name]:.1%}" for name in ("first_right", "last_right", "first_changed")),
         f"{figures['median_seconds_to_first']:.1f} s"]
        for seconds, figures in found["opens_seconds"].items()
    ]  # fmt: skip
    header = ["speech before", "first label right", "last label right", "first label changed", "median wait"]
    return [
        f"`{found['preset']}`, protocol `{found['protocol']}`, fold {found['fold']}, seed {found['seed']}: "
        f"{found['clips']} test clips run through Live as if spoken at the microphone "
        "(`python -m scripts.live_openings`). The page waits for 1.5 s; the wait counts from the clip's start, its "
        "silence included.", "", *table(header, rows),
    ]  # fmt: skip
