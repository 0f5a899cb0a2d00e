"""Accuracy, UAR, F1 and confusion matrix as one `evaluate` module."""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


class EmotionMetrics(evaluate.Metric):
    """Accuracy, UAR, macro F1, figures per class and the confusion matrix.

    `EmotionMetrics(labels=[...]).compute(predictions=[...], references=[...])` with class numbers gives

    - `accuracy`: share of clips that are right (WA);
    - `uar`: mean recall over the classes that have at least one true clip;
    - `macro_f1`: mean F1 over the same classes;
    - `per_class`: label -> `precision`, `recall`, `f1`, `accuracy` (share of the class's clips that
      are right, which is its recall) and `support` (true clips);
    - `missing_classes`: labels without a true clip, left out of the means;
    - `confusion_matrix`: rows are true classes, columns predicted ones, in the order of the labels.
    """

    def __init__(self, labels: list[str], **kwargs):
        self.labels = list(labels)
        kwargs.setdefault("keep_in_memory", True)
        super().__init__(**kwargs)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=type(self).__doc__,
            citation="Pedregosa et al. (2011). Scikit-learn: Machine Learning in Python. JMLR 12.",
            inputs_description="predictions, references: class numbers",
            features=datasets.Features({"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}),
        )

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, Any]:
        return emotion_metrics(predictions, references, self.labels)


def emotion_metrics(predictions: ArrayLike, references: ArrayLike, labels: list[str]) -> dict[str, Any]:
    """What `EmotionMetrics` computes, for class numbers `(num_clips,)` at hand."""
    classes = np.arange(len(labels))
    precision, recall, f1, support = precision_recall_fscore_support(
        references, predictions, labels=classes, zero_division=0.0
    )
    present = support > 0
    return {
        "accuracy": float(np.mean(np.equal(references, predictions))),
        "uar": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "per_class": {
            label: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "accuracy": float(recall[index]),
                "support": int(support[index]),
            }
            for index, label in enumerate(labels)
        },
        "missing_classes": [label for index, label in enumerate(labels) if not present[index]],
        "confusion_matrix": confusion_matrix(references, predictions, labels=classes).tolist(),
    }
