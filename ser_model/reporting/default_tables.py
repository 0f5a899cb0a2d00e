"""Tables of the default preset: by corpus, by fold, with voice profiles, on corpora it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import Any

from datasets_scripts.splits import count_published_folds
from ser_model.evaluation.queue import Job
from ser_model.training.arguments import RunArguments

from .baselines import COMMON_SENTENCES, Baselines, baseline_of
from .fold_figures import Reports, folds_and_seeds, interval_over_speakers, mean_over_folds, runs_on
from .preset_tables import table

DEFAULT = RunArguments.preset
WITHOUT_VIEWS = "encoder-attention"  # the same network, trained on the clips as they are
PROFILES = ("0", "1", "3", "5", "10", "20", "all", "3 neutral", "all neutral")  # kinds that a report has
HEADLINE_NOTE = (
    "UAR in %, protocol `speaker`: no test speaker was trained on. Mean over the folds that are named, of the mean "
    "over seeds ({runs}); in brackets the 95 % interval (bootstrap over the test speakers of all folds together; none "
    "for fewer than three). Each network is one for all corpora; the SVMs, on the same folds, are trained on each "
    "corpus alone. Published figures stand where all folds were measured. "
    "{published} SAVEE's sentences mostly occur with one emotion only, so that a system which recognises words reads "
    "the emotion off them: the sentences that every emotion has stand apart."
)


@dataclass(frozen=True)
class Row:
    """A corpus, or the part of it that has a row of its own.

    Attributes:
        key: Its name in `anchors.json` and among the baselines.
        title: As shown.
        corpus: The corpus.
        part: Key of the figures of this part within those of the corpus; None for all of it.
    """

    key: str
    title: str
    corpus: str
    part: str | None = None

    def figures(self, of_corpora: dict[str, Any]) -> dict[str, Any] | None:
        """Its figures of a report's `per_corpus`; None where that does not have them."""
        found = of_corpora.get(self.corpus)
        return found if found is None or self.part is None else found.get(self.part)


ROWS = (
    Row("ravdess", "RAVDESS", "ravdess"),
    Row("crema_d", "CREMA-D", "crema_d"),
    Row("tess", "TESS", "tess"),
    Row("savee", "SAVEE", "savee"),
    Row(COMMON_SENTENCES, "SAVEE, common sentences", "savee", "common_sentences"),
)
TITLES = {row.corpus: row.title for row in reversed(ROWS)}


def headline(reports: Reports, baselines: Baselines, published: dict[str, Any]) -> list[str]:
    """The default's UAR by corpus, below it that of the same network without augmented views, where it was measured."""
    lines = headline_table(reports, baselines, published, DEFAULT)
    presets = [name for name in (DEFAULT, WITHOUT_VIEWS) if _speaker_runs(reports, name)]
    if WITHOUT_VIEWS in presets:
        lines += ["", "The same network, trained without augmented views:", ""]
        lines += headline_table(reports, baselines, published, WITHOUT_VIEWS)
    runs = "; ".join(f"`{name}`: {folds_and_seeds(_speaker_runs(reports, name))}" for name in presets)
    return [*lines, "", HEADLINE_NOTE.format(runs=runs or "none measured", published=published["about"])]


def headline_table(reports: Reports, baselines: Baselines, published: dict[str, Any], preset: str) -> list[str]:
    """A preset's UAR by corpus, beside baselines and published figures of the same folds."""
    systems = published["systems"]
    rows = []
    for row in ROWS:
        runs = runs_on(reports, preset, row.corpus)
        values = _uar(runs, row)
        title, shown = row.title, "not measured"
        if values:
            title += _classes(runs, row.corpus) + _folds(values, row.corpus)
            interval = interval_over_speakers(runs, [row.corpus]) if row.part is None else None
            ends = f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})" if interval else ""
            shown = f"**{100 * mean_over_folds(values):.1f}**{ends}"
        whole = len({job.fold for job in values}) == count_published_folds(row.corpus)
        others = [system.get(row.key) if whole else None for system in systems.values()]
        rows.append([
            title, shown, *(_mean_baseline(values, by_corpus.get(row.key, [])) for by_corpus in baselines.values()),
            *(f"{100 * other:.1f}" if other else "" for other in others),
        ])  # fmt: skip
    name = f"`{preset}`, the default" if preset == DEFAULT else f"`{preset}`"
    return table(["corpus", name, *baselines, *systems], rows)


def goals_table(reports: Reports, goals: dict[str, dict[str, float]]) -> list[str]:
    """Goals of each corpus without a voice profile, with ten clips and with all others; whether each is reached."""
    rows = []
    for row in ROWS:
        runs = runs_on(reports, DEFAULT, row.corpus)
        for size, goal in goals.get(row.key, {}).items():
            values = _uar(runs, row) if size == "0" else _profile_uar(runs, row, size)
            profile = {"0": "none", "all": "all other clips"}.get(size, f"{size} clips")
            measured, reached = "not measured", ""
            if values:
                uar, partly = mean_over_folds(values), _folds(values, row.corpus)
                measured = f"{100 * uar:.1f} %{partly}"
                reached = "yes" if uar >= goal else "no"
            rows.append([row.title, profile, f"{100 * goal:.0f} %", measured, reached])
    return table(["corpus", "voice profile", "goal UAR", "measured", "reached"], rows)


def folds_table(reports: Reports, baselines: Baselines) -> list[str]:
    """UAR of each fold of each corpus: every seed, their mean, and the baselines; nothing where none was measured."""
    seeds = sorted({job.seed for job in reports if (job.preset, job.protocol) == (DEFAULT, "speaker")})
    rows = []
    for row in ROWS:
        values = _uar(runs_on(reports, DEFAULT, row.corpus), row)
        for fold in sorted({job.fold for job in values}):
            of_fold = {job.seed: value for job, value in values.items() if job.fold == fold}
            floors = [baseline_of(Job(DEFAULT, "speaker", fold, 0), row.key, each) for each in baselines.values()]
            rows.append([
                row.title, str(fold), *(_percent(of_fold.get(seed)) for seed in seeds),
                _percent(mean(of_fold.values())), *map(_percent, floors),
            ])  # fmt: skip
    header = ["corpus", "fold", *(f"seed {seed}" for seed in seeds), "mean", *baselines]
    return table(header, rows) if rows else []


def profiles_table(reports: Reports) -> list[str]:
    """UAR with a voice profile of so many clips; nothing where no report has such figures."""
    rows = []
    for row in ROWS:
        runs = runs_on(reports, DEFAULT, row.corpus)
        by_size = {size: _profile_uar(runs, row, size) for size in PROFILES}
        if any(by_size.values()):
            measured = {job: value for values in by_size.values() for job, value in values.items()}
            cells = [_percent(mean_over_folds(values)) if values else "" for values in by_size.values()]
            rows.append([row.title + _folds(measured, row.corpus), *cells])
    header = ["corpus", *PROFILES]
    return table(header, rows) if rows else []


def corpora_matrix(reports: Reports) -> list[str]:
    """UAR by the corpora trained on and the corpus tested on; nothing where no corpus was left out."""
    left_out = {
        job: report for job, report in reports.items() if (job.preset, job.protocol) == (DEFAULT, "leave-corpus-out")
    }
    if not left_out:
        return []
    corpora = next(iter(left_out.values()))["corpora"]
    rows = []
    together = [_uar(runs_on(reports, DEFAULT, corpus), Row(corpus, corpus, corpus)) for corpus in corpora]
    if any(together):
        cells = [_percent(mean_over_folds(values)) if values else "not run" for values in together]
        rows.append(["all of them, other speakers (protocol `speaker`)", *cells])
    for fold, tested in enumerate(corpora, start=1):
        runs = {job: report["test"] for job, report in left_out.items() if job.fold == fold}
        cell = "not run"
        if runs:
            test = next(iter(runs.values()))["per_corpus"][tested]
            missing = f", no {', '.join(test['missing_classes'])}" if test["missing_classes"] else ""
            cell = f"{_percent(mean(each['uar'] for each in runs.values()))} ({test['clips']} clips{missing})"
        others = ", ".join(TITLES.get(name, name) for name in corpora if name != tested)
        rows.append([others, *(cell if name == tested else "" for name in corpora)])
    return table(["trained on", *(f"tested on {TITLES.get(name, name)}" for name in corpora)], rows)


def _speaker_runs(reports: Reports, preset: str) -> list[Job]:
    return [job for job in reports if (job.preset, job.protocol) == (preset, "speaker")]


def _uar(runs: Reports, row: Row) -> dict[Job, float]:
    """UAR of every run that has the figure."""
    found = {job: row.figures(report["test"]["per_corpus"]) for job, report in runs.items()}
    return {job: figures["uar"] for job, figures in found.items() if figures}


def _profile_uar(runs: Reports, row: Row, kind: str) -> dict[Job, float]:
    """UAR with a kind of voice profile, of every run that has the figure."""
    kinds = {job: report.get("voice_profiles", {}).get(kind) for job, report in runs.items()}
    found = {job: row.figures(of_kind["per_corpus"]) for job, of_kind in kinds.items() if of_kind}
    return {job: figures["uar"] for job, figures in found.items() if figures}


def _mean_baseline(values: dict[Job, float], by_fold: list[float]) -> str:
    """A baseline's mean over the folds that were measured, or over all where none was."""
    measured = sorted({job.fold for job in values}) or range(1, len(by_fold) + 1)
    return f"{100 * mean(by_fold[fold - 1] for fold in measured):.1f}" if by_fold else ""


def _classes(runs: Reports, corpus: str) -> str:
    report = next(iter(runs.values()))
    missing = report["test"]["per_corpus"][corpus]["missing_classes"]
    return f", {len(report['labels']) - len(missing)} classes"


def _folds(values: dict[Job, float], corpus: str) -> str:
    """How many folds were measured, and how many there are."""
    measured, count = len({job.fold for job in values}), count_published_folds(corpus)
    return f", {measured} folds" if measured == count else f", {measured} of {count} folds"


def _percent(value: float | None) -> str:
    return f"{value:.1%}" if value is not None else ""
