"""Moments, as seconds since 1970 UTC, and the ways in which logs print them. Both labs keep UTC+8, without summer time."""

from datetime import date, datetime, timedelta, timezone
from random import Random

ZONE = timezone(timedelta(hours=8))
MINUTE, HOUR, DAY = 60, 3600, 86400


def moment(text: str) -> int:
    """Read a local time such as 2024-06-12 09:30 or 2024-06-12 09:30:15."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def midnight(day: date) -> int:
    """Return the moment at which a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def local(when: float) -> datetime:
    """Return the local date and time of a moment."""
    return datetime.fromtimestamp(int(when), ZONE)


def days(first: date, last: date) -> list[date]:
    """List the days from first to last, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def offset_time(when: float) -> str:
    """2024-06-03T09:12:44+08:00"""
    return local(when).isoformat()


def plain_time(when: float) -> str:
    """2024-06-03T09:12:44, as sacct prints it."""
    return local(when).strftime("%Y-%m-%dT%H:%M:%S")


def utc_time(when: float) -> str:
    """2024-06-03T01:12:44Z"""
    return datetime.fromtimestamp(int(when), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_milli(when: float) -> str:
    """2024-06-03T01:12:44.318Z; the milliseconds are made from the moment itself."""
    return utc_time(when)[:-1] + f".{fraction(when) // 1000:03d}Z"


def micro_time(when: float) -> str:
    """2024-06-03T09:12:44.123456+08:00, as rsyslog writes it."""
    return plain_time(when) + f".{fraction(when):06d}+08:00"


def bsd_time(when: float) -> str:
    """Jun  3 09:12:44, as RFC 3164 has it: no year, no zone."""
    here = local(when)
    return f"{here.strftime('%b')} {here.day:2d} {here.strftime('%H:%M:%S')}"


def fraction(when: float) -> int:
    """Return the microseconds of a moment; a whole moment gets some that look measured and keep its order."""
    own = round((when - int(when)) * 1_000_000)
    return own + int(when) * 7919 % 997 if own else 100_000 + int(when) * 7919 % 87_013


def stream(*names: object) -> Random:
    """Return the random stream of this name: the same one on every machine."""
    return Random("/".join(str(name) for name in names))
