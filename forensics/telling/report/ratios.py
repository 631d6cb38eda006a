"""Likelihood ratios as bars on a logarithmic scale, one scale for all alternatives of an answer."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 300, 22
_LEAST, _MOST = -4, 6
"""powers of ten between which the scale stays; what lies beyond ends at its edge, and its number is written beside it"""

_CLOSE = 6
"""powers of ten beyond which labels would touch"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A range, in the drawing's units."""

    x: float
    length: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Powers of ten from left to right."""

    low: int
    high: int

    def place(self, value: float) -> float:
        """Return where a ratio stands."""
        power = math.log10(value) if value > 0 else self.low
        return round((min(max(power, self.low), self.high) - self.low) / (self.high - self.low) * WIDTH, 1)

    def bar(self, pair: Mapping[str, float]) -> Bar:
        """Return the bar of a range, never thinner than can be seen."""
        left, right = self.place(pair["low"]), self.place(pair["high"])
        return Bar(min(left, WIDTH - 3.0), round(max(right - left, 3.0), 1))

    def ticks(self) -> list[tuple[float, str]]:
        """Return the powers of ten with their labels: every other one where they would stand too close."""
        every = 2 if self.high - self.low > _CLOSE else 1
        return [(self.place(10.0**power), _label(power) if power % every == 0 else "") for power in range(self.low, self.high + 1)]


def _label(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"1/{10**-power:,}"


def scale(ratios: Iterable[Mapping[str, float]]) -> Scale:
    """Choose a scale that holds every range, and always 1/10 to 1,000."""
    ends = [math.log10(value) for pair in ratios for value in (pair["low"], pair["high"]) if value > 0]
    low = math.floor(min([*ends, -1.0]))
    high = math.ceil(max([*ends, 3.0]))
    return Scale(max(low, _LEAST), min(high, _MOST))
