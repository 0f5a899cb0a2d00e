"""The networks."""

import numpy as np
import pytest
import torch
from conftest import voiced_tone
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_model import (
    CnnBilstmConfig,
    CnnBilstmForAudioClassification,
    PhoneticCnnConfig,
    PhoneticCnnForAudioClassification,
    SerFeatureExtractor,
)
from ser_model.models.modeling_ser import AttentionPooling, BiLstm, CnnBilstm, Conv2dBlock, PhoneticCnn
from ser_model.models.registration import FAMILIES
from ser_model.models.windowing_ser import forward_windowed


def tiny(kind: str):
    torch.manual_seed(0)
    sizes = {"num_features": 128, "num_frames": 300, "num_labels": 8}
    if kind == "cnn_bilstm":
        config = CnnBilstmConfig(conv_channels=[4, 8], lstm_hidden_size=8, **sizes)
        return CnnBilstmForAudioClassification(config).eval()
    options = {
        "attention": {"attention_heads": 2},
        "plain": {"attention_heads": 0},
        "lstm": {"attention_heads": 0, "conv_channels": [], "lstm_hidden_size": 8},
        "clstm": {"attention_heads": 0, "lstm_hidden_size": 8},
        "utterance": {"attention_heads": 2, "num_utterance_features": 3},
    }[kind]
    config = PhoneticCnnConfig(**{"conv_channels": [8, 8], **sizes, **options})
    return PhoneticCnnForAudioClassification(config).eval()


KINDS = ["cnn_bilstm", "attention", "plain", "lstm", "clstm", "utterance"]


def trained_a_little(model):
    """Moves batch-norm statistics and weights off their initial values, where leaks would not show."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return model


def test_s4_layer_by_layer():
    model = CnnBilstmForAudioClassification(CnnBilstmConfig(num_labels=8))
    assert model.num_parameters() == 2_251_593
    assert [type(layer).__name__ for layer in model.blocks[0].children()] == [
        "Conv2d", "BatchNorm2d", "Dropout2d", "MaxPool2d",
    ]  # fmt: skip
    assert {(way.input_size, way.hidden_size) for way in model.lstm.children()} == {(64 * 32, 128)}
    assert model.attention.score.in_features == 256 and model.classifier.in_features == 256
    seen = {}
    model.lstm.register_forward_hook(lambda module, args, output: seen.update(steps=args[0].shape[1]))
    model(torch.randn(1, 300, 128))
    assert seen["steps"] == 75


def test_block_follows_the_published_order():
    block = Conv2dBlock(1, 2, 0.0).eval()
    x, lengths = torch.randn(2, 1, 8, 6), torch.tensor([8, 8])
    expected = block.pool(block.norm(torch.relu(block.conv(x))))
    torch.testing.assert_close(block(x, lengths)[0], expected)


def test_attention_on_padding_is_zero():
    pooled, weights = AttentionPooling(4)(torch.randn(2, 5, 4), torch.tensor([3, 5]))
    assert pooled.shape == (2, 4)
    assert not weights[0, 3:].any()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))


def test_the_bilstm_is_pytorch_s_on_packed_sequences():
    lstm, theirs = BiLstm(3, 4), nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    for name, values in theirs.named_parameters():
        way = lstm.back if name.endswith("_reverse") else lstm.ahead
        way.get_parameter(name.removesuffix("_reverse")).data.copy_(values)
    x, lengths = torch.randn(3, 6, 3), torch.tensor([6, 1, 4])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    torch.testing.assert_close(lstm(x, lengths), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_batch_mates_never_change_a_prediction(kind):
    model, extractor = trained_a_little(tiny(kind)), SerFeatureExtractor()
    # From shorter than one step to several windows; odd lengths meet the pooling's rounding.
    clips = [voiced_tone(seconds, seed=index) for index, seconds in enumerate((0.1, 0.33, 1.0, 2.345, 4.8, 5.5, 12.3))]
    whole = torch.randn(len(clips), 3) if kind == "utterance" else None

    def predict(which, **padding):
        batch = extractor([clips[index] for index in which], sampling_rate=16_000, return_tensors="pt", **padding)
        with torch.no_grad():
            return model(**batch, utterance_features=None if whole is None else whole[which], output_attentions=True)

    for mates in (range(4), range(len(clips))):
        together = predict(list(mates))
        for index in mates:
            alone, padded = predict([index]), predict([index], padding="max_length", max_length=1_000)
            frames = alone.attentions[0].shape[1]
            for other in (padded, together):
                row = index if other is together else 0
                torch.testing.assert_close(alone.logits[0], other.logits[row], atol=1e-5, rtol=0)
                torch.testing.assert_close(alone.attentions[0][0], other.attentions[0][row, :frames], atol=1e-5, rtol=0)
                assert not other.attentions[0][row, frames:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_attention_sums_to_one_over_the_frames(kind):
    model = tiny(kind)
    whole = torch.randn(2, 3) if kind == "utterance" else None
    for frames in (7, 300, 301, 777):
        mask = torch.ones(2, frames, dtype=torch.int32)
        mask[1, frames // 2 :] = 0
        weights = model(torch.randn(2, frames, 128), mask, whole, output_attentions=True).attentions[0]
        assert weights.shape == (2, frames)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(2), atol=1e-4, rtol=0)
        assert not weights[1, frames // 2 :].any()


def test_long_clips_are_windowed_by_valid_frames():
    model, x = tiny("cnn_bilstm"), torch.randn(1, 500, 128)
    with torch.no_grad():
        windows = [model(x[:, 0:300]), model(x[:, 150:450]), model(x[:, 300:500])]
        shares = torch.tensor([300, 300, 200]) / 800
        expected = sum(share * window.logits.softmax(-1) for share, window in zip(shares, windows, strict=True))
        torch.testing.assert_close(model(x).logits.softmax(-1), expected, atol=1e-6, rtol=1e-5)


def test_windows_of_all_recordings_go_through_in_bounded_batches():
    model, x = tiny("cnn_bilstm"), torch.randn(5, 900, 128)
    mask = torch.arange(900) < torch.tensor([900, 40, 301, 300, 750])[:, None]
    sizes = []
    model.register_forward_hook(lambda module, args, kwargs, output: sizes.append(len(output.logits)), with_kwargs=True)
    with torch.no_grad():
        together = forward_windowed(model, 300, x, mask, batch_size=16)
        assert sizes == [5 + 1 + 2 + 1 + 4]
        for ours, theirs in zip(forward_windowed(model, 300, x, mask), together, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    assert sizes[1:] == [4, 4, 4, 1]


def test_a_network_without_attention_over_time_has_none():
    class Quiet(CnnBilstmForAudioClassification):
        def encode(self, x, lengths):
            return super().encode(x, lengths)[0], None

    model = Quiet(tiny("cnn_bilstm").config).eval()
    for frames in (100, 700):
        assert model(torch.randn(2, frames, 128), output_attentions=True).attentions is None


@pytest.mark.parametrize("network", [CnnBilstm, PhoneticCnn])
def test_a_network_refuses_windows_longer_than_its_span(network):
    model = network(network.config_class(num_features=16, num_frames=50, num_labels=3))
    assert model(torch.randn(1, 50, 16)).logits.shape == (1, 3)
    with pytest.raises(ValueError, match=r"^The network takes windows of at most 50 frames, not 51\.$"):
        model(torch.randn(1, 51, 16))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_a_traced_network_is_right_within_its_span_and_refuses_beyond(kind):
    model = trained_a_little(tiny(kind)).requires_grad_(False)
    whole = torch.randn(2, 3) if kind == "utterance" else None

    def logits(x, mask):
        return model(x, mask, whole, return_dict=False)[0]

    def windows(frames):
        return torch.randn(2, frames, 128), torch.arange(frames) < torch.tensor([[frames], [frames // 2 + 4]])

    traced = torch.jit.trace(logits, windows(200), check_trace=False)
    for frames in (60, 250, 300):
        given = windows(frames)
        torch.testing.assert_close(traced(*given), logits(*given), atol=1e-5, rtol=0)
    for frames in (301, 600):
        with pytest.raises(RuntimeError):
            traced(*windows(frames))


def test_a_family_is_found_by_the_type_of_a_model():
    for kind in KINDS:
        model = tiny(kind)
        family = FAMILIES[model.config.model_type]
        assert isinstance(model, family.model_class) and isinstance(model.config, family.config_class)
        assert family.extractor_class().seconds_per_frame == pytest.approx(0.016)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_every_parameter(kind):
    model = tiny(kind).train()
    whole = torch.randn(4, 3) if kind == "utterance" else None
    model(torch.randn(4, 100, 128), None, whole, labels=torch.tensor([0, 1, 2, 3])).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # the last score's bias shifts all scores alike, and so do a key's bias: softmax cannot see them
        if name not in ("attention.score.bias", "attention.attention.in_proj_bias"):
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", KINDS)
def test_rebuilt_from_its_saved_form(kind, tmp_path):
    model = trained_a_little(tiny(kind))
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    x = torch.randn(2, 120, 128)
    whole = torch.randn(2, 3) if kind == "utterance" else None
    with torch.no_grad():
        assert torch.equal(model(x, None, whole).logits, loaded(x, None, whole).logits)
    assert not np.isnan(loaded(x, None, whole).logits.detach().numpy()).any()


def test_tuple_and_loss():
    model = tiny("cnn_bilstm")
    x, labels = torch.randn(3, 50, 128), torch.tensor([1, 2, 3])
    output = model(x, labels=labels)
    torch.testing.assert_close(output.loss, nn.functional.cross_entropy(output.logits, labels))
    assert output.attentions is None
    assert len(model(x, labels=labels, return_dict=False)) == 2
