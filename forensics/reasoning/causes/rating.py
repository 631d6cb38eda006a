"""What every candidate's score is, how often chance would reach it, and which comes before which."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.causes.scoring import Numbers, Scored, chances, scores, separation, subsets

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


def rated(compared: Runs, every: list[Candidate], numbers: Numbers, seed: str) -> tuple[list[Rated], Callable[[float], float]]:
    """Score every candidate; and tell how often shuffled labels reach a score, over all candidates and subsets at once."""
    within = subsets(compared, numbers)
    judged = compared.judged
    places = {
        id(s): s for c in every for s in (c.direct, c.spread)
    }  # by identity first: commits share sets, and large ones are slow to compare
    sets = sorted({s for s in places.values() if s & judged not in (0, judged)})
    if not sets:
        return [], lambda _: 1.0
    scored = dict(zip(sets, scores(sets, compared, within, numbers), strict=True))
    by_place = {place: scored[s] for place, s in places.items() if s in scored}
    shuffled = np.sort(chances(sorted({s & judged for s in sets}), compared, within, numbers, seed))

    def chance(score: float) -> float:
        reaching = len(shuffled) - int(np.searchsorted(shuffled, score - ROUNDING))
        return (1 + reaching) / (1 + len(shuffled))

    return [r for c in every if (r := rate(c, by_place)) is not None], chance


def rate(c: Candidate, by_place: dict[int, Scored]) -> Rated | None:
    """Score a candidate by the runs that it reached itself, or by those that it came to in any way, whichever separates better."""
    ways = [(by_place[id(reached)], reached, reached != c.direct) for reached in (c.direct, c.spread) if id(reached) in by_place]
    if not ways:
        return None
    scored, reached, through = max(ways, key=lambda w: w[0].score)
    return Rated(c, scored, reached & scored.subset.runs, through) if scored.score > 0 else None


def rank(r: Rated, compared: Runs, near: dict[str, int]) -> tuple[float | int | str, ...]:
    """Give a cause's place: how well it separates the runs that were judged, by what was built on it before by its lines.

    Of those that do equally well: commits that left runs healthy that they reached, and ask for a given date or the like; then what separates further runs
    better; what many share before one commit of many, what the runs can have loaded before what they can't, and what
    came last before the harm.
    """
    c = r.candidate
    harmed = compared.bad & r.reached
    first = compared.first(harmed) or 0
    spared = bool(r.reached & (compared.good | compared.more_good))  # else nothing asks for a condition
    more = separation(r.reached, compared.bad | compared.more_bad, compared.good | compared.more_good)
    return (
        -round(r.scored.score, 6), r.by_lines, not (r.asks and spared), -round(more, 6), _KINDS.index(c.kind), near.get(c.object, 0),
        c.when is None or c.when > first, -(c.when or 0), c.object,
    )  # fmt: skip
