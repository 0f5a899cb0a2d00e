"""A preset on other data, with another encoder or trained in another way, as the command line says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import AutoConfig, PretrainedConfig

from datasets_scripts import find_corpus
from ser_model.hub import why_no_folder
from ser_model.labels import comma_separated
from ser_model.models.configuration_ser import SpeechEncoderConfig

from .presets import Preset, PresetError
from .trainer import RunError

if TYPE_CHECKING:
    from .arguments import RunArguments

FOLDER = "folder"
CSV_OF_OTHERS = "--csv names a table of your own recordings: add folder to --corpora."
# Of TrainingArguments: what decides which network comes of a run.
LEARNING = (
    "optim", "optim_args", "optim_target_modules", "learning_rate", "encoder_learning_rate", "lr_scheduler_type",
    "lr_scheduler_kwargs", "warmup_steps", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm",
    "neftune_noise_alpha", "per_device_train_batch_size", "auto_find_batch_size", "gradient_accumulation_steps",
    "num_train_epochs", "max_steps", "train_sampling_strategy", "dataloader_drop_last", "data_seed", "eval_strategy",
    "eval_steps", "eval_delay", "load_best_model_at_end", "metric_for_best_model", "early_stopping_metric",
    "early_stopping_patience", "refit",
)  # fmt: skip
WAVEFORM_ENCODERS = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")


def for_run(preset: Preset, run: RunArguments) -> Preset:
    """The preset with the data and the encoder of a run; its name and notes say what was changed.

    Raises:
        CorpusError: There is no such corpus.
        RunError: The options do not go together, or the encoder cannot be used.
    """
    return _with_encoder(_with_data(preset, run), run.encoder)


def with_training(preset: Preset, values: Mapping[str, Any], defaults: Callable[[str], Any]) -> Preset:
    """The preset with the training that the command line asks for; its notes say what was changed.

    Args:
        preset: What would be trained without options.
        values: Every field of TrainingArguments.
        defaults: Gives the value of a field without options.
    """
    changed = {name: values[name] for name in LEARNING if values[name] != defaults(name)}
    if not changed:
        return preset
    note = f"Preset {preset.name} with other training: {', '.join(f'{name} {changed[name]}' for name in changed)}."
    return replace(preset, training=preset.training | changed, notes=[note, *preset.notes])


def _with_data(preset: Preset, run: RunArguments) -> Preset:
    corpora = comma_separated(run.corpora) or ([FOLDER] if run.csv else [])
    if run.csv and FOLDER not in corpora:
        raise RunError(CSV_OF_OTHERS)
    for name in corpora:
        find_corpus(name)
    data = {"corpora": corpora} if corpora else dict(preset.data)
    if labels := comma_separated(run.labels):
        if len(set(labels)) < max(2, len(labels)):
            raise RunError(f"--labels has to name two different labels or more, not {run.labels}.")
        data |= {"labels": labels, "drop_other_labels": True}
    if data == preset.data:
        return preset
    name = "-".join([preset.name, *corpora, *labels])
    return _changed(preset, name, f"data: {', '.join([*corpora, *labels])}", data=data)


def check_same_encoder(preset: Preset, encoder: str | None) -> None:
    """Refuses an encoder that is not the preset's where results are kept under the preset's name.

    Raises:
        PresetError: It is another one, or cannot be used.
    """
    if encoder is None:
        return
    try:
        same = _with_encoder(preset, encoder) == preset
    except RunError as error:
        raise PresetError(str(error)) from error
    if not same:
        raise PresetError(
            f"{encoder} is not the encoder of {preset.name}, {preset.model['encoder']}: name it in a preset."
        )


def _with_encoder(preset: Preset, encoder: str | None) -> Preset:
    """The preset with the front end and the name of another encoder; an unchanged one where it is the preset's."""
    known = preset.model.get("encoder")
    if encoder is None or encoder == known:
        return preset
    if preset.model["model_type"] != SpeechEncoderConfig.model_type:
        raise RunError(f"--encoder is for presets with a pretrained encoder, which {preset.name} has not.")
    try:
        if reason := why_no_folder(encoder):
            raise OSError(reason)
        config = AutoConfig.from_pretrained(encoder)
    except (OSError, ValueError) as error:
        raise encoder_error(encoder, error) from error
    extractor = preset.feature_extractor | _front_end(config)
    name = _encoder_name(encoder, config.model_type)
    if name is None or name in (known, str(known).rsplit("/", 1)[-1]):
        if extractor == preset.feature_extractor:
            return preset
        name = Path(encoder).resolve().name
    if extractor["features"] != ["log_mel"]:
        extractor.pop("num_mel_bins", None)
    return _changed(
        preset, f"{preset.name}-{name.rsplit('/', 1)[-1]}", f"encoder: {name}",
        feature_extractor=extractor, model=preset.model | {"encoder": name},
    )  # fmt: skip


def _encoder_name(given: str, model_type: str) -> str | None:
    """What an encoder is called in reports, never with this machine's folders.

    Args:
        given: Folder or Hub id.
        model_type: Of its configuration.

    Returns:
        Its Hub id, or the name of its folder; None for a folder whose name does not say what it holds.
    """
    if not os.path.isdir(given):
        return given
    folder = Path(given).resolve()
    if folder.parent.name == "snapshots":  # of the Hub's cache: models--user--name/snapshots/revision
        return folder.parents[1].name.removeprefix("models--").replace("--", "/", 1)
    return folder.name if folder.name.lower().startswith(model_type.split("-")[0]) else None


def encoder_error(name: str, error: Exception) -> RunError:
    """Why an encoder cannot be loaded, and what to do."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return RunError(
        f"The encoder {name} cannot be loaded: {reason.rstrip('.')}. "
        "Pass --encoder with a folder that holds it, or with a Hub id that can be reached."
    )


def _front_end(config: PretrainedConfig) -> dict[str, Any]:
    """What the extractor has to give to an encoder."""
    if config.model_type == "whisper":
        return {"features": ["log_mel"], "num_mel_bins": config.num_mel_bins}
    if config.model_type not in WAVEFORM_ENCODERS:
        raise RunError(
            f"An encoder of type {config.model_type} cannot be used: Whisper, wav2vec 2.0, HuBERT, WavLM and Data2Vec "
            "are known."
        )
    return {"features": ["waveform"]}


def _changed(preset: Preset, name: str, what: str, **blocks: Any) -> Preset:
    return replace(preset, name=name, notes=[f"Preset {preset.name} with other {what}.", *preset.notes], **blocks)
