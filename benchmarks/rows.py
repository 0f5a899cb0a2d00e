"""A row of the table of measurements, and how its two sides are measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any


class NotHere(Exception):
    """What a measurement needs is not on this machine; the text is one sentence."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: What is measured.
        goal: In words, such as `at least 2.5 x`; empty where a figure is only shown.
        found: The measured ratio or figure, in words.
        met: Whether the goal is met; None where there is none, or nothing was measured.
        detail: The measured parts behind it, or why nothing was measured.
    """

    what: str
    goal: str
    found: str
    met: bool | None
    detail: str


def ratio_row(
    what: str, ratio: float, detail: str, least: float | None = None, most: float | None = None, unit: str = " x"
) -> Row:
    """A row whose goal is a number that `ratio` has to reach (`least`) or keep to (`most`)."""
    ratio = float(ratio)  # of numpy it would not go into JSON
    if least is not None:
        return Row(what, f"at least {least:g}{unit}", f"{ratio:.2f}{unit}", ratio >= least, detail)
    return Row(what, f"at most {most:g}{unit}", f"{ratio:.2f}{unit}", most is None or ratio <= most, detail)


def alternate(sides: Mapping[str, Callable[[Any], object]], inputs: Iterable[Any]) -> dict[str, float]:
    """Median CPU seconds of each side over the inputs; for each input one side after the other, in turning order.

    So what else the machine does weighs little. The first input is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn, given in enumerate(inputs):
        names = list(sides)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            since = time.process_time()
            sides[name](given)
            seconds[name].append(time.process_time() - since)
    return {name: median(times[1:] or times) for name, times in seconds.items()}


def milliseconds(seconds: Mapping[str, float], each: int = 1) -> str:
    """Named times in words, per one of `each`."""
    return ", ".join(f"{name} {1000 * value / each:.1f} ms" for name, value in seconds.items())


def measured(name: str) -> list[Row]:
    """Rows of one module, or one that says why there are none: one that fails does not take the others with it."""
    module = import_module(f"benchmarks.{name}")
    try:
        return module.rows()
    except NotHere as error:
        why = str(error)
    except Exception as error:
        why = f"It failed: {type(error).__name__}: {error}"
    return [Row(str(module.__doc__).strip().rstrip("."), "", "not measured", None, why)]
