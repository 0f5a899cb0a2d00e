"""silero-vad's network (MIT) over whole recordings, with the weights of its wheel."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import distribution
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from .speech_blocks import CONTEXT, over_blocks

WEIGHTS = "silero_vad/data/silero_vad_16k.safetensors"


class SpeechDetector(nn.Module):
    """STFT > 4 x Conv1d > LSTM > Conv1d.

    The wheel's own code runs it frame by frame and keeps the state in the model; this runs blocks of frames and keeps
    nothing, which is ten times as fast and may be used by several threads. Importing the wheel's code would also set
    the number of torch's threads for the whole process, so only its weights are read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTM(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(
        self, frames: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Probability of speech in each of `(num_frames, CONTEXT + FRAME)` frames `(num_frames,)`, and the state."""
        x = self.stft_conv(F.pad(frames, (0, CONTEXT), mode="reflect")[:, None])  # (num_frames, 258, 4)
        x = (x[:, :129].square() + x[:, 129:].square()).sqrt()
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = convolution(x).relu()
        x, state = self.lstm_cell(x.squeeze(-1), state)  # (num_frames, 128)
        return self.final_conv(x.relu().T).sigmoid().squeeze(0), state


@lru_cache(maxsize=1)
def speech_detector() -> SpeechDetector:
    """The network with the wheel's weights, loaded once."""
    weights = load_file(str(distribution("silero-vad").locate_file(WEIGHTS)))
    detector = SpeechDetector().eval().requires_grad_(False)
    detector.load_state_dict({f"{name}_l0" if "lstm" in name else name: weights[name] for name in weights})
    return detector


def speech_probabilities(wave: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Probability of speech in each 32 ms of a recording, see `over_blocks`."""
    detector = speech_detector()

    def detect(frames: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        shares, state = detector(torch.from_numpy(frames), state)
        return shares.numpy(), state

    with torch.inference_mode():
        return over_blocks(detect, wave, scale)
