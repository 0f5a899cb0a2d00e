"""What this project adds to transformers' Trainer."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ser_model.metrics import emotion_metrics
from ser_model.models.feature_extraction_ser import SerFeatureExtractor

from .losses import Loss, cross_entropy, mixup, targets_of
from .streaming import StreamSampler

WATCHED = ("accuracy", "uar", "macro_f1", "loss")  # validation figures of every epoch


class RunError(Exception):
    """A run that cannot begin or go on, said in one sentence."""


@dataclass
class SerTrainingArguments(TrainingArguments):
    """TrainingArguments with this project's defaults: evaluate, save and log once an epoch, keep the best."""

    output_dir: str = field(default="", metadata={"help": "Folder of the run."})
    eval_strategy: str = field(default="epoch")
    save_strategy: str = field(default="epoch")
    logging_strategy: str = field(default="epoch")
    save_total_limit: int = field(default=2, metadata={"help": "Checkpoints kept beside the best."})
    load_best_model_at_end: bool = field(default=True)
    metric_for_best_model: str = field(default="accuracy")
    greater_is_better: bool | None = field(default=None)
    lr_scheduler_type: str = field(default="constant")
    remove_unused_columns: bool = field(default=False)
    train_sampling_strategy: str = field(default="group_by_length")
    report_to: str = field(default_factory=lambda: "tensorboard" if _has_tensorboard() else "none")
    seed: int = field(default=0)
    encoder_learning_rate: float | None = field(
        default=None,
        metadata={"help": "Learning rate of the encoder's layers that are not frozen (default: the same)."},
    )
    refit: bool = field(
        default=False,
        metadata={"help": "In the end train anew on training and validation part together; that network is saved."},
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many epochs without a better early_stopping_metric."}
    )
    early_stopping_metric: str = field(
        default="accuracy", metadata={"help": f"Validation figure that early stopping watches: {', '.join(WATCHED)}."}
    )

    @property
    def n_gpu(self) -> int:
        """One at most: several GPUs train as processes of a launcher, see docs/scaling.md, not as threads of one."""
        return min(1, super().n_gpu)


def _has_tensorboard() -> bool:
    return importlib.util.find_spec("tensorboard") is not None


def best_precision() -> tuple[str, bool]:
    """The device training will use, in words, and whether bfloat16 is fast on it."""
    if torch.cuda.is_available():
        return f"GPU {torch.cuda.get_device_name()}", torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return "GPU of Apple silicon", False
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return f"CPU, {torch.get_num_threads()} thread(s)", fast


class SerTrainer(Trainer):
    """Trainer with this project's loss, metrics and log.

    Args:
        loss: Settings of the cross-entropy.
        processing_class: The fitted extractor.
        kwargs: As for `Trainer`.
    """

    model: Any  # never None
    args: SerTrainingArguments
    loss_is_scaled_for_ga = False

    def __init__(self, *, loss: Loss, processing_class: SerFeatureExtractor, **kwargs):
        args: SerTrainingArguments = kwargs["args"]
        callbacks: list[TrainerCallback] = [EpochLog(Path(args.output_dir, "log.jsonl")), BestInFolder()]
        if args.early_stopping_patience is not None:
            callbacks.append(EarlyStopping(args.early_stopping_metric, args.early_stopping_patience))
        labels = _label_names(kwargs["model"] if "model" in kwargs else kwargs["model_init"](None))
        super().__init__(
            data_collator=getattr(kwargs.get("train_dataset"), "collate", None) or partial(_collate, processing_class),
            processing_class=processing_class,
            compute_metrics=lambda prediction: _epoch_figures(prediction, labels),
            callbacks=callbacks,
            **kwargs,
        )
        self.loss = loss
        self.num_labels = len(labels)

    def create_optimizer(self, *args, **kwargs):
        """As Trainer's, with `encoder_learning_rate` for the weights of a pretrained encoder."""
        optimizer = super().create_optimizer(*args, **kwargs)
        if self.args.encoder_learning_rate is not None:
            of_encoder = {id(weights) for name, weights in self.model.named_parameters() if name.startswith("encoder.")}
            for group in list(optimizer.param_groups):
                moved = [weights for weights in group["params"] if id(weights) in of_encoder]
                if moved:
                    group["params"] = [weights for weights in group["params"] if id(weights) not in of_encoder]
                    optimizer.add_param_group({**group, "params": moved, "lr": self.args.encoder_learning_rate})
        return optimizer

    def _get_train_sampler(self, train_dataset=None):
        """As Trainer's; clips that are read when they are asked for come in an order that reads few files at once."""
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        if not getattr(dataset, "streaming", False):
            return super()._get_train_sampler(train_dataset)
        return StreamSampler(dataset.items, self.args.seed, lambda: int((self.state.epoch or 0) + 1e-6))

    def _get_eval_sampler(self, eval_dataset):
        """As Trainer's; clips that are read when they are asked for are not read once more for their lengths."""
        if getattr(eval_dataset, "streaming", False):
            return torch.utils.data.SequentialSampler(eval_dataset)
        return super()._get_eval_sampler(eval_dataset)

    def create_scheduler(self, num_training_steps: int, *args, **kwargs):
        """As Trainer's, with a tenth of all steps for the warm-up at most: few clips make few steps."""
        wanted = self.args.warmup_steps
        self.args.warmup_steps = min(wanted, num_training_steps // 10)
        try:
            return super().create_scheduler(num_training_steps, *args, **kwargs)
        finally:
            self.args.warmup_steps = wanted  # of the next trial of a search, and in the report

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """As Trainer's, in float32 even where a finished model is written as float16: a run goes on from it."""
        super()._save(output_dir, self.model.state_dict() if state_dict is None else state_dict)

    def train(self, *args, **kwargs):
        self._since = time.monotonic()
        return super().train(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds to each epoch's entry how long it took, so that a resumed run knows its whole length."""
        if "loss" in logs:
            now = time.monotonic()
            logs["seconds"], self._since = now - self._since, now
        super().log(logs, start_time)

    @property
    def training_seconds(self) -> float:
        """Seconds that all logged epochs took, those before a resume included."""
        return sum(entry["seconds"] for entry in self.state.log_history if "seconds" in entry)

    @property
    def best_epoch(self) -> float | None:
        """The epoch whose weights are kept, or None where none was evaluated."""
        if not self.args.load_best_model_at_end:
            return self.state.epoch
        step = self.state.best_global_step
        return next((entry["epoch"] for entry in self.state.log_history if step and entry["step"] == step), None)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if model.training and self.loss.mixup_alpha:
            inputs = mixup(inputs, self.num_labels, self.loss.mixup_alpha)
        labels, weights, label_mask = inputs.pop("labels"), inputs.pop("weights"), inputs.pop("label_mask", None)
        outputs = model(**inputs)
        smoothing = self.loss.label_smoothing if model.training else 0.0
        heads = outputs.logits.float().split(len(labels))  # of an ensemble in training, else one
        losses = torch.stack([cross_entropy(logits, labels, label_mask, smoothing) for logits in heads])
        loss = (weights * losses).sum() / (weights.sum() * len(heads))
        if not torch.isfinite(loss):
            raise RunError(
                f"The loss is not finite after {self.state.global_step} steps, so training stopped: "
                "try a lower learning rate."
            )
        return (loss, outputs) if return_outputs else loss


def _label_names(model: Any) -> list[str]:
    return [model.config.id2label[index] for index in range(model.config.num_labels)]


def _collate(extractor: SerFeatureExtractor, items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    frames = [item["input_features"] for item in items]
    utterances = np.stack([item["utterance_features"] for item in items]) if extractor.voice_quality else None
    batch = dict(extractor.collate(frames, utterances, truncation=True, return_tensors="pt"))
    return batch | targets_of(items)


def _epoch_figures(prediction: EvalPrediction, labels: list[str]) -> dict[str, float]:
    figures = emotion_metrics(np.argmax(prediction.predictions, axis=-1), np.asarray(prediction.label_ids), labels)
    return {name: figures[name] for name in WATCHED if name != "loss"}


class EarlyStopping(TrainerCallback):
    """Stops once a validation figure has not improved for `patience` evaluations.

    It reads the history that Trainer keeps, so that a resumed run counts on where it was.
    """

    def __init__(self, metric: str, patience: int):
        name = metric.removeprefix("eval_")  # which Trainer takes as well
        self.key, self.patience = f"eval_{name}", patience
        self.sign = -1 if name == "loss" else 1

    def on_evaluate(self, args, state, control, **kwargs):
        if self.has_come(state.log_history):
            control.should_training_stop = True

    def has_come(self, log_history: list[dict[str, float]]) -> bool:
        """Whether training ends after what Trainer has logged."""
        values = [self.sign * entry[self.key] for entry in log_history if self.key in entry]
        return bool(values) and len(values) - 1 - int(np.argmax(values)) >= self.patience


class BestInFolder(TrainerCallback):
    """Finds the best checkpoint in the run's folder, wherever that lay when the run was cut off."""

    def on_train_begin(self, args, state, control, **kwargs):
        best = Path(args.output_dir, f"{PREFIX_CHECKPOINT_DIR}-{state.best_global_step}")
        if best.is_dir():
            state.best_model_checkpoint = str(best)


class EpochLog(TrainerCallback):
    """Writes one JSON line an epoch: loss, learning rate, validation figures, seconds."""

    def __init__(self, path: Path):
        self.path = path

    def on_train_begin(self, args, state, control, **kwargs):
        self._write(state)

    def on_evaluate(self, args, state, control, **kwargs):
        self._write(state)

    def _write(self, state) -> None:
        """Writes the whole history anew, so that a resumed run repeats no epoch."""
        if not state.is_world_process_zero:
            return
        epochs: dict[int, dict[str, float]] = {}
        for entry in state.log_history:
            if "loss" in entry or "eval_loss" in entry:
                epochs.setdefault(entry["step"], {}).update(entry)
        partial = self.path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(entry) + "\n" for entry in epochs.values()))
        os.replace(partial, self.path)
