"""Tiny random audio classifiers of transformers, saved as strangers save theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    ASTFeatureExtractor,
    AutoConfig,
    AutoModelForAudioClassification,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
)

WAVEFORM: dict[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "conv_dim": [8] * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "classifier_proj_size": 8,
    "layerdrop": 0.0, "mask_time_prob": 0.0,
}  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "wav2vec2": WAVEFORM,
    "hubert": WAVEFORM | {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
    "wavlm": WAVEFORM | {"use_weighted_layer_sum": True},
    "data2vec-audio": WAVEFORM | {"conv_pos_kernel_size": 3},
    "unispeech-sat": WAVEFORM,
    "sew": WAVEFORM | {"conv_dim": [8] * 13, "squeeze_factor": 2},
    "whisper": {
        "d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_layers": 1,
        "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 8, "classifier_proj_size": 8,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
    },
    "audio-spectrogram-transformer": {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
        "max_length": 256, "num_mel_bins": 32, "frequency_stride": 16, "time_stride": 16,
    },
}  # fmt: skip
LABELS = ("neu", "hap", "ang", "sad")


def foreign_classifier(folder: Path, model_type: str, labels: tuple[str, ...] = LABELS, **changed: Any) -> Path:
    """Writes configuration, weights and extractor; nothing of this project's."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        model_type,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **SIZES[model_type] | changed,
    )
    model = AutoModelForAudioClassification.from_config(config)
    with torch.no_grad():  # the answers shall differ from clip to clip
        model.get_parameter("classifier.dense.weight" if "spectrogram" in model_type else "classifier.weight").mul_(400)
    model.save_pretrained(folder)
    extractor: Any = Wav2Vec2FeatureExtractor(
        return_attention_mask=config.to_dict().get("feat_extract_norm") == "layer"
    )
    if model_type == "whisper":
        extractor = WhisperFeatureExtractor()
    elif model_type == "audio-spectrogram-transformer":
        extractor = ASTFeatureExtractor(max_length=config.max_length, num_mel_bins=config.num_mel_bins)
    extractor.save_pretrained(folder)
    return folder
