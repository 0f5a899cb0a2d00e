"""Recordings of any length, through networks that take one window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PretrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

WINDOWS_AT_ONCE = 4  # bounds memory: more is no faster on a CPU


def forward_windowed(
    network: Callable[..., Any],
    span: int,
    input_features: torch.Tensor,
    attention_mask: torch.Tensor,
    utterance_features: torch.Tensor | None = None,
    batch_size: int = WINDOWS_AT_ONCE,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Classifies a batch of recordings, the windows of all of them `batch_size` at a time.

    A recording longer than `span` frames is cut into half-overlapping windows. Their probabilities
    are averaged, weighted by valid frames, and the recording's logits are the logarithms.

    Args:
        network: `forward` of a window network.
        span: Frames of a window.
        input_features: `(batch, num_frames, num_features)`.
        attention_mask: `(batch, num_frames)`, 1 on frames, 0 on padding (at the end).
        utterance_features: `(batch, num_utterance_features)`, given to each window of a recording.
        batch_size: Windows that the network is given at once.

    Returns:
        float32 logits `(batch, num_labels)`, and attention over time `(batch, num_frames)`, None
        where the network has none.
    """
    num_frames = input_features.shape[1]
    size, hop = min(span, num_frames), max(1, span // 2)
    lengths = attention_mask.sum(dim=1).long()
    counts = 1 + ((lengths - size).clamp(min=0) + hop - 1) // hop  # windows of each recording
    first = counts.cumsum(0) - counts
    owner = torch.repeat_interleave(counts)  # (num_windows,): the recording of each window
    place = torch.arange(len(owner), device=owner.device) - first[owner]
    valid = (lengths[owner] - place * hop).clamp(max=size)
    positions = torch.arange(size, device=owner.device)

    missing = (int(counts.max()) - 1) * hop + size - num_frames
    padded = F.pad(input_features, (0, 0, 0, max(0, missing)))
    windows = padded.unfold(1, size, hop)  # (batch, most windows, num_features, size)
    outputs = [
        network(
            input_features=windows[owner[part], place[part]].transpose(1, 2),
            attention_mask=(positions < valid[part, None]).long(),
            utterance_features=None if utterance_features is None else utterance_features[owner[part]],
            output_attentions=True,
        )
        for part in torch.arange(len(owner), device=owner.device).split(batch_size)
    ]
    logits = torch.cat([output.logits for output in outputs]).float()
    share = (valid / valid.new_zeros(len(counts)).index_add(0, owner, valid)[owner])[:, None]
    mean = logits.new_zeros(len(counts), logits.shape[1]).index_add(0, owner, logits.softmax(dim=-1) * share)
    together = torch.where(counts[:, None] == 1, logits[first], mean.log())
    if outputs[0].attentions is None:
        return together, None
    weights = torch.cat([output.attentions[0] for output in outputs]).float() * share
    frames = (owner * padded.shape[1] + place * hop)[:, None] + positions
    attention = weights.new_zeros(padded.shape[:2]).flatten().index_add(0, frames.flatten(), weights.flatten())
    return together, attention.view(padded.shape[:2])[:, :num_frames]


def classifier_output(
    logits: torch.Tensor,
    attention: torch.Tensor | None,
    labels: torch.Tensor | None,
    return_dict: bool | None,
) -> SequenceClassifierOutput | tuple[torch.Tensor, ...]:
    """What every `forward` returns: loss where there are labels, logits, attention over time where given."""
    output = SequenceClassifierOutput(
        loss=None if labels is None else F.cross_entropy(logits, labels.repeat(len(logits) // len(labels))),
        logits=logits,
        attentions=None if attention is None else (attention,),
    )
    return output.to_tuple() if return_dict is False else output


class Windowed(nn.Module):
    """First base of a model whose second base is a window network: it takes recordings of any length."""

    config: PretrainedConfig

    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        utterance_features: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> SequenceClassifierOutput | tuple[torch.Tensor, ...]:
        """As the window network's `forward`; what is longer than its span goes through `forward_windowed`."""
        span = self.config.num_frames
        if input_features.shape[1] <= span:
            return super().forward(
                input_features, attention_mask, utterance_features, labels, output_attentions, return_dict
            )
        if attention_mask is None:
            attention_mask = input_features.new_ones(input_features.shape[:2])
        logits, attention = forward_windowed(super().forward, span, input_features, attention_mask, utterance_features)
        return classifier_output(logits, attention if output_attentions else None, labels, return_dict)
