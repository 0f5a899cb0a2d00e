"""Sizes of the two networks."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PretrainedConfig


class CnnBilstmConfig(PretrainedConfig):
    """Configuration of `CnnBilstmForAudioClassification`.

    Args:
        num_features: Features of a frame.
        num_frames: Frames the network was trained on at most; longer clips are windowed.
        conv_channels: Output channels of each Conv2d block; each block halves frames and features.
        dropout: Dropout rate after every block and after the LSTM.
        lstm_hidden_size: Units of the BiLSTM per direction.
        num_labels, id2label, label2id: As everywhere in transformers.
    """

    model_type = "ser_cnn_bilstm"

    def __init__(
        self,
        num_features: int = 128,
        num_frames: int = 300,
        conv_channels: Sequence[int] = (32, 64),
        dropout: float = 0.2,
        lstm_hidden_size: int = 128,
        **kwargs,
    ):
        self.num_features = num_features
        self.num_frames = num_frames
        self.conv_channels = list(conv_channels)
        self.dropout = dropout
        self.lstm_hidden_size = lstm_hidden_size
        super().__init__(**kwargs)
