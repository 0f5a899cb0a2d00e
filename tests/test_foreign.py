"""Other people's audio classifiers: served as transformers itself would, or refused in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from conftest import voiced_tone
from foreign_models import SIZES, foreign_classifier
from safetensors.torch import load_file, save_file
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from ser_model import EmotionRecognizer
from ser_model.inference.recognizer import ModelError
from ser_model.labels import EMOTIONS, SYNONYMS, emotion_of, parse_label_map, renamed

RATE = 16_000
KINDS = list(SIZES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("foreign")
    return {kind: foreign_classifier(root / kind, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_those_of_transformers_whatever_the_batch(folders, kind):
    recognizer = EmotionRecognizer.from_pretrained(folders[kind])
    assert recognizer.labels == ["neutral", "happy", "angry", "sad"] and recognizer.report is None
    model = AutoModelForAudioClassification.from_pretrained(folders[kind]).eval()
    extractor = AutoFeatureExtractor.from_pretrained(folders[kind])
    waves = [
        voiced_tone(seconds, RATE, pitch) for seconds, pitch in ((0.1, 120), (1.013, 220), (2.2, 170), (1.013, 300))
    ]
    together = recognizer.predict_batch(waves, gate=False)
    for wave, result in zip(waves, together, strict=True):
        with torch.no_grad():
            expected = model(**extractor(wave, sampling_rate=RATE, return_tensors="pt")).logits.softmax(dim=-1)[0]
        assert list(result.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-4)
        assert result.attention is None
    assert np.ptp([result.probabilities["angry"] for result in together]) > 1e-4


@pytest.mark.parametrize("kind", ["wav2vec2", "audio-spectrogram-transformer"])
def test_a_long_recording_goes_window_by_window(folders, kind):
    recognizer = EmotionRecognizer.from_pretrained(folders[kind])
    span = recognizer.model.config.num_frames
    wave = voiced_tone(1.2 * span / RATE, RATE)
    parts = [wave[:span], wave[span // 2 :]]
    (whole,), alone = (recognizer.predict_batch(waves, gate=False) for waves in ([wave], parts))
    shares = np.array([len(part) for part in parts]) / sum(map(len, parts))
    expected = sum(share * each.probabilities["sad"] for share, each in zip(shares, alone, strict=True))
    assert whole.probabilities["sad"] == pytest.approx(expected, abs=1e-5)


def with_config(folder, **changes):
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | changes))


def with_extractor(folder, **changes):
    content = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(content | changes))


def with_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def as_published_with_another_head(weights):
    """Some popular models were trained with a head that transformers does not have."""
    for name in ("projector.weight", "projector.bias", "classifier.weight", "classifier.bias"):
        weights[f"classifier.dense.{name}"] = weights.pop(name)


UNNAMED = {str(index): f"LABEL_{index}" for index in range(4)}
FAULTS = {
    "made-up head": (
        lambda folder: with_weights(folder, as_published_with_another_head),
        "safetensors: missing: classifier",
    ),
    "no weights of the head": (
        lambda folder: with_weights(folder, lambda weights: weights.pop("classifier.bias")),
        "missing: classifier.bias",
    ),
    "more weights": (
        lambda folder: with_weights(folder, lambda weights: weights.update(head=torch.ones(2))),
        "not of this model: head",
    ),
    "a recogniser of words": (
        lambda folder: with_config(folder, architectures=["Wav2Vec2ForCTC"]),
        "config.json: it is a Wav2Vec2ForCTC, whose",
    ),
    "several labels at once": (
        lambda folder: with_config(folder, problem_type="multi_label_classification"),
        "it is for multi_label",
    ),
    "labels without names": (
        lambda folder: with_config(folder, id2label=UNNAMED),
        "LABEL_0, LABEL_1, LABEL_2 mean: give a label map such as LABEL_0=",
    ),
    "another kind of model": (
        lambda folder: with_config(folder, model_type="bert"),
        "bert is neither a model type of this project nor an audio",
    ),
    "too many layers": (
        lambda folder: with_config(folder, num_hidden_layers=101),
        "num_hidden_layers is 101; at most 100",
    ),
    "too many labels": (lambda folder: with_config(folder, num_labels=10**9), "num_labels is 1,000,000,000; at most"),
    "a frame for each sample": (lambda folder: with_config(folder, conv_stride=[1] * 7), "conv_stride has to give"),
    "more than the file holds": (lambda folder: with_config(folder, intermediate_size=16_000), "bytes are too few"),
    "a wild sampling rate": (
        lambda folder: with_extractor(folder, sampling_rate=10**8),
        "preprocessor_config.json: sampling_rate is",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_served_is_refused_in_a_sentence(tmp_path, fault):
    folder = foreign_classifier(tmp_path / "model", "wav2vec2")
    change, reason = FAULTS[fault]
    change(folder)
    with pytest.raises(ModelError, match=reason) as error:
        EmotionRecognizer.from_pretrained(folder)
    assert "\n" not in str(error.value) and str(error.value).startswith(f"No model could be loaded from {folder}: ")


def test_a_whisper_window_longer_than_thirty_seconds_is_refused(tmp_path):
    folder = foreign_classifier(tmp_path / "model", "whisper")
    with_extractor(folder, chunk_length=3_000)
    with pytest.raises(ModelError, match="chunk_length is 3,000; at most 30 is taken"):
        EmotionRecognizer.from_pretrained(folder)


def test_leftovers_of_pre_training_do_not_matter(tmp_path):
    folder = foreign_classifier(tmp_path / "model", "wav2vec2")
    with_weights(folder, lambda weights: weights.update({"wav2vec2.masked_spec_embed": torch.ones(16)}))
    assert EmotionRecognizer.from_pretrained(folder).labels[0] == "neutral"


def test_a_label_map_names_what_has_no_name(tmp_path):
    folder = foreign_classifier(tmp_path / "model", "hubert", tuple(UNNAMED.values()))
    label_map = parse_label_map("LABEL_0=angry, LABEL_1=bored,LABEL_2=sad,LABEL_3=happy")
    recognizer = EmotionRecognizer.from_pretrained(folder, label_map=label_map)
    assert recognizer.labels == ["angry", "bored", "sad", "happy"]
    for wrong, reason in (
        ({"LABEL_7": "sad"}, "the label map names LABEL_7"),
        ({"LABEL_0": "sad"}, "LABEL_1, LABEL_2"),
    ):
        with pytest.raises(ModelError, match=reason):
            EmotionRecognizer.from_pretrained(folder, label_map=wrong)
    with pytest.raises(ValueError, match=r"is written LABEL_0=angry,LABEL_1=sad, not 'angry'"):
        parse_label_map("angry")


def test_synonyms():
    assert set(SYNONYMS.values()) <= set(EMOTIONS) and not set(SYNONYMS) & set(EMOTIONS)
    assert [emotion_of(label) for label in ("Anger", "FEARFUL", "pleasant_surprise", " sad ", "tired")] == [
        "angry", "fear", "surprise", "sad", None,
    ]  # fmt: skip
    assert renamed(["joy", "happy", "tired", "ang"]) == ["joy", "happy", "tired", "angry"]  # no name twice
