"""A line's frame: time, host, program, process, message."""

import re
from functools import lru_cache

from forensics import times
from forensics.errors import RecordError
from forensics.model import Event, SourceConfig
from forensics.sources.syslog.messages import LONGEST, SPEAKERS, Line, other
from forensics.sources.syslog.years import COLLECTED, MONTHS, next_year

# <34>Oct 11 22:14:15 mymachine su[17]: text (RFC 3164, section 4.1); rsyslog's default puts an ISO time instead
_LINE = re.compile(
    r"(?:<\d{1,3}>)?(?:([A-Z][a-z]{2} [ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?|(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d(?:[.,]\d{1,9})?)(Z|[+-]\d\d:?\d\d)?)"
    r"(?:: | (\S+) (?:([^\s:\[]{1,128})(?:\[(\d{1,10})\])?: ?)?)(.*)",
    re.DOTALL | re.ASCII,
)
# <34>1 2003-10-11T22:14:15.003Z mymachine su 17 ID47 [data] text (RFC 5424, section 6)
_NEW = re.compile(
    r"<\d{1,3}>1 (\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d) (\S+) (\S+) (\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: +(?:\ufeff)?(.*))?",
    re.DOTALL | re.ASCII,
)


_PROCESS = re.compile(r"\d{1,10}", re.ASCII)


_new = tuple.__new__
"""what Line(...) does, without the step between"""


class Reader:
    """Reads lines one after the other, and follows the year along."""

    def __init__(self, source: SourceConfig, context: str) -> None:
        self._host, self._zone = "" if context.endswith(COLLECTED) else source.host, source.timezone
        context = context.removesuffix(COLLECTED)
        year, _, month = context.partition("-")
        self._state = (int(year), int(month)) if context else None
        self._day: tuple[str, int] = ("", 0)
        self._hour: tuple[str, int] = ("", 0)
        """the hour of the line before, and its first second"""

    def parse(self, data: bytes, start: int, end: int) -> list[Event]:
        """Turn a line into the event that it tells."""
        text = data.decode("utf-8", "backslashreplace")
        found = _LINE.fullmatch(text)
        if not found:
            return [self._new(text, start, end)]
        day, hour, minute, second, fraction, prefix, seconds, offset, host, program, process, message = found.groups()
        if day is not None:
            low, high = self._without_year(day, hour, minute, second, fraction)
        else:
            low, high = _iso(prefix, seconds, offset or "", self._zone)
        if end - start > LONGEST:
            return [other(Line(start, end, low, high, self._host or host or "", program or "", process, ""))]
        line = _new(Line, (start, end, low, high, self._host or host or "", program or "", process, message))
        return [SPEAKERS.get(program, other)(line)]

    def _new(self, text: str, start: int, end: int) -> Event:
        found = _NEW.fullmatch(text)
        if not found:
            raise RecordError("not a syslog line: it begins with no time that syslog writes, or names no host")
        prefix, seconds, offset, host, program, process, message = found.groups()
        low, high = _iso(prefix, seconds, offset, self._zone)
        line = Line(start, end, low, high, self._host or host, program, process if _PROCESS.fullmatch(process) else None, message or "")
        return SPEAKERS.get(program, other)(line) if end - start <= LONGEST else other(line)

    def _without_year(self, day: str, hour: str, minute: str, second: str, fraction: str | None) -> tuple[int, int | None]:
        if day != self._day[0]:
            self._day = (day, self._midnight(day))
            self._hour = ("", 0)
        if minute > "59" or second > "60":
            raise RecordError(f"no such time of day: {hour}:{minute}:{second}")
        seconds, nanos = int(minute) * 60 + int(second), int(fraction.ljust(9, "0")) if fraction else 0
        if hour == self._hour[0]:
            return (self._hour[1] + seconds) * times.SECOND + nanos, None
        if hour > "23":
            raise RecordError(f"no such time of day: {hour}:{minute}:{second}")
        begin = self._day[1] + int(hour) * 3600
        first, last = times.local(begin, self._zone), times.local(begin + 3600, self._zone)
        if first[0] == first[1] == last[0] - 3600 == last[1] - 3600:  # clocks are not set in this hour
            self._hour = (hour, first[0])
        low, high = times.local(begin + seconds, self._zone)
        return low * times.SECOND + nanos, high * times.SECOND + nanos if high != low else None

    def _midnight(self, day: str) -> int:
        """Return the seconds of a day's beginning on the wall clock, in the year that is closest to the line before."""
        month = MONTHS.get(day[:3])
        if month is None:
            raise RecordError(f"no month is called {day[:3]!r}")
        if self._state is None:
            raise RecordError("the time bears no year and no year is declared: add year = ... to this source in case.toml")
        self._state = (next_year(self._state, month), month)
        return times.parse(f"{self._state[0]:04d}-{month:02d}-{int(day[4:]):02d}", "UTC")[0] // times.SECOND


def _iso(prefix: str, seconds: str, offset: str, zone: str) -> tuple[int, int | None]:
    low, high = _minute(prefix, offset, zone)
    whole, fraction = seconds[:2], seconds[3:]
    if whole > "60":
        raise RecordError(f"no such time of day: {prefix[11:]}:{whole}")
    nanos = int(whole) * times.SECOND + int(fraction.ljust(9, "0"))
    return low + nanos, high + nanos if high != low else None


@lru_cache(maxsize=4096)
def _minute(prefix: str, offset: str, zone: str) -> tuple[int, int]:
    return times.parse(f"{prefix}:00{offset}", zone)
