"""The acts that answers rest on, numbered in order of time; and what acts, people and things are called in drawings."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report import paths
from forensics.telling.report.answer import Answer
from forensics.telling.report.citing import Index, weighed
from forensics.telling.report.names import Names
from forensics.telling.report.timeline import Marks

ACTS = 80
"""acts that the timeline numbers"""
_NAMED = "SELECT id, action, time FROM events WHERE id IN (SELECT unnest($ids)) ORDER BY id"


def key_acts(told: Sequence[Answer], index: Index, events: Mapping[int, Mapping[str, Any]]) -> tuple[list[dict[str, Any]], Marks]:
    """Return the acts that answers rest on, numbered in order of time, and which question rests on which.

    Where there are too many, what was weighed comes before what the path only passes.
    """
    tested = [index.numbers(weighed(answer.data)) for answer in told]
    passed = [_steps(answer, index, events) for answer in told]
    wanted = dict.fromkeys(n for group in (*tested, *passed) for n in group if n in events and events[n]["time"] is not None)
    ordered = sorted(list(wanted)[:ACTS], key=lambda n: (events[n]["time"], n))
    acts = [dict(events[n]) | {"number": number, "entry": n} for number, n in enumerate(ordered, 1)]
    marks = []
    for answer, *groups in zip(told, tested, passed, strict=True):
        rests = {n for group in groups for n in group}
        marks.append((answer.data["question"], [(act["number"], act["time"]) for act in acts if act["entry"] in rests]))
    return acts, marks


def _steps(answer: Answer, index: Index, events: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """List the evidence of a path up to its jobs, and of the first and the last act of those."""
    before = [n for edge in answer.edges if not _effect(edge) for n in index.numbers(edge["refs"])]
    after = [
        n for edge in answer.edges if _effect(edge) for n in index.numbers(edge["refs"]) if n in events and events[n]["time"] is not None
    ]
    after.sort(key=lambda n: (events[n]["time"], n))
    return [*before, *after[:1], *after[-1:]]


def _effect(edge: Mapping[str, Any]) -> bool:
    return any(paths.family(edge[end])[0] == "job" for end in ("src", "dst"))


def called(findings: Mapping[str, Any], tables: Tables, case: CaseConfig, names: Names) -> Callable[[str], str]:
    """Return what a thing is called: an act after the event that records it, people by name, anything else in short."""
    ends = {edge[end] for answer in findings["answers"] for edge in answer.get("path") or () for end in ("src", "dst")}
    ids = sorted(int(end[6:]) for end in ends if re.fullmatch(r"event:\d{1,18}", end, re.ASCII))
    rows = tables.rows(_NAMED, ids=ids) if ids else []
    acts = {f"event:{row['id']}": _act(row, case.timezone) for row in rows}

    def name(reference: str) -> str:
        if reference in names.people:
            return names.who(reference)
        return acts.get(reference) or names.hide(paths.short(reference))

    return name


_CLAIMED = """
    SELECT split_part(object, '@', 2) AS sha, min(claimed) AS author, 'email:' || min(nullif(json_extract_string(attrs, '$.committer_email'), '')) AS committer
    FROM events WHERE action = 'code.commit' AND claimed IS NOT NULL AND list_contains($s, split_part(object, '@', 2))
    GROUP BY ALL HAVING count(DISTINCT claimed) = 1 ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom a commit names; anybody may write either line."""

    author: str
    committer: str | None = None
    """where it is another than the author"""


def claims(findings: Mapping[str, Any], tables: Tables) -> dict[str, Claim]:
    """Return what is asked about -> whom its commit names as author and as committer."""
    asked = {a["object"]: a["object"].partition("@")[2].partition(":")[0] for a in findings["answers"] if a["object"].startswith("git:")}
    rows = tables.rows(_CLAIMED, s=sorted(set(asked.values()))) if asked else []
    named = {row["sha"]: Claim(row["author"], row["committer"] if row["committer"] != row["author"] else None) for row in rows}
    return {reference: named[sha] for reference, sha in asked.items() if sha in named}


def _act(row: Mapping[str, Any], timezone: str) -> str:
    return f"{row['action']} {times.show_in(row['time'], timezone)[5:16] if row['time'] is not None else '-'}"
