"""Train a preset from corpus to checkpoint: `python train.py --preset encoder-attention-augmented`."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import datasets
import huggingface_hub.utils
import transformers
from safetensors import SafetensorError
from tqdm.auto import tqdm

from datasets_scripts import CorpusError
from ser_model.hub import HubError, check_token, push_model
from ser_model.reporting.checkpoint import run_name, write_checkpoint
from ser_model.stopping import end_when_asked
from ser_model.training.arguments import RunArguments, parse_arguments
from ser_model.training.presets import Preset, PresetError
from ser_model.training.processes import (
    alone_in,
    end_process,
    keep_freed_memory,
    leave_write_errors_to_the_main_thread,
)
from ser_model.training.resume import check_folder, is_finished
from ser_model.training.run import train_preset
from ser_model.training.search import search_settings
from ser_model.training.trainer import RunError, SerTrainingArguments

GO_ON = "The same command with --resume goes on from the last epoch."


def main(argv: list[str] | None = None) -> int:
    """Trains, evaluates, writes a complete checkpoint folder and pushes it where asked; returns the exit status."""
    try:
        run, preset, args = parse_arguments(sys.argv[1:] if argv is None else argv)
        if args.disable_tqdm:
            _silence_progress_bars()
        push = args.push_to_hub and args.should_save
        if run.resume and is_finished(Path(args.output_dir), run, preset, args.seed):
            print(f"{args.output_dir} is finished, nothing to resume.")
            if push:
                _push(args)
            return 0
        args.push_to_hub = False  # else Trainer itself would push every checkpoint on its way
        if push:
            _warn_if_push_would_fail(args)
        out = Path(args.output_dir)
        check_folder(out, run.resume)
        with alone_in(out) if args.should_save else nullcontext():
            (search_settings if run.search else _train)(run, preset, args)
        if push:
            _push(args)
    except (CorpusError, HubError, PresetError, RunError) as error:
        _say(str(error))
        return 1
    except (OSError, RuntimeError, SafetensorError) as error:
        if not (reason := _why_not_written(error)):
            raise
        _say(f"stopped: {reason}. {GO_ON}")
        return 1
    except KeyboardInterrupt:
        _say(f"stopped. {GO_ON}")
        return 130
    return 0


def _train(run: RunArguments, preset: Preset, args: SerTrainingArguments) -> None:
    trained = train_preset(run, preset, args)
    if args.should_save:
        report = write_checkpoint(Path(args.output_dir), trained)
        test = report["test"]
        figures = f"UAR {test['uar']:.1%}, accuracy {test['accuracy']:.1%}, macro F1 {test['macro_f1']:.1%}"
        print(f"Test {figures} ({run_name(report)}).")
        print(f"Checkpoint and report: {args.output_dir}")


def run_as_program() -> NoReturn:
    """Runs `main` with little logging and ends the process."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    transformers.utils.logging.set_verbosity_warning()
    leave_write_errors_to_the_main_thread()
    end_when_asked()
    keep_freed_memory()
    end_process(main())


def _silence_progress_bars() -> None:
    """Features, weights, evaluation and uploads go without their bars too, as training does."""
    datasets.disable_progress_bars()
    huggingface_hub.utils.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()


def _say(sentence: str) -> None:
    """Prints a sentence on stderr, on a line of its own even where a progress bar stands."""
    tqdm.write(f"train.py: {sentence}", file=sys.stderr)


def _why_not_written(error: Exception) -> str | None:
    """The reason why a file could not be written, or None for other errors."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    names = ("inline_container", "iostream error", "Error while serializing")  # torch's two, safetensors'
    cut_off = any(name in str(error) for name in names)
    return "a checkpoint could not be written to its end, as on a full disk" if cut_off else None


def _warn_if_push_would_fail(args: SerTrainingArguments) -> None:
    """Says so hours earlier; training goes on, since one can log in meanwhile."""
    try:
        check_token(args.hub_token)
    except HubError as error:
        _say(f"the push at the end would fail now. {error}")


def _push(args: SerTrainingArguments) -> None:
    """Pushes the complete folder, once."""
    out = Path(args.output_dir)
    repo_id = args.hub_model_id or out.resolve().name
    try:
        print(f"Pushed: {push_model(out, repo_id, args.hub_private_repo, args.hub_token)}")
    except HubError as error:
        raise HubError(f"{error} Once that is cured: python -m ser_model push {out} {repo_id}") from error


if __name__ == "__main__":
    run_as_program()
