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
        num_utterance_features: Features of a whole clip, joined before the head; 0 for none.
        calibration_temperature: What logits are divided by, fitted on the validation part after training.
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
        num_utterance_features: int = 0,
        calibration_temperature: float = 1.0,
        **kwargs,
    ):
        self.num_features = num_features
        self.num_frames = num_frames
        self.conv_channels = list(conv_channels)
        self.dropout = dropout
        self.lstm_hidden_size = lstm_hidden_size
        self.num_utterance_features = num_utterance_features
        self.calibration_temperature = calibration_temperature
        super().__init__(**kwargs)


class PhoneticCnnConfig(PretrainedConfig):
    """Configuration of `PhoneticCnnForAudioClassification`.

    Args:
        num_features: Features of a frame.
        num_frames: Frames the network was trained on at most; longer clips are windowed.
        conv_channels: Output channels of each Conv1d block; each block halves the frames.
        kernel_size: Frames that a convolution spans, odd.
        dropout: Dropout rate after every block and before the head.
        lstm_hidden_size: Units of a BiLSTM over the blocks' output per direction; 0 for none.
        attention_heads: Heads of the self-attention over time; 0 for none.
        num_utterance_features: Features of a whole clip, joined before the head; 0 for none.
        calibration_temperature: What logits are divided by, fitted on the validation part after training.
        num_labels, id2label, label2id: As everywhere in transformers.
    """

    model_type = "ser_phonetic_cnn"

    def __init__(
        self,
        num_features: int = 42,
        num_frames: int = 174,
        conv_channels: Sequence[int] = (128, 128, 256),
        kernel_size: int = 5,
        dropout: float = 0.3,
        lstm_hidden_size: int = 0,
        attention_heads: int = 4,
        num_utterance_features: int = 0,
        calibration_temperature: float = 1.0,
        **kwargs,
    ):
        self.num_features = num_features
        self.num_frames = num_frames
        self.conv_channels = list(conv_channels)
        self.kernel_size = kernel_size
        self.dropout = dropout
        self.lstm_hidden_size = lstm_hidden_size
        self.attention_heads = attention_heads
        self.num_utterance_features = num_utterance_features
        self.calibration_temperature = calibration_temperature
        super().__init__(**kwargs)
