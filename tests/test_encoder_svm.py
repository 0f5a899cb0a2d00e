"""The baseline of a frozen encoder and an SVM, on a tiny encoder."""

import json

import datasets
import pytest
from hub_helpers import tiny_whisper

from scripts.encoder_svm import main


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    """Folder of an untrained Whisper with three small layers."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tiny_whisper(tmp_path / "encoder")


def test_every_fold_is_measured_on_its_own_test_speakers(encoder, mini_ravdess, tmp_path, capsys):
    words = ["--data_dir", str(mini_ravdess), "--corpora", "ravdess", "--encoder", str(encoder)]
    out = tmp_path / "svm.json"
    others = [{"corpus": "ravdess", "fold": 6, "uar": 2.0}, {"corpus": "savee", "fold": 1, "uar": 0.5}]
    out.write_text(json.dumps({"results": others}))
    assert main([*words, "--out", str(out)]) == 0
    *results, kept = json.loads(out.read_text())["results"]
    assert kept == others[1]
    assert [(each["protocol"], each["corpus"], each["fold"]) for each in results] == [
        ("speaker", "ravdess", fold) for fold in range(1, 7)
    ]
    assert all(each["clips"] == 32 and each["missing_classes"] == [] for each in results)
    assert sum(each["uar"] for each in results) / 6 > 0.3  # chance is 0.125
    assert f"ravdess, fold 1: test UAR {results[0]['uar']:.1%} of 32 clips" in capsys.readouterr().out


def test_what_is_missing_is_said_in_one_sentence(encoder, mini_ravdess, tmp_path, capsys):
    words = ["--corpora", "ravdess", "--out", str(tmp_path / "svm.json")]
    assert main([*words, "--data_dir", str(mini_ravdess), "--encoder", str(tmp_path / "nowhere")]) == 1
    assert main([*words, "--data_dir", str(tmp_path / "nowhere"), "--encoder", str(encoder)]) == 1
    said = capsys.readouterr().err
    assert f"encoder_svm: The encoder {tmp_path / 'nowhere'} cannot be loaded: " in said
    assert f"encoder_svm: There is no folder {tmp_path / 'nowhere'} with corpora in it" in said
    assert not (tmp_path / "svm.json").exists()
