"""Continues a run that was cut off: the same run only, and from whole checkpoints only."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets import Dataset
from safetensors import SafetensorError, safe_open
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from datasets_scripts import CorpusError, data_dir_or_default, load_corpora

from .arguments import RunArguments
from .presets import Preset, flat_settings, settings_alone
from .trainer import EarlyStopping, RunError, SerTrainingArguments

RECORD = "run.json"  # what an unfinished run trains
TRAINER_FILES = ("trainer_state.json", "model.safetensors", "optimizer.pt", "scheduler.pt")


def run_record(run: RunArguments, preset: Preset, seed: int, table: Dataset | None = None) -> dict[str, Any]:
    """What makes two runs the same: protocol, fold, seed, order of items, labels, clips and settings.

    Args:
        run: The split.
        preset: The settings; its name and notes do not count.
        seed: Seed of the run.
        table: The clips; without them order, labels and clips are left out.
    """
    record: dict[str, Any] = {"protocol": run.protocol, "fold": run.fold, "seed": seed}
    if table is not None:
        record["streaming"] = run.streaming
        record["labels"] = table.features["emotion"].names
        record["corpora_fingerprint"] = corpora_fingerprint(table)
    return record | {"settings": settings_alone(preset.as_dict())}


def corpora_fingerprint(table: Dataset) -> str:
    """Hash of every clip's corpus, speaker, label and samples, wherever the files lie."""
    columns = [table[name][:] for name in ("corpus", "speaker", "emotion", "content")]
    rows = json.dumps(list(zip(*columns, strict=True)))
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


def fingerprint_at_hand(data: dict[str, Any], data_dir: str | os.PathLike | None, csv: str | None = None) -> str | None:
    """The fingerprint of the clips that a block `data` names, as they lie below a folder; None without them."""
    with suppress(CorpusError):
        folder = data_dir_or_default(data_dir or (Path(csv).parent if csv else None))
        return corpora_fingerprint(load_corpora(data_dir=folder, csv=csv, **data))
    return None


def check_same_run(out: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises `RunError` naming the first value in which the run in `out` differs from the one asked for."""
    before = {"streaming": False} | before  # those of older versions do not say
    found = dict(flat_settings(before | {"settings": settings_alone(before.get("settings", {}))}))
    for name, value in flat_settings(now):
        if found.pop(name, ...) != value:
            raise _another_run(out, name)
    for name in found:
        if name[0] == "settings":
            raise _another_run(out, name)


def is_finished(out: Path, run: RunArguments, preset: Preset, seed: int) -> bool:
    """Whether `out` holds the finished run that is asked for.

    Raises:
        RunError: It holds another finished run.
    """
    try:
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        raise RunError(f"{out / 'report.json'} is damaged: choose another --output_dir.") from None
    now = run_record(run, preset, seed)
    check_same_run(out, report, now)
    # Reports of older versions have no fingerprint; what is finished needs its recordings no longer.
    if "corpora_fingerprint" in report and (found := fingerprint_at_hand(preset.data, run.data_dir, run.csv)):
        check_same_run(out, report, now | {"corpora_fingerprint": found})
    return True


def check_folder(out: Path, resume: bool) -> None:
    """Refuses a folder that cannot be written or holds a run that nobody asked to resume.

    Raises:
        RunError: It does; the text says why.
    """
    existing = next(folder for folder in (out, *out.parents) if folder.exists())
    if not existing.is_dir():
        raise RunError(f"{out} cannot be written: {existing} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise RunError(f"{out} cannot be written: {existing} is read-only.")
    written = [name for name in ("README.md", "config.json", "model.safetensors") if (out / name).exists()]
    if written and not any((out / name).exists() for name in ("report.json", RECORD)):
        raise RunError(f"{out} holds a {written[0]} that no run wrote and that this one would replace: choose another "
                       "--output_dir.")  # fmt: skip
    if not resume and ((out / "report.json").exists() or last_whole_checkpoint(out)):
        raise RunError(f"{out} already holds a run: add --resume to go on, or choose another --output_dir.")


def checkpoint_to_resume(out: Path, now: dict[str, Any]) -> str | None:
    """The newest whole checkpoint of the run in `out`, or None where there is none; says which, and what is damaged.

    Raises:
        RunError: The checkpoints are of another run.
    """
    found = last_whole_checkpoint(out)
    if found is None:
        print(f"Nothing to resume in {out}; starting anew.")
        return None
    try:
        before = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"{out} has checkpoints but no readable {RECORD} that says what they are of.") from None
    check_same_run(out, before, now)
    for folder in _checkpoints(out):
        if folder == found:
            break
        print(f"{folder.name} is damaged ({damage_of(folder)}).")
    print(f"Resuming from {found}.", flush=True)
    return str(found)


def early_stop(checkpoint: Path, args: SerTrainingArguments) -> float | None:
    """The epoch after which early stopping had ended the training of a checkpoint, None where it had not."""
    if args.early_stopping_patience is None:
        return None
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    stopping = EarlyStopping(args.early_stopping_metric, args.early_stopping_patience)
    return state["epoch"] if stopping.has_come(state["log_history"]) else None


def write_record(out: Path, now: dict[str, Any]) -> None:
    """Writes what the run in `out` trains, beside its checkpoints."""
    out.mkdir(parents=True, exist_ok=True)
    partial = out / f".{RECORD}"
    partial.write_text(json.dumps(now, indent=1), encoding="utf-8")
    os.replace(partial, out / RECORD)


def last_whole_checkpoint(out: Path) -> Path | None:
    """The newest of Trainer's checkpoints whose files are all whole."""
    return next((folder for folder in _checkpoints(out) if damage_of(folder) is None), None)


def damage_of(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint of Trainer, or None for a whole one."""
    for name in TRAINER_FILES:
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
    for path in sorted(checkpoint.iterdir()):
        try:
            if path.name == "trainer_state.json":
                json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix == ".safetensors":
                with safe_open(path, "pt"):
                    pass  # reads the header and compares the file's size with it
            elif path.suffix in (".pt", ".pth") and zipfile.ZipFile(path).testzip():
                return f"{path.name} is corrupt"
        except (OSError, ValueError, SafetensorError, zipfile.BadZipFile):
            return f"{path.name} is cut off"
    return None


def _checkpoints(out: Path) -> list[Path]:
    """Trainer's checkpoints, newest first."""
    found = [path for path in out.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True)


def _another_run(out: Path, name: tuple[str, ...]) -> RunError:
    what = ".".join(name).removeprefix("settings.")
    return RunError(f"{out} holds another run, which differs in {what}: choose another --output_dir.")
