"""Voice profiles: what they hold, what they change, and whom they are refused."""

import json
import resource
import threading

import numpy as np
import pytest
import soundfile
import torch
from conftest import called, voiced_tone
from demo_helpers import phrases
from hub_helpers import small_checkpoint

from ser_model import EmotionRecognizer
from ser_model.__main__ import main
from ser_model.inference import timeline
from ser_model.inference.timeline import plan_windows, predict_timeline, predict_windows, voice_of
from ser_model.inference.timeline_formats import as_data
from ser_model.inference.voice_profile import SHRINK_FRAMES, VoiceProfile, VoiceProfileError, shrunk

RATE = 16_000
CLIPS = [voiced_tone(seconds, RATE, 180.0 + seconds) for seconds in (0.83, 1.5, 4.7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_checkpoint(tmp_path_factory.mktemp("checkpoint") / "encoder", "ser_speech_encoder")


@pytest.fixture(scope="module")
def recognizer(folder):
    return EmotionRecognizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def profile(recognizer):
    return VoiceProfile.from_clips(recognizer, CLIPS, RATE)


def test_the_statistics_are_those_of_all_frames(recognizer, profile):
    """Also of a clip that is longer than the network's span, which is encoded span by span."""
    span = recognizer.model.config.num_frames * 160
    parts = [CLIPS[0], CLIPS[1]]
    features = [recognizer.feature_extractor(clip, RATE, return_tensors="pt")["input_features"] for clip in parts]
    features += recognizer.feature_extractor(CLIPS[2], RATE, return_tensors="pt")["input_features"].split(200, dim=1)
    assert len(CLIPS[2]) > 2 * span and len(features) == 5
    with torch.no_grad():
        frames = torch.cat([recognizer.model.encoder_frames(x, torch.tensor([x.shape[1]]))[0] for x in features])
    assert profile.num_frames == len(frames) == 20 + 37 + 50 + 50 + 17
    np.testing.assert_allclose(profile.mean, frames.mean(dim=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(profile.std, frames.std(dim=0, correction=0), rtol=1e-3, atol=1e-5)


def test_it_counts_more_the_more_speech_it_is_made_of():
    own, of_training = torch.tensor([3.0]), torch.tensor([1.0])
    assert shrunk(own, of_training, 0) == 1
    assert shrunk(own, of_training, SHRINK_FRAMES) == 2
    assert shrunk(own, of_training, 10**9).item() == pytest.approx(3, abs=1e-4)


def test_a_profile_changes_the_prediction_and_leaves_the_model_as_it_was(recognizer, profile):
    before = recognizer(CLIPS[1], RATE)
    with_profile = recognizer(CLIPS[1], RATE, voice=profile)
    assert max(abs(with_profile.probabilities[label] - p) for label, p in before.probabilities.items()) > 1e-4
    assert recognizer(CLIPS[1], RATE).probabilities == before.probabilities
    statistics = {name: getattr(recognizer.model, name).clone() for name in ("frames_mean", "frames_std")}
    by_hand = EmotionRecognizer(recognizer.model, recognizer.feature_extractor)
    try:
        for name, values in (("frames_mean", profile.mean), ("frames_std", profile.std)):
            getattr(by_hand.model, name).copy_(shrunk(torch.tensor(values), statistics[name], profile.num_frames))
        assert by_hand(CLIPS[1], RATE).probabilities == pytest.approx(with_profile.probabilities, abs=1e-6)
    finally:
        for name, values in statistics.items():
            getattr(recognizer.model, name).copy_(values)


def test_two_voices_at_once_do_not_mix(recognizer, profile):
    """Two threads, each with a profile of its own, between whose predictions the other's always falls."""
    other = VoiceProfile.from_clips(recognizer, [voiced_tone(3.0, RATE, 90.0)], RATE)
    wave = CLIPS[1]
    alone = [recognizer(wave, RATE, voice=voice).probabilities for voice in (profile, other)]
    assert alone[0] != alone[1]
    together: list[list] = [[], []]
    both = threading.Barrier(2)

    def predict(number, voice):
        for _ in range(40):
            both.wait(60)
            together[number].append(recognizer(wave, RATE, voice=voice).probabilities)

    threads = [threading.Thread(target=predict, args=pair) for pair in enumerate((profile, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert together == [[alone[0]] * 40, [alone[1]] * 40]


def test_saved_and_loaded_it_is_the_same_and_holds_no_audio(profile, tmp_path):
    profile.save(tmp_path / "me.json")
    assert VoiceProfile.load(tmp_path / "me.json") == profile
    content = json.loads((tmp_path / "me.json").read_text())
    assert set(content) == {"checkpoint", "num_frames", "mean", "std"}
    assert np.shape(content["mean"]) == np.shape(content["std"]) == (2, 16)


def test_a_disk_that_is_full_leaves_the_profile_that_was_there(profile, tmp_path):
    path = tmp_path / "me.json"
    profile.save(path)
    before, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))  # no file may grow beyond
    try:
        with pytest.raises(OSError, match="File too large"):
            profile.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("changed", [{"mean": [[1.0]]}, {"std": "much"}, {"num_frames": 0}, {"num_frames": "3"},
                                     {"mean": None}, {"checkpoint": 3}, {"more": 1}, {"num_frames": 10**400},
                                     {"checkpoint": "x" * 10_000}, {"mean": [["1"] * 16] * 2}, {"mean": [[1.0], []]},
                                     {"mean": [[float("nan")] * 16] * 2}, {"mean": [[10**400] * 16] * 2},
                                     {"mean": [[1e30] * 16] * 2}, {"std": [[0.0] * 16] * 2}, {"std": [[-1.0] * 16] * 2},
                                     {"mean": [], "std": []}, {"mean": [[]], "std": [[]]}, {"mean": [[[1.0]]]},
                                     {"mean": [[1.0]] * 1000, "std": [[1.0]] * 1000}, {"mean": {"0": [1.0]}},
                                     {"mean": [[1.0] * 10_000], "std": [[1.0] * 10_000]}])  # fmt: skip
def test_other_json_is_refused_in_one_sentence(profile, tmp_path, changed):
    profile.save(tmp_path / "me.json")
    content = json.loads((tmp_path / "me.json").read_text()) | changed
    with pytest.raises(VoiceProfileError, match="is no voice profile"):
        VoiceProfile.from_dict(content)


def test_a_file_that_is_no_profile_is_refused_in_one_sentence(tmp_path):
    for text in ("[1, 2]", "{", "\x00", "[" * 100_000, json.dumps([0] * 5_000_000)):
        (tmp_path / "me.json").write_text(text)
        with pytest.raises(VoiceProfileError, match="is no voice profile"):
            VoiceProfile.load(tmp_path / "me.json")
    with pytest.raises(VoiceProfileError, match="cannot be read"):
        VoiceProfile.load(tmp_path / "nowhere.json")


def test_it_belongs_to_one_checkpoint(folder, profile, tmp_path):
    again = EmotionRecognizer.from_pretrained(folder)
    again(CLIPS[0], RATE, voice=profile)
    other = EmotionRecognizer.from_pretrained(folder)
    other.model.frames_mean.add_(0.5)
    with pytest.raises(VoiceProfileError, match="made with another model"):
        other(CLIPS[0], RATE, voice=profile)
    forged = VoiceProfile(profile.checkpoint, 9, [[1.0]], [[1.0]])
    with pytest.raises(VoiceProfileError, match="made with another model"):
        again(CLIPS[0], RATE, voice=forged)
    without = EmotionRecognizer.from_pretrained(small_checkpoint(tmp_path / "cnn", "ser_cnn_bilstm"))
    for use in (lambda: without(CLIPS[0], RATE, voice=profile), lambda: VoiceProfile.from_clips(without, CLIPS, RATE)):
        with pytest.raises(VoiceProfileError, match="no speech encoder"):
            use()
    coarse = EmotionRecognizer.from_pretrained(folder, dtype="bfloat16")
    with pytest.raises(VoiceProfileError, match="make one with this model, loaded as bfloat16 like this one"):
        coarse(CLIPS[0], RATE, voice=profile)
    with pytest.raises(VoiceProfileError, match="at least one recording"):
        VoiceProfile.from_clips(again, [])


def test_from_the_command_line(folder, recognizer, tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    for index, clip in enumerate(CLIPS):
        soundfile.write(clips / f"{index}.wav", clip, RATE, subtype="FLOAT")
    made = ser_model("voice-profile", tmp_path / "me.json", clips, "--model", folder)
    assert made.returncode == 0, made.stderr
    assert "from 3 recordings, 7 s" in made.stdout
    recording = (clips / "0.wav").read_bytes()
    forgotten = ser_model("voice-profile", clips / "0.wav", clips / "1.wav", "--model", folder)
    assert forgotten.returncode == 1 and "holds no voice profile: name the file to write first" in forgotten.stderr
    assert (clips / "0.wav").read_bytes() == recording
    done = ser_model("predict", clips / "0.wav", "--model", folder, "--voice", tmp_path / "me.json", "--format", "json")
    assert done.returncode == 0, done.stderr
    expected = recognizer(clips / "0.wav", voice=VoiceProfile.load(tmp_path / "me.json")).probabilities
    assert json.loads(done.stdout)[0]["probabilities"] == pytest.approx(expected, abs=1e-5)
    together = ser_model("predict", clips, "--model", folder, "--one-speaker", "--format", "json")
    assert together.returncode == 0, together.stderr
    assert json.loads(together.stdout)[0]["probabilities"] == pytest.approx(expected, abs=1e-5)
    (tmp_path / "me.json").write_text("{}")
    refused = ser_model("predict", clips, "--model", folder, "--voice", tmp_path / "me.json")
    assert refused.returncode == 1 and refused.stderr.strip() == "predict: This is no voice profile."
    (clips / "3.wav").write_text("no audio")
    broken = ser_model("voice-profile", tmp_path / "other.json", clips, "--model", folder)
    assert broken.returncode == 1 and broken.stderr.startswith(f"voice-profile: {clips / '3.wav'}: ")
    assert "Traceback" not in broken.stderr and not (tmp_path / "other.json").exists()
    most = ser_model("predict", clips, "--model", folder, "--one-speaker", "--format", "json")
    assert most.returncode == 1 and [bool(row["error"]) for row in json.loads(most.stdout)] == [False] * 3 + [True]
    assert json.loads(most.stdout)[0]["probabilities"] == pytest.approx(expected, abs=1e-5)
    soundfile.write(clips / "3.wav", np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    noise = ser_model("voice-profile", tmp_path / "other.json", clips, "--model", folder)
    assert noise.returncode == 1 and noise.stderr.endswith("3.wav: No speech was found in this recording.\n")
    (clips / "3.wav").write_text("no audio")
    none = ser_model("predict", clips / "3.wav", "--model", folder, "--one-speaker")
    assert none.returncode == 1 and "not audio" in none.stderr and "profile" not in none.stderr


def test_a_recording_is_its_own_profile_and_only_its_speech_counts(folder, recognizer, tmp_path):
    wave = phrases(1.0, 7.0, pause=3.0)
    windows = plan_windows(wave, RATE)
    voice = voice_of(recognizer, wave, windows)
    spoken = sum(window.end - window.start for window in windows)
    assert spoken < 9 < voice.seconds(recognizer) + 1 and voice.seconds(recognizer) == pytest.approx(spoken, abs=0.3)
    found = predict_timeline(recognizer, wave, one_speaker=True)
    expected = [result for part in predict_windows(recognizer, wave, windows, voice) for result in part]
    for row, result in zip(found.probabilities, expected, strict=True):
        assert row == pytest.approx(list(result.probabilities.values()), abs=1e-6)
    assert np.abs(found.probabilities - predict_timeline(recognizer, wave).probabilities).max() > 1e-4
    assert voice_of(recognizer, wave, []) is None
    soundfile.write(tmp_path / "talk.wav", wave, RATE, subtype="FLOAT")
    made = ser_model("timeline", tmp_path / "talk.wav", "--model", folder, "--one-speaker", "--format", "json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["segments"] == as_data(found)["segments"]
    without = small_checkpoint(tmp_path / "cnn", "ser_cnn_bilstm")
    for words in (("timeline", tmp_path / "talk.wav"), ("predict", tmp_path / "talk.wav")):
        refused = ser_model(*words, "--model", without, "--one-speaker")
        assert refused.returncode == 1 and refused.stderr.startswith(f"{words[0]}: This model has no speech encoder")


def test_of_a_long_recording_some_parts_are_taken(recognizer, monkeypatch):
    wave = phrases(20.0)
    windows = plan_windows(wave, RATE)
    monkeypatch.setattr(timeline, "PROFILE_SECONDS", 7.0)
    seconds = voice_of(recognizer, wave, windows).seconds(recognizer)
    assert 5 < seconds < 10 < sum(window.end - window.start for window in windows) / 2


def ser_model(*words):
    return called(main, *words)
