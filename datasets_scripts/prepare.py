"""Writes corpora as Parquet with the audio inside: `load_dataset(folder)` opens it on its own."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from datasets import Audio, Dataset
from datasets.table import embed_table_storage
from huggingface_hub import DatasetCard, DatasetCardData
from tqdm import tqdm

from .base import CorpusError
from .loading import find_corpus, load_with_left_out
from .shards import find_shards

SHARD_BYTES = 256 * 2**20
GROUP_BYTES = 16 * 2**20  # about what is read at once, of not more than 100 clips


def prepare(corpora: Sequence[str], data_dir: Path, output_dir: Path, cache_dir: Path | None = None) -> int:
    """Writes the cleaned corpora to `output_dir`, whole or not at all.

    Returns:
        The number of clips.

    Raises:
        CorpusError: A corpus cannot be loaded, or `output_dir` is there already.
    """
    if output_dir.exists() and (not output_dir.is_dir() or any(output_dir.iterdir())):
        raise CorpusError(f"{output_dir} is there already and not empty: choose another --output_dir.")
    if find_shards(data_dir):
        raise CorpusError(f"{data_dir} is prepared already: its folder data holds Parquet with the audio inside.")
    table, left_out = load_with_left_out(corpora, data_dir, cache_dir=cache_dir)
    # decode=False: what opens it needs no decoder of the datasets library, whose own is torchcodec.
    dataset = table.cast_column("audio", Audio(decode=False))
    output_dir = output_dir.resolve()
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = output_dir.with_name(f".{output_dir.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        (partial / "data").mkdir(parents=True)
        _write_shards(dataset, sum(os.path.getsize(path) for path in table["audio"]), partial / "data")
        _card(corpora, dataset, left_out).save(partial / "README.md")
        if output_dir.is_dir():
            output_dir.rmdir()
        os.replace(partial, output_dir)
    except OSError as error:
        raise CorpusError(f"{output_dir} cannot be written: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(dataset)


def _write_shards(dataset: Dataset, num_bytes: int, folder: Path) -> None:
    num_shards = max(1, min(len(dataset), math.ceil(num_bytes / SHARD_BYTES)))
    rows = max(1, min(100, GROUP_BYTES * len(dataset) // max(1, num_bytes)))
    for index in tqdm(range(num_shards), unit="file", desc="Parquet"):
        shard = dataset.shard(num_shards, index, contiguous=True).with_format("arrow")
        shard = shard.map(embed_table_storage, batched=True, batch_size=rows, keep_in_memory=True)
        name = f"train-{index:05d}-of-{num_shards:05d}.parquet"
        shard.with_format(None).to_parquet(folder / name, batch_size=rows)


def _card(corpora: Sequence[str], dataset: Dataset, left_out: list[dict[str, str]]) -> DatasetCard:
    """The card that carries the features, the licences and what was left out."""
    builders = [find_corpus(name) for name in corpora]
    data = DatasetCardData(
        license="other",
        task_categories=["audio-classification"],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*"}]}],
        dataset_info={"features": dataset.features._to_yaml_list()},
    )
    sources = "\n".join(f"- **{builder.corpus}**, {builder.licence}. {builder.cite}" for builder in builders)
    gone = "\n".join(f"- {Path(entry['file']).name}: {entry['reason']}" for entry in left_out)
    return DatasetCard(
        f"---\n{data.to_yaml()}\n---\n\n# {', '.join(corpora)}: {len(dataset):,} clips\n\n"
        "Prepared for use at home: the licences of the recordings stay in force, and some forbid passing them on.\n\n"
        f"{sources}\n\n`audio` holds each file's bytes: `ser_model.load_audio(row['audio']['bytes'], 16000)`, "
        "or, with torchcodec, `dataset.cast_column('audio', datasets.Audio())`.\n\n"
        f"## Left out\n\n{gone or 'Nothing.'}\n"
    )
