"""The model card: what a checkpoint is, how accurate it is, and what it must not be used for."""

from __future__ import annotations

import re
from statistics import median
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from datasets_scripts import find_corpus
from ser_model.hub import MODEL_PLACEHOLDER
from ser_model.models.registration import FAMILIES

from .robustness_section import robustness_section
from .sources import OWN, corpus_title, encoder_sentence, of_kinds, terms
from .training_section import training_section
from .voice_profile_section import voice_profile_section

# What the Hub has an identifier for; other terms are `other` with a name of our own.
HUB_LICENCES = frozenset({"cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "odbl"})

# Our figure > (the Hub's metric, its name here, how it is averaged). UAR is the recall averaged over classes.
METRICS = {
    "uar": ("recall", "UAR", {"average": "macro"}),
    "accuracy": ("accuracy", "accuracy", None),
    "macro_f1": ("f1", "macro F1", {"average": "macro"}),
}

REFITTED = (
    "The temperature below was fitted on the validation part with a first network; the one saved here was trained "
    "anew, with the same settings, on training and validation part together."
)

_RELIABILITY = """
![Accuracy by confidence, and errors by share of clips answered](reliability.png)
"""

_BODY = """---
{metadata}
---

# {title}

Predicts one of {num_labels} emotions from recorded speech: {labels}. {architecture}{encoder}

## Use

With transformers and torch alone{praat}; reading files needs the ffmpeg program:

```python
from transformers import pipeline

classifier = pipeline("audio-classification", model="{model_id}", trust_remote_code=True, top_k=None)
print(classifier("clip.wav"))
```

With the project's own code, which also gives the attention over time:

```python
from ser_model import EmotionRecognizer

result = EmotionRecognizer.from_pretrained("{model_id}")("clip.wav")
print(result.label, result.probabilities, result.attention)
```

The input is mono audio at {sampling_rate:,} Hz. A clip longer than {span:.1f} s is predicted from half-overlapping
analysis windows whose probabilities are averaged. The pipeline takes all of it; the project's own code leaves its
pauses out.

## Evaluation

On the test part of protocol `{protocol}`, fold {fold}, seed {seed}.

| part | clips | UAR | 95 % interval | accuracy | macro F1 |
|---|---|---|---|---|---|
{rows}

UAR is the mean recall over the classes with at least one true clip; guessing gives {chance:.1%}. The
interval is the percentile bootstrap over test speakers (1,000 draws); where fewer than three speak, there is
none. {selection} The test part was used once, at the end.

The probabilities are calibrated on the validation part (temperature {temperature:.2f}); on the test part the
expected calibration error (ten bins) is {ece:.1%}{uncalibrated}: confidence and accuracy lie that far apart on average.
{reliability}
![Confusion matrix of the test part](confusion_matrix.png)

By speaker: {speakers}

{profiles}{robustness}{training}## Leakage report

{leaking}{text_leakage}
{notes}
| part | speakers also trained on | clips also trained on | items of which another augmented copy was trained on |
|---|---|---|---|
{leakage}

## What it infers, and what it must not be used for

It infers which emotion a voice expresses, learnt from {learnt_from}. It does not tell what a person feels, thinks
or intends. It is meant for teaching, demonstrations and research on {studied}.

- Whoever uses it on people must inform them of that (EU AI Act, Regulation (EU) 2024/1689, Article 50(3)).
- Its use on people at work or in education is prohibited, except for medical or safety reasons (Article 5(1)(f)).
- It must not be used for decisions about people: not for hiring, diagnosis or policing, nor for insurance or credit.

## Limits

- It was trained on {trained_on}. Other languages, cultures, ages, microphones and
  feelings were not evaluated.
- Predictions for unseen speakers are often wrong: see the figures above.

## What is stored

This folder holds weights, settings and figures, and no recordings. The project's code keeps neither recordings nor
predictions: a program that calls it decides that. A voice profile, where one is made, holds statistics of a voice and
lies where its user puts it.

## Training data and licence

{terms}
"""


def model_card(report: dict[str, Any], architecture: str, robustness: dict[str, Any] | None = None) -> ModelCard:
    """Builds the card of a trained checkpoint from its report.

    Where the card names the model it has `hub.MODEL_PLACEHOLDER`, which a push replaces by the id.

    Args:
        report: The content of `report.json`.
        architecture: One line about the network.
        robustness: The content of `robustness.json`, where the suite was run.
    """
    corpora = report["corpora"]
    builders = [find_corpus(name) for name in corpora]
    settings = report["settings"]
    front: Any = FAMILIES[settings["model"]["model_type"]].extractor_class(**settings["feature_extractor"])
    metadata = _metadata(report, builders)
    return ModelCard(
        _BODY.format(
            metadata=metadata.to_yaml(),
            title=metadata.model_name,
            num_labels=len(report["labels"]),
            labels=", ".join(report["labels"]),
            architecture=architecture,
            encoder=encoder_sentence(settings["model"]),
            model_id=MODEL_PLACEHOLDER,
            praat=", and praat-parselmouth for the voice quality" if front.voice_quality else "",
            sampling_rate=front.sampling_rate,
            span=front.num_frames * front.seconds_per_frame,
            protocol=report["protocol"],
            fold=report["fold"],
            seed=report["seed"],
            rows=_rows(report),
            chance=1 / len(report["labels"]),
            selection=_selection(report),
            temperature=report["temperature"],
            ece=report["test"]["calibration"]["ece"],
            uncalibrated=_uncalibrated_clause(report["test"]["calibration"]),
            reliability=_RELIABILITY if "risk_coverage" in report["test"]["calibration"] else "",
            speakers=_speaker_sentence(report["test"]["per_speaker"]),
            profiles=voice_profile_section(report),
            robustness=robustness_section(robustness) if robustness else "",
            training=training_section(report),
            leaking=_leakage_sentence(report),
            text_leakage=_text_leakage_sentence(report),
            notes="".join(f"\n- {note}" for note in report["leakage"]["notes"]) + "\n",
            leakage=_leakage_rows(report["leakage"]),
            learnt_from=of_kinds(corpora, "actors' speech", "people's own recordings"),
            studied=of_kinds(corpora, "acted emotional speech", "such recordings"),
            trained_on=of_kinds(corpora, "few actors' English speech in quiet rooms", "few people's own recordings"),
            terms=terms(builders),
        )
    )


def _metadata(report: dict[str, Any], builders: list[Any]) -> ModelCardData:
    """The YAML head: what the Hub filters by, and the figures of every corpus for its result tables."""
    licence, licence_name = _licence([builder.licence for builder in builders])
    setting = f"{report['protocol']}, fold {report['fold']}, seed {report['seed']}"
    return ModelCardData(
        language=None if OWN in report["corpora"] else "en",
        license=licence,
        license_name=licence_name,
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "audio-classification", "speech", "emotion", *report["corpora"]],
        metrics=[metric for metric, _, _ in METRICS.values()],
        model_name=f"{report['preset']}-{report['protocol']}-fold{report['fold']}-seed{report['seed']}",
        eval_results=[
            EvalResult(
                task_type="audio-classification",
                task_name="Speech emotion recognition",
                dataset_type=corpus,
                dataset_name=f"{corpus_title(corpus)} ({report['protocol']})",
                dataset_config=setting,
                dataset_split="test",
                metric_type=metric,
                metric_name=name,
                metric_args=averaging,
                metric_value=round(figures[key], 4),
            )
            for corpus, figures in report["test"]["per_corpus"].items()
            for key, (metric, name, averaging) in METRICS.items()
        ],
    )


def _licence(terms: list[str]) -> tuple[str, str | None]:
    """The Hub's licence identifier, and a name of our own where that is `other`."""
    if len(set(terms)) == 1 and terms[0] in HUB_LICENCES:
        return terms[0], None
    return "other", "-and-".join(re.sub(r"[^a-z0-9.]+", "-", term.lower()) for term in dict.fromkeys(terms))


def _rows(report: dict[str, Any]) -> str:
    parts = {"test": report["test"]}
    parts |= {f"test, {corpus}": figures for corpus, figures in report["test"]["per_corpus"].items()}
    parts |= {f"test, {sex}": figures for sex, figures in report["test"].get("per_sex", {}).items()}
    return "\n".join(
        f"| {part} | {figures.get('clips', report['split_sizes']['test'])} | "
        f"{figures['uar']:.1%} | {_interval(figures)} | {figures['accuracy']:.1%} | {figures['macro_f1']:.1%} |"
        for part, figures in parts.items()
    )


def _uncalibrated_clause(calibration: dict[str, Any]) -> str:
    return f", {calibration['uncalibrated']['ece']:.1%} before calibration" if "uncalibrated" in calibration else ""


def _interval(figures: dict[str, Any]) -> str:
    ends = figures.get("uar_interval")
    return f"{ends[0]:.1%} to {ends[1]:.1%}" if ends else "none"


def _speaker_sentence(per_speaker: dict[str, dict[str, Any]]) -> str:
    ordered = sorted((figures["uar"], speaker) for speaker, figures in per_speaker.items())
    if not ordered:
        return "the recordings do not say who speaks."
    (lowest, low), (highest, high) = ordered[0], ordered[-1]
    middle = median(uar for uar, _ in ordered)
    return (
        f"the UAR of {len(ordered)} test speakers lies between {lowest:.1%} ({low}) and {highest:.1%} ({high}); "
        f"the median is {middle:.1%}."
    )


def _leakage_rows(leakage: dict[str, Any]) -> str:
    keys = ("shared_speakers", "shared_clips", "augmented_twins")
    rows = {part: [leakage[part][key] for key in keys] for part in ("validation", "test")}
    return "\n".join(
        f"| {part} | {' | '.join('not known' if count is None else str(count) for count in counts)} |"
        for part, counts in rows.items()
    )


def _selection(report: dict[str, Any]) -> str:
    if report.get("refit"):
        return REFITTED
    if report["settings"].get("training", {}).get("load_best_model_at_end", True):
        return "The epoch was chosen by the validation part."
    return "All epochs were trained; none was chosen."


def _leakage_sentence(report: dict[str, Any]) -> str:
    test = report["leakage"]["test"]
    if report["leakage"]["leaking"]:
        return (
            f"**This protocol leaks**: {test['shared_clips']} test clips were also trained on in another "
            "version; the figures say nothing about new recordings."
        )
    if test["shared_speakers"] is None:
        return "All clips of the test part are new; whether its speakers were trained on is not known."
    if test["shared_speakers"]:
        return f"All clips of the test part are new, but its {test['shared_speakers']} speakers were trained on."
    return "No test speaker and no test clip was used in training or to choose anything."


def _text_leakage_sentence(report: dict[str, Any]) -> str:
    """Where words tell the label of a test clip, and the figure of sentences that do not."""
    text = ""
    for corpus, leakage in report["leakage"].get("text", {}).items():
        if leakage["sentences"]:
            text += (
                f" The text leaks in {corpus}: {leakage['test_share']:.0%} of its test clips say one of "
                f"{leakage['sentences']} sentences that occur with one label only and were trained on, so the label "
                "may be predicted from the words."
            )
            if common := report["test"]["per_corpus"][corpus].get("common_sentences"):
                text += f" On sentences common to all labels ({common['clips']} clips) the UAR is {common['uar']:.1%}."
    return text
