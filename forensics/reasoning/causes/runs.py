"""Harmed and healthy runs: named in the case, or told from their metrics."""

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.reasoning.causes.curves import Curve, Feature, Mask, curves, features, like
from forensics.reasoning.causes.ends import by_end
from forensics.reasoning.causes.kinds import signed, two_kinds
from forensics.reasoning.causes.otherwise import kinds_of_harm
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
    facts: tuple[Row, ...]
    """what is recorded of each: gpus, actor, name, stem, nodes, partition, image, command, workdir, env, text, event"""
    bad: int
    good: int
    more_bad: int = 0
    """runs that nobody named, whose metrics look like those of the harmed"""
    more_good: int = 0
    told_by: str = ""
    """the metric by which harmed runs were found where none was named"""
    kinds: tuple[tuple[int, int, str], ...] = ()
    """harmed runs that are off in a number, the harmed ones that are not, and the number (see `otherwise.py`)"""

    @property
    def judged(self) -> int:
        """Return the runs by which changes are judged; the further ones only break ties."""
        return self.bad | self.good

    def since(self, low: int, high: int | None) -> int:
        """Return the runs that began at or after `low`, and before `high`."""
        first = bisect_left(self.starts, low)
        after = len(self.starts) if high is None else bisect_left(self.starts, high)
        return ((1 << max(first, after)) - 1) & ~((1 << first) - 1)

    def places(self, chosen: int) -> Iterator[int]:
        """Yield the places of a set of runs, in the order of their start."""
        data = chosen.to_bytes((len(self.jobs) + 7) // 8, "little")
        yield from (8 * n + k for n, byte in enumerate(data) if byte for k in range(8) if byte >> k & 1)

    def where(self, holds: Callable[[Row], bool]) -> int:
        """Return the runs of whose recorded facts something holds."""
        return bits(n for n, fact in enumerate(self.facts) if holds(fact))

    def named(self, chosen: int) -> tuple[str, ...]:
        """Return the jobs of a set of runs."""
        return tuple(self.jobs[n] for n in self.places(chosen))

    def first(self, chosen: int) -> int | None:
        """Return when the first of a set of runs began."""
        return self.starts[(chosen & -chosen).bit_length() - 1] if chosen else None


def bits(places: Iterable[int]) -> int:
    """Return the set of these places."""
    chosen = list(places)
    return packed(np.array(chosen, np.int64), max(chosen, default=0) + 1)


def packed(places: npt.NDArray[np.int64], count: int) -> int:
    """Return the set of these places, of so many."""
    marks = np.zeros(count, np.uint8)
    marks[places] = 1
    return int.from_bytes(np.packbits(marks, bitorder="little").tobytes(), "little")


@dataclass(frozen=True, slots=True)
class Lack:
    """Why there is nothing to compare, and what to collect."""

    why: str
    collect: tuple[str, ...]


def runs(world: World) -> Runs | Lack:
    """Return the runs to compare, or why there are no two kinds of them."""
    numbers = world.policy.causes
    tracked = tracked_runs(world)
    bad, good = ({tracked.get(r, r) for r in named} for named in (world.case.bad, world.case.good))
    curved = _curved(world, tracked)
    told_by, more = "", (set[str](), set[str]())
    if bad or good:
        bad, good = bad - good, good - bad
        more = _alike(curved, bad, good, numbers)
    else:
        bad, good, told_by = _by_curves(curved, numbers)
        bad, good, told_by = (bad, good, told_by) if bad else by_end(world)
    found = runs_of(world, (bad, good, *more), told_by)
    least = int(numbers["least_runs"])
    if found.bad.bit_count() < least or found.good.bit_count() < least:
        return _lack(world, found, len(curved.jobs), least)
    return replace(found, kinds=tuple(_kinds(curved, found, numbers)))


_SCHEDULER = "the scheduler's accounting of the whole window (kind slurm, kubernetes_audit, or table with job.launch)"
_METRICS = "the training metrics of all runs of the window (kind metrics, tensorboard, wandb or mlflow)"
_NAMES = "under [symptom] in case.toml, which runs are known to be harmed and which healthy"


def _lack(world: World, found: Runs, curves_known: int, least: int) -> Lack:
    """Say what is missing for a comparison."""
    known = world.tables.rows("SELECT count(DISTINCT job) AS n FROM jobs")[0]["n"]
    if not known:
        return Lack("no record of any job was supplied, so there are no runs to compare", (_SCHEDULER,))
    counts = f"{found.bad.bit_count()} harmed and {found.good.bit_count()} healthy"
    if world.case.bad or world.case.good:
        named = len(world.case.bad) + len(world.case.good)
        strange = named - found.judged.bit_count()
        more = f"; {strange} of the {named} runs that [symptom] names are in no record of jobs, or called both" if strange else ""
        return Lack(f"the records know {counts} of the named runs, and at least {least} of each are needed{more}", (_NAMES, _SCHEDULER))
    if not curves_known:
        return Lack(f"no run is named under [symptom], and no metrics are tied to any of {known} jobs", (_NAMES, _METRICS))
    return Lack(f"no run is named under [symptom], and the metrics of {curves_known} jobs show no two kinds of runs", (_NAMES, _METRICS))


_JOBS = """
    SELECT j.job, coalesce(min(coalesce(j.start, j.submit)), 0) AS began, max(j.gpus) AS gpus, min(j.actor) AS actor, min(j.name) AS name,
           min(coalesce(j.command, '')) AS command, min(coalesce(j.workdir, '')) AS workdir, max_by(j.nodes, len(j.nodes)) AS nodes,
           min(j.events[1]) AS event
    FROM jobs j WHERE list_contains($jobs, j.job) GROUP BY j.job ORDER BY began, j.job LIMIT $most
"""


def runs_of(world: World, kinds: tuple[set[str], set[str], set[str], set[str]], told_by: str = "") -> Runs:
    """Return these runs with what is recorded of each; `kinds`: harmed, healthy, and those that look so."""
    rows = world.tables.rows(_JOBS, jobs=sorted(set().union(*kinds)), most=MOST)
    told = world.tables.rows("SELECT id, attrs FROM events WHERE list_contains($e, id)", e=[r["event"] for r in rows])
    attrs = {r["id"]: _object(r["attrs"]) for r in told}
    facts = tuple(_fact(r, attrs.get(r["event"], {})) for r in rows)
    jobs = tuple(r["job"] for r in rows)
    bad, good, more_bad, more_good = (bits(n for n, j in enumerate(jobs) if j in kind) for kind in kinds)
    return Runs(jobs, tuple(r["began"] for r in rows), facts, bad, good, more_bad, more_good, told_by)


def _object(text: str | None) -> Row:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _fact(row: Row, attrs: Row) -> Row:
    env = attrs.get("env")
    values = [str(v) for v in env.values()] if isinstance(env, dict) else []
    return row | {
        "partition": str(attrs.get("partition") or attrs.get("queue") or "") or None,
        "stem": stem(row["name"] or ""),
        "image": str(attrs.get("image") or ""),
        "env": env if isinstance(env, dict) else {},
        "text": "\n".join([row["command"], row["workdir"], *values]),
        "nodes": [_node(row["job"], n) for n in row["nodes"] or []],
    }


def stem(name: str) -> str:
    """Return the first word of a job's name: by custom, the model or the experiment."""
    return re.split(r"[-_.0-9]", name, maxsplit=1)[0].lower()


def _node(job: str, name: str) -> str:
    """Write a node's reference: schedulers name nodes within their own cluster."""
    cluster = job.partition(":")[2].partition("/")[0]
    return name if name.startswith(("node:", "switch:", "driver:")) else f"node:{cluster}/{name}"


def tracked_runs(world: World) -> dict[str, str]:
    """Return training run -> job, by the tracker's own records."""
    rows = world.tables.rows("""
        SELECT e.object AS run, min(j.job) AS job FROM events e
        JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(e.attrs, '$.job')
        WHERE e.action = 'run.record' AND e.object IS NOT NULL GROUP BY e.object HAVING count(DISTINCT j.job) = 1
    """)
    return {r["run"]: r["job"] for r in rows}


@dataclass(frozen=True, slots=True)
class _Curved:
    """Jobs whose metrics are known, with the numbers by which they are compared."""

    jobs: list[str]
    stems: list[str]
    whole: list[bool]
    """not known to have ended early: harm may show late, so that what broke off is not known to be healthy"""
    features: list[Feature]
    curves: list[Curve]
    sizes: list[float | None]
    starts: npt.NDArray[np.float64]


def _curved(world: World, tracked: dict[str, str]) -> _Curved:
    """Tie curves to jobs: a run's name stands for a job by the source's pattern, or by the tracker's record. The longest curve of a job counts."""
    rows = world.tables.rows(
        "SELECT job, min(name) AS name, max(gpus) AS gpus, lower(max(state)) AS state, min(coalesce(start, submit)) AS began FROM jobs GROUP BY job ORDER BY job LIMIT 200000"
    )
    facts = {r["job"]: r for r in rows}
    by_id: dict[str, str] = {}
    for job in facts:
        by_id.setdefault(job.rpartition("/")[2], job)
    patterns = {s.name: s.runs_pattern for s in world.case.sources}
    best: dict[str, Curve] = {}
    for curve in curves(world) if facts else ():
        job = tracked.get(curve.run) or by_id.get(_id(curve.run, patterns.get(curve.source, ""), by_id))
        if job is not None and (job not in best or curve.points > best[job].points):
            best[job] = curve
    jobs = sorted(best)
    rows = [facts.get(j, {}) for j in jobs]
    stems = [stem(r.get("name") or "") for r in rows]
    whole = [not r.get("state") or r["state"].startswith(("complete", "succe")) for r in rows]
    kept, sizes = [best[j] for j in jobs], [r.get("gpus") for r in rows]
    return _Curved(jobs, stems, whole, features(kept, sizes, stems), kept, sizes, np.array([r.get("began") or 0 for r in rows], np.float64))


def _alike(curved: _Curved, bad: set[str], good: set[str], numbers: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return further jobs whose metrics look like those of the harmed, and of the healthy."""
    masks = [np.array([j in kind for j in curved.jobs], bool) for kind in (bad, good)]
    found = like(curved.features, masks[0], masks[1], numbers) if curved.jobs else None
    if found is None:
        return set(), set()
    return _picked(curved, found[0]) - bad - good, _picked(curved, found[1] & np.array(curved.whole)) - bad - good


def _kinds(curved: _Curved, found: Runs, numbers: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield the kinds of harm among the harmed runs, as their metrics tell them."""
    places = {job: n for n, job in enumerate(found.jobs)}
    bad, good = (np.array([j in chosen for j in curved.jobs], bool) for chosen in map(set, map(found.named, (found.bad, found.good))))
    for kind in kinds_of_harm(curved.features, bad, good, numbers) if curved.jobs else ():
        yield *(bits(sorted(places[j] for j in _picked(curved, mask))) for mask in (kind.runs, kind.others)), kind.says  # type: ignore[misc]


def _picked(curved: _Curved, mask: Mask) -> set[str]:
    return {job for job, is_one in zip(curved.jobs, mask, strict=True) if is_one}


def _by_curves(curved: _Curved, numbers: Mapping[str, Any]) -> tuple[set[str], set[str], str]:
    """Return jobs whose metrics lie plainly off, and the others, of models that have both: models differ by nature."""
    found = two_kinds(signed(curved.curves, curved.sizes, curved.stems), curved.starts, numbers) if curved.jobs else None
    if found is None:
        return set(), set(), ""
    bad, good = _picked(curved, found.harmed), _picked(curved, found.healthy & np.array(curved.whole))
    models = dict(zip(curved.jobs, curved.stems, strict=True))
    both = {models[j] for j in bad} & {models[j] for j in good}
    return {j for j in bad if models[j] in both}, {j for j in good if models[j] in both}, found.says


def _id(run: str, pattern: str, known: Mapping[str, str]) -> str:
    """Return the job's number or name within a run's name, or within the last part of it that is one where it is a path."""
    name = run.partition(":")[2]
    found = (_within(part, pattern, known) for part in (name, *reversed(name.split("/"))))
    return next((job for job in found if job in known), name)


def _within(name: str, pattern: str, known: Mapping[str, str]) -> str:
    """Return the job by `{name}-{job}` or the like; the name alone where there is no pattern."""
    before, mark, after = pattern.partition("{job}")
    if not mark or name in known:
        return name
    name = name.removesuffix(after) if after and "{" not in after else name
    if "{" not in before:
        return name.removeprefix(before)
    joint = before.rpartition("}")[2]
    ways = [i for i in range(len(name)) if joint and name.startswith(joint, i)]
    return next((name[i + len(joint) :] for i in ways if name[i + len(joint) :] in known), name)
