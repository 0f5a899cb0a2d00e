"""What this project adds to transformers' Trainer."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sklearn.utils.class_weight import compute_sample_weight
from torch.nn import functional as F
from transformers import EvalPrediction, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ser_model.metrics import EmotionMetrics
from ser_model.models.feature_extraction_ser import SerFeatureExtractor


@dataclass
class SerTrainingArguments(TrainingArguments):
    """TrainingArguments with this project's defaults: evaluate, save and log once an epoch, keep the best."""

    eval_strategy: str = field(default="epoch")
    save_strategy: str = field(default="epoch")
    logging_strategy: str = field(default="epoch")
    save_total_limit: int = field(default=2, metadata={"help": "Checkpoints kept beside the best."})
    load_best_model_at_end: bool = field(default=True)
    metric_for_best_model: str = field(default="accuracy")
    greater_is_better: bool = field(default=True)
    lr_scheduler_type: str = field(default="constant")
    remove_unused_columns: bool = field(default=False)
    train_sampling_strategy: str = field(default="group_by_length")
    report_to: str = field(default_factory=lambda: "tensorboard" if _has_tensorboard() else "none")
    seed: int = field(default=0)
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many epochs without a better early_stopping_metric."}
    )
    early_stopping_metric: str = field(
        default="accuracy", metadata={"help": "Validation figure that early stopping watches: accuracy, uar or loss."}
    )


def _has_tensorboard() -> bool:
    return importlib.util.find_spec("tensorboard") is not None


def best_precision() -> tuple[str, bool]:
    """The device training will use, in words, and whether bfloat16 is fast on it."""
    if torch.cuda.is_available():
        return f"GPU {torch.cuda.get_device_name()}", torch.cuda.is_bf16_supported()
    if torch.backends.mps.is_available():
        return "GPU of Apple silicon", False
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return f"CPU, {torch.get_num_threads()} thread(s)", fast


@dataclass(frozen=True)
class Loss:
    """Cross-entropy.

    Args:
        class_weight: `"balanced"` weighs each class by the inverse of its share of the training
            items; None weighs all alike.
        corpus_balance: Exponent of the same for corpora: 0 weighs all items alike, 1 lets each
            corpus count alike, however few its clips.
        mixup_alpha: Parameter of the Beta distribution of mixup (Zhang et al. 2018); 0 for none.
    """

    class_weight: Literal["balanced"] | None = None
    corpus_balance: float = 0.0
    mixup_alpha: float = 0.0

    def item_weights(self, labels: Sequence[int], corpora: Sequence[str]) -> np.ndarray:
        """Class weight times corpus weight of each training item, each 1 on average; float32 `(num_items,)`."""
        by_corpus = compute_sample_weight("balanced", corpora) ** self.corpus_balance
        by_class = compute_sample_weight(self.class_weight, labels)
        return (by_class * by_corpus / by_corpus.mean()).astype(np.float32)


def mixup(inputs: dict[str, torch.Tensor], num_labels: int, alpha: float) -> dict[str, torch.Tensor]:
    """Mixes each clip of a batch with another; labels become shares `(batch, num_labels)`."""
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    order = torch.randperm(len(inputs["labels"]), device=inputs["labels"].device)
    hard = F.one_hot(inputs["labels"], num_labels).float()
    mixed = dict(inputs, labels=share * hard + (1 - share) * hard[order])
    mixed["input_features"] = share * inputs["input_features"] + (1 - share) * inputs["input_features"][order]
    if "utterance_features" in inputs:
        mixed["utterance_features"] = (
            share * inputs["utterance_features"] + (1 - share) * inputs["utterance_features"][order]
        )
    mixed["weights"] = share * inputs["weights"] + (1 - share) * inputs["weights"][order]
    mixed["attention_mask"] = torch.maximum(inputs["attention_mask"], inputs["attention_mask"][order])
    return mixed


class SerTrainer(Trainer):
    """Trainer with weighted cross-entropy, mixup and our metrics.

    Args:
        mixup_alpha: As for `Loss`.
        processing_class: The fitted extractor.
        kwargs: As for `Trainer`.
    """

    loss_is_scaled_for_ga = False

    def __init__(self, *, mixup_alpha: float, processing_class: SerFeatureExtractor, **kwargs):
        args: SerTrainingArguments = kwargs["args"]
        callbacks: list[TrainerCallback] = [EpochLog(Path(args.output_dir or "", "log.jsonl"))]
        if args.early_stopping_patience is not None:
            callbacks.append(EarlyStopping(args.early_stopping_metric, args.early_stopping_patience))
        metrics = EmotionMetrics(_label_names(kwargs["model"]))
        super().__init__(
            data_collator=lambda items: _collate(processing_class, items),
            processing_class=processing_class,
            compute_metrics=lambda prediction: _epoch_figures(metrics, prediction),
            callbacks=callbacks,
            **kwargs,
        )
        self.mixup_alpha = mixup_alpha
        self.num_labels = len(metrics.labels)

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

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if model.training and self.mixup_alpha:
            inputs = mixup(inputs, self.num_labels, self.mixup_alpha)
        labels, weights = inputs.pop("labels"), inputs.pop("weights")
        outputs = model(**inputs)
        losses = F.cross_entropy(outputs.logits.float(), labels, reduction="none")
        loss = (weights * losses).sum() / weights.sum()
        return (loss, outputs) if return_outputs else loss


def _label_names(model: Any) -> list[str]:
    return [model.config.id2label[index] for index in range(model.config.num_labels)]


def _collate(extractor: SerFeatureExtractor, items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    frames = [item["input_features"] for item in items]
    utterances = np.stack([item["utterance_features"] for item in items]) if extractor.voice_quality else None
    batch = dict(extractor.collate(frames, utterances, truncation=True, return_tensors="pt"))
    batch["labels"] = torch.tensor([item["labels"] for item in items])
    batch["weights"] = torch.tensor([item["weight"] for item in items])
    return batch


def _epoch_figures(metrics: EmotionMetrics, prediction: EvalPrediction) -> dict[str, float]:
    figures = metrics.compute(predictions=np.argmax(prediction.predictions, axis=-1), references=prediction.label_ids)
    return {name: figures[name] for name in ("accuracy", "uar", "macro_f1")}


class EarlyStopping(TrainerCallback):
    """Stops once a validation figure has not improved for `patience` evaluations.

    It reads the history that Trainer keeps, so that a resumed run counts on where it was.
    """

    def __init__(self, metric: str, patience: int):
        self.key, self.patience = f"eval_{metric}", patience
        self.sign = -1 if metric == "loss" else 1

    def on_evaluate(self, args, state, control, **kwargs):
        values = [self.sign * entry[self.key] for entry in state.log_history if self.key in entry]
        if len(values) - 1 - int(np.argmax(values)) >= self.patience:
            control.should_training_stop = True


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


def last_whole_checkpoint(output_dir: Path) -> Path | None:
    """The newest checkpoint that was written to its end: Trainer writes trainer_state.json last."""
    found = sorted(
        output_dir.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True
    )
    for folder in found:
        try:
            json.loads((folder / "trainer_state.json").read_text())
        except (OSError, ValueError):
            continue
        return folder
    return None
