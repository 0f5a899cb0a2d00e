"""What a Space reads, and what is installed, agree."""

import ast
import re
import sys
from importlib.metadata import version

import pytest
import yaml
from conftest import ROOT

PINS = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
HEADER = yaml.safe_load((ROOT / "README.md").read_text().split("---")[1])


def test_space_header_agrees_with_requirements():
    assert HEADER["sdk"] == "gradio"
    assert str(HEADER["sdk_version"]) == PINS["gradio"]
    assert HEADER["python_version"] == "3.11"
    assert (ROOT / HEADER["app_file"]).is_file()
    assert HEADER["license"] == "apache-2.0" and "Apache License" in (ROOT / "LICENSE").read_text()
    assert (ROOT / "packages.txt").read_text().split() == ["ffmpeg"]


@pytest.mark.parametrize("name", sorted(PINS))
def test_the_pins_are_what_the_tests_run_on(name):
    assert version(name).split("+")[0] == PINS[name]


IMPORTED_AS = {"parselmouth": "praat-parselmouth", "sklearn": "scikit-learn", "huggingface_hub": "huggingface-hub"}
COME_WITH = {"fastapi", "uvicorn"}  # of gradio, which decides their versions


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
    used = imported_packages() - COME_WITH
    assert used <= set(PINS)
    assert set(PINS) - used == {"accelerate"}  # which Trainer imports by itself
