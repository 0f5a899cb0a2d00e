"""The tab About: limits of use, test results, label order and model cards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gradio as gr

from demo import about_texts as texts
from demo import cards, messages
from demo.models import Models

RESULTS = Path(__file__).resolve().parents[2] / "results" / "README.md"


def build(models: Models) -> None:
    """Adds the tab's content to the page under construction; reads files, loads no model."""
    cards.html(cards.about(texts.SECTIONS, texts.QUESTIONS), "ser-about")
    reports = {title: models.json_file(title, "report.json") for title in models.titles}
    measured = {title: report for title, report in reports.items() if report}
    licences = {title: licence(models.file(title, "README.md")) for title in models.titles}
    rows = figures(measured, licences)
    cards.html(cards.table("Test results", FIGURES_HEAD, rows), "ser-about-figures")
    cards.html(robustness(models), "ser-about-robustness")
    cards.html(label_table(models), "ser-about-labels")
    for title in models.titles:
        card = models.file(title, "README.md")
        if card:
            with gr.Accordion(f"Model card of {title}", open=False):
                gr.Markdown(demoted(card), elem_classes="ser-prose")
    if RESULTS.is_file():
        with gr.Accordion("Every measured run", open=False):
            gr.Markdown(demoted(RESULTS.read_text(encoding="utf-8")), elem_classes="ser-prose")


FIGURES_HEAD = ("model", "corpora", "protocol", "fold", "test clips", "UAR", "accuracy", "speakers", "weights' licence")


def licence(card: str | None) -> str:
    """The licence that a model card's metadata gives."""
    found = re.search(r"\A---\n.*?^license: *(\S+)", card or "", flags=re.DOTALL | re.MULTILINE)
    return found[1] if found else "unknown"


def figures(reports: dict[str, dict[str, Any]], licences: dict[str, str]) -> list[tuple[str, ...]]:
    """One row a report, as `FIGURES_HEAD` names the columns."""
    return [
        (
            title,
            ", ".join(messages.corpus_name(name) for name in report.get("corpora", [])),
            str(report.get("protocol", "unknown")),
            str(report.get("fold", "unknown")),
            str(report.get("split_sizes", {}).get("test", "unknown")),
            f"{report['test']['uar']:.1%}",
            f"{report['test']['accuracy']:.1%}",
            messages.speakers_tested(report),
            licences.get(title, "unknown"),
        )
        for title, report in reports.items()
        if {"uar", "accuracy"} <= report.get("test", {}).keys()
    ]


def robustness(models: Models) -> str:
    """How many checks of robustness.json each model passes, by group, beside the random model."""
    found = {title: models.json_file(title, "robustness.json") for title in models.titles}
    shown = {title: content for title, content in found.items() if content}
    if not shown:
        return ""
    groups = list(dict.fromkeys(group for content in shown.values() for group in content["groups"]))
    rows = []
    for title, content in shown.items():
        for name, result in ((title, content), (f"random model beside {title}", content["baselines"]["random"])):
            counts = (result["groups"].get(group, {"passed": 0, "checks": 0}) for group in groups)
            cells = (f"{count['passed']} of {count['checks']}" for count in counts)
            rows.append((name, f"{result['share_passed']:.0%}", *cells))
    return cards.table("Robustness: checks passed on changed test clips", ("model", "all", *groups), rows)


def label_table(models: Models) -> str:
    """The label of each output of each model, from its configuration."""
    orders = {}
    for title in models.titles:
        names = (models.json_file(title, "config.json") or {}).get("id2label")
        if names:
            orders[title] = [names[str(index)] for index in range(len(names))]
    if not orders:
        return ""
    most = max(map(len, orders.values()))
    rows = [
        (str(index), *(order[index] if index < len(order) else "" for order in orders.values()))
        for index in range(most)
    ]
    return cards.table("Label indices", ("index", *orders), rows, swatches=True)


def demoted(markdown: str) -> str:
    """A document to be shown inside the page: without metadata, comments and pictures, its headings smaller."""
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"^(#{1,4}) ", r"##\1 ", text, flags=re.MULTILINE)
