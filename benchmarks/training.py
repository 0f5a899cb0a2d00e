"""Training `logmel-cnn-bilstm`: beside the plain recipe, and Trainer beside a bare loop."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import librosa
import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from transformers import TrainerCallback, set_seed

from ser_model.labels import EMOTIONS
from ser_model.training.arguments import RunArguments
from ser_model.training.augmentation import Augmentation
from ser_model.training.feature_cache import ViewFrames
from ser_model.training.losses import Loss, cross_entropy
from ser_model.training.presets import load_preset
from ser_model.training.run import new_network
from ser_model.training.trainer import SerTrainer, SerTrainingArguments, best_precision

from .data import all_clips, one_thread
from .rows import Row, ratio_row

PRESET, CLIPS, ROUNDS, PLAIN_STEPS = "logmel-cnn-bilstm", 320, 3, 3


class PlainCnnBilstm(nn.Module):
    """The same layers as one would write them down: float32, nothing masked, every clip 300 frames long."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(32), nn.Dropout2d(0.2), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(64), nn.Dropout2d(0.2), nn.MaxPool2d(2),
        )  # fmt: skip
        self.lstm = nn.LSTM(64 * 32, 128, batch_first=True, bidirectional=True)
        self.score, self.classifier = nn.Linear(256, 1), nn.Linear(256, len(EMOTIONS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of log-mels `(batch, 300, 128)`."""
        x = self.blocks(x[:, None]).transpose(1, 2).flatten(2)
        x, _ = self.lstm(x)
        return self.classifier((self.score(x).softmax(dim=1) * x).sum(dim=1))


class Steps(TrainerCallback):
    """CPU time at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.process_time())


def rows() -> list[Row]:
    one_thread()
    disable_progress_bars()
    clips = [path for path in all_clips() if path.name.startswith("03-01-")][:CLIPS]
    found: dict[str, list[float]] = {"Trainer": [], "bare loop": [], "plain recipe": []}
    with tempfile.TemporaryDirectory() as name:
        table = Dataset.from_dict(
            {"audio": list(map(str, clips)), "emotion": [int(clip.name[6:8]) - 1 for clip in clips]}
        )
        table.save_to_disk(f"{name}/table")
        trainer_of = _setting(Dataset.load_from_disk(f"{name}/table"), Path(name, "run"))
        for turn in range(ROUNDS):
            found["Trainer"].append(_with_trainer(trainer_of(turn)))
            found["bare loop"].append(_bare_loop(trainer_of(turn)))
            found["plain recipe"].append(_plain(clips[turn * PLAIN_STEPS * 16 :]))
    seconds = {side: median(times) for side, times in found.items()}
    shown = ", ".join(f"{side} {1 / value:.0f} clips/s" for side, value in seconds.items())
    precision = "bfloat16" if best_precision()[1] else "float32, since this CPU has no bfloat16 instructions"
    detail = f"{shown}; one thread, {precision}"
    above = 100 * (seconds["Trainer"] / seconds["bare loop"] - 1)
    return [
        ratio_row(f"Training `{PRESET}`, faster than the plain recipe", seconds["plain recipe"] / seconds["Trainer"],
                  detail, least=4),
        ratio_row("Trainer over a bare PyTorch loop of the same model", above, detail, most=10, unit=" %"),
    ]  # fmt: skip


def _setting(table: Dataset, folder: Path):
    """A function that makes a trainer of the preset, each time a new network."""
    preset = load_preset(PRESET)
    extractor = preset.extractor()
    features = ViewFrames(table, [(clip, 0) for clip in range(len(table))], extractor, Augmentation(), 0)
    extractor.fit(features.column("input_features"))

    def trainer_of(seed: int) -> SerTrainer:
        set_seed(seed)
        settings = {name: value for name, value in preset.training.items() if not name.startswith("early_stopping")} | {
            "num_train_epochs": 1,
            "eval_strategy": "no",
            "save_strategy": "no",
            "load_best_model_at_end": False,
        }
        args = SerTrainingArguments(
            output_dir=str(folder),
            report_to="none",
            disable_tqdm=True,
            bf16=best_precision()[1],
            use_cpu=True,
            seed=seed,
            **settings,
        )
        network = new_network(RunArguments(), preset, id2label=dict(enumerate(EMOTIONS)))
        return SerTrainer(
            model=network, args=args, loss=Loss(), processing_class=extractor, train_dataset=features
        )  # fmt: skip

    return trainer_of


def _with_trainer(trainer: SerTrainer) -> float:
    """CPU seconds per clip from the first step to the last."""
    steps = Steps()
    trainer.add_callback(steps)
    trainer.train()
    return (steps.ends[-1] - steps.ends[0]) / (len(steps.ends) - 1) / trainer.args.per_device_train_batch_size


def _bare_loop(trainer: SerTrainer) -> float:
    """The same batches, network and optimiser without Trainer."""
    args, model = trainer.args, trainer.model
    sampler = trainer._get_train_sampler()
    loader = DataLoader(
        trainer.train_dataset, args.per_device_train_batch_size, sampler=sampler, collate_fn=trainer.data_collator
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, weight_decay=args.weight_decay)
    model.train()
    ends = []
    for batch in loader:
        labels, weights = batch.pop("labels"), batch.pop("weights")
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            losses = cross_entropy(model(**batch).logits.float(), labels)
        ((weights * losses).sum() / weights.sum()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        ends.append(time.process_time())
    return (ends[-1] - ends[0]) / (len(ends) - 1) / args.per_device_train_batch_size


def _plain(clips: list[Path]) -> float:
    """CPU seconds per clip where features are taken anew each epoch, with librosa, and padded to 300 frames."""
    model = PlainCnnBilstm()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    since = time.process_time()
    for step in range(PLAIN_STEPS):
        batch = clips[16 * step : 16 * step + 16]
        x = torch.from_numpy(np.stack([_librosa_log_mel(path) for path in batch]))
        loss = F.cross_entropy(model(x), torch.tensor([int(path.name[6:8]) - 1 for path in batch]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return (time.process_time() - since) / PLAIN_STEPS / 16


def _librosa_log_mel(path: Path) -> np.ndarray:
    wave, rate = librosa.load(path, sr=16_000)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=wave, sr=rate, n_fft=1024, hop_length=256)).T[:300]
    return np.pad((mel + 40) / 20, ((0, 300 - len(mel)), (0, 0))).astype(np.float32)
