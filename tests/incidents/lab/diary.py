"""Where people are on each day, and what doors, networks, laptops, sign-ons and meetings record about it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.incidents.lab import names
from tests.incidents.lab.clock import DAY, HOUR, MINUTE, midnight
from tests.incidents.lab.people import Gear, Person

Record = dict[str, Any]


@dataclass(slots=True, eq=False)
class Stay:
    """A stretch of work from one place, with one address."""

    person: Person
    start: int
    end: int
    where: str
    """`office` or `vpn`"""
    ip: str
    kit: Gear
    breaks: tuple[tuple[int, int], ...]
    outer: str
    """the address that the outside world sees"""
    silent: bool = False
    """its machine is not managed: no endpoint records, no lease under a known name"""

    def busy(self, when: float) -> bool:
        """Tell whether the laptop is unlocked then."""
        return self.start + 9 * MINUTE <= when <= self.end - 6 * MINUTE and not any(
            a - 2 * MINUTE <= when <= b + 2 * MINUTE for a, b in self.breaks
        )


@dataclass(slots=True)
class Diary:
    """All stays, and the records that they leave."""

    zone: str
    nets: tuple[str, str]
    egress: str
    stays: list[Stay] = field(default_factory=list)
    by_person: dict[str, list[Stay]] = field(default_factory=dict)
    fixed: dict[tuple[str, date], list[tuple[str, float, float]]] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=lambda: {k: [] for k in ("badge", "dhcp", "vpn", "edr", "okta", "meetings")})
    moments: list[tuple[int, str, Person]] = field(default_factory=list)
    """meetings to be held: (begin, name, who calls)"""

    def at(self, person: Person, when: float) -> Stay | None:
        return next((s for s in self.by_person.get(person.id, ()) if s.start <= when <= s.end), None)

    def free(self, person: Person, low: float, high: float, rng: Random) -> tuple[Stay, int] | None:
        """Return a stay and a moment between these at which the person's laptop is in use."""
        found = [s for s in self.by_person.get(person.id, ()) if s.end > low and s.start < high]
        rng.shuffle(found)
        for stay in found:
            for _ in range(12):
                begin, end = int(max(low, stay.start + 10 * MINUTE)), int(min(high, stay.end - 10 * MINUTE))
                if end > begin:
                    when = rng.randrange(begin, end)
                    if stay.busy(when):
                        return stay, when
        return None

    def process(self, stay: Stay, when: float, command: str, *, user: str = "") -> None:
        """Let the laptop's agent see a command."""
        if not stay.silent:
            self.records["edr"].append(
                {"time": when, "event": "process", "user": user or stay.person.login, "device": stay.kit.device, "detail": command}
            )


def live_day(diary: Diary, people: list[Person], day: date, rng: Random) -> None:
    """Draw one day of everybody."""
    base = midnight(day, diary.zone)
    hosts = rng.sample(range(11, 251), 3 * len(people) + 3)
    for person in people:
        spans = diary.fixed.get((person.id, day))
        for where, begin, end in _draw(person, day, rng) if spans is None else spans:
            start, stop = base + int(begin * HOUR) + rng.randrange(50), base + int(end * HOUR) + rng.randrange(50)
            if person.employed(start):
                add_stay(diary, person, where, start, stop, hosts.pop(), rng)


def _draw(person: Person, day: date, rng: Random) -> list[tuple[str, float, float]]:
    if day.weekday() > 4:
        return [("vpn", 11 + 6 * rng.random(), 18 + 3 * rng.random())] if rng.random() < 0.07 else []
    begin, roll = person.begins + 1.2 * rng.random(), rng.random()
    end = min(23.6, begin + 8.2 + 1.6 * rng.random())
    if roll < person.office:
        late = [("vpn", 21.2 + 0.5 * rng.random(), 22.3 + 1.2 * rng.random())] if end < 20.8 and rng.random() < 0.12 else []
        return [("office", begin, end), *late]
    return [("vpn", begin, end)] if roll < 0.94 else []


def add_stay(diary: Diary, person: Person, where: str, start: int, end: int, number: int, rng: Random, kit: Gear | None = None) -> Stay:
    """Add a stay with its pauses, and write its records."""
    noon = start + int((end - start) * 0.45) + rng.randrange(900)
    breaks = ((noon, noon + rng.randrange(26, 61) * MINUTE),) if end - start > 5 * HOUR else ()
    outer = diary.egress if where == "office" else f"{rng.choice(names.HOME_NETS)}.{rng.randrange(60, 240)}"
    ip = f"{diary.nets[0 if where == 'office' else 1]}.{number}"
    stay = Stay(person, start, end, where, ip, kit or person.kit(start), breaks, outer)
    diary.stays.append(stay)
    diary.by_person.setdefault(person.id, []).append(stay)
    _trace(diary, stay, rng)
    return stay


def _trace(diary: Diary, stay: Stay, rng: Random) -> None:
    records, person, kit = diary.records, stay.person, stay.kit
    if stay.where == "office":
        door = rng.choice(names.DOORS)
        records["badge"] += [{"time": stay.start - rng.randrange(120, 420), "card": person.badge, "door": door, "way": "in"},
                             {"time": stay.end + rng.randrange(60, 300), "card": person.badge, "door": rng.choice(names.DOORS), "way": "out"}]  # fmt: skip
        step = rng.choice((3, 4, 6)) * HOUR
        for when in range(stay.start + rng.randrange(20, 90), stay.end, step):
            records["dhcp"].append({"time": when, "ip": stay.ip, "mac": kit.mac, "device": kit.device})
    else:
        sid = f"{rng.randrange(16**10):010x}"
        common = {"user": person.login, "device": kit.device, "ip": stay.ip, "session": sid, "source": stay.outer}
        records["vpn"] += [
            {"time": stay.start + 0.2, "event": "connect", **common},
            {"time": stay.end + 0.4, "event": "disconnect", **common},
        ]
    screen = [
        (stay.start + 70, "logon"),
        *((t, w) for a, b in stay.breaks for t, w in ((a, "lock"), (b, "unlock"))),
        (stay.end - 40, "logoff"),
    ]
    records["edr"] += [{"time": t, "event": w, "user": person.login, "device": kit.device, "detail": "console"} for t, w in screen]
    for _ in range(rng.randrange(1, 4)):
        diary.process(stay, rng.randrange(stay.start + 600, max(stay.start + 601, stay.end - 600)), rng.choice(names.NOISE_COMMANDS))
    for n in range(rng.randrange(1, 3)):
        when = stay.start + 120 + n * 4 * HOUR + rng.randrange(300)
        if when < stay.end:
            records["okta"].append(
                {
                    "time": when,
                    "person": person,
                    "kit": kit,
                    "ip": stay.outer,
                    "app": rng.choice(("Mail", "Wiki", "Code", "Tracker")),
                    "ok": rng.random() > 0.03,
                }
            )


def hold_meetings(diary: Diary, people: list[Person], days: list[date], rng: Random) -> None:
    """Hold the lab's series; whoever is at work mostly comes."""
    series = [
        (rng.choice(names.MEETINGS), rng.randrange(5), rng.randrange(10, 17), rng.sample(people, min(len(people), rng.randrange(4, 9))))
        for _ in range(4)
    ]
    for day in days:
        for name, weekday, hour, who in series:
            if day.weekday() == weekday:
                begin = midnight(day, diary.zone) + hour * HOUR
                for person in who:
                    stay = diary.at(person, begin)
                    if stay and stay.busy(begin) and rng.random() < 0.8:
                        attend(diary, stay, name, begin + rng.randrange(-80, 260))


def attend(diary: Diary, stay: Stay, name: str, when: float) -> None:
    how = "in person" if stay.where == "office" else "call"
    diary.records["meetings"].append({"time": when, "name": name, "who": stay.person.emails[0], "how": how})


def window_days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def day_of(when: float, diary: Diary, days: list[date]) -> date:
    return next(d for d in reversed(days) if midnight(d, diary.zone) <= when)


__all__ = ["DAY", "Diary", "Record", "Stay", "add_stay", "attend", "day_of", "hold_meetings", "live_day", "window_days"]
