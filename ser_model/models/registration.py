"""The families of models: one table, which transformers' Auto classes and the rest of the project ask.

A family is a configuration, a model and an extractor. What each of the three has to offer:

Configuration (`PretrainedConfig`)
    `model_type`, its key in `FAMILIES`; `num_features`, `num_frames` (frames of a window at most),
    `num_utterance_features` (0 for none), `calibration_temperature`, and `id2label`.

Extractor (`SerFeatureExtractor`)
    Mono float32 waveforms at `sampling_rate` Hz in, features out. Statistics fitted on the training
    part are among its saved values.

    - `sampling_rate` in Hz, `seconds_per_frame`: time from one frame to the next.
    - `num_frames`: frames of a window; `feature_size`: features of a frame; `num_utterance_features`.
    - `frames(clips)`: one float32 `(num_frames, num_features)` a clip, before standardisation.
    - `utterances(clips)`: float32 `(batch, num_utterance_features)` before standardisation, or None.
    - `fit(frames, utterances)`: sets the statistics.
    - `collate(frames, utterances, padding, max_length, truncation, return_tensors)`: standardises and
      pads what these two gave to `input_features (batch, num_frames, num_features)`,
      `attention_mask (batch, num_frames)` and, where asked, `utterance_features`.
    - `extractor(clips, sampling_rate=..., return_tensors=...)`: all of it.

Model (`PreTrainedModel`)
    A window network whose `forward(input_features, attention_mask, utterance_features=None,
    labels=None, output_attentions=None, return_dict=None)` takes at most `config.num_frames` frames and
    raises `ValueError` beyond, and around it a class with `Windowed` as its first base, which is
    `model_class`. Output: `logits (batch, num_labels)`, `attentions`: None where the network has no
    attention over time, else a tuple of one `(batch, num_frames)` that sums to 1 over valid frames.
    Padding and batch mates change nothing. The constructor makes a network that can be trained: a family
    with pretrained parts loads them where its configuration names them, and saves them like all others.

All code of a family lies in files `*_ser.py` of this folder that import each other only as
`from .name import x`: transformers copies them into every checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from .configuration_ser import CnnBilstmConfig, PhoneticCnnConfig, SpeechEncoderConfig
from .feature_extraction_ser import SerFeatureExtractor
from .modeling_ser import CnnBilstmForAudioClassification, PhoneticCnnForAudioClassification
from .speech_encoder_features_ser import SpeechEncoderFeatureExtractor
from .speech_encoder_ser import SpeechEncoderForAudioClassification


@dataclass(frozen=True)
class Family:
    """The three classes that belong together, with the interfaces described at the top of this file."""

    config_class: type[PretrainedConfig]
    model_class: type[PreTrainedModel]
    extractor_class: type[SerFeatureExtractor]


FAMILIES: dict[str, Family] = {
    family.config_class.model_type: family
    for family in (
        Family(CnnBilstmConfig, CnnBilstmForAudioClassification, SerFeatureExtractor),
        Family(PhoneticCnnConfig, PhoneticCnnForAudioClassification, SerFeatureExtractor),
        Family(SpeechEncoderConfig, SpeechEncoderForAudioClassification, SpeechEncoderFeatureExtractor),
    )
}


for model_type, family in FAMILIES.items():
    AutoConfig.register(model_type, family.config_class)
    AutoModelForAudioClassification.register(family.config_class, family.model_class)
    AutoFeatureExtractor.register(family.config_class, family.extractor_class)
    family.config_class.register_for_auto_class()
    family.model_class.register_for_auto_class("AutoModelForAudioClassification")
    family.extractor_class.register_for_auto_class()
