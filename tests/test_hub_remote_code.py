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

folder, clips = sys.argv[1], np.load(sys.argv[2])
assert importlib.util.find_spec("ser_model") is None
pipe = pipeline("audio-classification", model=folder, trust_remote_code=True, top_k=None)
rate = pipe.feature_extractor.sampling_rate
arrays = [clips[name] for name in sorted(clips.files)]
model = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=True).eval()
extractor = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=True)
outputs = model(**extractor(arrays, sampling_rate=rate, return_tensors="pt"))
answers = {
    "arrays": [pipe(clip) for clip in arrays],
    "dicts": [pipe({"raw": clip, "sampling_rate": rate}) for clip in arrays],
    "batch": pipe(arrays, batch_size=2),
    "files": [pipe(path) for path in sys.argv[3:]],
}
answers = {way: [{entry["label"]: entry["score"] for entry in answer} for answer in answers[way]] for way in answers}
names = model.config.id2label
answers["auto"] = [{names[i]: p for i, p in enumerate(row.tolist())} for row in outputs.logits.softmax(-1)]
print(json.dumps(answers))
"""

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[2:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

import numpy as np
from transformers import pipeline
sys.meta_path.insert(0, Absent())
pipe = pipeline("audio-classification", model=sys.argv[1], trust_remote_code=True)
rate = pipe.feature_extractor.sampling_rate
print(pipe(np.sin(np.arange(rate) * 0.05).astype("float32"))[0]["label"])
"""

TRUSTED = """
import json, sys
sys.path.insert(0, "tests")
from conftest import voiced_tone
from ser_model import EmotionRecognizer, load_audio

recognizer = EmotionRecognizer.from_pretrained(sys.argv[1], trust_remote_code=True)
print(json.dumps(recognizer(voiced_tone(1.0), 16_000).probabilities))
"""


@pytest.fixture(scope="module", params=["ser_cnn_bilstm", "ser_phonetic_cnn", "ser_speech_encoder", "shipped"])
def checkpoint(request, tmp_path_factory):
    if request.param != "shipped":
        return small_checkpoint(tmp_path_factory.mktemp("checkpoint") / request.param, request.param)
    if not (SHIPPED / "config.json").is_file():
        pytest.skip("no checkpoint is shipped yet")
    return SHIPPED


def close(answer, result, tolerance):
    assert set(answer) == set(result.probabilities)
    for label, probability in result.probabilities.items():
        assert answer[label] == pytest.approx(probability, abs=tolerance)


def test_transformers_alone_answers_as_the_recognizer_does(checkpoint, ffmpeg, tmp_path):
    """Also on clips of several times the network's span: neither cuts them off."""
    recognizer = EmotionRecognizer.from_pretrained(checkpoint)
    rate = recognizer.sampling_rate

    def predict(audio):
        """Like the pipeline without the speech gate."""
        wave = load_audio(audio, rate, source_rate=None if isinstance(audio, Path) else rate)
        return recognizer.predict_batch([wave], gate=False)[0]

    clips = [voiced_tone(seconds, rate, pitch) for seconds, pitch in ((1.2, 110), (0.7, 240), (11.0, 160))]
    clips[2][: 6 * rate] = voiced_tone(6.0, rate, 300)  # begins in another voice than it ends
    np.savez(tmp_path / "clips.npz", *clips)
    soundfile.write(tmp_path / "own.wav", clips[2], rate, subtype="FLOAT")
    stereo = np.stack([voiced_tone(2.0, 44_100), voiced_tone(2.0, 44_100, seed=1)], axis=1)
    soundfile.write(tmp_path / "other.flac", stereo, 44_100)
    files = [tmp_path / "own.wav", tmp_path / "other.flac"]

    done = run_fresh(USE, checkpoint, tmp_path / "clips.npz", *files, env=stranger(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3_000:]
    answers = json.loads(done.stdout)
    predicted = [predict(clip) for clip in clips]
    for way in ("arrays", "dicts", "batch", "auto"):
        for answer, result in zip(answers[way], predicted, strict=True):
            close(answer, result, 1e-5)
    close(answers["files"][0], predict(files[0]), 1e-5)
    close(answers["files"][1], predict(files[1]), 0.1)  # ffmpeg's resampling, and tones that no network was trained on
    # The end of the long clip counts: without it the answer is another one.
    beginning = predict(clips[2][: 6 * rate]).probabilities
    assert max(abs(beginning[label] - share) for label, share in predicted[2].probabilities.items()) > 1e-3


@pytest.mark.parametrize(
    ("model_type", "packages", "reason"),
    [
        ("ser_cnn_bilstm", ["parselmouth", "librosa"], None),
        ("ser_phonetic_cnn", ["parselmouth"], "ImportError: Voice quality needs Praat: pip install praat-parselmouth"),
    ],
)
def test_a_missing_package_is_named_when_it_is_needed(tmp_path, model_type, packages, reason):
    folder = small_checkpoint(tmp_path / "checkpoint", model_type)
    done = run_fresh(WITHOUT, folder, *packages, env=stranger(tmp_path), cwd=tmp_path)
    if reason is None:
        assert done.returncode == 0, done.stderr[-3_000:]
    else:
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


def test_code_of_others_runs_only_when_asked_for(tmp_path):
    folder, ran = small_checkpoint(tmp_path / "theirs", "ser_cnn_bilstm"), tmp_path / "ran"
    expected = EmotionRecognizer.from_pretrained(folder)(voiced_tone(1.0), 16_000).probabilities
    for name in ("config.json", "configuration_ser.py"):
        path = folder / name
        path.write_text(path.read_text().replace("ser_cnn_bilstm", "of_somebody_else"))
    with open(folder / "modeling_ser.py", "a") as file:
        file.write(f"\n__import__('pathlib').Path({str(ran)!r}).touch()\n")
    with pytest.raises(ModelError, match="No model could be loaded"):
        EmotionRecognizer.from_pretrained(folder)
    assert not ran.exists()
    done = run_here("-c", TRUSTED, folder, env=stranger(tmp_path))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert ran.exists() and json.loads(done.stdout) == pytest.approx(expected, abs=1e-5)


ON_THE_PAGE = """
import sys
from demo.loading import NoModel, RecognizerLoader

try:
    RecognizerLoader(sys.argv[1])()
except NoModel:
    print("refused")
print(len(RecognizerLoader(sys.argv[1], trust_remote_code=True)().labels))
"""


def test_the_page_runs_it_only_when_asked_to(tmp_path):
    folder = small_checkpoint(tmp_path / "theirs", "ser_cnn_bilstm")
    for name in ("config.json", "configuration_ser.py"):
        path = folder / name
        path.write_text(path.read_text().replace("ser_cnn_bilstm", "of_somebody_else"))
    done = run_here("-c", ON_THE_PAGE, folder, env=stranger(tmp_path))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.split() == ["refused", "8"]
