"""Harmed and healthy runs told by their metrics alone, where these are plainly of two kinds.

Only metrics of which it is known which way is worse count: a loss that is high, a score or a rate that is low. A run is harmed where it lies beyond a wide
gap on the worse side, with others; it is healthy where it is ordinary in every such number. The harmed are the
fewer, or came later.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

import numpy as np

from forensics.reasoning.causes.curves import FINEST, SAME, Curve, Feature, Floats, Mask, Numbers, noise, scaled

_LOSS = re.compile(r"loss|perplexity|\bppl\b|\bnll\b|error|\bwer\b|\bcer\b", re.IGNORECASE | re.ASCII)
_GRADIENT = re.compile(r"grad\w*[^a-z]?norm", re.IGNORECASE | re.ASCII)
_SCORE = re.compile(
    r"acc(?:uracy)?(?![a-z])|\bf1\b|bleu|rouge|reward|\bauc\b|recall|precision|exact_match|\bem\b|pass@|success|win_?rate|score",
    re.IGNORECASE | re.ASCII,
)
_RATE = re.compile(r"throughput|per_?s(?:ec(?:ond)?)?\b|/s(?:ec)?\b|t?flops|\bmfu\b|samples_per|tokens_per", re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"(?:step|iter(?:ation)?|batch|data|epoch)_?(?:time|seconds|latency|duration)|time_per", re.IGNORECASE | re.ASCII)
_NUMBERS: tuple[tuple[re.Pattern[str], Mapping[str, float]], ...] = (
    (_RATE, {"final": -1, "middle": -1, "turn": -1}),
    (_TIME, {"final": 1, "middle": 1, "turn": 1}),
    (_GRADIENT, {"final": 1, "middle": 1}),
    (_LOSS, {"final": 1, "middle": 1, "lost": 0.2}),
    (_SCORE, {"final": -1, "middle": -1}),
)
"""of which kind of metric which numbers count, and which way is worse; a tenth of the points may be lost by chance (a fifth of it counts, see FINEST)"""
_WELL = 0.2
"""of the runs of one kind, the share that does better than what is taken for usual"""
_GAPS = 32
"""gaps that are looked at: the widest"""
_WIDER = 3
"""how much wider a gap must be with one run fewer than are enough beyond it"""


_FIRST = 0.75
"""share of pairs of a healthy and a harmed run in which the healthy one began first, where the harmed are the more"""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Two kinds of runs; those in neither are not plain."""

    harmed: Mask
    healthy: Mask
    says: str
    """by which metrics"""


def signed(kept: list[Curve], sizes: list[float | None], stems: list[str]) -> list[Feature]:
    """Return the numbers of which it is known which way is worse, turned so that high is worse, each as distance from what is usual for runs of its kind."""
    gpus = np.array([log(s) if s and s > 0 else np.nan for s in sizes])
    found = []
    for metric, number in sorted({key for curve in kept for key in curve.values}):
        way = _ways(metric).get(number if number != "began" else "turn", 0)
        values = way * (_turns(kept, metric) if number == "began" else scaled(kept, metric, number))
        if not way or np.isfinite(values).sum() < 0.5 * len(kept):
            continue
        if number == "began":
            found.append(Feature(metric, "turn", values))
            continue
        alike = _beside(values, [str(s) for s in sizes])
        found += [Feature(metric, number, alike), Feature(metric, number, _beside(alike, stems))]
        if _RATE.search(metric):
            found.append(Feature(metric, number, _beside(values - way * gpus, []), by_gpu=True))
    return [f for f in found if np.isfinite(f.values).any()]


def _ways(metric: str) -> Mapping[str, float]:
    return next((way for pattern, way in _NUMBERS if pattern.search(metric)), {})


def _turns(kept: list[Curve], metric: str) -> Floats:
    """Return how far a metric's end lies from its beginning, within each run: of rates and times, that is nothing for every healthy run, whatever it trains."""
    turns: Floats = scaled(kept, metric, "final") - scaled(kept, metric, "began")
    return turns


def _beside(values: Floats, kinds: list[str]) -> Floats:
    """Take off what runs of one kind reach that do well: the harmed may be the more of them. Of all runs where there are too few of a kind."""
    known = np.isfinite(values)
    centre = np.full(len(values), np.quantile(values[known], _WELL) if known.any() else 0.0)
    places: dict[str, list[int]] = defaultdict(list)
    for n, kind in enumerate(kinds):
        if known[n]:
            places[kind].append(n)
    for alike in places.values():
        if len(alike) >= SAME:
            centre[alike] = np.quantile(values[alike], _WELL)
    beside: Floats = values - centre
    return beside


def two_kinds(found: Iterable[Feature], starts: Floats, numbers: Numbers) -> Kinds | None:
    """Return the runs that lie plainly off in any number, and those that are ordinary in all; None where no number parts them.

    `found`: high is worse (see `signed`). `starts`: when each run began. Where the harmed are the more, the healthy ones must have come first.
    """
    known = list(found)
    parted = [(f, edge) for f in known if (edge := _edge(f.values, starts, numbers)) is not None]
    if not parted:
        return None
    harmed = np.zeros(len(known[0].values), bool)
    odd, seen = harmed.copy(), harmed.copy()
    with np.errstate(invalid="ignore"):
        for f, edge in parted:
            harmed |= f.values > edge
            seen |= np.isfinite(f.values)
        for f in known:
            odd |= f.values > _limit(f.values[~harmed], numbers)
    return Kinds(harmed, seen & ~odd & ~harmed, _says([f for f, _ in parted]))


def _limit(values: Floats, numbers: Numbers) -> float:
    """Return what is no longer ordinary."""
    sound = values[np.isfinite(values)]
    return float(np.median(sound)) + float(numbers["apart"]) * noise(sound) if len(sound) else np.inf


def _says(found: list[Feature]) -> str:
    """Name the metrics, each with its numbers."""
    by_metric: dict[str, dict[str, None]] = {}
    for f in found:
        by_metric.setdefault(f.metric, {})[f.number] = None
    return ", ".join(f"{metric} ({', '.join(names)})" for metric, names in by_metric.items())


def _edge(values: Floats, starts: Floats, numbers: Numbers) -> float | None:
    """Return the middle of the lowest gap that is wide beside what is ordinary below it, with enough runs on both sides; None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    ordered, least = values[order], int(numbers["least_found"])
    first, last = max(least, int(_WELL * len(ordered))), len(ordered) - (least - 1)
    if last < first:
        return None
    steps = ordered[first : last + 1] - ordered[first - 1 : last]
    widest = np.argsort(-steps, kind="stable")[:_GAPS]
    for place in sorted(first + int(n) for n in widest):
        below, above, gap = ordered[:place], ordered[place:], steps[place - first]
        wide = (_WIDER if place == last else 1) * _usual(below)
        plain = gap >= numbers["gap"] * wide and np.median(above) - np.median(below) >= numbers["apart"] * wide
        if plain and (place > len(above) or _came_first(starts[order[:place]], starts[order[place:]])):
            return float(below[-1] + gap / 2)
    return None


def _came_first(healthy: Floats, harmed: Floats) -> bool:
    """Tell whether of a healthy and a harmed run, the healthy one mostly began first."""
    before = np.searchsorted(np.sort(healthy), harmed).mean() / len(healthy)
    return bool(before >= _FIRST)


def _usual(values: Floats) -> float:
    """Return how widely ordinary runs differ: also where some of them differ much more than most."""
    low, high = np.quantile(values, (0.05, 0.95))
    return max(FINEST, noise(values), float(high - low) / 3.29)
