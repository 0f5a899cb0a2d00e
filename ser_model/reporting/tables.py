"""Tables and the picture of protocols, made from the JSON files in `results/`."""

from __future__ import annotations

import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from datasets_scripts.splits import PROTOCOLS
from ser_model.evaluation.queue import Job, read_result
from ser_model.reporting.alternative_settings import alternative_settings_section

COLUMNS = PROTOCOLS[::-1]  # from the most leaking to the speaker-independent one
COLOURS = {"random-augmented": "#d55e00", "random": "#e69f00", "speaker": "#0072b2"}
HATCHES = {"random-augmented": "//", "random": "..", "speaker": ""}
PROJECT_ANCHORS = Path(__file__).parents[2] / "results" / "anchors.json"
BEGIN, END = "<!-- results: made by `make tables` -->", "<!-- end of results -->"
PAGE_INTRODUCTION = (
    "Made by `make tables` from the JSON files beside this page. Measured figures are computed from reports of runs. "
    "Three kinds of reference figures are typed into `anchors.json`: what the authors of the published systems "
    "report, the targets, and the baseline."
)


def render(root: Path | None, folder: Path, queue: list[Job]) -> list[Path]:
    """Writes `results/README.md`, the tables in `README.md` and `results/protocols.png`.

    Args:
        root: Where `README.md` with the two markers lies; None leaves it alone.
        folder: Where the results and the queue lie, and `anchors.json` unless the project's is meant.
        queue: Every run there should be; what was not run is listed as such.

    Returns:
        The files written.
    """
    reports = {job: report for job in queue if (report := read_result(job, folder))}
    anchors_file = folder / "anchors.json"
    anchors = json.loads((anchors_file if anchors_file.is_file() else PROJECT_ANCHORS).read_text())
    summary = summary_table(reports, anchors)
    page = folder / "README.md"
    page.write_text(results_page(queue, reports, anchors, summary, alternative_settings_section(folder)))
    picture = folder / "protocols.png"
    protocols_figure(reports, anchors).savefig(picture, dpi=110, metadata={"Software": None})
    if root is None:
        return [page, picture]
    readme = root / "README.md"
    text = readme.read_text()
    made = re.sub(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n\n{summary}\n\n{END}", text, flags=re.DOTALL
    )
    readme.write_text(made)
    return [page, picture, readme]


def summary_table(reports: dict[Job, dict[str, Any]], anchors: dict[str, Any]) -> str:
    """One row a preset: what its authors report, and test UAR / accuracy under each protocol."""
    lines = [
        "| preset | corpora | reported by its authors | " + " | ".join(f"`{name}`" for name in COLUMNS) + " |",
        "|---" * 6 + "|",
    ]
    for preset, by_protocol in _by_preset(reports).items():
        claim = anchors["claims"].get(preset)
        cells = [_cell(by_protocol.get(protocol, {})) for protocol in COLUMNS]
        corpora = ", ".join(next(iter(next(iter(by_protocol.values())).values()))["corpora"])
        lines.append(
            f"| {preset} | {corpora} | {claim['text'] if claim else 'no figure'} | " + " | ".join(cells) + " |"
        )
    lines += [
        "",
        "Protocol columns: test UAR / accuracy on unaugmented recordings, computed from the reports in `results/`; in "
        "brackets the folds and seeds, mean ± standard deviation where there are several. Under `random-augmented` "
        "the training part holds augmented copies of test clips, under `random` the test speakers; only `speaker` "
        "shows what to expect for a new voice. The figures reported by the authors are typed in from their project "
        "pages; `docs/systems.md` says under which split, where they name one.",
    ]
    return "\n".join(lines)


def _by_preset(reports: dict[Job, dict[str, Any]]) -> dict[str, dict[str, dict[Job, dict[str, Any]]]]:
    grouped: dict[str, dict[str, dict[Job, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for job, report in sorted(reports.items(), key=lambda entry: entry[0]):
        grouped[job.preset][job.protocol][job] = report
    return grouped


def _cell(reports: dict[Job, dict[str, Any]], figures: Sequence[str] = ("uar", "accuracy")) -> str:
    if not reports:
        return "not run"
    shown = []
    for name in figures:
        values = [100 * report["test"][name] for report in reports.values()]
        shown.append(f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "") + " %")
    folds = ", ".join(str(fold) for fold in sorted({job.fold for job in reports}))
    seeds = ", ".join(str(seed) for seed in sorted({job.seed for job in reports}))
    return f"{' / '.join(shown)} (fold {folds}; seed {seeds})"


def results_page(
    queue: list[Job], reports: dict[Job, dict[str, Any]], anchors: dict[str, Any], summary: str, alternatives: list[str]
) -> str:
    """The whole of `results/README.md`."""
    baseline = anchors["egemaps_svm"]
    lines = [
        "# Results", "", PAGE_INTRODUCTION, "",
        summary, "", "![Accuracy by protocol](protocols.png)", "",
        *_targets(reports, anchors["targets"]), "",
        *alternatives, "",
        "## Run by run", "",
        f"Baseline: {baseline['about']}. Measured {baseline['measured_by']}; its figures are typed in from that "
        f"measurement. {_above_baseline(reports, baseline)}", "",
        "| preset | protocol | fold | seed | test part | clips "
        "| UAR | accuracy | macro F1 | baseline UAR (eGeMAPS + SVM) | epochs | minutes |",
        "|---" * 12 + "|",
    ]  # fmt: skip
    for job in sorted(queue):
        if report := reports.get(job):
            lines += _rows(job, report, baseline)
    waiting = [job for job in queue if job not in reports]
    if waiting:
        lines += ["", "## Queued, not run", ""]
        lines += [f"- {job.preset}, protocol {job.protocol}, fold {job.fold}, seed {job.seed}" for job in waiting]
    return "\n".join(lines) + "\n"


def _targets(reports: dict[Job, dict[str, Any]], targets: list[dict[str, Any]]) -> list[str]:
    """The accuracy aimed at, the accuracy measured, and whether the target is reached."""
    lines = [
        "## Targets", "",
        "Targets are the accuracies reported by the authors, the upper end where they give a range.", "",
        "| preset | protocol | target test accuracy | measured | reached |", "|---" * 5 + "|",
    ]  # fmt: skip
    for target in targets:
        wanted = (target["preset"], target["protocol"])
        found = {job: report for job, report in reports.items() if (job.preset, job.protocol) == wanted}
        measured, reached = "not run", ""
        if found:
            accuracy = mean(report["test"]["accuracy"] for report in found.values())
            measured, reached = _cell(found, ("accuracy",)), "yes" if accuracy >= target["accuracy"] else "no"
        lines.append(f"| {wanted[0]} | {wanted[1]} | {100 * target['accuracy']:.1f} % | {measured} | {reached} |")
    return lines


def _above_baseline(reports: dict[Job, dict[str, Any]], baseline: dict[str, Any]) -> str:
    """Which test parts of speaker-independent runs do not reach the baseline of their fold."""
    compared, below = 0, []
    for job, report in reports.items():
        for corpus, figures in report["test"]["per_corpus"].items():
            if floor := _baseline(job, corpus, baseline):
                compared += 1
                if figures["uar"] <= floor:
                    below.append(f"{job.preset} on {corpus}, fold {job.fold}")
    named = f": {'; '.join(below)}" if below else ""
    return f"Of {compared} speaker-independent test parts with a baseline, {len(below)} do not exceed it{named}."


def _baseline(job: Job, corpus: str, baseline: dict[str, Any]) -> float | None:
    folds = baseline.get(corpus)
    return folds[(job.fold - 1) % len(folds)] if folds and job.protocol == "speaker" else None


def _rows(job: Job, report: dict[str, Any], baseline: dict[str, Any]) -> list[str]:
    """The pooled row of a run, and one for each corpus where there are several."""
    parts = report["test"]["per_corpus"]
    whole = {"all": dict(report["test"], clips=report["split_sizes"]["test"])} if len(parts) > 1 else {}
    rows = []
    for part, figures in {**whole, **parts}.items():
        floor = _baseline(job, part, baseline)
        beside = f"{floor:.1%}" if floor else ""
        missing = figures.get("missing_classes")
        note = f" (no {', '.join(missing)})" if missing else ""
        first = part == next(iter({**whole, **parts}))
        tail = f"{report['epochs']:.0f} | {report['training_seconds'] / 60:.0f}" if first else " | "
        rows.append(
            f"| {job.preset} | {job.protocol} | {job.fold} | {job.seed} | {part}{note} | {figures['clips']} "
            f"| {figures['uar']:.1%} | {figures['accuracy']:.1%} | {figures['macro_f1']:.1%} | {beside} | {tail} |"
        )
    return rows


def protocols_figure(reports: dict[Job, dict[str, Any]], anchors: dict[str, Any]) -> Figure:
    """Test accuracy of each measured preset by protocol, beside the figure reported by its authors."""
    grouped = _by_preset(reports)
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    axes = figure.subplots()
    positions = np.arange(len(grouped))
    for offset, protocol in enumerate(COLUMNS):
        heights = [
            100 * mean(report["test"]["accuracy"] for report in found[protocol].values()) if found[protocol] else 0.0
            for found in grouped.values()
        ]
        bars = axes.bar(positions + (offset - 1) * 0.27, heights, 0.25, label=protocol,
                        color=COLOURS[protocol], hatch=HATCHES[protocol], edgecolor="white")  # fmt: skip
        for label in axes.bar_label(
            bars, [f"{height:.0f}" if height else "" for height in heights], label_type="center"
        ):
            label.set(bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5} if label.get_text() else None)
    claims = [100 * (anchors["claims"].get(name) or {}).get("accuracy", np.nan) for name in grouped]
    axes.hlines(claims, positions - 0.42, positions + 0.42, colors="black", label="reported by its authors")
    axes.set_xticks(positions, [textwrap.fill(name, 13) for name in grouped])
    axes.set(ylabel="test accuracy in %", ylim=(0, 100), title="The same networks under three protocols")
    figure.legend(ncols=4, loc="outside lower center", frameon=False)
    return figure
