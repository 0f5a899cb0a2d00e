"""Trains a preset from corpus to checkpoint: `python train.py --preset logmel-cnn-bilstm`."""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from transformers import AutoModelForAudioClassification, HfArgumentParser, set_seed
from transformers.training_args import ParallelMode

from datasets_scripts import CorpusError, data_dir_or_default, load_with_left_out
from datasets_scripts.splits import PROTOCOLS, Split, leakage_report, make_split
from ser_model.evaluation.calibration import fit_temperature
from ser_model.evaluation.scoring import figures_of, hear, without_folders
from ser_model.hub import HubError, check_token, push_model
from ser_model.inference.recognizer import EmotionRecognizer
from ser_model.models.feature_extraction_ser import SerFeatureExtractor
from ser_model.reporting.model_card import model_card
from ser_model.reporting.plots import confusion_figure, history_figure
from ser_model.training.augmentation import Augmentation
from ser_model.training.feature_cache import ViewFrames
from ser_model.training.presets import Preset, PresetError, load_preset, names
from ser_model.training.trainer import Loss, SerTrainer, SerTrainingArguments, best_precision, last_whole_checkpoint

# Gloo's threads may want the interpreter's lock while the interpreter, holding it, waits for them to end: a
# process of several keeps its trainer and leaves at once.
_KEPT: list[SerTrainer] = []

VERSIONS_OF = ("torch", "transformers", "datasets", "librosa", "soundfile", "soxr", "audiomentations")


class RunError(Exception):
    """A run that cannot begin, said in one sentence."""


@dataclass
class RunArguments:
    """What is trained on what; everything else is a field of TrainingArguments."""

    preset: str = field(
        default="logmel-cnn-bilstm", metadata={"help": f"A preset ({', '.join(names())}) or a JSON file."}
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Any folder above the corpora; default $SER_DATA_DIR, else ./data."}
    )
    protocol: str = field(default="speaker", metadata={"help": "How clips are split.", "choices": list(PROTOCOLS)})
    fold: int = field(default=1, metadata={"help": "Number of the fold, from 1."})
    resume: bool = field(default=False, metadata={"help": "Go on from the last whole checkpoint."})


def main(argv: list[str] | None = None) -> int:
    """Runs the whole way; returns the exit status."""
    try:
        run, preset, args = parse_arguments(sys.argv[1:] if argv is None else argv)
        push = args.push_to_hub and args.should_save
        args.push_to_hub = False  # else Trainer itself would push every checkpoint on its way
        if push:
            _say_if_push_would_fail(args)
        train(run, preset, args)
        if push:
            _push(args)
    except (CorpusError, HubError, PresetError, RunError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntrain.py: stopped; the same command with --resume goes on from the last epoch.", file=sys.stderr)
        return 130
    return 0


def parse_arguments(argv: list[str]) -> tuple[RunArguments, Preset, SerTrainingArguments]:
    """Command line over preset over defaults."""
    preset_only = HfArgumentParser(RunArguments, add_help=False).parse_known_args(argv)[0]
    preset = load_preset(preset_only.preset)
    parser = HfArgumentParser((RunArguments, SerTrainingArguments), description=__doc__)
    device, fast_bf16 = best_precision()
    parser.set_defaults(output_dir="", bf16=fast_bf16, use_cpu=device.startswith("CPU"), **preset.training)
    run, args = parser.parse_args_into_dataclasses(argv)
    args.output_dir = args.output_dir or f"runs/{preset.name}-{run.protocol}-fold{run.fold}-seed{args.seed}"
    return run, preset, args


def train(run: RunArguments, preset: Preset, args: SerTrainingArguments) -> None:
    """Trains, measures and writes a complete checkpoint folder to `args.output_dir`."""
    out = Path(args.output_dir)
    if args.should_save:
        print(f"Training {preset.name} on {best_precision()[0]}, {'bfloat16' if args.bf16 else 'float32'}.", flush=True)
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out / "tensorboard"))
    resume_from = _checkpoint_to_resume(run, out)
    set_seed(args.seed)
    with args.main_process_first(desc="data and features"):
        table, left_out = load_with_left_out(data_dir=data_dir_or_default(run.data_dir), **preset.data)
        augmentation, extractor = Augmentation(**preset.augmentation), SerFeatureExtractor(**preset.feature_extractor)
        split = make_split(table, run.protocol, run.fold, args.seed, augmentation.views)
        training, validation = (
            ViewFrames(table, items, extractor, augmentation, args.seed) for items in (split.train, split.validation)
        )
    leakage = leakage_report(table, split)
    extractor.fit(training.column("input_features"), training.column("utterance_features"))
    labels = table.features["emotion"].names
    config = preset.config(
        num_features=extractor.feature_size,
        num_frames=extractor.num_frames,
        num_utterance_features=extractor.num_utterance_features,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    loss, corpora = Loss(**preset.loss), list(table["corpus"])
    training.weights = loss.item_weights(
        [training.labels[clip] for clip, _ in training.items], [corpora[clip] for clip, _ in training.items]
    )
    trainer = SerTrainer(
        model=AutoModelForAudioClassification.from_config(config),
        args=args,
        mixup_alpha=loss.mixup_alpha,
        processing_class=extractor,
        train_dataset=training,
        eval_dataset=validation,
    )
    if args.parallel_mode == ParallelMode.DISTRIBUTED:
        _KEPT.append(trainer)
    if args.should_save:
        _introduce(run, args, split, leakage, trainer)
    trainer.train(resume_from_checkpoint=resume_from)
    if args.should_save:
        report = {
            "preset": preset.name,
            "protocol": run.protocol,
            "corpora": preset.data["corpora"],
            "fold": run.fold,
            "seed": args.seed,
            "labels": labels,
            "split_sizes": {name: len(items) for name, items in split.parts().items()},
            "leakage": leakage,
            "left_out": without_folders(left_out),
            "best_epoch": _best_epoch(trainer),
            "epochs": trainer.state.epoch,
            "training_seconds": round(trainer.training_seconds, 1),
            "hardware": f"{best_precision()[0]}, {platform.machine()}, {'bfloat16' if args.bf16 else 'float32'}",
            "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS_OF}},
            "settings": preset.as_dict(),
        }
        _finish(out, trainer, report, table, split, augmentation)


def _checkpoint_to_resume(run: RunArguments, out: Path) -> str | None:
    if run.resume:
        found = last_whole_checkpoint(out)
        print(f"Resuming from {found}." if found else f"Nothing to resume in {out}; starting anew.")
        return str(found) if found else None
    if (out / "report.json").exists() or last_whole_checkpoint(out):
        raise RunError(f"{out} already holds a run: add --resume to go on, or choose another --output_dir.")
    return None


def _introduce(run, args, split: Split, leakage: dict[str, Any], trainer: SerTrainer) -> None:
    sizes = ", ".join(f"{len(items)} {name}" for name, items in split.parts().items())
    print(f"Protocol {run.protocol}, fold {run.fold}, seed {args.seed}: {sizes} items.")
    print(f"{trainer.model.num_parameters():,} parameters; writing to {args.output_dir}.")
    print("Leakage report:", json.dumps(leakage, indent=2), sep="\n", flush=True)


def _best_epoch(trainer: SerTrainer) -> float | None:
    step = trainer.state.best_global_step
    return next((entry["epoch"] for entry in trainer.state.log_history if step and entry["step"] == step), None)


def _finish(out: Path, trainer: SerTrainer, report: dict[str, Any], table, split: Split, augmentation) -> None:
    """Writes the checkpoint folder: all files elsewhere first, then each moved into place, report last."""
    partial = out / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    recognizer = EmotionRecognizer(trainer.model.float(), trainer.processing_class)
    report["temperature"] = _calibrate(recognizer, table, split, augmentation)
    recognizer.model.save_pretrained(partial)
    recognizer.feature_extractor.save_pretrained(partial)
    recognizer = EmotionRecognizer.from_pretrained(partial)  # what is measured is what was saved
    for name in ("validation", "test"):
        items = split.parts()[name]
        heard = hear(recognizer, table, items, augmentation, split.seed, name)
        report[name] = figures_of(heard, table, items, report["labels"], name)
    run_name = f"{report['preset']}, protocol {report['protocol']}, fold {report['fold']}, seed {report['seed']}"
    history = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    confusion_figure(report["test"], report["labels"], f"Test part: {run_name}").savefig(
        partial / "confusion_matrix.png", dpi=110
    )
    history_figure(history, report["best_epoch"], run_name).savefig(partial / "training_history.png", dpi=110)
    model_card(report, type(trainer.model).__doc__.splitlines()[0]).save(partial / "README.md")
    (partial / "report.json").write_text(json.dumps(report, indent=1))
    for path in sorted(partial.iterdir(), key=lambda path: path.name == "report.json"):
        os.replace(path, out / path.name)
    partial.rmdir()
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    test = report["test"]
    print(f"Test UAR {test['uar']:.1%}, accuracy {test['accuracy']:.1%}, macro F1 {test['macro_f1']:.1%} ({run_name}).")
    print(f"Checkpoint and report: {out}")


def _calibrate(recognizer: EmotionRecognizer, table, split: Split, augmentation: Augmentation) -> float:
    """Fits the temperature on the validation part, rounded as it will be reported."""
    heard = hear(recognizer, table, split.validation, augmentation, split.seed, "validation")
    emotions = list(table["emotion"])
    references = np.array([emotions[clip] for clip, _ in split.validation])
    recognizer.model.config.calibration_temperature = round(fit_temperature(heard, references), 4)
    return recognizer.model.config.calibration_temperature


def _say_if_push_would_fail(args: SerTrainingArguments) -> None:
    """Says so hours earlier; training goes on, since one can log in meanwhile."""
    try:
        check_token(args.hub_token)
    except HubError as error:
        print(f"train.py: the push at the end would fail now. {error}", file=sys.stderr, flush=True)


def _push(args: SerTrainingArguments) -> None:
    """Pushes the complete folder, once."""
    out = Path(args.output_dir)
    repo_id = args.hub_model_id or out.resolve().name
    try:
        print(f"Pushed: {push_model(out, repo_id, args.hub_private_repo, args.hub_token)}")
    except HubError as error:
        raise HubError(f"{error} Once that is cured: python -m ser_model push {out} {repo_id}") from error


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    transformers.utils.logging.set_verbosity_warning()
    status = main()
    if _KEPT:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
