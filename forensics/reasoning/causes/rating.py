"""What every candidate's score is, how often chance would reach it, and which comes before which."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.causes.scoring import Numbers, Scored, chances, scores, separation, subsets
from forensics.reasoning.causes.triggers import TIME

ROUNDING = 1e-6
"""below which scores are the same"""
_KINDS = ("node", "image", "object", "file", "package", "commit", "environment", "argument")
"""which comes first where two separate equally well: a thing that many share and exactly the harmed runs loaded, before one of many commits"""


@dataclass(frozen=True, slots=True)
class Rated:
    """A candidate with its score."""

    candidate: Candidate
    scored: Scored
    reached: int
    """runs that it reached, by the way by which it separates better, in that subset"""
    through: bool
    """also through what the jobs that it reached wrote"""
    by_lines: bool = False
    """counting the runs whose code still held its lines, not all that was built on it"""
    asks: str = ""
    """what the lines that a commit added ask for, such as the date"""
    does: str = ""
    """and what they do, such as leaving data out"""
    alike: int = 0
    """more commits that reached the very same runs, and are not told"""
    most: float = 1.0
    """the highest score that is told"""


def rated(compared: Runs, every: list[Candidate], numbers: Numbers) -> tuple[list[Rated], list[int]]:
    """Score every candidate; return them with the different sets of judged runs that they reached."""
    within = subsets(compared, numbers)
    judged = compared.judged
    places = {
        id(s): s for c in every for s in (c.direct, c.spread)
    }  # by identity first: commits share sets, and large ones are slow to compare
    sets = sorted({s for s in places.values() if s & judged not in (0, judged)})
    if not sets:
        return [], []
    scored = dict(zip(sets, scores(sets, compared, within, numbers), strict=True))
    by_place = {place: scored[s] for place, s in places.items() if s in scored}
    return [r for c in every if (r := rate(c, by_place)) is not None], sets


def chance_of(compared: Runs, sets: Iterable[int], numbers: Numbers, seed: str) -> Callable[[float], float]:
    """Tell how often shuffled labels reach a score, over all these sets and all subsets at once."""
    judged = compared.judged
    kinds = sorted({s & judged for s in sets} - {0, judged})
    if not kinds:
        return lambda _: 1.0
    shuffled = np.sort(chances(kinds, compared, subsets(compared, numbers), numbers, seed))

    def chance(score: float) -> float:
        reaching = len(shuffled) - int(np.searchsorted(shuffled, score - ROUNDING))
        return (1 + reaching) / (1 + len(shuffled))

    return chance


def rate(c: Candidate, by_place: dict[int, Scored]) -> Rated | None:
    """Score a candidate by the runs that it reached itself, or by those that it came to in any way, whichever separates better."""
    ways = [(by_place[id(reached)], reached, reached != c.direct) for reached in (c.direct, c.spread) if id(reached) in by_place]
    if not ways:
        return None
    scored, reached, through = max(ways, key=lambda w: w[0].score)
    return Rated(c, scored, reached & scored.subset.runs, through) if scored.score > 0 else None


def level(r: Rated, compared: Runs) -> float:
    """Return how well a cause separates the runs that were judged, and as much those whose metrics tell which kind they are.

    Of those, what a commit that asks for something left healthy is not held against it: it may act elsewhere, or have waited.
    """
    if not compared.more_bad | compared.more_good:
        return r.scored.score
    whole = _whole(r.reached & ~compared.more_good if r.asks else r.reached, compared)
    return (r.scored.score + min(whole, r.scored.score)) / 2


def _whole(reached: int, compared: Runs) -> float:
    return separation(reached, compared.bad | compared.more_bad, compared.good | compared.more_good)


def rank(r: Rated, compared: Runs, near: dict[str, int]) -> tuple[float | int | str, ...]:
    """Give a cause's place: how well it separates, what jobs made last (their own code comes before it), by what was built on it before by its lines.

    Of those that do equally well: commits that ask for a given date, if they left runs healthy that they reached; what separates the further runs better;
    what many share before one commit of many, nodes with a recorded fault before others, and what the runs can have loaded before what they can't; commits that do what can harm a run, that ask
    for a date, or for something else and left runs healthy; and what came last before the harm.
    """
    c = r.candidate
    first = compared.first(compared.bad & r.reached) or 0
    spared = bool(r.asks and r.reached & (compared.good | compared.more_good))  # else nothing asks for a condition
    return (
        -round(level(r, compared), 6), c.made, r.by_lines, not (spared and r.asks == TIME), -round(_whole(r.reached, compared), 6),
        _KINDS.index(c.kind), not c.fault, near.get(c.object, 0), not (spared or r.does or r.asks == TIME), c.when is None or c.when > first, -(c.when or 0), c.object,
    )  # fmt: skip
