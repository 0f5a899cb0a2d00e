"""The command line of training: preset, split and TrainingArguments."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from transformers import HfArgumentParser
from transformers.integrations import get_available_reporting_integrations

from datasets_scripts.splits import PROTOCOLS

from .overrides import for_run, with_training
from .presets import Preset, did_you_mean, load_preset, names
from .trainer import WATCHED, RunError, SerTrainingArguments, best_precision

DESCRIPTION = "Trains a preset from corpus to checkpoint."
METRIC_SCHEDULERS = ("reduce_lr_on_plateau", "greedy")  # they watch a validation figure
# The inherited options that `--help` shows, in words of their own.
SHOWN = {
    "output_dir": "Folder of the run (default: runs/PRESET-PROTOCOL-foldN-seedN).",
    "seed": "Seed of everything that is drawn (default: 0).",
    "num_train_epochs": "Epochs at most (default: the preset's).",
    "max_steps": "Steps at most, instead of epochs.",
    "per_device_train_batch_size": "Clips in a batch (default: the preset's).",
    "learning_rate": "Learning rate (default: the preset's).",
    "early_stopping_patience": "Stop after so many epochs without a better early_stopping_metric.",
    "early_stopping_metric": f"Validation figure that early stopping watches: {', '.join(WATCHED)}.",
    "report_to": "tensorboard, wandb, ... or none (default: tensorboard where it is installed).",
    "push_to_hub": "Push the complete folder at the end.",
    "hub_model_id": "user/name on the Hub.",
}


@dataclass
class RunArguments:
    """What is trained on what; everything else is a field of TrainingArguments."""

    preset: str = field(
        default="encoder-attention-augmented", metadata={"help": f"A preset ({', '.join(names())}) or a JSON file."}
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Any folder above the corpora (default: $SER_DATA_DIR, else ./data)."}
    )
    corpora: str | None = field(
        default=None,
        metadata={"help": "Corpora with commas between; folder is your own recordings (default: the preset's)."},
    )
    labels: str | None = field(
        default=None,
        metadata={"help": "Labels to train on, in this order; clips of others are left out (default: all)."},
    )
    csv: str | None = field(
        default=None, metadata={"help": "Table of your own recordings: CSV, TSV or Parquet; implies --corpora folder."}
    )
    protocol: str = field(default="speaker", metadata={"help": "How clips are split.", "choices": list(PROTOCOLS)})
    fold: int = field(default=1, metadata={"help": "Number of the fold, from 1."})
    encoder: str | None = field(
        default=None,
        metadata={
            "help": "Folder or Hub id of the pretrained encoder: Whisper, wav2vec 2.0, HuBERT, WavLM, Data2Vec "
            "(default: the preset's)."
        },
    )
    num_proc: int = field(default=1, metadata={"help": "Processes that make features of the corpora."})
    streaming: bool = field(
        default=False,
        metadata={"help": "Make features anew in every epoch and keep none, for corpora whose features fit no disk."},
    )
    search: int | None = field(
        default=None, metadata={"help": "Train so many networks and write the best settings, instead of a run."}
    )
    resume: bool = field(default=False, metadata={"help": "Continue from the last whole checkpoint of output_dir."})


class _Parser(HfArgumentParser):
    """Says what is wrong by `RunError`, without the usage before it."""

    def __init__(self, *dataclasses: Any):
        super().__init__(
            dataclasses, prog="train.py", usage="%(prog)s [--preset PRESET] [option ...]", description=DESCRIPTION,
            add_help=False, allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=34),
        )  # fmt: skip

    def error(self, message: str) -> NoReturn:
        raise RunError(f"{message[0].upper()}{message[1:].rstrip('.')}.")

    def print_own_help(self) -> None:
        """Prints this project's options and the most used inherited ones."""
        own = {*RunArguments.__dataclass_fields__, *SHOWN, "help", "help_all"}
        for action in self._actions:
            action.help = SHOWN.get(action.dest, action.help) if action.dest in own else argparse.SUPPRESS
            action.option_strings = action.option_strings[:1]  # not its other spelling with dashes
            action.nargs = 0 if action.nargs == "?" else action.nargs
            action.metavar = None if action.choices else action.dest.rsplit("_", 1)[-1].upper()
        self.print_help()


def parse_arguments(argv: list[str]) -> tuple[RunArguments, Preset, SerTrainingArguments]:
    """Command line over preset over defaults.

    Raises:
        PresetError: The preset cannot be used.
        RunError: An option is unknown, has a wrong value or does not go with another.
    """
    preset = load_preset(_Parser(RunArguments).parse_known_args(argv)[0].preset)
    parser = _Parser(RunArguments, SerTrainingArguments)
    parser.add_argument("--help", "-h", action="store_true", help="Show this project's options.")
    parser.add_argument("--help-all", action="store_true", help="Show the inherited TrainingArguments too.")
    device, fast_bf16 = best_precision()
    parser.set_defaults(bf16=fast_bf16, use_cpu=device.startswith("CPU"), **preset.training)
    options, unknown = parser.parse_known_args(argv)
    if options.help or options.help_all:
        (parser.print_help if options.help_all else parser.print_own_help)()
        parser.exit()
    if unknown:
        known = [name for name in parser._option_string_actions if name.startswith("--")]
        raise RunError(f"There is no option {unknown[0]}.{did_you_mean(unknown[0].split('=')[0], known)}")
    for problem in problems_of(options):
        raise RunError(problem)
    try:
        run, args, _ = parser.parse_args_into_dataclasses(argv)
    except (ValueError, ImportError) as error:
        raise RunError(" ".join(str(error).split())) from error
    preset = with_training(for_run(preset, run), args.to_dict(), parser.get_default)
    name = f"{preset.name}-search" if run.search else preset.name
    args.output_dir = args.output_dir or f"runs/{name}-{run.protocol}-fold{run.fold}-seed{args.seed}"
    return run, preset, args


def problems_of(options: argparse.Namespace) -> Iterator[str]:
    """What makes a training with these options impossible, one sentence each."""
    batches = ("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps")
    for name in ("num_proc", *batches):
        if getattr(options, name) < 1:
            yield f"--{name} has to be 1 or more, not {getattr(options, name)}."
    if not 0 <= options.seed < 2**32:
        yield f"--seed has to be 0 or more and below 2^32, not {options.seed}."
    if options.search is not None and options.search < 1:
        yield f"--search has to be 1 or more, not {options.search}."
    if options.search and options.push_to_hub:
        yield "--push_to_hub does not go with --search, which trains no network to keep."
    if options.max_steps < 1 and not options.num_train_epochs > 0:
        yield f"--num_train_epochs has to be more than 0, not {options.num_train_epochs:g}."
    if not 0 < options.learning_rate < math.inf:
        yield f"--learning_rate has to be more than 0, not {options.learning_rate:g}."
    if options.early_stopping_patience is not None and options.early_stopping_patience < 1:
        yield f"--early_stopping_patience has to be 1 or more, not {options.early_stopping_patience}."
    for name in ("metric_for_best_model", "early_stopping_metric"):
        metric = getattr(options, name).removeprefix("eval_")
        if metric not in WATCHED:
            yield f"--{name} has to be one of {', '.join(WATCHED)}, not {metric}.{did_you_mean(metric, WATCHED)}"
    if options.label_smoothing_factor:
        yield "--label_smoothing_factor has no effect here: set loss.label_smoothing in a preset."
    if options.resume_from_checkpoint:
        yield "--resume_from_checkpoint has no effect here: --resume goes on from the last whole checkpoint."
    if options.refit and options.lr_scheduler_type in METRIC_SCHEDULERS:
        yield (
            f"--refit does not go with --lr_scheduler_type {options.lr_scheduler_type}: the second training has no "
            "validation figure to choose learning rates by."
        )
    if options.eval_strategy == "no":
        yield "--eval_strategy no leaves no validation figure to choose the best epoch by: choose epoch or steps."
    if options.save_strategy != options.eval_strategy and options.load_best_model_at_end:
        yield (
            f"--save_strategy {options.save_strategy} does not go with --eval_strategy {options.eval_strategy}: "
            "the best epoch can only be kept where both are the same."
        )
    reporters = options.report_to if isinstance(options.report_to, list) else [options.report_to]
    for name in {*reporters} - {"none", "all", *get_available_reporting_integrations()}:
        yield f"--report_to {name} needs the package {name}, which is not installed."
