"""The model card: what a checkpoint is, how good it is, and what it must not be used for."""

from __future__ import annotations

from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from datasets_scripts import find_corpus

_BODY = """---
{metadata}
---

# {title}

Hears one of {num_labels} emotions in a recorded voice: {labels}. {architecture}

## How often it is right

Measured on the test part, protocol `{protocol}`, fold {fold}, seed {seed}. {leaking}

| part | clips | UAR | accuracy | macro F1 |
|---|---|---|---|---|
{rows}

UAR is the mean recall over the classes with at least one true clip. Validation figures chose the
epoch; the test part was not looked at until the end. Speaker by speaker the test UAR lies between
{lowest:.1%} and {highest:.1%}.

## Use

```python
from ser_model import EmotionRecognizer

recognizer = EmotionRecognizer.from_pretrained("path/to/this/folder")
print(recognizer("clip.wav").label)
```

## Intended use

Teaching, demonstrations and research on acted emotional speech.

## Limits

- It learned from acted English speech of few speakers in quiet rooms; other languages, cultures,
  ages, microphones and real feelings are outside what was measured.
- It names how a voice sounds, not what a person feels. It must not be used for decisions about
  people (hiring, policing, insurance, health, education).
- A voice it never heard is often misjudged: see the figures above.

## Training data and licence

{corpora}

The weights inherit these terms (licence field: `{licence}`).
"""


def model_card(report: dict[str, Any], architecture: str) -> ModelCard:
    """Builds the card of a trained checkpoint from its report.

    Args:
        report: The content of `report.json`.
        architecture: One line about the network.
    """
    builders = [find_corpus(name) for name in report["corpora"]]
    licences = {builder.licence for builder in builders}
    licence = licences.pop() if len(licences) == 1 else "other"
    name = f"{report['preset']}-{report['protocol']}-fold{report['fold']}-seed{report['seed']}"
    config = f"{report['protocol']}, fold {report['fold']}, seed {report['seed']}"
    parts = dict(report["test"]["per_corpus"].items())
    metadata = ModelCardData(
        language="en",
        license=licence,
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "audio-classification"],
        model_name=name,
        eval_results=[
            EvalResult(
                task_type="audio-classification", dataset_type=corpus, dataset_name=corpus.upper(),
                dataset_config=config, dataset_split="test",
                metric_type=metric, metric_name=metric_name, metric_value=round(figures[metric], 4),
            )
            for corpus, figures in parts.items()
            for metric, metric_name in (("uar", "UAR"), ("accuracy", "accuracy"), ("macro_f1", "macro F1"))
        ],
    )  # fmt: skip
    rows = {"test": report["test"], **{f"test, {corpus}": figures for corpus, figures in parts.items()}}
    speakers = [figures["uar"] for figures in report["test"]["per_speaker"].values()]
    return ModelCard(
        _BODY.format(
            metadata=metadata.to_yaml(),
            title=name,
            num_labels=len(report["labels"]),
            labels=", ".join(report["labels"]),
            architecture=architecture,
            protocol=report["protocol"],
            fold=report["fold"],
            seed=report["seed"],
            leaking=_leakage_sentence(report),
            rows="\n".join(_row(part, figures, report) for part, figures in rows.items()),
            lowest=min(speakers),
            highest=max(speakers),
            corpora="\n".join(f"- {builder.corpus}: {builder.licence}. {builder.cite}" for builder in builders),
            licence=licence,
        )
    )


def _row(part: str, figures: dict[str, Any], report: dict[str, Any]) -> str:
    clips = figures.get("clips", report["split_sizes"]["test"])
    return f"| {part} | {clips} | {figures['uar']:.1%} | {figures['accuracy']:.1%} | {figures['macro_f1']:.1%} |"


def _leakage_sentence(report: dict[str, Any]) -> str:
    test = report["leakage"]["test"]
    if report["leakage"]["leaking"]:
        return (
            f"**This protocol leaks**: {test['shared_clips']} test clips were also trained on in another "
            "version; the figures say nothing about new recordings."
        )
    if test["shared_speakers"]:
        return f"All clips of the test part are new, but its {test['shared_speakers']} speakers were trained on."
    return "No test speaker and no test clip was heard in training or used to choose anything."
