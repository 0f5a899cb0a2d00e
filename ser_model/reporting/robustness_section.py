"""What the robustness suite found: the part of a model card, and the table on the terminal."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

LIMITS_NOTE = (
    "Thresholds are those of audeering/ser-tests where it has the check, those for women, men and pitch bands\n"
    "widened by sqrt(1000 / clips) below 1,000 clips; the project's docs/robustness.md lists all."
)

NAMES = {"random": "random model", "encoder_svm": "encoder + SVM"}
ABOUT = {
    "random": "a random model, which answers by the shares of the classes,",
    "encoder_svm": "an SVM on Whisper-base's layer 3, trained on this fold's training and validation speakers,",
}

_SECTION = """## Robustness

{passed} of {count} checks passed ({share:.0%}); {baselines}.
Protocol `{protocol}`, fold {fold}: accuracy on {of} test clips, changes on {clips} of them
({per_corpus}), drawn evenly over corpora, emotions and speakers with seed {seed}.{leak}
{note}

| checks | passed | {names} |
|---|---|{rule}
{groups}

![Change of UAR against the share of unchanged predictions](robustness.png)

Not passed:

{failed}
{skipped}
"""


def robustness_section(robustness: dict[str, Any]) -> str:
    """The card's section, from the content of `robustness.json`."""
    sample, baselines = robustness["sample"], robustness["baselines"]
    return _SECTION.format(
        passed=robustness["checks_passed"],
        count=robustness["num_checks"],
        share=robustness["share_passed"],
        baselines=", ".join(f"{ABOUT[name]} passes {found['share_passed']:.0%}" for name, found in baselines.items()),
        names=" | ".join(NAMES[name] for name in baselines),
        rule="---|" * len(baselines),
        of=sample["of"],
        clips=sample["clips"],
        per_corpus=_per_corpus(sample),
        protocol=robustness["protocol"],
        fold=robustness["fold"],
        seed=robustness["seed"],
        leak=_leak_sentence(robustness),
        note=LIMITS_NOTE,
        groups="\n".join(
            f"| {group} | {found['passed']} of {found['checks']} | "
            + " | ".join(str(other["groups"][group]["passed"]) for other in baselines.values())
            + " |"
            for group, found in robustness["groups"].items()
        ),
        failed=_failed(robustness["checks"]),
        skipped=f"\nNot run: {_skipped(robustness)}.\n" if robustness["skipped"] else "",
    )


def robustness_table(robustness: dict[str, Any]) -> str:
    """The table on the terminal: every check, then each group and the baselines."""
    rows = []
    for check in robustness["checks"]:
        comparison = ">=" if check["required"] == "at least" else "<="
        rows.append((
            check["group"], check["name"], check["measure"], f"{check['value']:.3f}",
            f"{comparison} {check['threshold']:.3f}", str(check["clips"]), "passed" if check["passed"] else "FAILED",
        ))  # fmt: skip
    head = ("group", "name", "measure", "value", "threshold", "clips", "")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [_line(row, widths) for row in (head, *rows)]
    sample, speakers = robustness["sample"], robustness["speakers"]
    lines += [
        "",
        f"Changes: {sample['clips']} of {sample['of']} test clips ({_per_corpus(sample)}), seed {robustness['seed']}.",
        f"UAR of these as they are: {robustness['clean']['uar']:.1%}.{_leak_sentence(robustness)}",
    ]
    if speakers:
        lines.append(
            f"UAR of {speakers['speakers']} speakers from {speakers['worst']['uar']:.1%} "
            f"({speakers['worst']['speaker']}) to {speakers['best']['uar']:.1%} ({speakers['best']['speaker']})."
        )
    if robustness["skipped"]:
        lines.append(f"Not run: {_skipped(robustness)}.")
    lines += [LIMITS_NOTE, ""]
    baselines = robustness["baselines"]
    for group, found in robustness["groups"].items():
        others = [f"; {NAMES[name]} {other['groups'][group]['passed']:>3}" for name, other in baselines.items()]
        lines.append(f"{group:<14} {found['passed']:>3} of {found['checks']:>3} passed{''.join(others)}")
    others = [
        f"; {NAMES[name]} {other['checks_passed']:>3} ({other['share_passed']:.1%})"
        for name, other in baselines.items()
    ]
    lines.append(
        f"{'all':<14} {robustness['checks_passed']:>3} of {robustness['num_checks']:>3} passed "
        f"({robustness['share_passed']:.1%}){''.join(others)}"
    )
    return "\n".join(lines)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.rjust(width) if place in (3, 5) else cell.ljust(width)
             for place, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
    return "  ".join(cells).rstrip()


def _failed(checks: list[dict[str, Any]]) -> str:
    """One line a group: names, each with what was measured and what is required."""
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for check in checks:
        if not check["passed"]:
            figures = f"{check['measure']} {check['value']:.3f}, {check['required']} {check['threshold']:.3f}"
            groups[check["group"]][check["name"]].append(figures)
    return (
        "\n".join(
            f"- {group}: " + "; ".join(f"{name} ({'; '.join(figures)})" for name, figures in names.items())
            for group, names in groups.items()
        )
        or "- none"
    )


def _per_corpus(sample: dict[str, Any]) -> str:
    return ", ".join(f"{corpus} {clips}" for corpus, clips in sample["per_corpus"].items())


def _leak_sentence(robustness: dict[str, Any]) -> str:
    shared = robustness["shared_speakers"]
    if shared is None:
        return " Whether the test speakers were trained on is not known."
    return f" {shared} of the test speakers were trained on: accuracy is too high." if shared else ""


def _skipped(robustness: dict[str, Any]) -> str:
    return "; ".join(f"{name} ({reason})" for name, reason in robustness["skipped"].items())
