"""The block `search` of a preset: which settings may be changed, and to what.

`{"training": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}, "model": {"dropout": [0.1, 0.3, 0.5]}}`: a
list names choices, of any kind; an object is a range, of whole numbers where both ends are whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

BLOCKS = ("model", "loss", "training")  # the others change the features, which are made once
# They say how a trial is judged and ended, not how its network is trained.
FIXED = ("seed", "refit", "metric_for_best_model", "early_stopping_metric", "early_stopping_patience")
# An encoder's frames are made once, too, before the first trial.
OF_FRAMES = ("model_type", "encoder", "encoder_layers", "frames_per_step", "frozen_layers", "profile_label")
Space = dict[str, dict[str, Any]]
Settings = dict[str, dict[str, Any]]  # block -> key -> value


class SpaceError(Exception):
    """A block `search` that cannot be used, said in one sentence."""


def all_candidates(space: Any) -> Iterator[Settings]:
    """Settings that together have every choice, and both ends of every range; to check their types.

    Raises:
        SpaceError: The block is of a wrong shape.
    """
    if not isinstance(space, dict) or not all(isinstance(keys, dict) for keys in space.values()):
        raise SpaceError("the block 'search' has to be an object of blocks, each an object of keys and candidates.")
    for block, keys in space.items():
        if block not in BLOCKS:
            raise SpaceError(f"search.{block} cannot be searched; blocks that can are {', '.join(BLOCKS)}.")
        for key, candidates in keys.items():
            for value in _ends_or_choices(f"{block}.{key}", candidates):
                yield {block: {key: value}}


def suggested(trial: optuna.trial.BaseTrial, space: Space) -> Settings:
    """The settings of a trial; asked again, the same ones."""
    return {
        block: {key: _suggest(trial, f"{block}.{key}", candidates) for key, candidates in keys.items()}
        for block, keys in space.items()
    }


def settings_of(params: dict[str, Any], space: Space) -> Settings:
    """The settings that optuna's parameters of a trial stand for."""
    return {
        block: {
            key: json.loads(params[f"{block}.{key}"]) if isinstance(candidates, list) else params[f"{block}.{key}"]
            for key, candidates in keys.items()
            if f"{block}.{key}" in params
        }
        for block, keys in space.items()
    }


def _suggest(trial: optuna.trial.BaseTrial, name: str, candidates: Any) -> Any:
    if isinstance(candidates, list):  # as JSON, since optuna keeps no lists
        return json.loads(trial.suggest_categorical(name, [json.dumps(choice) for choice in candidates]))
    low, high, log = candidates["low"], candidates["high"], candidates.get("log", False)
    whole = isinstance(low, int) and isinstance(high, int)
    return (trial.suggest_int if whole else trial.suggest_float)(name, low, high, log=log)


def _ends_or_choices(name: str, candidates: Any) -> list[Any]:
    if name in [f"training.{key}" for key in FIXED]:
        raise SpaceError(f"search.{name} cannot be searched: trials are compared by it.")
    if name in [f"model.{key}" for key in OF_FRAMES]:
        raise SpaceError(f"search.{name} cannot be searched: it changes the features, which are made once.")
    if isinstance(candidates, list) and candidates:
        return candidates
    if isinstance(candidates, dict) and {"low", "high"} <= candidates.keys() <= {"low", "high", "log"}:
        low, high, log = candidates["low"], candidates["high"], candidates.get("log", False)
        numbers = all(type(end) in (int, float) for end in (low, high)) and type(log) is bool
        if numbers and low < high and (low > 0 or not log):
            return [low, high]
        raise SpaceError(f'search.{name}: low has to be less than high, and more than 0 with "log": true.')
    raise SpaceError(
        f'search.{name} has to be a list of choices, or {{"low": ..., "high": ...}}, where wanted with "log": true.'
    )
