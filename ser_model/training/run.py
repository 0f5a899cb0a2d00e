"""Trains a preset: data, split, features, Trainer."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForAudioClassification, set_seed

from datasets_scripts import data_dir_or_default, load_with_left_out
from datasets_scripts.folder import shortcomings_of_own
from datasets_scripts.leakage import leakage_report, split_fingerprint
from datasets_scripts.splits import Split, make_split
from ser_model.models.configuration_ser import SpeechEncoderConfig
from ser_model.models.feature_extraction_ser import SerFeatureExtractor

from .arguments import RunArguments
from .augmentation import Augmentation
from .circumstances import circumstances, precision
from .encoded_frames import EncodedFrames
from .feature_cache import ViewFrames
from .losses import Loss, corpus_label_masks
from .overrides import encoder_error
from .presets import Preset
from .processes import keep_if_distributed
from .resume import (
    check_folder,
    checkpoint_to_resume,
    corpora_fingerprint,
    early_stop,
    last_whole_checkpoint,
    run_record,
    write_record,
)
from .streaming import sampled
from .trainer import SerTrainer, SerTrainingArguments, best_precision

logger = logging.getLogger(__name__)

REFIT = "refit"  # folder of the second training within that of the run


@dataclass(frozen=True)
class RunData:
    """The clips of a run, who is trained on which, and their features.

    Attributes:
        table: Corpus table.
        left_out: Files that were passed over, `{file, reason}` each.
        split: Items of the three parts.
        leakage: What `leakage_report` says of the split.
        augmentation: How views are made.
        extractor: Fitted on the training part.
        training: Features of the training part, with weights.
        validation: Features of the validation part.
        preparation_seconds: Time that loading, checking, splitting and features took.
        frame_statistics: Mean and standard deviation of the encoder's frames in the training part; None
            for networks without an encoder.
    """

    table: Dataset
    left_out: list[dict[str, str]]
    split: Split
    leakage: dict[str, Any]
    augmentation: Augmentation
    extractor: SerFeatureExtractor
    training: ViewFrames | EncodedFrames
    validation: ViewFrames | EncodedFrames
    preparation_seconds: float
    frame_statistics: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def labels(self) -> list[str]:
        return self.table.features["emotion"].names

    def weigh(self, loss: Loss) -> None:
        """Gives the items the weights and label masks of a loss."""
        training, corpora = self.training, self.table["corpus"][:]
        training.weights = loss.item_weights(
            [training.labels[clip] for clip, _ in training.items], [corpora[clip] for clip, _ in training.items]
        )
        masked = loss.mask_labels_by_corpus
        masks = corpus_label_masks(training.labels, corpora, len(self.labels)) if masked else None
        training.label_masks = self.validation.label_masks = masks


@dataclass(frozen=True)
class TrainedRun:
    """A finished training.

    Attributes:
        trainer: With the chosen weights.
        data: What it was trained on.
        report: What `report.json` says of both.
        refitted: The trainer of a network of the same settings that was trained on the validation part
            too, where `refit` asks for it: the one to be saved.
    """

    trainer: SerTrainer
    data: RunData
    report: dict[str, Any]
    refitted: SerTrainer | None = None


def train_preset(run: RunArguments, preset: Preset, args: SerTrainingArguments) -> TrainedRun:
    """Trains a preset in `args.output_dir`, where Trainer keeps its checkpoints.

    Raises:
        CorpusError: The data are not there, or cannot be split this way.
        RunError: The folder holds another run or cannot be written, or the loss is not finite.
    """
    out = Path(args.output_dir)
    if args.should_save:
        print(f"Training {preset.name} on {best_precision()[0]}, {precision(args)}.", flush=True)
        print(f"Preparing features with {run.num_proc} process(es) of {os.cpu_count()} cores (--num_proc).", flush=True)
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out / "tensorboard"))
    check_folder(out, run.resume)
    set_seed(args.seed)
    with args.main_process_first(desc="data and features"):
        data = load_data(run, preset, args.seed)
    record = run_record(run, preset, args.seed, data.table)
    resume_from = checkpoint_to_resume(out, record) if run.resume else None
    stopped = resume_from and early_stop(Path(resume_from), args)
    trainer = make_trainer(run, preset, data, _until(stopped, args) if stopped else args)
    keep_if_distributed(trainer)
    if args.should_save:
        _introduce(run, args, data, trainer)
        write_record(out, record)
    trainer.train(resume_from_checkpoint=resume_from)
    report = _report(run, preset, args, data, trainer)
    if not args.refit:
        return TrainedRun(trainer, data, report)
    chosen = args.load_best_model_at_end or args.early_stopping_patience is not None
    epoch = trainer.best_epoch if chosen else None
    refitted, preparation_seconds = _refit(run, preset, _until(epoch, args) if epoch else args)
    report["epochs"] = refitted.state.epoch
    report["preparation_seconds"] = round(data.preparation_seconds + preparation_seconds, 1)
    report["training_seconds"] = round(trainer.training_seconds + refitted.training_seconds, 1)
    return TrainedRun(trainer, data, report, refitted)


def _until(epoch: float, args: SerTrainingArguments) -> SerTrainingArguments:
    """The arguments of a training that ends after an epoch."""
    return replace(args, num_train_epochs=epoch, max_steps=-1)


def _refit(run: RunArguments, preset: Preset, args: SerTrainingArguments) -> tuple[SerTrainer, float]:
    """Trains a network anew on training and validation part together, for all epochs of `args`.

    Returns:
        Its trainer, and the seconds that preparing its data took.
    """
    folder = Path(args.output_dir, REFIT)
    set_seed(args.seed)
    with args.main_process_first(desc="features of all training speakers"):
        data = load_data(run, preset, args.seed, refit=True)
    args = replace(args, output_dir=str(folder), eval_strategy="no", load_best_model_at_end=False)
    trainer = make_trainer(run, preset, data, args)
    keep_if_distributed(trainer)
    found = last_whole_checkpoint(folder) if run.resume else None
    if args.should_save:
        print(f"Training anew on training and validation part: {len(data.training)} items.", flush=True)
    trainer.train(resume_from_checkpoint=found and str(found))
    return trainer, data.preparation_seconds


def load_data(run: RunArguments, preset: Preset, seed: int, refit: bool = False) -> RunData:
    """Loads the corpora of a preset, splits them and extracts features; statistics come from the training part.

    Args:
        run: The split, and where the corpora lie.
        preset: The settings.
        seed: Seed of the split and of views.
        refit: Whether the validation part belongs to the training part too.
    """
    start = time.monotonic()
    folder = data_dir_or_default(run.data_dir or (Path(run.csv).parent if run.csv else None))
    table, left_out = load_with_left_out(data_dir=folder, csv=run.csv, **preset.data)
    augmentation, extractor = Augmentation(**preset.augmentation), preset.extractor()
    for sentence in () if refit else shortcomings_of_own(table):
        logger.warning("Your recordings: %s", sentence)
    split = make_split(table, run.protocol, run.fold, seed, augmentation.views)
    if refit:
        more = [(clip, view) for clip, _ in split.validation for view in range(augmentation.views + 1)]
        split = replace(split, train=split.train + more)
    training, validation, statistics = _features(run, preset, table, split, augmentation, extractor)
    leakage = leakage_report(table, split)
    seconds = time.monotonic() - start
    data = RunData(table, left_out, split, leakage, augmentation, extractor, training, validation, seconds, statistics)
    data.weigh(Loss(**preset.loss))
    return data


def _features(
    run: RunArguments,
    preset: Preset,
    table: Dataset,
    split: Split,
    augmentation: Augmentation,
    extractor: SerFeatureExtractor,
) -> tuple[ViewFrames | EncodedFrames, ViewFrames | EncodedFrames, tuple[torch.Tensor, torch.Tensor] | None]:
    """Features of training and validation part, and the statistics of an encoder's; fits the extractor.

    When streaming, statistics come from a sample of the training part, and encoders run in training.
    """
    made = extractor, augmentation, split.seed, run.num_proc
    known, items = sampled(table, split.train, split.seed) if run.streaming else (table, split.train)
    statistics = None
    if preset.model["model_type"] == SpeechEncoderConfig.model_type:
        network = new_network(run, preset)
        encoded = EncodedFrames(items, known, network, *made)
        statistics = encoded.mean, encoded.std
        extractor.fit((), encoded.utterances())
        if preset.model.get("frozen_layers") is None and not run.streaming:
            return encoded, EncodedFrames(split.validation, table, network, *made, training=encoded), statistics
    else:
        frames = ViewFrames(known, items, *made)
        extractor.fit(frames.column("input_features"), frames.column("utterance_features"))
    training, validation = (
        ViewFrames(table, items, *made, streaming=run.streaming) for items in (split.train, split.validation)
    )
    return training, validation, statistics


def new_network(run: RunArguments, preset: Preset, **derived: Any) -> Any:
    """A network of the preset's sizes to be trained, with its pretrained parts.

    Raises:
        RunError: The pretrained encoder cannot be loaded.
    """
    if preset.model["model_type"] != SpeechEncoderConfig.model_type:
        return AutoModelForAudioClassification.from_config(preset.config(**derived))
    config = preset.config(**derived)
    name = config.encoder
    config.encoder = run.encoder or name
    try:
        network = AutoModelForAudioClassification.from_config(config)
    except (OSError, ValueError) as error:
        raise encoder_error(config.encoder, error) from error
    network.config.encoder = name  # not this machine's folder
    return network


def network_for(run: RunArguments, preset: Preset, data: RunData) -> Any:
    """An untrained network of the preset's sizes, with what it takes from the training part."""
    network = new_network(
        run,
        preset,
        num_features=data.extractor.feature_size,
        num_frames=data.extractor.num_frames,
        num_utterance_features=data.extractor.num_utterance_features,
        id2label=dict(enumerate(data.labels)),
        label2id={label: index for index, label in enumerate(data.labels)},
    )
    if data.frame_statistics:
        network.frames_mean.copy_(data.frame_statistics[0])
        network.frames_std.copy_(data.frame_statistics[1])
    return network


def make_trainer(run: RunArguments, preset: Preset, data: RunData, args: SerTrainingArguments) -> SerTrainer:
    """The trainer of an untrained network of the preset's sizes."""
    return SerTrainer(
        model=network_for(run, preset, data),
        args=args,
        loss=Loss(**preset.loss),
        processing_class=data.extractor,
        train_dataset=data.training,
        eval_dataset=data.validation,
    )


def left_out_by_name(left_out: list[dict[str, str]]) -> list[dict[str, str]]:
    """Files left out by name alone: a report is read on other machines."""
    return [{**entry, "file": Path(entry["file"]).name} for entry in left_out]


def _introduce(run: RunArguments, args: SerTrainingArguments, data: RunData, trainer: SerTrainer) -> None:
    sizes = ", ".join(f"{len(items)} {name}" for name, items in data.split.parts().items())
    print(f"Protocol {run.protocol}, fold {run.fold}, seed {args.seed}: {sizes} items.")
    print(f"Prepared in {data.preparation_seconds / 60:.1f} min.")
    print(f"{trainer.model.num_parameters():,} parameters; writing to {args.output_dir}.")
    print("Leakage report:", json.dumps(data.leakage, indent=2), sep="\n", flush=True)


def _report(
    run: RunArguments, preset: Preset, args: SerTrainingArguments, data: RunData, trainer: SerTrainer
) -> dict[str, Any]:
    return {
        "preset": preset.name,
        "protocol": run.protocol,
        "corpora": preset.data["corpora"],
        "fold": run.fold,
        "seed": args.seed,
        "labels": data.labels,
        "corpora_fingerprint": corpora_fingerprint(data.table),
        "split_fingerprint": split_fingerprint(data.table, data.split, args.refit),
        "split_sizes": {name: len(items) for name, items in data.split.parts().items()},
        "leakage": data.leakage,
        "left_out": left_out_by_name(data.left_out),
        "best_epoch": trainer.best_epoch,
        "epochs": trainer.state.epoch,
        "refit": args.refit,
        "preparation_seconds": round(data.preparation_seconds, 1),
        "training_seconds": round(trainer.training_seconds, 1),
        "settings": preset.as_dict(),
        **circumstances(args, run.streaming),
    }
