"""What is added to Trainer."""

import json
import pickle
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from torch.nn import functional as F
from transformers import TrainerControl, TrainerState, TrainingArguments

from ser_model import PhoneticCnnConfig, PhoneticCnnForAudioClassification, SerFeatureExtractor
from ser_model.training.losses import Loss, corpus_label_masks, cross_entropy, mixup
from ser_model.training.trainer import EarlyStopping, EpochLog, RunError, SerTrainer, SerTrainingArguments


def test_class_weights_are_the_inverse_of_each_class_s_share():
    labels, corpora = [0, 0, 0, 2], ["ravdess"] * 4
    np.testing.assert_allclose(Loss(class_weight="balanced").item_weights(labels, corpora), [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_array_equal(Loss().item_weights(labels, corpora), np.ones(4))


@pytest.mark.parametrize(("balance", "ratio"), [(0.0, 1.0), (0.5, 3**0.5), (1.0, 3.0)])
def test_corpus_balance_lets_a_small_corpus_count_more(balance, ratio):
    weights = Loss(corpus_balance=balance).item_weights([0, 1, 0, 1], ["crema_d", "savee", "crema_d", "crema_d"])
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights[1] / weights[[0, 2, 3]], ratio, rtol=1e-6)
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-6)


def test_the_loss_is_the_weighted_mean_over_items(tmp_path):
    torch.manual_seed(0)
    model = PhoneticCnnForAudioClassification(
        PhoneticCnnConfig(conv_channels=[8, 8], num_features=4, num_frames=32, num_labels=3)
    ).eval()
    trainer = SerTrainer(
        model=model, args=SerTrainingArguments(output_dir=str(tmp_path), use_cpu=True),
        eval_dataset=[{}], processing_class=SerFeatureExtractor(), loss=Loss(),
    )  # fmt: skip
    features, labels = torch.randn(2, 32, 4), torch.tensor([0, 1])
    first, second = F.cross_entropy(model(features).logits, labels, reduction="none")
    batch = {"input_features": features, "labels": labels, "weights": torch.tensor([3.0, 1.0])}
    torch.testing.assert_close(trainer.compute_loss(model, dict(batch)), (3 * first + second) / 4)
    # to processes of the data loader that are started anew, as on macOS and Windows, its function goes pickled
    items = [{"input_features": frames.numpy(), "labels": 1, "weight": 2.0} for frames in features]
    made = pickle.loads(pickle.dumps(trainer.data_collator))(items)
    assert made["input_features"].shape == (2, 32, 4) and made["weights"].tolist() == [2.0, 2.0]
    for harmed in (batch | {"input_features": features * torch.nan}, batch | {"weights": torch.tensor([torch.inf, 1])}):
        with pytest.raises(RunError, match="The loss is not finite after 0 steps"):
            trainer.compute_loss(model, harmed)


def test_label_smoothing_spreads_the_target_over_the_classes_that_count():
    logits, labels = torch.tensor([[2.0, 1.0, 5.0]]), torch.tensor([0])
    mask = torch.tensor([[True, True, False]])
    log_probabilities = logits[:, :2].log_softmax(dim=-1)[0]
    expected = -(0.9 * log_probabilities[0] + 0.1 * log_probabilities[1])
    torch.testing.assert_close(cross_entropy(logits, labels, mask, label_smoothing=0.2), expected[None])
    everything = torch.ones_like(mask)
    for smoothing in (0.0, 0.2):  # with and without a mask that leaves all classes: the same
        torch.testing.assert_close(
            cross_entropy(logits, labels, everything, smoothing), cross_entropy(logits, labels, None, smoothing)
        )


def test_masked_classes_get_no_gradient_and_shares_of_mixup_are_taken():
    logits = torch.randn(2, 4, requires_grad=True)
    mask = torch.tensor([[True, True, False, True], [True, True, True, True]])
    shares = torch.tensor([[0.7, 0.3, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    cross_entropy(logits, shares, mask, label_smoothing=0.1).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 2] == 0 and (logits.grad[mask] != 0).all()


def test_a_corpus_counts_the_classes_it_has():
    masks = corpus_label_masks([0, 1, 2, 0], ["savee", "savee", "tess", "tess"], num_labels=4)
    np.testing.assert_array_equal(masks[[0, 2]], [[True, True, False, False], [True, False, True, False]])
    np.testing.assert_array_equal(masks[[1, 3]], masks[[0, 2]])


def test_mixup_mixes_features_labels_and_masks():
    torch.manual_seed(0)
    inputs = {
        "input_features": torch.stack([torch.zeros(4, 2), torch.ones(4, 2)]),
        "attention_mask": torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]),
        "utterance_features": torch.tensor([[0.0], [1.0]]),
        "labels": torch.tensor([0, 2]),
        "weights": torch.tensor([1.0, 3.0]),
        "label_mask": torch.tensor([[True, True, False], [False, False, True]]),
    }
    for _ in range(20):
        mixed = mixup(inputs, num_labels=3, alpha=1.0)
        torch.testing.assert_close(mixed["labels"].sum(dim=1), torch.ones(2))
        # the share of class 2 is the share of the clip of ones, in features of every kind
        torch.testing.assert_close(mixed["labels"][:, 2], mixed["input_features"][:, 0, 0])
        torch.testing.assert_close(mixed["labels"][:, 2], mixed["utterance_features"][:, 0])
        torch.testing.assert_close(mixed["labels"][:, 2], (mixed["weights"] - 1) / 2)
        if 0 < mixed["labels"][0, 2] < 1:
            assert mixed["attention_mask"].all() and mixed["label_mask"].all()
            break
    else:
        pytest.fail("no batch was mixed")


def test_a_short_warm_up_for_few_steps_is_not_that_of_the_next_trial(tmp_path):
    trainer = SerTrainer(
        model=PhoneticCnnForAudioClassification(PhoneticCnnConfig(conv_channels=[4], num_labels=3)),
        args=SerTrainingArguments(output_dir=str(tmp_path), use_cpu=True, warmup_steps=100, lr_scheduler_type="linear"),
        eval_dataset=[{}], processing_class=SerFeatureExtractor(), loss=Loss(),
    )  # fmt: skip
    for steps, warm_up in ((50, 5), (5000, 100)):
        optimizer = torch.optim.SGD(trainer.model.parameters(), lr=1.0)
        trainer.lr_scheduler = None
        scheduler = trainer.create_scheduler(steps, optimizer)
        rates = []
        for _ in range(warm_up + 2):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        assert int(np.argmax(rates)) == warm_up and trainer.args.warmup_steps == 100


@pytest.mark.parametrize(("metric", "values", "stops"), [
    ("accuracy", [0.3, 0.5, 0.4, 0.45], True), ("accuracy", [0.3, 0.5, 0.4, 0.6], False),
    ("loss", [1.0, 0.8, 0.9, 0.85], True), ("loss", [1.0, 0.8, 0.9, 0.7], False),
    ("eval_loss", [1.0, 0.8, 0.9, 0.85], True), ("eval_loss", [1.0, 0.8, 0.9, 0.7], False),
])  # fmt: skip
def test_early_stopping_counts_from_the_best(tmp_path, metric, values, stops):
    state, control = TrainerState(), TrainerControl()
    for step, value in enumerate(values):
        state.log_history.append({f"eval_{metric.removeprefix('eval_')}": value, "step": step})
        assert not control.should_training_stop
        EarlyStopping(metric, patience=2).on_evaluate(TrainingArguments(output_dir=str(tmp_path)), state, control)
    assert control.should_training_stop is stops


def test_epoch_log_joins_training_and_validation(tmp_path):
    state = TrainerState(is_world_process_zero=True)
    state.log_history = [{"loss": 2.0, "epoch": 1.0, "step": 5}, {"eval_loss": 1.5, "epoch": 1.0, "step": 5}]
    EpochLog(tmp_path / "log.jsonl").on_evaluate(None, state, None)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"loss": 2.0, "eval_loss": 1.5, "epoch": 1.0, "step": 5}]


TAKE_AND_FREE = """
import resource
import torch
from ser_model.training.processes import keep_freed_memory
keep_freed_memory()
for _ in range(20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(64, 1024, 256)  # 64 MiB
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_memory_that_was_freed_is_not_asked_for_anew():
    done = subprocess.run([sys.executable, "-c", TAKE_AND_FREE], cwd=ROOT, capture_output=True, text=True, check=True)
    first, *later = map(int, done.stdout.split())
    assert first > 1_000 and sum(later) < 5 * first  # page faults, for once a small block may lie in the way
