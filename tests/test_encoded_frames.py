"""Frames of a frozen encoder, made once, and a head trained on them, from corpus files to a checkpoint."""

import json
import os
import subprocess
import sys
import time

import datasets
import huggingface_hub
import numpy as np
import pytest
import torch
from conftest import ROOT, called, spoken
from forked import started
from hub_helpers import NETWORKS
from transformers import AutoModelForAudioClassification, WhisperConfig, WhisperForAudioClassification

from datasets_scripts import load_corpora
from datasets_scripts.splits import make_split
from ser_model import EmotionRecognizer
from ser_model.__main__ import main as ser_model
from ser_model.audio import load_audio
from ser_model.cli import train
from ser_model.evaluation.evaluate_checkpoint import evaluate_checkpoint
from ser_model.inference.voice_profile import VoiceProfile, shrunk
from ser_model.models.configuration_ser import SpeechEncoderConfig
from ser_model.models.registration import FAMILIES
from ser_model.training import encoded_frames
from ser_model.training.augmentation import Augmentation
from ser_model.training.encoded_frames import EncodedFrames, batches_of_like_length
from ser_model.training.losses import Loss
from ser_model.training.trainer import SerTrainer, SerTrainingArguments

NOISE = Augmentation(views=1, probability=1.0, noise_snr_db=[20, 30])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return AutoModelForAudioClassification.from_config(
        SpeechEncoderConfig(num_labels=8, **NETWORKS["ser_speech_encoder"])
    ).eval()


@pytest.fixture(scope="module")
def extractor():
    return FAMILIES["ser_speech_encoder"].extractor_class()


@pytest.fixture(scope="module")
def table(mini_ravdess, tmp_path_factory):
    return load_corpora(["ravdess"], mini_ravdess, cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def parts(table, network, extractor):
    split = make_split(table, "speaker", 1, 0, num_views=1)
    training = EncodedFrames(split.train, table, network, extractor, NOISE, seed=0)
    return training, EncodedFrames(split.validation, table, network, extractor, NOISE, seed=0, training=training)


def test_a_batch_gives_what_the_whole_network_gives(parts, table, network, extractor):
    _, validation = parts
    network.frames_mean.copy_(validation.mean)
    network.frames_std.copy_(validation.std)
    paths = list(table["audio"])
    waves = [load_audio(paths[clip], 16_000) for clip, _ in validation.items[:6]]
    batch = validation.collate([validation[index] for index in range(6)])
    assert batch["input_features"].shape == (6, 12, 2, 16) and batch["attention_mask"].all()
    with torch.no_grad():
        expected = network(**extractor(waves, 16_000, return_tensors="pt")).logits
        logits = network(batch["input_features"], batch["attention_mask"]).logits
    torch.testing.assert_close(logits, expected, atol=0.03, rtol=0.03)  # float16, and bfloat16 where that is fast


def test_a_shorter_clip_in_a_batch_is_masked(parts, network):
    training, _ = parts
    items = [training[0], training[1]]
    items[0]["input_features"] = items[0]["input_features"][:5]
    batch = training.collate(items)
    assert batch["attention_mask"].sum(dim=1).tolist() == [5, 12]
    with torch.no_grad():
        alone = network(items[0]["input_features"][None]).logits
        torch.testing.assert_close(network(batch["input_features"], batch["attention_mask"]).logits[:1], alone)


def test_statistics_are_those_of_the_training_clips_as_they_are(parts):
    training, validation = parts
    frames = torch.cat([frames_of(training, item) for item in training.items if item[1] == 0])
    torch.testing.assert_close(training.mean, frames.mean(dim=0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(training.std, frames.std(dim=0, correction=0), atol=1e-4, rtol=1e-3)
    assert validation.mean is training.mean
    expected = (frames_of(validation, validation.items[3]) - training.mean) / training.std
    torch.testing.assert_close(validation[3]["input_features"], expected)


def test_training_items_of_every_view_are_standardised_with_their_speakers_clips_as_they_are(parts, table, monkeypatch):
    training, _ = parts
    speakers, (clip, view) = list(table["speaker"]), training.items[9]
    monkeypatch.setattr(encoded_frames, "NO_PROFILE_SHARE", 0.0)
    monkeypatch.setattr(encoded_frames, "PROFILE_SIZES", (None,))
    own = [item for item in training.items if speakers[item[0]] == speakers[clip] and item[1] == 0]
    assert view == 1
    frames = torch.cat([frames_of(training, item) for item in own])
    assert len(own) == 8
    mean = shrunk(frames.mean(dim=0), training.mean, len(frames))
    std = shrunk(frames.std(dim=0, correction=0), training.std, len(frames))
    expected = (frames_of(training, (clip, view)) - mean) / std
    torch.testing.assert_close(training[9]["input_features"], expected, atol=1e-3, rtol=1e-3)
    monkeypatch.setattr(encoded_frames, "PROFILE_SIZES", (1,))
    drawn = {tuple(training[9]["input_features"].flatten()[:3].tolist()) for _ in range(60)}
    assert 2 <= len(drawn) <= 8  # one for each clip that can be drawn
    monkeypatch.setattr(encoded_frames, "NO_PROFILE_SHARE", 1.0)
    expected = (frames_of(training, (clip, view)) - training.mean) / training.std
    torch.testing.assert_close(training[9]["input_features"], expected)


def test_profiles_are_made_of_clips_of_one_label_where_the_network_asks_for_it(
    parts, table, network, extractor, monkeypatch
):
    monkeypatch.setattr(encoded_frames, "NO_PROFILE_SHARE", 0.0)
    monkeypatch.setattr(encoded_frames, "PROFILE_SIZES", (None,))
    names = table.features["emotion"].names
    monkeypatch.setattr(network.config, "profile_label", "sad")
    of_any, _ = parts
    training = EncodedFrames(of_any.items, table, network, extractor, NOISE, seed=0)
    torch.testing.assert_close(training.mean, of_any.mean)
    speakers, (clip, view) = list(table["speaker"]), training.items[9]
    sad = [
        item
        for item in training.items
        if speakers[item[0]] == speakers[clip] and item[1] == 0 and names[training.labels[item[0]]] == "sad"
    ]
    frames = torch.cat([frames_of(training, item) for item in sad])
    mean, std = frames.mean(dim=0), frames.std(dim=0, correction=0)
    expected = frames_of(training, (clip, view)) - shrunk(mean, training.mean, len(frames))
    expected /= shrunk(std, training.std, len(frames))
    torch.testing.assert_close(training[9]["input_features"], expected, atol=1e-3, rtol=1e-3)
    monkeypatch.setattr(network.config, "profile_label", "bored")  # which no clip has: profiles are of any clips
    assert len(EncodedFrames(of_any.items, table, network, extractor, NOISE, seed=0)._members[speakers[clip]]) == 8


def test_frames_are_made_once_and_anew_with_other_weights(parts, table, network, extractor, monkeypatch):
    training, _ = parts
    calls = []
    layer_outputs = type(network.encoder).layer_outputs
    monkeypatch.setattr(
        type(network.encoder), "layer_outputs", lambda *inputs: calls.append(1) or layer_outputs(*inputs)
    )
    EncodedFrames(training.items, table, network, extractor, NOISE, seed=0)
    assert not calls
    other = AutoModelForAudioClassification.from_config(network.config)
    EncodedFrames(training.items[:1], table, other, extractor, NOISE, seed=0)
    assert calls


def frames_of(part: EncodedFrames, item: tuple[int, int]) -> torch.Tensor:
    frames = np.frombuffer(part.views[item[1]][item[0]]["frames"], np.float16).astype(np.float32)
    return torch.from_numpy(frames).view(-1, *part.shape)


def options(root, preset, data, out, *more):
    given = {"preset": root / preset, "data_dir": data, "output_dir": root / out, "encoder": root / "encoder"}
    return [word for name, value in given.items() for word in (f"--{name}", value)] + list(more)


def environment(root):
    """Of a process that runs train.py."""
    return os.environ | {"HF_DATASETS_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def trained(mini_ravdess, tmp_path_factory):
    """What `train.py` makes of a tiny encoder."""
    root = tmp_path_factory.mktemp("run")
    sizes = {key: value for key, value in NETWORKS["ser_speech_encoder"].items() if key != "encoder_config"}
    of_encoder = NETWORKS["ser_speech_encoder"]["encoder_config"]
    whisper = WhisperConfig(**{**of_encoder, "encoder_layers": 3, "vocab_size": 40})
    torch.manual_seed(0)
    WhisperForAudioClassification(whisper).save_pretrained(root / "encoder")
    content = json.loads((ROOT / "ser_model/training/presets/encoder-attention.json").read_text())
    content["data"] |= {"corpora": ["ravdess"]}
    content["model"] |= sizes
    content["training"] |= {"learning_rate": 0.01, "warmup_steps": 0, "num_train_epochs": 8}
    (root / "tiny.json").write_text(json.dumps(content))
    words = [ROOT / "train.py", *options(root, "tiny.json", mini_ravdess, "out", "--num_proc", 2)]
    done = subprocess.run([sys.executable, *map(str, words)], env=environment(root), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3_000:]
    (root / "output.txt").write_text(done.stdout)
    with pytest.MonkeyPatch.context() as patch:  # for what is called here: the cache of that process
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", root / "cache")
        yield root / "out"


def test_train_py_makes_a_checkpoint_of_it(trained, mini_ravdess):
    assert {path.name for path in trained.glob("*.py")} >= {"speech_encoder_ser.py", "speech_encoder_features_ser.py"}
    config = json.loads((trained / "config.json").read_text())
    assert config["encoder"] == "openai/whisper-base" and config["encoder_config"]["encoder_layers"] == 2
    report = json.loads((trained / "report.json").read_text())
    assert report["test"]["uar"] > 0.2  # chance is 0.125
    assert "Pretrained encoder > standardisation by speaker > heads" in (trained / "README.md").read_text()
    recognizer = EmotionRecognizer.from_pretrained(trained)
    assert recognizer.model.dtype == torch.float32
    assert (recognizer.model.frames_mean != 0).all() and (recognizer.model.frames_std != 1).all()
    clips = sorted(mini_ravdess.glob("Actor_01/*.wav"))
    profile = VoiceProfile.from_clips(recognizer, [spoken(2.0)], 16_000)
    assert recognizer(clips[0], voice=profile).probabilities != recognizer(clips[0]).probabilities


def test_the_network_saved_was_trained_on_the_validation_part_too(trained, table, mini_ravdess):
    report = json.loads((trained / "report.json").read_text())
    assert report["refit"] and not (trained / "refit").exists()
    assert "trained anew, with the same settings" in (trained / "README.md").read_text()
    sizes = report["split_sizes"]
    output = (trained.parent / "output.txt").read_text()
    assert f"Training anew on training and validation part: {sizes['train'] + sizes['validation']} items." in output


def test_killed_in_the_last_training_and_resumed(trained, mini_ravdess):
    root = trained.parent
    killed, _ = started("train", *options(root, "tiny.json", mini_ravdess, "killed"), env=environment(root))
    while not list(root.glob("killed/refit/checkpoint-*/trainer_state.json")):
        assert killed.is_alive()
        time.sleep(0.02)
    killed.kill()
    killed.join()
    assert not (root / "killed/report.json").exists()
    done = called(train.main, *options(root, "tiny.json", mini_ravdess, "killed", "--resume"))
    assert done.returncode == 0, done.stderr[-3_000:]
    again, report = (json.loads((root / name / "report.json").read_text()) for name in ("killed", "out"))
    for part in ("temperature", "validation", "test"):
        assert again[part] == report[part], part


def test_the_queue_hands_the_encoder_on(trained, mini_ravdess, monkeypatch):
    root = trained.parent
    content = json.loads((root / "tiny.json").read_text())
    content["training"]["num_train_epochs"] = 1
    (root / "short.json").write_text(json.dumps(content))
    entry = {"preset": str(root / "short.json"), "protocol": "speaker", "folds": [2], "seeds": [0]}
    (root / "queue.json").write_text(json.dumps([entry]))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(root / "cache"))
    done = called(ser_model, "results", "--queue", root / "queue.json", "--data_dir", mini_ravdess,
                  "--runs_dir", root / "runs", "--encoder", root / "encoder")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((root / "short__speaker__fold2__seed0.json").read_text())
    assert (report["preset"], report["fold"]) == ("short", 2)


def test_evaluating_it_repeats_its_report(trained, mini_ravdess):
    report = json.loads((trained / "report.json").read_text())
    assert list(report["voice_profiles"]) == [
        "0", "1", "3", "5", "10", "20", "all", "3 neutral", "all neutral",
    ]  # fmt: skip
    assert report["voice_profiles"]["0"]["uar"] == report["test"]["uar"]
    assert report["voice_profiles"]["10"] == report["voice_profiles"]["all"]  # there are seven other clips
    assert report["test"]["uar_interval"] and report["leakage"]["text"]["ravdess"]["sentences"] == 0
    evaluated = evaluate_checkpoint(EmotionRecognizer.from_pretrained(trained), mini_ravdess)
    for part in ("validation", "test", "voice_profiles", "leakage", "split_sizes"):
        assert evaluated[part] == report[part], part
    assert "| clips in the profile | 0 | 1 | 3 |" in (trained / "README.md").read_text()


@pytest.mark.parametrize(("refit", "shared"), [(False, 3), (True, 4)])
def test_on_another_fold_the_refitted_network_knows_the_validation_speakers(trained, mini_ravdess, refit, shared):
    """Of fold 6, actors 06, 17 and 22 were trained on; 13 was a validation speaker."""
    recognizer = EmotionRecognizer.from_pretrained(trained)
    recognizer.report |= {"refit": refit, "split_fingerprint": None}  # as in reports of older versions
    report = evaluate_checkpoint(recognizer, mini_ravdess, fold=6)
    assert report["leakage"]["test"]["shared_speakers"] == shared
    assert ("validation" in report) is not refit  # figures of fold 1 are none of fold 6


def test_layers_that_are_not_frozen_have_a_learning_rate_of_their_own(network, extractor, tmp_path):
    config = SpeechEncoderConfig(**network.config.to_dict() | {"frozen_layers": 1})
    trainer = SerTrainer(
        model=AutoModelForAudioClassification.from_config(config), loss=Loss(), processing_class=extractor,
        args=SerTrainingArguments(
            output_dir=str(tmp_path), use_cpu=True, learning_rate=1e-3, encoder_learning_rate=1e-5, weight_decay=0.1
        ),
        eval_dataset=[{}],
    )  # fmt: skip
    rates = {
        id(weights): group["lr"] for group in trainer.create_optimizer().param_groups for weights in group["params"]
    }
    trained = {name: weights for name, weights in trainer.model.named_parameters() if weights.requires_grad}
    assert len(rates) == len(trained) and any(name.startswith("encoder.") for name in trained)
    for name, weights in trained.items():
        assert rates[id(weights)] == (1e-5 if name.startswith("encoder.") else 1e-3)


def test_fine_tuning_from_the_command_line(trained, mini_ravdess):
    content = json.loads((trained.parent / "tiny.json").read_text())
    content["model"]["frozen_layers"] = 1
    (trained.parent / "tuned.json").write_text(json.dumps(content))
    done = called(train.main, *options(trained.parent, "tuned.json", mini_ravdess, "tuned", "--max_steps", 2))
    assert done.returncode == 0, done.stderr[-3_000:]
    before, after = (
        AutoModelForAudioClassification.from_pretrained(trained.parent / name).encoder.state_dict()
        for name in ("out", "tuned")
    )
    changed = {name for name, weights in before.items() if not torch.equal(weights, after[name])}
    assert changed and all(name.startswith("layers.1.") for name in changed)


@pytest.mark.parametrize(("encoder", "name"), [("nowhere", "nowhere"), (None, "openai/whisper-base")])
def test_an_encoder_that_is_not_there_gives_one_sentence(encoder, name, mini_ravdess, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    content = json.loads((ROOT / "ser_model/training/presets/encoder-attention.json").read_text())
    content["data"] |= {"corpora": ["ravdess"]}
    (tmp_path / "own.json").write_text(json.dumps(content))
    words = ["--preset", tmp_path / "own.json", "--data_dir", mini_ravdess, "--output_dir", tmp_path / "out"]
    done = called(train.main, *words, *(["--encoder", encoder] if encoder else []))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(f"train.py: The encoder {name} cannot be loaded: ")
    assert said.endswith(". Pass --encoder with a folder that holds it, or with a Hub id that can be reached.")


def test_clip_statistics_are_mean_and_deviation_over_time(parts):
    training, _ = parts
    frames = frames_of(training, training.items[3])
    expected = torch.cat([frames.mean(dim=0), frames.std(dim=0, correction=0)]).flatten()
    torch.testing.assert_close(torch.from_numpy(training.clip_statistics()[3]), expected, atol=1e-3, rtol=1e-3)


def test_batches_of_like_length_hold_every_clip_once_and_little_padding():
    lengths = np.random.default_rng(0).integers(100, 700, 128)
    batches = batches_of_like_length([range(length) for length in lengths], 8)
    assert sorted(place for batch in batches for place in batch) == list(range(128))
    padded = sum(len(batch) * max(lengths[batch]) for batch in batches)
    assert lengths.sum() / padded > 0.95
