"""A pretrained speech encoder under a small trained head."""

from __future__ import annotations

import math
import os
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PretrainedConfig, WhisperConfig, WhisperForAudioClassification
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.whisper.modeling_whisper import WhisperEncoder
from transformers.utils import logging

from .configuration_ser import SpeechEncoderConfig
from .modeling_ser import BiLstm, SerPreTrainedModel, time_mask, with_utterance_features
from .windowing_ser import Windowed, classifier_output

NOT_OF_THE_SIZES = ("architectures", "dtype", "transformers_version", "_name_or_path")


class LogMelEncoder(WhisperEncoder):
    """Whisper's encoder on any length: Conv1d > Conv1d with stride 2 > positions > layers, padding masked in each."""

    layer_norm: nn.Module  # type: ignore[assignment]

    def __init__(self, config: WhisperConfig):
        super().__init__(config)
        self.layer_norm = nn.Identity()  # that of the uncut encoder's output is not used

    def layer_outputs(self, x: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
        """Output of each layer, `(batch, num_frames / 2, size)`, for frames `(batch, num_frames, num_features)`."""
        x = F.gelu(self.conv1(x.transpose(1, 2))) * time_mask(lengths, x.shape[1])[:, None]
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        valid = time_mask((lengths + 1) // 2, x.shape[1])
        mask = torch.zeros_like(valid, dtype=x.dtype).masked_fill(~valid, -torch.inf)[:, None, None]
        outputs = []
        for layer in self.layers:
            x = layer(x, mask)
            outputs.append(x)
        return outputs


class WaveformEncoder(nn.Module):
    """wav2vec 2.0, HuBERT or WavLM, clips of one length at a time: their normalisation over time would see padding."""

    def __init__(self, config: PretrainedConfig):
        super().__init__()
        self.model = AutoModel.from_config(config)
        self.overlap = 0  # samples that a frame takes beyond the step to the next
        for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
            self.overlap = self.overlap * stride + kernel - stride
        self.stride = math.prod(config.conv_stride)

    @property
    def layers(self) -> nn.ModuleList:
        return self.model.encoder.layers

    def layer_outputs(self, x: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
        """Output of each layer, `(batch, num_frames / 2, size)`, for waveforms `(batch, num_frames, hop_length)`."""
        size = x.shape[1] * x.shape[2] // self.stride
        outputs = [x.new_zeros(len(x), size, self.model.config.hidden_size) for _ in self.layers]
        for length in lengths.unique().tolist():
            rows = lengths == length
            samples = F.pad(x[rows, :length].flatten(1), (0, self.overlap))
            states = self.model(samples, output_hidden_states=True).hidden_states[1:]
            for output, state in zip(outputs, states, strict=True):
                output[rows, : state.shape[1]] = state.to(output.dtype)
        return outputs


class AttentiveStatistics(nn.Module):
    """Linear > tanh > linear > masked softmax over time > weighted mean and standard deviation."""

    def __init__(self, size: int, hidden_size: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, 1))

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.score(x).squeeze(-1).float().masked_fill(~time_mask(lengths, x.shape[1]), -torch.inf)
        weights = scores.softmax(dim=-1)
        share = weights[..., None].to(x.dtype)
        mean = (share * x).sum(dim=1)
        variance = (share * (x - mean[:, None]).square()).sum(dim=1)
        return torch.cat([mean, (variance + 1e-5).sqrt()], dim=-1), weights  # (batch, 2 * size), (batch, num_steps)


class EncoderHead(nn.Module):
    """Weighted sum of layers > linear > BiLSTM, if asked > attentive mean and std > linear."""

    def __init__(self, config: SpeechEncoderConfig, size: int):
        super().__init__()
        assert config.num_labels is not None
        num_layers = len(config.encoder_layers)
        self.layer_weights = nn.Parameter(torch.zeros(num_layers), requires_grad=num_layers > 1)  # one alone weighs 1
        self.reduce = nn.Sequential(
            nn.Linear(size, config.hidden_size), nn.LayerNorm(config.hidden_size), nn.GELU(), nn.Dropout(config.dropout)
        )
        size = config.hidden_size
        self.lstm = None
        if config.lstm_hidden_size:
            self.lstm = BiLstm(size, config.lstm_hidden_size)
            size = 2 * config.lstm_hidden_size
        self.attention = AttentiveStatistics(size, config.attention_hidden_size)
        self.project = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(2 * size, config.classifier_hidden_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.classifier = nn.Linear(config.classifier_hidden_size + config.num_utterance_features, config.num_labels)

    def forward(
        self, frames: torch.Tensor, lengths: torch.Tensor, utterance_features: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `(batch, num_labels)` and attention `(batch, num_steps)` of standardised encoder frames."""
        x = (frames * self.layer_weights.softmax(dim=0)[:, None]).sum(dim=2)  # (batch, num_steps, size)
        x = self.reduce(x)
        if self.lstm is not None:
            x = self.lstm(x, lengths)
        vectors, weights = self.attention(x, lengths)
        return self.classifier(with_utterance_features(self.project(vectors), utterance_features)), weights


class SpeechEncoder(SerPreTrainedModel):
    """Pretrained encoder > standardisation by speaker > heads (linear > BiLSTM > attentive mean and std > linear).

    Frames of 20 ms that the encoder's layers give are averaged to steps, and standardised with the
    statistics of the training speakers, or of a voice where a profile is given in their place. The
    heads are trained each for itself; their probabilities and attention are averaged.
    """

    config_class = SpeechEncoderConfig
    frames_mean: torch.Tensor
    frames_std: torch.Tensor

    def __init__(self, config: SpeechEncoderConfig):
        super().__init__(config)
        sizes = config.encoder_config or cut_encoder_config(config.encoder, max(config.encoder_layers))
        pretrained, config.encoder_config = config.encoder_config is None, sizes
        of_encoder = AutoConfig.for_model(**sizes)
        self.time_stride = 2 * config.frames_per_step
        self.encoder: LogMelEncoder | WaveformEncoder
        if isinstance(of_encoder, WhisperConfig):
            self.encoder = LogMelEncoder(of_encoder)
        else:
            self.encoder = WaveformEncoder(of_encoder)
        statistics = (len(config.encoder_layers), of_encoder.hidden_size)
        self.register_buffer("frames_mean", torch.zeros(statistics))
        self.register_buffer("frames_std", torch.ones(statistics))
        self.heads = nn.ModuleList(EncoderHead(config, of_encoder.hidden_size) for _ in range(config.num_heads))
        self.post_init()
        if pretrained:
            self.encoder.load_state_dict(pretrained_weights(config.encoder, of_encoder), strict=False)
        self.encoder.requires_grad_(False)
        if config.frozen_layers is not None:
            self.encoder.layers[config.frozen_layers :].requires_grad_(True)

    def train(self, mode: bool = True) -> SpeechEncoder:
        super().train(mode)
        self.encoder.train(mode and self.config.frozen_layers is not None)
        return self

    def encoder_frames(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Averaged outputs of the configured layers: `(batch, num_steps, num_layers, size)`, before standardisation."""
        outputs = self.encoder.layer_outputs(x, lengths)
        frames = torch.stack([outputs[layer - 1] for layer in self.config.encoder_layers], dim=2)
        steps, per_step = x.shape[1] // self.time_stride, self.config.frames_per_step
        return frames[:, : steps * per_step].unflatten(1, (steps, per_step)).mean(dim=2)

    def head(
        self, frames: torch.Tensor, lengths: torch.Tensor, utterance_features: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and attention `(batch, num_steps)` of standardised encoder frames.

        Logits are `(batch, num_labels)`, the logarithm of the heads' mean probabilities; in training
        mode `(num_heads * batch, num_labels)`, one head's after another's.
        """
        outputs = [head(frames, lengths, utterance_features) for head in self.heads]
        logits, weights = (torch.stack(parts) for parts in zip(*outputs, strict=True))
        if self.training:
            return logits.flatten(0, 1), weights.mean(dim=0)
        return logits.log_softmax(dim=-1).logsumexp(dim=0) - math.log(len(self.heads)), weights.mean(dim=0)

    def classify(
        self, x: torch.Tensor, lengths: torch.Tensor, utterance_features: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        frames = (self.encoder_frames(x, lengths) - self.frames_mean) / self.frames_std
        return self.head(frames, lengths // self.time_stride, utterance_features)

    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        utterance_features: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> SequenceClassifierOutput | tuple[torch.Tensor, ...]:
        """As for every network; takes also what was encoded before.

        Args:
            input_features: `(batch, num_frames, num_features)`, or standardised encoder frames
                `(batch, num_steps, num_layers, size)` with their mask.
        """
        if input_features.ndim == 3:
            return super().forward(
                input_features, attention_mask, utterance_features, labels, output_attentions, return_dict
            )
        if attention_mask is None:
            attention_mask = input_features.new_ones(input_features.shape[:2])
        lengths = attention_mask.sum(dim=1).long()
        logits, weights = self.head(input_features.to(self.dtype), lengths, utterance_features)
        logits = logits / self.config.calibration_temperature
        return classifier_output(logits, weights if output_attentions else None, labels, return_dict)


class SpeechEncoderForAudioClassification(Windowed, SpeechEncoder):
    """`SpeechEncoder` on recordings of any length."""

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> None:  # type: ignore[override]
        """As for every model; weights are written as float16, and load as float32, which the configuration names."""
        if kwargs.get("state_dict") is None:
            kwargs["state_dict"] = {name: values.half() for name, values in self.state_dict().items()}
        super().save_pretrained(save_directory, **kwargs)


def cut_encoder_config(name: str, num_layers: int) -> dict[str, Any]:
    """The configuration of a pretrained encoder without the layers after `num_layers`.

    Raises:
        OSError: There is no such encoder.
        ValueError: It has too few layers.
    """
    config = AutoConfig.from_pretrained(name)
    if num_layers > config.num_hidden_layers:
        raise ValueError(f"The encoder {name} has {config.num_hidden_layers} layers; {num_layers} is not one of them.")
    config.num_hidden_layers = num_layers
    config.layerdrop, config.apply_spec_augment = 0.0, False  # nothing random in the encoder
    return {key: value for key, value in config.to_diff_dict().items() if key not in NOT_OF_THE_SIZES}


def pretrained_weights(name: str, config: PretrainedConfig) -> dict[str, torch.Tensor]:
    """Weights of a pretrained encoder, float32, under the names of `LogMelEncoder` or `WaveformEncoder`.

    Raises:
        OSError: There is no such encoder.
        ValueError: Weights of its layers are missing.
    """
    whisper = config.model_type == "whisper"
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # of the layers that are cut off and a classifier that is not used
    try:
        model_class: Any = WhisperForAudioClassification if whisper else AutoModel
        model, found = model_class.from_pretrained(
            name, config=config, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    finally:
        logging.set_verbosity(verbosity)
    if any(".layers." in key for key in found["missing_keys"]):
        raise ValueError(f"{name} holds no weights of an encoder.")
    return model.encoder.state_dict() if whisper else {f"model.{key}": v for key, v in model.state_dict().items()}
