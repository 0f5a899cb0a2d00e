"""Exported models: equal to their checkpoints, without torch, and whole or not at all."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT, spoken
from foreign_models import foreign_classifier
from test_speech_encoder import TINY_WAVEFORM

from ser_model.__main__ import main
from ser_model.inference.onnx_export.export import ExportError, export_onnx
from ser_model.inference.onnx_recognizer import DETECTOR, MODEL, SETTINGS, OnnxRecognizer, is_exported
from ser_model.inference.recognizer import EmotionRecognizer, ModelError
from ser_model.inference.voice_profile import VoiceProfile, VoiceProfileError
from ser_model.models.configuration_ser import CnnBilstmConfig, SpeechEncoderConfig
from ser_model.models.feature_extraction_ser import SerFeatureExtractor
from ser_model.models.modeling_ser import CnnBilstmForAudioClassification
from ser_model.models.speech_encoder_features_ser import SpeechEncoderFeatureExtractor
from ser_model.models.speech_encoder_ser import SpeechEncoderForAudioClassification

SHIPPED = ("default", "logmel-cnn-bilstm", "mfcc-cnn-lstm-ravdess", "phonetic-cnn")
EXAMPLES = sorted((ROOT / "examples").glob("*.flac"))


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Gives the folder that a shipped checkpoint was exported to, once each."""
    folders = {}

    def folder(name):
        if name not in folders:
            target = tmp_path_factory.mktemp("exported") / name
            export_onnx(str(ROOT / "checkpoints" / name), target)
            folders[name] = target
        return folders[name]

    return folder


def assert_equal(ours, theirs):
    """Results within 1e-4, logits of probabilities too, and attention."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.label, one.duration, one.speech, one.unsure) == (
            other.label,
            other.duration,
            other.speech,
            other.unsure,
        )
        shares, of_other = (np.array(list(each.probabilities.values())) for each in (one, other))
        assert np.abs(shares - of_other).max() < 1e-4
        assert np.abs(np.log(shares) - np.log(of_other)).max() < 1e-4
        assert np.abs(one.attention.weights - other.attention.weights).max() < 1e-4
        assert one.attention.times == pytest.approx(other.attention.times)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_checkpoints_give_the_same_through_onnx(name, exported):
    torch_one, onnx_one = (
        EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / name),
        OnnxRecognizer.from_pretrained(exported(name)),
    )
    rate = torch_one.sampling_rate
    for batch in ((3.0,), (0.11,), (20.0,), (2.5, 0.4, 1.7), (7.3, 20.0, 3.0)):
        waves = [spoken(seconds, rate, number) for number, seconds in enumerate(batch)]
        assert_equal(torch_one.predict_batch(waves, gate=False), onnx_one.predict_batch(waves, gate=False))
    assert_equal([torch_one(path) for path in EXAMPLES[:2]], [onnx_one(path) for path in EXAMPLES[:2]])
    assert onnx_one(np.random.default_rng(0).standard_normal(rate).astype(np.float32), rate).label is None


def test_frames_of_mfcc_crossings_and_level(tmp_path):
    """Frame features that no shipped checkpoint takes together; random weights."""
    torch.manual_seed(0)
    extractor = SerFeatureExtractor(features=["mfcc", "zcr", "rms"], n_fft=512, hop_length=256, num_mfcc=13)
    config = CnnBilstmConfig(num_features=15, num_frames=80, conv_channels=[8], lstm_hidden_size=8, num_labels=4)
    CnnBilstmForAudioClassification(config).save_pretrained(tmp_path / "checkpoint")
    extractor.save_pretrained(tmp_path / "checkpoint")
    export_onnx(str(tmp_path / "checkpoint"), tmp_path / "exported")
    torch_one = EmotionRecognizer.from_pretrained(tmp_path / "checkpoint")
    onnx_one = OnnxRecognizer.from_pretrained(tmp_path / "exported")
    waves = [spoken(seconds, number=number) for number, seconds in enumerate((0.9, 3.1, 1.0))]
    assert_equal(torch_one.predict_batch(waves, gate=False), onnx_one.predict_batch(waves, gate=False))


def test_int8_is_smaller_and_agrees_on_the_examples(tmp_path, exported):
    name = "mfcc-cnn-lstm-ravdess"
    difference = export_onnx(str(ROOT / "checkpoints" / name), tmp_path / "int8", int8=True)
    assert 0 < difference < 0.1
    # its filters of 1024 samples and convolutions stay as they are
    assert (tmp_path / "int8" / MODEL).stat().st_size < 0.9 * (exported(name) / MODEL).stat().st_size
    exact, rounded = OnnxRecognizer.from_pretrained(exported(name)), OnnxRecognizer.from_pretrained(tmp_path / "int8")
    assert rounded.settings.weights == "int8"
    for path in EXAMPLES:
        assert rounded(path).probabilities == pytest.approx(exact(path).probabilities, abs=0.15)


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "librosa", "sklearn", "safetensors", "onnx", "silero_vad"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
from ser_model.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_an_onnx_file_beside_a_checkpoint_is_not_taken_for_an_export(tmp_path):
    (tmp_path / "model.onnx").touch()
    assert is_exported(tmp_path)
    (tmp_path / "config.json").touch()
    assert not is_exported(tmp_path)


def test_neither_torch_nor_transformers_is_needed(exported, tmp_path):
    folder, environment = exported("default"), os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def said(*command):
        call = [sys.executable, "-c", BLOCKED, *map(str, command), "--model", str(folder), "--format", "json"]
        done = subprocess.run(call, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (row,) = said("predict", EXAMPLES[0])
    result = EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")(EXAMPLES[0])
    assert row["label"] == result.label and row["probabilities"] == pytest.approx(result.probabilities, abs=1e-4)
    assert said("timeline", EXAMPLES[0])["segments"]
    call = [sys.executable, "-c", BLOCKED, "voice-profile", tmp_path / "me.json", EXAMPLES[0]]
    done = subprocess.run([*map(str, call)], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("voice-profile: A checkpoint needs torch, which is not")


def test_a_voice_profile_made_with_the_checkpoint_is_taken(exported):
    torch_one = EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")
    onnx_one = OnnxRecognizer.from_pretrained(exported("default"))
    profile = VoiceProfile.from_clips(torch_one, EXAMPLES[:2])
    waves = [spoken(2.0)]
    with_profile = torch_one.predict_batch(waves, profile)
    assert_equal(with_profile, onnx_one.predict_batch(waves, profile))
    without = onnx_one.predict_batch(waves)[0].probabilities
    assert without != pytest.approx(with_profile[0].probabilities, abs=1e-3)
    with pytest.raises(VoiceProfileError, match="make one with default"):
        VoiceProfile.from_clips(onnx_one, EXAMPLES[:1])
    with pytest.raises(VoiceProfileError, match="another model"):
        onnx_one.predict_batch(waves, VoiceProfile("other", profile.num_frames, profile.mean, profile.std))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--label-map", "sad=angry"], "A label map is for models of others; the labels of this one have names."),
        (["--device", "cuda"], "An exported model runs on cpu, not on cuda."),
        (["--one-speaker"], "An exported model takes voice profiles but does not make them: make one with default."),
    ],
)
def test_what_an_exported_model_cannot_do_is_refused_not_passed_over(options, said, exported, capsys):
    folder = exported("default")
    capsys.readouterr()  # of the export, where this was the first
    assert main(["predict", "--model", str(folder), *options, str(EXAMPLES[0])]) == 1
    assert tuple(capsys.readouterr()) == ("", f"predict: {said}\n")


@pytest.mark.parametrize(
    ("file", "content"), [(SETTINGS, b"{}"), (SETTINGS, None), (MODEL, b"onnx"), (DETECTOR, None), (DETECTOR, b"")]
)
def test_a_damaged_folder_is_refused_with_the_file(file, content, exported, tmp_path, capsys):
    for each in exported("default").iterdir():
        if each.name != file:
            (tmp_path / each.name).symlink_to(each)
        elif content is not None:
            (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelError, match=file):
        OnnxRecognizer.from_pretrained(tmp_path)
    assert main(["predict", "--model", str(tmp_path), str(EXAMPLES[0])]) == 1
    said = capsys.readouterr().err
    assert file in said and said.count("\n") == 1


def test_voice_quality_needs_praat_here_too(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "parselmouth", None)
    with pytest.raises(ModelError, match="pip install praat-parselmouth"):
        OnnxRecognizer.from_pretrained(exported("phonetic-cnn"))


def test_what_no_graph_can_hold_is_refused_and_nothing_written(tmp_path, capsys):
    foreign_classifier(tmp_path / "foreign", "wav2vec2")
    assert main(["export", str(tmp_path / "foreign"), "--output", str(tmp_path / "out")]) == 1
    assert "not one of this project's" in capsys.readouterr().err
    encoder = {"model_type": "wav2vec2", **TINY_WAVEFORM}
    config = SpeechEncoderConfig(
        encoder_config=encoder, encoder_layers=[2], num_features=160, num_labels=4, num_frames=100
    )
    SpeechEncoderForAudioClassification(config).save_pretrained(tmp_path / "waveforms")
    SpeechEncoderFeatureExtractor(features=["waveform"]).save_pretrained(tmp_path / "waveforms")
    with pytest.raises(ExportError, match="Encoders of waveforms"):
        export_onnx(str(tmp_path / "waveforms"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / MODEL).write_bytes(b"somebody else's")  # beside who knows what
    with pytest.raises(ExportError, match="holds no exported model"):
        export_onnx(str(ROOT / "checkpoints" / "default"), tmp_path / "other")
    assert (tmp_path / "other" / MODEL).is_file()
    with pytest.raises(ExportError, match="holds no exported model"):
        export_onnx(str(ROOT / "checkpoints" / "default"), tmp_path / "foreign")
