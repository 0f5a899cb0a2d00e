"""What may be resumed, from which checkpoint, and what is said where it may not."""

import json
import os

import pytest
import torch
from datasets import ClassLabel, Dataset
from safetensors.torch import save_file

from ser_model.training.arguments import RunArguments
from ser_model.training.presets import load_preset, preset_from_dict
from ser_model.training.resume import (
    check_folder,
    checkpoint_to_resume,
    corpora_fingerprint,
    damage_of,
    is_finished,
    last_whole_checkpoint,
    run_record,
    write_record,
)
from ser_model.training.trainer import RunError

PRESET = load_preset("mfcc-cnn")


def table_of(labels=("sad", "happy"), content=("a", "b")):
    table = Dataset.from_dict(
        {"corpus": ["one", "two"], "speaker": ["x", None], "emotion": [0, 1], "content": list(content)}
    )
    return table.cast_column("emotion", ClassLabel(names=list(labels)))


def write_checkpoint(out, step):
    """The files that Trainer writes, with tiny content."""
    folder = out / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    save_file({"weight": torch.zeros(100)}, folder / "model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        torch.save({"state": torch.zeros(100)}, folder / name)
    (folder / "trainer_state.json").write_text("{}")
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "harm", "damage"),
    [
        ("trainer_state.json", lambda path: path.write_text('{"epoch": 1'), "cut off"),
        ("trainer_state.json", os.remove, "missing"),
        ("optimizer.pt", os.remove, "missing"),
        ("optimizer.pt", cut, "cut off"),
        ("optimizer.pt", lambda path: path.write_bytes(b""), "cut off"),
        ("scheduler.pt", flip, ""),
        ("rng_state.pth", cut, "cut off"),
        ("model.safetensors", cut, "cut off"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over(tmp_path, capsys, name, harm, damage):
    assert last_whole_checkpoint(tmp_path) is None
    first, second, third = (write_checkpoint(tmp_path, step) for step in (9, 10, 100))
    assert last_whole_checkpoint(tmp_path) == third and damage_of(third) is None
    harm(third / name)
    now = run_record(RunArguments(), PRESET, 0, table_of())
    write_record(tmp_path, now)
    assert checkpoint_to_resume(tmp_path, now) == str(second)
    said = capsys.readouterr().out
    assert f"checkpoint-100 is damaged ({name} is {damage}" in said and f"Resuming from {second}." in said
    assert first.is_dir()


def changed(block, **values):
    content = PRESET.as_dict()
    return preset_from_dict(content | {block: content[block] | values})


@pytest.mark.parametrize(
    ("run", "preset", "seed", "table", "difference"),
    [
        (RunArguments(protocol="random"), PRESET, 0, table_of(), "protocol"),
        (RunArguments(fold=2), PRESET, 0, table_of(), "fold"),
        (RunArguments(streaming=True), PRESET, 0, table_of(), "streaming"),
        (RunArguments(), PRESET, 1, table_of(), "seed"),
        (RunArguments(), PRESET, 0, table_of(labels=("sad", "calm")), "labels"),
        (RunArguments(), PRESET, 0, table_of(content=("a", "c")), "corpora_fingerprint"),
        (RunArguments(), changed("model", dropout=0.4), 0, table_of(), "model.dropout"),
        (RunArguments(), changed("loss", label_smoothing=0.1), 0, table_of(), "loss.label_smoothing"),
    ],
)
def test_another_run_is_not_resumed(tmp_path, run, preset, seed, table, difference):
    write_checkpoint(tmp_path, 1)
    write_record(tmp_path, run_record(RunArguments(), PRESET, 0, table_of()))
    with pytest.raises(RunError, match=f"holds another run, which differs in {difference}:"):
        checkpoint_to_resume(tmp_path, run_record(run, preset, seed, table))


def test_a_setting_that_is_gone_is_a_difference_and_notes_are_none(tmp_path):
    write_checkpoint(tmp_path, 1)
    write_record(tmp_path, run_record(RunArguments(), changed("loss", label_smoothing=0.1), 0, table_of()))
    with pytest.raises(RunError, match="differs in loss"):
        checkpoint_to_resume(tmp_path, run_record(RunArguments(), PRESET, 0, table_of()))
    noted = preset_from_dict(PRESET.as_dict() | {"notes": ["Other words."], "name": "renamed"})
    write_record(tmp_path, run_record(RunArguments(), PRESET, 0, table_of()))
    assert checkpoint_to_resume(tmp_path, run_record(RunArguments(), noted, 0, table_of()))


def test_checkpoints_of_an_unknown_run_are_not_resumed(tmp_path, capsys):
    now = run_record(RunArguments(), PRESET, 0, table_of())
    assert checkpoint_to_resume(tmp_path, now) is None and "starting anew" in capsys.readouterr().out
    write_checkpoint(tmp_path, 1)
    with pytest.raises(RunError, match=r"no readable run\.json"):
        checkpoint_to_resume(tmp_path, now)


def test_the_fingerprint_is_of_what_the_clips_are_and_not_of_where_they_lie():
    table = table_of()
    elsewhere = table.add_column("audio", ["/a.wav", "/b.wav"])
    assert corpora_fingerprint(table) == corpora_fingerprint(elsewhere)
    assert corpora_fingerprint(table) != corpora_fingerprint(table.select([1, 0]))


def test_a_finished_run_is_known_by_its_report(tmp_path):
    assert not is_finished(tmp_path, RunArguments(), PRESET, 0)
    report = {"protocol": "speaker", "fold": 1, "seed": 0, "labels": ["sad"], "settings": PRESET.as_dict(), "test": {}}
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert is_finished(tmp_path, RunArguments(), PRESET, 0)
    for run, preset, seed in (
        (RunArguments(fold=2), PRESET, 0), (RunArguments(), changed("training", weight_decay=0.1), 0),
        (RunArguments(), PRESET, 1),
    ):  # fmt: skip
        with pytest.raises(RunError, match="holds another run"):
            is_finished(tmp_path, run, preset, seed)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        is_finished(tmp_path, RunArguments(), PRESET, 0)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    check_folder(tmp_path / "new" / "run", resume=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        check_folder(tmp_path / "file" / "run", resume=False)


def test_what_no_run_wrote_is_not_replaced(tmp_path):
    (tmp_path / "README.md").write_text("# A project")
    with pytest.raises(RunError, match=r"holds a README.md that no run wrote"):
        check_folder(tmp_path, resume=True)
    write_record(tmp_path, {})  # an unfinished run, killed while its files were moved into place
    check_folder(tmp_path, resume=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(RunError, match="is read-only"):
        check_folder(tmp_path / "run", resume=True)
