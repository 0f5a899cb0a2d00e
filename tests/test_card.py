"""The model card says what the report says, in a form that the Hub takes."""

import re

import pytest
from hub_helpers import run_fresh, running_hub, small_report, visitor
from huggingface_hub import ModelCard

from ser_model.hub import MODEL_PLACEHOLDER
from ser_model.reporting.model_card import model_card

VALIDATE = """
import sys
from huggingface_hub import ModelCard

for path in sys.argv[1:]:
    try:
        ModelCard.load(path).validate()
    except ValueError as error:
        print(f"{path}: {error}")
"""


def card_of(*corpora, **changes):
    """A card as people read it back from its text."""
    return ModelCard(str(model_card(small_report(corpora=corpora) | changes, "Conv2d blocks > linear.")))


def test_metadata_is_what_the_hub_filters_by():
    data = card_of("ravdess").data
    assert (data.library_name, data.pipeline_tag, data.language) == ("transformers", "audio-classification", "en")
    assert "speech-emotion-recognition" in data.tags and "ravdess" in data.tags
    assert data.metrics == ["recall", "accuracy", "f1"]


@pytest.mark.parametrize(
    ("corpora", "licence", "name"),
    [
        (["ravdess"], "cc-by-nc-sa-4.0", None),
        (["crema_d"], "odbl", None),
        (["savee"], "other", "research-use-only"),
        (["ravdess", "crema_d", "tess"], "other", "cc-by-nc-sa-4.0-and-odbl-and-cc-by-nc-nd-4.0"),
    ],
)
def test_weights_inherit_the_terms_of_every_corpus(corpora, licence, name):
    card = card_of(*corpora)
    assert card.data.license == licence and card.data.get("license_name") == name
    for corpus in corpora:
        assert f"\n- {corpus}: " in card.text
    assert card.text.count("\n- ") >= 2 * len(corpora)  # terms, and a citation each


def test_results_stand_per_corpus_and_protocol():
    results = card_of("ravdess", "crema_d").data.eval_results
    assert len(results) == 2 * 3
    figures_of = {(result.dataset_type, result.metric_name): result for result in results}
    uar = figures_of["crema_d", "UAR"]
    assert (uar.metric_type, uar.metric_args, uar.metric_value) == ("recall", {"average": "macro"}, 0.5125)
    assert (uar.dataset_config, uar.dataset_split) == ("speaker, fold 1, seed 0", "test")
    assert uar.dataset_name == "CREMA-D (speaker)"
    assert figures_of["ravdess", "accuracy"].metric_value == 0.5
    assert (figures_of["ravdess", "macro F1"].metric_type, figures_of["ravdess", "macro F1"].metric_value) == (
        "f1",
        0.4375,
    )


def test_the_text_tells_what_a_reader_has_to_know():
    text = card_of("ravdess").text
    call = f'pipeline("audio-classification", model="{MODEL_PLACEHOLDER}", trust_remote_code=True, top_k=None)'
    for words in (
        call,
        "longer than 1.6 s is predicted from half-overlapping",
        "(temperature 2.50)",
        "expected calibration error (ten bins) is 6.2%",
        "| test | 16 | 51.2% | none | 50.0% | 43.8% |",
        "3 test speakers lies between 30.0% (ravdess_03) and 70.0% (ravdess_07); the median is 50.0%",
        "| test | 0 | 0 | 0 |",
        "No test speaker and no test clip was used in training",
        "- Made up.",
        "It does not tell what a person feels",
        "must inform them of that (EU AI Act, Regulation (EU) 2024/1689, Article 50(3))",
        "at work or in education is prohibited, except for medical or safety reasons (Article 5(1)(f))",
        "must not be used for decisions about people: not for hiring, diagnosis or policing",
        "and no recordings",
        "The Ryerson Audio-Visual Database",
    ):
        assert words in text


def test_a_pretrained_encoder_is_named_with_its_licence():
    report = small_report()
    assert "encoder" not in str(model_card(report, "Small."))
    report["settings"]["model"] = {
        "model_type": "ser_speech_encoder", "encoder": "openai/whisper-base", "encoder_layers": [2, 3],
    }  # fmt: skip
    text = str(model_card(report, "Small."))
    assert "the first 3 layers of [openai/whisper-base](https://huggingface.co/openai/whisper-base), unchanged" in text
    assert "MIT License, Copyright (c) 2022 OpenAI" in text


def test_intervals_stand_beside_the_figures():
    report = small_report(corpora=("ravdess", "tess"))
    report["test"]["uar_interval"] = [0.4567, 0.5678]
    report["test"]["per_corpus"] |= {"tess": report["test"]["per_corpus"]["tess"] | {"uar_interval": None}}
    text = str(model_card(report, "Small."))
    assert "| test | 16 | 51.2% | 45.7% to 56.8% | 50.0% | 43.8% |" in text
    assert "| test, tess | 16 | 51.2% | none | 50.0% | 43.8% |" in text
    assert "bootstrap over test speakers" in text and "fewer than three speak" in text


def test_sexes_and_calibration_stand_in_it_where_they_were_measured():
    report = small_report()
    assert "before calibration" not in str(model_card(report, "Small.")) and "female" not in card_of("ravdess").text
    figures = {"clips": 8, "uar": 0.6, "accuracy": 0.5, "macro_f1": 0.4, "uar_interval": [0.5, 0.7]}
    report["test"] |= {"per_sex": {"female": figures}}
    report["test"]["calibration"] |= {"uncalibrated": {"ece": 0.2, "nll": 2.0}, "risk_coverage": []}
    text = str(model_card(report, "Small."))
    assert "| test, female | 8 | 60.0% | 50.0% to 70.0% | 50.0% | 40.0% |" in text
    assert "is 6.2%, 20.0% before calibration: confidence" in text and "(reliability.png)" in text


def test_figures_with_voice_profiles_stand_apart():
    assert "With a voice profile" not in card_of("ravdess").text
    report = small_report(corpora=("ravdess", "savee"))

    def figures(uar):
        common = {"savee": {"uar": uar + 0.02, "common_sentences": {"clips": 24, "uar": uar + 0.03}}}
        return {"uar": uar, "per_corpus": {"ravdess": {"uar": uar + 0.01}} | common}

    report["voice_profiles"] = {"0": figures(0.5), "10": figures(0.6), "3 neutral": figures(0.55)}
    section = str(model_card(report, "Small.")).split("## With a voice profile")[1].split("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("|")] == [
        "| clips in the profile | 0 | 10 | 3 neutral |",
        "|---|---|---|---|",
        "| test | 50.0% | 60.0% | 55.0% |",
        "| test, ravdess | 51.0% | 61.0% | 56.0% |",
        "| test, savee | 52.0% | 62.0% | 57.0% |",
        "| test, savee, common sentences | 53.0% | 63.0% | 58.0% |",
    ]
    assert "unlabelled recordings of one" in section and "the predicted clip is never among them" in section


def test_text_that_leaks_is_said():
    report = small_report(corpora=("ravdess", "savee"))
    assert "text leaks" not in str(model_card(report, "Small."))
    report["leakage"]["text"] = {
        "ravdess": {"sentences": 0, "test_clips": 0, "test_share": 0.0},
        "savee": {"sentences": 72, "test_clips": 72, "test_share": 0.6},
    }
    text = str(model_card(report, "Small.")).split("## Leakage report")[1]
    assert "The text leaks in savee: 60% of its test clips say one of 72 sentences" in text
    assert "leaks in ravdess" not in text and "common to all labels" not in text
    report["test"]["per_corpus"] = dict(report["test"]["per_corpus"])
    report["test"]["per_corpus"]["savee"] = {
        **report["test"]["per_corpus"]["savee"], "common_sentences": {"clips": 24, "uar": 0.4375},
    }  # fmt: skip
    assert "On sentences common to all labels (24 clips) the UAR is 43.8%." in str(model_card(report, "Small."))


def test_the_training_stands_in_it():
    assert "\n## Training\n" not in card_of("ravdess").text  # a report that says nothing of it
    report = small_report() | {
        "epochs": 12.0, "best_epoch": 9.0, "training_seconds": 600.0, "hardware": "CPU, x86_64, float32",
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
    }  # fmt: skip
    report["settings"] |= {
        "augmentation": {"views": 1, "noise_snr_db": [10, 30]}, "loss": {}, "training": {"learning_rate": 0.001},
    }  # fmt: skip
    text = str(model_card(report, "Small."))
    assert "12 epochs, of which number 9 was kept, in 10 min, on: CPU, x86_64, float32. Versions: python 3.11.7" in text
    assert "| augmentation | `views` 1, `noise_snr_db` [10, 30] |" in text and "`learning_rate` 0.001" in text
    assert "(training_history.png)" in text
    report |= {"hyperparameters": {"learning_rate": 0.01}, "preparation_seconds": 130.0, "refit": True}
    text = str(model_card(report, "Small."))
    assert "| training | `learning_rate` 0.01 |" in text  # the command line's, not the preset's
    assert "12 epochs, in 10 min after 2 min of preparing data and features" in text


def test_leaks_are_said():
    leaking = small_report()["leakage"] | {"leaking": True}
    leaking["test"] = {"shared_speakers": 4, "shared_clips": 9, "augmented_twins": 9}
    text = card_of("ravdess", leakage=leaking).text
    assert "**This protocol leaks**: 9 test clips" in text and "| test | 4 | 9 | 9 |" in text
    text = card_of("ravdess", leakage=leaking | {"leaking": False}).text
    assert "its 4 speakers were trained on" in text
    leaking["test"] |= {"shared_speakers": None, "shared_clips": 0}
    text = card_of("ravdess", leakage=leaking | {"leaking": False}).text
    assert "whether its speakers were trained on is not known" in text and "No test speaker" not in text
    assert "| test | not known | 0 | 9 |" in text


def test_recordings_of_ones_own_promise_no_language_and_no_speakers():
    report = small_report(corpora=("folder",))
    report["test"]["per_speaker"] = {}
    card = ModelCard(str(model_card(report, "Tiny.")))
    assert card.data.language is None and "do not say who speaks" in card.text
    assert card.data.license == "other" and not re.search("acted|actors|English", card.text)
    assert "own recordings: not stated here; whoever publishes" in card.text and "cites the corpora" not in card.text
    both = str(model_card(small_report(corpora=("ravdess", "folder")), "Tiny."))
    assert "learnt from actors' speech and people's own recordings" in both


def test_the_hub_takes_them(tmp_path):
    paths = []
    for corpora in (["ravdess"], ["savee"], ["ravdess", "savee", "crema_d"], ["folder"]):
        paths.append(tmp_path / f"{'-'.join(corpora)}.md")
        model_card(small_report(corpora=tuple(corpora)), "Tiny.").save(paths[-1])
    wrong = tmp_path / "wrong.md"
    wrong.write_text(paths[1].read_text().replace("license: other", "license: research use only"))
    with running_hub() as address:
        done = run_fresh(VALIDATE, *paths, wrong, env=visitor(tmp_path, address), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [str(wrong)]
