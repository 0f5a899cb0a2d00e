"""The queue of measurements and the tables made of it."""

import json

import pytest
from conftest import ROOT

from ser_model.__main__ import main
from ser_model.evaluation.queue import Job, read_queue, read_result
from ser_model.reporting.alternative_settings import alternative_settings_section
from ser_model.reporting.tables import BEGIN, END, render


def test_tables_are_what_the_committed_results_give(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text((ROOT / "README.md").read_text())
    folder = tmp_path / "results"
    folder.mkdir()
    for path in (ROOT / "results").rglob("*.json"):
        copy = folder / path.relative_to(ROOT / "results")
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text())
    render(tmp_path, folder, read_queue(folder / "queue.json"))
    assert readme.read_text() == (ROOT / "README.md").read_text()
    assert (folder / "README.md").read_text() == (ROOT / "results" / "README.md").read_text()
    assert (folder / "protocols.png").stat().st_size > 10_000


def test_the_table_of_another_queue_is_written_beside_it(tmp_path, capsys):
    pages = [ROOT / "README.md", ROOT / "results" / "README.md"]
    before = [page.read_bytes() for page in pages]
    (tmp_path / "queue.json").write_text(json.dumps([{"preset": "mfcc-cnn", "protocol": "speaker", "folds": [1],
                                                      "seeds": [0]}]))  # fmt: skip
    assert main(["results", "--queue", str(tmp_path / "queue.json"), "--table"]) == 0
    assert [page.read_bytes() for page in pages] == before
    assert "- mfcc-cnn, protocol speaker, fold 1, seed 0" in (tmp_path / "README.md").read_text()
    assert set(capsys.readouterr().out.split()) - {"wrote"} == {
        str(tmp_path / "README.md"), str(tmp_path / "protocols.png")
    }  # fmt: skip


def test_every_queued_run_is_listed_with_its_figure_or_as_not_run():
    page = (ROOT / "results" / "README.md").read_text().split("## Run by run")[1]
    for job in read_queue(ROOT / "results" / "queue.json"):
        report = read_result(job, ROOT / "results")
        if report is None:
            assert f"- {job.preset}, protocol {job.protocol}, fold {job.fold}, seed {job.seed}\n" in page
        else:
            start = f"| {job.preset} | {job.protocol} | {job.fold} | {job.seed} |"
            line = next(line for line in page.splitlines() if line.startswith(start))
            assert f"| {report['test']['uar']:.1%} | {report['test']['accuracy']:.1%} |" in line


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*__*.json")), ids=lambda path: path.stem)
def test_a_committed_result_is_the_run_its_name_says(path):
    report = json.loads(path.read_text())
    job = Job(report["preset"], report["protocol"], report["fold"], report["seed"])
    assert path.stem == job.name
    assert report["leakage"]["leaking"] is (job.protocol == "random-augmented")
    assert sum(map(sum, report["test"]["confusion_matrix"])) == report["split_sizes"]["test"]


def test_an_experiment_is_kept_without_its_test_part(tmp_path, capsys):
    report = json.loads((ROOT / "results" / "mfcc-cnn-lstm__speaker__fold1__seed0.json").read_text())
    report["settings"]["model"]["dropout"] = 0.35
    report["settings"]["name"] = "mine"
    report["voice_profiles"] = {"0": {"uar": 0.5}}
    del report["settings"]["training"]["weight_decay"], report["settings"]["training"]["lr_scheduler_kwargs"]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text(json.dumps(report))
    (tmp_path / "queue.json").write_text("[]")
    command = ["results", "--queue", str(tmp_path / "queue.json"), "--experiments", str(tmp_path / "run")]
    assert main([*command, "--of", "mfcc-cnn-lstm"]) == 0
    (kept,) = (tmp_path / "experiments").glob("mfcc-cnn-lstm__speaker__fold1__seed0__*.json")
    assert not {"test", "voice_profiles"} & set(json.loads(kept.read_text()))
    (row,) = [line for line in alternative_settings_section(tmp_path) if line.startswith("| mfcc-cnn-lstm ")]
    figures = report["validation"]
    over_corpora = sum(figures["per_corpus"][name]["uar"] for name in report["corpora"]) / 3
    changed = "model.dropout = 0.35, without training.weight_decay, without training.lr_scheduler_kwargs"
    shown = f"{figures['uar']:.1%} | {over_corpora:.1%} | {figures['accuracy']:.1%}"
    assert row == f"| mfcc-cnn-lstm | speaker | 1 | 0 | {changed} | {report['best_epoch']:.0f} | {shown} |"
    capsys.readouterr()
    assert (
        main(command)
        == main([*command[:-1], str(tmp_path), "--of", "mfcc-cnn-lstm"])
        == main([*command, "--of", "s9"])
        == 1
    )
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and "--of" in said[0] and "no file at" in said[1] and "no preset s9" in said[2]


@pytest.mark.parametrize(("content", "said"), [
    (None, "cannot be read: No such file or directory; name one with --queue."),
    ("[1]", "is no JSON list of entries"),
    ('[{"preset": "s9", "protocol": "speaker", "folds": [1], "seeds": [0]}]', "There is no preset s9"),
])  # fmt: skip
def test_a_queue_that_cannot_be_used_is_one_sentence(tmp_path, content, said, capsys):
    queue = tmp_path / "queue.json"
    if content:
        queue.write_text(content)
    (tmp_path / "s9__speaker__fold1__seed0.json").write_text('{"settings": {}}')
    for more in ([], ["--table"]):
        assert main(["results", "--queue", str(queue), *more]) == 1
        err = capsys.readouterr().err
        assert err.startswith("results: ") and err.count("\n") == 1 and said in err


def test_the_readme_has_its_place_for_the_table():
    text = (ROOT / "README.md").read_text()
    assert text.count(BEGIN) == text.count(END) == 1
