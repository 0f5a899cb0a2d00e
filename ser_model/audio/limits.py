"""What is taken and what is refused."""

from __future__ import annotations

from typing import Any

MIN_SECONDS = 0.1
MAX_SECONDS = 3600.0
MAX_SAMPLES = 1_500_000_000  # over all channels: an hour of 8 channels at 48 kHz
MIN_RATE, MAX_RATE = 1_000, 768_000
BLOCK_SAMPLES = 2**21  # decoded at once, over all channels: 8 MB
CUT_OFF = "The recording is cut off or damaged: its file ends before the audio it promises."


class AudioError(ValueError):
    """A recording that cannot be used; the text is one sentence for its user."""


class TooLongError(AudioError):
    """A recording that lasts longer than is taken."""


def check_rate(rate: Any) -> int:
    """The sampling rate as a whole number of Hz."""
    try:
        whole = round(float(rate))
    except (TypeError, ValueError, OverflowError):
        raise AudioError(f"A sampling rate is a number of Hz, not {str(rate)[:40]!r}.") from None
    if not MIN_RATE <= whole <= MAX_RATE:
        raise AudioError(f"A sampling rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz.")
    return whole


def check_length(num_frames: int, num_channels: int, rate: int, max_seconds: float) -> None:
    """Refuses a recording that lasts too long or has too many samples over all channels."""
    if num_frames > max_seconds * rate:
        raise TooLongError(f"The recording lasts {num_frames / rate:.1f} s; at most {max_seconds:g} s are taken.")
    if num_frames * num_channels > MAX_SAMPLES:
        raise AudioError(
            f"The recording has {num_frames * num_channels:,} samples over its {num_channels} channels; "
            f"at most {MAX_SAMPLES:,} are taken."
        )
