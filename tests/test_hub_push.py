"""Round trips through a local Hub: what is pushed here is pulled by id in a fresh process."""

import json
from concurrent.futures import ThreadPoolExecutor

import datasets
import httpx
import huggingface_hub
import numpy as np
import pytest
from conftest import ROOT, called, voiced_tone
from corpora_fixtures import ravdess_names, write_clips
from hub_helpers import (
    free_port,
    hashes,
    one_sentence,
    run_fresh,
    run_here,
    running_hub,
    small_checkpoint,
    stranger,
    visitor,
)

from ser_model import EmotionRecognizer
from ser_model.cli import train

PIPELINE = """
import json, sys
import numpy as np
from transformers import pipeline

pipe = pipeline("audio-classification", model=sys.argv[1], trust_remote_code=True, top_k=None)
print(json.dumps({entry["label"]: entry["score"] for entry in pipe(np.load(sys.argv[2]))}))
"""

LOAD_DATASET = """
import hashlib, json, sys
from datasets import load_dataset

table = load_dataset(sys.argv[1], split="train")
rows = {row["audio"]["path"]: hashlib.sha256(row["audio"]["bytes"]).hexdigest() for row in table}
print(json.dumps({"columns": table.column_names, "emotions": table.features["emotion"].names, "rows": rows}))
"""


@pytest.fixture(scope="module")
def hub():
    with running_hub() as address:
        yield address


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small", "ser_cnn_bilstm")


@pytest.fixture(scope="module", autouse=True)
def cut_off(tmp_path_factory):
    """A push to a Hub that vanishes, and its folder; the client tries for 23 s while the other tests run."""
    folder = small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small", "ser_cnn_bilstm")
    before = hashes(folder)
    with running_hub("--vanish") as address, ThreadPoolExecutor() as pool:
        env = visitor(tmp_path_factory.mktemp("home"), address)
        yield pool.submit(run_here, "-m", "ser_model", "push", folder, "alice/small", env=env), folder, before


def on_the_hub(address, kind, name, token="hf_alice"):
    """The Hub's information on a repository."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{address}/api/{kind}s/{name}", headers=headers)


def files_of(address, kind, name):
    return {entry["rfilename"] for entry in on_the_hub(address, kind, name).json()["siblings"]}


def test_a_model_is_pushed_and_pulled_by_id(hub, checkpoint, tmp_path):
    events = checkpoint / "runs" / "events.out.tfevents.1.machine"
    events.parent.mkdir()
    events.write_text("names this machine")
    before = hashes(checkpoint)
    done = run_here("-m", "ser_model", "push", checkpoint, "alice/small", env=visitor(tmp_path, hub))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{hub}/alice/small\n", "")
    assert hashes(checkpoint) == before
    assert files_of(hub, "model", "alice/small") == set(before) - {"runs/events.out.tfevents.1.machine"}
    assert not on_the_hub(hub, "model", "alice/small").json()["private"]
    card = httpx.get(f"{hub}/alice/small/resolve/main/README.md").text
    assert 'model="alice/small"' in card and "path/to/this/folder" not in card

    wave = voiced_tone(3.0)
    np.save(tmp_path / "clip.npy", wave)
    pulled = run_fresh(
        PIPELINE, "alice/small", tmp_path / "clip.npy", env=visitor(tmp_path, hub, "hf_bob"), cwd=tmp_path
    )
    assert pulled.returncode == 0, pulled.stderr[-3_000:]
    expected = EmotionRecognizer.from_pretrained(checkpoint)(wave, 16_000).probabilities
    assert json.loads(pulled.stdout) == pytest.approx(expected, abs=1e-5)

    again = run_here("-m", "ser_model", "push", checkpoint, "small", env=visitor(tmp_path, hub))  # one's own name
    assert again.stdout == f"{hub}/alice/small\n"
    assert on_the_hub(hub, "model", "alice/small").json()["commits"] == 2


def test_a_private_model_is_seen_by_its_owner_alone(hub, checkpoint, tmp_path):
    done = run_here("-m", "ser_model", "push", checkpoint, "alice/secret", "--private", env=visitor(tmp_path, hub))
    assert done.returncode == 0, done.stderr
    assert on_the_hub(hub, "model", "alice/secret").json()["private"]
    assert on_the_hub(hub, "model", "alice/secret", "hf_bob").status_code == 404
    assert on_the_hub(hub, "model", "alice/secret", "").status_code == 401


@pytest.mark.parametrize(
    ("token", "name", "reason"),
    [
        ("hf_nobody", "alice/other", "does not accept this token: log in"),
        ("", "alice/other", "does not accept this token: log in"),
        ("", "other", "needs a token: log in"),
        ("hf_bob", "alice/other", "taken or not yours"),
        ("hf_bob", "alice/secret", "taken or not yours"),  # it is there, and bob cannot see it
        ("hf_bob", "alice/small", "taken or not yours"),
        ("hf_alice", "alice/a name", "cannot be a name on the Hub"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(hub, checkpoint, tmp_path, token, name, reason):
    before = hashes(checkpoint)
    done = run_here("-m", "ser_model", "push", checkpoint, name, env=visitor(tmp_path, hub, token))
    assert reason in one_sentence(done, "push: ")
    assert hashes(checkpoint) == before


def test_no_hub_and_no_checkpoint(checkpoint, tmp_path):
    nowhere = visitor(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert "cut off" in one_sentence(run_here("-m", "ser_model", "push", checkpoint, "a/b", env=nowhere), "push: ")
    offline = run_here("-m", "ser_model", "push", checkpoint, "a/b", env=stranger(tmp_path))
    assert "HF_HUB_OFFLINE" in one_sentence(offline, "push: ")
    empty = run_here("-m", "ser_model", "push", tmp_path, "a/b", env=nowhere)
    assert "config.json is missing" in one_sentence(empty, "push: ")


def test_a_data_set_is_pushed_and_loaded_by_id(hub, tmp_path):
    paths = write_clips(tmp_path / "ravdess", *ravdess_names(actors=3))
    command = ["-m", "datasets_scripts", "push", "alice/voices", "--data_dir", tmp_path / "ravdess"]
    done = run_here(*command, "--corpora", "ravdess", env=visitor(tmp_path, hub))
    assert done.returncode == 0 and "24 clips of ravdess" in done.stdout, done.stderr[-3_000:]
    assert on_the_hub(hub, "dataset", "alice/voices").json()["private"]
    loaded = run_fresh(LOAD_DATASET, "alice/voices", env=visitor(tmp_path, hub), cwd=tmp_path)
    assert loaded.returncode == 0, loaded.stderr[-3_000:]
    table = json.loads(loaded.stdout)
    assert {"audio", "corpus", "speaker", "sex", "emotion"} <= set(table["columns"])
    assert table["emotions"][0] == "neutral"
    assert table["rows"] == {path.name: hashes(path.parent)[path.name] for path in paths}

    stranger_there = run_here(*command[:3], "bob/voices", *command[4:], env=visitor(tmp_path, hub))
    assert "taken or not yours" in stranger_there.stderr.splitlines()[-1] and "Traceback" not in stranger_there.stderr
    refused = run_here(*command, env=visitor(tmp_path, hub, "hf_nobody"))
    assert "does not accept this token" in one_sentence(refused, "datasets_scripts: ")


@pytest.fixture(scope="module")
def small_preset(tmp_path_factory):
    """S4 with a tiny network and no augmentation, quick to train."""
    content = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    content["augmentation"] = {"views": 1, "probability": 0.0}
    content["feature_extractor"]["num_mel_bins"] = 16
    content["model"] |= {"conv_channels": [4, 4], "lstm_hidden_size": 8}
    path = tmp_path_factory.mktemp("presets") / "small.json"
    path.write_text(json.dumps(content))
    return path


def options(preset, data, out):
    return ["--preset", preset, "--data_dir", data, "--output_dir", out, "--num_train_epochs", 2,
            "--push_to_hub", "--hub_model_id", "alice/trained"]  # fmt: skip


def test_training_pushes_the_complete_folder_once(hub, small_preset, mini_ravdess, tmp_path):
    out = tmp_path / "trained"
    done = run_here("train.py", *options(small_preset, mini_ravdess, out), env=visitor(tmp_path, hub))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.splitlines()[-1] == f"Pushed: {hub}/alice/trained"
    assert on_the_hub(hub, "model", "alice/trained").json()["commits"] == 1
    here = {name for name in hashes(out) if "tfevents" not in name}
    assert files_of(hub, "model", "alice/trained") == here >= {"model.safetensors", "report.json", "README.md"}
    pulled = httpx.get(f"{hub}/alice/trained/resolve/main/report.json").content
    assert pulled == (out / "report.json").read_bytes()


def test_training_without_a_valid_token_keeps_its_folder(hub, small_preset, mini_ravdess, tmp_path, monkeypatch):
    out = tmp_path / "trained"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    done = called(train.main, *options(small_preset, mini_ravdess, out))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    first, last = (line for line in done.stderr.splitlines() if line.startswith("train.py: "))
    assert first.startswith("train.py: the push at the end would fail now.")
    assert last.endswith(f"python -m ser_model push {out} alice/trained")
    assert (out / "report.json").is_file() and not list(out.glob("checkpoint-*"))
    EmotionRecognizer.from_pretrained(out)
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    done = called(train.main, *options(small_preset, mini_ravdess, out), "--resume", "--hub_model_id", "alice/later")
    assert done.stdout.splitlines()[1:] == [f"Pushed: {hub}/alice/later"], done.stderr


def test_a_hub_that_vanishes_in_the_middle(cut_off):
    push, folder, before = cut_off
    assert "cut off and nothing of it is published" in one_sentence(push.result(), "push: ")
    assert hashes(folder) == before
