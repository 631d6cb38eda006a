"""What acts, people and things are called in drawings."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report import paths
from forensics.telling.report.names import Names

_NAMED = "SELECT id, action, time FROM events WHERE id IN (SELECT unnest($ids)) ORDER BY id"


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
