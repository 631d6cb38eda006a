"""Which runs a job's effects came to: itself, and whatever loaded what it wrote, over any number of steps."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.world import World

Key = tuple[str, int]
"""an object's name, and which of its recorded writes; -1: what stood there before the first"""
_NAMED = re.compile(r"\b(?:s3|hdfs)://[^\s'\"\\,;]{1,1000}")
_VERSION = "?versionId="


@dataclass(frozen=True, slots=True)
class Spread:
    """Loads and writes of jobs, followed forward to the runs that are compared."""

    own: dict[str, int]
    """job -> its own bit, where it is one of the runs"""
    downstream: dict[str, int]
    """job -> itself and the runs that loaded, directly or not, what it wrote"""
    loads: tuple[tuple[Key, str], ...]
    """object version and the job that loaded it"""
    versions: "Versions"

    @staticmethod
    def reached(sets: dict[str, int], jobs: Iterable[str]) -> int:
        """Return the runs that any of these jobs stands for, in `own` or `downstream`."""
        found = 0
        for job in jobs:
            found |= sets.get(job, 0)
        return found


@dataclass(frozen=True, slots=True)
class Versions:
    """The recorded writes of objects that were loaded, in order of time."""

    times: dict[str, list[int]]
    objects: dict[str, list[str]]
    places: dict[str, int]
    """reference with a version -> which write it is"""

    def key(self, reference: str, time: int | None) -> Key:
        """Return the version that a reference means: the one it names, else the last one written by then."""
        bare, _, version = reference.partition(_VERSION)
        if version:
            place = self.places.get(reference)
            return (reference, -1) if place is None else (bare, place)
        known = self.times.get(bare, [])
        return bare, (bisect_right(known, time) if time is not None else len(known)) - 1

    def show(self, key: Key) -> tuple[str, int | None]:
        """Return a version's reference, and when it was written."""
        bare, n = key
        return (self.objects[bare][n], self.times[bare][n]) if n >= 0 else (bare, None)


_WRITES = """
    WITH loaded AS (
        SELECT split_part(src, '?versionId=', 1) AS bare FROM edges WHERE rule = 'job-objects' AND regexp_matches(dst, '^(slurm|k8s):')
        UNION SELECT split_part(unnest($named), '?versionId=', 1)
    )
    SELECT object, time FROM acts
    WHERE action = 'object.write' AND outcome = 'ok' AND time IS NOT NULL AND split_part(object, '?versionId=', 1) IN (SELECT bare FROM loaded)
    ORDER BY time, event
"""


def versions(world: World, named: Iterable[str]) -> Versions:
    """Gather every successful write to what jobs loaded; `named`: also to these."""
    times: dict[str, list[int]] = defaultdict(list)
    objects: dict[str, list[str]] = defaultdict(list)
    places: dict[str, int] = {}
    rows = world.tables.sql(_WRITES, named=sorted(named))
    for reference, time in zip(rows["object"].to_pylist(), rows["time"].to_pylist(), strict=True):
        bare, _, version = reference.partition(_VERSION)
        if version and reference in places:  # two records of one write
            continue
        if version:
            places[reference] = len(objects[bare])
        times[bare].append(time)
        objects[bare].append(reference)
    return Versions(dict(times), dict(objects), places)


def spread(world: World, compared: Runs) -> Spread:
    """Follow what jobs wrote to the jobs that loaded it, the latest load first: so that each step is complete when it is needed."""
    known = versions(world, {reference for fact in compared.facts for reference in _NAMED.findall(fact["text"])})
    own = {job: 1 << n for n, job in enumerate(compared.jobs)}
    writers = _writers(world, known)
    downstream = dict(own)
    loads = _loads(world, compared, known)
    for _, key, job in sorted(loads, key=lambda x: (-x[0], x[1], x[2])):
        writer = writers.get(key)
        if writer is not None and writer != job and (came := downstream.get(job, 0)):
            downstream[writer] = downstream.get(writer, 0) | came
    return Spread(own, downstream, tuple(sorted({(key, job) for _, key, job in loads})), known)


_EDGES = """
    SELECT src, dst, time FROM edges WHERE rule = 'job-objects' AND regexp_matches(CASE WHEN $out THEN src ELSE dst END, '^(slurm|k8s):')
    ORDER BY time, src, dst
"""


def _edges(world: World, *, out: bool) -> Iterator[tuple[str, str, int | None]]:
    """Yield (source, destination, time) of the edges out of jobs, or into them."""
    rows = world.tables.sql(_EDGES, out=out)
    yield from zip(*(rows[c].to_pylist() for c in ("src", "dst", "time")), strict=True)


def _writers(world: World, known: Versions) -> dict[Key, str]:
    return {known.key(dst, time): src for src, dst, time in _edges(world, out=True)}


def _loads(world: World, compared: Runs, known: Versions) -> list[tuple[int, Key, str]]:
    """Return (time, object version, job) of every load; also of what a run's own command names where no load of it is recorded."""
    found = [(time, known.key(src, time), dst) for src, dst, time in _edges(world, out=False) if time is not None]
    seen = {(key[0].partition("?")[0], job) for _, key, job in found}
    for job, start, fact in zip(compared.jobs, compared.starts, compared.facts, strict=True):
        named = (r for r in sorted(set(_NAMED.findall(fact["text"]))) if (r.partition("?")[0], job) not in seen)
        found += [(start, known.key(reference, start), job) for reference in named]
    return found
