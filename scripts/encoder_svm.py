"""A baseline anyone can run: a frozen speech encoder and an SVM, `python -m scripts.encoder_svm --data_dir DIR`.

Whisper-base, output of layer 3 in steps of 40 ms, its mean and standard deviation over time, standardised, an RBF SVM
with C = 3 and balanced classes. Each corpus on its own: trained on the training and validation speakers of each fold
of protocol `speaker`, tested on the others. Writes results/baselines/encoder-svm.json, which the tables show.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from datasets_scripts import CorpusError, data_dir_or_default, load_corpora
from datasets_scripts.splits import count_published_folds, make_split
from ser_model.evaluation.predictions import figures_by_group
from ser_model.training.arguments import RunArguments
from ser_model.training.augmentation import Augmentation
from ser_model.training.encoded_frames import EncodedFrames
from ser_model.training.presets import Preset, load_preset
from ser_model.training.run import new_network
from ser_model.training.trainer import RunError

CORPORA = ("ravdess", "crema_d", "tess", "savee")
LAYER, FRAMES_PER_STEP, C = 3, 2, 3.0
OUT = Path(__file__).parents[1] / "results" / "baselines" / "encoder-svm.json"


def clip_features(table: Dataset, preset: Preset, encoder: str | None, num_proc: int) -> np.ndarray:
    """Mean and standard deviation over time of the encoder's frames, `(num_clips, 2 * size)`."""
    network = new_network(RunArguments(encoder=encoder), preset)
    items = [(clip, 0) for clip in range(len(table))]
    frames = EncodedFrames(items, table, network, preset.extractor(), Augmentation(views=0), 0, num_proc)
    return frames.clip_statistics()


def measure(table: Dataset, features: np.ndarray, fold: int) -> dict[str, Any]:
    """Trains on everyone but the test speakers of a fold of one corpus; returns the figures of the test part."""
    split, emotions = make_split(table, "speaker", fold), np.array(table["emotion"])
    training, test = (np.array([clip for clip, _ in items]) for items in (split.train + split.validation, split.test))
    svm = make_pipeline(StandardScaler(), SVC(C=C, class_weight="balanced", cache_size=800))
    predicted = svm.fit(features[training], emotions[training]).predict(features[test])
    figures = figures_by_group(predicted, table, split.test, table.features["emotion"].names)
    return figures["per_corpus"][table[0]["corpus"]]


def results_of(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the figures of every fold of every corpus."""
    preset = load_preset("encoder-attention")
    preset = replace(preset, model=preset.model | {"encoder_layers": [LAYER], "frames_per_step": FRAMES_PER_STEP})
    # As training loads them: frames that it has encoded are found in the cache.
    table = load_corpora(data_dir=data_dir_or_default(args.data_dir), **preset.data | {"corpora": args.corpora})
    features = clip_features(table, preset, args.encoder, args.num_proc)
    for corpus in args.corpora:
        rows = np.flatnonzero(np.array(table["corpus"]) == corpus)
        for fold in range(1, (count_published_folds(corpus) or 0) + 1):
            figures = measure(table.select(rows), features[rows], fold)
            print(f"{corpus}, fold {fold}: test UAR {figures['uar']:.1%} of {figures['clips']} clips", flush=True)
            yield {"protocol": "speaker", "corpus": corpus, "fold": fold} | figures


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    parser.add_argument("--encoder", help="folder or Hub id of Whisper-base (default: openai/whisper-base)")
    parser.add_argument("--corpora", nargs="+", default=CORPORA, choices=CORPORA, help="default: all four")
    parser.add_argument("--num_proc", type=int, default=1, help="processes that encode (default: 1)")
    parser.add_argument("--out", type=Path, default=OUT, help="default: results/baselines/encoder-svm.json")
    args = parser.parse_args(argv)
    start = time.monotonic()
    try:
        results = list(results_of(args))
    except (CorpusError, RunError) as error:
        print(f"encoder_svm: {error}", file=sys.stderr)
        return 1
    about = f"Whisper-base, frozen, layer {LAYER}, mean and standard deviation over time; RBF SVM, C = {C:g}, balanced"
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
    print(f"wrote {args.out} after {(time.monotonic() - start) / 60:.1f} min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
