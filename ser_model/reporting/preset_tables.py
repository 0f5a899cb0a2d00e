"""Tables of all presets: one row a preset, targets, and run by run; the picture of protocols."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from statistics import mean, stdev
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .baselines import Baselines, baseline_of
from .fold_figures import Reports, fold_means, folds_and_seeds, mean_over_folds, runs_on

COLUMNS = ("random-augmented", "random", "speaker")  # from the most leaking to the speaker-independent one
COLOURS = {"random-augmented": "#d55e00", "random": "#e69f00", "speaker": "#0072b2"}
HATCHES = {"random-augmented": "//", "random": "..", "speaker": ""}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def summary_table(reports: Reports, anchors: dict[str, Any]) -> list[str]:
    """One row a preset: what its authors report, and test UAR / accuracy under each protocol."""
    rows = []
    for preset, by_protocol in _by_preset(reports).items():
        claim = anchors["claims"].get(preset)
        corpora = ", ".join(next(iter(next(iter(by_protocol.values())).values()))["corpora"])
        cells = [_cell(by_protocol.get(protocol, {})) for protocol in COLUMNS]
        rows.append([preset, corpora, claim["text"] if claim else "no figure", *cells])
    return [
        *table(["preset", "corpora", "reported by its authors", *(f"`{name}`" for name in COLUMNS)], rows),
        "",
        "Protocol columns: test UAR / accuracy, computed from the reports in `results/`; in brackets the folds and "
        "seeds; mean ± standard deviation over folds, where there are several, of the mean over seeds. Several corpora "
        "count as one test part; one with fewer folds than another is tested on its first folds again. Under "
        "`random-augmented` clips and their augmented copies are split together: the test part is of both, each "
        "counted, and the training part holds other copies of its clips; under `random` it holds the test speakers. "
        "Only `speaker` shows what to expect for a new voice. The figures reported by the authors are typed in from "
        "their project pages; `docs/systems.md` says under which split, where they name one.",
    ]


def _by_preset(reports: Reports) -> dict[str, dict[str, Reports]]:
    """Preset -> protocol of `COLUMNS` -> reports."""
    grouped: dict[str, dict[str, Reports]] = defaultdict(lambda: defaultdict(dict))
    for job, report in sorted(reports.items(), key=lambda entry: entry[0]):
        if job.protocol in COLUMNS:
            grouped[job.preset][job.protocol][job] = report
    return grouped


def _cell(reports: Reports, figures: Sequence[str] = ("uar", "accuracy")) -> str:
    if not reports:
        return "not run"
    shown = []
    for name in figures:
        values = fold_means({job: 100 * report["test"][name] for job, report in reports.items()})
        shown.append(f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "") + " %")
    return f"{' / '.join(shown)} ({folds_and_seeds(reports)})"


def targets_table(reports: Reports, targets: list[dict[str, Any]]) -> list[str]:
    """The accuracy aimed at, the accuracy measured, and whether the target is reached."""
    rows = []
    for target in targets:
        wanted = (target["preset"], target["protocol"])
        found = {job: report for job, report in reports.items() if (job.preset, job.protocol) == wanted}
        measured, reached = "not run", ""
        if found:
            accuracy = mean_over_folds({job: report["test"]["accuracy"] for job, report in found.items()})
            measured, reached = _cell(found, ("accuracy",)), "yes" if accuracy >= target["accuracy"] else "no"
        rows.append([*wanted, f"{100 * target['accuracy']:.1f} %", measured, reached])
    return table(["preset", "protocol", "target test accuracy", "measured", "reached"], rows)


def runs_table(reports: Reports, baselines: Baselines) -> list[str]:
    """Every run: its pooled row, and one for each corpus where there are several."""
    header = ["preset", "protocol", "fold", "seed", "test part", "items", "UAR", "accuracy", "macro F1",
              *(f"{name} UAR" for name in baselines), "epochs", "minutes"]  # fmt: skip
    rows = []
    for job, report in sorted(reports.items(), key=lambda entry: entry[0]):
        parts = report["test"]["per_corpus"]
        whole = {"all": dict(report["test"], clips=report["split_sizes"]["test"])} if len(parts) > 1 else {}
        tail = [f"{report['epochs']:.0f}", f"{report['training_seconds'] / 60:.0f}"]
        for part, figures in {**whole, **parts}.items():
            missing = figures.get("missing_classes")
            note = f" (no {', '.join(missing)})" if missing else ""
            floors = [baseline_of(job, part, by_corpus) for by_corpus in baselines.values()]
            rows.append([
                job.preset, job.protocol, str(job.fold), str(job.seed), part + note, str(figures["clips"]),
                *(f"{figures[name]:.1%}" for name in ("uar", "accuracy", "macro_f1")),
                *(f"{floor:.1%}" if floor else "" for floor in floors), *tail,
            ])  # fmt: skip
            tail = ["", ""]
    return table(header, rows)


def below_baselines(reports: Reports, baselines: Baselines) -> list[str]:
    """A sentence for each baseline: which test parts of speaker-independent runs, each once, do not exceed it."""
    sentences, presets = [], sorted({job.preset for job in reports})
    for name, by_corpus in baselines.items():
        compared, below = 0, defaultdict(list)
        for preset, corpus in product(presets, by_corpus):
            for job, report in runs_on(reports, preset, corpus).items():
                if floor := baseline_of(job, corpus, by_corpus):
                    compared += 1
                    if report["test"]["per_corpus"][corpus]["uar"] <= floor:
                        below[f"{preset} on {corpus}"].append(job)
        parts = "; ".join(f"{part} ({folds_and_seeds(jobs)})" for part, jobs in sorted(below.items()))
        count, named = sum(map(len, below.values())), f": {parts}" if parts else ""
        sentences.append(f"Of {compared} speaker-independent test parts, {count} do not exceed {name}{named}.")
    return sentences


def protocols_figure(reports: Reports, anchors: dict[str, Any]) -> Figure:
    """Test accuracy of each measured preset by protocol, beside the figure reported by its authors."""
    grouped = _by_preset(reports)
    figure = Figure(figsize=(max(10, 1.25 * len(grouped)), 4.4), layout="constrained")
    axes = figure.subplots()
    positions = np.arange(len(grouped))
    for offset, protocol in enumerate(COLUMNS):
        heights = [
            100 * mean_over_folds({job: report["test"]["accuracy"] for job, report in found[protocol].items()})
            if found[protocol]
            else 0.0
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
