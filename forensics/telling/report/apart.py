"""How far two records lie apart in time: as a range, where their clocks may differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.telling.report.citing import Index
from forensics.telling.report.said import Said, Voice

_DAY = 86400
_ALIKE = 2.0
"""seconds of a range that nobody needs to be told"""


def elapsed(nanoseconds: int, voice: Voice) -> Said:
    """Write a span of time in its two largest units."""
    seconds = nanoseconds // times.SECOND
    units = (("{number} d", 86400), ("{number} h", 3600), ("{number} min", 60), ("{number} s", 1))
    parts: list[Said] = []
    for unit, size in units:
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append(voice.say(unit, number=number))
    shown = parts[:2]
    if not shown:
        return voice.say("at once")
    return shown[0] if len(shown) == 1 else voice.say("{one} {other}", one=shown[0], other=shown[1])


@dataclass(frozen=True, slots=True)
class Clocks:
    """By how much each source's times, as they are shown, may be ahead: (lowest, highest) in seconds; None where that could not be estimated."""

    ahead: Mapping[str, tuple[float, float] | None]

    def between(self, one: str, other: str) -> tuple[float, float] | None:
        """Return how much later than it seems a record of `other` may be than one of `one`; None where one of the clocks could not be compared."""
        if one == other:
            return 0.0, 0.0
        first, second = self.ahead.get(one), self.ahead.get(other)
        return (first[0] - second[1], first[1] - second[0]) if first and second else None


def clocks(sources: Sequence[Mapping[str, Any]]) -> Clocks:
    """Read every source's clock from the findings; what is left of its range where its times were corrected."""
    return Clocks({source["name"]: _ahead(source) for source in sources})


def _ahead(source: Mapping[str, Any]) -> tuple[float, float] | None:
    parts = source.get("clock") or ()
    if not parts:
        found = source.get("clock_offset_s")
        return (found["low"], found["high"]) if found else None
    ends = [(p["low_s"] - p["offset_s"] * p["corrected"], p["high_s"] - p["offset_s"] * p["corrected"]) for p in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)


@dataclass(frozen=True, slots=True)
class Apart:
    """Says how far records lie from an act, or from each other."""

    index: Index
    events: Mapping[int, Mapping[str, Any]]
    clocks: Clocks
    voice: Voice

    def nearest(self, item: Mapping[str, Any], when: Mapping[str, str] | None, act: Iterable[Mapping[str, Any]]) -> Said | None:
        """Say how far the nearest record of an item lies from the act; nothing within the act's own range, beyond a day, or without a time.

        `act`: the references that show the act.
        """
        seen = [(time, ref["source"]) for ref in item["refs"] if (time := self._time(ref)) is not None]
        if not when or not seen:
            return None
        first, last = times.parse(when["from"])[0], times.parse(when["to"])[0]
        away, time, source = min((max(first - time, time - last, 0), time, source) for time, source in seen)
        if not times.SECOND <= away < _DAY * times.SECOND:
            return None
        before = time < first
        shown = sorted({ref["source"] for ref in act})
        ranges = [found for one in shown if (found := self.clocks.between(source, one)) is not None]
        return self._said(away, before=before, later=min(ranges, key=lambda r: r[1] - r[0]) if ranges else None, known=bool(shown))

    def _said(self, away: int, *, before: bool, later: tuple[float, float] | None, known: bool) -> Said:
        say = self.voice.say
        shown = elapsed(away, self.voice)
        if later is None or later[1] - later[0] <= _ALIKE:
            if later is None and known:
                return say(
                    "nearest record {time} before the act (clocks not compared)"
                    if before
                    else "nearest record {time} after the act (clocks not compared)",
                    time=shown,
                )
            return say("nearest record {time} before the act" if before else "nearest record {time} after the act", time=shown)
        seconds = away / times.SECOND * (1 if before else -1)
        earliest, latest = seconds + later[1], seconds + later[0]  # before the act; below zero: after it
        ends = {"one": self._span(earliest), "other": self._span(latest)}
        if latest >= 0:
            return say("nearest record {other} to {one} before the act, by what its clock may be off", **ends)
        if earliest <= 0:
            return say("nearest record {one} to {other} after the act, by what its clock may be off", **ends)
        return say("nearest record between {one} before and {other} after the act, by what its clock may be off", **ends)

    def since(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> Said | None:
        """Say between what an act may have come after the one before, where that is not what the shown times say; rows bear `time` and `entry`."""
        sources = [self.index.ref(row["entry"])["source"] for row in (one, other)]
        later = self.clocks.between(*sources)
        if later is None:
            return self.voice.say("clocks not compared")
        if later[1] - later[0] <= _ALIKE:
            return None
        seconds = (other["time"] - one["time"]) / times.SECOND
        low, high = seconds + later[0], seconds + later[1]
        ends = {"one": self._span(low), "other": self._span(high)}
        return self.voice.say("{one} earlier to {other} later" if low < 0 else "{one} to {other}", **ends)

    def _span(self, seconds: float) -> Said:
        return elapsed(round(abs(seconds)) * times.SECOND, self.voice)

    def _time(self, ref: Mapping[str, Any]) -> int | None:
        found = self.events.get(self.index.number(dict(ref)))
        return found["time"] if found else None
