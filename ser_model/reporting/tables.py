"""The results page, the tables in `README.md` and the picture of protocols, made from the JSON files in `results/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ser_model.evaluation.queue import Job, read_result

from .alternative_settings import alternative_settings_section
from .baselines import ENCODER, Baselines, read_anchors, read_baselines
from .default_tables import DEFAULT, corpora_matrix, folds_table, goals_table, headline, profiles_table
from .fold_figures import Reports
from .live_openings import live_openings_section
from .preset_tables import below_baselines, protocols_figure, runs_table, summary_table, targets_table

BEGIN, END = "<!-- results: made by `make tables` -->", "<!-- end of results -->"
PAGE_INTRODUCTION = (
    "Made by `make tables` from the JSON files beside this page. Measured figures are computed from reports of runs. "
    "Typed into `anchors.json` with their source are published figures, what the authors of the rebuilt systems "
    "report, targets and goals, and the baseline eGeMAPS + SVM."
)

ITEMS_NOTE = "Items are clips; under `random-augmented` their augmented copies count too."


def render(root: Path | None, folder: Path, queue: list[Job]) -> list[Path]:
    """Writes `results/README.md`, the tables in `README.md` and `results/protocols.png`.

    Args:
        root: Where `README.md` with the two markers lies; None leaves it alone.
        folder: Where the results and the queue lie; `anchors.json` and the baselines too, unless the
            project's are meant.
        queue: Every run there should be; what was not run is listed as such.

    Returns:
        The files written.
    """
    reports = {job: report for job in queue if (report := read_result(job, folder))}
    anchors = read_anchors(folder)
    baselines = read_baselines(folder, anchors)
    first, summary = [], summary_table(reports, anchors)
    if any(job.preset == DEFAULT for job in queue):
        first = headline(reports, baselines, anchors["published"])
    page = folder / "README.md"
    sections = {
        "": ["# Results", "", PAGE_INTRODUCTION],
        f"## The default: {DEFAULT}": _default_section(first, reports, baselines, anchors),
        "## All presets": [*summary, "", "![Accuracy by protocol](protocols.png)"],
        "## Targets": [
            "Targets are the accuracies reported by the authors, the upper end where they give a range.", "",
            *targets_table(reports, anchors["targets"]),
        ],
        "## Alternative settings": alternative_settings_section(folder),
        "## Live": live_openings_section(folder),
        "## Run by run": [
            *_baselines_note(anchors), *below_baselines(reports, baselines), ITEMS_NOTE, "",
            *runs_table(reports, baselines)
        ],
        "## Queued, not run": [
            f"- {job.preset}, protocol {job.protocol}, fold {job.fold}, seed {job.seed}"
            for job in queue if job not in reports
        ],
    }  # fmt: skip
    page.write_text(_joined(sections) + "\n", encoding="utf-8")
    picture = folder / "protocols.png"
    protocols_figure(reports, anchors).savefig(picture, dpi=110, metadata={"Software": None})
    if root is None:
        return [page, picture]
    readme = root / "README.md"
    made = _joined({"": first, "**All presets**": summary})
    text = re.sub(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}",
        lambda _: f"{BEGIN}\n\n{made}\n\n{END}",
        readme.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    readme.write_text(text, encoding="utf-8")
    return [page, picture, readme]


def _joined(sections: dict[str, list[str]]) -> str:
    """Sections under their headings; an empty one is left out."""
    return "\n\n".join(
        "\n".join([heading, "", *lines] if heading else lines) for heading, lines in sections.items() if lines
    )


def _default_section(first: list[str], reports: Reports, baselines: Baselines, anchors: dict[str, Any]) -> list[str]:
    if not first:
        return []
    others = " ".join(
        f"{other['system']} reaches {other['figure']} on {other['split']} ({other['source']})."
        for other in anchors["other_splits"]
    )
    profiles, matrix = profiles_table(reports), corpora_matrix(reports)
    return _joined({
        "": [*first, "", f"Under other splits, which do not compare: {others}"],
        "### Goals": goals_table(reports, anchors["goals"]),
        "### By fold": folds_table(reports, baselines),
        "### With a voice profile": profiles and [
            "UAR where each test clip is predicted with a profile made of so many other clips of its speaker, drawn "
            "without regard to their labels (`neutral`: of the neutral ones). Mean over folds, of the mean over seeds.",
            "", *profiles,
        ],
        "### Corpora it was not trained on": matrix and [
            "Protocol `leave-corpus-out`: UAR over the labels that the tested corpus has in common with those trained "
            "on, predicted among all labels of the network; mean over seeds. The first row is the mean over folds of "
            "protocol `speaker`, over all labels of the corpus.", "", *matrix,
        ],
    }).splitlines()  # fmt: skip


def _baselines_note(anchors: dict[str, Any]) -> list[str]:
    typed = anchors["egemaps_svm"]
    return [
        f"Baselines: {typed['about']}; measured {typed['measured_by']}, typed in. {ENCODER}: frozen Whisper-base, mean "
        "and standard deviation of its layer 3 over time, and an RBF SVM for each corpus and fold; "
        "`python -m scripts.encoder_svm` measures it anew."
    ]
