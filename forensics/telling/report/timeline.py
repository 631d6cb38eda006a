"""The timeline: a lane per source with how much it recorded when, its gaps, and lanes of the acts that answers rest on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import Shown, fitted

RIGHT = 12
HIGH, DOT, ROW = 18, 8, 19
DEEPEST = 8
"""rows of numbered acts above one another"""
_STEPS = [n * times.HOUR for n in (1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 14, 24 * 28, 24 * 91, 24 * 182, 24 * 365)]
_DENSITY = """
    SELECT source, CAST(floor((time - $begin) / $step) AS BIGINT) AS bin, count(*) AS hits
    FROM events WHERE time >= $begin AND time < $until GROUP BY ALL ORDER BY source, bin
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand, in the drawing's units."""

    left: int
    """where the lanes begin; 0: their names stand above them"""
    width: int
    lane: int
    bins: int
    ticks: int
    """dates at most"""

    def x(self, time: int, window: tuple[int, int]) -> float:
        """Return where a moment stands."""
        begin, until = window
        share = (min(max(time, begin), until) - begin) / (until - begin)
        return round(self.left + share * (self.width - self.left - RIGHT), 1)


BROAD = Layout(190, 1120, 26, 115, 9)
NARROW = Layout(0, 352, 40, 58, 3)
"""for a phone"""
Marks = Sequence[tuple[str, Sequence[tuple[int, int]]]]
"""for each question, the (number, time) of its acts in order of time"""


@dataclass(frozen=True, slots=True)
class Lane:
    """What one source recorded, as the outline of its bars; its gaps as (x, width)."""

    label: Shown
    y: int
    d: Shown
    span: tuple[float, float] | None
    gaps: tuple[tuple[float, float], ...]
    says: Said


@dataclass(frozen=True, slots=True)
class Dot:
    """A numbered act."""

    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts that one question rests on."""

    label: Shown
    y: float
    height: int
    dots: tuple[Dot, ...]
    hidden: int
    """acts for which there was no room; the table has them"""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole drawing."""

    width: int
    height: int
    top: int
    acts: tuple[Acts, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, Said], ...]


def timeline(
    case: CaseConfig, tables: Tables, sources: Sequence[Mapping[str, Any]], marks: Marks, voice: Voice, layout: Layout = BROAD
) -> Timeline:
    """Draw the window; `marks` are the key acts, in the order of the questions."""
    begin, until = case.window[0], max(case.window[1], case.window[0] + times.HOUR)
    step = (until - begin) // layout.bins + 1
    hits: dict[str, dict[int, int]] = defaultdict(dict)
    for row in tables.rows(_DENSITY, begin=begin, until=until, step=step):
        hits[row["source"]][row["bin"]] = row["hits"]
    top, acts = _acts(marks, begin, until, layout)
    lanes = tuple(
        _lane(source, top + number * layout.lane, hits[source["name"]], (begin, until), voice, layout)
        for number, source in enumerate(sources)
    )
    return Timeline(layout.width, top + len(lanes) * layout.lane + 30, top, acts, lanes, _ticks(begin, until, voice, layout))


def _acts(marks: Marks, begin: int, until: int, layout: Layout) -> tuple[int, tuple[Acts, ...]]:
    lanes, y = [], 6
    for question, found in marks:
        above = 0 if layout.left else ROW
        dots, rows, hidden = _stacked(found, y + above, (begin, until), layout)
        height = max(rows, 1) * ROW
        lanes.append(Acts(fitted(question, 22), y + (height / 2 if layout.left else ROW / 2), height, dots, hidden))
        y += above + height + 8
    return y, tuple(lanes)


def _stacked(found: Sequence[tuple[int, int]], y: int, window: tuple[int, int], layout: Layout) -> tuple[tuple[Dot, ...], int, int]:
    """Put each act on the highest row where it covers no other; those outside the window are in the table alone."""
    ends: list[float] = []
    dots, hidden = [], 0
    for number, time in found:
        x = min(max(layout.x(time, window), layout.left + DOT), layout.width - RIGHT - DOT)
        row = next((n for n, end in enumerate(ends) if end + 2 * DOT + 2 <= x), len(ends))
        if row >= DEEPEST or not window[0] <= time <= window[1]:
            hidden += 1
            continue
        ends[row:] = [x, *ends[row + 1 :]]
        dots.append(Dot(number, x, y + row * ROW + DOT + 1))
    return tuple(dots), len(ends), hidden


def _lane(source: Mapping[str, Any], y: int, hits: Mapping[int, int], window: tuple[int, int], voice: Voice, layout: Layout) -> Lane:
    span = None
    if source["first"] and source["last"]:
        span = layout.x(times.parse(source["first"])[0], window), layout.x(times.parse(source["last"])[0], window)
    gaps = []
    for gap in source["gaps"]:
        left, right = (layout.x(times.parse(gap[end])[0], window) for end in ("from", "to"))
        gaps.append((left, round(max(right - left, 1.5), 1)))
    says = voice.count(
        "{name}: {records} records in the window, {number} gap.",
        "{name}: {records} records in the window, {number} gaps.",
        len(gaps),
        name=source["name"],
        records=sum(hits.values()),
    )
    return Lane(
        fitted(voice.hidden(source["name"]), 24 if layout.left else 44),
        y,
        _outline(hits, y + layout.lane - 4, layout),
        span,
        tuple(gaps),
        says,
    )


def _outline(hits: Mapping[int, int], floor: int, layout: Layout) -> Shown:
    """Draw bars as one path; heights by the square root, so that few records beside many can still be seen."""
    most = max(hits.values(), default=1)
    step = (layout.width - layout.left - RIGHT) / layout.bins
    parts = []
    for number, value in sorted(hits.items()):
        high = max(1.5, HIGH * (value / most) ** 0.5)
        parts.append(f"M{layout.left + number * step:.1f} {floor}v-{high:.1f}h{step - 0.8:.1f}v{high:.1f}z")
    return Shown("".join(parts))


def _ticks(begin: int, until: int, voice: Voice, layout: Layout) -> tuple[tuple[float, Said], ...]:
    step = next((s for s in _STEPS if (until - begin) / s <= layout.ticks), _STEPS[-1])
    say = voice.day if step >= times.DAY else voice.moment
    moments: Iterable[int] = range(begin, until, step)
    return tuple((layout.x(moment, (begin, until)), say(moment)) for moment in moments)
