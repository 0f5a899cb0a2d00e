"""Checkpoints: a folder or a repository of the Hub is loaded whole, or refused with the file and the reason."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification
from transformers.utils import cached_file, logging

from ser_model.hub import why_no_folder
from ser_model.models.registration import FAMILIES

from .base_recognizer import ModelError
from .foreign import ARCHITECTURES, ForeignClassifier, WaveformExtractor, foreign_labels, missing_and_unexpected
from .size_limits import check_sizes, check_weights_fit

WEIGHTS = "model.safetensors"
TRIAL_FRAMES, TRIAL_SAMPLES = 64, 48_000
NAMED_AT_MOST = 3  # tensors in an error


def load_checkpoint(
    name: str,
    trust_remote_code: bool = False,
    dtype: str | torch.dtype = torch.float32,
    label_map: Mapping[str, str] | None = None,
) -> tuple[Any, Any, dict[str, Any] | None]:
    """Loads a checkpoint and checks that its files are whole and fit together.

    It is one of this project's, or an audio classifier whose code is part of transformers. Weights are
    read from safetensors alone; no pickle is ever opened.

    Args:
        name: Folder, or `user/name` on the Hub.
        trust_remote_code: Whether to run code that comes with the model.
        dtype: Of the weights.
        label_map: For a foreign model, its label -> the name wanted instead.

    Returns:
        Model in evaluation mode, extractor, and the content of `report.json`, None where there is none.

    Raises:
        ModelError: There is no such checkpoint, or it is incomplete or damaged.
    """
    if reason := why_no_folder(name):
        raise ModelError(f"No model could be loaded from {name}: {reason}")
    with _errors_of(name, "config.json"):
        check_sizes(_read_json(name, "config.json") or {})
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code)
        foreign = config.model_type in ARCHITECTURES
        if not (foreign or trust_remote_code or config.model_type in FAMILIES):
            raise ValueError(
                f"{config.model_type} is neither a model type of this project nor an audio classifier of transformers"
            )
        labels = foreign_labels(config, label_map) if foreign else _own_labels(config, label_map)
        with torch.device("meta"):  # whether a network can be built at all
            network = AutoModelForAudioClassification.from_config(config, trust_remote_code=trust_remote_code)
    with _errors_of(name, WEIGHTS):
        if path := cached_file(name, WEIGHTS, _raise_exceptions_for_missing_entries=False):
            check_weights_fit(network, os.path.getsize(path))
        model, found = AutoModelForAudioClassification.from_pretrained(
            name,
            config=config,
            trust_remote_code=trust_remote_code and not foreign,
            dtype=dtype,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # refused below, with their names
            output_loading_info=True,
        )
        _check_weights(model, found)
        if not foreign:
            _check_logits(model, _trial_inputs(config))
    with _errors_of(name, "preprocessor_config.json"):
        check_sizes(_read_json(name, "preprocessor_config.json") or {})
        extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=trust_remote_code and not foreign)
        if foreign:
            model, extractor = ForeignClassifier(model, extractor, labels), WaveformExtractor(extractor.sampling_rate)
            noise = np.random.default_rng(0).standard_normal(extractor.sampling_rate).astype(np.float32)
            _check_logits(model, extractor([noise], return_tensors="pt"))
        else:
            _check_extractor(extractor, config)
    with _errors_of(name, "report.json"):
        report = _read_json(name, "report.json", parse_constant=_refuse)
        if report and report.get("labels", labels) != labels:
            if not foreign:
                raise ValueError("its labels are not those of config.json")
            report = None  # a file of another meaning
    return model.eval(), extractor, report


def labels_of(config: Any) -> list[str]:
    """Emotion names in the order of the model's outputs."""
    return [config.id2label[index] for index in range(len(config.id2label))]


@contextmanager
def _errors_of(name: str, file: str) -> Iterator[None]:
    """Whatever goes wrong while a file is read becomes a `ModelError` that names it."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # transformers warns of what is an error here
    try:
        yield
    except Exception as error:  # damaged files fail in the reader's own ways
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(f"No model could be loaded from {name}: {file}: {reason}.") from error
    finally:
        logging.set_verbosity(verbosity)


def _own_labels(config: Any, label_map: Mapping[str, str] | None) -> list[str]:
    """The labels of one of this project's models, once its configuration is checked."""
    indices, names = list(config.id2label), list(config.id2label.values())
    if sorted(indices) != list(range(len(indices))) or len(indices) < 2:
        raise ValueError(f"id2label has to number at least two labels from 0 without gaps, not {indices}")
    if len(set(names)) < len(names) or not all(isinstance(label, str) and label for label in names):
        raise ValueError(f"the labels in id2label have to be different words, not {', '.join(map(str, names))}")
    temperature = config.calibration_temperature
    if not isinstance(temperature, (int, float)) or not 0 < temperature < math.inf:
        raise ValueError(f"calibration_temperature has to be a number above 0, not {temperature}")
    unsure_below = getattr(config, "unsure_below", 0.0)  # which older configurations do not have
    if not isinstance(unsure_below, (int, float)) or not 0 <= unsure_below <= 1:
        raise ValueError(f"unsure_below has to be a number from 0 to 1, not {unsure_below}")
    if getattr(config, "encoder_config", {}) is None:  # it would be fetched from wherever the file says
        raise ValueError("encoder_config is missing, the sizes of the pretrained encoder")
    if label_map:
        raise ValueError("a label map is for models of others; the labels of this one have names")
    return labels_of(config)


def _check_weights(model: Any, found: dict[str, Any]) -> None:
    missing, unexpected = missing_and_unexpected(found)
    if missing:
        raise ValueError(f"missing: {_listed(missing)}")
    if unexpected:
        raise ValueError(f"not of this model: {_listed(unexpected)}")
    for key, stored, built in found["mismatched_keys"]:
        raise ValueError(f"{key} has the shape {tuple(stored)}, where config.json asks for {tuple(built)}")
    if damaged := [key for key, tensor in model.state_dict().items() if not torch.isfinite(tensor).all()]:
        raise ValueError(f"values that are not numbers (NaN or infinite): {_listed(damaged)}")


def _trial_inputs(config: Any) -> dict[str, Any]:
    """Random frames of the sizes that the configuration of one of this project's models gives."""
    frames = torch.randn(1, min(TRIAL_FRAMES, config.num_frames), config.num_features, generator=torch.Generator())
    utterance = torch.zeros(1, config.num_utterance_features) if config.num_utterance_features else None
    return {"input_features": frames, "utterance_features": utterance}


def _check_logits(model: Any, inputs: Mapping[str, Any]) -> None:
    with torch.inference_mode():
        logits = model.eval()(**inputs).logits
    if not torch.isfinite(logits).all():
        raise ValueError("the weights give results that are not numbers (NaN or infinite)")


def _check_extractor(extractor: Any, config: Any) -> None:
    for ours, theirs in (("feature_size", "num_features"), ("num_utterance_features", "num_utterance_features")):
        if getattr(extractor, ours) != getattr(config, theirs):
            raise ValueError(
                f"{ours} is {getattr(extractor, ours)}, where config.json has {theirs} {getattr(config, theirs)}"
            )
    rate, seconds = extractor.sampling_rate, extractor.seconds_per_frame
    if rate <= 0 or seconds <= 0:
        raise ValueError(f"a sampling rate of {rate} Hz and frames of {seconds} s cannot be")
    noise = np.random.default_rng(0).standard_normal(min(rate, TRIAL_SAMPLES)).astype(np.float32)
    features = extractor.collate(extractor.frames([noise]), return_tensors="np")["input_features"]
    if not np.isfinite(features).all():
        raise ValueError("the features of a clip are not numbers (NaN or infinite)")


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which is not a number")


def _read_json(name: str, file: str, parse_constant: Callable[[str], Any] | None = None) -> dict[str, Any] | None:
    """A JSON file of a checkpoint, None where there is none; NaN and the like go to `parse_constant`."""
    path = cached_file(name, file, _raise_exceptions_for_missing_entries=False)
    if path is None:
        return None
    with open(path, encoding="utf-8") as opened:
        content = json.load(opened, parse_constant=parse_constant)
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    return content


def _listed(keys: Any) -> str:
    keys = sorted(map(str, keys))
    return ", ".join(keys[:NAMED_AT_MOST]) + (f" and {len(keys) - NAMED_AT_MOST} more" if keys[NAMED_AT_MOST:] else "")
