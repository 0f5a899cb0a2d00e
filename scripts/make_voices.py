"""Makes `tests/voices/*.flac` with espeak-ng: speech of no person, differing in pitch, speed and effort.

Run once by hand, `python -m scripts.make_voices` after `apt-get install espeak-ng`; the tests read what lies there.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from ser_model.audio import load_audio

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "voices"
RATE = 16_000
SENTENCE = "The door is open, and the letters are on the table."
# name -> voice, pitch (0 to 99), pitch range in percent, words a minute, level in dB relative to full scale
VOICES = {
    "low-and-slow": ("en-us+m3", 20, 20, 120, -30),
    "even": ("en-us+f2", 45, 60, 165, -24),
    "high-and-lively": ("en-us+f3", 80, 150, 185, -20),
    "loud-and-fast": ("en-us+m7", 65, 120, 220, -12),
    "whispered": ("en-us+whisper", 50, 50, 150, -32),
}


def speak(voice: str, pitch: int, pitch_range: int, speed: int, level: float) -> np.ndarray:
    """One sentence `(num_samples,)` at `RATE` whose RMS level is `level` dB."""
    markup = f'<prosody range="{pitch_range}%">{SENTENCE}</prosody>'
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["espeak-ng", "-m", "-v", voice, "-p", str(pitch), "-s", str(speed), "-w", file.name, markup]
        subprocess.run(command, check=True)
        wave = load_audio(file.name, RATE)
    wave = np.pad(wave, RATE // 5)
    return wave * min(10 ** (level / 20) / np.sqrt(np.mean(wave**2)), 0.98 / np.abs(wave).max())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, settings in VOICES.items():
        path = FOLDER / f"{name}.flac"
        soundfile.write(path, speak(*settings), RATE, subtype="PCM_16")
        print(f"wrote {path}: {path.stat().st_size / 1000:.0f} kB, {soundfile.info(path).duration:.1f} s")


if __name__ == "__main__":
    main()
