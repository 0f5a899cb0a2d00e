"""The prediction for one recording; free of torch, for code that only shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Attention(NamedTuple):
    """Attention over time: `times` in seconds and `weights`, `(num_frames,)` each; weights sum to 1."""

    times: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class EmotionResult:
    """The prediction for one recording.

    Attributes:
        label: The most probable emotion.
        probabilities: Emotion -> probability, every class, in the model's order.
        attention: Attention over the whole recording; None where the network has none.
        duration: Length of the recording in seconds.
    """

    label: str
    probabilities: dict[str, float]
    attention: Attention | None
    duration: float
