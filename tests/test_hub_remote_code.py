"""A saved folder is enough: transformers alone loads it, and answers as the recognizer does."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import voiced_tone
from hub_helpers import SHIPPED, run_fresh, run_here, small_checkpoint, stranger

from ser_model import EmotionRecognizer, load_audio
from ser_model.inference.recognizer import ModelError

USE = """
import importlib.util, json, sys
import numpy as np
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, pipeline

assert importlib.util.find_spec("ser_model") is None


def answers_of(folder, clips, files):
    clips = np.load(clips)
    pipe = pipeline("audio-classification", model=folder, trust_remote_code=True, top_k=None)
    rate = pipe.feature_extractor.sampling_rate
    arrays = [clips[name] for name in sorted(clips.files)]
    model = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=True).eval()
    extractor = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=True)
    outputs = model(**extractor(arrays, sampling_rate=rate, return_tensors="pt"))
    found = {
        "arrays": [pipe(clip) for clip in arrays],
        "dicts": [pipe({"raw": clip, "sampling_rate": rate}) for clip in arrays],
        "batch": pipe(arrays, batch_size=2),
        "files": [pipe(path) for path in files],
    }
    answers = {way: [{entry["label"]: entry["score"] for entry in answer} for answer in found[way]] for way in found}
    names = model.config.id2label
    answers["auto"] = [{names[i]: p for i, p in enumerate(row.tolist())} for row in outputs.logits.softmax(-1)]
    return answers


print(json.dumps({name: answers_of(**given) for name, given in json.loads(sys.argv[1]).items()}))
"""

WITHOUT = """
import sys

absent = {"parselmouth", "librosa"}


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def use(folder):
    pipe = pipeline("audio-classification", model=folder, trust_remote_code=True)
    rate = pipe.feature_extractor.sampling_rate
    return pipe(np.sin(np.arange(rate) * 0.05).astype("float32"))[0]["label"]


import numpy as np
from transformers import pipeline
sys.meta_path.insert(0, Absent())
print(use(sys.argv[1]))
absent.remove("librosa")
print(use(sys.argv[2]))
"""

TRUSTED = """
import json, sys
sys.path.insert(0, "tests")
from conftest import voiced_tone
from demo.loading import NoModel, RecognizerLoader
from ser_model import EmotionRecognizer

recognizer = EmotionRecognizer.from_pretrained(sys.argv[1], trust_remote_code=True)
print(json.dumps(recognizer(voiced_tone(1.0), 16_000).probabilities))
try:
    RecognizerLoader(sys.argv[2])()
except NoModel:
    print("refused")
print(len(RecognizerLoader(sys.argv[2], trust_remote_code=True)().labels))
"""

MODELS = ["ser_cnn_bilstm", "ser_phonetic_cnn", "ser_speech_encoder", "shipped"]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: SHIPPED if name == "shipped" else small_checkpoint(root / name, name) for name in MODELS}


@pytest.fixture(params=MODELS)
def checkpoint(request, checkpoints):
    return checkpoints[request.param]


@pytest.fixture(scope="module")
def answered(checkpoints, ffmpeg, tmp_path_factory):
    """Model -> its clips and files, and what transformers alone answers to them."""
    root, given = tmp_path_factory.mktemp("clips"), {}
    for name, checkpoint in checkpoints.items():
        rate = EmotionRecognizer.from_pretrained(checkpoint).sampling_rate
        folder = root / name
        folder.mkdir()
        clips = [voiced_tone(seconds, rate, pitch) for seconds, pitch in ((1.2, 110), (0.7, 240), (11.0, 160))]
        clips[2][: 6 * rate] = voiced_tone(6.0, rate, 300)  # begins in another voice than it ends
        np.savez(folder / "clips.npz", *clips)
        soundfile.write(folder / "own.wav", clips[2], rate, subtype="FLOAT")
        stereo = np.stack([voiced_tone(2.0, 44_100), voiced_tone(2.0, 44_100, seed=1)], axis=1)
        soundfile.write(folder / "other.flac", stereo, 44_100)
        files = [str(folder / "own.wav"), str(folder / "other.flac")]
        given[name] = {"folder": str(checkpoint), "clips": str(folder / "clips.npz"), "files": files}
    done = run_fresh(USE, json.dumps(given), env=stranger(root), cwd=root)
    assert done.returncode == 0, done.stderr[-3_000:]
    answers = json.loads(done.stdout)
    return {name: (given[name]["clips"], given[name]["files"], answers[name]) for name in given}


def close(answer, result, tolerance):
    assert set(answer) == set(result.probabilities)
    for label, probability in result.probabilities.items():
        assert answer[label] == pytest.approx(probability, abs=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_transformers_alone_answers_as_the_recognizer_does(name, checkpoints, answered):
    """Also on clips of several times the network's span: neither cuts them off."""
    recognizer = EmotionRecognizer.from_pretrained(checkpoints[name])
    rate = recognizer.sampling_rate

    def predict(audio):
        """Like the pipeline without the speech gate."""
        wave = load_audio(audio, rate, source_rate=None if isinstance(audio, Path) else rate)
        return recognizer.predict_batch([wave], gate=False)[0]

    clips, files, answers = answered[name]
    clips, files = [*np.load(clips).values()], [Path(file) for file in files]
    predicted = [predict(clip) for clip in clips]
    for way in ("arrays", "dicts", "batch", "auto"):
        for answer, result in zip(answers[way], predicted, strict=True):
            close(answer, result, 1e-5)
    close(answers["files"][0], predict(files[0]), 1e-5)
    close(answers["files"][1], predict(files[1]), 0.1)  # ffmpeg's resampling, and tones that no network was trained on
    # The end of the long clip counts: without it the answer is another one.
    beginning = predict(clips[2][: 6 * rate]).probabilities
    assert max(abs(beginning[label] - share) for label, share in predicted[2].probabilities.items()) > 1e-3


def test_a_missing_package_is_named_when_it_is_needed(checkpoints, tmp_path):
    """A CNN needs neither librosa nor Praat; that of voice quality needs Praat."""
    folders = [checkpoints[name] for name in ("ser_cnn_bilstm", "ser_phonetic_cnn")]
    done = run_fresh(WITHOUT, *folders, env=stranger(tmp_path), cwd=tmp_path)
    assert len(done.stdout.split()) == 1, done.stderr[-3_000:]
    reason = "ImportError: Voice quality needs Praat: pip install praat-parselmouth"
    assert done.returncode == 1 and reason in done.stderr.strip().splitlines()[-1]


def test_the_code_in_a_folder_is_flat_and_whole(checkpoint):
    code = {path.stem for path in checkpoint.glob("*.py")}
    needed = {"configuration_ser", "feature_extraction_ser", "modeling_ser", "windowing_ser"}
    needed |= {"harmonicity_ser", "voice_quality_ser"}
    of_encoder = {"speech_encoder_ser", "speech_encoder_features_ser"}
    assert code in (needed, needed | of_encoder)
    assert code >= of_encoder or "speech_encoder" not in (checkpoint / "config.json").read_text()
    extractor = json.loads((checkpoint / "preprocessor_config.json").read_text())
    maps = json.loads((checkpoint / "config.json").read_text())["auto_map"] | extractor["auto_map"]
    assert set(maps) == {"AutoConfig", "AutoModelForAudioClassification", "AutoFeatureExtractor"}


def of_somebody_else(folder):
    """A checkpoint with code of its own, and the file that this code writes when it runs."""
    small_checkpoint(folder, "ser_cnn_bilstm")
    for name in ("config.json", "configuration_ser.py"):
        path = folder / name
        path.write_text(path.read_text().replace("ser_cnn_bilstm", "of_somebody_else"))
    ran = folder.with_name(f"{folder.name}_ran")
    with open(folder / "modeling_ser.py", "a") as file:
        file.write(f"\n__import__('pathlib').Path({str(ran)!r}).touch()\n")
    return folder, ran


def test_code_of_others_runs_only_when_asked_for(tmp_path, checkpoints):
    """By a recognizer and by the page."""
    expected = EmotionRecognizer.from_pretrained(checkpoints["ser_cnn_bilstm"])(voiced_tone(1.0), 16_000).probabilities
    (folder, ran), (of_page, ran_there) = (of_somebody_else(tmp_path / name) for name in ("theirs", "of_page"))
    with pytest.raises(ModelError, match="No model could be loaded"):
        EmotionRecognizer.from_pretrained(folder)
    assert not ran.exists()
    done = run_here("-c", TRUSTED, folder, of_page, env=stranger(tmp_path))
    assert done.returncode == 0, done.stderr[-3_000:]
    probabilities, *page = done.stdout.splitlines()
    assert ran.exists() and json.loads(probabilities) == pytest.approx(expected, abs=1e-5)
    assert page == ["refused", "8"] and ran_there.exists()
