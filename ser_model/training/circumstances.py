"""What a run was trained with: options, hardware, versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from .trainer import SerTrainingArguments, best_precision

VERSIONS_OF = ("torch", "transformers", "datasets", "librosa", "soundfile", "soxr", "audiomentations")
# Of TrainingArguments: the preset's values, or those that the command line put over them.
HYPERPARAMETERS = (
    "optim", "learning_rate", "encoder_learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
    "max_grad_norm", "per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs", "max_steps",
    "early_stopping_metric", "early_stopping_patience", "metric_for_best_model", "seed", "bf16",
)  # fmt: skip


def circumstances(args: SerTrainingArguments, streaming: bool) -> dict[str, Any]:
    """What `report.json` says under `hardware`, `versions` and `hyperparameters`."""
    values = args.to_dict()
    return {
        "hardware": f"{best_precision()[0]}, {platform.machine()}, {precision(args)}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS_OF}},
        "hyperparameters": {name: values[name] for name in HYPERPARAMETERS if values[name] is not None}
        | {"processes": args.world_size, "streaming": streaming},
    }


def precision(args: SerTrainingArguments) -> str:
    """The type of numbers that training computes with."""
    return "bfloat16" if args.bf16 else "float16" if args.fp16 else "float32"
