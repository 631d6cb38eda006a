"""Which sources were recording when the act in question was done: that what was not shows nothing of it says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import times


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one question."""

    question: str
    number: int
    """sources in all"""
    absent: tuple[str, ...]
    """sources without records from before and after the act, or with a gap over it"""


def coverage(findings: Mapping[str, Any]) -> list[Coverage]:
    """Return, for each answer whose act has a time, which sources do not cover it."""
    sources = findings["sources"]
    return [
        Coverage(answer["question"], len(sources), tuple(one["name"] for one in sources if not _covers(one, answer["when"])))
        for answer in findings["answers"]
        if answer.get("when") and sources
    ]


def _covers(source: Mapping[str, Any], when: Mapping[str, str]) -> bool:
    """Tell whether a source recorded before and after the act without a gap over it, wherever its clock may have stood (its times are as recorded)."""
    if not source.get("first") or not source.get("last"):
        return False
    ahead = source.get("clock_offset_s") or {"low": 0.0, "high": 0.0}
    low = times.parse(when["from"])[0] + int(ahead["low"] * times.SECOND)
    high = times.parse(when["to"])[0] + int(ahead["high"] * times.SECOND)
    if low < _at(source["first"]) or high > _at(source["last"]):
        return False
    gaps: Sequence[Mapping[str, str]] = source.get("gaps") or ()
    return not any(_at(gap["from"]) < high and low < _at(gap["to"]) for gap in gaps)


def _at(text: str) -> int:
    return times.parse(text)[0]
