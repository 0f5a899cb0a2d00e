"""The quick start runs from its first cell to its last."""

import nbformat
import pytest
from conftest import ROOT
from hub_helpers import SHIPPED, small_checkpoint

NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def executed(mini_ravdess, tmp_path, monkeypatch):
    """The notebook after a run on a miniature corpus."""
    from nbclient import NotebookClient

    if not (SHIPPED / "config.json").is_file():
        monkeypatch.setenv("MODEL_ID", str(small_checkpoint(tmp_path / "small", "ser_cnn_bilstm")))
    for name, value in {
        "SER_DATA_DIR": mini_ravdess, "HF_DATASETS_CACHE": tmp_path / "cache", "HF_MODULES_CACHE": tmp_path / "modules",
        "TMPDIR": tmp_path, "IPYTHONDIR": tmp_path / "ipython", "OMP_NUM_THREADS": 1,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own, which draws into the notebook
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def shows(cell, kind):
    return any(kind in output.get("data", {}) for output in cell.outputs)


def test_it_runs_and_shows_its_outputs(executed):
    _, listed, predicted, attention, trained, evaluated, loaded = executed
    assert "ravdess" in printed(listed) and "192" in printed(listed)
    assert "predicted:" in printed(predicted) and "actual:" in printed(predicted)
    assert any("<audio" in output.get("data", {}).get("text/html", "") for output in predicted.outputs)
    assert shows(attention, "image/png")
    assert "model.safetensors" in trained.outputs[-1]["data"]["text/plain"]
    again, report = printed(evaluated).splitlines()[:2]
    assert again.startswith("Test UAR ") and report.split()[-2] == again.split()[2].rstrip(",")
    assert shows(evaluated, "image/png")
    assert "neutral" in loaded.outputs[-1]["data"]["text/plain"]


def test_it_is_shipped_without_outputs():
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
