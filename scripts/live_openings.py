"""How often Live's first label of an utterance is right: `python -m scripts.live_openings --data_dir DIR`.

Test clips of the checkpoint, none of whose speakers it was trained on, run through Live as if spoken at the
microphone, after a second of silence and before another. Tried with several lengths of speech that an utterance
needs before it gets a label; writes results/live-openings.json, of which `make tables` makes a table.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from datasets_scripts.shards import recording
from demo.live_session import LiveSession
from ser_model.audio import load_audio
from ser_model.evaluation.evaluate_checkpoint import load_parts
from ser_model.evaluation.robustness.sample import draw_sample
from ser_model.inference.recognizer import EmotionRecognizer

OPENS_SECONDS = (0.3, 0.5, 1.0, 1.5, 2.0)
CHUNK_SECONDS, SILENCE_SECONDS = 0.1, 1.0
OUT = Path(__file__).parents[1] / "results" / "live-openings.json"


@dataclass(frozen=True)
class Opening:
    """The first label that Live showed for an utterance, after how many seconds of the clip, and its last one."""

    first: str
    after: float
    last: str


def opening(recognizer: EmotionRecognizer, wave: np.ndarray, opens_seconds: float) -> Opening | None:
    """What Live shows for a clip `(num_samples,)` at the recognizer's rate; None where it shows no label."""
    rate = recognizer.sampling_rate
    silence = np.zeros(round(SILENCE_SECONDS * rate), dtype=np.int16)
    samples = np.concatenate([silence, (32767 * wave.clip(-1, 1)).astype(np.int16), silence])
    session = LiveSession(rate, rate, opens_seconds)
    first, after, last = None, 0.0, None
    for start in range(0, len(samples), round(CHUNK_SECONDS * rate)):
        session.predict(recognizer, samples[start : start + round(CHUNK_SECONDS * rate)])
        shown = session.now or (session.last and session.last.predicted)
        if shown:
            if first is None:
                first, after = shown.label, session.seconds - SILENCE_SECONDS
            last = shown.label
    return Opening(first, after, last) if first and last else None


def figures(openings: list[Opening | None], references: list[str]) -> dict[str, Any]:
    """Shares of the utterances that got a label."""
    given = [(found, truth) for found, truth in zip(openings, references, strict=True) if found]
    return {
        "labelled": len(given),
        "first_right": round(float(np.mean([found.first == truth for found, truth in given])), 4),
        "last_right": round(float(np.mean([found.last == truth for found, truth in given])), 4),
        "first_changed": round(float(np.mean([found.first != found.last for found, _ in given])), 4),
        "median_seconds_to_first": round(float(np.median([found.after for found, _ in given])), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="checkpoints/default", help="default: checkpoints/default")
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--clips", type=int, default=240, help="test clips, spread over emotions and corpora")
    args = parser.parse_args()
    recognizer = EmotionRecognizer.from_pretrained(args.checkpoint)
    report, table, parts = load_parts(recognizer, args.data_dir)
    rows = [parts["test"][place][0] for place in draw_sample(table, parts["test"], args.clips, 0)]
    references = [recognizer.labels[table[row]["emotion"]] for row in rows]
    result = {name: report[name] for name in ("preset", "protocol", "fold", "seed", "corpora")}
    result |= {"part": "test", "clips": len(rows), "opens_seconds": {}}
    for seconds in OPENS_SECONDS:
        waves = (load_audio(recording(table[row]["audio"]), recognizer.sampling_rate) for row in rows)
        openings = [opening(recognizer, wave, seconds) for wave in tqdm(waves, total=len(rows), desc=f"{seconds} s")]
        result["opens_seconds"][str(seconds)] = found = figures(openings, references)
        print(f"label from {seconds} s of speech on: {found}", flush=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
