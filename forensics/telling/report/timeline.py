"""The timeline: a lane per source with how much it recorded when, its gaps, and a lane per question with the acts that it is about and rests on."""

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
"""rows of acts that answers rest on, above one another; acts in question have as many as they need"""
PILL, LETTER = 30, {"en": 5.9, "zh": 11.2}
"""widths: of the mark for several acts, and of a letter of what stands beside a mark"""
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


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered act, what it is to a question, and whether the record itself claims who acted."""

    number: int
    time: int
    kind: str
    """asked, rests or beside"""
    bare: bool
    doubted: bool = False
    """whether the question's answer does not name whom the record claims"""


Marks = Sequence[tuple[str, Sequence[Mark]]]
"""for each question, its acts in order of number"""


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
    """A numbered act, or several beside one another that no answer rests on."""

    number: int
    x: float
    y: float
    kind: str
    bare: bool
    text: str
    label: Said | None
    """what an act in question is called beside its mark"""
    text_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts that one question is about or rests on."""

    label: Shown
    y: float
    height: int
    dots: tuple[Dot, ...]
    hidden: int
    """acts for which there was no room; the table has them"""
    asked: bool
    """whether an act in question is drawn"""


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
    top, acts = _acts(marks, (begin, until), voice, layout)
    lanes = tuple(
        _lane(source, top + number * layout.lane, hits[source["name"]], (begin, until), voice, layout)
        for number, source in enumerate(sources)
    )
    return Timeline(layout.width, top + len(lanes) * layout.lane + 30, top, acts, lanes, _ticks(begin, until, voice, layout))


def _acts(marks: Marks, window: tuple[int, int], voice: Voice, layout: Layout) -> tuple[int, tuple[Acts, ...]]:
    lanes, y = [], 6
    for question, every in marks:
        above = 0 if layout.left else ROW
        seen = [mark for mark in every if window[0] <= mark.time <= window[1]]
        asked, rows = _named([mark for mark in seen if mark.kind == "asked"], y + above, window, voice, layout)
        resting, more, hidden = _stacked([mark for mark in seen if mark.kind == "rests"], y + above + rows * ROW, window, layout)
        beside = _gathered([mark for mark in seen if mark.kind == "beside"], y + above + (rows + more) * ROW, window, layout)
        height = max(rows + more + bool(beside), 1) * ROW
        middle = y + (height / 2 if layout.left else ROW / 2)
        lanes.append(Acts(fitted(question, 22), middle, height, (*asked, *resting, *beside), hidden + len(every) - len(seen), bool(asked)))
        y += above + height + 8
    return y, tuple(lanes)


def _place(mark: Mark, window: tuple[int, int], layout: Layout) -> float:
    return min(max(layout.x(mark.time, window), layout.left + DOT), layout.width - RIGHT - DOT)


def _named(marks: Sequence[Mark], y: int, window: tuple[int, int], voice: Voice, layout: Layout) -> tuple[list[Dot], int]:
    """Put every act in question where neither it nor what it is called covers another; records of one moment are one mark."""
    rows: list[list[tuple[float, float]]] = []
    dots = []
    once = {(mark.time, mark.bare): mark for mark in reversed(marks)}
    for mark in sorted(once.values(), key=lambda one: one.number):
        x, label = _place(mark, window, layout), _says(mark, voice, layout)
        wide = max(len(str(getattr(label, language))) * letter for language, letter in LETTER.items()) + DOT + 8
        after = x + wide <= layout.width - RIGHT or x - wide < 0
        left, right = (x - DOT - 2, x + wide) if after else (x - wide, x + DOT + 2)
        row = next((n for n, taken in enumerate(rows) if all(right <= low or left >= high for low, high in taken)), len(rows))
        rows[row:] = [[*(rows[row] if row < len(rows) else []), (left, right)], *rows[row + 1 :]]
        text_x, anchor = (x + DOT + 5, "start") if after else (x - DOT - 5, "end")
        dots.append(Dot(mark.number, x, y + row * ROW + DOT + 1, "asked", mark.bare, str(mark.number), label, round(text_x, 1), anchor))
    return dots, len(rows)


def _says(mark: Mark, voice: Voice, layout: Layout) -> Said:
    if not mark.bare:
        return voice.say("the act in question")
    if not mark.doubted:
        return voice.say("the commit itself")
    return voice.say("claimed by the record, not shown to be the named author's act") if layout.left else voice.say("claimed, not shown")


def _stacked(marks: Sequence[Mark], y: int, window: tuple[int, int], layout: Layout) -> tuple[list[Dot], int, int]:
    """Put each act on the highest row where it covers no other."""
    ends: list[float] = []
    dots, hidden = [], 0
    for mark in marks:
        x = _place(mark, window, layout)
        row = next((n for n, end in enumerate(ends) if end + 2 * DOT + 2 <= x), len(ends))
        if row >= DEEPEST:
            hidden += 1
            continue
        ends[row:] = [x, *ends[row + 1 :]]
        dots.append(Dot(mark.number, x, y + row * ROW + DOT + 1, "rests", mark.bare, str(mark.number), None, x, "middle"))
    return dots, len(ends), hidden


def _gathered(marks: Sequence[Mark], y: int, window: tuple[int, int], layout: Layout) -> list[Dot]:
    """Draw what no answer rests on in one row, neighbours as one mark with their number."""
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and _place(mark, window, layout) - _place(groups[-1][0], window, layout) < PILL + 4:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    dots = []
    for group in groups:
        text = f"×{len(group)}" if len(group) > 1 else str(group[0].number)
        x = _place(group[0], window, layout)
        dots.append(Dot(group[0].number, x, y + DOT + 1, "beside", all(mark.bare for mark in group), text, None, x, "middle"))
    return dots


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
