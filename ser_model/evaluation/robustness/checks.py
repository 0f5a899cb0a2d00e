"""One check: a value, its limit, and whether it is met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

SIMULATED_CLIPS = 1_000
DECIMALS = 4


@dataclass(frozen=True)
class Check:
    """One check of the suite.

    Attributes:
        group, name: As in the table.
        measure: What `value` is.
        value: What was measured, rounded to four decimals.
        limit: What it must not exceed, or with `at_least` not fall below.
        at_least: Which of the two.
        clips: How many clips it was measured on.
    """

    group: str
    name: str
    measure: str
    value: float
    limit: float
    at_least: bool
    clips: int

    @property
    def passed(self) -> bool:
        """Whether the limit is met; a value on it is."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_dict(self) -> dict[str, Any]:
        limit = {"threshold": self.limit, "required": "at least" if self.at_least else "at most"}
        return {"group": self.group, "name": self.name, "measure": self.measure, "value": self.value} | limit | {
            "passed": self.passed, "clips": self.clips,
        }  # fmt: skip


def at_most(group: str, name: str, measure: str, value: float, limit: float, clips: int) -> Check:
    return Check(group, name, measure, round(float(value), DECIMALS), round(limit, DECIMALS), False, clips)


def at_least(group: str, name: str, measure: str, value: float, limit: float, clips: int) -> Check:
    return Check(group, name, measure, round(float(value), DECIMALS), round(limit, DECIMALS), True, clips)


def widened(limit: float, num_clips: int) -> float:
    """The limit of a group of speakers, for the number of its clips.

    ser-tests took its limits for groups from simulations of 1,000 clips a group: the largest
    difference that chance alone makes. That grows with the standard error, so for fewer clips the
    limit is multiplied by sqrt(1000 / clips). No other limit of the suite is widened.
    """
    return limit * math.sqrt(max(1.0, SIMULATED_CLIPS / num_clips))
