"""Harmed runs that are harmed in two ways: some are off in a metric in which the others are as the healthy ones are.

One change harms what it reaches in one way. Where the harmed runs fall into two plain kinds, what the one kind has that the other lacks is asked for apart: the
first cause may have reached all of them, and a second one some.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.reasoning.causes.curves import Feature, Mask, Numbers, noise

_KNOWN = 0.8
"""share of the harmed runs of which a number must be known"""
MOST = 2
"""kinds that are asked for apart"""


@dataclass(frozen=True, slots=True)
class Kind:
    """Harmed runs that are off in a number in which the other harmed ones are not."""

    runs: Mask
    others: Mask
    says: str
    apart: float
    """how wide the gap between the two is, beside what is ordinary on both sides"""


def kinds_of_harm(found: Iterable[Feature], bad: Mask, good: Mask, numbers: Numbers) -> list[Kind]:
    """Return kinds of harm, the plainest first; none where the harmed runs are all off alike."""
    told: dict[bytes, Kind] = {}
    known = list(found)
    for feature in known:
        same = [f for f in known if f.metric == feature.metric]
        for kind in _split(feature, bad, good, numbers):
            if any(_off(f, kind.others, good, numbers) for f in same):
                continue  # off in the same metric, if not in that number: more or less of one harm, not another
            key = kind.runs.tobytes()
            if key not in told or told[key].apart < kind.apart:
                told[key] = kind
    return sorted(told.values(), key=lambda k: (-k.apart, k.says, k.runs.tobytes()))[:MOST]


def _split(feature: Feature, bad: Mask, good: Mask, numbers: Numbers) -> Iterator[Kind]:
    known = np.isfinite(feature.values)
    harmed, healthy = np.flatnonzero(bad & known), feature.values[good & known]
    least = int(numbers["least_found"])
    if len(harmed) < max(2 * least, _KNOWN * bad.sum()) or len(healthy) < least:
        return
    order = harmed[np.argsort(feature.values[harmed], kind="stable")]
    values = feature.values[order]
    steps = values[least : len(values) - least + 1] - values[least - 1 : len(values) - least]
    place = least + int(np.argmax(steps))
    low, high, gap = values[:place], values[place:], float(steps[place - least])
    wide = max(noise(low), noise(high))
    if gap < numbers["gap"] * wide or float(np.median(high) - np.median(low)) < numbers["apart"] * wide:
        return
    usual, ordinary = float(np.median(healthy)), noise(healthy)
    for part, off in ((order[:place], low), (order[place:], high)):
        if abs(float(np.median(off)) - usual) >= numbers["apart"] * ordinary:
            yield Kind(
                _mask(part, len(bad)), _mask(np.setdiff1d(harmed, part), len(bad)), f"{feature.metric} ({feature.number})", gap / wide
            )


def _off(feature: Feature, runs: Mask, good: Mask, numbers: Numbers) -> bool:
    """Tell whether runs are mostly not as the healthy ones are, in a number."""
    known = np.isfinite(feature.values)
    those, healthy = feature.values[runs & known], feature.values[good & known]
    return bool(len(those)) and abs(float(np.median(those)) - float(np.median(healthy))) >= numbers["apart"] * noise(healthy)


def _mask(places: npt.NDArray[np.int64], count: int) -> Mask:
    mask = np.zeros(count, bool)
    mask[places] = True
    return mask
