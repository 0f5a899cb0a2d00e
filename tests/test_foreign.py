"""Other people's audio classifiers: served as transformers itself would, or refused in a sentence."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from conftest import voiced_tone
from foreign_models import SIZES, foreign_classifier
from hub_helpers import run_here, running_hub, visitor
from safetensors.torch import load_file, save_file
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from demo.loading import RecognizerLoader
from demo.models import Models
from demo.tabs import clip as clip_tab
from demo.tabs import compare as compare_tab
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
    digest = recognizer.digest()  # which ties rows of a table to the model
    recognizer.model.extractor.sampling_rate += 1
    assert recognizer.digest() != digest


def test_a_network_that_normalises_over_time_never_sees_padding(folders, tmp_path):
    folder = shutil.copytree(folders["wavlm"], tmp_path / "masked")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | {"return_attention_mask": True}))
    recognizer = EmotionRecognizer.from_pretrained(folder)
    assert recognizer.model.classifier.config.feat_extract_norm == "group"
    waves = [voiced_tone(1.0, RATE, 120), voiced_tone(2.2, RATE, 170)]
    together = recognizer.predict_batch(waves, gate=False)
    for wave, result in zip(waves, together, strict=True):
        (alone,) = recognizer.predict_batch([wave], gate=False)
        assert result.probabilities == pytest.approx(alone.probabilities, abs=1e-5)


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
    "one label twice": (lambda folder: with_config(folder, id2label={"0": "sad", "1": "sad"}), "two different labels"),
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


def test_older_names_of_weights_are_known(tmp_path):
    """As on the Hub, where most were saved before PyTorch named the parts of a normalised weight anew."""
    folder = foreign_classifier(tmp_path / "model", "wav2vec2")
    before = EmotionRecognizer.from_pretrained(folder)(voiced_tone(1.0), RATE).probabilities
    place = "wav2vec2.encoder.pos_conv_embed.conv"

    def older(weights):
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            weights[f"{place}.{old}"] = weights.pop(f"{place}.parametrizations.weight.{new}")

    with_weights(folder, older)
    assert EmotionRecognizer.from_pretrained(folder)(voiced_tone(1.0), RATE).probabilities == before


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


def test_the_page_shows_it_without_attention_and_says_that_its_accuracy_is_unknown(folders, clip):
    models = Models(RecognizerLoader(str(folders["whisper"])), [str(folders["wav2vec2"])])
    card, *_, picture, data = clip_tab.predict(models.main(), str(clip))
    assert data["attention"] is None and data["label"] in ("neutral", "happy", "angry", "sad")
    assert "Waveform and spectrogram of the clip." in picture and "attention" not in picture
    assert "Accuracy unknown" in card
    entries = compare_tab.compare(models, str(clip), ["whisper", "wav2vec2"])
    assert [entry["error"] for entry in entries] == [None, None] and entries[0]["label"] == data["label"]
    *_, shown = compare_tab.compare_or_message(models, str(clip), ["whisper", "wav2vec2"])
    assert shown.count("Accuracy unknown") >= 2


TYPED = """
import sys
import numpy as np
from huggingface_hub import HfApi
from demo import loading
from demo.models import Models

api = HfApi()
for name in ("wav2vec2", "bert"):
    api.create_repo(f"alice/{name}")
    api.upload_folder(repo_id=f"alice/{name}", folder_path=f"{sys.argv[1]}/{name}")
models = Models(loading.RecognizerLoader("unused"))
noise = np.random.default_rng(0).standard_normal(16_000)
print(models.find("alice/wav2vec2")()(0.1 * noise, 16_000).attention)
loading.MAX_BYTES = 1_000
for name in ("bert", "wav2vec2"):
    try:
        loading.download(f"alice/{name}", sys.argv[1] + "/fetched")
    except loading.NoModel as error:
        print(error)
"""


def test_a_visitor_may_type_the_id_of_one_that_needs_no_code_and_is_not_large(folders, tmp_path):
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "wav2vec2").symlink_to(folders["wav2vec2"])
    with running_hub() as address:
        done = run_here("-c", TYPED, tmp_path, env=visitor(tmp_path, address))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert [line[:60] for line in done.stdout.splitlines()] == [
        "None",
        "alice/bert is neither one of this project's models nor an au",
        "alice/wav2vec2 has 0 MB of model.safetensors; at most 0 MB a",
    ]
