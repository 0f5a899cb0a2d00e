"""The tabs Batch, Compare and About, the voice panel and the examples, without a browser."""

import base64
import csv
import html
import io
import json
import re
import shutil
import threading
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile
from conftest import ROOT, spoken
from demo_helpers import LABELS, RATE, tiny_recognizer

from demo import about_texts, batch_result, examples, messages, serving, true_labels
from demo.api import in_words
from demo.example_shelf import ExampleShelf
from demo.loading import NoModel, RecognizerLoader
from demo.models import Models, others_beside
from demo.reports import usable_report
from demo.tabs import about, batch, compare, voice_quality
from demo.tabs.voice_quality import DecodedClip
from demo.workbench_endpoints import predict_part
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


def test_batch_has_one_table_of_the_good_and_the_bad(tmp_path, clip):
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    *steps, (status, table) = batch.predict_or_message(tiny_recognizer, [clip, str(bad), clip])
    told = [re.search(r'aria-valuetext="([^"]+)"', progress)[1] for progress, _ in steps]
    assert told == ["Starting …", *(f"Predicted {done} of 3 files" for done in (1, 2, 3))]
    assert "2 files predicted, 1 failed." in status
    assert re.search(r'ser-failed">.*?bad\.wav</td>.*?This file is not audio', table, re.DOTALL)
    assert table.count('class="ser-play-file"') == 3 and table.count('class="ser-sort"') == 6
    assert 'download="emotions.csv"' in table and 'aria-label="Files of each emotion"' in table


def test_batch_csv_has_every_file_and_class(tmp_path, clip):
    rows = list(batch.predict_all(tiny_recognizer(), [Path(clip), tmp_path / "nowhere.wav"]))
    good, bad = csv.DictReader(io.StringIO(batch_result.to_csv(rows, LABELS)))
    assert good["file"] == "clip.wav" and sum(float(good[label]) for label in LABELS) == pytest.approx(1, abs=1e-4)
    assert bad["label"] == "" and bad["error"].startswith("There is no file")


def test_batch_beside_true_labels(tmp_path, clip):
    wave, rate = soundfile.read(clip)
    names = ["angry - 1.wav", "2 sad.wav", "3.wav"]
    for name in names:
        soundfile.write(tmp_path / name, wave, rate)
    files = [str(tmp_path / name) for name in names]
    *_, (_, result) = batch.predict_or_message(tiny_recognizer, files, source=true_labels.NAMES)
    predicted = csv.DictReader(io.StringIO(base64.b64decode(re.search(r"base64,([^\"]+)", result)[1]).decode()))
    right = sum(row["label"] == row["true"] for row in predicted)
    assert f"({right} of 2 files)" in result and "1 left out" in result and "Confusion matrix" in result


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("file,emotion\nA.wav,Angry\nb,sad\n", {"a.wav": "angry", "b.flac": "sad"}),
        ("x;label;path\n1;bored;C:\\clips\\a.mp3\n", {"a.wav": "bored"}),
        ("a.wav\tsad\n\nelse.wav\tcalm\n", {"a.wav": "sad"}),
        ("file,label\nx/1.wav,sad\ny/1.wav,calm\n", {"x - 1.wav": "sad", "y - 1.wav": "calm"}),
        ("file,label\n1.wav,sad\n", {"x - 1.wav": "sad", "y - 1.wav": "sad"}),
        ("file,label\nis it (me)?.wav,sad\n", {"is it (me).wav": "sad"}),
        ("file,label\nv/1.wav,sad\nw/1.wav,calm\na.wav,sad", {"a.wav": "sad"}),
        (
            "file,label\na,Sadness\nb.wav,ANG\n1,joy\n",
            {"a.wav": "sad", "b.flac": "angry", "x - 1.wav": "joy", "y - 1.wav": "joy"},
        ),
        ("file,label\nt.1,sad\nt.2.FLAC,calm\nt,angry\n", {"t.1.wav": "sad", "t.2.wav": "calm"}),
    ],
)
def test_true_labels_from_tables_as_people_write_them(tmp_path, content, found):
    table = tmp_path / "labels.csv"
    table.write_text(content, encoding="utf-8-sig")
    names = ("a.wav", "b.flac", "x - 1.wav", "y - 1.wav", "is it (me).wav", "t.1.wav", "t.2.wav")
    assert true_labels.from_table(table, [Path("up", name) for name in names], LABELS) == found


def test_true_labels_in_names_may_be_synonyms():
    names = {"anger - sad 1.wav": "angry", "1001_DFA_ANG_XX.wav": "angry", "Sadness.2.wav": "sad"}
    paths = [Path("up", name) for name in (*names, "sad and angry.wav", "joy - 1.wav")]
    assert true_labels.from_names(paths, LABELS) == names


@pytest.mark.parametrize(
    ("predicted", "true", "said", "wrong"),
    [
        ("sad", "Ärger", "The model does not know these labels: Ärger.", 0),
        (None, "sad", batch_result.NONE_PREDICTED, 0),
        (None, None, batch_result.FOUND_NO_LABEL, 0),
        ("sad", "angry", "(0 of 1 files)", 1),
    ],
)
def test_why_there_are_no_figures_beside_true_labels(predicted, true, said, wrong):
    row = {"file": "a.wav", "path": "a.wav", "label": predicted, "true": true, "duration": 1.0, "unsure": False}
    row |= {"probabilities": dict.fromkeys(LABELS, 1 / 3), "speech": {"seconds": 1.0}, "remark": "", "error": None}
    shown = html.unescape(batch_result.show([row], LABELS, told=True))
    assert said in shown and shown.count('class="ser-wrong"') == wrong
    told = (batch_result.NONE_PREDICTED, batch_result.FOUND_NO_LABEL, "does not know")
    assert sum(text in shown for text in told) == (0 if wrong else 1)


@pytest.mark.parametrize("content", [b"", b"one column\nonly\n", b"other.wav,sad\n", bytes(range(256))])
def test_what_is_no_table_of_true_labels_is_told(tmp_path, clip, content):
    table = tmp_path / "labels.csv"
    table.write_bytes(content)
    *_, (status, shown) = batch.predict_or_message(tiny_recognizer, [clip], False, true_labels.TABLE, str(table))
    assert "labels.csv" in status and 'role="alert"' in status and shown == ""


def test_a_file_that_takes_too_long_is_a_row(clip, tmp_path, monkeypatch):
    served, slow = tiny_recognizer(), tmp_path / "slow.wav"
    soundfile.write(slow, spoken(1.0), RATE)
    plain = served.predict_batch

    def predict_batch(waves, *args, **kwargs):
        if len(waves[0]) < 1.5 * RATE:
            raise NoModel(serving.TOO_LONG)
        return plain(waves, *args, **kwargs)

    monkeypatch.setattr(served, "predict_batch", predict_batch)
    *_, (status, table) = batch.predict_or_message(lambda: served, [clip, str(slow), clip])
    assert "2 files predicted, 1 failed." in status and re.search(rf"slow\.wav.*{serving.TOO_LONG}", table, re.DOTALL)
    monkeypatch.setattr(batch, "file_sums", lambda *_: predict_batch([[]]))
    assert list(batch.all_sums(served, [slow])) == [None]


def test_batch_without_files_or_with_too_many_is_told(clip):
    assert messages.NO_FILES in next(batch.predict_or_message(tiny_recognizer, []))[0]
    *_, (status, table) = batch.predict_or_message(tiny_recognizer, [clip] * (batch.MOST_FILES + 1))
    assert "501 files" in status and table == ""


def test_all_files_bad_are_rows_too(tmp_path):
    *_, (status, table) = batch.predict_or_message(tiny_recognizer, [str(tmp_path / "nowhere.wav")])
    assert "0 files predicted, 1 failed." in status and "nowhere.wav" in table and "emotions.csv" not in table


def test_compare_gives_one_answer_a_model(models, clip):
    assert models.titles == ["first", "second"]
    entries = compare.compare(models, clip, models.titles)
    assert [entry["model"] for entry in entries] == ["first", "second"]
    for entry in entries:
        assert entry["error"] is None and entry["duration"] == pytest.approx(2.0)
        assert entry["label"] == max(entry["probabilities"], key=entry["probabilities"].get)
    assert entries[0]["probabilities"] != entries[1]["probabilities"]
    *_, markup = compare.compare_or_message(models, clip, models.titles)
    assert (
        markup.count("<section>") == 2 and "Accuracy on unseen speakers: 55 %" in markup and messages.UNKNOWN in markup
    )


class Unreachable:
    """A model whose Hub does not answer."""

    def __init__(self):
        self.gives_up = threading.Event()

    def __call__(self):
        assert self.gives_up.wait(60)
        raise NoModel("The Hub does not answer.")


def test_a_model_that_does_not_answer_holds_up_no_other(models, clip, monkeypatch):
    silent = Unreachable()
    found = models.find
    monkeypatch.setattr(models, "find", lambda title: silent if title == "nobody/silent" else found(title))
    steps = compare.compare_or_message(models, clip, ["nobody/silent", "first"])
    assert next(steps).count(compare.AWAITED) == 2
    early = next(steps)
    assert early.count(compare.AWAITED) == 1 and "Probability of each emotion" in early
    silent.gives_up.set()
    (last,) = steps
    assert "The Hub does not answer." in last and compare.AWAITED not in last


def test_a_comparison_looks_for_each_model_once(models, clip, monkeypatch):
    """A model that a visitor typed may be forgotten meanwhile, and would be loaded from the Hub again."""
    found, asked = models.find, []

    def find(title):
        asked.append(title)
        if asked.count(title) > 1:
            raise NoModel("It was forgotten.")
        return found(title)

    monkeypatch.setattr(models, "find", find)
    *_, shown = compare.compare_or_message(models, clip, models.titles)
    assert shown.count("Probability of each emotion") == 2 and sorted(asked) == models.titles


def test_a_prediction_that_takes_too_long_ends_no_other(models, clip, monkeypatch):
    slow = models.find("second")()
    monkeypatch.setattr(slow, "predict_batch", lambda *_, **__: serving.limited(threading.Event().wait, 0.05))
    first, second = compare.compare(models, clip, models.titles)
    assert first["label"] and second["error"] == serving.TOO_LONG


def test_models_have_names_that_mean_something(checkpoints):
    shipped = Models(RecognizerLoader(str(ROOT / "checkpoints" / "default")), [str(checkpoints / "second")])
    report = shipped.report("default")
    caption = shipped.caption("default")
    low, high = (round(100 * edge) for edge in report["test"]["uar_interval"])
    assert caption.startswith("encoder-attention-augmented (default) · RAVDESS, CREMA-D, TESS, SAVEE: accuracy ")
    assert f"(95 % interval {low} to {high} %)" in caption
    assert shipped.caption("second") == "second" and shipped.name("user/model") == "user/model"


def test_a_model_that_cannot_be_had_says_so_beside_the_others(models, clip):
    first, missing, odd = compare.compare(models, clip, ["first", "nobody/nothing", "../first"])
    assert first["label"] and missing["label"] is None and odd["label"] is None
    assert "No model could be loaded from nobody/nothing" in missing["error"]
    assert "neither one of the models offered" in odd["error"]
    assert 'role="alert"' in list(compare.compare_or_message(models, clip, ["first", "nobody/nothing"]))[-1]


@pytest.mark.parametrize("report", [{"test": []}, {"test": {"accuracy": 0.5}}, [], REPORT | {"labels": 3}])
def test_a_report_of_another_form_counts_as_none(checkpoints, tmp_path, clip, report):
    odd = shutil.copytree(checkpoints / "second", tmp_path / "odd")
    (odd / "report.json").write_text(json.dumps(report))
    both = Models(RecognizerLoader(str(checkpoints / "second")), [])
    both.find = lambda title: RecognizerLoader(str(odd)) if title == "someone/odd" else both.main
    *_, shown = compare.compare_or_message(both, clip, ["someone/odd", "second"])
    assert shown.count("Probability of each emotion") == 2 or "No model could be loaded" in shown


def test_the_reports_that_ship_are_read():
    for path in ROOT.glob("checkpoints/*/report.json"):
        assert usable_report(json.loads(path.read_text())), path


def test_a_model_that_gives_no_numbers_ends_no_other(models, clip):
    for weights in models.find("second")().model.parameters():
        weights.data.fill_(np.nan)
    first, second = compare.compare(models, clip, models.titles)
    assert first["label"] and "not numbers" in second["error"]


@pytest.mark.parametrize("given", ["first", ["first"]])
def test_a_program_names_one_model_or_a_list(given):
    assert compare.titles_of(given) == ["first"] and compare.titles_of(None) == []
    for other in ([1], 3, {"a": 1}):
        with pytest.raises(NoModel, match="by their names"):
            compare.titles_of(other)


def test_compare_takes_clips_of_ten_minutes(models, tmp_path):
    soundfile.write(tmp_path / "long.wav", np.tile(spoken(1.0, 8000), 601), 8000)
    assert "at most 600 s" in list(compare.compare_or_message(models, str(tmp_path / "long.wav"), ["first"]))[-1]


def test_compare_says_what_is_missing_or_wrong(models, tmp_path, clip):
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    for path, titles, said in (
        (None, ["first"], messages.NOTHING_CHOSEN), (clip, [], messages.NO_MODELS), (str(bad), ["first"], "not audio")
    ):  # fmt: skip
        assert said in list(compare.compare_or_message(models, path, titles))[-1]


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


def test_about_tells_how_robust_the_shipped_models_are():
    first, second = (str(ROOT / "checkpoints" / name) for name in ("default", "logmel-cnn-bilstm"))
    shipped = Models(RecognizerLoader(first), [second])
    markup = about.robustness(shipped)
    for title in shipped.titles:
        found = json.loads((ROOT / "checkpoints" / title / "robustness.json").read_text())
        for result in (found, found["baselines"]["random"]):
            assert f"{result['share_passed']:.0%}" in markup
            noise = result["groups"]["noise"]
            assert f"{noise['passed']} of {noise['checks']}" in markup


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


def test_an_hour_is_decoded_only_where_there_is_a_place(clip, monkeypatch):
    none_free = threading.BoundedSemaphore(1)
    none_free.acquire()
    monkeypatch.setattr(serving, "_asking", none_free)
    recognizer = tiny_recognizer()
    for work in (lambda: voice_quality.measures_of(clip), lambda: predict_part(recognizer, clip)):
        with pytest.raises(NoModel, match="Other recordings"):
            work()
    decoded = DecodedClip(clip, np.zeros(RATE, dtype=np.float32), RATE, None)
    assert voice_quality._measured(clip, decoded, "all")[0] is None


def test_what_was_acted_is_told_beside_the_prediction_of_that_example():
    first, _ = found = examples.shipped()[:2]
    shelf, predicted = ExampleShelf(found), {"label": "calm"}
    clips = [DecodedClip(str(each.path), np.zeros(1), RATE, None) for each in found]
    assert f"Acted: {first.acted}." in shelf._told(0, predicted, clips[0])
    assert shelf._told(0, predicted, clips[1]) == gr.skip()  # chosen while the other one is predicted
    assert shelf._told(None, predicted, clips[1]) == gr.skip()  # taken away meanwhile


def test_examples_ship_with_what_was_acted_and_their_licence():
    found = examples.shipped()
    assert {example.acted for example in found} == {"neutral", "happy", "sad", "angry", "fear", "disgust"}
    text = (examples.FOLDER / "README.md").read_text()
    assert "CC BY 4.0" in text
    for example in found:
        assert f"| `{example.path.name}` | {example.acted} |" in text
        assert example.path.stat().st_size < 100_000 and soundfile.info(example.path).duration > 1


def test_test_actors_where_the_machine_has_them(mini_ravdess, tmp_path):
    found = examples.real(str(mini_ravdess.parent))
    assert [example.acted for example in found] == list(EMOTIONS)
    assert [example.path.stem[-2:] for example in found] == ["01", "11", "20", "21"] * 2
    assert not any(example.acted in example.name for example in found)
    assert examples.real(None) == examples.real(str(tmp_path)) == []


def test_programs_get_an_error_in_words():
    def refuse(audio):
        raise AudioError("The recording is silent.")

    with pytest.raises(gr.Error, match="The recording is silent"):
        in_words(refuse)("clip.wav")
    with pytest.raises(gr.Error, match="Record or upload"):
        in_words(refuse)(None)
