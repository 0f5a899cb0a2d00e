"""Frames of the frozen encoder: clips in batches of like length, beside one by one."""

from __future__ import annotations

import numpy as np
import soundfile
import torch

from ser_model import EmotionRecognizer, load_audio
from ser_model.training.encoded_frames import BATCH_SIZE, CLIPS_AT_ONCE, batches_of_like_length, encode

from .data import ROOT, all_clips, one_thread
from .rows import Row, alternate, milliseconds, ratio_row

CLIPS = 64
FRAMES = 500  # of 10 ms: 5 s, to which clips are padded one by one


def rows() -> list[Row]:
    one_thread()
    recognizer = EmotionRecognizer.from_pretrained(ROOT / "checkpoints" / "default")
    model, extractor = recognizer.model, recognizer.feature_extractor
    fast = torch.cpu._is_avx512_bf16_supported()

    def one_by_one(clips: list[np.ndarray]) -> None:
        for clip in clips:
            padded = np.pad(clip[:FRAMES], ((0, max(0, FRAMES - len(clip))), (0, 0)))
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
                model.encoder_frames(torch.from_numpy(padded)[None], torch.tensor([FRAMES]))

    frames = extractor.frames([load_audio(path, extractor.sampling_rate) for path in all_clips()[:CLIPS]])
    batches = [[frames[place] for place in places] for places in batches_of_like_length(frames, BATCH_SIZE)]
    sides = {"in batches": lambda clips: encode(model, extractor, clips), "one by one": one_by_one}
    seconds = alternate(sides, [batches[0], *batches])
    detail = f"per clip: {milliseconds(seconds, BATCH_SIZE)}; both in {'bfloat16' if fast else 'float32'}"
    what = "Encoder frames in batches, faster than one by one padded to 5 s"
    ratio = seconds["one by one"] / seconds["in batches"]
    return [
        ratio_row(what, ratio, detail, least=2),
        ratio_row(
            "Padding among the frames of all batches", 100 * padding(CLIPS_AT_ONCE, BATCH_SIZE),
            f"batches of {BATCH_SIZE} out of {CLIPS_AT_ONCE} clips; "
            f"{100 * padding(16, 16):.0f} % in batches of 16 as they come", most=5, unit=" %",
        ),
    ]  # fmt: skip


def padding(at_once: int, batch_size: int) -> float:
    """Share of padding where the corpora are encoded clip after clip in batches of like length."""
    lengths = [info.duration for info in map(soundfile.info, map(str, sorted(all_clips())))]
    filled = 0.0
    for first in range(0, len(lengths), at_once):
        group = [range(round(100 * seconds)) for seconds in lengths[first : first + at_once]]
        filled += sum(
            len(places) * max(len(group[place]) for place in places)
            for places in batches_of_like_length(group, batch_size)
        )
    return 1 - sum(round(100 * seconds) for seconds in lengths) / filled
