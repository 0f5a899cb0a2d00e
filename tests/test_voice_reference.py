"""Voice measures, their reference, and the command that makes it."""

import json
import math

import numpy as np
import pytest
from demo_helpers import RATE, phrases

from ser_model.__main__ import main
from ser_model.cli.voice_reference import CORPORA, draw_clips
from ser_model.inference.voice_activity import speaking_level
from ser_model.inference.voice_reference import (
    GROUPS,
    PERCENTILES,
    SHIPPED,
    UNITS,
    VoiceReference,
    measure_voice,
    quantiles,
    reference_from,
)
from ser_model.models.voice_quality_ser import voice_quality


@pytest.fixture(scope="module")
def shipped():
    return VoiceReference.load()


def made_up(count: int, centre: float) -> list[dict[str, float]]:
    return [dict.fromkeys(UNITS, centre + place) for place in range(count)]


def test_measures_are_those_of_praat_and_of_the_speech_gate():
    wave = phrases(2.0)
    measures, quality = measure_voice(wave, RATE), voice_quality(wave, RATE)
    assert list(measures) == list(UNITS)
    assert measures["f0_mean"] == quality["f0_mean"] and measures["hnr"] == quality["hnr"]
    assert (measures["loudness"], measures["speaking_part"]) == speaking_level(wave, RATE)


def test_what_cannot_be_measured_is_nan():
    hiss = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    measures = measure_voice(hiss, RATE)
    assert math.isnan(measures["jitter_local"]) and math.isnan(measures["loudness"])
    assert measures["speaking_part"] == 0


def test_quantiles_pass_over_what_was_not_measured():
    rows = [*made_up(101, 0.0), dict.fromkeys(UNITS, math.nan)]
    summary = quantiles(rows)["hnr"]
    assert summary["count"] == 101 and summary["values"] == [float(percentile) for percentile in PERCENTILES]
    assert quantiles([])["hnr"] == {"count": 0, "values": []}


def test_a_value_finds_its_place_in_each_group():
    reference = VoiceReference(reference_from({"women": made_up(101, 200.0), "men": made_up(101, 100.0)}, {"seed": 0}))
    assert reference.percentile("f0_mean", "women", 250.0) == pytest.approx(50)
    assert reference.percentile("f0_mean", "men", 250.0) == 99
    assert reference.percentile("f0_mean", "women", 0.0) == 1
    assert reference.percentile("f0_mean", "all", 200.5) == pytest.approx(50, abs=1)
    assert reference.percentile("f0_mean", "men", math.nan) is None
    assert reference.content["measures"]["f0_mean"]["all"]["count"] == 202


def test_the_distribution_is_highest_where_values_are_common():
    rows = [dict.fromkeys(UNITS, value) for value in np.random.default_rng(0).normal(10, 2, 5000)]
    reference = VoiceReference(reference_from({"women": rows, "men": rows}, {}))
    places = np.linspace(4, 16, 49)
    density = reference.density("hnr", "women", places)
    assert density.shape == places.shape and density.max() == 1 and density.min() >= 0
    assert places[density.argmax()] == pytest.approx(10, abs=1.5)
    assert density[0] < 0.4 and density[-1] < 0.4


def test_the_shipped_reference_is_small_whole_and_plausible(shipped):
    assert SHIPPED.stat().st_size < 30_000
    content = shipped.content
    assert set(content["corpora"]) == set(CORPORA) and content["clips_per_speaker"] > 0 and "seed" in content
    clips = sum(corpus["clips"] for corpus in content["corpora"].values())
    for name in UNITS:
        for group in GROUPS:
            values = shipped.values(name, group)
            assert len(values) == len(PERCENTILES) and (np.diff(values) >= 0).all()
            assert content["measures"][name][group]["count"] > 0.9 * clips * (1 if group == "all" else 0.3)
    medians = {group: shipped.values("f0_mean", group)[PERCENTILES.index(50)] for group in GROUPS}
    assert 100 < medians["men"] < medians["all"] < medians["women"] < 280


def test_every_speaker_gives_as_many_clips():
    rows = [(f"a{speaker}_{clip}", "a", f"a_{speaker}", sex) for speaker, sex in ((1, "male"), (2, "female"), (3, None))
            for clip in range(30)]  # fmt: skip
    table = dict(zip(("audio", "corpus", "speaker", "sex"), map(list, zip(*rows, strict=True)), strict=True))
    chosen = draw_clips(table, 5, seed=1)
    assert sorted(row["speaker"] for row in chosen) == ["a_1"] * 5 + ["a_2"] * 5
    assert chosen == draw_clips(table, 5, seed=1) != draw_clips(table, 5, seed=2)


def test_the_command_measures_a_corpus(mini_ravdess, tmp_path, capsys):
    output = tmp_path / "reference.json"
    words = ["--data_dir", mini_ravdess, "--corpora", "ravdess", "--clips_per_speaker", 1, "--output", output]
    assert main(["voice-reference", *map(str, words)]) == 0
    assert "24 clips" in capsys.readouterr().out
    content = json.loads(output.read_text())
    assert content["corpora"] == {"ravdess": {"clips": 24, "women": 12, "men": 12}}
    assert content["measures"]["f0_mean"]["women"]["count"] == 12
    assert str(tmp_path) not in output.read_text() and str(mini_ravdess) not in output.read_text()


def test_the_command_without_corpora_says_so(tmp_path, capsys):
    assert main(["voice-reference", "--data_dir", str(tmp_path), "--corpora", "ravdess"]) == 1
    assert capsys.readouterr().err.startswith("voice-reference: ")


@pytest.mark.parametrize(
    ("actors", "output", "said"),
    [
        ("Actor_0[13]", "made.json", "no clip of the corpora is known to be of women"),
        ("Actor_01", "missing/made.json", "missing/made.json cannot be written"),
    ],
)
def test_the_command_refuses_before_it_measures(mini_ravdess, tmp_path, capsys, actors, output, said):
    for folder in mini_ravdess.glob(actors):
        (tmp_path / folder.name).symlink_to(folder)
    words = ["--data_dir", tmp_path, "--corpora", "ravdess", "--output", tmp_path / output]
    assert main(["voice-reference", *map(str, words)]) == 1
    assert said in capsys.readouterr().err and not (tmp_path / output).exists()


def test_the_measures_of_a_real_speaker_lie_within_the_reference(shipped, corpora):
    from ser_model.audio import load_audio

    path = next((corpora / "ravdess").rglob("03-01-01-01-01-01-01.flac"))
    measures = measure_voice(load_audio(path, RATE), RATE)
    places = {name: shipped.percentile(name, "men", value) for name, value in measures.items()}
    assert sum(1 < place < 99 for place in places.values()) >= 5, places
