"""The shape of a run's metrics, and which runs look like those that were named (where none was, see `kinds.py`).

A curve is summed up by a few robust numbers: where it ended, where it mostly was, how restless it was, how much of it was no number at
all. Runs are compared with runs of their own size, and of their own model where there are enough of them: what differs by nature is no harm.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.reasoning.world import World

Numbers = Mapping[str, Any]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_MOST_NAMES = 24
"""metrics that are looked at: those that most runs have"""
FINEST = 0.01
"""nothing is measured more finely: a hundredth, on a scale of ratios"""
SAME = 4
"""runs of one kind from which on they have a usual value of their own"""


@dataclass(frozen=True, slots=True)
class Curve:
    """What is known of one run's metrics."""

    source: str
    run: str
    points: int
    values: Mapping[tuple[str, str], float]
    """(metric, which number) -> its value"""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of many runs, each as far from what is usual for its kind; NaN where a run has none."""

    metric: str
    number: str
    values: Floats
    by_gpu: bool = False


_POINTS = """
    WITH named AS (
        SELECT name FROM events WHERE action = 'metric.point' AND name IS NOT NULL GROUP BY name ORDER BY count(DISTINCT object) DESC, name LIMIT $names
    ),
    points AS (
        SELECT source, object, name, value, isfinite(value) AS sound, row_number() OVER w AS k, count(*) OVER (PARTITION BY source, object, name) AS n,
               abs(value - lag(value) OVER w) AS step
        FROM (SELECT *, TRY_CAST(json_extract_string(attrs, '$.step') AS BIGINT) AS place FROM events WHERE action = 'metric.point' AND name IN (SELECT name FROM named) AND object IS NOT NULL)
        WINDOW w AS (PARTITION BY source, object, name ORDER BY place NULLS FIRST, time NULLS FIRST, id)
    )
    SELECT source, object AS run, name, any_value(n)::BIGINT AS n, median(value) FILTER (sound AND k > 0.75 * n) AS final, median(value) FILTER (sound) AS middle,
           median(value) FILTER (sound AND k <= greatest(1, 0.25 * n)) AS began, median(step) FILTER (isfinite(step) AND k > 0.5 * n) AS unrest, max(value) FILTER (sound AND k > 0.25 * n) AS peak,
           avg(CASE WHEN coalesce(sound, false) THEN 0.0 ELSE 1.0 END) AS lost
    FROM points GROUP BY ALL ORDER BY ALL
"""


def curves(world: World) -> list[Curve]:
    """Sum up every run's metrics."""
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    points: dict[tuple[str, str], int] = defaultdict(int)
    for row in world.tables.rows(_POINTS, names=_MOST_NAMES):
        here = row["source"], row["run"]
        points[here] += row["n"]
        for number in ("began", "final", "middle", "unrest", "peak", "lost"):
            if row[number] is not None:
                found[here][row["name"], number] = row[number]
    return [Curve(source, run, points[source, run], found[source, run]) for source, run in sorted(found)]


def features(kept: list[Curve], sizes: list[float | None], stems: list[str]) -> list[Feature]:
    """Return every number that most runs have: as distance from what is usual for runs of that size, of that model as well, and by GPU."""
    names = sorted({key for curve in kept for key in curve.values if key[1] != "began"})
    gpus = np.array([log(s) if s and s > 0 else np.nan for s in sizes])
    found = []
    for metric, number in names:
        values = scaled(kept, metric, number)
        if np.isfinite(values).sum() >= 0.5 * len(kept):
            alike = _beside(values, [str(s) for s in sizes])
            found += [Feature(metric, number, alike), Feature(metric, number, _beside(alike, stems))]
            if number != "lost":
                found.append(Feature(metric, number, _beside(values - gpus, []), by_gpu=True))
    return [f for f in found if np.isfinite(f.values).any()]


def scaled(kept: list[Curve], metric: str, number: str) -> Floats:
    """Return one number of every run, on a scale of ratios where it has one; NaN where a run has none."""
    return np.array([_scaled(c.values.get((metric, number)), number) for c in kept], np.float64)


def _scaled(value: float | None, number: str) -> float:
    """Return a value on a scale of ratios, where it has one."""
    if value is None or (number != "lost" and value <= 0):
        return float("nan")
    return value if number == "lost" else log(value)


def _beside(values: Floats, kinds: list[str]) -> Floats:
    """Take off the usual value of runs of one kind; of all runs where there are too few of a kind."""
    known = np.isfinite(values)
    centre = np.full(len(values), np.median(values[known]) if known.any() else 0.0)
    places: dict[str, list[int]] = defaultdict(list)
    for n, kind in enumerate(kinds):
        if known[n]:
            places[kind].append(n)
    for alike in places.values():
        if len(alike) >= SAME:
            centre[alike] = np.median(values[alike])
    beside: Floats = values - centre
    return beside


def like(found: Iterable[Feature], bad: Mask, good: Mask, numbers: Numbers) -> tuple[Mask, Mask, str] | None:
    """Return masks of all runs that look harmed, and that look healthy, by the one number that tells the named ones best apart.

    None where no number tells them apart. `bad`, `good`: masks of the runs that were named.
    """
    best: tuple[float, Feature, float, float] | None = None
    for feature in found:
        known = np.isfinite(feature.values)
        high, low = feature.values[bad & known], feature.values[good & known]
        if min(len(high), len(low)) < 3 or len(high) + len(low) < 0.8 * (bad.sum() + good.sum()):
            continue
        a, b = float(np.median(high)), float(np.median(low))
        apart = abs(a - b) / max(noise(high), noise(low))
        wrong = ((np.abs(high - a) > np.abs(high - b)).sum() + (np.abs(low - b) > np.abs(low - a)).sum()) / (len(high) + len(low))
        if apart >= numbers["apart"] and wrong <= numbers["wrong"] and (best is None or apart > best[0]):
            best = apart, feature, a, b
    if best is None:
        return None
    _, feature, a, b = best
    place = (feature.values - b) / (a - b)
    with np.errstate(invalid="ignore"):
        return place > 0.75, place < 0.25, f"{feature.metric} ({feature.number})"


def noise(values: Floats) -> float:
    """Return a robust standard deviation; nothing is measured more finely than a hundredth."""
    return max(FINEST, float(1.4826 * np.median(np.abs(values - np.median(values)))))
