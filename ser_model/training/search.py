"""Searches better settings of a preset, judged by the validation part alone."""

from __future__ import annotations

import json
import logging
import os
import shlex
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transformers import set_seed
from transformers.integrations import is_optuna_available

from .arguments import RunArguments
from .losses import Loss
from .presets import Preset, PresetError, flat_settings, preset_from_dict
from .resume import RECORD, check_same_run, run_record, write_record
from .run import RunData, load_data, network_for
from .search_space import Settings, settings_of, suggested
from .trainer import RunError, SerTrainer, SerTrainingArguments

if TYPE_CHECKING:
    import optuna

TRIALS, FOUND = "trials.log", "search.json"  # optuna's journal, and what a reader wants to know of it


def search_settings(run: RunArguments, preset: Preset, args: SerTrainingArguments) -> Path:
    """Trains `run.search` networks with settings of the preset's block `search` and writes the best settings.

    A trial is judged by `metric_for_best_model` on the validation part: of its best epoch where the preset keeps the
    best, else of its last. Nothing is evaluated on the test part. A search that was interrupted goes on with
    the trial under way, and one that ended may be given more trials.

    Args:
        run: The split, and how many trials there are in all.
        preset: The settings to start from.
        args: Its `output_dir` gets the preset with the best settings, and `search.json` with every trial.

    Returns:
        The preset's file.

    Raises:
        CorpusError: The data are not there, or cannot be split this way.
        RunError: There is nothing to search, optuna is not installed, or the folder holds another search.
    """
    assert run.search is not None
    out = Path(args.output_dir)
    if not preset.search:
        raise RunError(
            f'The preset {preset.name} has no block "search": copy its file, say in it what may be changed '
            "(docs/training.md), and pass it with --preset."
        )
    if not is_optuna_available():
        raise RunError("--search needs optuna: pip install 'ser-model[search]', or pip install optuna.")
    if args.world_size > 1:
        raise RunError("--search runs in one process.")
    if (out / TRIALS).exists() and not run.resume:
        raise RunError(f"{out} already holds a search: add --resume to go on, or choose another --output_dir.")
    set_seed(args.seed)
    data = load_data(run, preset, args.seed)
    metric = args.metric_for_best_model.removeprefix("eval_")
    record = run_record(run, preset, args.seed, data.table) | {"search": preset.search, "judged_by": metric}
    if (out / TRIALS).exists():
        _drop_torn_line(out / TRIALS)
        check_same_run(out, json.loads((out / RECORD).read_text(encoding="utf-8")), record)
    write_record(out, record)
    study = _study(out, "minimize" if metric == "loss" else "maximize", args.seed)
    _retry_interrupted(study)
    left = max(0, run.search - len(_ended(study)))
    print(f"Search of {run.search} trials for {preset.name}, {left} to do; validation {metric} decides.", flush=True)
    if left:
        _run_trials(run, preset, args, data, study, left)
    return _write(out, run, preset, args, data, study)


def _run_trials(
    run: RunArguments, preset: Preset, args: SerTrainingArguments, data: RunData, study: optuna.Study, count: int
) -> None:
    out, keep_best = Path(args.output_dir), args.load_best_model_at_end
    args = replace(args, save_strategy="no", load_best_model_at_end=False, refit=False, report_to="none")
    key = f"eval_{args.metric_for_best_model.removeprefix('eval_')}"

    def network(trial: optuna.Trial | None) -> Any:
        if trial is None:  # Trainer looks at a network before the first trial
            return network_for(run, preset, data)
        suggestion = with_settings(preset, suggested(trial, preset.search))
        trainer.loss = Loss(**suggestion.loss)
        data.weigh(trainer.loss)
        return network_for(run, suggestion, data)

    def judge(_: dict[str, float]) -> float:
        values = [entry[key] for entry in trainer.state.log_history if key in entry]
        best = max if study.direction.name == "MAXIMIZE" else min
        return best(values) if keep_best else values[-1]

    trainer = SerTrainer(
        model_init=network, args=args, loss=Loss(**preset.loss), processing_class=data.extractor,
        train_dataset=data.training, eval_dataset=data.validation,
    )  # fmt: skip
    logging.getLogger("optuna.study._optimize").addFilter(_without_traceback)
    try:
        trainer.hyperparameter_search(
            hp_space=lambda trial: suggested(trial, preset.search).get("training", {}), compute_objective=judge,
            n_trials=count, direction=study.direction.name.lower(), backend="optuna", study_name=study.study_name,
            storage=_storage(out), sampler=study.sampler, load_if_exists=True, catch=(RunError, PresetError),
        )  # fmt: skip
    except ValueError:  # there is no best trial, which `_write` says
        if any(trial.state.name == "COMPLETE" for trial in study.trials):
            raise
    except KeyboardInterrupt:  # which optuna takes for a failure
        if study.trials and study.trials[-1].state.name == "FAIL":
            _repeat(study, study.trials[-1])
        raise


def _without_traceback(record: logging.LogRecord) -> bool:
    """Leaves optuna's sentence about a trial that failed."""
    record.exc_info = None
    return True


def with_settings(preset: Preset, settings: Settings) -> Preset:
    """The preset with other values of some keys.

    Raises:
        PresetError: They do not go together.
    """
    content = deepcopy(preset.as_dict())
    for block, values in settings.items():
        content[block] |= values
    return preset_from_dict(content)


def _study(out: Path, direction: Literal["minimize", "maximize"], seed: int) -> optuna.Study:
    """The search in a folder, a new one where there is none."""
    import optuna

    study = optuna.create_study(storage=_storage(out), study_name="search", direction=direction, load_if_exists=True)
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))  # else a resumed one draws the same again
    return study


def _storage(out: Path) -> optuna.storages.JournalStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    class NoLock(JournalFileOpenLock):
        """None: the folder is this process's alone, and optuna's locks fail where Ctrl-C comes as they are released."""

        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return

    return JournalStorage(JournalFileBackend(str(out / TRIALS), NoLock(str(out / TRIALS))))


def _drop_torn_line(journal: Path) -> None:
    """Drops a last line that was not written to its end, as on a full disk: the next one would be added to it."""
    content = journal.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(journal, content.rfind(b"\n") + 1)


def _retry_interrupted(study: optuna.Study) -> None:
    """Queues the settings of trials whose process was killed anew."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        _repeat(study, trial)


def _repeat(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    study.enqueue_trial(trial.params, user_attrs={"repeats": trial.number})


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that ended by themselves, well or not."""
    repeated = {trial.user_attrs.get("repeats") for trial in study.trials}
    return [trial for trial in study.trials if trial.state.is_finished() and trial.number not in repeated]


def _write(
    out: Path, run: RunArguments, preset: Preset, args: SerTrainingArguments, data: RunData, study: optuna.Study
) -> Path:
    """Writes `search.json` and the preset with the best settings."""
    metric = args.metric_for_best_model.removeprefix("eval_")
    trials = _ended(study)
    if not any(trial.state.name == "COMPLETE" for trial in trials):
        raise RunError("No trial came to its end, since in each the loss was not finite or the settings do not agree.")
    best, space = study.best_trial, preset.search
    settings = settings_of(best.params, space)
    _write_json(out / FOUND, {
        "preset": preset.name, "corpora": preset.data["corpora"], "protocol": run.protocol, "fold": run.fold,
        "seed": args.seed, "judged_by": f"validation {metric}", "split": data.split.notes, "space": space,
        "best": best.number,
        "trials": [
            {"number": trial.number, "state": trial.state.name.lower(), metric: trial.value,
             "by_step": trial.intermediate_values, "settings": settings_of(trial.params, space)}
            for trial in trials
        ],
    })  # fmt: skip
    told = ", ".join(
        f"{'.'.join(name)} = {f'{value:.4g}' if isinstance(value, float) else value}"
        for name, value in flat_settings(settings)
    )
    note = (
        f"Best of {len(trials)} trials of a search: {told}. Judged by validation {metric} ({best.value:.4g}) under "
        f"protocol {run.protocol}, fold {run.fold}, seed {args.seed}; the test part was not evaluated."
    )
    content = with_settings(preset, settings).as_dict() | {"notes": [*preset.notes, note]}
    path = out / f"{preset.name}-searched.json"
    _write_json(path, {name: block for name, block in content.items() if name != "name"})
    (out / "log.jsonl").unlink(missing_ok=True)  # of the last trial alone
    print(f"{note}\nTrain it: python train.py {shlex.join(['--preset', str(path), *_given(run)])}", flush=True)
    return path


def _given(run: RunArguments) -> list[str]:
    """What the command line says of data, split and encoder."""
    said = [field for field in fields(run) if field.name not in ("preset", "search", "resume")]
    said = [field for field in said if getattr(run, field.name) != field.default]
    return [word for field in said for word in (f"--{field.name}", str(getattr(run, field.name)))]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)
