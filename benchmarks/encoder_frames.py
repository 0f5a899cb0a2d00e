"""Frames of the frozen encoder: clips in batches of like length, beside one by one."""

from __future__ import annotations

import numpy as np
import torch

from ser_model import EmotionRecognizer, load_audio
from ser_model.training.encoded_frames import BATCH_SIZE, CLIPS_AT_ONCE, batches_of_like_length, encode

from .data import ROOT, all_clips, one_thread
from .rows import Row, alternate, milliseconds, ratio_row

CLIPS = 2 * CLIPS_AT_ONCE
FRAMES = 500  # of 10 ms: 5 s, to which clips are padded one by one


def rows() -> list[Row]:
    one_thread()
    recognizer = EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")
    model, extractor = recognizer.model, recognizer.feature_extractor
    waves = [load_audio(path, extractor.sampling_rate) for path in all_clips()[:CLIPS]]
    frames = extractor.frames(waves)

    def in_batches(clips: list[np.ndarray]) -> None:
        encode(model, extractor, clips)

    def one_by_one(clips: list[np.ndarray]) -> None:
        for clip in clips:
            padded = np.concatenate([clip[:FRAMES], np.zeros((max(0, FRAMES - len(clip)), clip.shape[1]), np.float32)])
            with torch.inference_mode():
                model.encoder_frames(torch.from_numpy(padded)[None], torch.tensor([FRAMES]))

    parts = [frames[first : first + CLIPS_AT_ONCE] for first in range(0, len(frames), CLIPS_AT_ONCE)]
    seconds = alternate({"in batches": in_batches, "one by one": one_by_one}, [parts[0][:BATCH_SIZE], *parts])
    lengths = [
        [len(frames[place]) for place in batch] for batch in batches_of_like_length(frames[:CLIPS_AT_ONCE], BATCH_SIZE)
    ]
    padded = sum(max(batch) * len(batch) for batch in lengths)
    waste = 100 * (1 - sum(map(sum, lengths)) / padded)
    fast = torch.cpu._is_avx512_bf16_supported()
    detail = f"per clip: {milliseconds(seconds, CLIPS_AT_ONCE)}; batches in {'bfloat16' if fast else 'float32'}"
    return [
        ratio_row(
            "Encoder frames in batches, faster than one by one padded to 5 s",
            seconds["one by one"] / seconds["in batches"], detail, least=2,
        ),
        ratio_row("Padding among the frames of those batches", waste, f"{CLIPS_AT_ONCE} clips", most=5, unit=" %"),
    ]  # fmt: skip
