"""The models' process, as the page's process meets it: loaders, typed ids, and a process that dies."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import ROOT, voiced_tone
from demo_helpers import LABELS, RATE, tiny_recognizer

from demo import model_process
from demo.loading import RecognizerLoader
from demo.model_process import ENDED, NoModel
from demo.models import MOST_TYPED, Models
from ser_model.audio import AudioError

OURS = [f"someone/model-{number}" for number in range(MOST_TYPED + 1)]


@pytest.fixture(scope="module", autouse=True)
def names(tmp_path_factory):
    """A process of this file's own, started in a folder where such names are checkpoints, as ids are on the Hub."""
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(OURS):
        recognizer = tiny_recognizer(seed)
        for part in (recognizer.model, recognizer.feature_extractor):
            part.save_pretrained(root / name)
    for name, kind in (("someone/foreign", {"model_type": "wav2vec2"}), ("someone/untyped", {})):
        (root / name).mkdir()
        (root / name / "config.json").write_text(json.dumps(kind))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(model_process, "_running", None)
        yield root


def test_it_answers_as_the_recognizer_does():
    there, here = RecognizerLoader(OURS[0])(), tiny_recognizer(0)
    assert (there.labels, there.sampling_rate, there.report) == (LABELS, RATE, None)
    wave = voiced_tone(2.0)
    ours, theirs = here(wave, RATE), there(wave, RATE)
    assert theirs.label == ours.label and theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-6)
    np.testing.assert_allclose(theirs.attention.weights, ours.attention.weights, atol=1e-6)
    for ours, theirs in zip(*(each.predict_batch([wave, wave[:RATE]]) for each in (here, there)), strict=True):
        assert theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-6)


def test_what_cannot_be_heard_is_said_in_the_same_words():
    there, here = RecognizerLoader(OURS[0])(), tiny_recognizer(0)
    for bad in ("nowhere.wav", np.zeros(RATE, dtype=np.float32)):
        with pytest.raises(AudioError) as ours:
            here(bad, RATE)
        with pytest.raises(AudioError) as theirs:
            there(bad, RATE)
        assert str(theirs.value) == str(ours.value)


def test_a_model_is_loaded_once_whoever_asks():
    loader, given = RecognizerLoader(OURS[0]), []
    assert loader.title == "model-0" and not loader.is_loaded
    loader.start()
    askers = [threading.Thread(target=lambda: given.append(loader())) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert len(given) == 4 and loader.is_loaded and all(each is loader() for each in given)


def test_a_failure_is_said_and_not_remembered(names):
    loader = RecognizerLoader("someone/late")
    with pytest.raises(NoModel, match="No model could be loaded from someone/late"):
        loader()
    (names / "someone" / "late").symlink_to(names / OURS[0])
    assert loader().labels == LABELS


def test_typed_ids_are_our_models_alone_and_few_stay():
    models = Models(RecognizerLoader(OURS[0]))
    for foreign in ("someone/foreign", "someone/untyped"):
        with pytest.raises(NoModel, match="code of other people is not run"):
            models.find(foreign)
    with pytest.raises(NoModel, match="No model could be loaded from nobody/nothing"):
        models.find("nobody/nothing")
    loaders = [models.find(name) for name in OURS]
    assert loaders[-1]().labels == LABELS
    assert models.find(OURS[-1]) is loaders[-1]
    assert models.find(OURS[0]) is not loaders[0]


def test_a_process_that_dies_is_said_and_started_anew():
    loader = RecognizerLoader(OURS[0])
    before, wave = loader(), voiced_tone(1.0)
    expected = before(wave, RATE).probabilities
    process = model_process.model_process()._process
    process.kill()
    process.join(60)
    assert not loader.is_loaded
    with pytest.raises(NoModel) as told:
        before(wave, RATE)
    assert str(told.value) == ENDED
    assert loader()(wave, RATE).probabilities == expected and loader.is_loaded


PAGE = """
import sys
from demo.tabs.clip import warm_up
from demo.loading import RecognizerLoader
from demo.models import Models
from demo.server import build_app

models = Models(RecognizerLoader(sys.argv[1]))
build_app(models)
warm_up()  # draws
print(models.main().labels, {"torch", "transformers"} & set(sys.modules))
"""


def test_the_page_itself_imports_no_torch(names):
    done = subprocess.run([sys.executable, "-c", PAGE, names / OURS[0]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{LABELS} set()\n"
