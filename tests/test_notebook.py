"""The notebooks run from their first cell to their last."""

import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from foreign_models import foreign_classifier
from hub_helpers import SHIPPED, small_checkpoint

FOLDER = ROOT / "notebooks"


@pytest.fixture
def executed(mini_ravdess, tmp_path, monkeypatch):
    """Runs a notebook on a miniature corpus and gives its cells."""
    for name, value in {
        "SER_DATA_DIR": mini_ravdess, "HF_DATASETS_CACHE": tmp_path / "cache", "HF_MODULES_CACHE": tmp_path / "modules",
        "TMPDIR": tmp_path, "IPYTHONDIR": tmp_path / "ipython", "OMP_NUM_THREADS": 1,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own, which draws into the notebook

    def execute(name):
        from nbclient import NotebookClient

        notebook = nbformat.read(FOLDER / name, as_version=4)
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(FOLDER)}}).execute()
        return [cell for cell in notebook.cells if cell.cell_type == "code"]

    return execute


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def shows(cell, kind):
    return any(kind in output.get("data", {}) for output in cell.outputs)


def test_the_quick_start_shows_its_outputs(executed, tmp_path, monkeypatch):
    if not (SHIPPED / "config.json").is_file():
        monkeypatch.setenv("MODEL_ID", str(small_checkpoint(tmp_path / "small", "ser_cnn_bilstm")))
    _, listed, predicted, attention, trained, evaluated, loaded = executed("quickstart.ipynb")
    assert "ravdess" in printed(listed) and "192" in printed(listed)
    assert "predicted:" in printed(predicted) and "actual:" in printed(predicted)
    assert any("<audio" in output.get("data", {}).get("text/html", "") for output in predicted.outputs)
    assert shows(attention, "image/png")
    assert "model.safetensors" in trained.outputs[-1]["data"]["text/plain"]
    again, report = printed(evaluated).splitlines()[:2]
    assert again.startswith("Test UAR ") and report.split()[-2] == again.split()[2].rstrip(",")
    assert shows(evaluated, "image/png")
    assert "neutral" in loaded.outputs[-1]["data"]["text/plain"]


def test_a_model_of_somebody_else_is_evaluated(executed, tmp_path, monkeypatch):
    if not (SHIPPED / "config.json").is_file():
        pytest.skip("the shipped checkpoint, which it is compared with, is not here")
    monkeypatch.setenv("MODEL_ID", str(foreign_classifier(tmp_path / "foreign", "wav2vec2")))
    _, _, evaluated, compared, matrices, notes = executed("evaluate-a-hub-model.ipynb")
    assert printed(evaluated).startswith("Test UAR ")
    text = printed(compared)
    assert "4 classes, guessing: 25.0%" in text and "  clips: 16  without those of: calm, fear" in text
    assert "the model that ships: UAR " in text and "8 classes, guessing: 12.5%" in text
    assert shows(matrices, "image/png")
    assert "What this model was trained on is not known here" in printed(notes)


@pytest.mark.parametrize("name", ["quickstart.ipynb", "evaluate-a-hub-model.ipynb"])
def test_they_are_shipped_without_outputs_or_placeholders(name, tmp_path):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert "github.com" not in str(notebook)
    # Where there is neither project nor package, the first cell says what to do.
    (tmp_path / "cell.py").write_text(cells[0].source)
    done = subprocess.run([sys.executable, "-I", tmp_path / "cell.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Put this notebook's project here, or its package")
