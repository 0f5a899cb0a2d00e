"""Test clips predicted with profiles of other clips of their speaker."""

import json
import zlib

import numpy as np
import pytest
import soundfile
import torch
from conftest import voiced_tone
from datasets import ClassLabel, Dataset
from hub_helpers import small_checkpoint

from ser_model import EmotionRecognizer
from ser_model.audio import load_audio
from ser_model.evaluation.predictions import predict_items
from ser_model.evaluation.voice_profiles import SpeakerFrames, draw_profiles, predict_with_profiles
from ser_model.inference import voice_profile
from ser_model.inference.voice_profile import VoiceProfile, wave_sums
from ser_model.labels import EMOTIONS
from ser_model.metrics import emotion_metrics
from ser_model.training.augmentation import Augmentation

RATE = 16_000
SECONDS = (0.5, 0.9, 1.4, 0.7, 2.0, 1.1)
PLAIN = Augmentation()


@pytest.fixture(scope="module", autouse=True)
def strong_profiles():
    """A second of speech counts nearly in full, so that small profiles change predictions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voice_profile, "SHRINK_FRAMES", 5)
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Six clips of each of five speakers of two corpora, each corpus at its own pitch; every third is neutral."""
    folder, rows = tmp_path_factory.mktemp("clips"), []
    for number in range(5):
        for take, seconds in enumerate(SECONDS):
            path = folder / f"{number}-{take}.wav"
            seed = 10 * number + take
            soundfile.write(path, voiced_tone(seconds, RATE, 90 + 50 * number + 12 * take, seed), RATE)
            corpus = "one" if number < 3 else "two"
            emotion = "neutral" if take % 3 == 0 else EMOTIONS[1 + (take + number) % 7]
            rows.append(
                {
                    "audio": str(path),
                    "corpus": corpus,
                    "speaker": f"{corpus}_{number}",
                    "sex": "male",
                    "emotion": emotion,
                }
            )
    return Dataset.from_list(rows).cast_column("emotion", ClassLabel(names=EMOTIONS))


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory, table):
    """A tiny untrained network, with a bias that makes it predict several labels."""
    made = EmotionRecognizer.from_pretrained(small_checkpoint(tmp_path_factory.mktemp("encoder"), "ser_speech_encoder"))
    logits = torch.tensor([list(made(path).probabilities.values()) for path in table["audio"]]).log()
    with torch.no_grad():
        made.model.heads[0].classifier.bias -= made.model.config.calibration_temperature * logits.mean(dim=0)
    return made


@pytest.fixture(scope="module")
def figures(recognizer, table):
    return predict_with_profiles(recognizer, table, items_of(table), PLAIN, seed=3)[1]


def items_of(table):
    return [(row, 0) for row in range(len(table))]


def drawn(number_of_clips, is_neutral=None, clips=None, seed=0):
    clips = np.arange(number_of_clips) if clips is None else np.array(clips)
    neutral = np.zeros(len(clips), dtype=bool) if is_neutral is None else np.array(is_neutral)
    return draw_profiles(clips, neutral, np.random.default_rng(seed))


def test_a_profile_holds_so_many_other_clips_each_once():
    profiles = drawn(25)
    assert list(profiles) == ["0", "1", "3", "5", "10", "20", "all", "3 neutral", "all neutral"]
    for kind, size in {"0": 0, "1": 1, "3": 3, "5": 5, "10": 10, "20": 20, "all": 24, "3 neutral": 0}.items():
        for clip, profile in enumerate(profiles[kind]):
            assert len(profile) == len(set(profile.tolist())) == size
            assert clip not in profile
    assert len({tuple(profile.tolist()) for profile in profiles["3"]}) > 20  # drawn for each clip anew


def test_with_fewer_others_all_are_taken():
    profiles = drawn(4)
    assert [sorted(profile.tolist()) for profile in profiles["20"]] == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert drawn(1)["all"][0].size == 0


def test_neutral_profiles_hold_neutral_clips_alone():
    profiles = drawn(8, is_neutral=[True, False, True, False, True, True, False, True])
    assert [sorted(profile.tolist()) for profile in profiles["all neutral"]][:2] == [[2, 4, 5, 7], [0, 2, 4, 5, 7]]
    assert all(len(profile) == 3 and set(profile) <= {0, 2, 4, 5, 7} for profile in profiles["3 neutral"])


def test_other_views_of_a_clip_are_not_in_its_profile():
    profiles = drawn(None, clips=[5, 5, 9, 9, 9])
    assert [sorted(profile.tolist()) for profile in profiles["all"]] == [[2, 3, 4], [2, 3, 4], [0, 1], [0, 1], [0, 1]]


def test_draws_follow_the_seed():
    one, same, other = (drawn(30, seed=seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one["10"], same["10"], strict=True))
    assert any((a != b).any() for a, b in zip(one["10"], other["10"], strict=True))


@pytest.mark.parametrize("kind", ["0", "1", "3", "all", "3 neutral"])
def test_figures_are_those_of_the_recognizer_with_such_profiles(recognizer, table, figures, kind):
    """Each clip through the public path, with a profile file of the clips that were drawn."""
    paths, emotions = list(table["audio"]), np.array(table["emotion"])
    predicted = []
    for speaker, first in zip(("one_0", "one_1", "one_2", "two_3", "two_4"), range(0, 30, 6), strict=True):
        rows = np.arange(first, first + 6)
        profiles = draw_profiles(rows, emotions[rows] == 0, np.random.default_rng([3, zlib.crc32(speaker.encode())]))[
            kind
        ]
        for row, profile in zip(rows, profiles, strict=True):
            clips = [paths[clip] for clip in rows[profile]]
            sums = [wave_sums(recognizer, load_audio(clip, RATE)) for clip in clips]
            voice = VoiceProfile.from_sums(recognizer, sums) if sums else None
            wave = load_audio(paths[row], recognizer.sampling_rate)
            (result,) = recognizer.predict_batch([wave], voice, gate=False)
            predicted.append(recognizer.labels.index(result.label))
    expected = emotion_metrics(predicted, emotions, recognizer.labels)
    assert (figures[kind]["uar"], figures[kind]["accuracy"]) == (expected["uar"], expected["accuracy"])
    for corpus, chosen in (("one", slice(0, 18)), ("two", slice(18, 30))):
        expected = emotion_metrics(predicted[chosen], emotions[chosen], recognizer.labels)
        found = figures[kind]["per_corpus"][corpus]
        assert [found[name] for name in ("uar", "macro_f1")] == [expected[name] for name in ("uar", "macro_f1")]


def test_profiles_change_figures(figures):
    assert len({json.dumps(of_kind) for of_kind in figures.values()}) > 3


def test_a_speakers_draws_do_not_depend_on_the_others(recognizer, table, figures):
    """So that evaluating some corpora repeats what a report says of them."""
    _, alone = predict_with_profiles(recognizer, table, items_of(table)[18:], PLAIN, seed=3)
    for kind, of_kind in alone.items():
        assert of_kind["per_corpus"] == {"two": figures[kind]["per_corpus"]["two"]}
    _, other_seed = predict_with_profiles(recognizer, table, items_of(table), PLAIN, seed=4)
    assert other_seed["all"] == figures["all"] and other_seed != figures


def test_intervals_need_three_speakers(figures):
    one, two = figures["5"]["per_corpus"].values()
    assert two["uar_interval"] is None and one["uar_interval"][0] <= one["uar"] <= one["uar_interval"][1]


def test_padding_and_the_order_of_clips_change_nothing(recognizer):
    waves = [voiced_tone(seconds, RATE, 100 + 30 * number) for number, seconds in enumerate(SECONDS)]
    together = SpeakerFrames(recognizer, waves)
    profiles = [np.array([(number + 1) % 6]) for number in range(6)]
    alone = [
        SpeakerFrames(recognizer, [waves[number], waves[(number + 1) % 6]]).predict([np.array([1]), np.array([0])])[0]
        for number in range(6)
    ]
    np.testing.assert_allclose(together.predict(profiles), alone, atol=1e-5)


def test_a_long_clip_is_cut_to_its_first_window(recognizer):
    wave = voiced_tone(5.0, RATE)
    long, short = (SpeakerFrames(recognizer, [part]).frames[0] for part in (wave, wave[: 2 * RATE]))
    assert len(long) == len(short) == recognizer.model.config.num_frames // 4
    np.testing.assert_allclose(long[:-1], short[:-1], atol=0.02)  # the last frame of the short one sees the end


def test_no_label_neutral_no_neutral_profiles(recognizer, table):
    others = [item for item in items_of(table) if table[item[0]]["emotion"] != 0]
    _, figures = predict_with_profiles(recognizer, table, others, PLAIN, 0)
    assert list(figures) == ["0", "1", "3", "5", "10", "20", "all"]


def test_who_takes_no_profiles_has_no_figures(recognizer, table, tmp_path):
    folder = small_checkpoint(tmp_path / "cnn", "ser_cnn_bilstm")
    network = EmotionRecognizer.from_pretrained(folder)
    assert predict_with_profiles(network, table, items_of(table), PLAIN, 0) is None
    nobody = table.remove_columns("speaker").add_column("speaker", [None, *table["speaker"][1:]])
    assert predict_with_profiles(recognizer, nobody, items_of(table), PLAIN, 0) is None


def test_without_profile_a_clip_is_predicted_as_by_everyone(recognizer, table, tmp_path):
    """All windows of a long one, whatever clips stand beside it."""
    path = tmp_path / "long.wav"
    soundfile.write(path, np.concatenate([voiced_tone(2.0, RATE, pitch) for pitch in (90, 200, 310)]), RATE)
    longer = table.select(range(7)).map(
        lambda row, index: row | ({"audio": str(path)} if index == 2 else {}), with_indices=True
    )
    probabilities, _ = predict_with_profiles(recognizer, longer, items_of(longer), PLAIN, 0)
    one_by_one = [
        list(recognizer.predict_batch([load_audio(clip, RATE)], gate=False)[0].probabilities.values())
        for clip in longer["audio"]
    ]
    np.testing.assert_allclose(probabilities, one_by_one, atol=1e-5)
    np.testing.assert_allclose(
        predict_items(recognizer, longer, items_of(longer), PLAIN, 0, "test"), one_by_one, atol=1e-5
    )
