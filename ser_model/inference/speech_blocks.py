"""Recordings in blocks of frames, as silero-vad takes them, whatever runs the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLING_RATE = 16_000  # Hz, of the samples that it takes
FRAME, CONTEXT = 512, 64  # samples of a frame, and of the previous one that it sees
FRAMES_AT_ONCE = 512  # bounds memory to a few MB however long the recording


def over_blocks(
    detect: Callable[[np.ndarray, Any], tuple[np.ndarray, Any]], wave: np.ndarray, scale: float = 1.0
) -> np.ndarray:
    """Probability of speech in each 32 ms of a recording `(num_frames,)`.

    Args:
        detect: The network: frames `(num_frames, CONTEXT + FRAME)` and the state after those before, None at the start,
            in; probabilities `(num_frames,)` and the new state out.
        wave: Mono samples `(num_samples,)` at `SAMPLING_RATE`.
        scale: What they are multiplied by.
    """
    state, found = None, [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(wave), FRAME * FRAMES_AT_ONCE):
        before = min(start, CONTEXT)
        block = wave[start - before : start + FRAME * FRAMES_AT_ONCE] * np.float32(scale)
        padded = np.pad(block, (CONTEXT - before, -(len(block) - before) % FRAME))
        frames = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
        shares, state = detect(np.ascontiguousarray(frames), state)
        found.append(shares)
    return np.concatenate(found)
