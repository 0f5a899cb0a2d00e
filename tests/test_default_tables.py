"""The tables of the default preset, on reports small enough to count by hand."""

import json

import pytest
from conftest import ROOT

from ser_model.evaluation.queue import Job
from ser_model.reporting.default_tables import (
    DEFAULT,
    WITHOUT_VIEWS,
    corpora_matrix,
    folds_table,
    goals_table,
    headline,
    headline_table,
    profiles_table,
)
from ser_model.reporting.fold_figures import folds_and_seeds, interval_over_speakers, runs_on
from ser_model.reporting.preset_tables import below_baselines, summary_table

CORPORA = ["ravdess", "crema_d", "tess", "savee"]
BASELINES = {
    "eGeMAPS + SVM": {"ravdess": [0.5, 0.4, 0.3, 0.2, 0.1, 0.1]},
    "encoder + SVM": {"tess": [0.61, 0.63], "savee_common_sentences": [0.4, 0.4, 0.4, 0.5]},
}
PUBLISHED = {"about": "Of others.", "systems": {"Large": {"ravdess": 0.753}}}


def report(protocol="speaker", profiles=None, per_speaker=None, **corpora):
    """A report with these UARs by corpus; `savee_common` is that of the common sentences."""
    common = corpora.pop("savee_common", None)
    figures = {name: {"uar": uar, "clips": 100, "missing_classes": []} for name, uar in corpora.items()}
    if common is not None:
        figures["savee"]["common_sentences"] = {"uar": common, "clips": 24}
    for name in set(figures) - {"ravdess"}:
        figures[name]["missing_classes"] = ["calm"]
    made = {
        "corpora": CORPORA, "protocol": protocol, "labels": list("abcdefgh"),
        "test": {"uar": sum(corpora.values()) / len(corpora), "per_corpus": figures, "per_speaker": per_speaker or {}},
    }  # fmt: skip
    if profiles:
        made["voice_profiles"] = {
            kind: {"per_corpus": {name: {"uar": uar} for name, uar in of_kind.items()}}
            for kind, of_kind in profiles.items()
        }
    return made


def cells(lines, start):
    """Cells of the row that starts with a cell."""
    (row,) = [line for line in lines if line.startswith(f"| {start}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_fold_of_a_corpus_without_published_ones_counts_once_beside_one_with_more():
    reports = {}
    for fold, seed in ((1, 0), (2, 0), (3, 0), (1, 1), (3, 1)):
        own = {1: "folder_a", 2: "folder_b", 3: "folder_a"}[fold]
        speakers = {own: {}, f"savee_{fold}": {}}
        reports[Job("mine", "speaker", fold, seed)] = report(per_speaker=speakers, savee=0.4, folder=0.1 * fold)
        reports[Job("mine", "random", fold, seed)] = report("random", per_speaker=speakers, folder=0.5)
    runs = runs_on(reports, "mine", "folder")
    assert [(job.fold, job.seed) for job in runs] == [(1, 0), (1, 1), (2, 0)]
    assert len(runs_on(reports, "mine", "savee")) == len(runs_on(reports, "mine", "folder", "random")) == 5
    (said,) = below_baselines(reports, {"SVM": {"folder": [0.15, 0.15, 0.15]}})
    assert said == "Of 3 speaker-independent test parts, 2 do not exceed SVM: mine on folder (fold 1; seed 0, 1)."


def test_each_fold_of_a_corpus_counts_once_and_seeds_within_it():
    reports = {
        Job(DEFAULT, "speaker", 1, 0): report(tess=0.9, ravdess=0.7),
        Job(DEFAULT, "speaker", 1, 1): report(tess=0.7, ravdess=0.7),
        Job(DEFAULT, "speaker", 2, 0): report(tess=0.6, ravdess=0.5),
        Job(DEFAULT, "speaker", 3, 0): report(tess=0.1, ravdess=0.3),  # TESS's first fold once more
        Job("other", "speaker", 2, 0): report(tess=0.0),
        Job(DEFAULT, "random", 1, 0): report(tess=1.0),
    }
    lines = headline_table(reports, BASELINES, PUBLISHED, DEFAULT)
    assert lines[0].startswith(f"| corpus | `{DEFAULT}`, the default | eGeMAPS + SVM | encoder + SVM | Large |")
    assert cells(lines, "TESS") == ["TESS, 7 classes, 2 folds", "**70.0**", "", "62.0", ""]
    # The mean of the baseline is over the folds that were measured.
    assert cells(lines, "RAVDESS") == ["RAVDESS, 8 classes, 3 of 6 folds", "**50.0**", "40.0", "", ""]
    assert cells(lines, "CREMA-D") == ["CREMA-D", "not measured", "", "", ""]
    assert cells(lines, "SAVEE, common") == ["SAVEE, common sentences", "not measured", "", "42.5", ""]
    by_fold = folds_table(reports, BASELINES)
    assert by_fold[0] == "| corpus | fold | seed 0 | seed 1 | mean | eGeMAPS + SVM | encoder + SVM |"
    assert cells(by_fold, "TESS | 1") == ["TESS", "1", "90.0%", "70.0%", "80.0%", "", "61.0%"]
    assert cells(by_fold, "TESS | 2") == ["TESS", "2", "60.0%", "", "60.0%", "", "63.0%"]
    assert not [line for line in by_fold if line.startswith("| TESS | 3")]
    assert folds_table({}, BASELINES) == []


def test_published_figures_stand_beside_all_folds_and_the_network_without_views_below():
    reports = {Job(WITHOUT_VIEWS, "speaker", fold, 0): report(ravdess=0.5) for fold in range(1, 7)}
    reports |= {Job(DEFAULT, "speaker", 1, 0): report(ravdess=0.6)}
    first, second = (headline_table(reports, BASELINES, PUBLISHED, preset) for preset in (DEFAULT, WITHOUT_VIEWS))
    assert cells(first, "RAVDESS") == ["RAVDESS, 8 classes, 1 of 6 folds", "**60.0**", "50.0", "", ""]
    assert cells(second, "RAVDESS")[:2] == ["RAVDESS, 8 classes, 6 folds", "**50.0**"] and second[2].endswith(
        "| 75.3 |"
    )
    both = headline(reports, BASELINES, PUBLISHED)
    assert both[: len(first)] == first and both[-2 - len(second) : -2] == second and "Of others." in both[-1]
    assert len(headline({}, BASELINES, PUBLISHED)) == len(first) + 2


def test_intervals_are_over_the_speakers_of_all_folds_and_need_their_confusion_matrices():
    right, wrong = ({"confusion_matrix": matrix} for matrix in ([[2, 0], [0, 2]], [[0, 2], [2, 0]]))
    first = {"ravdess_01": right, "ravdess_11": wrong, "savee_JE": right}
    second = {"ravdess_04": right, "ravdess_10": wrong, "savee_KL": right}
    reports = {
        Job(DEFAULT, "speaker", 1, 0): report(ravdess=0.5, savee=1.0, per_speaker=first),
        Job(DEFAULT, "speaker", 2, 0): report(ravdess=0.5, savee=1.0, per_speaker=second),
    }
    lines = headline_table(reports, BASELINES, PUBLISHED, DEFAULT)
    assert cells(lines, "RAVDESS")[1] == "**50.0** (0.0 to 100.0)"
    assert cells(lines, "SAVEE, 7")[1] == "**100.0**"  # two speakers
    del second["ravdess_04"]
    second["ravdess_12"] = {"uar": 1.0}
    assert cells(headline_table(reports, BASELINES, PUBLISHED, DEFAULT), "RAVDESS")[1] == "**50.0**"


def test_goals_with_and_without_profile_and_on_the_common_sentences():
    profiles = {"10": {"ravdess": 0.78}, "all": {"ravdess": 0.84}}
    reports = {Job(DEFAULT, "speaker", 1, 0): report(ravdess=0.76, savee=0.9, savee_common=0.55, profiles=profiles)}
    goals = {"ravdess": {"0": 0.76, "10": 0.79, "all": 0.83}, "savee_common_sentences": {"0": 0.6, "10": 0.65}}
    assert goals_table(reports, goals)[2:] == [
        "| RAVDESS | none | 76 % | 76.0 %, 1 of 6 folds | yes |",
        "| RAVDESS | 10 clips | 79 % | 78.0 %, 1 of 6 folds | no |",
        "| RAVDESS | all other clips | 83 % | 84.0 %, 1 of 6 folds | yes |",
        "| SAVEE, common sentences | none | 60 % | 55.0 %, 1 of 4 folds | no |",
        "| SAVEE, common sentences | 10 clips | 65 % | not measured |  |",
    ]
    lines = headline_table(reports, BASELINES, PUBLISHED, DEFAULT)
    assert cells(lines, "SAVEE, common") == [
        "SAVEE, common sentences, 7 classes, 1 of 4 folds", "**55.0**", "", "40.0", "",
    ]  # fmt: skip
    profiles_row = ["RAVDESS, 1 of 6 folds", "", "", "", "", "78.0%", "", "84.0%", "", ""]
    assert cells(profiles_table(reports), "RAVDESS") == profiles_row
    assert profiles_table({Job(DEFAULT, "speaker", 1, 0): report(ravdess=0.7)}) == []


def test_the_matrix_has_a_row_for_each_corpus_left_out():
    left_out = report("leave-corpus-out", ravdess=0.45)
    left_out["test"]["per_corpus"]["ravdess"] |= {"missing_classes": ["calm"], "clips": 1248}
    reports = {
        Job(DEFAULT, "speaker", 1, 0): report(ravdess=0.7, tess=0.8),
        Job(DEFAULT, "leave-corpus-out", 1, 0): left_out,
        Job(DEFAULT, "leave-corpus-out", 3, 0): report("leave-corpus-out", tess=0.5),
        Job(DEFAULT, "leave-corpus-out", 3, 1): report("leave-corpus-out", tess=0.6),
    }
    lines = corpora_matrix(reports)
    assert lines[0].split(" | ")[1:3] == ["tested on RAVDESS", "tested on CREMA-D"]
    assert cells(lines, "all of them")[1:] == ["70.0%", "not run", "80.0%", "not run"]
    assert cells(lines, "CREMA-D, TESS, SAVEE")[1:] == ["45.0% (1248 clips, no calm)", "", "", ""]
    assert cells(lines, "RAVDESS, CREMA-D, SAVEE")[1:] == ["", "", "55.0% (100 clips, no calm)", ""]
    assert cells(lines, "RAVDESS, TESS, SAVEE")[1:] == ["", "not run", "", ""]
    assert corpora_matrix({job: each for job, each in reports.items() if job.protocol == "speaker"}) == []


@pytest.mark.parametrize("key", ["ravdess", "crema_d", "tess", "savee_common_sentences"])
def test_every_goal_grows_with_the_profile(key):
    goals = json.loads((ROOT / "results" / "anchors.json").read_text())["goals"][key]
    assert list(goals) == ["0", "10", "all"] and goals["0"] < goals["10"] < goals["all"]


def test_a_fold_with_more_seeds_counts_no_more_than_another():
    def run(right, speaker, fold, seed):
        made = report(ravdess=right, per_speaker={
            f"ravdess_{speaker}{number}": {"confusion_matrix": [[round(20 * right), round(20 - 20 * right)], [0, 20]]}
            for number in range(3)
        })  # fmt: skip
        made["test"]["accuracy"] = right
        return {Job(DEFAULT, "speaker", fold, seed): made}

    once = run(0.5, "a", 1, 0) | run(1.0, "b", 2, 0)
    again = once | run(0.5, "a", 1, 1) | run(0.5, "a", 1, 2)
    assert interval_over_speakers(again, ["ravdess"]) == pytest.approx(interval_over_speakers(once, ["ravdess"]))
    (row,) = [line for line in summary_table(again, {"claims": {}}) if line.startswith(f"| {DEFAULT}")]
    assert "75.0 ± 35.4 % / 75.0 ± 35.4 % (fold 1; seed 0, 1, 2 and fold 2; seed 0)" in row
    assert f"(`{DEFAULT}`: fold 1; seed 0, 1, 2 and fold 2; seed 0)" in headline(again, {}, PUBLISHED)[-1]
    assert folds_and_seeds(once) == "fold 1, 2; seed 0"
