"""A baseline anyone can run: a frozen speech encoder and an SVM, `python -m scripts.encoder_svm --data_dir DIR`.

Whisper-base, output of layer 3 in steps of 40 ms, its mean and standard deviation over time, standardised, an RBF SVM
with C = 3 and balanced classes. Each corpus on its own: trained on the training and validation speakers of each fold
of protocol `speaker`, tested on the others. Writes results/baselines/encoder-svm.json, which the tables show; what it
has of other corpora stays.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from datasets_scripts import CorpusError, data_dir_or_default, load_corpora
from datasets_scripts.splits import count_published_folds, make_split
from ser_model.evaluation.encoder_svm import LAYER, C, clip_features, new_svm, svm_preset
from ser_model.evaluation.predictions import figures_by_group
from ser_model.training.trainer import RunError

CORPORA = ("ravdess", "crema_d", "tess", "savee")
OUT = Path(__file__).parents[1] / "results" / "baselines" / "encoder-svm.json"


def measure(table: Dataset, features: np.ndarray, fold: int) -> dict[str, Any]:
    """Trains on everyone but the test speakers of a fold of one corpus; returns the figures of the test part."""
    split, emotions = make_split(table, "speaker", fold), np.array(table["emotion"])
    training, test = (np.array([clip for clip, _ in items]) for items in (split.train + split.validation, split.test))
    predicted = new_svm().fit(features[training], emotions[training]).predict(features[test])
    figures = figures_by_group(predicted, table, split.test, table.features["emotion"].names)
    return figures["per_corpus"][table[0]["corpus"]]


def results_of(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the figures of every fold of every corpus."""
    data = svm_preset().data | {"corpora": args.corpora}
    table = load_corpora(data_dir=data_dir_or_default(args.data_dir), **data)
    features = clip_features(table, args.encoder, args.num_proc)
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
    before = json.loads(args.out.read_text(encoding="utf-8"))["results"] if args.out.is_file() else []
    results += [each for each in before if each["corpus"] not in args.corpora]
    results.sort(key=lambda each: (CORPORA.index(each["corpus"]), each["fold"]))
    args.out.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {args.out} after {(time.monotonic() - start) / 60:.1f} min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
