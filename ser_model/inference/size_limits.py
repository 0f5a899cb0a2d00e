"""What the files of a model may ask for: anybody can write them, and a network is built from them."""

from __future__ import annotations

import math
from typing import Any

import torch

MOST, MOST_ITEMS, MOST_LAYERS = 1_000_000, 10_000, 100
# At least what published audio classifiers have; the memory that a prediction takes grows with these.
AT_MOST = {
    "num_labels": 1_000, "hidden_size": 4_096, "d_model": 4_096, "intermediate_size": 16_384,
    "encoder_ffn_dim": 16_384, "num_attention_heads": 64, "encoder_attention_heads": 64, "conv_dim": 512,
    "max_source_positions": 5_000, "num_mel_bins": 256, "max_length": 1_024, "feature_size": 512, "chunk_length": 30,
    "n_fft": 8_192, "sampling_rate": 48_000,
}  # fmt: skip
AT_LEAST = {"frequency_stride": 8, "time_stride": 8}
LEAST_STRIDE = 160  # samples from one frame of a network on waveforms to the next
LEAST_BYTES = 2  # of a stored weight


def check_sizes(content: Any, name: str = "it") -> None:
    """Refuses the content of `config.json` or `preprocessor_config.json` that asks for too much.

    Raises:
        ValueError: The text says which value.
    """
    if isinstance(content, dict):
        for key, value in content.items():
            check_sizes(value, key)
        content = list(content)
    elif isinstance(content, list):
        if name == "conv_stride" and 0 <= math.prod(content) < LEAST_STRIDE:
            raise ValueError(f"conv_stride has to give a step of {LEAST_STRIDE} samples or more, not {content}")
        for value in content:
            check_sizes(value, name)
    if isinstance(content, list) and len(content) > MOST_ITEMS:
        raise ValueError(f"{name} has {len(content):,} entries; at most {MOST_ITEMS:,} are taken")
    if not isinstance(content, (int, float)) or isinstance(content, bool):
        return
    most = AT_MOST.get(name, MOST_LAYERS if name.endswith("layers") else MOST)
    if isinstance(content, int) and content > most:
        raise ValueError(f"{name} is {content:,}; at most {most:,} is taken")
    if content < AT_LEAST.get(name, content):
        raise ValueError(f"{name} is {content}; at least {AT_LEAST[name]} is taken")


def check_weights_fit(network: torch.nn.Module, num_bytes: int) -> None:
    """Refuses a network that is larger than its file of weights, before memory is taken for it.

    Args:
        network: On the meta device.
        num_bytes: Size of the file.

    Raises:
        ValueError: It is.
    """
    count = sum(values.numel() for values in network.state_dict().values())
    if LEAST_BYTES * count > num_bytes:
        raise ValueError(f"config.json asks for {count:,} weights, for which {num_bytes:,} bytes are too few")
