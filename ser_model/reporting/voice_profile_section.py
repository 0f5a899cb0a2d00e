"""The part of a model card about voice profiles."""

from __future__ import annotations

from typing import Any

_SECTION = """## With a voice profile

A voice profile is the mean and standard deviation of the encoder's frames over a few unlabelled recordings of one
person. The table shows the test UAR by the number of clips in the profile. They are drawn from the test clips of the
same speaker, whatever their label; the predicted clip is never among them, and `all` are all others. Neutral clips
alone are what people will usually record. All other figures of this card are without a profile.

{table}

"""


def voice_profile_section(report: dict[str, Any]) -> str:
    """Test UAR by corpus and kind of profile, or an empty text where the report has none."""
    kinds = report.get("voice_profiles")
    if not kinds:
        return ""
    lines = [
        "| clips in the profile | " + " | ".join(kinds) + " |",
        "|---" * (1 + len(kinds)) + "|",
        _row("test", [figures["uar"] for figures in kinds.values()]),
    ]
    for corpus in next(iter(kinds.values()))["per_corpus"]:
        of_corpus = [figures["per_corpus"][corpus] for figures in kinds.values()]
        lines.append(_row(f"test, {corpus}", [figures["uar"] for figures in of_corpus]))
        if "common_sentences" in of_corpus[0]:
            common = [figures["common_sentences"]["uar"] for figures in of_corpus]
            lines.append(_row(f"test, {corpus}, common sentences", common))
    return _SECTION.format(table="\n".join(lines))


def _row(name: str, values: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{value:.1%}" for value in values) + " |"
