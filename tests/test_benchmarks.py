"""The table of measurements; no test asserts a time."""

import json

import numpy as np
import pytest

from benchmarks.rows import Row, ratio_row
from benchmarks.table import END, PAGE, RESULTS, START, hardware, table


def test_rows_say_whether_their_goals_are_met():
    goals = [
        ratio_row("a", 2.5, "", least=2.5),
        ratio_row("b", 2.49, "", least=2.5),
        ratio_row("c", 1.5, "", most=1.5),
        ratio_row("d", np.float64(1.6), "", most=1.5, unit=" s"),
    ]
    assert json.loads(json.dumps([vars(row) for row in goals]))[3]["met"] is False
    assert [row.met for row in goals] == [True, False, True, False]
    assert (goals[1].goal, goals[1].found) == ("at least 2.5 x", "2.49 x")
    assert (goals[3].goal, goals[3].found) == ("at most 1.5 s", "1.60 s")


def test_the_table_names_the_machine_and_what_was_not_measured():
    rows = [ratio_row("Slow part", 3.0, "30 ms", most=2), Row("Export", "", "not measured", None, "No onnx here.")]
    made = table({"hardware": hardware(), "rows": [vars(row) for row in rows]})
    assert f"{hardware()['cores']} cores" in made and hardware()["torch"] in made
    assert "| Slow part | at most 2 x | 3.00 x | **missed** | 30 ms |" in made
    assert "| Export |  | not measured |  | No onnx here. |" in made


def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(START) == page.count(END) == 1
    if not RESULTS.is_file():
        pytest.skip("nothing was measured yet: make benchmark")
    assert table(json.loads(RESULTS.read_text())) in page
