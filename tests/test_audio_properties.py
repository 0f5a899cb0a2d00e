"""What holds for every recording, tried on drawn ones."""

import io

import numpy as np
import pytest
import soundfile
from conftest import voiced_tone
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_model.audio import MAX_RATE, MIN_RATE, AudioError, load_audio

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000)
VOICE = voiced_tone(0.5)
HEADS = [
    b"", b"RIFF\x90\0\0\0WAVEfmt ", b"RIFF\x90\0\0\0WAVEdata", b"RF64\xff\xff\xff\xffWAVE",
    b"RF64\xff\xff\xff\xffWAVEdata",
    b"riff\x2e\x91\xcf\x11", b"FORM\0\0\1\0AIFFSSND", b"caff\0\1\0\0data", b".snd\0\0\0\x18", b"fLaC", b"NIST_1A\n",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9)
quick = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def nested(inner):
    return (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    )


def wav(samples, rate=16_000, subtype="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def voice(rate: int, seconds: float = 0.5) -> np.ndarray:
    return voiced_tone(seconds, rate=rate)


@settings(quick, max_examples=60)
@given(start=st.sampled_from(HEADS), content=st.binary(max_size=200))
def test_any_bytes_behind_any_signature_are_one_sentence(start, content):
    with pytest.raises(AudioError) as caught:
        load_audio(start + content, 16_000)
    assert str(caught.value).isprintable()


@quick
@given(place=st.integers(0, 200), replacement=st.binary(min_size=1, max_size=8))
def test_any_damage_to_a_header_is_audio_or_one_sentence(place, replacement):
    content = bytearray(wav(VOICE))
    content[place : place + len(replacement)] = replacement
    try:
        assert np.isfinite(load_audio(bytes(content), 16_000)).all()
    except AudioError as error:
        assert str(error).isprintable()


@quick
@given(name=st.text(alphabet=st.characters(), max_size=300))
def test_any_name_that_is_not_there_is_one_sentence(name):
    with pytest.raises(AudioError) as caught:
        load_audio(f"/nowhere/{name}", 16_000)
    str(caught.value).encode("utf-8")
    assert str(caught.value).isprintable()


@quick
@given(source=st.recursive(SCALARS, nested, max_leaves=9))
def test_anything_else_is_one_sentence(source):
    with pytest.raises(AudioError):
        load_audio(source, 16_000, source_rate=16_000)


@quick
@given(rate=st.integers(MIN_RATE, MAX_RATE))
def test_a_tenth_of_a_second_is_taken_at_every_rate(rate):
    enough = int(0.1 * rate)
    noise = np.random.default_rng(0).normal(size=enough).astype(np.float32)
    assert abs(len(load_audio(noise, 16_000, source_rate=rate)) - 1_600) <= 16_000 / rate + 1
    with pytest.raises(AudioError, match="too short"):
        load_audio(noise[: enough - 2], 16_000, source_rate=rate)


@quick
@given(offset=st.floats(-0.2, 0.2), rate=st.sampled_from(RATES), as_file=st.booleans())
def test_an_offset_changes_nothing(offset, rate, as_file):
    wave = voice(rate)
    shifted = (wave + np.float32(offset)).astype(np.float32)
    source = wav(shifted, rate, "FLOAT") if as_file else shifted
    loaded = load_audio(source, 16_000, source_rate=rate)
    np.testing.assert_allclose(loaded, load_audio(wave, 16_000, source_rate=rate), atol=1e-6)


@quick
@given(
    bits=st.sampled_from([16, 24]), kind=st.sampled_from([np.int32, np.int64, np.float32, np.float64]),
    gain=st.floats(0.3, 1.0), left=st.booleans(),
)  # fmt: skip
def test_integers_are_scaled_by_their_content_whatever_holds_them(bits, kind, gain, left):
    wave = (VOICE / np.abs(VOICE).max() * gain).astype(np.float64)
    whole = np.round(wave * (2 ** (bits - 1) - 1))
    values = (whole.astype(kind) << (32 - bits)) if left and kind is np.int32 else whole.astype(kind)
    expected = load_audio(wave, 16_000, source_rate=16_000)
    np.testing.assert_allclose(load_audio(values, 16_000, source_rate=16_000), expected, atol=1e-4)


@quick
@given(
    channels=st.integers(2, 6), gains=st.lists(st.floats(0.2, 1.0), min_size=6, max_size=6),
    flipped=st.booleans(), transposed=st.booleans(),
)  # fmt: skip
def test_no_voice_is_lost_in_the_mix(channels, gains, flipped, transposed):
    signs = np.where(np.arange(channels) % 2, -1 if flipped else 1, 1)
    stacked = VOICE[:, None] * (signs * gains[:channels]).astype(np.float32)
    loaded = load_audio(stacked.T if transposed else stacked, 16_000, source_rate=16_000)
    alone = load_audio(VOICE, 16_000, source_rate=16_000)
    assert abs(np.corrcoef(loaded, alone)[0, 1]) > 0.999
    assert np.std(loaded) > 0.3 * min(gains[:channels]) * np.std(alone) / channels


@quick
@given(
    lie=st.sampled_from([0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, "44 too many", "double"]),
    rate=st.sampled_from(RATES),
)
def test_sizes_that_recorders_write_are_read_to_the_end(lie, rate):
    wave = voice(rate)
    content = bytearray(wav(wave, rate))
    there = len(content) - 44
    size = {"44 too many": there + 44, "double": 2 * there}.get(lie, lie)
    content[4:8] = min(size + 36, 0xFFFFFFFF).to_bytes(4, "little")
    content[40:44] = size.to_bytes(4, "little")
    assert len(load_audio(bytes(content), rate)) == len(wave)
