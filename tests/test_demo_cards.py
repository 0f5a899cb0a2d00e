"""HTML of the page, and the colours in it."""

import base64
import itertools
import re

import numpy as np
import pytest

from demo import cards
from demo.colours import EMOTION_COLOURS, OTHER_COLOUR, colour_of, ink_on
from ser_model.inference.results import EmotionResult, Speech
from ser_model.labels import EMOTIONS

# Severe colour blindness in linear RGB: Machado, Oliveira and Fernandes (2009).
EYES = {
    "typical": np.eye(3),
    "red-blind": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "green-blind": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "blue-blind": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)


def seen(colour: str, eye) -> np.ndarray:
    """CIELAB of a hex colour as an eye sees it."""
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.clip(XYZ @ np.clip(np.asarray(eye) @ linear, 0, 1) / WHITE, 1e-3, 1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_emotion_has_its_own_colour():
    assert set(EMOTION_COLOURS) == set(EMOTIONS)
    assert len({*EMOTION_COLOURS.values(), OTHER_COLOUR}) == len(EMOTIONS) + 1
    assert colour_of("boredom") == OTHER_COLOUR


@pytest.mark.parametrize("eye", EYES)
def test_colours_differ_to_every_eye(eye):
    for one, other in itertools.combinations(EMOTION_COLOURS, 2):
        apart = np.linalg.norm(seen(colour_of(one), EYES[eye]) - seen(colour_of(other), EYES[eye]))
        assert apart > 10, f"{one} and {other} look alike"


def test_names_on_colours_can_be_read():
    for label in EMOTION_COLOURS:
        paper, ink = (seen(colour, EYES["typical"])[0] for colour in (colour_of(label), ink_on(label)))
        assert abs(paper - ink) > 45, label
    assert (ink_on("happy"), ink_on("sad")) == ("#000000", "#FFFFFF")


def test_bars_are_ranked_named_and_measured():
    markup = cards.bar_list({"calm": 0.2, "angry": 0.7, "sad": 0.1})
    assert re.findall(r'data-label="(\w+)"', markup) == ["angry", "calm", "sad"]
    assert re.findall(r'aria-valuenow="([\d.]+)"', markup) == ["70.0", "20.0", "10.0"]
    assert re.findall(r"<span class=\"ser-percent\">([^<]+)<", markup) == ["70 %", "20 %", "10 %"]
    assert f'style="--emotion: {colour_of("angry")}" data-label="angry"' in markup


def predicted(label: str | None, speech: Speech | None = None, unsure_below: float = 0.0) -> dict:
    return EmotionResult(label, {"sad": 0.387, label or "fear": 0.613}, None, 3.0, speech, unsure_below).as_data()


def test_emotion_card_shows_label_share_and_only_what_there_is_to_say():
    markup = cards.emotion_card(predicted("fear"), ["Close second: sad (30 %).", "", "3.0 s"])
    assert '<strong class="ser-label">fear</strong>' in markup and "61 %" in markup
    assert "moderate confidence" in markup
    assert markup.count("<p>") == 2 and "<details" not in markup
    folded = cards.emotion_card(predicted("fear"), [], how=["UAR 53 %.", ""]).split("<details")[1]
    assert "UAR 53 %." in folded and folded.count("<p>") == 1
    assert colour_of("fear") in markup and "ser-weak" not in markup


def test_no_speech_and_unsure_stand_in_the_same_place_in_weaker_type():
    none = cards.emotion_card(predicted(None, Speech(0.0, 0.0)), [])
    assert '<strong class="ser-label">No speech found</strong>' in none and "%" not in none and "ser-weak" in none
    assert colour_of("fear") not in none and "sounds like speech" in none
    unsure = cards.emotion_card(predicted("fear", unsure_below=0.7), [])
    assert '<strong class="ser-label">Unsure: fear or sad</strong>' in unsure and "ser-weak" in unsure
    assert "below 70 %" in unsure and "three of four" in unsure


def test_nothing_from_outside_becomes_markup():
    evil = '<img src=x onerror="alert(1)">'
    for markup in (
        cards.message_card(evil),
        cards.note([evil]),
        cards.emotion_card(predicted(evil), [evil], lead=evil, how=[evil]),
        cards.bar_list({evil: 1.0}),
        cards.picture("", "", evil),
        cards.clip_picture([("", (0.1, 0.9))], evil, evil),
        cards.legend([evil]),
        cards.progress_card(0.5, evil),
        cards.downloads({evil: (evil, "text/csv", evil)}),
        cards.table(evil, [evil], [[evil]], swatches=True, sortable=True),
        cards.confusion(evil, [evil], [[1]]),
        cards.distribution({evil: 1}),
        cards.measure_card(evil, evil, "", evil, evil),
        cards.live_state(evil, evil),
        cards.side_by_side([(evil, "")]),
        cards.heading(evil, evil),
        cards.about({evil: [evil]}, {evil: evil}),
        cards.header(evil, evil, [evil]),
    ):
        assert "<img" not in markup and 'x onerror="' not in markup


def test_a_message_is_announced():
    assert 'role="alert"' in cards.message_card("The recording is silent.")


def test_downloads_hold_the_file_itself():
    markup = cards.downloads({"a.csv": ("CSV", "text/csv", "emotion\nséparé\n")})
    name, held = re.search(r'download="([^"]+)" href="data:text/csv;charset=utf-8;base64,([^"]+)"', markup).groups()
    assert name == "a.csv" and base64.b64decode(held).decode() == "emotion\nséparé\n"


def test_progress_tells_how_far_it_is():
    markup = cards.progress_card(0.25, "Predicted 1 of 4 files")
    assert 'role="progressbar"' in markup and 'aria-valuenow="25"' in markup and "Predicted 1 of 4 files" in markup


def test_heads_sort_only_where_asked():
    assert cards.table("t", ["a"], [["1"]]).count("ser-sort") == 0
    assert cards.table("t", ["a", "b"], [["1", "2"]], sortable=True).count('class="ser-sort"') == 2


def test_live_shows_silence_as_silence_and_the_last_utterance_in_weaker_type():
    silence = cards.live_state("silence", "No speech")
    assert "silence" in silence and "%" not in silence and "ser-weak" in silence and "ser-live-now" in silence
    last = cards.emotion_card(predicted("sad"), [], "Silence. Last utterance, 1.0 to 3.0 s", live=True)
    assert colour_of("sad") in last and "61 %" in last and "ser-weak" in last and "1.0 to 3.0 s" in last
