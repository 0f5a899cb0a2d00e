"""Own recordings and other encoders from the command line; other people's models on our folds."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import soundfile
from conftest import ROOT, spoken, voiced_tone
from foreign_models import SIZES, foreign_classifier
from transformers import AutoConfig, AutoModel

from ser_model import EmotionRecognizer
from ser_model.__main__ import main
from ser_model.cli import train
from ser_model.evaluation.foreign_parts import matching_labels
from ser_model.labels import EMOTIONS, SYNONYMS
from ser_model.training.arguments import parse_arguments
from ser_model.training.trainer import RunError


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """`<speaker>/<label>/n.wav` of four people and two moods that differ in pitch."""
    root = tmp_path_factory.mktemp("own") / "my_recordings"
    for speaker in range(4):
        for mood, pitch in (("awake", 300), ("tired", 110), ("odd", 200)):
            for number in range(5):
                path = root / f"s{speaker}" / mood / f"{number}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, voiced_tone(0.5, pitch=pitch + 5 * speaker + number), 16_000)
    return root


@pytest.fixture(scope="module")
def small_preset(tmp_path_factory):
    content = json.loads((ROOT / "ser_model/training/presets/logmel-cnn-bilstm.json").read_text())
    content["augmentation"] = {"views": 0}
    content["feature_extractor"]["num_mel_bins"] = 32
    content["model"] |= {"conv_channels": [8, 8], "lstm_hidden_size": 16}
    content["training"] |= {"learning_rate": 0.01, "num_train_epochs": 6, "per_device_train_batch_size": 4}
    path = tmp_path_factory.mktemp("presets") / "small.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def trained(recordings, small_preset):
    out = recordings.parent / "run"
    words = ["--preset", small_preset, "--data_dir", recordings, "--corpora", "folder", "--labels", "awake,tired"]
    assert train.main([*map(str, words), "--output_dir", str(out), "--report_to", "none"]) == 0
    return out


def test_own_recordings_become_a_checkpoint(trained, recordings, capsys):
    report = json.loads((trained / "report.json").read_text())
    assert report["preset"] == "small-folder-awake-tired" and report["labels"] == ["awake", "tired"]
    assert report["settings"]["data"] == {
        "corpora": ["folder"], "labels": ["awake", "tired"], "drop_other_labels": True,
    }  # fmt: skip
    assert report["settings"]["notes"][0] == "Preset small with other data: folder, awake, tired."
    assert set(report["test"]["per_speaker"]) == {"folder_s3"} and report["leakage"]["test"]["shared_speakers"] == 0
    assert report["temperature"] == 1.0 and report["unsure_below"] == 0.0  # ten validation clips prove nothing
    assert EmotionRecognizer.from_pretrained(trained).labels == ["awake", "tired"]
    assert main(["evaluate", str(trained), "--data_dir", str(recordings)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == report
    assert "(folder: protocol speaker, fold 1, seed 0). None of the test speakers was trained on." in err
    assert main(["evaluate", str(trained), "--data_dir", str(recordings), "--protocol", "random"]) == 0
    assert re.search("[2-4] of the test speakers and [1-9] of the test clips were trained on", capsys.readouterr().err)


def test_other_recordings_are_not_split_as_those_trained_on(trained, recordings, tmp_path, capsys):
    other = shutil.copytree(recordings, tmp_path / "new")
    (other / "s0").rename(other / "s9")
    words = ["evaluate", str(trained), "--data_dir", str(other)]
    for more in ([], ["--corpora", "folder"]):
        assert main([*words, *more]) == 1
        err = capsys.readouterr().err
        assert f"The folder clips below {other} are not those that the model was trained on" in err
    assert main([*words, "--all-clips"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["split_sizes"] == {"test": 40} and set(report["test"]["per_speaker"]) >= {"folder_s1", "folder_s9"}
    assert "(all clips of folder). What this model was trained on is not known here" in err
    assert report["classes_left_out"] == {"folder": ["odd"]} and "test" not in report["leakage"]


def test_the_folders_in_which_the_recordings_lie_do_not_matter(trained, recordings, tmp_path, capsys):
    for path in recordings.rglob("*.wav"):
        speaker, label, name = path.relative_to(recordings).parts
        (tmp_path / label / speaker).mkdir(parents=True, exist_ok=True)
        (tmp_path / label / speaker / name).symlink_to(path)
    assert main(["evaluate", str(trained), "--data_dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["test"] == json.loads((trained / "report.json").read_text())["test"]


def test_its_card_speaks_of_own_recordings(trained):
    card = (trained / "README.md").read_text()
    assert "people's own recordings" in card and not re.search("acted|actors|English", card)


def test_a_table_is_enough(recordings, small_preset, tmp_path, capsys):
    table = tmp_path / "rows.csv"
    rows = [
        f"{path.relative_to(recordings)},{path.parent.name},{path.parts[-3]}"
        for path in sorted(recordings.rglob("[0-2].wav"))
    ]
    table.write_text("\n".join(["path,label,speaker", *rows]))
    words = [
        "--preset",
        small_preset,
        "--csv",
        table,
        "--data_dir",
        recordings,
        "--max_steps",
        1,
        "--output_dir",
        tmp_path / "run",
    ]
    assert train.main([*map(str, words), "--report_to", "none"]) == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["labels"] == ["awake", "odd", "tired"] and sum(report["split_sizes"].values()) == 36
    capsys.readouterr()
    evaluate = ["evaluate", tmp_path / "run", "--data_dir", recordings, "--csv", table]
    assert main([*map(str, evaluate)]) == 0
    assert json.loads(capsys.readouterr().out) == report
    table.write_text("\n".join(["path,label,speaker", *(row for row in rows if ",awake," not in row)]))
    assert main([*map(str, evaluate)]) == 1
    del report["split_fingerprint"]  # as in reports of older versions
    (tmp_path / "run" / "report.json").write_text(json.dumps(report))
    assert main([*map(str, evaluate)]) == 0
    classes = json.loads(capsys.readouterr().out)["test"]["per_class"]
    assert [bool(classes[label]["support"]) for label in ("awake", "odd", "tired")] == [False, True, True]


def test_a_table_is_of_own_recordings_for_a_model_that_was_trained_on_others(tmp_path, capsys):
    soundfile.write(tmp_path / "one.wav", spoken(1.0), 16_000)
    (tmp_path / "rows.csv").write_text("path,label,speaker\none.wav,sad,me\n")
    command = ["evaluate", str(ROOT / "checkpoints/logmel-cnn-bilstm"), "--csv", str(tmp_path / "rows.csv")]
    assert main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["whole_corpora"] == ["folder"] and report["split_sizes"] == {"test": 1}
    assert main([*command, "--corpora", "ravdess"]) == 1
    assert capsys.readouterr().err.endswith("add folder to --corpora.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--corpora ravdess --csv x.csv", "--csv names a table of your own recordings: add folder to --corpora."),
        ("--encoder x", "--encoder is for presets with a pretrained encoder, which logmel-cnn-bilstm has not."),
        ("--labels tired", "--labels has to name two different labels or more, not tired."),
        ("--labels tired,tired", "--labels has to name two different labels or more, not tired,tired."),
    ],
)
def test_options_that_do_not_go_together(words, said):
    with pytest.raises(RunError, match=re.escape(said)):
        parse_arguments(["--preset", "logmel-cnn-bilstm", *words.split()])


def test_a_run_is_named_after_the_corpora_and_labels_that_are_not_its_presets():
    chosen = ["--corpora", "ravdess, folder", "--labels", "tired, awake"]
    for words, name in ((chosen[2:], "-tired-awake"), (chosen, "-ravdess-folder-tired-awake")):
        _, preset, args = parse_arguments(["--preset", "logmel-cnn-bilstm", *words])
        assert preset.name == f"logmel-cnn-bilstm{name}" and preset.data["labels"] == ["tired", "awake"]
        assert args.output_dir == f"runs/{preset.name}-speaker-fold1-seed0" and "tired, awake" in preset.notes[0]


def encoder_folder(folder, model_type):
    sizes = SIZES[model_type]
    AutoModel.from_config(AutoConfig.for_model(model_type, **sizes)).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("model_type", ["wav2vec2", "hubert", "wavlm", "data2vec-audio"])
def test_another_encoder_brings_its_own_front_end(tmp_path, model_type):
    _, preset, args = parse_arguments(
        ["--preset", "encoder-attention", "--encoder", encoder_folder(tmp_path / "mine", model_type)]
    )
    assert preset.feature_extractor["features"] == ["waveform"] and "num_mel_bins" not in preset.feature_extractor
    assert preset.model["encoder"] == "mine" and preset.name == "encoder-attention-mine"
    assert args.output_dir == "runs/encoder-attention-mine-speaker-fold1-seed0"
    assert preset.extractor().feature_size == 160


def test_the_presets_own_encoder_in_a_folder_changes_nothing(tmp_path, capsys):
    for name in ("whisper-base", "whatever"):
        _, preset, _ = parse_arguments(["--encoder", encoder_folder(tmp_path / name, "whisper")])
        assert preset == parse_arguments([])[1]
    assert (
        parse_arguments(["--encoder", encoder_folder(tmp_path / "whisper-tiny", "whisper")])[1].model["encoder"]
        == "whisper-tiny"
    )
    words = ["cross-validate", "--preset", "encoder-attention", "--encoder", str(tmp_path / "whisper-tiny")]
    assert main(words) == 1
    assert "is not the encoder of encoder-attention, openai/whisper-base: name it" in capsys.readouterr().err
    with pytest.raises(
        RunError, match="An encoder of type audio-spectrogram-transformer cannot be used: Whisper, wav2vec"
    ):
        parse_arguments(["--encoder", encoder_folder(tmp_path / "ast", "audio-spectrogram-transformer")])


def test_a_hubert_is_trained_on(recordings, tmp_path):
    preset = json.loads((ROOT / "ser_model/training/presets/encoder-attention.json").read_text())
    preset["model"] |= {"encoder_layers": [2], "hidden_size": 8, "lstm_hidden_size": 4, "num_heads": 1}
    preset["training"] |= {"refit": False}
    (tmp_path / "head.json").write_text(json.dumps(preset))
    data = ["--data_dir", recordings, "--corpora", "folder", "--labels", "awake,tired"]
    words = ["--preset", tmp_path / "head.json", *data,
             "--encoder", encoder_folder(tmp_path / "hubert-tiny", "hubert"), "--output_dir", tmp_path / "run",
             "--max_steps", 2, "--report_to", "none"]  # fmt: skip
    assert train.main([*map(str, words)]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["encoder"] == "hubert-tiny" and config["encoder_config"]["model_type"] == "hubert"
    assert EmotionRecognizer.from_pretrained(tmp_path / "run")(voiced_tone(1.0), 16_000).duration == 1.0


def test_somebody_elses_model_on_our_folds(mini_ravdess, tmp_path, capsys):
    folder = foreign_classifier(tmp_path / "model", "wav2vec2")
    words = ["evaluate", folder, "--data_dir", mini_ravdess]
    assert main([*map(str, words)]) == 1
    assert "name corpora to evaluate it on with --corpora" in capsys.readouterr().err
    assert main([*map(str, words), "--corpora", "ravdess", "--protocol", "speaker"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["protocol"], report["fold"], report["split_sizes"]) == ("speaker", 1, {"test": 16})
    assert report["model"] == str(folder)
    assert report["classes_left_out"] == {"ravdess": ["calm", "fear", "disgust", "surprise"]}
    assert report["labels"] == ["neutral", "happy", "angry", "sad"] and report["test"]["missing_classes"] == []
    assert set(report["test"]["per_speaker"]) == {f"ravdess_{actor}" for actor in ("01", "11", "20", "21")}
    assert "What this model was trained on is not known" in report["leakage"]["notes"][0]
    foreign = foreign_classifier(tmp_path / "other", "wav2vec2", ("cat", "dog"))
    assert main(["evaluate", str(foreign), "--data_dir", str(mini_ravdess), "--corpora", "ravdess"]) == 1
    assert "No clip has a label of the model" in capsys.readouterr().err


def test_labels_are_matched_by_name_and_meaning():
    assert matching_labels(["anger", "Tired", "calm"], ["angry", "Tired", "joy"]) == {
        "anger": "angry", "Tired": "Tired", "calm": None,
    }  # fmt: skip
    assert matching_labels(["happy"], ["happiness", "joy"]) == {"happy": "happiness"}


def test_the_table_of_synonyms_in_the_documentation_is_the_real_one():
    page = (ROOT / "docs" / "own-data.md").read_text()
    rows = re.findall(r"^ *\| (\w+) \| ([\w, ]+) \|$", page, flags=re.MULTILINE)
    assert {word: name for name, words in rows if name in EMOTIONS for word in words.split(", ")} == SYNONYMS
