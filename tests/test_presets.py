"""Presets: every one complete, every mistake one sentence."""

import copy
import json

import pytest

from ser_model.labels import EMOTIONS
from ser_model.training.presets import PresetError, load_preset, names, preset_from_dict


def test_the_five_systems_and_their_stages_are_there():
    assert set(names()) >= {
        "phonetic-cnn",
        "phonetic-cnn-plain",
        "phonetic-cnn-lstm",
        "phonetic-cnn-clstm",
        "mfcc-cnn",
        "mfcc-cnn-lstm-baseline",
        "mfcc-cnn-lstm-ravdess",
        "mfcc-cnn-lstm",
        "mfcc-cnn-bilstm-mixup",
        "logmel-cnn-bilstm",
    }


@pytest.mark.parametrize("name", names())
def test_each_builds_its_model(name):
    from transformers import AutoModelForAudioClassification

    preset = load_preset(name)
    extractor = preset.extractor()
    labels = preset.data["labels"]
    assert labels == [label for label in EMOTIONS if label in labels]
    config = preset.config(
        num_features=extractor.feature_size, num_utterance_features=extractor.num_utterance_features,
        num_frames=extractor.num_frames, num_labels=len(labels),
    )  # fmt: skip
    if "encoder" in preset.model:  # of the sizes of the encoder that would be downloaded
        config.encoder_config = {"model_type": "whisper", "encoder_layers": max(config.encoder_layers)}
    assert AutoModelForAudioClassification.from_config(config).num_parameters() > 10_000
    assert any("trim" in note for note in preset.notes)


@pytest.mark.parametrize(
    ("block", "key", "value", "words"),
    [
        ("model", "dropout", "0.2", "model.dropout cannot be '0.2'"),
        ("model", "model_type", "resnet", "model_type has to be one of"),
        ("augmentation", "viewz", 2, "unknown key augmentation.viewz"),
        ("training", "learning_rate", "5e-3", "training.learning_rate"),
        ("training", "no_cuda", True, "unknown key training.no_cuda"),
        ("feature_extractor", "mean", [0.0], "unknown key feature_extractor.mean"),
        ("feature_extractor", "features", "log_mel", "feature_extractor.features"),
        ("data", "corpora", "ravdess", "data.corpora"),
        ("loss", "class_weight", "heavy", "loss.class_weight"),
    ],
)
def test_mistakes(block, key, value, words):
    content = copy.deepcopy(load_preset("logmel-cnn-bilstm").as_dict())
    content[block][key] = value
    with pytest.raises(PresetError, match=words):
        preset_from_dict(content)


def test_blocks_and_files(tmp_path):
    content = load_preset("logmel-cnn-bilstm").as_dict()
    with pytest.raises(PresetError, match="unknown block 'optimizer'"):
        preset_from_dict(content | {"optimizer": {}})
    with pytest.raises(PresetError, match="'loss' is missing"):
        preset_from_dict({key: value for key, value in content.items() if key != "loss"})
    with pytest.raises(PresetError, match="no preset s9; known are encoder-attention"):
        load_preset("s9")
    path = tmp_path / "mine.json"
    path.write_text("{")
    with pytest.raises(PresetError, match="not JSON"):
        load_preset(str(path))
    path.write_text("[1]")
    with pytest.raises(PresetError, match="has to be an object of blocks"):
        load_preset(str(path))
    for model in ("x", [], None):
        with pytest.raises(PresetError, match=r"model\.model_type has to be one of"):
            preset_from_dict(content | {"model": model})
    del content["name"]
    path.write_text(json.dumps(content))
    assert load_preset(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"augmentation": {"viewz": 2}}, "augmentation.viewz. Did you mean views\\?"),
        ({"modl": {}}, "Did you mean model\\?"),
    ],
)
def test_a_near_miss_is_named(change, words):
    content = load_preset("logmel-cnn-bilstm").as_dict()
    with pytest.raises(PresetError, match=words):
        preset_from_dict(content | change)
    with pytest.raises(PresetError, match="Did you mean mfcc-cnn-lstm"):
        load_preset("mfcc-cnn-lsmt")


def test_values_that_do_not_go_together_are_one_sentence():
    content = load_preset("mfcc-cnn-four-views").as_dict()
    with pytest.raises(PresetError, match=r"^mfcc-cnn-four-views: changes_by_view names pitch_semitones, which is not"):
        preset_from_dict(content | {"augmentation": content["augmentation"] | {"pitch_semitones": None}})
