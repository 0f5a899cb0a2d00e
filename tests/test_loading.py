"""Recognizers of the page: loaded once, failures told, ids that visitors type, and limits of a prediction."""

import json
import shutil
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import voiced_tone
from demo_helpers import LABELS, RATE, tiny_recognizer
from huggingface_hub import constants
from huggingface_hub.errors import HTTPError

from demo import loading, serving
from demo.loading import NoModel, RecognizerLoader
from demo.models import MOST_TYPED, Models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint under a name that could also be an id of the Hub, and one of another kind beside it."""
    root = tmp_path_factory.mktemp("models")
    recognizer = tiny_recognizer(0)
    for part in (recognizer.model, recognizer.feature_extractor):
        part.save_pretrained(root / "someone" / "model")
    (root / "someone" / "foreign").mkdir()
    (root / "someone" / "foreign" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    return root


def test_a_model_is_loaded_once_whoever_asks(folder):
    loader, given = RecognizerLoader(str(folder / "someone/model")), []
    assert loader.title == "model" and not loader.is_loaded
    loader.start()
    askers = [threading.Thread(target=lambda: given.append(loader())) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert len(given) == 4 and loader.is_loaded and all(each is loader() for each in given)
    wave = voiced_tone(2.0)
    assert given[0](wave, RATE).probabilities == pytest.approx(tiny_recognizer(0)(wave, RATE).probabilities, abs=1e-6)


def test_a_failure_is_told_and_not_remembered(folder):
    loader = RecognizerLoader(str(folder / "late"))
    with pytest.raises(NoModel, match=r"No model could be loaded from .*late"):
        loader()
    (folder / "late").symlink_to(folder / "someone/model")
    assert loader().labels == LABELS


def test_foreign_models_are_refused(folder):
    with pytest.raises(
        NoModel, match="bert is neither a model type of this project nor an audio classifier of transformers"
    ):
        RecognizerLoader(str(folder / "someone/foreign"))()


def test_a_typed_id_is_never_a_folder_of_the_server(folder, monkeypatch):
    monkeypatch.chdir(folder)
    models = Models(RecognizerLoader("someone/model"))
    typed = models.find("someone/model")
    assert typed is not models.main and typed.title == "someone/model"
    with pytest.raises(NoModel, match="No model could be loaded from someone/model"):  # the Hub is not reached
        typed()
    for name in ("../someone/model", str(folder / "someone/model"), "./someone", "a/b/c", ".hidden/model"):
        with pytest.raises(NoModel, match="nor an id on the Hub"):
            models.find(name)


@pytest.fixture
def unreachable(monkeypatch):
    """A Hub where nothing listens; the pauses between tries are left out."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for name, value in (("ENDPOINT", address), ("HF_HUB_OFFLINE", False)):
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(time, "sleep", lambda _: None)
        yield


@pytest.mark.parametrize("local", [True, False])
def test_a_hub_that_cannot_be_reached_is_told(unreachable, local):
    with pytest.raises(NoModel, match=r"^No model could be loaded from nobody/nothing: .+\.$") as told:
        RecognizerLoader("nobody/nothing", local=local)()
    assert local or "the Hub cannot be reached: [Errno" in str(told.value)


def test_an_error_without_words_is_named(monkeypatch):
    def timeout(*_):
        raise HTTPError("")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", timeout)
    with pytest.raises(NoModel, match=r"nobody/nothing: the Hub cannot be reached: HTTPError\.$"):
        RecognizerLoader("nobody/nothing", local=False)()


def test_few_typed_models_stay():
    models = Models(RecognizerLoader("unused"))
    first = models.find("someone/model-0")
    assert models.find("someone/model-0") is first
    for number in range(1, MOST_TYPED + 1):
        models.find(f"someone/model-{number}")
    assert models.find("someone/model-0") is not first


def test_two_predictions_at_a_time_and_a_stuck_one_gives_up_its_place(monkeypatch):
    monkeypatch.setattr(serving, "_places", threading.BoundedSemaphore(serving.AT_ONCE))
    release, told = threading.Event(), []

    def stuck() -> None:
        try:
            serving.limited(release.wait, time_limit=0.3)
        except NoModel as error:
            told.append(str(error))

    blocked = [threading.Thread(target=stuck) for _ in range(serving.AT_ONCE)]
    for thread in blocked:
        thread.start()
    time.sleep(0.05)
    with pytest.raises(NoModel, match="Other recordings"):
        serving.limited(lambda: 1, time_limit=0.05)
    for thread in blocked:
        thread.join(10)
    assert told == [serving.TOO_LONG] * serving.AT_ONCE
    assert serving.limited(lambda: 1) == 1  # though the stuck ones still run
    release.set()


def test_few_wait_for_a_prediction_and_the_others_are_told_at_once(monkeypatch):
    monkeypatch.setattr(serving, "_asking", threading.BoundedSemaphore(2))
    monkeypatch.setattr(serving, "_places", threading.BoundedSemaphore(1))
    begun, release = threading.Semaphore(0), threading.Event()

    def ask() -> None:
        begun.release()
        serving.limited(release.wait)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
        begun.acquire()
    while serving._asking.acquire(blocking=False):
        serving._asking.release()
        time.sleep(0.01)
    with pytest.raises(NoModel, match="Other recordings"):
        serving.limited(lambda: 1)
    release.set()
    for thread in asking:
        thread.join(10)
    assert serving.limited(lambda: 1) == 1


def test_a_typed_model_leaves_no_file_and_few_are_fetched_at_once(folder, monkeypatch):
    given, inside, release = [], threading.Event(), threading.Event()

    def copied(repo_id, place):
        given.append(place)
        inside.set()
        assert release.wait(60)
        return str(shutil.copytree(folder / repo_id, Path(place) / "copy"))

    monkeypatch.setattr(loading, "download", copied)
    monkeypatch.setattr(loading, "_fetching", threading.BoundedSemaphore(1))
    monkeypatch.setattr(loading, "PATIENCE", 0.05)
    first = RecognizerLoader("someone/model", local=False).start()
    assert inside.wait(60)
    with pytest.raises(NoModel, match="Other models are being fetched"):
        RecognizerLoader("someone/model", local=False)()
    release.set()
    first.join(60)
    assert RecognizerLoader("someone/model", local=False)()(voiced_tone(2.0), RATE).probabilities
    assert len(given) == 2 and not any(Path(place).exists() for place in given)


def test_errors_of_a_limited_prediction_come_through(folder):
    recognizer = RecognizerLoader(str(folder / "someone/model"))()
    with pytest.raises(ValueError, match="silent"):
        recognizer(np.zeros(RATE, dtype=np.float32), RATE)
    with pytest.raises(ZeroDivisionError):
        serving.limited(lambda: 1 / 0)
