"""Which runs a job's effects came to: itself, and whatever loaded what it wrote, over any number of steps."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.world import World

Codes = npt.NDArray[np.int64]
Key = tuple[str, int]
"""an object's name, and which of its recorded writes; -1: what stood there before the first"""
_NAMED = re.compile(r"\b(?:s3|hdfs)://[^\s'\"\\,;]{1,1000}")
_VERSION = "?versionId="


@dataclass(frozen=True, slots=True)
class Loads:
    """Which job loaded which version of an object, each once, as columns: tens of millions of loads are no rarity."""

    keys: tuple[Key, ...]
    jobs: tuple[str, ...]
    key: Codes
    """places in `keys`, ascending"""
    job: Codes
    """places in `jobs`"""
    time: Codes
    """when it was loaded first; nanoseconds UTC"""

    def by_key(self) -> Iterator[tuple[Key, Codes]]:
        """Yield each version with the jobs that loaded it."""
        cuts = np.flatnonzero(np.diff(self.key)) + 1
        for first, after in zip([0, *cuts.tolist()], [*cuts.tolist(), len(self.key)], strict=True):
            if after > first:
                yield self.keys[self.key[first]], self.job[first:after]


@dataclass(frozen=True, slots=True)
class Spread:
    """Loads and writes of jobs, followed forward to the runs that are compared."""

    own: dict[str, int]
    """job -> its own bit, where it is one of the runs"""
    downstream: dict[str, int]
    """job -> itself and the runs that loaded, directly or not, what it wrote"""
    loads: Loads
    versions: "Versions"
    writers: dict[Key, str]
    """object version -> the job that wrote it"""

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
    loads = _loads(world, compared, known)
    downstream = dict(own)
    written = np.array([key in writers for key in loads.keys], bool)
    chosen = np.flatnonzero(written[loads.key]) if len(loads.key) else np.zeros(0, np.int64)
    for n in chosen[np.lexsort((loads.job[chosen], loads.key[chosen], -loads.time[chosen]))].tolist():
        job, writer = loads.jobs[loads.job[n]], writers[loads.keys[loads.key[n]]]
        if writer != job and (came := downstream.get(job, 0)):
            downstream[writer] = downstream.get(writer, 0) | came
    return Spread(own, downstream, loads, known, writers)


_OUT = "SELECT src, dst, time FROM edges WHERE rule = 'job-objects' AND regexp_matches(src, '^(slurm|k8s):') ORDER BY time, src, dst"
_IN = "SELECT src, dst, time FROM edges WHERE rule = 'job-objects' AND time IS NOT NULL AND regexp_matches(dst, '^(slurm|k8s):')"
_BLOCK = 1_000_000


def _writers(world: World, known: Versions) -> dict[Key, str]:
    rows = world.tables.sql(_OUT)
    edges = zip(*(rows[c].to_pylist() for c in ("src", "dst", "time")), strict=True)
    return {known.key(dst, time): src for src, dst, time in edges}


class _Names:
    """Gives names numbers, in the order in which they are seen."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def codes(self, column: pa.Array) -> Codes:
        """Return the numbers of a column's texts; each text is looked at once."""
        encoded = column.dictionary_encode()
        numbers = [self.known.setdefault(name, len(self.known)) for name in encoded.dictionary.to_pylist()]
        found: Codes = np.array(numbers, np.int64)[encoded.indices.to_numpy()]
        return found


def _loads(world: World, compared: Runs, known: Versions) -> Loads:
    """Return every load; also of what a run's own command names where no load of it is recorded."""
    objects, jobs = _Names(), _Names()
    stream = world.tables.stream(_IN, _BLOCK)
    parts = [(objects.codes(b.column(0)), jobs.codes(b.column(1)), b.column(2).to_numpy()) for b in stream]
    parts.append(_named(compared, parts, objects, jobs))
    source, job, time = (np.concatenate([part[n] for part in parts]) for n in range(3))
    keys, key = _keys(list(objects.known), source, time, known)
    order = np.lexsort((time, job, key))
    key, job, time = key[order], job[order], time[order]
    first = np.ones(len(key), bool)
    first[1:] = (key[1:] != key[:-1]) | (job[1:] != job[:-1])
    return Loads(tuple(keys), tuple(jobs.known), key[first], job[first], time[first])


def _named(compared: Runs, parts: list[tuple[Codes, Codes, Codes]], objects: _Names, jobs: _Names) -> tuple[Codes, Codes, Codes]:
    """Return the loads that commands alone tell of, at the time at which their runs began."""
    told = [
        (reference, job, start)
        for job, start, fact in zip(compared.jobs, compared.starts, compared.facts, strict=True)
        for reference in sorted(set(_NAMED.findall(fact["text"])))
    ]
    bare = {reference.partition("?")[0] for reference, _, _ in told}
    places = {n: name.partition("?")[0] for name, n in objects.known.items() if name.partition("?")[0] in bare}
    names = list(jobs.known)
    seen = {
        (places[o], names[j])
        for source, job, _ in parts
        for chosen in [np.isin(source, list(places))]
        for o, j in np.unique(np.stack((source[chosen], job[chosen]), axis=1), axis=0).tolist()
    }
    kept = [(reference, job, start) for reference, job, start in told if (reference.partition("?")[0], job) not in seen]
    columns = ([k[n] for k in kept] for n in range(3))
    return (
        objects.codes(pa.array(next(columns), pa.string())),
        jobs.codes(pa.array(next(columns), pa.string())),
        np.array(next(columns), np.int64),
    )


def _keys(names: list[str], source: Codes, time: Codes, known: Versions) -> tuple[list[Key], Codes]:
    """Return the versions, sorted, and for each load which it got: the one that it names, else the last one written by then."""
    order = np.argsort(source, kind="stable")
    cuts = np.searchsorted(source[order], np.arange(len(names) + 1))
    found: dict[Key, int] = {}
    numbers = np.zeros(len(source), np.int64)
    for n, name in enumerate(names):
        here = order[cuts[n] : cuts[n + 1]]
        bare, _, version = name.partition(_VERSION)
        if version or not known.times.get(bare):
            numbers[here] = found.setdefault(known.key(name, None if version else 0), len(found))
            continue
        last = np.searchsorted(known.times[bare], time[here], "right") - 1
        for place in np.unique(last).tolist():
            numbers[here[last == place]] = found.setdefault((bare, place), len(found))
    ordered = sorted(found)
    ranks = np.empty(len(ordered), np.int64)
    ranks[[found[key] for key in ordered]] = np.arange(len(ordered))
    return ordered, ranks[numbers] if ordered else numbers
