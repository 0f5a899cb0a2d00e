"""A checkpoint is loaded whole or refused with the file and the reason."""

import json
import math
import os
import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from conftest import voiced_tone
from hub_helpers import small_checkpoint
from safetensors.torch import load_file, save_file
from transformers.utils.logging import disable_progress_bar

from ser_model import EmotionRecognizer
from ser_model.__main__ import main
from ser_model.inference.recognizer import ModelError

WEIGHTS, CONFIG, EXTRACTOR, REPORT = "model.safetensors", "config.json", "preprocessor_config.json", "report.json"


@pytest.fixture(scope="module", params=["ser_cnn_bilstm", "ser_phonetic_cnn"])
def whole(request, tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("whole"), request.param)


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "checkpoint")


def tensors(change):
    def apply(folder):
        state = load_file(folder / WEIGHTS)
        change(state)
        save_file(state, folder / WEIGHTS, metadata={"format": "pt"})

    return WEIGHTS, apply


def values(file, **changes):
    """Sets values of a JSON file; a function is given the value that is there."""

    def apply(folder):
        content = json.loads((folder / file).read_text())
        for key, value in changes.items():
            content[key] = value(content[key]) if callable(value) else value
        (folder / file).write_text(json.dumps(content))

    return file, apply


def content(file, change):
    def apply(folder):
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(change(before))

    return file, apply


def cut(before):
    return before[: len(before) // 2]


def first(value):
    """The first number of a list is another one."""
    return lambda numbers: [value, *numbers[1:]]


FAULTS = {
    "missing tensor": (*tensors(lambda state: state.pop("classifier.bias")), "missing: classifier.bias"),
    "all tensors missing": (
        *tensors(lambda state: (state.clear(), state.update(x=torch.ones(20_000)))),
        r"missing: .* and \d+ more",
    ),
    "unexpected tensor": (*tensors(lambda state: state.update(extra=torch.ones(2))), "not of this model: extra"),
    "NaN weight": (
        *tensors(lambda state: state["classifier.weight"][0].fill_(math.nan)),
        r"not numbers \(NaN or infinite\): classifier.weight",
    ),
    "infinite statistics": (
        *tensors(lambda state: state["blocks.0.norm.running_var"].fill_(math.inf)),
        "infinite.: blocks.0.norm.running_var",
    ),
    "negative variance": (
        *tensors(lambda state: state["blocks.0.norm.running_var"].fill_(-1)),
        "the weights give results that are not numbers",
    ),
    "another shape": (
        *tensors(lambda state: state.update({"classifier.bias": torch.ones(7)})),
        r"classifier.bias has the shape \(7,\), where config.json asks for \(8,\)",
    ),
    "cut weights": (*content(WEIGHTS, cut), "."),
    "weights without bytes": (*content(WEIGHTS, lambda before: b""), "."),
    "weights cut in the header": (*content(WEIGHTS, lambda before: before[:20]), "."),
    "temperature 0": (
        *values(CONFIG, calibration_temperature=0),
        "calibration_temperature has to be a number above 0, not 0",
    ),
    "unsure_below 2": (*values(CONFIG, unsure_below=2), "unsure_below has to be a number from 0 to 1, not 2"),
    "unsure_below NaN": (*values(CONFIG, unsure_below=math.nan), "not nan"),
    "temperature NaN": (*values(CONFIG, calibration_temperature=math.nan), "not nan"),
    "temperature infinite": (*values(CONFIG, calibration_temperature=math.inf), "not inf"),
    "negative temperature": (*values(CONFIG, calibration_temperature=-2.5), "not -2.5"),
    "temperature as text": (*values(CONFIG, calibration_temperature="hot"), "calibration_temperature"),
    "gap in the labels": (*values(CONFIG, id2label=lambda names: {**names, "9": names.pop("3")}), "without gaps"),
    "the same label twice": (
        *values(CONFIG, id2label=lambda names: {**names, "3": names["4"]}),
        "have to be different",
    ),
    "an empty label": (*values(CONFIG, id2label=lambda names: {**names, "3": ""}), "have to be different"),
    "one label": (*values(CONFIG, id2label={"0": "calm"}, label2id={"calm": 0}), "at least two labels"),
    "cut config": (*content(CONFIG, cut), "."),
    "config of another model": (
        *values(CONFIG, model_type="wav2vec2"),
        "it is a .*, whose classifier would have to be made up",
    ),
    "weights that do not fill the network": (
        *tensors(lambda state: (state.clear(), state.update(x=torch.ones(1)))),
        "weights, for which .* bytes are too few",
    ),
    "config without numbers": (*values(CONFIG, conv_channels="many"), "."),
    "std of 0": (*values(EXTRACTOR, std=first(0.0)), "std has to be above 0 everywhere"),
    "std NaN": (*values(EXTRACTOR, std=first(math.nan)), "std has to be"),
    "std missing": (*values(EXTRACTOR, std=None), "std has to be"),
    "mean infinite": (*values(EXTRACTOR, mean=first(math.inf)), "mean has to be"),
    "mean too short": (*values(EXTRACTOR, mean=lambda numbers: numbers[1:]), r"mean has to be \d+ finite numbers"),
    "other features": (
        *values(EXTRACTOR, features=["rms"], mean=None, std=None),
        "feature_size is 1, where config.json has num_features",
    ),
    "sampling rate 0": (*values(EXTRACTOR, sampling_rate=0), "."),
    "frames of no length": (*values(EXTRACTOR, hop_length=0), "frames of 0.0 s"),
    "windows of no length": (*values(EXTRACTOR, n_fft=0), "."),
    "cut extractor": (*content(EXTRACTOR, cut), "."),
    "cut report": (*content(REPORT, cut), "."),
    "NaN in the report": (*values(REPORT, temperature=math.nan), "NaN"),
    "report of another model": (*values(REPORT, labels=["calm", "sad"]), "its labels are not those of config.json"),
    "report that is a list": (*content(REPORT, lambda before: b"[]"), "not a JSON object"),
    "report that is no text": (*content(REPORT, lambda before: b"\xff\xfe\x00"), "."),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_checkpoint_is_refused_with_file_and_reason(folder, fault, capfd):
    disable_progress_bar()
    file, apply, reason = FAULTS[fault]
    apply(folder)
    with pytest.raises(ModelError, match=reason) as error:
        EmotionRecognizer.from_pretrained(folder)
    assert re.match(rf"No model could be loaded from {re.escape(str(folder))}: {file}: .", str(error.value))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""  # the sentence is the caller's to print


def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(tmp_path):
    for name, reason in ((tmp_path / "none", "There is no folder"), (tmp_path, "config.json: There is no such file")):
        with pytest.raises(ModelError, match=f"No model could be loaded from {name}: {reason}"):
            EmotionRecognizer.from_pretrained(name)


@pytest.mark.parametrize("file", [WEIGHTS, CONFIG, EXTRACTOR])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(ModelError, match=rf"checkpoint: {file}: "):
        EmotionRecognizer.from_pretrained(folder)


def test_utterance_statistics_are_checked_too(tmp_path):
    folder = small_checkpoint(tmp_path / "checkpoint", "ser_phonetic_cnn")
    values(EXTRACTOR, utterance_std=first(0.0))[1](folder)
    with pytest.raises(ModelError, match="utterance_std has to be above 0 everywhere"):
        EmotionRecognizer.from_pretrained(folder)


def test_no_encoder_is_fetched_for_a_checkpoint(tmp_path):
    folder = small_checkpoint(tmp_path / "checkpoint", "ser_speech_encoder")
    values(CONFIG, encoder_config=None, encoder="someone/encoder")[1](folder)
    with pytest.raises(ModelError, match="encoder_config is missing"):
        EmotionRecognizer.from_pretrained(folder)


class Planted:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.bin", "model.safetensors"])
def test_a_planted_pickle_is_never_opened(folder, tmp_path, name):
    ran = tmp_path / "ran"
    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(pickle.dumps(Planted(ran)))
    with pytest.raises(ModelError, match=r"model\.safetensors: "):
        EmotionRecognizer.from_pretrained(folder)
    assert not ran.exists()


@pytest.mark.parametrize("command", [["predict"], ["timeline"], ["evaluate"]])
@pytest.mark.parametrize("fault", ["missing tensor", "NaN weight", "temperature NaN", "std of 0", "cut report"])
def test_every_command_refuses_it_in_one_sentence(whole, folder, clip, capsys, command, fault):
    FAULTS[fault][1](folder)
    words = [str(folder)] if command == ["evaluate"] else [str(clip), "--model", str(folder)]
    assert main([*command, *words]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"{command[0]}: No model could be loaded from {folder}: ")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", torch.bfloat16, torch.float16])
def test_half_precision_gives_nearly_the_same(whole, dtype):
    exact = EmotionRecognizer.from_pretrained(whole)
    rough = EmotionRecognizer.from_pretrained(whole, dtype=dtype)
    assert exact.model.dtype == torch.float32 and rough.model.dtype != torch.float32
    waves = [
        voiced_tone(seconds, exact.sampling_rate, pitch) for seconds, pitch in ((0.4, 120), (1.0, 220), (7.0, 170))
    ]
    for one, other in zip(exact.predict_batch(waves), rough.predict_batch(waves), strict=True):
        assert other.probabilities == pytest.approx(one.probabilities, abs=0.05)
        np.testing.assert_allclose(other.attention.weights.sum(), 1, atol=0.01)


def test_probabilities_that_are_not_numbers_are_an_error_not_an_answer(whole):
    recognizer = EmotionRecognizer.from_pretrained(whole)
    recognizer.model.classifier.weight.data.fill_(math.nan)
    with pytest.raises(ModelError, match="not numbers"):
        recognizer(voiced_tone(1.0, recognizer.sampling_rate), recognizer.sampling_rate)
