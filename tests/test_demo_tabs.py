"""The tabs Batch, Compare and About, the voice panel and the examples, without a browser."""

import csv
import io
import json
import re
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile
from conftest import spoken
from demo_helpers import LABELS, RATE, tiny_recognizer

from demo import about_texts, examples, messages
from demo.api import in_words
from demo.loading import RecognizerLoader
from demo.models import Models, others_beside
from demo.tabs import about, batch, compare, voice_quality
from ser_model.audio import AudioError
from ser_model.inference.voice_reference import UNITS
from ser_model.labels import EMOTIONS

REPORT = {
    "corpora": ["ravdess"], "protocol": "speaker", "fold": 1, "labels": LABELS, "split_sizes": {"test": 240},
    "leakage": {"test": {"shared_speakers": 0}}, "test": {"uar": 0.5, "accuracy": 0.55},
}  # fmt: skip


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, spoken(2.0), RATE)
    return str(path)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Two checkpoint folders, `first` with a report and a card."""
    root = tmp_path_factory.mktemp("checkpoints")
    for seed, name in enumerate(("first", "second")):
        recognizer = tiny_recognizer(seed)
        for part in (recognizer.model, recognizer.feature_extractor):
            part.save_pretrained(root / name)
    (root / "first" / "report.json").write_text(json.dumps(REPORT))
    (root / "first" / "README.md").write_text("---\nlicense: other\n---\n# A model\n![p](p.png)\nOf actors.\n")
    return root


@pytest.fixture
def models(checkpoints):
    return Models(RecognizerLoader(str(checkpoints / "first")), [str(checkpoints / "second")])


def test_batch_predicts_the_good_and_lists_the_bad(tmp_path, clip):
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    *steps, (status, table) = batch.predict_or_message(tiny_recognizer, [clip, str(bad), clip])
    told = [re.search(r'aria-valuetext="([^"]+)"', progress)[1] for progress, _ in steps]
    assert told == ["Starting …", *(f"Predicted {done} of 3 files" for done in (1, 2, 3))]
    assert "2 files predicted, 1 failed." in status
    assert "<strong>bad.wav</strong>: This file is not audio" in status
    assert table.count("<tr ") == 3 and table.count('class="ser-sort"') == 5 and 'download="emotions.csv"' in table
    assert str(tmp_path) not in status + table


def test_batch_csv_has_every_file_and_class(tmp_path, clip):
    rows = list(batch.predict_all(tiny_recognizer(), [Path(clip), tmp_path / "nowhere.wav"]))
    good, bad = csv.DictReader(io.StringIO(batch.to_csv(rows)))
    assert good["file"] == "clip.wav" and sum(float(good[label]) for label in LABELS) == pytest.approx(1, abs=1e-4)
    assert bad["label"] == "" and bad["error"].startswith("There is no file")


def test_batch_without_files_or_with_too_many_is_told(clip):
    assert messages.NO_FILES in next(batch.predict_or_message(tiny_recognizer, []))[0]
    *_, (status, table) = batch.predict_or_message(tiny_recognizer, [clip] * (batch.MOST_FILES + 1))
    assert "501 files" in status and table == ""


def test_all_files_bad_gives_no_table(tmp_path):
    *_, (status, table) = batch.predict_or_message(tiny_recognizer, [str(tmp_path / "nowhere.wav")])
    assert "0 files predicted, 1 failed." in status and table == ""


def test_compare_gives_one_answer_a_model(models, clip):
    assert models.titles == ["first", "second"]
    entries = compare.compare(models, clip, models.titles)
    assert [entry["model"] for entry in entries] == ["first", "second"]
    for entry in entries:
        assert entry["error"] is None and entry["duration"] == pytest.approx(2.0)
        assert entry["label"] == max(entry["probabilities"], key=entry["probabilities"].get)
    assert entries[0]["probabilities"] != entries[1]["probabilities"]
    markup = compare.compare_or_message(models, clip, models.titles)
    assert (
        markup.count("<section>") == 2 and "Accuracy on unseen speakers: 55 %" in markup and messages.UNKNOWN in markup
    )


def test_a_model_that_cannot_be_had_says_so_beside_the_others(models, clip):
    first, missing, odd = compare.compare(models, clip, ["first", "nobody/nothing", "../first"])
    assert first["label"] and missing["label"] is None and odd["label"] is None
    assert "No model could be loaded from nobody/nothing" in missing["error"]
    assert "neither one of the models offered" in odd["error"]
    assert 'role="alert"' in compare.compare_or_message(models, clip, ["first", "nobody/nothing"])


def test_compare_says_what_is_missing_or_wrong(models, tmp_path, clip):
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    assert messages.NOTHING_CHOSEN in compare.compare_or_message(models, None, ["first"])
    assert messages.NO_MODELS in compare.compare_or_message(models, clip, [])
    assert "not audio" in compare.compare_or_message(models, str(bad), ["first"])


def test_models_beside_the_main_one(checkpoints):
    main = str(checkpoints / "first")
    assert others_beside(main, checkpoints, "") == [str(checkpoints / "second")]
    assert others_beside("someone/a-model", checkpoints, "someone/a-model, someone/other") == [
        main, str(checkpoints / "second"), "someone/other"
    ]  # fmt: skip


def test_about_has_figures_labels_and_the_card(models):
    assert about.figures({"first": REPORT, "empty": {}}, {"first": "other"}) == [
        ("first", "RAVDESS", "speaker", "1", "240", "50.0%", "55.0%", "unseen", "other")
    ]
    table = about.label_table(models)
    for index, label in enumerate(LABELS):
        assert re.search(rf"<td[^>]*>{index}</td><td[^>]*><span[^>]*>{label}</span></td>", table)
    card = about.demoted(models.file("first", "README.md"))
    assert about.licence(models.file("first", "README.md")) == "other" and about.licence(None) == "unknown"
    assert card.strip() == "### A model\nOf actors."
    assert models.file("second", "README.md") is None


def test_about_answers_what_people_ask():
    sections = [sentence for sentences in about_texts.SECTIONS.values() for sentence in sentences]
    text = " ".join([*sections, *about_texts.QUESTIONS, *about_texts.QUESTIONS.values()])
    for topic in ("decisions about people", "actors", "cultures", "within an hour", "same emotion", "label indices",
                  "live", "hour long", "calibration error", "gain control", "Apache License",
                  "not what a person feels", "Tell people",
                  "At work and in education", "diagnoses nothing", "silero-vad", "protocol"):  # fmt: skip
        assert topic in text


def test_voice_panel_places_each_measure(clip):
    measures = voice_quality.measures_of(clip)
    assert list(measures.values) == list(UNITS) and measures.values["f0_mean"] == pytest.approx(179, abs=8)
    panels = {group: voice_quality.panel_of(measures, group) for group in ("women", "men", "all")}
    for group, panel in panels.items():
        assert panel.count('class="ser-measure"') == panel.count('class="ser-meaning"') == len(UNITS)
        assert "Pitch (F0)" in panel and " Hz" in panel and messages.CLIPS_BY[group] in panel
    assert len(set(panels.values())) == 3
    assert messages.VOICE_WAITING in voice_quality.panel_of(None, "all")


def test_voice_answers_have_units_and_percentiles(clip):
    entries = {entry["measure"]: entry for entry in voice_quality.as_answer(voice_quality.measures_of(clip).values)}
    pitch = entries["f0_mean"]
    assert pitch["unit"] == "Hz" and pitch["title"] == "Pitch (F0)"
    assert pitch["percentiles"]["men"] > pitch["percentiles"]["all"] > pitch["percentiles"]["women"]
    missing = voice_quality.as_answer({"hnr": None})[0]
    assert missing["value"] is None and missing["percentiles"] is None
    assert messages.NOT_MEASURED in voice_quality.panel_of(voice_quality.Measured({"hnr": None}, False), "all")


def marker(svg: str) -> float:
    return float(re.search(r'class="ser-value" x1="([\d.]+)"', svg)[1])


def test_the_marker_stands_at_the_value():
    places = [marker(voice_quality.strip_svg("f0_mean", "women", hertz)) for hertz in (10, 180, 250, 5000)]
    assert places == sorted(places)
    assert places[0] == 6 and places[-1] == voice_quality.STRIP_WIDTH - 6
    known = voice_quality.reference().values("f0_mean", "women")
    middle = voice_quality.strip_svg("f0_mean", "women", float(np.mean([known[0], known[-1]])))
    assert marker(middle) == pytest.approx(voice_quality.STRIP_WIDTH / 2, abs=0.2)


def test_synthetic_examples_ship_and_are_small():
    found = examples.synthetic()
    assert len(found) >= 4 and all(label.startswith("Synthetic: ") for label, _ in found)
    assert all(path.stat().st_size < 100_000 for _, path in found)
    assert all(1 < soundfile.info(path).duration < 6 for _, path in found)


def test_real_examples_where_the_machine_has_them(mini_ravdess, tmp_path):
    found = examples.real(str(mini_ravdess.parent))
    assert [label for label, _ in found] == [f"Real: {name}" for name in EMOTIONS]
    assert all(Path(path).name.startswith(f"03-01-0{number}") for number, (_, path) in enumerate(found, start=1))
    assert examples.real(None) == examples.real(str(tmp_path)) == []


def test_programs_get_an_error_in_words():
    def refuse(audio):
        raise AudioError("The recording is silent.")

    with pytest.raises(gr.Error, match="The recording is silent"):
        in_words(refuse)("clip.wav")
    with pytest.raises(gr.Error, match="Record or upload"):
        in_words(refuse)(None)
