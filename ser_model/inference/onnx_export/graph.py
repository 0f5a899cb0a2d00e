"""One ONNX graph of a whole recognizer: recordings in, probabilities and attention over time out."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from onnx import compose, helper, parser
from torch import nn

from ser_model.inference.voice_profile import shrunk
from ser_model.models.feature_extraction_ser import SerFeatureExtractor
from ser_model.models.modeling_ser import BiLstm

from .front_end import FrontEnd

OPSET, IR_VERSION = 20, 10

# Windows as `forward_windowed` lays them; `Loop` takes them one after the other, so that memory is that of one.
AROUND = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
recordings (float[batch, samples_in_batch] samples, int64[batch] num_samples)
    => (float[batch, {num_labels}] probabilities, float[batch, frames_in_batch] attention, int64[batch] num_frames)
{{
    nothing = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    last_axis = Constant <value_ints = [-1]> ()
    span = Constant <value_int = {span}> ()
    hop = Constant <value_int = {hop}> ()
    stride = Constant <value_int = {stride}> ()
    labels = Constant <value_ints = [{num_labels}]> ()
    batch_shape = Shape <end = 1> (num_frames)
    frames_shape = Shape <start = 1, end = 2> (features)
    longest = Squeeze (frames_shape)
    at_most_span = Min (longest, span)
    size = Max (at_most_span, stride)
    places = Range (nothing, size, one)
    beyond = Sub (longest, size)
    missing = Max (beyond, nothing)
    missing_and_hop = Add (missing, hop)
    rounded_up = Sub (missing_and_hop, one)
    further = Div (rounded_up, hop)
    num_windows = Add (further, one)
    size_shape = Unsqueeze (size, nothing)
    wide_shape = Add (frames_shape, size_shape)
    total_shape = Concat <axis = 0> (batch_shape, labels)
    attention_shape = Concat <axis = 0> (batch_shape, wide_shape)
    total_before = ConstantOfShape (total_shape)
    attention_before = ConstantOfShape (attention_shape)
    keep_on = Constant <value_int = 1> ()
    going_on = Cast <to = 9> (keep_on)
    total, attention_wide = Loop (num_windows, going_on, total_before, attention_before)
    weight = ReduceSum <keepdims = 1> (total, last_axis)
    probabilities = Div (total, weight)
    start_of_time = Unsqueeze (nothing, nothing)
    time_axis = Unsqueeze (one, nothing)
    attention_kept = Slice (attention_wide, start_of_time, frames_shape, time_axis)
    attention = Div (attention_kept, weight)
}}
"""


class OnnxBiLstm(nn.Module):
    """A `BiLstm` as ONNX's own operator, which knows the lengths of sequences; cannot be run, only exported."""

    W: torch.Tensor
    R: torch.Tensor
    B: torch.Tensor

    def __init__(self, lstm: BiLstm):
        super().__init__()
        self.hidden_size = lstm.ahead.hidden_size
        for name, kinds in (("W", ("weight_ih_l0",)), ("R", ("weight_hh_l0",)), ("B", ("bias_ih_l0", "bias_hh_l0"))):
            directions = [
                torch.cat([_gates(getattr(each, kind)) for kind in kinds]) for each in (lstm.ahead, lstm.back)
            ]
            self.register_buffer(name, torch.stack(directions).detach())

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        shape = (x.shape[1], 2, x.shape[0], self.hidden_size)
        (y,) = torch.onnx.ops.symbolic_multi_out(
            "LSTM",
            (x.transpose(0, 1), self.W, self.R, self.B, lengths.int()),
            {"hidden_size": self.hidden_size, "direction": "bidirectional"},
            dtypes=(x.dtype,),
            shapes=(shape,),
            version=OPSET,
        )
        return y.permute(2, 0, 1, 3).flatten(2)  # (batch, num_steps, 2 * hidden_size)


def _gates(values: torch.Tensor) -> torch.Tensor:
    """From PyTorch's order of gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    before, forget, cell, after = values.chunk(4)
    return torch.cat([before, after, forget, cell])


class OnnxMaxPool1d(nn.Module):
    """A `MaxPool1d` as one of two dimensions: the exporter would fix the length of sequences at the former."""

    def __init__(self, pool: nn.MaxPool1d):
        super().__init__()
        assert isinstance(pool.kernel_size, int)
        self.size = (1, pool.kernel_size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.max_pool2d(x[:, :, None], self.size).squeeze(2)


EXPORTABLE: dict[type, Any] = {BiLstm: OnnxBiLstm, nn.MaxPool1d: OnnxMaxPool1d}


class Window(nn.Module):
    """Adds one window of each recording to the sums over windows."""

    utterance_mean: torch.Tensor
    utterance_std: torch.Tensor

    def __init__(self, model: Any, extractor: SerFeatureExtractor):
        super().__init__()
        self.model = copy.deepcopy(model).eval()
        for parent in list(self.model.modules()):
            for name, child in parent.named_children():
                if type(child) in EXPORTABLE:
                    setattr(parent, name, EXPORTABLE[type(child)](child))
        self.register_buffer("utterance_mean", torch.tensor(extractor.utterance_mean or 0.0))
        self.register_buffer("utterance_std", torch.tensor(extractor.utterance_std or 1.0))

    def forward(
        self,
        features: torch.Tensor,
        num_frames: torch.Tensor,
        places: torch.Tensor,
        index: torch.Tensor,
        total_in: torch.Tensor,
        attention_in: torch.Tensor,
        utterance_features: torch.Tensor | None = None,
        voice_mean: torch.Tensor | None = None,
        voice_std: torch.Tensor | None = None,
        voice_frames: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step.

        Args:
            features: Of whole recordings, `(batch, num_frames, num_features)`.
            num_frames: Valid frames of each `(batch,)`.
            places: 0, 1, ... `(window_frames,)`.
            index: Number of the window, from 0.
            total_in: Sum of probabilities times valid frames `(batch, num_labels)`.
            attention_in: The same of attention over time `(batch, num_frames + window_frames)`.
            utterance_features: Before standardisation, NaN where there is none `(batch, num_utterance_features)`;
                given where the network takes them.
            voice_mean, voice_std, voice_frames: Of a voice profile, `(num_layers, size)` twice and how many frames it
                was taken from; given where the network takes profiles.

        Returns:
            Both sums, this window added.
        """
        hop, size = max(1, self.model.config.num_frames // 2), places.shape[0]
        start = index * hop
        has_window = (index == 0) | (start - hop < num_frames - size)
        valid = (num_frames - start).clamp(min=0).clamp(max=size) * has_window
        own = start + places
        x = features.index_select(1, own.clamp(max=features.shape[1] - 1))
        of_voice = {}
        if voice_mean is not None and voice_std is not None and voice_frames is not None:
            of_voice = {
                "frames_mean": shrunk(voice_mean, self.model.frames_mean, voice_frames),
                "frames_std": shrunk(voice_std, self.model.frames_std, voice_frames),
            }
        if utterance_features is not None:
            missing = utterance_features.isnan()
            standardised = (utterance_features - self.utterance_mean) / self.utterance_std
            utterance_features = torch.where(missing, 0.0, standardised)
        outputs = torch.func.functional_call(
            self.model,
            of_voice,
            kwargs={
                "input_features": x,
                "attention_mask": (places < valid[:, None]).long(),
                "utterance_features": utterance_features,
                "output_attentions": True,
            },
        )
        weight = valid[:, None].to(total_in.dtype)
        total = total_in + outputs.logits.softmax(dim=-1) * weight
        return total, attention_in.index_add(1, own, outputs.attentions[0] * weight)


def recognizer_graph(
    model: Any, extractor: SerFeatureExtractor, quantise: Callable[[onnx.ModelProto], onnx.ModelProto] | None = None
) -> onnx.ModelProto:
    """The graph of a network and its front end.

    Inputs: `samples (batch, num_samples)` float32 at the extractor's sampling rate, zero where padded, and
    `num_samples (batch,)` int64; for a network that takes measures of voice quality `utterance_features
    (batch, num_utterance_features)` float32, before standardisation; for a network that takes voice profiles also
    their `voice_mean` and `voice_std` `(num_layers, size)` and `voice_frames ()` float32, without which it is the
    training speakers' statistics. Outputs: `probabilities (batch, num_labels)`, calibrated, `attention (batch,
    num_frames)`, and `num_frames (batch,)`: how many of these are valid.

    Args:
        model: A network of `FAMILIES`.
        extractor: Its extractor.
        quantise: Changes the graph of the network, before it is joined with the rest.
    """
    config = model.config
    front = _front_end_graph(extractor)
    window = _window_graph(model, extractor)
    if quantise is not None:
        window = quantise(window)
    around = parser.parse_model(
        AROUND.format(
            ir_version=IR_VERSION, opset=OPSET, num_labels=config.num_labels, span=config.num_frames,
            hop=max(1, config.num_frames // 2), stride=model.time_stride,
        )
    )  # fmt: skip
    graph = around.graph
    nodes = list(graph.node)
    loop = next(node for node in nodes if node.op_type == "Loop")
    loop.attribute.append(helper.make_attribute("body", _loop_body(window.graph)))
    del graph.node[:]
    graph.node.extend([*front.graph.node, *nodes])
    graph.initializer.extend(front.graph.initializer)
    if extractor.voice_quality:
        shape = ("batch", extractor.num_utterance_features)
        graph.input.append(helper.make_tensor_value_info("utterance_features", onnx.TensorProto.FLOAT, shape))
    for name, values in _no_voice(model).items():  # an input that has a value if none is given
        graph.initializer.append(onnx.numpy_helper.from_array(values.numpy(), name))
        graph.input.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, values.shape))
    for opset in window.opset_import:
        if opset.domain:
            around.opset_import.append(opset)
    onnx.checker.check_model(around, full_check=False)
    return around


def _no_voice(model: Any) -> dict[str, torch.Tensor]:
    """The inputs that take a voice profile, with the values of none."""
    if not hasattr(model, "frames_mean"):
        return {}
    zeros = torch.zeros_like(model.frames_mean)
    return {"voice_mean": zeros, "voice_std": zeros.clone(), "voice_frames": torch.zeros(())}


def _loop_body(window: onnx.GraphProto) -> onnx.GraphProto:
    """The graph of a `Window` as a loop's body: counter, condition and sums in and out, the rest from around."""
    carried = ("index", "going_on_in", "total_in", "attention_in")
    given = {each.name: each for each in window.input}
    given["going_on_in"] = helper.make_tensor_value_info("going_on_in", onnx.TensorProto.BOOL, ())
    going_on = helper.make_tensor_value_info("going_on_out", onnx.TensorProto.BOOL, ())
    return helper.make_graph(
        [*window.node, helper.make_node("Identity", ["going_on_in"], ["going_on_out"])],
        "window",
        [given[name] for name in carried],
        [going_on, *window.output],
        initializer=window.initializer,
    )


def _front_end_graph(extractor: SerFeatureExtractor) -> onnx.ModelProto:
    samples, counts = torch.randn(2, 4 * extractor.n_fft), torch.tensor([4, 3]) * extractor.n_fft
    auto = torch.export.Dim.DYNAMIC
    return _graph(
        FrontEnd(extractor),
        {"samples": (samples, {0: auto, 1: auto}), "num_samples": (counts, {0: auto})},
        ["features", "num_frames"],
        "front_end/",
    )


def _window_graph(model: Any, extractor: SerFeatureExtractor) -> onnx.ModelProto:
    config = model.config
    size = min(config.num_frames - 1, 4 * model.time_stride + 3)
    frames = size + 2 * model.time_stride + 1
    auto = torch.export.Dim.DYNAMIC
    inputs = {
        "features": (torch.randn(2, frames, config.num_features), {0: auto, 1: auto}),
        "num_frames": (torch.tensor([frames, size]), {0: auto}),
        "places": (torch.arange(size), {0: torch.export.Dim("window", min=model.time_stride, max=config.num_frames)}),
        "index": (torch.tensor(0), {}),
        "total_in": (torch.zeros(2, config.num_labels), {0: auto}),
        "attention_in": (torch.zeros(2, frames + size), {0: auto, 1: auto}),
    }
    if extractor.voice_quality:
        inputs["utterance_features"] = (torch.zeros(2, extractor.num_utterance_features), {0: auto})
    inputs |= {name: (values, {}) for name, values in _no_voice(model).items()}
    return _graph(
        Window(model, extractor),
        inputs,
        ["total_out", "attention_out"],
        "window/",
    )


def _graph(
    module: nn.Module, inputs: dict[str, tuple[torch.Tensor, dict]], outputs: list[str], prefix: str
) -> onnx.ModelProto:
    """The ONNX graph of a module, with `prefix` before the names of all but inputs and outputs.

    Args:
        module: Network.
        inputs: Name -> an example, and its axes that may have another size.
        outputs: Names.
        prefix: Keeps names of two graphs apart.
    """
    with _quietly(), torch.inference_mode():
        program = torch.onnx.export(
            module.eval(),
            kwargs={name: values for name, (values, _) in inputs.items()},
            dynamo=True,
            dynamic_shapes={name: axes for name, (_, axes) in inputs.items()},
            input_names=list(inputs),
            output_names=outputs,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    return compose.add_prefix(program.model_proto, prefix, rename_inputs=False, rename_outputs=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's remarks on packages that are not there."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
