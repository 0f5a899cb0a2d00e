"""One complete JSON file per system: every block is handed on as keyword arguments to one callable."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from transformers import AutoConfig, PretrainedConfig

from datasets_scripts import load_corpora
from ser_model.models.registration import FAMILIES
from ser_model.training.augmentation import Augmentation
from ser_model.training.losses import Loss
from ser_model.training.search_space import SpaceError, all_candidates
from ser_model.training.trainer import SerTrainingArguments

FOLDER = Path(__file__).parent
STATISTICS = frozenset({"mean", "std", "utterance_mean", "utterance_std"})  # fitted, never given
DERIVED = frozenset(
    {
        "num_features",
        "num_frames",
        "num_utterance_features",
        "calibration_temperature",
        "unsure_below",
        "encoder_config",
    }
)  # follow from the rest


class PresetError(Exception):
    """A preset that cannot be used, said in one sentence."""


@dataclass(frozen=True)
class Preset:
    """A system as data.

    Attributes:
        name: The file's name without ending.
        data: For `datasets_scripts.load_corpora`.
        augmentation: For `Augmentation`.
        feature_extractor: For the extractor of the model's family.
        model: `model_type`, and the rest for its configuration class.
        loss: For `Loss`.
        training: For `SerTrainingArguments`.
        notes: What the system's authors leave open, and what was chosen.
        search: What `train.py --search` may change: block -> key -> candidates, see `search_space`.
    """

    name: str
    data: dict[str, Any]
    augmentation: dict[str, Any]
    feature_extractor: dict[str, Any]
    model: dict[str, Any]
    loss: dict[str, Any]
    training: dict[str, Any]
    notes: list[str]
    search: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Everything but `search`: what reports keep."""
        return {name: value for name, value in asdict(self).items() if name != "search"}

    def extractor(self) -> Any:
        """The extractor of the model's family, without statistics."""
        return FAMILIES[self.model["model_type"]].extractor_class(**self.feature_extractor)

    def config(self, **derived: Any) -> PretrainedConfig:
        """The model's configuration; `derived` is what follows from data and extractor."""
        return AutoConfig.for_model(**{**self.model, **derived})


def names() -> list[str]:
    """The presets that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_preset(name: str) -> Preset:
    """Loads a preset by its name, or from a JSON file of one's own.

    Raises:
        PresetError: There is no such preset, or it has an unknown key or a value of a wrong type.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        suggestion = did_you_mean(name, names())
        raise PresetError(f"There is no preset {name}; known are {', '.join(names())}.{suggestion}") from None
    except ValueError as error:
        raise PresetError(f"The preset {path} is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise PresetError(f"The preset {path} has to be an object of blocks.")
    return preset_from_dict({"name": path.stem, **content})


def preset_from_dict(content: dict[str, Any]) -> Preset:
    """Checks a preset's blocks against what they are handed to; see `load_preset`."""
    name = content.get("name", "preset")
    blocks = [block.name for block in fields(Preset)]
    for block in content:
        if block not in blocks:
            suggestion = did_you_mean(block, blocks[1:])
            raise PresetError(f"{name}: unknown block {block!r}; a preset has {', '.join(blocks[1:])}.{suggestion}")
    needed = [block.name for block in fields(Preset) if block.default_factory is MISSING]
    for block in needed:
        if block not in content:
            raise PresetError(f"{name}: the block {block!r} is missing.")
    _check(name, "data", content["data"], load_corpora, derived=frozenset({"data_dir", "cache_dir", "csv"}))
    _check(name, "augmentation", content["augmentation"], Augmentation)
    model = content["model"]
    model_type = model.get("model_type") if isinstance(model, dict) else None
    if model_type not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise PresetError(f"{name}: model.model_type has to be one of {known}, not {model_type!r}.")
    family = FAMILIES[model_type]
    model = {key: value for key, value in model.items() if key != "model_type"}
    _check(name, "model", model, family.config_class, derived=DERIVED)
    _check(name, "feature_extractor", content["feature_extractor"], family.extractor_class, derived=STATISTICS)
    _check(name, "loss", content["loss"], Loss)
    _check(name, "training", content["training"], SerTrainingArguments)
    try:
        for candidates in all_candidates(content.get("search", {})):
            for block, target, derived in (
                ("model", family.config_class, DERIVED),
                ("loss", Loss, frozenset[str]()),
                ("training", SerTrainingArguments, frozenset[str]()),
            ):
                _check(f"{name}: search", block, candidates.get(block, {}), target, derived)
    except SpaceError as error:
        raise PresetError(f"{name}: {error}") from None
    preset = Preset(**content)
    try:
        Augmentation(**preset.augmentation)
        preset.extractor()
    except ValueError as error:  # values that do not go together
        raise PresetError(f"{name}: {error}") from None
    return preset


def settings_alone(settings: dict[str, Any]) -> dict[str, Any]:
    """A preset's content without name and notes: what a run depends on."""
    return {name: value for name, value in settings.items() if name not in ("name", "notes")}


def flat_settings(settings: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Nested settings as (path of keys, value) pairs, in order."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flat_settings(value, (*above, name))
        else:
            yield (*above, name), value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean X?` with the known word that is nearest, or nothing where none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _check(name: str, block: str, values: Any, target: Callable, derived: frozenset[str] = frozenset()) -> None:
    """Refuses keys that `target` does not take and values that its annotations do not allow."""
    if not isinstance(values, dict):
        raise PresetError(f"{name}: the block {block!r} has to be an object of keys and values.")
    allowed = {
        key
        for key, parameter in inspect.signature(target).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD and key not in derived
    }
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for key, value in values.items():
        if key not in allowed:
            suggestion = did_you_mean(key, allowed) or f" Known are {', '.join(sorted(allowed))}."
            raise PresetError(f"{name}: unknown key {block}.{key}.{suggestion}")
        try:
            TypeAdapter(hints[key]).validate_python(value, strict=True)
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise PresetError(f"{name}: {block}.{key} cannot be {value!r}: {what}.") from None
