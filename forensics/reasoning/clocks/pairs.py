"""By how much one source's clock runs ahead of another's: constant, in steps, or drifting, with an interval.

The distances between records that may be of one act are many; those of records that are of one act lie close together.
So the densest spot tells the offset (cross-correlation of two event trains); what lies there by chance is counted, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lgamma, log

import numpy as np
import numpy.typing as npt

from forensics import times
from forensics.reasoning.clocks.anchors import Kept
from forensics.reasoning.policy import Policy

Distances = npt.NDArray[np.int64]

FARTHEST = 400 * times.DAY
_WIDTHS = {
    "exact": (2 * times.SECOND, 20 * times.SECOND, 5 * times.MINUTE),
    "near": (6 * times.SECOND, 40 * times.SECOND, 5 * times.MINUTE),
    "loose": (10 * times.MINUTE,),
}
"""how close together distances of one act lie; the wider ones are for clocks that drift"""
_SPOTS = 6
SLACK = {"exact": 1 * times.SECOND, "near": 8 * times.SECOND, "loose": 15 * times.MINUTE}
"""how far apart two records of one act may lie on clocks that agree"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What it takes for records that lie alike to tell an offset (policy, clocks)."""

    least: int
    """anchors below which nothing is estimated (method, Time)"""
    loose: int
    """the same of loose anchors: people keep hours, so a few of their comings and goings lie alike by chance"""
    step: int
    """the same of a step that near or loose anchors show: people push, and log in, again and again"""
    chance: float
    """over all spots, above which a spot may be a coincidence"""
    share: float
    """of the records of a stretch that must bear an offset out"""
    step_share: float
    """the same of a step"""

    @classmethod
    def of(cls, policy: Policy) -> "Limits":
        """Take them from the policy."""
        p = policy.clocks
        return cls(int(p["anchors"]), int(p["loose_anchors"]), int(p["step_anchors"]), p["chance"], p["share"], p["step_share"])


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time over which the offset is constant, or drifts at one rate."""

    since: int
    """recorded time of the first anchor, by the clock in question, ns"""
    until: int
    offset: int
    """ns that the clock is ahead at `since`"""
    rate: float
    """ns of drift a ns"""
    low: int
    high: int
    """interval of the offset over the stretch, ns"""
    anchors: int
    events: tuple[int, ...]
    """a few of the anchors, by the event ids of both sources"""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every pair of records that may be of one act, as columns."""

    moments: Distances
    """recorded time by the clock in question"""
    apart: Distances
    """how much later that is than the other source's"""
    keys: list[str]
    limits: Limits


def offset(one: Kept, other: Kept, limits: Limits) -> tuple[Segment, ...]:
    """Return by how much `one` runs ahead of `other`, stretch by stretch in order of time; nothing where the records do not tell."""
    pairs = _distances(one, other, limits)
    free = np.ones(len(pairs.apart), bool)
    spots: list[npt.NDArray[np.int64]] = []
    for _ in range(_SPOTS if one.how != "loose" else 1):
        picked = _densest(
            pairs,
            free,
            _WIDTHS[one.how][: 1 if spots else None],
            min(one.count, other.count),
            limits.loose if one.how == "loose" else limits.least,
        )
        if picked is None:
            break
        spots.append(picked)
        free &= ~np.isin(pairs.moments, pairs.moments[picked])
    if not spots and one.how != "loose":
        spots = _drifting(pairs, _WIDTHS[one.how][1], min(one.count, other.count))
    runs = _runs(pairs, spots)
    longest = max(map(len, runs), default=0)
    return tuple(_fitted(one, other, pairs, run) for run in runs if len(run) == longest or _step(one, pairs, run))


def _step(one: Kept, pairs: Pairs, run: npt.NDArray[np.int64]) -> bool:
    """Tell whether a stretch beside the longest is one: nearly all records of its time bear it out, and of habitual acts there are many."""
    moments = pairs.moments[run]
    anchors = len(np.unique(moments))
    inside = pairs.moments[(pairs.moments >= moments.min()) & (pairs.moments <= moments.max())]
    least = pairs.limits.least if one.how == "exact" else pairs.limits.step
    return anchors >= least and anchors >= pairs.limits.step_share * len(np.unique(inside))


def _runs(pairs: Pairs, spots: list[npt.NDArray[np.int64]]) -> list[npt.NDArray[np.int64]]:
    """Cut the anchors of all spots at the steps: a stretch is a run of anchors of one spot, in order of time; fewer than three are no stretch."""
    rows = np.concatenate(spots) if spots else np.zeros(0, np.int64)
    labels = np.concatenate([np.full(len(s), n) for n, s in enumerate(spots)]) if spots else rows
    order = np.argsort(pairs.moments[rows], kind="stable")
    rows, labels = rows[order], labels[order]
    keep = np.ones(len(rows), bool)
    for _ in range(_SPOTS):
        starts = np.flatnonzero(np.concatenate(([True], labels[keep][1:] != labels[keep][:-1]))) if keep.any() else np.zeros(0, int)
        sizes = np.diff(np.append(starts, int(keep.sum())))
        if len(starts) < 2 or sizes.min() >= pairs.limits.least:
            break
        places = np.flatnonzero(keep)
        n = int(np.argmin(sizes))
        keep[places[starts[n] : starts[n] + sizes[n]]] = False
    rows, labels = rows[keep], labels[keep]
    borders = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    return [run for run in np.split(rows, borders) if len(np.unique(pairs.moments[run])) >= pairs.limits.least]


def _distances(one: Kept, other: Kept, limits: Limits) -> Pairs:
    """Return every pair of records of one key."""
    keys = sorted(set(one.times) & set(other.times))
    moments, apart, names = [], [], []
    for key in keys:
        a, b = one.times[key], other.times[key]
        d = a[:, None] - b[None, :]
        near = np.abs(d) <= FARTHEST
        moments.append(np.broadcast_to(a[:, None], d.shape)[near])
        apart.append(d[near])
        names += [key] * int(near.sum())
    empty = np.zeros(0, np.int64)
    return Pairs(np.concatenate(moments or [empty]), np.concatenate(apart or [empty]), names, limits)


def _densest(pairs: Pairs, free: npt.NDArray[np.bool_], widths: tuple[int, ...], smaller: int, least: int) -> npt.NDArray[np.int64] | None:
    """Return the pairs of the most telling spot: the one that chance explains least; None where chance explains it."""
    rows = np.flatnonzero(free)
    if len(rows) < pairs.limits.least:
        return None
    order = rows[np.argsort(pairs.apart[rows], kind="stable")]
    apart = pairs.apart[order]
    best = min((_spot(apart, width, pairs.limits.least) for width in widths), default=(0.0, 0, 0))
    if best[0] > log(pairs.limits.chance):
        return None
    picked = order[best[1] : best[2]]
    moments = pairs.moments[picked]
    around = pairs.moments[rows]
    anchors = len(np.unique(moments))
    asked = len(np.unique(around[(around >= moments.min()) & (around <= moments.max())]))
    # an offset that few of the records of its time bear out is a coincidence of habits, not a clock
    return picked if anchors >= least and anchors >= pairs.limits.share * min(asked, smaller) else None


_STEEPEST = 900 * times.SECOND
"""of drift a day that is looked for; a machine's clock that nothing corrects drifts by some seconds a day, one of a starved virtual machine by minutes"""
_AHEAD = 12 * times.HOUR
_MOST_PAIRS = 8_000


def _drifting(pairs: Pairs, width: int, smaller: int) -> list[npt.NDArray[np.int64]]:
    """Return the pairs along the most telling slope, where no level spot tells anything: a clock that drifts by more than a spot is wide; nearly all records of its time must bear it out."""
    rows = np.flatnonzero(np.abs(pairs.apart) <= _AHEAD)
    if len(rows) < pairs.limits.step or len(rows) > _MOST_PAIRS:
        return []
    since = (pairs.moments[rows] - pairs.moments[rows].min()) / times.DAY
    steps = int(np.ceil(_STEEPEST * float(since.max()) / width))
    slopes = np.linspace(-_STEEPEST, _STEEPEST, 2 * min(max(steps, 1), 400) + 1)
    best: tuple[float, npt.NDArray[np.int64]] = (log(pairs.limits.chance), np.zeros(0, np.int64))
    for slope in slopes:
        level = (pairs.apart[rows] - slope * since).astype(np.int64)
        order = np.argsort(level, kind="stable")
        chance, low, high = _spot(level[order], width, pairs.limits.step)
        if chance + log(len(slopes)) < best[0]:
            best = (chance + log(len(slopes)), rows[order[low:high]])
    picked = best[1]
    if not len(picked):
        return []
    moments = pairs.moments[picked]
    asked = len(np.unique(pairs.moments[(pairs.moments >= moments.min()) & (pairs.moments <= moments.max())]))
    anchors = len(np.unique(moments))
    return [picked] if anchors >= pairs.limits.step and anchors >= pairs.limits.step_share * min(asked, smaller) else []


def _spot(apart: Distances, width: int, least: int) -> tuple[float, int, int]:
    """Return the densest spot of that width: the log of the chance of it, anywhere, and its range in the sorted distances."""
    ends = np.searchsorted(apart, apart + width, side="right")
    counts = ends - np.arange(len(apart))
    start = int(np.argmax(counts))
    count = int(counts[start])
    if count < least:
        return 0.0, 0, 0
    low, high = np.searchsorted(apart, [apart[start] - 60 * width, apart[start] + 61 * width])
    expected = max((int(high - low) - count) / 120, len(apart) * width / (2 * FARTHEST))
    return _tail(count, expected) + log(len(apart)), start, int(ends[start])


def _tail(count: int, expected: float) -> float:
    """Return the log of the chance of at least `count` where `expected` come by chance (Poisson, its first term, which leads)."""
    if count <= expected:
        return 0.0
    return count * log(max(expected, 1e-12)) - expected - lgamma(count + 1) - log(max(1 - expected / (count + 1), 1e-3))


def _fitted(one: Kept, other: Kept, pairs: Pairs, picked: npt.NDArray[np.int64]) -> Segment:
    """Fit a line through one pair a record (the median of each moment), with its spread and what two machines may differ by as the interval."""
    moments, apart = pairs.moments[picked], pairs.apart[picked]
    x, y = _medians(moments, apart)
    rate = _rate(x, y) if one.how != "loose" else 0.0
    at = float(np.median(y - rate * (x - x[0])))
    line = at + rate * (x - x[0])
    low, high = np.quantile(y - line, [0.1, 0.9])
    ends = (float(line[0]), float(line[-1]))
    refs = [e for n in picked[:3].tolist() for e in _events(one, other, pairs.keys[n], int(pairs.moments[n]), int(pairs.apart[n]))]
    slack = SLACK[one.how]
    return Segment(
        int(x[0]), int(x[-1]), round(at), rate, round(min(ends) + float(low) - slack), round(max(ends) + float(high) + slack), len(x), tuple(dict.fromkeys(refs))
    )  # fmt: skip


def _medians(moments: npt.NDArray[np.int64], apart: Distances) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the distinct moments, in order, and the median of each one's distances."""
    x, counts = np.unique(moments, return_counts=True)
    ordered = apart[np.lexsort((apart, moments))].astype(np.float64)
    starts = np.cumsum(counts) - counts
    return x, (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2


def _events(one: Kept, other: Kept, key: str, time: int, apart: int) -> Iterator[int]:
    for kept, moment in ((one, time), (other, time - apart)):
        if (key, moment) in kept.events:
            yield kept.events[key, moment]


def _rate(x: npt.NDArray[np.int64], y: npt.NDArray[np.float64]) -> float:
    """Return the drift (Theil and Sen: the median of all slopes), or nothing where it explains less than it might by chance."""
    if len(x) < 12 or x[-1] - x[0] < times.DAY:
        return 0.0
    step = max(1, len(x) // 200)
    xs, ys = x[::step].astype(float), y[::step]
    gaps = xs[None, :] - xs[:, None]
    upper = np.triu(np.ones_like(gaps, bool), 1) & (gaps > (x[-1] - x[0]) / 10)
    slope = float(np.median(((ys[None, :] - ys[:, None])[upper]) / gaps[upper]))
    flat, sloped = np.abs(y - np.median(y)), y - slope * (x - x[0])
    sloped = np.abs(sloped - np.median(sloped))
    gain = float(flat.mean()) > 2 * float(sloped.mean()) and abs(slope) * float(x[-1] - x[0]) > 2 * times.SECOND
    return slope if gain else 0.0
