"""Cross-entropy: item weights, label smoothing, label masks and mixup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from sklearn.utils.class_weight import compute_sample_weight
from torch.nn import functional as F


@dataclass(frozen=True)
class Loss:
    """Settings of the cross-entropy.

    Args:
        class_weight: `"balanced"` weighs each class by the inverse of its share of the training
            items; None weighs all alike.
        corpus_balance: Exponent of the same for corpora: 0 weighs all items alike, 1 lets each
            corpus count alike, however few its clips.
        mixup_alpha: Parameter of the Beta distribution of mixup (Zhang et al. 2018); 0 for none.
        label_smoothing: Share of the target spread over all classes in training; 0 for none.
        mask_labels_by_corpus: Whether the classes that a clip's corpus does not have are left out
            of its loss.
    """

    class_weight: Literal["balanced"] | None = None
    corpus_balance: float = 0.0
    mixup_alpha: float = 0.0
    label_smoothing: float = 0.0
    mask_labels_by_corpus: bool = False

    def item_weights(self, labels: Sequence[int], corpora: Sequence[str]) -> np.ndarray:
        """Class weight times corpus weight of each training item, each 1 on average; float32 `(num_items,)`."""
        by_corpus = compute_sample_weight("balanced", corpora) ** self.corpus_balance
        by_class = compute_sample_weight(self.class_weight, labels)
        return (by_class * by_corpus / by_corpus.mean()).astype(np.float32)


def corpus_label_masks(labels: Sequence[int], corpora: Sequence[str], num_labels: int) -> np.ndarray:
    """Which classes each clip's corpus has.

    Args:
        labels: Class numbers of all clips.
        corpora: Their corpora.
        num_labels: Classes in all.

    Returns:
        bool `(num_clips, num_labels)`.
    """
    names, corpus = np.unique(list(corpora), return_inverse=True)
    has = np.zeros((len(names), num_labels), dtype=bool)
    has[corpus, list(labels)] = True
    return has[corpus]


def targets_of(items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """What a batch holds beside features: `labels` and `weights (batch,)`, and `label_mask` where items have one."""
    targets = {
        "labels": torch.tensor([item["labels"] for item in items]),
        "weights": torch.tensor([item["weight"] for item in items]),
    }
    if "label_mask" in items[0]:
        targets["label_mask"] = torch.from_numpy(np.stack([item["label_mask"] for item in items]))
    return targets


def cross_entropy(
    logits: torch.Tensor,
    labels: torch.Tensor,
    label_mask: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Cross-entropy of each item over the classes that its mask leaves.

    Args:
        logits: `(batch, num_labels)`.
        labels: Class numbers `(batch,)`, or shares `(batch, num_labels)` as `mixup` gives them.
        label_mask: bool `(batch, num_labels)`, true where a class counts; None for all.
        label_smoothing: Share of the target spread evenly over the classes that count.

    Returns:
        `(batch,)`.
    """
    if label_mask is None:
        return F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    targets = labels if labels.ndim == 2 else F.one_hot(labels, logits.shape[-1])
    even = label_mask / label_mask.sum(dim=-1, keepdim=True)
    targets = (1 - label_smoothing) * targets + label_smoothing * even
    log_probabilities = logits.masked_fill(~label_mask, -torch.inf).log_softmax(dim=-1)
    return -(targets * log_probabilities.masked_fill(~label_mask, 0.0)).sum(dim=-1)


def mixup(inputs: dict[str, torch.Tensor], num_labels: int, alpha: float) -> dict[str, torch.Tensor]:
    """Mixes each clip of a batch with another; labels become shares `(batch, num_labels)`."""
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    order = torch.randperm(len(inputs["labels"]), device=inputs["labels"].device)
    hard = F.one_hot(inputs["labels"], num_labels).float()
    mixed = dict(inputs, labels=share * hard + (1 - share) * hard[order])
    for name in ("input_features", "utterance_features", "weights"):
        if name in inputs:
            mixed[name] = share * inputs[name] + (1 - share) * inputs[name][order]
    for name in ("attention_mask", "label_mask"):
        if name in inputs:
            mixed[name] = torch.maximum(inputs[name], inputs[name][order])
    return mixed
