"""Moments as seconds since 1970 UTC, the ways logs print them in a lab's own zone, and clocks that are wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@lru_cache(maxsize=32)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=200_000)
def _offset_of_quarter(quarter: int, name: str) -> int:
    """Return the zone's offset in a quarter of an hour; zones change at quarters."""
    return int(datetime.fromtimestamp(quarter * 900, zone(name)).utcoffset().total_seconds())  # type: ignore[union-attr]


def offset(when: float, name: str) -> int:
    return _offset_of_quarter(int(when) // 900, name)


def midnight(day: date, name: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(name)).timestamp())


def local(when: float, name: str) -> datetime:
    """Return local wall time without a zone."""
    return _EPOCH + timedelta(seconds=int(when) + offset(when, name))


def micros(when: float) -> int:
    """Return microseconds that look measured and keep the order within a second."""
    own = round((when - int(when)) * 1_000_000)
    return own or 100_000 + int(when) * 7919 % 87_013


def sign(when: float, name: str, colon: str = ":") -> str:
    minutes = offset(when, name) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


def utc(when: float) -> str:
    return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_milli(when: float) -> str:
    return utc(when)[:-1] + f".{micros(when) // 1000:03d}Z"


def utc_micro(when: float) -> str:
    return utc(when)[:-1] + f".{micros(when):06d}Z"


def iso(when: float, name: str) -> str:
    return local(when, name).isoformat() + sign(when, name)


def plain(when: float, name: str) -> str:
    return local(when, name).isoformat()


def micro(when: float, name: str) -> str:
    return f"{plain(when, name)}.{micros(when):06d}{sign(when, name)}"


def bsd(when: float, name: str) -> str:
    here = local(when, name)
    return f"{here.strftime('%b')} {here.day:2d} {here.strftime('%H:%M:%S')}"


def spaced_milli(when: float, name: str) -> str:
    """2024-06-03 09:12:44,318 as log4j prints it."""
    return f"{local(when, name).isoformat(sep=' ')},{micros(when) // 1000:03d}"


@dataclass(frozen=True, slots=True)
class WrongClock:
    """How far a system's clock runs ahead, by moment."""

    offset: float = 0.0
    step_at: float = 0.0
    """from then on `offset` holds; before it the clock is right; 0: always"""
    drift: float = 0.0
    """seconds gained per day since `since`"""
    since: float = 0.0

    def __call__(self, when: float) -> float:
        ahead = self.offset if when >= self.step_at else 0.0
        return when + ahead + self.drift * max(0.0, when - self.since) / DAY


RIGHT: Callable[[float], float] = WrongClock()
