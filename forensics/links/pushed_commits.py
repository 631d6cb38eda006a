"""Which commits a push brought: those that its new head reaches and nothing known before it did."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    parents = _parents(tables)
    pushes = tables.rows("SELECT * FROM pushes WHERE after IS NOT NULL AND time IS NOT NULL ORDER BY time, event")
    for repo in sorted({p["repo"] for p in pushes}):
        mine = [p for p in pushes if p["repo"] == repo]
        rows = [row for p, commits, told in _brought(mine, parents) for row in _edges(repo, p, commits, told=told)]
        yield pa.Table.from_pylist(rows) if rows else pa.table({})


def _parents(tables: Tables) -> dict[str, list[str]]:
    """Return each commit's parents, of all repositories at once: an id means the same commit in a fork."""
    rows = tables.rows("""
        SELECT DISTINCT split_part(object, '@', 2) AS sha, CAST(json_extract(attrs, '$.parents') AS VARCHAR) AS parents
        FROM events WHERE action = 'code.commit' ORDER BY ALL
    """)
    return {row["sha"]: [p.strip(' "') for p in (row["parents"] or "[]").strip("[]").split(",") if p.strip(' "')] for row in rows}


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


def _edges(repo: str, push: dict[str, Any], commits: list[str], *, told: bool) -> Iterator[dict[str, Any]]:
    for sha in sorted(commits):
        yield {
            "src": f"event:{push['event']}", "dst": f"git:{repo}@{sha}", "time": push["time"], "time_hi": push["time"],
            "recorded": told or sha == push["after"], "events": [push["event"]],
        }  # fmt: skip


LINK = Link(
    name="pushed-commits",
    says="this push brought that commit: its new head reaches it, and neither its old head nor an earlier push did",
    errs="pushes that the log lost make a later one look as if it had brought their commits; a first push before the window brings all history",
    run=_run,
)
