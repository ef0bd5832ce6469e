"""What a benchmark found, and the table that it is printed in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: how we fared, how the other way did, and the ratio of the two (below 1: we are better)."""

    what: str
    ours: str
    other_way: str = ""
    other: str = ""
    ratio: float | None = None


def compared(what: str, our_seconds: float, other_way: str, other_seconds: float) -> Finding:
    """Return the finding for two times."""
    return Finding(what, milliseconds(our_seconds), other_way, milliseconds(other_seconds), our_seconds / other_seconds)


def spread(what: str, ours: Sequence[float], other_way: str, others: Sequence[float]) -> Finding:
    """Return the finding for times that were taken in turns, with the middle half of their ratios."""
    lower, middle, upper = statistics.quantiles((our / other for our, other in zip(ours, others, strict=True)), n=4)
    told = f"{what} (ratio: {lower:.2f} to {upper:.2f})"
    return Finding(
        told, milliseconds(statistics.median(ours)), other_way, milliseconds(statistics.median(others)), middle
    )


def milliseconds(seconds: float) -> str:
    """Return a time for people."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def printed(findings: Sequence[Finding]) -> str:
    """Return findings as a table in Markdown, its columns aligned."""
    rows = [("What", "Here", "Measured against", "There", "Ratio"), *(_cells(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _cells(finding: Finding) -> tuple[str, ...]:
    ratio = "" if finding.ratio is None else f"{finding.ratio:.2f}"
    return finding.what, finding.ours, finding.other_way, finding.other, ratio
