"""Data and trainer of a run, and runs that stop early."""

from dataclasses import replace

import datasets
import numpy as np
import pytest
import torch

from ser_model.training.arguments import RunArguments
from ser_model.training.presets import load_preset, preset_from_dict
from ser_model.training.run import load_data, make_trainer, train_preset
from ser_model.training.trainer import SerTrainingArguments


@pytest.fixture
def small(monkeypatch, tmp_path):
    """mfcc-cnn-bilstm-mixup on RAVDESS, tiny, with label smoothing and label masks."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    content = load_preset("mfcc-cnn-bilstm-mixup").as_dict()
    content["augmentation"] = {"views": 0}
    content["model"] |= {"conv_channels": [4], "lstm_hidden_size": 4}
    content["loss"] = {"mixup_alpha": 0.4, "label_smoothing": 0.1, "mask_labels_by_corpus": True}
    content["data"] = {"corpora": ["ravdess"], "relabel": {"calm": "neutral"}, "labels": [
        "neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "calm"]}  # fmt: skip
    return preset_from_dict(content)


def test_the_classes_that_a_corpus_lacks_do_not_count_in_its_loss(small, mini_ravdess, tmp_path):
    data = load_data(RunArguments(data_dir=str(mini_ravdess)), small, seed=0)
    assert len(data.training) == len(data.split.train) and len(data.leakage["notes"]) == 1
    args = SerTrainingArguments(output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none")
    trainer = make_trainer(RunArguments(), small, data, args)
    batch = next(iter(trainer.get_train_dataloader()))
    np.testing.assert_array_equal(batch["label_mask"], [[True] * 7 + [False]] * len(batch["labels"]))
    with torch.no_grad():
        trainer.model.classifier.bias[7] = 50.0  # the class that is left out gets nearly all probability
    for training in (True, False):
        trainer.model.train(training)
        assert trainer.compute_loss(trainer.model, dict(batch)) < 4


@pytest.mark.parametrize("max_steps", [-1, 1_000])
def test_a_run_that_was_stopped_early_and_moved_is_not_trained_further(small, mini_ravdess, tmp_path, max_steps):
    args = SerTrainingArguments(
        output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none", num_train_epochs=9, learning_rate=1e-9,
        early_stopping_patience=1, disable_tqdm=True, max_steps=max_steps,
    )  # fmt: skip
    first = train_preset(RunArguments(data_dir=str(mini_ravdess)), small, args)
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    args = replace(args, output_dir=str(moved))
    again = train_preset(RunArguments(data_dir=str(mini_ravdess), resume=True), small, args)
    assert first.report["epochs"] == again.report["epochs"] < 9
    assert first.report["best_epoch"] == again.report["best_epoch"]
    assert again.report["hyperparameters"]["num_train_epochs"] == 9
    for name, weights in first.trainer.model.state_dict().items():
        torch.testing.assert_close(again.trainer.model.state_dict()[name], weights)


def test_the_second_training_has_as_many_epochs_as_the_best_of_the_first(small, mini_ravdess, tmp_path):
    args = SerTrainingArguments(
        output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none", num_train_epochs=3, learning_rate=1e-9,
        refit=True, disable_tqdm=True,
    )  # fmt: skip
    trained = train_preset(RunArguments(data_dir=str(mini_ravdess)), small, args)
    epochs = {trained.report[name] for name in ("best_epoch", "epochs")} | {trained.refitted.state.epoch}
    assert epochs == {1} and trained.trainer.state.epoch == 3  # all are alike, so the first is the best


def test_where_the_last_epoch_is_kept_the_report_names_it(small, mini_ravdess, tmp_path):
    args = SerTrainingArguments(
        output_dir=str(tmp_path / "out"), use_cpu=True, report_to="none", num_train_epochs=2, learning_rate=1e-9,
        load_best_model_at_end=False, disable_tqdm=True,
    )  # fmt: skip
    report = train_preset(RunArguments(data_dir=str(mini_ravdess)), small, args).report
    assert report["best_epoch"] == report["epochs"] == 2
