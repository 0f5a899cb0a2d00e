"""What is wrong with the files of corpora: names just those that offend."""

from __future__ import annotations

import filecmp
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ser_model.audio import AudioError, printable

from .base import Clip, Scan
from .clip_checks import CHECKED_RATE, decoded
from .loading import find_corpus

FULL_SCALE = 0.99
CLIPPED_RUN = 3  # samples in a row at full scale: speech touches it once, an overdriven recording stays there
BANDWIDTH_DB = 60.0
NAMED_CLIPPED = 3  # of a corpus whose recordings are clipped by the hundred, the worst are named
FFT = 512


@dataclass(frozen=True)
class ClipMeasurements:
    """What is in one clip.

    Attributes:
        rate: Sampling rate in Hz, 0 where the clip cannot be used.
        seconds: Duration in s.
        content: Hash of samples and rate, see `clip_checks.decoded`.
        problem: Why the clip cannot be used, or an empty text.
        clipped: The longest run of samples at full scale.
        bandwidth: Highest frequency in Hz within 60 dB of the strongest one.
        level_db: Root mean square in dB relative to full scale.
    """

    rate: int = 0
    seconds: float = 0.0
    content: str = ""
    problem: str = ""
    clipped: int = 0
    bandwidth: float = 0.0
    level_db: float = -np.inf


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be."""

    corpus: str
    kind: str
    file: str
    detail: str


def audit(corpora: Sequence[str], data_dir: Path) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """Measures every clip of the corpora.

    Returns:
        A summary of each corpus, and what was found in all of them together.
    """
    summaries, findings = {}, []
    everything: list[tuple[str, Clip, ClipMeasurements]] = []
    for name in corpora:
        scan = find_corpus(name).scan(data_dir)
        measured = [measure(clip.path) for clip in tqdm(scan.clips, unit="clip", desc=name)]
        summaries[name] = _summary(scan, measured)
        findings += _of_corpus(name, scan, measured)
        everything += [(name, clip, one) for clip, one in zip(scan.clips, measured, strict=True)]
    return summaries, findings + _identical(everything)


def measure(path: Path) -> ClipMeasurements:
    """Measures one clip."""
    runs = [0]
    try:
        content, rate, seconds, mono = decoded(path, lambda block: runs.append(_clipped(block)))
    except AudioError as error:
        return ClipMeasurements(problem=str(error))
    level = 20 * np.log10(np.sqrt(np.mean(np.square(mono))))
    return ClipMeasurements(
        rate, seconds, content, "", max(runs), _bandwidth(mono, min(rate, CHECKED_RATE)), float(level)
    )


def _clipped(block: np.ndarray) -> int:
    """The longest run of samples at full scale in one channel of `(num_frames, num_channels)`."""
    full = np.abs(block) >= FULL_SCALE
    return max(map(_longest_run, full.T)) if full.any() else 0


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _bandwidth(mono: np.ndarray, rate: int) -> float:
    frames = mono[: max(1, len(mono) // FFT) * FFT]
    frames = np.pad(frames, (0, -len(frames) % FFT)).reshape(-1, FFT) * np.hanning(FFT).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1))).mean(axis=0)
    return float(np.flatnonzero(power >= power.max() * 10 ** (-BANDWIDTH_DB / 10)).max() * rate / FFT)


def _summary(scan: Scan, measured: list[ClipMeasurements]) -> dict[str, Any]:
    usable = [one for one in measured if not one.problem]
    return {
        "clips": len(scan.clips),
        "speakers": len({clip.row["speaker"] for clip in scan.clips}),
        "minutes": round(sum(one.seconds for one in measured) / 60, 1),
        "sampling_rates": dict(Counter(one.rate for one in usable).most_common()),
        "bandwidth": float(np.median([one.bandwidth for one in usable])) if usable else 0.0,
        "level_db": round(float(np.median([one.level_db for one in usable])), 1) if usable else None,
        "clipped": sum(one.clipped >= CLIPPED_RUN for one in usable),
        "further_copies": len(scan.copies),
    }


def _of_corpus(name: str, scan: Scan, measured: list[ClipMeasurements]) -> list[Finding]:
    """Misnamed, unusable and clipped files, and those with another sampling rate than most."""
    findings = [Finding(name, "misnamed", printable(path), reason) for path, reason in scan.defects]
    rates = Counter(one.rate for one in measured if one.rate).most_common(1)
    for clip, one in zip(scan.clips, measured, strict=True):
        if one.problem:
            findings.append(Finding(name, "unusable", printable(clip.path), one.problem))
        if one.rate and one.rate != rates[0][0]:
            detail = f"{one.rate:,} Hz where the corpus has {rates[0][0]:,} Hz"
            findings.append(Finding(name, "sampling rate", printable(clip.path), detail))
    clipped = [(one.clipped, clip.path) for clip, one in zip(scan.clips, measured, strict=True)]
    for run, path in sorted(clipped, key=lambda entry: (-entry[0], entry[1])):
        if run >= CLIPPED_RUN:
            findings.append(Finding(name, "clipped", printable(path), f"{run} samples in a row at full scale"))
    return findings


def _identical(everything: list[tuple[str, Clip, ClipMeasurements]]) -> list[Finding]:
    """Recordings that stand there more than once, also across corpora."""
    same: dict[str, list[tuple[str, Clip]]] = defaultdict(list)
    for name, clip, one in everything:
        if not one.problem:
            same[one.content].append((name, clip))
    findings = []
    for twins in same.values():
        (_, first), *others = twins
        labels = [clip.row["emotion"] for _, clip in twins]
        for name, clip in others:
            how = "byte for byte" if filecmp.cmp(first.path, clip.path, shallow=False) else "sample for sample"
            detail = f"{how} the same as {printable(first.path)}"
            if len(set(labels)) > 1:
                detail += f", labelled {clip.row['emotion']} here and {first.row['emotion']} there"
            kind = "conflicting labels" if len(set(labels)) > 1 else "identical"
            findings.append(Finding(name, kind, printable(clip.path), detail))
    return findings


def as_text(summaries: dict[str, dict[str, Any]], findings: list[Finding], data_dir: Path) -> str:
    """The audit as a person reads it: a line a corpus, then a line a file."""
    lines, root = [], f"{data_dir.resolve()}/"
    for name, summary in summaries.items():
        rates = ", ".join(f"{rate:,}" for rate in summary["sampling_rates"])
        copies = f", {summary['further_copies']:,} further copies not counted" if summary["further_copies"] else ""
        lines.append(
            f"{name}: {summary['clips']:,} clips of {summary['speakers']} speakers, {summary['minutes']} min, "
            f"{rates} Hz, nothing above {summary['bandwidth'] / 1000:.1f} kHz, level {summary['level_db']} dB{copies}"
        )
        own = [finding for finding in findings if finding.corpus == name]
        clipped = [finding for finding in own if finding.kind == "clipped"]
        if len(clipped) > NAMED_CLIPPED:
            lines.append(f"  clipped: {len(clipped)} clips, the worst {NAMED_CLIPPED} of them below")
        for finding in own:
            if finding.kind != "clipped" or finding in clipped[:NAMED_CLIPPED]:
                lines.append(f"  {finding.kind}: {finding.file.removeprefix(root)}: {finding.detail}")
        if not own:
            lines.append("  nothing to object to")
    return "\n".join(lines).replace(root, "")


def as_json(summaries: dict[str, dict[str, Any]], findings: list[Finding]) -> dict[str, Any]:
    """The audit whole, every clipped clip included."""
    return {"corpora": summaries, "findings": [asdict(finding) for finding in findings]}
