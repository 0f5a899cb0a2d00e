"""The recognizer, on the shipped checkpoint."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from conftest import ROOT, spoken, voiced_tone
from not_speech import NOT_SPEECH

from ser_model import (
    AudioError,
    CnnBilstmConfig,
    CnnBilstmForAudioClassification,
    EmotionRecognizer,
    SerFeatureExtractor,
    load_audio,
)
from ser_model.inference.recognizer import ModelError
from ser_model.inference.results import SHORT_SECONDS

DEFAULT = ROOT / "checkpoints" / "default"


@pytest.fixture(scope="module")
def recognizer():
    return EmotionRecognizer.from_pretrained(DEFAULT)


def test_path_bytes_and_array_give_one_answer(recognizer, tmp_path):
    wave, path = spoken(2.0), tmp_path / "clip.wav"
    soundfile.write(path, wave, 16_000, subtype="FLOAT")
    answers = [recognizer(path), recognizer(path.read_bytes()), recognizer(wave, 16_000)]
    assert answers[0].probabilities == answers[1].probabilities == answers[2].probabilities
    assert answers[0].label == max(answers[0].probabilities, key=answers[0].probabilities.get)
    assert list(answers[0].probabilities) == recognizer.labels
    assert sum(answers[0].probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 4.9, 20.0])
def test_attention_and_duration_cover_the_whole_clip(recognizer, seconds):
    result = recognizer(voiced_tone(seconds), 16_000)
    assert result.duration == pytest.approx(seconds)
    assert result.attention.times.shape == result.attention.weights.shape
    assert result.attention.times[0] == 0
    assert result.attention.times[-1] == pytest.approx(seconds, abs=0.1)
    assert result.attention.weights.sum() == pytest.approx(1, abs=1e-4)
    # attention is spread over every stretch longer than a window's overlap
    for start in np.arange(0, max(seconds - 2.4, 0.1), 2.4):
        part = (result.attention.times >= start) & (result.attention.times < start + 2.4)
        assert result.attention.weights[part].sum() > 0


def test_a_batch_of_recordings_is_each_recording_alone(recognizer):
    tones = [voiced_tone(seconds, seed=index) for index, seconds in enumerate([0.2, 11.0, 1.0, 4.9] + [0.5] * 14)]
    waves = [load_audio(tone, 16_000, source_rate=16_000) for tone in tones]
    together = recognizer.predict_batch(waves)
    assert len(together) == len(waves) and recognizer.predict_batch([]) == []
    for wave, result in zip(waves, together, strict=True):
        alone = recognizer(wave, 16_000)
        assert result.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
        np.testing.assert_allclose(result.attention.weights, alone.attention.weights, atol=1e-5)
        np.testing.assert_array_equal(result.attention.times, alone.attention.times)
        assert result.duration == alone.duration == pytest.approx(len(wave) / 16_000)


def test_a_model_without_attention_over_time_gives_none():
    class Quiet(CnnBilstmForAudioClassification):
        def encode(self, x, lengths):
            return super().encode(x, lengths)[0], None

    config = CnnBilstmConfig(num_labels=2, conv_channels=[2], lstm_hidden_size=2)
    assert EmotionRecognizer(Quiet(config), SerFeatureExtractor())(voiced_tone(6.0), 16_000).attention is None


def test_silence_within_a_long_clip_is_no_error(recognizer):
    wave = np.concatenate([voiced_tone(2.0), np.zeros(16_000 * 12, dtype=np.float32), voiced_tone(2.0)])
    assert recognizer(wave, 16_000).duration == pytest.approx(16)


def test_silence_is_refused_with_a_reason(recognizer):
    with pytest.raises(AudioError, match="silent"):
        recognizer(np.zeros(16_000), 16_000)


@pytest.mark.parametrize("name", sorted(set(NOT_SPEECH) - {"silence"}))  # which is refused
def test_what_is_not_speech_gets_no_emotion(recognizer, name):
    result = recognizer(NOT_SPEECH[name], 16_000)
    assert result.label is None and result.speech == (0.0, 0.0) and not result.unsure
    assert result.remark.startswith("Nothing in the recording sounds like speech") and sum(
        result.probabilities.values()
    ) == pytest.approx(1, abs=1e-5)
    (whole,) = recognizer.predict_batch([load_audio(NOT_SPEECH[name], 16_000, source_rate=16_000)], gate=False)
    assert whole.probabilities == result.probabilities and whole.label is not None and whole.speech is None


def test_shipped_examples_are_speech(recognizer):
    for path in sorted((ROOT / "examples").glob("*.flac")):
        result = recognizer(path)
        assert result.label in recognizer.labels and 1 < result.speech.seconds < result.duration
        assert result.speech.share == pytest.approx(result.speech.seconds / result.duration)
        (whole,) = recognizer.predict_batch([load_audio(path, 16_000)], gate=False)
        assert whole.probabilities == result.probabilities  # a short clip is analysed whole


def test_short_speech_is_said(recognizer):
    result = recognizer(np.pad(spoken(0.4), 16_000), 16_000)
    assert result.label and 0.25 <= result.speech.seconds < SHORT_SECONDS
    assert result.remark.startswith(f"Only {result.speech.seconds:.1f} s of speech")


def test_a_long_recording_is_analysed_where_there_is_speech(recognizer):
    """Twenty seconds of silence on either side change nothing but where attention lies."""
    pause, wave = np.zeros(20 * 16_000, dtype=np.float32), np.pad(spoken(6.0), 8_000)
    alone, amid = recognizer(wave, 16_000), recognizer(np.concatenate([pause, wave, pause]), 16_000)
    assert list(amid.probabilities.values()) == pytest.approx(list(alone.probabilities.values()), abs=0.1)
    spoken_part = (amid.attention.times >= 20) & (amid.attention.times < 27)
    assert amid.attention.weights[spoken_part].sum() == pytest.approx(1, abs=1e-4)
    assert amid.attention.times[-1] == pytest.approx(47, abs=0.1)


def test_unsure_names_no_emotion_less(recognizer, monkeypatch):
    clip = ROOT / "tests" / "voices" / "even.flac"
    sure = recognizer(clip)
    monkeypatch.setattr(recognizer.model.config, "unsure_below", max(sure.probabilities.values()) + 0.001)
    unsure = recognizer(clip)
    assert unsure.unsure and unsure.label == sure.label and unsure.probabilities == sure.probabilities
    assert "three of four predictions" in unsure.remark
    assert not recognizer(NOT_SPEECH["hum"], 16_000).unsure  # there it is no emotion at all


def test_threads_share_the_gate(recognizer):
    clips = [np.pad(spoken(2.0, number=number), 8_000) for number in range(4)] + [NOT_SPEECH["hum"]]
    expected = [recognizer(clip, 16_000).speech for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda clip: recognizer(clip, 16_000).speech, clips * 4))
    assert found == expected * 4


def test_no_such_model(tmp_path):
    for name in (tmp_path / "nowhere", tmp_path, "nobody/nothing"):
        with pytest.raises(ModelError, match="No model could be loaded"):
            EmotionRecognizer.from_pretrained(name)


def test_the_report_describes_the_training(recognizer):
    report = recognizer.report
    assert (report["preset"], report["protocol"], report["fold"]) == ("encoder-attention-augmented", "speaker", 1)
    assert report["labels"] == recognizer.labels
    assert report["leakage"]["test"] == {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) < 32e6


def test_the_code_shipped_with_the_weights_is_the_projects_own():
    copies = list(DEFAULT.parent.glob("*/*_ser.py"))
    assert {path.parent for path in copies} == set(DEFAULT.parent.iterdir())
    for path in copies:
        assert path.read_text() == (ROOT / "ser_model/models" / path.name).read_text(), path.name


def test_on_real_test_speakers(recognizer, corpora):
    """Clip by clip as the report counted them: actor 1 of the test speakers."""
    paths = sorted((corpora / "ravdess").rglob("03-01-*-01.flac"))
    right = [recognizer.labels[int(path.name[6:8]) - 1] == recognizer(path).label for path in paths]
    assert len(paths) == 60
    assert np.mean(right) == pytest.approx(recognizer.report["test"]["per_speaker"]["ravdess_01"]["accuracy"])


def test_unsure_and_reliability_on_real_test_speakers(corpora):
    """What is said beside a prediction holds, about, for the first ten clips of each test speaker."""
    recognizer = EmotionRecognizer.from_pretrained(DEFAULT.parent / "logmel-cnn-bilstm")
    speakers = [name[-2:] for name in recognizer.report["test"]["per_speaker"]]
    paths = [path for actor in speakers for path in sorted((corpora / "ravdess").rglob(f"03-01-*-{actor}.flac"))[::6]]
    results = [(recognizer(path), recognizer.labels[int(path.name[6:8]) - 1]) for path in paths]
    assert len(results) == 40 and all(result.label for result, _ in results)
    sure = [result.label == truth for result, truth in results if not result.unsure]
    unsure = [result.label == truth for result, truth in results if result.unsure]
    assert np.mean(sure) > np.mean(unsure) and np.mean(sure) == pytest.approx(
        recognizer.report["test"]["answered"]["right"], abs=0.2
    )
    assert all(result.unsure == (max(result.probabilities.values()) < recognizer.unsure_below) for result, _ in results)
