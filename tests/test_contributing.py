"""What CONTRIBUTING tells people to write works."""

import re
import sys
import types

import numpy as np
import pytest
import soundfile
from conftest import ROOT, voiced_tone

from datasets_scripts import loading
from datasets_scripts.splits import make_split


@pytest.fixture
def calls(monkeypatch, tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r'```python\n("""Calls.*?)```', text, flags=re.DOTALL)[1]
    assert len(code.splitlines()) <= 50
    module = types.ModuleType("datasets_scripts.calls")
    module.__package__ = "datasets_scripts"
    path = tmp_path / "calls.py"
    path.write_text(code)
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "datasets_scripts.calls", module)
    exec(compile(code, path, "exec"), module.__dict__)
    monkeypatch.setitem(loading.CORPORA, "calls", module.CallsBuilder)
    return module.CallsBuilder


def test_a_sixth_corpus_with_labels_of_its_own(calls, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for index, speaker in enumerate(["anna-f", "bo-m", "cleo-f", "dan-m", "eve-f"]):
        for number, label in enumerate(["relaxed", "stressed"]):
            wave = voiced_tone(0.3, pitch=100 + 30 * index + 7 * number, seed=index)
            soundfile.write(data / f"call_{speaker}_{label}_{number:02d}.wav", wave, 16_000)
    soundfile.write(data / "call_bo-m_furious_09.wav", voiced_tone(0.3), 16_000)
    soundfile.write(data / "song.wav", np.ones(10), 16_000)
    table, left_out = loading.load_with_left_out(["calls"], data, cache_dir=tmp_path / "cache")
    assert len(table) == 10 and table.features["emotion"].names == ["relaxed", "stressed"]
    assert [entry["reason"] for entry in left_out] == ["its name gives furious, which is no label of ours"]
    split = make_split(table, "speaker", fold=2)
    assert {table["speaker"][row] for row, _ in split.test} & {table["speaker"][row] for row, _ in split.train} == set()
