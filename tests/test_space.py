"""The Space: what is pushed is enough to start the page, where this project is not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import soundfile
from conftest import spoken
from gradio_client import Client, handle_file
from hub_helpers import (
    SHIPPED,
    free_port,
    hashes,
    one_sentence,
    run_fresh,
    run_here,
    running_hub,
    small_checkpoint,
    stranger,
    visitor,
)

from ser_model import EmotionRecognizer

PULL = """
import sys
from huggingface_hub import snapshot_download

snapshot_download(sys.argv[1], repo_type="space", local_dir=sys.argv[2])
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with running_hub() as address:
        yield address


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """What the Space shows: the shipped checkpoint, else a small one."""
    if (SHIPPED / "config.json").is_file():
        return SHIPPED
    return small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "small", "ser_cnn_bilstm")


@pytest.fixture(scope="module")
def pulled(hub, model, tmp_path_factory) -> Path:
    """A Space that was pushed to a Hub and pulled from it into an empty folder."""
    home = tmp_path_factory.mktemp("home")
    done = run_here("-m", "ser_model", "push-space", "alice/page", "--model", model, env=visitor(home, hub))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{hub}/spaces/alice/page\n", "")
    folder = tmp_path_factory.mktemp("space")
    done = run_fresh(PULL, "alice/page", folder, env=visitor(home, hub), cwd=home)
    assert done.returncode == 0, done.stderr[-3_000:]
    return folder


@contextmanager
def running_space(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """`python app.py` in the Space's folder; gives its address once the page is there."""
    port = free_port()
    env = env | {"GRADIO_SERVER_PORT": str(port)}
    log = Path(env["HF_HOME"]).parent / f"space-{port}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as file:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=env, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", timeout=60).raise_for_status()
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"app.py did not come up:\n{log.read_text()}")
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def answer_at(address: str, clip: Path) -> dict:
    """The typed answer of the page's API."""
    answer = Client(address, verbose=False).predict(handle_file(clip), api_name="/predict")
    return next(part for part in answer if isinstance(part, dict) and "probabilities" in part)


def part_at(address: str, clip: Path) -> dict:
    """What the workbench's script gets for the whole of a clip: Spaces take no requests that pass by a queue."""
    with httpx.Client(base_url=address, timeout=60) as page:
        path = page.post("/gradio_api/upload", files={"files": clip.read_bytes()}).raise_for_status().json()[0]
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return page.post("/gradio_api/run/part", json={"data": [file]}).raise_for_status().json()["data"][-1]


def test_just_what_a_space_needs(pulled, model):
    at_the_top = {path.name for path in pulled.iterdir() if not path.name.startswith(".")}
    assert at_the_top == {
        "LICENSE", "README.md", "app.py", "checkpoints", "demo", "examples",
        "packages.txt", "requirements.txt", "ser_model",
    }  # fmt: skip
    assert not list(pulled.rglob("__pycache__"))
    shown = hashes(pulled / "checkpoints" / "default")
    assert shown.items() <= hashes(model).items() and "model.safetensors" in shown
    others = {config.parent.name for config in SHIPPED.parent.glob("*/config.json")}
    assert {folder.name for folder in (pulled / "checkpoints").iterdir()} == others | {"default"}


def test_the_pulled_space_answers(pulled, model, clip, tmp_path):
    """Started in its own folder, which has no datasets_scripts; SPACE_ID makes it listen to the outside."""
    sockets = Path("/proc/net/tcp")  # only Linux has it
    with running_space(pulled, stranger(tmp_path, SYSTEM="spaces", SPACE_ID="alice/page")) as address:
        answer = answer_at(address, clip)
        part = part_at(address, clip)
        listening = sockets.read_text() if sockets.is_file() else None
    expected = EmotionRecognizer.from_pretrained(model)(clip).probabilities
    assert answer["probabilities"] == part["probabilities"] == pytest.approx(expected, abs=1e-4)
    if listening is not None:
        assert f" 00000000:{int(address.rsplit(':')[-1]):04X} " in listening  # 0.0.0.0


def test_the_pulled_space_shows_another_model_of_the_hub(hub, pulled, tmp_path):
    other = small_checkpoint(tmp_path / "other", "ser_phonetic_cnn")
    assert run_here("-m", "ser_model", "push", other, "alice/other", env=visitor(tmp_path, hub)).returncode == 0
    clip = tmp_path / "own-rate.wav"
    soundfile.write(clip, spoken(2.0, 22_050), 22_050)
    with running_space(pulled, visitor(tmp_path, hub, token="", MODEL_ID="alice/other")) as address:
        answer = answer_at(address, clip)
    expected = EmotionRecognizer.from_pretrained(other)(clip).probabilities
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)


def test_pushing_again_removes_what_is_gone(hub, pulled, model, tmp_path):
    stale = json.dumps({"key": "file", "value": {"path": "ser_model/stale.py", "content": "", "encoding": "base64"}})
    by_hand = httpx.post(
        f"{hub}/api/spaces/alice/page/commit/main", content=stale, headers={"Authorization": "Bearer hf_alice"}
    )
    by_hand.raise_for_status()
    done = run_here("-m", "ser_model", "push-space", "alice/page", "--model", model, env=visitor(tmp_path, hub))
    assert done.returncode == 0, done.stderr
    there = {entry["rfilename"] for entry in httpx.get(f"{hub}/api/spaces/alice/page").json()["siblings"]}
    assert "ser_model/stale.py" not in there and {"app.py", "ser_model/hub.py", "README.md"} <= there


def test_refusals_are_one_sentence(hub, pulled, model, tmp_path):
    push = ["-m", "ser_model", "push-space", "alice/page", "--model"]
    bob = run_here(*push, model, env=visitor(tmp_path, hub, "hf_bob"))
    assert "taken or not yours" in one_sentence(bob, "push-space: ")
    empty = run_here(*push, tmp_path, env=visitor(tmp_path, hub))
    assert "config.json is missing" in one_sentence(empty, "push-space: ")
