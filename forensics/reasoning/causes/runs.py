"""Harmed and healthy runs: named in the case, or told from their metrics."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forensics.reasoning.causes.curves import Shape, labelled, shapes
from forensics.reasoning.world import World

Row = dict[str, Any]
MOST = 20_000
"""runs that are compared at most; a case that names more is compared by the first"""


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs in the order of their start. A set of runs is a number whose bit n stands for the n-th of them."""

    jobs: tuple[str, ...]
    starts: tuple[int, ...]
    """when each began; where nothing tells, when it was handed in, else 0"""
    bad: int
    facts: tuple[Row, ...]
    """what is recorded of each: gpus, actor, name, nodes, partition, image, text"""
    how: str
    """`named`, or `metrics`"""

    @property
    def good(self) -> int:
        """Return the healthy ones."""
        return ((1 << len(self.jobs)) - 1) & ~self.bad

    def since(self, low: int, high: int | None) -> int:
        """Return the runs that began at or after `low`, and before `high`."""
        return bits(n for n, start in enumerate(self.starts) if start >= low and (high is None or start < high))


def bits(places: Iterable[int]) -> int:
    """Return the set of these places."""
    found = 0
    for n in places:
        found |= 1 << n
    return found


def runs(world: World) -> Runs | None:
    """Return the runs to compare; None where there are no two kinds of them."""
    numbers = world.policy.causes
    tracked = _tracked(world)
    bad = {tracked.get(r, r) for r in world.case.bad}
    good = {tracked.get(r, r) for r in world.case.good} - bad
    bad -= {tracked.get(r, r) for r in world.case.good}
    how = "named"
    if not world.case.bad and not world.case.good:
        bad, good = labelled(_of_jobs(world, shapes(world)), numbers)
        how = "metrics"
    found = _runs(world, bad, good, how)
    least = int(numbers["least_runs"])
    enough = found.bad.bit_count() >= least and found.good.bit_count() >= least
    return found if enough else None


_JOBS = """
    SELECT j.job, min(coalesce(j.start, j.submit)) AS start, max(j.gpus) AS gpus, min(j.actor) AS actor, min(j.name) AS name,
           min(coalesce(j.command, '')) AS command, min(coalesce(j.workdir, '')) AS workdir, max_by(j.nodes, len(j.nodes)) AS nodes,
           min(j.events[1]) AS event
    FROM jobs j WHERE list_contains($jobs, j.job) GROUP BY j.job ORDER BY start NULLS FIRST, j.job LIMIT $most
"""


def _runs(world: World, bad: set[str], good: set[str], how: str) -> Runs:
    rows = world.tables.rows(_JOBS, jobs=sorted(bad | good), most=MOST)
    told = world.tables.rows("SELECT id, attrs FROM events WHERE list_contains($e, id)", e=[r["event"] for r in rows])
    attrs = {r["id"]: _object(r["attrs"]) for r in told}
    facts = tuple(_fact(r, attrs.get(r["event"], {})) for r in rows)
    jobs = tuple(r["job"] for r in rows)
    return Runs(jobs, tuple(r["start"] or 0 for r in rows), bits(n for n, j in enumerate(jobs) if j in bad), facts, how)


def _object(text: str | None) -> Row:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _fact(row: Row, attrs: Row) -> Row:
    env = attrs.get("env")
    values = [str(v) for v in env.values()] if isinstance(env, dict) else []
    return row | {
        "partition": str(attrs.get("partition") or attrs.get("queue") or "") or None,
        "image": str(attrs.get("image") or ""),
        "text": "\n".join([row["command"], row["workdir"], *values]),
        "nodes": [_node(row["job"], n) for n in row["nodes"] or []],
    }


def _node(job: str, name: str) -> str:
    """Write a node's reference: schedulers name nodes within their own cluster."""
    cluster = job.partition(":")[2].partition("/")[0]
    return name if name.startswith("node:") else f"node:{cluster}/{name}"


def _tracked(world: World) -> dict[str, str]:
    """Return training run -> job, by the tracker's own records."""
    rows = world.tables.rows("""
        SELECT e.object AS run, min(j.job) AS job FROM events e
        JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(e.attrs, '$.job')
        WHERE e.action = 'run.record' AND e.object IS NOT NULL GROUP BY e.object HAVING count(DISTINCT j.job) = 1
    """)
    return {r["run"]: r["job"] for r in rows}


def _of_jobs(world: World, found: dict[str, Shape]) -> dict[str, Shape]:
    """Return job -> shape of its curve: a run's name stands for a job by the source's pattern, or by the tracker's record."""
    tracked = _tracked(world)
    by_id = {
        r["id"]: r for r in world.tables.rows("SELECT regexp_extract(job, '[^/]+$') AS id, min(job) AS job, min(name) AS name, max(gpus) AS gpus FROM jobs GROUP BY 1")
    }  # fmt: skip
    named: dict[str, Shape] = {}
    patterns = {s.name: s.runs_pattern for s in world.case.sources}
    for run, shape in sorted(found.items()):
        row = by_id.get(_id(run, patterns.get(shape.source, ""), by_id))
        job = tracked.get(run) or (row["job"] if row else None)
        if job is not None:
            known = by_id.get(job.rpartition("/")[2], {})
            named.setdefault(job, shape.of(str(known.get("name") or ""), known.get("gpus")))
    return named


def _id(run: str, pattern: str, known: dict[str, Row]) -> str:
    """Return the job's number or name within a run's name, by `{name}-{job}` or the like; the name alone where there is no pattern."""
    name = run.partition(":")[2]
    before, mark, after = pattern.partition("{job}")
    if not mark or name in known:
        return name
    name = name.removesuffix(after) if after and "{" not in after else name
    if "{" not in before:
        return name.removeprefix(before)
    joint = before.rpartition("}")[2]
    ways = [i for i in range(len(name)) if joint and name.startswith(joint, i)]
    return next((name[i + len(joint) :] for i in ways if name[i + len(joint) :] in known), name)
