"""Which commits a push brought: those that its new head reaches and nothing known before it did."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_SLACK = 120_000_000_000
"""how much earlier than the push's record the commit may be seen elsewhere"""

# Where a ref was seen at a commit: on the server, or by whoever fetched from it.
_SEEN = """
    SELECT split_part(substr(object, 5), '#', 1) AS repo, split_part(target, '@', 2) AS sha, min(time) AS time FROM events
    WHERE action = 'ref.update' AND time IS NOT NULL AND target IS NOT NULL
      AND (json_extract_string(attrs, '$.role') = 'server' OR regexp_matches(json_extract_string(attrs, '$.message'), '^(pull|fetch|clone)'))
    GROUP BY ALL ORDER BY time, repo, sha
"""


@dataclass(frozen=True, slots=True)
class _Lost:
    """Commits that stood on a ref although no record of a push brought them there."""

    commits: frozenset[str]
    since: int
    """the last time at which the ref is known to have stood elsewhere"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    parents = _parents(tables)
    pushes = tables.rows("SELECT * FROM pushes WHERE after IS NOT NULL AND time IS NOT NULL ORDER BY time, event")
    seen = tables.rows(_SEEN)
    for repo in sorted({p["repo"] for p in pushes}):
        mine = [p for p in pushes if p["repo"] == repo]
        arrived = _arrived([s for s in seen if s["repo"] == repo], parents)
        lost = list(_lost(mine, parents))
        rows = [
            row for p, commits, told in _brought(mine, parents) for row in _edges(repo, p, commits, told=told, arrived=arrived, lost=lost)
        ]
        yield pa.Table.from_pylist(rows) if rows else pa.table({})


def _parents(tables: Tables) -> dict[str, list[str]]:
    """Return each commit's parents, of all repositories at once: an id means the same commit in a fork."""
    rows = tables.rows("""
        SELECT DISTINCT split_part(object, '@', 2) AS sha, CAST(json_extract(attrs, '$.parents') AS VARCHAR) AS parents
        FROM events WHERE action = 'code.commit' ORDER BY ALL
    """)
    return {row["sha"]: [p.strip(' "') for p in (row["parents"] or "[]").strip("[]").split(",") if p.strip(' "')] for row in rows}


def _arrived(seen: list[dict[str, Any]], parents: dict[str, list[str]]) -> dict[str, int]:
    """Return when each commit was first seen on the server, or by somebody who fetched it from there."""
    known: set[str] = set()
    return {sha: s["time"] for s in seen for sha in _walk(s["sha"], parents, known)}


def _lost(pushes: list[dict[str, Any]], parents: dict[str, list[str]]) -> Iterator[_Lost]:
    """Yield what lies below the starts of pushes that no earlier push of that ref ended at: the pushes in between are not in the log.

    A log that begins in the middle has such a start for each ref: there, nothing is lost, it only was there before.
    """
    ends: dict[str | None, tuple[str, int]] = {}
    before: set[str] = set()
    for push in pushes:
        end = ends.get(push["ref"])
        if push["before"] and end is not None and push["before"] != end[0] and push["time"] - end[1] > _SLACK:
            fresh = frozenset(_walk(push["before"], parents, set(before)))
            if fresh:
                yield _Lost(fresh, end[1])
        if push["before"] and end is None:
            _walk(push["before"], parents, before)
        ends[push["ref"]] = (push["after"], push["time"])


def _brought(pushes: list[dict[str, Any]], parents: dict[str, list[str]]) -> Iterator[tuple[dict[str, Any], list[str], bool]]:
    """Walk the pushes in time; a commit belongs to the first push whose head reaches it, unless it was there before.

    What stood there before the log begins is what the first logged push of each ref started from. A push without a
    start of its own (a new branch) is trusted for what lies below its head only where such a beginning is known.
    """
    seen: set[str] = set()
    started: set[str | None] = set()
    for push in pushes:
        if push["ref"] not in started and push["before"]:
            _walk(push["before"], parents, seen)
        started.add(push["ref"])
    known = bool(seen)
    for push in pushes:
        if push["before"]:
            _walk(push["before"], parents, seen)
        yield push, _walk(push["after"], parents, seen), bool(push["before"]) or known


def _walk(head: str, parents: dict[str, list[str]], seen: set[str]) -> list[str]:
    """Return what a head reaches and nobody saw before, and mark it as seen."""
    fresh, stack = [], [head]
    while stack:
        sha = stack.pop()
        if sha in seen or sha not in parents:
            continue
        seen.add(sha)
        fresh.append(sha)
        stack.extend(parents[sha])
    return fresh


def _edges(
    repo: str, push: dict[str, Any], commits: list[str], *, told: bool, arrived: dict[str, int], lost: list[_Lost]
) -> Iterator[dict[str, Any]]:
    for sha in sorted(commits):
        if push["time"] > arrived.get(sha, push["time"]) + _SLACK:
            continue  # it had been there before this push
        unsure = any(sha in gone.commits and push["time"] > gone.since for gone in lost)
        yield {
            "src": f"event:{push['event']}", "dst": f"git:{repo}@{sha}", "time": push["time"], "time_hi": push["time"],
            "recorded": (told or sha == push["after"]) and not unsure, "events": [push["event"]],
        }  # fmt: skip


LINK = Link(
    name="pushed-commits",
    says="this push brought that commit: its new head reaches it, and neither its old head nor an earlier push did",
    errs="pushes that the log lost make a later one look as if it had brought their commits, unless a reflog or the next push's start shows that they had been there; a first push before the window brings all history",
    run=_run,
)
