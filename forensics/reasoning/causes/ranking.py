"""The order of causes, the most telling first."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from forensics import times
from forensics.model import Question
from forensics.reasoning.bearing import bearing
from forensics.reasoning.causes import candidates as found_in
from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.commits import commits, jobs_of
from forensics.reasoning.causes.places import places
from forensics.reasoning.causes.rating import ROUNDING, Rated, rank, rate, rated
from forensics.reasoning.causes.runs import Runs, runs
from forensics.reasoning.causes.scoring import scores, subsets
from forensics.reasoning.causes.spread import Spread, spread
from forensics.reasoning.world import World

_ASKED = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """A change that sets harmed runs apart from healthy ones."""

    object: str
    score: float
    bad_runs: int
    good_runs: int
    chance: float
    """how often shuffled labels reach this score or more"""
    condition: str
    """subset within which it separates; empty: all runs"""
    when: int | None
    why: str


def causes(world: World) -> tuple[Cause, ...]:
    """Compare harmed with healthy runs by what reached them; empty where there is nothing to compare or nothing separates."""
    compared, numbers = runs(world), world.policy.causes
    if compared is None:
        return ()
    came, ran = spread(world, compared), jobs_of(world)
    found, chance = rated(compared, list(_candidates(world, compared, came, ran)), numbers, world.case.id)
    first = _ordered(world, compared, _likely(found, chance, numbers["chance"]))
    exact = _exact(world, compared, came, ran, first)
    told = _near(_ordered(world, compared, _likely(exact, chance, numbers["chance"])), numbers["beside"])[: int(numbers["most"])]
    return tuple(
        _cause(r, compared, s, chance(r.scored.score)) for r, s in zip(told, _told_scores(told, numbers["behind_fault"]), strict=True)
    )


def _likely(found: Iterable[Rated], chance: Callable[[float], float], most: float) -> list[Rated]:
    return [r for r in found if chance(r.scored.score) < most]


def _near(found: list[Rated], share: float) -> list[Rated]:
    """Leave out what separates much worse than the first: it came with it, or before it, and names people for nothing."""
    return [r for r in found if r.scored.score >= share * found[0].scored.score]


def asked(found: Iterable[Cause]) -> tuple[Question, ...]:
    """Ask who made each of the first causes, where a case asks nothing (contract, case.toml)."""
    return tuple(
        Question(f"cause-{n}", c.object, None if c.when is None else (c.when, c.when)) for n, c in enumerate(islice(found, _ASKED), 1)
    )


def _candidates(world: World, compared: Runs, came: Spread, ran: dict[str, list[str]]) -> Iterator[Candidate]:
    yield from found_in.nodes(compared, int(world.policy.causes["moments"]))
    yield from found_in.images(world, compared)
    yield from found_in.objects(came)
    yield from found_in.files(world, compared)
    yield from found_in.packages(world, compared, came)
    yield from commits(world, came, ran)


def _ordered(world: World, compared: Runs, found: list[Rated]) -> list[Rated]:
    """Put the most telling first; of those behind, not more than can matter."""
    most = int(world.policy.causes["most"])
    first = _once(sorted(found, key=lambda r: rank(r, compared, {})))[: 8 * most]
    near = places(world, compared, [r.candidate.object for r in first if r.candidate.kind == "commit"])
    return sorted((r for r in first if r.scored.score > 0), key=lambda r: rank(r, compared, near))


def _once(rows: Iterable[Rated]) -> list[Rated]:
    """Keep the first of each object: a file or name may have been changed several times."""
    found: dict[str, Rated] = {}
    for r in rows:
        found.setdefault(r.candidate.object, r)
    return list(found.values())


def _exact(world: World, compared: Runs, came: Spread, ran: dict[str, list[str]], found: list[Rated]) -> list[Rated]:
    """Ask `bearing`, which reads contents, about the commits that lead: of fewer where histories are long.

    A change counts by whichever tells more, what was built on it or what still holds its lines: what it set going may outlive its lines.
    """
    numbers = world.policy.causes
    known = world.tables.rows("SELECT count(DISTINCT object) AS n FROM events WHERE action = 'code.commit'")[0]["n"]
    most = max(1, min(int(numbers["exact"]), int(numbers["exact_work"]) // max(1, known)))
    within = subsets(compared, numbers)
    again: dict[str, Rated] = {}
    for r in [r for r in found if r.candidate.kind == "commit"][:most]:
        jobs = sorted({job for commit in bearing(world, r.candidate.object) for job in ran.get(commit, ())})
        c = replace(r.candidate, direct=came.reached(came.own, jobs), spread=came.reached(came.downstream, jobs))
        ways = scores((c.direct, c.spread), compared, within, numbers)
        other = rate(c, {id(c.direct): ways[0], id(c.spread): ways[1]})
        if other and other.scored.score > r.scored.score + ROUNDING:
            again[c.object] = replace(other, by_lines=True)
    return [again.get(r.candidate.object, r) for r in found]


def _told_scores(told: list[Rated], most: float) -> list[float]:
    """Return the scores as they are told: where a node separates best, what separates worse is no likely cause, however much they share."""
    fault = bool(told) and told[0].candidate.kind == "node"
    scored = [r.scored.score for r in told]
    worse = [fault and r.candidate.kind != "node" and s < scored[0] - ROUNDING for r, s in zip(told, scored, strict=True)]
    return [min(s, most) if behind else s for s, behind in zip(scored, worse, strict=True)]


def _cause(r: Rated, compared: Runs, score: float, chance: float) -> Cause:
    s, c = r.scored, r.candidate
    total = compared.bad.bit_count(), compared.good.bit_count()
    parts = [f"reached {s.bad} of {total[0]} harmed and {s.good} of {total[1]} healthy runs"]
    parts += [f"counting runs with {s.subset.says}"] if s.subset.says else []
    parts += [f"counting runs since {times.show(c.since)}"] if c.since is not None else []
    parts += ["counting runs whose code still held its lines"] if r.by_lines else []
    parts += ["also through what such jobs wrote"] if r.through else []
    parts += [_further(r, compared)] if compared.more_bad or compared.more_good else []
    parts += [f"no run was named: harmed runs were told by {compared.told_by}"] if compared.told_by else []
    return Cause(c.object, score, s.bad, s.good, chance, s.subset.says, c.when, "; ".join(parts))


def _further(r: Rated, compared: Runs) -> str:
    bad, good = compared.more_bad, compared.more_good
    return (
        f"of runs that nobody named, {(r.reached & bad).bit_count()} of {bad.bit_count()} whose metrics look harmed and "
        f"{(r.reached & good).bit_count()} of {good.bit_count()} whose metrics look healthy"
    )
