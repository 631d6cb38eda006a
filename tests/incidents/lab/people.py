"""Who works in the lab, with which accounts, addresses, keys and devices, and how that changes."""

import base64
import hashlib
from dataclasses import dataclass, field
from random import Random

from tests.incidents.lab import names
from tests.incidents.lab.clock import DAY


@dataclass(frozen=True, slots=True)
class Gear:
    """A laptop with its network card and the key that lies on it."""

    since: int
    device: str
    mac: str
    key: str
    key_number: int
    token: str


@dataclass(slots=True)
class Person:
    """One member of the lab."""

    id: str
    name: str
    login: str
    role: str
    team: str
    uid: int
    since: int
    until: int | None
    emails: list[str]
    badge: str
    gear: list[Gear]
    begins: float
    """hour at which the day mostly begins"""
    office: float
    """share of days in the office"""
    https: bool
    """pushes with a token rather than a key"""
    forge: str = ""
    """name on the forge, where it differs"""
    disabled: int | None = None
    """when the accounts were disabled; may be later than the last day"""
    number: int = 0
    old_names: list[str] = field(default_factory=list)

    @property
    def handle(self) -> str:
        return self.forge or self.login

    def kit(self, when: float) -> Gear:
        return [g for g in self.gear if g.since <= when][-1] if self.gear[0].since <= when else self.gear[0]

    def employed(self, when: float) -> bool:
        return self.since <= when and (self.until is None or when < self.until)


def digest(*words: object) -> bytes:
    return hashlib.sha256("/".join(str(w) for w in words).encode()).digest()


def fingerprint(*words: object) -> str:
    return "SHA256:" + base64.b64encode(digest(*words)).decode().rstrip("=")


def token_hash(*words: object) -> str:
    return base64.b64encode(digest("token", *words)).decode()


def mac(*words: object) -> str:
    return ":".join(f"{b:02x}" for b in b"\x0a" + digest("mac", *words)[:5])


def gear(domain: str, login: str, nth: int, since: int, prefix: str, number: int) -> Gear:
    tag = digest(domain, login, nth)
    name = f"{prefix}-{int.from_bytes(tag[:3], 'big') % 9000 + 1000}-{number}{'abc'[nth]}"
    return Gear(
        since, name, mac(domain, login, nth), fingerprint(domain, login, nth), 300 + 7 * number + 2 * nth, token_hash(domain, login, nth)
    )


def login_for(style: int, given: str, family: str, taken: set[str]) -> str:
    forms = (given[0] + family, given + "." + family, family + given[0], given + family[0], family[:5] + given[:2])
    base = forms[style].lower()
    login, n = base, 2
    while login in taken:
        login, n = f"{base}{n}", n + 1
    taken.add(login)
    return login


def draw_people(rng: Random, domain: str, count: int, first: int, last: int) -> list[Person]:
    """Draw the lab's people: shifts, laptops replaced within the window, private addresses, a leaver and a newcomer."""
    style, prefix, base = rng.randrange(5), rng.choice(names.LAPTOPS), rng.randrange(1200, 60000)
    teams = rng.sample(names.TEAMS, 3)
    own_forge_names = rng.random() < 0.35
    people: list[Person] = []
    taken: set[str] = set()
    ids = rng.sample(range(1, 400), count)
    pairs = rng.sample([(g, f) for g in names.GIVEN for f in names.FAMILY], count)
    for n, (given, family) in enumerate(pairs):
        login = login_for(style, given, family, taken)
        since = first - rng.randrange(60, 2200) * DAY
        role = "infrastructure" if n in (0, 1) else rng.choice(names.ROLES[:5])
        person = Person(
            f"p-{ids[n]:03d}", f"{given} {family}" if rng.random() < 0.7 else f"{family} {given}", login, role, teams[n % 3], base + 11 * n,
            since, None, [f"{login}@{domain}"], str(rng.randrange(10**5, 10**6)), [gear(domain, login, 0, since, prefix, n)],
            rng.choice((7.5, 8.5, 9.0, 9.5, 10.0, 11.0)), rng.choice((0.4, 0.7, 0.85)), rng.random() < 0.4, number=n,
        )  # fmt: skip
        if rng.random() < 0.25:
            person.emails.append(f"{given.lower()}{ids[n]}@mail.example")
        if rng.random() < 0.1:
            person.begins = 14.5
        if rng.random() < 0.12:
            person.gear.append(gear(domain, login, 1, first + rng.randrange(2, 8) * DAY + 31_000, prefix, n))
        if own_forge_names:
            person.forge = f"{given.lower()}-{family[:3].lower()}{rng.randrange(10, 99)}"
        people.append(person)
    if count > 14:
        people[-1].until = people[-1].disabled = first + rng.randrange(3, 7) * DAY + 61_200
        people[-2].since = first + rng.randrange(3, 8) * DAY + 32_400
        people[-2].gear[0] = gear(domain, people[-2].login, 0, people[-2].since, prefix, count - 2)
    return sorted(people, key=lambda p: p.id)
