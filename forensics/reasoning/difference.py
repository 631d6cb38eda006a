"""What one run had that another had not: commits and the files they changed, checkpoints and data, files, packages, image, nodes, launch."""

from collections.abc import Iterator
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.reasoning.causes import candidates as found_in
from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.commits import commits, jobs_inferred, jobs_of
from forensics.reasoning.causes.launch import arguments, environment
from forensics.reasoning.causes.runs import Row, Runs, runs_of, tracked_runs
from forensics.reasoning.causes.shown import shown
from forensics.reasoning.causes.spread import spread
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Only:
    """Something that reached one of the two runs alone."""

    run: str
    kind: str
    object: str
    when: int | None
    through: bool
    """not itself, but through what an earlier job wrote, or by what its working tree will have held"""
    says: str = ""
    """of a commit: its subject"""
    refs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ."""

    runs: tuple[str, str]
    facts: tuple[Row, Row]
    starts: tuple[int, int]
    only: tuple[Only, ...]
    paths: tuple[tuple[str, ...], tuple[str, ...]]
    """files that the commits of each changed, which only it ran"""
    ran: tuple[tuple[str, ...], tuple[str, ...]]
    """the commits that records name for each"""
    launch: tuple[tuple[str, str, str | None, str | None], ...]
    """kind (argument, environment, setting), name, value of the one, value of the other; None: it had none"""


def difference(world: World, one: str, other: str) -> Difference:
    """Compare two runs, jobs or tracked runs; UsageError where the records know one of them not."""
    tracked = tracked_runs(world)
    pair = tracked.get(one, one), tracked.get(other, other)
    if pair[0] == pair[1]:
        raise UsageError("these are one and the same job", where=f"{one}, {other}", hint="name two runs")
    compared = runs_of(world, ({pair[0]}, {pair[1]}, set(), set()))
    if strange := [r for r, job in zip((one, other), pair, strict=True) if job not in compared.jobs]:
        raise UsageError(
            "no record of such a job", where=strange[0], hint="name a job (slurm:..., k8s:...), or a tracked run that a job belongs to"
        )
    places = [compared.jobs.index(job) for job in pair]
    ran = jobs_of(world)
    only = tuple(_with_records(world, list(_only(world, compared, pair, ran))))
    changed = [_paths(world, [o.object for o in only if o.run == job and o.kind == "commit"]) for job in pair]
    facts = compared.facts[places[0]], compared.facts[places[1]]
    named = [tuple(c for c, jobs in sorted(ran.items()) if job in jobs) for job in pair]
    return Difference(
        pair, facts, (compared.starts[places[0]], compared.starts[places[1]]), only, (changed[0], changed[1]), (named[0], named[1]), tuple(_launch(*facts))
    )  # fmt: skip


def _only(world: World, compared: Runs, pair: tuple[str, str], ran: dict[str, list[str]]) -> Iterator[Only]:
    for c in _candidates(world, compared, ran):
        for job in pair:
            mine = 1 << compared.jobs.index(job)
            if c.spread & ~mine or not c.spread & mine:
                continue
            yield Only(job, c.kind, c.object, c.when, through=not c.direct & mine)


def _candidates(world: World, compared: Runs, ran: dict[str, list[str]]) -> Iterator[Candidate]:
    came = spread(world, compared)
    yield from found_in.nodes(compared, 1, {})
    yield from found_in.images(world, compared, {})
    yield from found_in.objects(came)
    yield from found_in.files(world, compared, {})
    yield from found_in.packages(world, compared, came)
    yield from commits(world, came, ran, jobs_inferred(world, ran))


def _with_records(world: World, only: list[Only]) -> Iterator[Only]:
    records = shown(world, [(o.object, (o.run,)) for o in only])
    rows = world.tables.rows(
        "SELECT object, any_value(json_extract_string(attrs, '$.subject')) AS subject FROM events WHERE action = 'code.commit' AND list_contains($o, object) GROUP BY object",
        o=[o.object for o in only if o.kind == "commit"],
    )
    subjects = {r["object"]: r["subject"] or "" for r in rows}
    for o in only:
        yield Only(o.run, o.kind, o.object, o.when, o.through, subjects.get(o.object, ""), records.get(o.object, ()))


def _paths(world: World, objects: list[str]) -> tuple[str, ...]:
    rows = world.tables.rows(
        'SELECT DISTINCT path FROM changes WHERE list_contains($c, "commit") ORDER BY path',
        c=sorted({o.partition("@")[2] for o in objects}),
    )
    return tuple(r["path"] for r in rows)


_SETTINGS = ("name", "actor", "partition", "gpus", "workdir", "image")


def _launch(one: Row, other: Row) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield what differs in how the two were launched."""
    for name in _SETTINGS:
        if one[name] != other[name]:
            yield "setting", name, _text(one[name]), _text(other[name])
    for kind, left, right in (
        ("argument", arguments(one["command"]), arguments(other["command"])),
        ("environment", environment(one), environment(other)),
    ):
        for name in sorted({*left, *right}):
            if left.get(name) != right.get(name):
                yield kind, name, left.get(name), right.get(name)


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
