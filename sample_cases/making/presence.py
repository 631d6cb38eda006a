"""Who was where on which day, and what doors, addresses, laptops and meetings recorded about it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from making.people import Lab, Person
from making.times import HOUR, MINUTE, days, local, midnight, offset_time, stream, utc_milli


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch of time at work, in the office or over the VPN, with one address."""

    person: str
    start: int
    end: int
    where: str
    """`office` or `vpn`."""
    ip: str
    breaks: tuple[tuple[int, int], ...] = ()
    """While the laptop was locked."""

    def active(self) -> list[tuple[int, int]]:
        """List the stretches in which the laptop was in use, with a margin at either end."""
        edges = [self.start + 8 * MINUTE, *(t for pause in self.breaks for t in pause), self.end - 4 * MINUTE]
        pairs = [(edges[i] + 30, edges[i + 1] - 30) for i in range(0, len(edges), 2)]
        return [(a, b) for a, b in pairs if b - a > 4 * MINUTE]


@dataclass(slots=True)
class Diary:
    """All stays of all people, and the records that they left."""

    lab: Lab
    case: str
    stays: list[Stay] = field(default_factory=list)
    badge: list[list[Any]] = field(default_factory=list)
    dhcp: list[list[Any]] = field(default_factory=list)
    vpn: list[dict[str, Any]] = field(default_factory=list)
    edr: list[dict[str, Any]] = field(default_factory=list)
    meetings: list[list[Any]] = field(default_factory=list)

    def on(self, person: str, day: date) -> list[Stay]:
        """Return a person's stays of one day."""
        return [s for s in self.stays if s.person == person and local(s.start).date() == day]

    def at(self, person: str, when: float) -> Stay | None:
        """Return the stay that covers a moment."""
        return next((s for s in self.stays if s.person == person and s.start <= when <= s.end), None)

    def process(self, person: str, when: float, command: str) -> None:
        """Record a command that somebody started on their own laptop."""
        self.edr.append(device_event(self.lab, self.lab.person(person), when, "process", command))


Plan = dict[tuple[str, date], list[tuple[str, str, str]]]
"""Stays that the story fixes: person and day to (where, from, to) in hours and minutes."""


def keep_diary(lab: Lab, case: str, first: date, last: date, holidays: list[date], plan: Plan) -> Diary:
    """Live through the days: draw the stays, then write what they left behind."""
    diary = Diary(lab, case)
    for day in days(first, last):
        free = day.weekday() > 4 or day in holidays
        pool = stream(case, "addresses", day).sample(range(20, 250), 2 * len(lab.people) + 2)
        for person in lab.people:
            fixed = plan.get((person.id, day))
            drawn = _draw(stream(case, "stay", person.id, day), free) if fixed is None else fixed
            for where, start, end in drawn:
                stay = _stay(diary, person, day, where, start, end, pool.pop())
                if person.employed(stay.start):
                    diary.stays.append(stay)
                    _leave_traces(diary, person, stay)
    return diary


def _draw(rng: Any, free: bool) -> list[tuple[str, str, str]]:
    """Draw where somebody works on an ordinary day, if at all."""
    roll = rng.random()
    if free:
        return [("vpn", _clock(rng, 14, 90), _clock(rng, 16, 100))] if roll < 0.06 else []
    if roll < 0.80:
        day = [("office", _clock(rng, 8.8, 80), _clock(rng, 18, 150))]
        return day + ([("vpn", _clock(rng, 21, 30), _clock(rng, 22, 45))] if rng.random() < 0.10 else [])
    return [("vpn", _clock(rng, 9.2, 50), _clock(rng, 17.5, 90))] if roll < 0.93 else []


def _clock(rng: Any, hour: float, spread: int) -> str:
    """Draw an hour and minute at or up to so many minutes after an hour."""
    minutes = int(hour * 60) + rng.randrange(spread)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _stay(diary: Diary, person: Person, day: date, where: str, start: str, end: str, number: int) -> Stay:
    """Give a stay its address and its pauses."""
    rng = stream(diary.case, "pauses", person.id, day, start)
    base = midnight(day)
    begin, finish = (base + int(t[:2]) * HOUR + int(t[3:]) * MINUTE + rng.randrange(60) for t in (start, end))
    noon = base + 12 * HOUR + rng.randrange(5, 40) * MINUTE
    after = noon + rng.randrange(35, 65) * MINUTE
    breaks = ((noon, after),) if begin < noon - HOUR and after + HOUR < finish else ()
    if where == "office" and finish > base + 21 * HOUR:
        supper = base + 20 * HOUR + rng.randrange(5, 15) * MINUTE
        breaks = (*breaks, (supper, supper + rng.randrange(32, 44) * MINUTE))
    network = "10.20.16" if where == "office" else "10.45.0"
    return Stay(person.id, begin, finish, where, f"{network}.{number}", breaks)


def _leave_traces(diary: Diary, person: Person, stay: Stay) -> None:
    """Write what doors, networks and the laptop recorded of a stay."""
    rng = stream(diary.case, "traces", person.id, stay.start)
    if stay.where == "office":
        _doors(diary, person, stay, rng)
        _lease(diary, person, stay)
    else:
        _tunnel(diary, person, stay, rng)
    for name, when in _laptop_events(stay):
        diary.edr.append(device_event(diary.lab, person, when, name, "screen"))


def _doors(diary: Diary, person: Person, stay: Stay, rng: Any) -> None:
    """Write badge reads: in, out and in again for some lunches and for every supper, out."""
    card = diary.lab.badge(person)
    reads = [(stay.start - 4 * MINUTE, "in"), (stay.end + 3 * MINUTE, "out")]
    lunch_out = rng.random() < 0.4
    for begin, end in stay.breaks[0 if lunch_out else 1 :]:
        reads += [(begin + 3 * MINUTE, "out"), (end - 4 * MINUTE, "in")]
    for when, way in reads:
        diary.badge.append([when + rng.randrange(40), card, rng.choice(["lobby", "lobby", "east stairs", "parking"]), way])


def _lease(diary: Diary, person: Person, stay: Stay) -> None:
    """Write the lease of an office address, and its renewals every four hours."""
    for when in range(stay.start + 2 * MINUTE, stay.end, 4 * HOUR):
        diary.dhcp.append([when, "DHCPACK", stay.ip, diary.lab.mac(person), diary.lab.device(person), 8 * HOUR])


def _tunnel(diary: Diary, person: Person, stay: Stay, rng: Any) -> None:
    """Write the VPN session of a stay."""
    session = f"{rng.randrange(16**8):08x}"
    source = f"{rng.choice(['198.51.100', '203.0.113', '192.0.2'])}.{rng.randrange(2, 250)}"
    common = {"user": person.login, "laptop": diary.lab.device(person), "client": source, "given": stay.ip, "tunnel": session}
    for when, event in ((stay.start + MINUTE, "connect"), (stay.end, "disconnect")):
        diary.vpn.append({"at": when, "event": event, **common})


def _laptop_events(stay: Stay) -> list[tuple[str, int]]:
    """List logon, locks and logoff of the laptop during a stay."""
    pauses = [(name, t) for begin, end in stay.breaks for name, t in (("lock", begin), ("unlock", end))]
    return [("logon", stay.start + 6 * MINUTE if stay.where == "office" else stay.start + 20), *pauses, ("logoff", stay.end - MINUTE)]


def device_event(lab: Lab, person: Person, when: float, event: str, what: str) -> dict[str, Any]:
    """Return what the laptop's agent reports; its time is still a number."""
    return {"at": when, "laptop": lab.device(person), "user": person.login, "event": event, "detail": what}


def hold_meetings(diary: Diary, first: date, last: date, series: list[tuple[str, int, str, list[str]]]) -> None:
    """Hold weekly meetings: (name, weekday, hour and minute, people); whoever is at work mostly comes."""
    for day in days(first, last):
        for name, weekday, clock, people in series:
            if day.weekday() == weekday:
                _attend(diary, name, midnight(day) + int(clock[:2]) * HOUR + int(clock[3:]) * MINUTE, people)


def _attend(diary: Diary, name: str, begin: int, people: list[str]) -> None:
    """Write who came to one meeting, and when."""
    for id_ in people:
        rng = stream(diary.case, "meeting", name, begin, id_)
        joined = begin + rng.randrange(-90, 240)
        stay = diary.at(id_, joined)
        if stay and diary.at(id_, begin + HOUR) is stay and rng.random() < 0.85:
            how = "room" if stay.where == "office" else "remote"
            diary.meetings.append([joined, offset_time(begin + 50 * MINUTE), name, diary.lab.mail(diary.lab.person(id_)), how])


def by_time(rows: list[Any], write: Any = offset_time) -> list[Any]:
    """Sort rows by their first field, a moment, and write that out."""
    return [[write(row[0]), *row[1:]] for row in sorted(rows, key=lambda r: (r[0], str(r)))]


def records_by_time(records: list[dict[str, Any]], write: Any = utc_milli) -> list[dict[str, Any]]:
    """Sort records by their moment `at`, and write that out."""
    return [{**r, "at": write(r["at"])} for r in sorted(records, key=lambda r: (r["at"], str(r)))]
