"""Makes transformers' Auto classes know this project's models; importing it is enough."""

from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification, PretrainedConfig

from .configuration_ser import CnnBilstmConfig, PhoneticCnnConfig
from .feature_extraction_ser import SerFeatureExtractor
from .modeling_ser import CnnBilstmForAudioClassification, PhoneticCnnForAudioClassification, SerPreTrainedModel

MODELS: dict[type[PretrainedConfig], type[SerPreTrainedModel]] = {
    CnnBilstmConfig: CnnBilstmForAudioClassification,
    PhoneticCnnConfig: PhoneticCnnForAudioClassification,
}

for config_class, model_class in MODELS.items():
    AutoConfig.register(config_class.model_type, config_class)
    AutoModelForAudioClassification.register(config_class, model_class)
    AutoFeatureExtractor.register(config_class, SerFeatureExtractor)
    config_class.register_for_auto_class()
    model_class.register_for_auto_class("AutoModelForAudioClassification")
SerFeatureExtractor.register_for_auto_class()
