"""Sizes of the networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
        unsure_below: Confidence below which a prediction is called unsure, fitted like the temperature; 0 for never.
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
        unsure_below: float = 0.0,
        **kwargs,
    ):
        self.num_features = num_features
        self.num_frames = num_frames
        self.conv_channels = list(conv_channels)
        self.dropout = dropout
        self.lstm_hidden_size = lstm_hidden_size
        self.num_utterance_features = num_utterance_features
        self.calibration_temperature = calibration_temperature
        self.unsure_below = unsure_below
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
        unsure_below: Confidence below which a prediction is called unsure, fitted like the temperature; 0 for never.
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
        unsure_below: float = 0.0,
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
        self.unsure_below = unsure_below
        super().__init__(**kwargs)


class SpeechEncoderConfig(PretrainedConfig):
    """Configuration of `SpeechEncoderForAudioClassification`.

    Args:
        encoder: Folder or Hub id of the pretrained encoder (Whisper, wav2vec 2.0, HuBERT or WavLM).
        encoder_config: Its own configuration, cut after the last layer that is used. None in a new
            network, which is then built from `encoder` with the pretrained weights.
        encoder_layers: Layers whose outputs are taken, from 1; their sum is weighted by training.
        frozen_layers: Number of the encoder's first layers that training leaves alone; None for all.
        frames_per_step: Encoder frames (20 ms) averaged to one step.
        num_heads: Heads whose probabilities are averaged (Lakshminarayanan et al. 2017, deep ensembles).
        profile_label: Label of the clips that voice profiles are made of in training and should be made of in use,
            such as `neutral`; None for clips of any label.
        num_features: Features of an input frame.
        num_frames: Input frames (10 ms) of a window at most.
        hidden_size: Size that encoder frames are reduced to.
        lstm_hidden_size: Units of the BiLSTM per direction; 0 for none.
        attention_hidden_size: Hidden units of the attention's scores.
        classifier_hidden_size: Size of the vector that is classified.
        dropout: Dropout rate in the head.
        num_utterance_features: Features of a whole clip, joined before the classifier; 0 for none.
        calibration_temperature: What logits are divided by, fitted on the validation part after training.
        unsure_below: Confidence below which a prediction is called unsure, fitted like the temperature; 0 for never.
        num_labels, id2label, label2id: As everywhere in transformers.
    """

    model_type = "ser_speech_encoder"

    def __init__(
        self,
        encoder: str = "openai/whisper-base",
        encoder_config: dict[str, Any] | None = None,
        encoder_layers: Sequence[int] = (3,),
        frozen_layers: int | None = None,
        frames_per_step: int = 2,
        num_heads: int = 1,
        profile_label: str | None = None,
        num_features: int = 80,
        num_frames: int = 1000,
        hidden_size: int = 256,
        lstm_hidden_size: int = 128,
        attention_hidden_size: int = 64,
        classifier_hidden_size: int = 128,
        dropout: float = 0.3,
        num_utterance_features: int = 0,
        calibration_temperature: float = 1.0,
        unsure_below: float = 0.0,
        **kwargs,
    ):
        self.encoder = encoder
        self.encoder_config = encoder_config
        self.encoder_layers = list(encoder_layers)
        self.frozen_layers = frozen_layers
        self.frames_per_step = frames_per_step
        self.num_heads = num_heads
        self.profile_label = profile_label
        self.num_features = num_features
        self.num_frames = num_frames
        self.hidden_size = hidden_size
        self.lstm_hidden_size = lstm_hidden_size
        self.attention_hidden_size = attention_hidden_size
        self.classifier_hidden_size = classifier_hidden_size
        self.dropout = dropout
        self.num_utterance_features = num_utterance_features
        self.calibration_temperature = calibration_temperature
        self.unsure_below = unsure_below
        super().__init__(**kwargs)
