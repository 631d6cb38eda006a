"""The order of causes, the most telling first."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from forensics import times
from forensics.model import Question
from forensics.reasoning.bearing import bearing
from forensics.reasoning.causes import candidates as found_in
from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.commits import commits, jobs_of
from forensics.reasoning.causes.places import places
from forensics.reasoning.causes.runs import Runs, runs
from forensics.reasoning.causes.scoring import Scored, chances, scores, separation, subsets
from forensics.reasoning.causes.spread import Spread, spread
from forensics.reasoning.world import World

_ROUNDING = 1e-6
_ASKED = 5
_KINDS = ("node", "image", "object", "file", "package", "commit")
"""which comes first where two separate equally well: a thing that many share and exactly the harmed runs loaded, before one of many commits"""


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
    compared = runs(world)
    if compared is None:
        return ()
    came, ran = spread(world, compared), jobs_of(world)
    rated, chance = _rated(world, compared, list(_candidates(world, compared, came, ran)))
    kept = _ordered(world, compared, [r for r in rated if chance(r.scored.score) < world.policy.causes["chance"]])
    most, exact = int(world.policy.causes["most"]), int(world.policy.causes["exact"])
    checked = [_exact(world, compared, came, ran, r) if n < exact and r.candidate.kind == "commit" else r for n, r in enumerate(kept)]
    return tuple(_cause(r, compared, chance(r.scored.score)) for r in _ordered(world, compared, checked)[:most])


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


@dataclass(frozen=True, slots=True)
class _Rated:
    candidate: Candidate
    scored: Scored
    reached: int
    """runs that it reached, by the way by which it separates better, in that subset"""
    through: bool
    """also through what the jobs that it reached wrote"""


def _rated(world: World, compared: Runs, every: list[Candidate]) -> tuple[list[_Rated], Callable[[float], float]]:
    """Score every candidate; and tell how often shuffled labels reach a score, over all candidates and subsets at once."""
    numbers = world.policy.causes
    within = subsets(compared, numbers)
    judged = compared.judged
    sets = sorted({s for c in every for s in (c.direct, c.spread) if s & judged not in (0, judged)})
    if not sets:
        return [], lambda _: 1.0
    by_set = dict(zip(sets, scores(sets, compared, within, numbers), strict=True))
    shuffled = np.sort(chances(sorted({s & judged for s in sets}), compared, within, numbers, world.case.id))

    def chance(score: float) -> float:
        reaching = len(shuffled) - int(np.searchsorted(shuffled, score - _ROUNDING))
        return (1 + reaching) / (1 + len(shuffled))

    return [r for c in every if (r := _rate(c, by_set)) is not None], chance


def _rate(c: Candidate, by_set: dict[int, Scored]) -> _Rated | None:
    """Score a candidate by the runs that it reached itself, or by those that it came to in any way, whichever separates better."""
    ways = [(by_set[reached], reached, reached != c.direct) for reached in (c.direct, c.spread) if reached in by_set]
    if not ways:
        return None
    scored, reached, through = max(ways, key=lambda w: w[0].score)
    return _Rated(c, scored, reached & scored.subset.runs, through) if scored.score > 0 else None


def _ordered(world: World, compared: Runs, rated: list[_Rated]) -> list[_Rated]:
    """Put the most telling first; of those behind, not more than can matter."""
    most = int(world.policy.causes["most"])
    first = _once(sorted(rated, key=lambda r: _rank(r, compared, {})))[: 8 * most]
    near = places(world, compared, [r.candidate.object for r in first if r.candidate.kind == "commit"])
    return sorted((r for r in first if r.scored.score > 0), key=lambda r: _rank(r, compared, near))


def _once(rated: Iterable[_Rated]) -> list[_Rated]:
    """Keep the first of each object: a file or name may have been changed several times."""
    found: dict[str, _Rated] = {}
    for r in rated:
        found.setdefault(r.candidate.object, r)
    return list(found.values())


def _rank(r: _Rated, compared: Runs, near: dict[str, int]) -> tuple[float | int | str, ...]:
    """Give a cause's place: how well it separates the runs that were judged, then further runs.

    Of those that do equally well: what many share before one commit of many, what the runs can have loaded before what they can't, and what
    came last before the harm.
    """
    c = r.candidate
    more = separation(r.reached, compared.bad | compared.more_bad, compared.good | compared.more_good)
    first = min((compared.starts[n] for n in range(len(compared.starts)) if (compared.bad & r.reached) >> n & 1), default=0)
    return (
        -round(r.scored.score, 6), -round(more, 6), _KINDS.index(c.kind), near.get(c.object, 0),
        c.when is None or c.when > first, -(c.when or 0), c.object,
    )  # fmt: skip


def _exact(world: World, compared: Runs, came: Spread, ran: dict[str, list[str]], r: _Rated) -> _Rated:
    """Ask for the exact reach of a commit that leads (see `commits.py`), and score it anew."""
    numbers = world.policy.causes
    jobs = sorted({job for commit in bearing(world, r.candidate.object) for job in ran.get(commit, ())})
    direct, whole = came.reached(came.own, jobs), came.reached(came.downstream, jobs)
    again = _rate(
        replace(r.candidate, direct=direct, spread=whole),
        dict(zip((direct, whole), scores((direct, whole), compared, subsets(compared, numbers), numbers), strict=True)),
    )
    return again or replace(r, scored=replace(r.scored, score=0.0))


def _cause(r: _Rated, compared: Runs, chance: float) -> Cause:
    s, c = r.scored, r.candidate
    total = compared.bad.bit_count(), compared.good.bit_count()
    parts = [f"reached {s.bad} of {total[0]} harmed and {s.good} of {total[1]} healthy runs"]
    if s.subset.says:
        parts.append(f"counting runs with {s.subset.says}")
    if c.since is not None:
        parts.append(f"counting runs since {times.show(c.since)}")
    if r.through:
        parts.append("also through what such jobs wrote")
    if compared.more_bad or compared.more_good:
        parts.append(_further(r, compared))
    if compared.told_by:
        parts.append(f"no run was named: harmed runs were told by {compared.told_by}")
    return Cause(c.object, s.score, s.bad, s.good, chance, s.subset.says, c.when, "; ".join(parts))


def _further(r: _Rated, compared: Runs) -> str:
    bad, good = compared.more_bad, compared.more_good
    return (
        f"of runs that nobody named, {(r.reached & bad).bit_count()} of {bad.bit_count()} whose metrics look harmed and "
        f"{(r.reached & good).bit_count()} of {good.bit_count()} whose metrics look healthy"
    )
