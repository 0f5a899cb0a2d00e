"""The prediction for one recording; free of torch, for code that only shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .voice_activity import LEAST_SECONDS

# UAR of the shipped model on 300 test clips cut to so many seconds of speech: whole clips 71 %, 2.0 59 %, 1.2 48 %,
# 0.8 41 %, 0.6 39 %, 0.4 30 %, 0.2 25 % (eight classes). Below this it is about half of what the reports say.
SHORT_SECONDS = 0.6
RESULT = ("label", "probabilities", "duration", "speech", "unsure", "remark")  # what every output says of a recording


class Attention(NamedTuple):
    """Attention over time: `times` in seconds and `weights`, `(num_frames,)` each; weights sum to 1."""

    times: np.ndarray
    weights: np.ndarray


class Speech(NamedTuple):
    """How much speech was found: `seconds`, and their `share` of the recording."""

    seconds: float
    share: float

    @classmethod
    def of(cls, stretches: Sequence[tuple[float, float]], duration: float) -> Speech:
        """The sum of stretches `(start, end)` of a recording, all in seconds."""
        seconds = sum((end - start for start, end in stretches), start=0.0)
        return cls(seconds, seconds / duration if duration else 0.0)

    def rounded(self) -> dict[str, float]:
        """As plain data."""
        return {"seconds": round(self.seconds, 3), "share": round(self.share, 4)}


@dataclass(frozen=True)
class EmotionResult:
    """The prediction for one recording.

    Attributes:
        label: The most probable emotion; None where no speech was found.
        probabilities: Emotion -> probability, every class, in the model's order.
        attention: Attention over the whole recording; None where the network has none.
        duration: Length of the recording in seconds.
        speech: The speech that was found; None where nobody looked for it.
        unsure_below: Confidence below which the model's answers are too often wrong; 0 where that is not known.
    """

    label: str | None
    probabilities: dict[str, float]
    attention: Attention | None
    duration: float
    speech: Speech | None = None
    unsure_below: float = 0.0

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Emotions with their probabilities, the most probable first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])

    @property
    def unsure(self) -> bool:
        """Whether there is a label, but its probability is below `unsure_below`."""
        return self.label is not None and self.ranked[0][1] < self.unsure_below

    @property
    def remark(self) -> str:
        """Why there is no label, or why it is not to be relied on; empty where nothing speaks against it."""
        if self.label is None:
            return f"Nothing in the recording sounds like speech for {LEAST_SECONDS} s."
        remarks = []
        if self.speech and self.speech.seconds < SHORT_SECONDS:
            remarks.append(
                f"Only {self.speech.seconds:.1f} s of speech: predictions from less than {SHORT_SECONDS} s are often "
                "wrong."
            )
        if self.unsure:
            remarks.append(
                f"The confidence is below {100 * self.unsure_below:.0f} %, from which on three of four predictions "
                "were right on validation speakers."
            )
        return " ".join(remarks)

    def as_data(self) -> dict[str, Any]:
        """The fields of `RESULT`, as plain data."""
        values = (
            self.label,
            {label: round(float(share), 6) for label, share in self.probabilities.items()},
            round(self.duration, 3),
            self.speech.rounded() if self.speech else None,
            self.unsure,
            self.remark,
        )
        return dict(zip(RESULT, values, strict=True))
