"""What is added to Trainer."""

import json

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from ser_model.trainer import EarlyStopping, EpochLog, Loss, last_whole_checkpoint, mixup


def test_balanced_weights_are_scikit_learns_and_forgive_an_empty_class():
    weights = Loss(class_weight="balanced").weights([0, 0, 0, 1], 3)
    torch.testing.assert_close(weights, torch.tensor([4 / 6, 2.0, 1.0]))
    assert Loss().weights([0, 1], 2) is None


def test_mixup_mixes_features_labels_and_masks():
    torch.manual_seed(0)
    inputs = {
        "input_features": torch.stack([torch.zeros(4, 2), torch.ones(4, 2)]),
        "attention_mask": torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]),
        "utterance_features": torch.tensor([[0.0], [1.0]]),
        "labels": torch.tensor([0, 2]),
    }
    for _ in range(20):
        mixed = mixup(inputs, num_labels=3, alpha=1.0)
        torch.testing.assert_close(mixed["labels"].sum(dim=1), torch.ones(2))
        # the share of class 2 is the share of the clip of ones, in features of every kind
        torch.testing.assert_close(mixed["labels"][:, 2], mixed["input_features"][:, 0, 0])
        torch.testing.assert_close(mixed["labels"][:, 2], mixed["utterance_features"][:, 0])
        if 0 < mixed["labels"][0, 2] < 1:
            assert mixed["attention_mask"].all()
            break
    else:
        pytest.fail("no batch was mixed")


@pytest.mark.parametrize(("metric", "values", "stops"), [
    ("accuracy", [0.3, 0.5, 0.4, 0.45], True), ("accuracy", [0.3, 0.5, 0.4, 0.6], False),
    ("loss", [1.0, 0.8, 0.9, 0.85], True), ("loss", [1.0, 0.8, 0.9, 0.7], False),
])  # fmt: skip
def test_early_stopping_counts_from_the_best(tmp_path, metric, values, stops):
    state, control = TrainerState(), TrainerControl()
    for step, value in enumerate(values):
        state.log_history.append({f"eval_{metric}": value, "step": step})
        assert not control.should_training_stop
        EarlyStopping(metric, patience=2).on_evaluate(TrainingArguments(output_dir=str(tmp_path)), state, control)
    assert control.should_training_stop is stops


def test_epoch_log_joins_training_and_validation(tmp_path):
    state = TrainerState(is_world_process_zero=True)
    state.log_history = [{"loss": 2.0, "epoch": 1.0, "step": 5}, {"eval_loss": 1.5, "epoch": 1.0, "step": 5}]
    EpochLog(tmp_path / "log.jsonl").on_evaluate(None, state, None)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"loss": 2.0, "eval_loss": 1.5, "epoch": 1.0, "step": 5}]


def test_a_checkpoint_cut_in_the_middle_is_passed_over(tmp_path):
    assert last_whole_checkpoint(tmp_path) is None
    for step, state in ((9, "{}"), (10, '{"epoch": 1'), (100, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state:
            (folder / "trainer_state.json").write_text(state)
    assert last_whole_checkpoint(tmp_path) == tmp_path / "checkpoint-9"
