"""What a Space reads, what is installed and what the package declares agree."""

import ast
import os
import re
import shutil
import subprocess
import sys
from email.parser import Parser
from importlib.metadata import version

import pytest
import yaml
from conftest import ROOT

from ser_model import __version__

PINS, ONNX_PINS = (
    dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / name).read_text(), flags=re.MULTILINE))
    for name in ("requirements.txt", "requirements-onnx.txt")
)
HEADER = yaml.safe_load((ROOT / "README.md").read_text().split("---")[1])


def test_space_header_agrees_with_requirements():
    assert HEADER["sdk"] == "gradio"
    assert str(HEADER["sdk_version"]) == PINS["gradio"]
    assert HEADER["python_version"] == "3.11"
    assert (ROOT / HEADER["app_file"]).is_file()
    assert HEADER["license"] == "apache-2.0" and "Apache License" in (ROOT / "LICENSE").read_text()
    assert (ROOT / "packages.txt").read_text().split() == ["ffmpeg"]


@pytest.mark.parametrize("name", sorted(PINS | ONNX_PINS))
def test_the_pins_are_what_the_tests_run_on(name):
    assert version(name).split("+")[0] == (ONNX_PINS | PINS)[name] == (PINS | ONNX_PINS)[name]


IMPORTED_AS = {"parselmouth": "praat-parselmouth", "sklearn": "scikit-learn", "huggingface_hub": "huggingface-hub"}
# Of gradio, datasets and pydantic, which decide their versions.
COME_WITH = {"fastapi", "starlette", "gradio_client", "multiprocess", "typing_extensions"}
OPTIONAL = {"optuna"}  # of an extra, pinned among the requirements of development


def imported_packages():
    files = [
        ROOT / "app.py",
        ROOT / "train.py",
        *ROOT.glob("ser_model/**/*.py"),
        *ROOT.glob("demo/**/*.py"),
        *ROOT.glob("datasets_scripts/*.py"),
    ]
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).split(".")[0])
    own = {"ser_model", "demo", "datasets_scripts", "train", "app"}
    return {IMPORTED_AS.get(name, name) for name in found - own - set(sys.stdlib_module_names)}


def test_every_import_is_pinned_and_every_pin_imported():
    used = imported_packages() - COME_WITH - OPTIONAL
    assert used <= set(PINS | ONNX_PINS)
    # Trainer imports the first by itself; of the second only the weights are read.
    assert set(PINS) - used == {"accelerate", "silero-vad"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that the package is installed to, without its dependencies, from a copy of the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for path in ROOT.glob("requirements*.txt"):
        shutil.copy(path, source)
    for name in ("ser_model", "datasets_scripts", "demo", "checkpoints"):
        shutil.copytree(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def run_installed(installed, folder, *words):
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    command = [installed / "bin" / "ser-model", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_installed_command_predicts_from_any_folder(installed, clip, tmp_path):
    done = run_installed(installed, tmp_path, "predict", clip)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(clip)) and done.stdout.rstrip().endswith("2.00 s")


def test_the_installed_command_cannot_push_the_demo_which_it_does_not_hold(installed, tmp_path):
    done = run_installed(installed, tmp_path, "push-space", "alice/page")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("push-space: An installed package holds no demo")


def test_the_package_declares_each_pin_once_and_ships_its_resources(installed):
    (folder,) = installed.glob("ser_model-*.dist-info")
    metadata = Parser().parsestr((folder / "METADATA").read_text())
    assert (metadata["Name"], metadata["Version"]) == ("ser-model", __version__)
    declared = {line.split(";")[0].strip() for line in metadata.get_all("Requires-Dist")}
    assert {f"{name}=={pin}" for name, pin in PINS.items()} <= declared
    assert {"demo", "onnx", "dev", "search"} == set(metadata.get_all("Provides-Extra"))
    library = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert not any(line.startswith("gradio") for line in library)
    for name in ("py.typed", "training/presets/mfcc-cnn.json", "checkpoints/default/model.safetensors"):
        assert (installed / "ser_model" / name).is_file()
    for folder in ("datasets_scripts", "demo"):
        data = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        data = {path for path in data if "__pycache__" not in path.parts}
        assert data and all((installed / path).is_file() for path in data)


def test_one_version_is_named_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == __version__
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


PYTHON = """#!/bin/sh
case "$*" in
  *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *pip*) ;;
  *) exec {python} -c "import sys; sys.version_info = {version}; $2" ;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_an_environment_of_an_old_python_is_made_anew_as_make_advises(tmp_path):
    """Pythons that say which version they are, and otherwise do little."""
    for name, number in (("old", (3, 10)), ("new", (3, 11))):
        (tmp_path / name).write_text(PYTHON.format(python=sys.executable, version=number))
        (tmp_path / name).chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)

    def make(python: str) -> subprocess.CompletedProcess:
        command = ["make", f"PYTHON=./{python}", ".venv/app.stamp"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    refused = make("old")
    assert refused.returncode and "Python 3.11 or newer is needed: make PYTHON=python3.11" in refused.stderr
    assert not (tmp_path / ".venv").exists()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    shutil.copy(tmp_path / "old", tmp_path / ".venv/bin/python")  # as was made before, or by hand
    assert make("old").returncode and not make("new").returncode and (tmp_path / ".venv/app.stamp").is_file()
    (tmp_path / "requirements.txt").touch()
    assert not make("old").returncode  # what is there is new enough
