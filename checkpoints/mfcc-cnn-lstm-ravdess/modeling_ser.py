"""The networks of one window: plain blocks, and the models made of them."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from .configuration_ser import CnnBilstmConfig, PhoneticCnnConfig
from .windowing_ser import Windowed, classifier_output


def time_mask(lengths: torch.Tensor, num_steps: int) -> torch.Tensor:
    """Boolean `(batch, num_steps)`: true on the first `lengths` steps."""
    return torch.arange(num_steps, device=lengths.device) < lengths[:, None]


def with_utterance_features(vectors: torch.Tensor, utterance_features: torch.Tensor | None) -> torch.Tensor:
    """Vectors `(batch, size)` with the features of the whole clips joined, where there are any."""
    if utterance_features is None:
        return vectors
    return torch.cat([vectors, utterance_features.to(vectors.dtype)], dim=-1)


class Conv2dBlock(nn.Module):
    """Conv2d 3x3 > ReLU > BatchNorm2d > Dropout2d > MaxPool2d 2x2, padding set back to zero.

    Dropout2d drops whole channels, so it gives the same after pooling, where it has a quarter to multiply.
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout2d(dropout)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.dropout(self.pool(self.norm(F.relu(self.conv(x)))))
        lengths = lengths // 2  # a step counts when both of its frames are valid
        return x * time_mask(lengths, x.shape[2])[:, None, :, None], lengths


class Conv1dBlock(nn.Module):
    """Conv1d > ReLU > BatchNorm1d > MaxPool1d 2 > dropout, padding set back to zero."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, dropout: float):
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.norm = nn.BatchNorm1d(out_channels)
        self.pool = nn.MaxPool1d(2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.dropout(self.pool(self.norm(F.relu(self.conv(x)))))
        lengths = lengths // 2
        return x * time_mask(lengths, x.shape[2])[:, None], lengths


class BiLstm(nn.Module):
    """An LSTM forward in time beside one backward from each sequence's last valid step; zero where padded.

    Two plain LSTMs, as PyTorch runs packed sequences several times slower on a CPU.
    """

    def __init__(self, size: int, hidden_size: int):
        super().__init__()
        self.ahead = nn.LSTM(size, hidden_size, batch_first=True)
        self.back = nn.LSTM(size, hidden_size, batch_first=True)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        steps, valid = torch.arange(x.shape[1], device=x.device), time_mask(lengths, x.shape[1])
        mirrored = torch.where(valid, lengths[:, None] - 1 - steps, steps)[..., None]  # its own inverse
        ahead, _ = self.ahead(x)
        back, _ = self.back(x.gather(1, mirrored.expand_as(x)))
        back = back.gather(1, mirrored.expand_as(back))
        return torch.cat([ahead, back], dim=-1) * valid[..., None]  # (batch, num_steps, 2 * hidden_size)


class AttentionPooling(nn.Module):
    """Linear(size, 1) > masked softmax over time > weighted sum."""

    def __init__(self, size: int):
        super().__init__()
        self.score = nn.Linear(size, 1)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.score(x).squeeze(-1).float().masked_fill(~time_mask(lengths, x.shape[1]), -torch.inf)
        weights = scores.softmax(dim=-1)
        return (weights[..., None].to(x.dtype) * x).sum(dim=1), weights  # (batch, size), (batch, num_steps)


class SelfAttention(nn.Module):
    """Multi-head self-attention over time > add > LayerNorm."""

    def __init__(self, size: int, heads: int, dropout: float):
        super().__init__()
        self.attention = nn.MultiheadAttention(size, heads, dropout=dropout, batch_first=True)
        self.norm = nn.LayerNorm(size)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mask = time_mask(lengths, x.shape[1])
        attended, weights = self.attention(x, x, x, key_padding_mask=~mask)
        share = mask / lengths[:, None]  # every valid step counts alike
        received = (weights.float() * share[..., None]).sum(dim=1)  # (batch, num_steps), sums to 1
        return self.norm(x + attended), received


class SerPreTrainedModel(PreTrainedModel):
    """What the networks share: windows and their mask in, logits and attention over time out."""

    base_model_prefix = "ser"
    main_input_name = "input_features"
    time_stride: int  # frames that become one step
    classifier: nn.Linear

    def _init_weights(self, module: nn.Module) -> None:
        if callable(reset := getattr(module, "reset_parameters", None)):  # PyTorch's own initialisation
            reset()

    def encode(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Turns windows into one vector each.

        Args:
            x: Features `(batch, num_frames, num_features)`, zero where padded.
            lengths: Valid frames `(batch,)`, at least `time_stride` each.

        Returns:
            Vectors `(batch, size)`, and attention over time `(batch, num_steps)`, None without.
        """
        raise NotImplementedError(f"{type(self).__name__} has to encode.")

    def classify(
        self, x: torch.Tensor, lengths: torch.Tensor, utterance_features: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As `encode`, with logits `(batch, num_labels)` in place of vectors, before calibration."""
        vectors, weights = self.encode(x, lengths)
        return self.classifier(with_utterance_features(vectors, utterance_features)), weights

    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        utterance_features: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> SequenceClassifierOutput | tuple[torch.Tensor, ...]:
        """Classifies windows of at most `config.num_frames` frames.

        Args:
            input_features: `(batch, num_frames, num_features)`.
            attention_mask: `(batch, num_frames)`, 1 on frames, 0 on padding (at the end).
            utterance_features: `(batch, num_utterance_features)`, for models that ask for them.
            labels: Class numbers `(batch,)`, for a cross-entropy loss.
            output_attentions: Also return the attention over time.

        Returns:
            `logits (batch, num_labels)`; `attentions`, one tensor `(batch, num_frames)` that sums to
            1 over each window's frames.

        Raises:
            ValueError: The windows have more frames than the span.
        """
        frames, span = input_features.shape[1], self.config.num_frames
        if frames > span:
            raise ValueError(f"The network takes windows of at most {span} frames, not {frames}.")
        if attention_mask is None:
            attention_mask = input_features.new_ones(input_features.shape[:2])
        lengths = attention_mask.sum(dim=1).long()
        # A slice of the span: in a traced graph, which keeps no `if`, longer windows do not fit it.
        mask = torch.arange(span, device=lengths.device)[:frames] < lengths[:, None]
        x = (input_features * mask[..., None]).to(self.dtype)
        if frames < self.time_stride:
            x = F.pad(x, (0, 0, 0, self.time_stride - frames))
        logits, weights = self.classify(x, lengths.clamp(min=self.time_stride), utterance_features)
        logits = logits / self.config.calibration_temperature
        attention = None
        if output_attentions and weights is not None:  # from steps to frames; the last ones may be too few for a step
            spread = (weights / self.time_stride).repeat_interleave(self.time_stride, dim=1)
            attention = F.pad(spread, (0, self.time_stride))[:, :frames] * mask
            total = attention.sum(dim=1, keepdim=True)  # less than 1 where a clip is shorter than a step
            attention = attention / total.clamp(min=1e-6)
        return classifier_output(logits, attention, labels, return_dict)


class CnnBilstm(SerPreTrainedModel):
    """Conv2d blocks > BiLSTM > dropout > attention over time > linear."""

    config_class = CnnBilstmConfig

    def __init__(self, config: CnnBilstmConfig):
        super().__init__(config)
        assert config.num_labels is not None
        channels = [1, *config.conv_channels]
        self.blocks = nn.ModuleList(
            Conv2dBlock(inner, outer, config.dropout) for inner, outer in itertools.pairwise(channels)
        )
        self.time_stride = 2 ** len(config.conv_channels)
        size = channels[-1] * (config.num_features // self.time_stride)
        self.lstm = BiLstm(size, config.lstm_hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.attention = AttentionPooling(2 * config.lstm_hidden_size)
        self.classifier = nn.Linear(2 * config.lstm_hidden_size + config.num_utterance_features, config.num_labels)
        self.post_init()

    def encode(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = x[:, None].to(memory_format=torch.channels_last)  # (batch, 1, num_frames, num_features)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        x = x.transpose(1, 2).flatten(2)  # (batch, num_steps, channels * features)
        return self.attention(self.dropout(self.lstm(x, lengths)), lengths)


class PhoneticCnn(SerPreTrainedModel):
    """Conv1d blocks > BiLSTM, if asked > self-attention, if asked > mean over time > dropout > linear.

    Voice-quality measures of the whole clip, if given, are joined before the linear layer.
    """

    config_class = PhoneticCnnConfig

    def __init__(self, config: PhoneticCnnConfig):
        super().__init__(config)
        assert config.num_labels is not None
        channels = [config.num_features, *config.conv_channels]
        self.blocks = nn.ModuleList(
            Conv1dBlock(inner, outer, config.kernel_size, config.dropout)
            for inner, outer in itertools.pairwise(channels)
        )
        self.time_stride = 2 ** len(config.conv_channels)
        size = channels[-1]
        self.lstm = None
        if config.lstm_hidden_size:
            self.lstm = BiLstm(size, config.lstm_hidden_size)
            size = 2 * config.lstm_hidden_size
        self.attention = SelfAttention(size, config.attention_heads, config.dropout) if config.attention_heads else None
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(size + config.num_utterance_features, config.num_labels)
        self.post_init()

    def encode(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = x.transpose(1, 2)  # (batch, num_features, num_frames)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        x = x.transpose(1, 2)  # (batch, num_steps, channels)
        if self.lstm is not None:
            x = self.lstm(x, lengths)
        mask = time_mask(lengths, x.shape[1])
        weights = mask / lengths[:, None]  # without attention every step counts alike
        pooling = weights[..., None].to(x.dtype)
        if self.attention is not None:
            x, weights = self.attention(x, lengths)
        return self.dropout((x * pooling).sum(dim=1)), weights


class CnnBilstmForAudioClassification(Windowed, CnnBilstm):
    """`CnnBilstm` on recordings of any length."""


class PhoneticCnnForAudioClassification(Windowed, PhoneticCnn):
    """`PhoneticCnn` on recordings of any length."""
