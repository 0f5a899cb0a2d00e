"""The third family: a pretrained speech encoder under a trained head."""

import json

import numpy as np
import pytest
import torch
from conftest import voiced_tone
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    HubertConfig,
    Wav2Vec2Config,
    WavLMConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
)

from ser_model.models import registration  # noqa: F401  (registers the models)
from ser_model.models.configuration_ser import SpeechEncoderConfig
from ser_model.models.speech_encoder_features_ser import SpeechEncoderFeatureExtractor
from ser_model.models.speech_encoder_ser import SpeechEncoderForAudioClassification

RATE = 16_000
TINY_WHISPER = {
    "d_model": 16, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 40, "pad_token_id": 0,
}  # fmt: skip
TINY_WAVEFORM = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
    "conv_dim": [8] * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
HEAD = {"hidden_size": 8, "lstm_hidden_size": 6, "attention_hidden_size": 4, "classifier_hidden_size": 8}


def network(encoder: str = "whisper", **changed) -> SpeechEncoderForAudioClassification:
    torch.manual_seed(0)
    sizes = TINY_WHISPER if encoder == "whisper" else TINY_WAVEFORM
    settings = {"encoder_layers": [2, 3], "num_frames": 400, "num_labels": 4} | HEAD | changed
    config = SpeechEncoderConfig(encoder_config={"model_type": encoder, **sizes}, **settings)
    return SpeechEncoderForAudioClassification(config).eval()


def extractor(encoder: str = "whisper") -> SpeechEncoderFeatureExtractor:
    return SpeechEncoderFeatureExtractor(features=["log_mel" if encoder == "whisper" else "waveform"])


def test_the_front_end_is_whisper_s():
    own, theirs = extractor(), WhisperFeatureExtractor()
    for seconds in (0.02, 0.5, 1.237):
        clip = 0.2 * voiced_tone(seconds, RATE)
        expected = theirs(clip, sampling_rate=RATE, padding=False, truncation=False)["input_features"][0].T
        features = own.collate(own.frames([clip]))["input_features"][0]
        assert features.shape == expected.shape
        np.testing.assert_allclose(features, expected, atol=1e-6)


def test_the_front_end_keeps_its_numbers(tmp_path):
    own = extractor()
    own.fit([np.ones((3, 80))])
    own.save_pretrained(tmp_path)
    again = SpeechEncoderFeatureExtractor.from_pretrained(tmp_path)
    assert again.mean == [-40.0] * 80 and again.std == [40.0] * 80 and again.to_dict() == own.to_dict()
    with pytest.raises(ValueError, match="log_mel or waveform, not mfcc"):
        SpeechEncoderFeatureExtractor(features=["mfcc"])


def test_its_frames_are_those_of_transformers_own_encoder():
    """On the length that WhisperEncoder takes, without padding."""
    model = network()
    theirs = WhisperForAudioClassification(WhisperConfig(**TINY_WHISPER)).eval()
    theirs.encoder.load_state_dict(model.encoder.state_dict(), strict=False)
    x = torch.randn(1, 3000, 80)
    states = theirs.encoder(x.transpose(1, 2), output_hidden_states=True).hidden_states
    with torch.no_grad():
        frames = model.encoder_frames(x, torch.tensor([3000]))
    torch.testing.assert_close(frames[:, :, 0], states[2].unflatten(1, (-1, 2)).mean(dim=2), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("encoder", ["whisper", "wav2vec2", "hubert", "wavlm"])
def test_padding_and_batch_mates_change_nothing(encoder):
    model, front_end = network(encoder), extractor(encoder)
    clips = [voiced_tone(seconds, RATE, pitch) for seconds, pitch in ((0.057, 100), (0.513, 150), (1.27, 240))]
    with torch.no_grad():
        batch = model(**front_end(clips, sampling_rate=RATE, return_tensors="pt"), output_attentions=True)
        for index, clip in enumerate(clips):
            alone = model(**front_end(clip, sampling_rate=RATE, return_tensors="pt"), output_attentions=True)
            torch.testing.assert_close(batch.logits[index], alone.logits[0], atol=1e-5, rtol=1e-5)
            weights = alone.attentions[0][0]
            torch.testing.assert_close(batch.attentions[0][index, : len(weights)], weights, atol=1e-5, rtol=1e-5)
            assert weights.sum() == pytest.approx(1, abs=1e-5)
            assert batch.attentions[0][index, len(weights) :].abs().sum() == 0
    assert (batch.logits[1] - batch.logits[2]).abs().max() > 1e-4


@pytest.mark.parametrize("encoder", ["whisper", "wav2vec2"])
def test_a_long_recording_goes_window_by_window(encoder):
    model, front_end = network(encoder, num_frames=40), extractor(encoder)
    inputs = front_end(voiced_tone(1.3, RATE), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs, output_attentions=True)
    assert outputs.attentions[0].shape == (1, 130)
    assert outputs.attentions[0].sum() == pytest.approx(1, abs=1e-5)
    assert outputs.logits.exp().sum() == pytest.approx(1, abs=1e-5)


def test_training_changes_the_head_and_the_layers_that_are_not_frozen():
    frozen, tuned = network(), network(frozen_layers=2)
    assert not any(weights.requires_grad for weights in frozen.encoder.parameters())
    assert frozen.train().encoder.training is False and frozen.heads[0].training
    of_encoder = {name for name, weights in tuned.encoder.named_parameters() if weights.requires_grad}
    assert of_encoder and all(name.startswith("layers.2.") for name in of_encoder)
    inputs = extractor()(voiced_tone(0.5, RATE), sampling_rate=RATE, return_tensors="pt")
    tuned.train()(**inputs, labels=torch.tensor([1])).loss.backward()
    trained = {name for name, weights in tuned.named_parameters() if weights.requires_grad}
    assert {name for name, weights in tuned.named_parameters() if weights.grad is not None} == trained


def test_the_probabilities_and_the_attention_of_the_heads_are_averaged():
    model, front_end = network(num_heads=3), extractor()
    inputs = front_end([voiced_tone(0.5, RATE), voiced_tone(0.8, RATE)], sampling_rate=RATE, return_tensors="pt")
    alone = []
    with torch.no_grad():
        together = model(**inputs, output_attentions=True)
        for head in model.heads:
            single = network(num_heads=1)
            single.encoder.load_state_dict(model.encoder.state_dict())
            single.heads[0].load_state_dict(head.state_dict())
            alone.append(single(**inputs, output_attentions=True))
    probabilities = torch.stack([output.logits.softmax(dim=-1) for output in alone])
    assert (probabilities[0] - probabilities[1]).abs().max() > 1e-3
    torch.testing.assert_close(together.logits.exp(), probabilities.mean(dim=0))
    attention = torch.stack([output.attentions[0] for output in alone]).mean(dim=0)
    torch.testing.assert_close(together.attentions[0], attention)


def test_each_head_is_trained_by_its_own_loss():
    model = network(num_heads=2, dropout=0.0)
    inputs = extractor()([voiced_tone(0.5, RATE)] * 2, sampling_rate=RATE, return_tensors="pt")
    labels = torch.tensor([1, 3])
    loss = model.train()(**inputs, labels=labels).loss
    frames = (
        model.encoder_frames(inputs["input_features"], inputs["attention_mask"].sum(dim=1)),
        torch.tensor([12, 12]),
    )
    own = [torch.nn.functional.cross_entropy(head(*frames, None)[0], labels) for head in model.heads]
    torch.testing.assert_close(loss, sum(own) / 2)
    assert (own[0] - own[1]).abs() > 1e-4
    together = model.eval()(**inputs, labels=labels).loss
    assert (together - loss).abs() > 1e-5  # that of the mean probabilities


@pytest.mark.parametrize("encoder", ["whisper", "wav2vec2"])
def test_frames_encoded_before_give_the_same(encoder):
    model = network(encoder)
    model.frames_mean.normal_()
    inputs = extractor(encoder)(voiced_tone(0.83, RATE), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        frames = model.encoder_frames(inputs["input_features"], inputs["attention_mask"].sum(dim=1))
        again = model((frames - model.frames_mean) / model.frames_std)
        torch.testing.assert_close(again.logits, model(**inputs).logits)


@pytest.mark.parametrize("encoder", ["whisper", "wav2vec2"])
def test_saved_as_float16_and_loaded_as_float32(encoder, tmp_path):
    model, front_end = network(encoder), extractor(encoder)
    model.frames_mean.normal_()
    model.half().float()  # what float16 holds
    model.save_pretrained(tmp_path)
    front_end.save_pretrained(tmp_path)
    again = AutoModelForAudioClassification.from_pretrained(tmp_path).eval()
    assert again.dtype == torch.float32
    size = sum(values.numel() for values in model.state_dict().values())
    assert 2 * size <= (tmp_path / "model.safetensors").stat().st_size < 3 * size + 20_000
    inputs = AutoFeatureExtractor.from_pretrained(tmp_path)(
        voiced_tone(0.7, RATE), sampling_rate=RATE, return_tensors="pt"
    )
    with torch.no_grad():
        torch.testing.assert_close(again(**inputs).logits, model(**inputs).logits)


@pytest.mark.parametrize("encoder", ["whisper", "wav2vec2"])
def test_a_new_network_begins_with_the_pretrained_encoder(encoder, tmp_path):
    torch.manual_seed(1)
    if encoder == "whisper":
        pretrained = WhisperForAudioClassification(WhisperConfig(**TINY_WHISPER))
    else:
        from transformers import Wav2Vec2Model

        pretrained = Wav2Vec2Model(Wav2Vec2Config(**TINY_WAVEFORM))
    pretrained.save_pretrained(tmp_path)
    config = SpeechEncoderConfig(encoder=str(tmp_path), encoder_layers=[2], num_labels=4, **HEAD)
    model = AutoModelForAudioClassification.from_config(config)
    assert model.config.encoder_config["model_type"] == encoder and len(model.encoder.layers) == 2
    theirs = dict(pretrained.named_parameters())
    own = [name for name, _ in model.encoder.named_parameters()]
    for name in own:
        key = f"encoder.{name}" if encoder == "whisper" else name.removeprefix("model.")
        torch.testing.assert_close(model.encoder.get_parameter(name), theirs[key])
    assert len(own) > 20
    json.dumps(model.config.to_dict())
    with pytest.raises(ValueError, match="has 3 layers; 7 is not one of them"):
        SpeechEncoderForAudioClassification(SpeechEncoderConfig(encoder=str(tmp_path), encoder_layers=[7]))


@pytest.mark.parametrize("config_class", [Wav2Vec2Config, HubertConfig, WavLMConfig])
def test_waveform_encoders_give_a_step_for_every_40_ms(config_class):
    model = network(config_class.model_type)
    with torch.no_grad():
        frames = model.encoder_frames(torch.randn(2, 103, 160), torch.tensor([103, 4]))
    assert frames.shape == (2, 25, 2, 16)
    assert (frames[0, -1] != 0).any() and (frames[1, 1:] == 0).all() and (frames[1, 0] != 0).any()
