"""The one wrapper around time: int nanoseconds since 1970 UTC in, and out."""

import re
from calendar import timegm
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.errors import RecordError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?$",
    re.ASCII,
)
_UTC_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_WHOLE, _MICRO = len("2024-06-01T00:00:00Z"), len("2024-06-01T00:00:00.000000Z")
_FIRST, _LAST = -9_223_000_000, 9_223_000_000


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name; RecordError where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RecordError(f"no time zone is called {name!r}", hint="use an IANA name such as Asia/Shanghai") from error


@lru_cache(maxsize=4096)
def _day(year: int, month: int, day: int) -> int:
    """Return seconds since 1970 of a day's beginning; ValueError for a day that is not in the calendar."""
    return timegm(date(year, month, day).timetuple())


def _offset(text: str) -> int:
    """Return the seconds east of UTC of `Z`, `+08:00`, `+0800` or `+08`."""
    if text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise RecordError(f"no such offset: {text!r}")
    seconds = hours * 3600 + minutes * 60
    return -seconds if text[0] == "-" else seconds


def parse(text: str, timezone: str = "") -> tuple[int, int]:
    """Read an ISO 8601 time as (earliest, latest) nanoseconds UTC, keeping up to nine digits.

    The two differ only where a local time without an offset falls into the hour that clocks repeat.
    RecordError where it is no time, or bears no offset and no `timezone` is given.
    """
    found = _ISO.match(text)
    if not found:
        raise RecordError(f"not an ISO 8601 time: {text[:40]!r}")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        seconds = _day(int(year), int(month), int(day)) + _clock(hour, minute, second)
    except ValueError as error:
        raise RecordError(f"no such time: {text[:40]!r}") from error
    nanos = int(fraction.ljust(9, "0")) if fraction else 0
    if not _FIRST < seconds < _LAST:
        raise RecordError(f"a time beyond what 64 bits of nanoseconds hold: {text[:40]!r}")
    if offset:
        exact = (seconds - _offset(offset)) * SECOND + nanos
        return exact, exact
    low, high = local(seconds, timezone)
    return low * SECOND + nanos, high * SECOND + nanos


def instant(text: str, timezone: str = "") -> tuple[int, int | None]:
    """Read an ISO 8601 time as (nanoseconds UTC, latest possible where it is ambiguous).

    Fast where it is `2024-06-01T00:00:00Z`, with microseconds or without, as logs of servers are.
    """
    if len(text) in {_WHOLE, _MICRO} and text[-1] == "Z" and text[10] == "T" and text[11:13] < "24" and text[16] == ":" and text.isascii():
        second, fraction = text[17:19], text[19:-1]
        if second.isdecimal() and second < "60" and (not fraction or (fraction[0] == "." and fraction[1:].isdecimal())):
            return _minute(text[:16]) + int(second) * SECOND + (int(fraction[1:]) * 1000 if fraction else 0), None
    low, high = parse(text, timezone)
    return low, high if high != low else None


@lru_cache(maxsize=4096)
def _minute(text: str) -> int:
    if not _UTC_MINUTE.fullmatch(text):
        raise RecordError(f"not an ISO 8601 time: {text!r}")
    return parse(text + ":00Z")[0]


def _clock(hour: str | None, minute: str | None, second: str | None) -> int:
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    if h > 24 or m > 59 or s > 60 or (h == 24 and (m or s)):
        raise ValueError("no such time of day")
    return h * 3600 + m * 60 + s


_NUMBER = re.compile(r"(-?)(\d{1,19})(?:\.(\d{1,9})\d*)?", re.ASCII)
_UNITS = ((10**11, SECOND), (10**14, 1_000_000), (10**17, 1000))


def epoch(text: str) -> int | None:
    """Read seconds, milli-, micro- or nanoseconds since 1970, told apart by their size, as nanoseconds; None where it is no number.

    Seconds reach to the year 5138, milliseconds begin in 1973. RecordError beyond what 64 bits of nanoseconds hold.
    """
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    sign, whole, fraction = found.groups()
    number = int(whole)
    unit = next((u for limit, u in _UNITS if number < limit), 1)
    nanos = number * unit + int((fraction or "").ljust(9, "0")) * unit // SECOND
    if nanos >= _LAST * SECOND:
        raise RecordError(f"a time beyond what 64 bits of nanoseconds hold: {text[:40]!r}")
    return -nanos if sign else nanos


_STEP = 900
"""clocks are set at quarters of an hour, at the finest: all readings within one have the same offset"""


def local(wall_seconds: int, timezone: str) -> tuple[int, int]:
    """Return (earliest, latest) seconds since 1970 UTC of a wall clock reading in a time zone.

    `wall_seconds` counts as if the wall clock were UTC. In the hour that clocks repeat the two are an
    hour apart; in the hour that they leave out, they are the two readings that zoneinfo gives.
    """
    if wall_seconds < 0:
        return _local(wall_seconds, timezone)  # offsets of the nineteenth century have seconds
    rest = wall_seconds % _STEP
    low, high = _local(wall_seconds - rest, timezone)
    return low + rest, high + rest


@lru_cache(maxsize=65536)
def _local(wall_seconds: int, timezone: str) -> tuple[int, int]:
    if not timezone:
        raise RecordError("the time bears no offset and no time zone is declared", hint='add timezone = "..." to this source in case.toml')
    where = zone(timezone)
    wall = datetime(1970, 1, 1) + timedelta(seconds=wall_seconds)  # noqa: DTZ001 - a wall clock reading has no zone yet
    both = [int((wall.replace(tzinfo=where, fold=fold) - _EPOCH).total_seconds()) for fold in (0, 1)]
    return min(both), max(both)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def show(nanoseconds: int) -> str:
    """Write a time as the contract wants it: UTC, ending in Z, a fraction only where it is not zero."""
    seconds, nanos = divmod(nanoseconds, SECOND)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


def show_in(nanoseconds: int, timezone: str) -> str:
    """Write a time to the second in a time zone, with its offset, for people to read."""
    moment = (_EPOCH + timedelta(seconds=nanoseconds // SECOND)).astimezone(zone(timezone))
    return moment.isoformat(sep=" ", timespec="seconds")


def of(moment: datetime) -> int:
    """Return the nanoseconds of a datetime that knows its zone (TOML times)."""
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * SECOND + delta.microseconds * 1000
