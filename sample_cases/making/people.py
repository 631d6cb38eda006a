"""Who works in a lab, with which accounts, keys, badges and devices."""

import base64
import hashlib
from dataclasses import dataclass

from making.times import moment, offset_time


@dataclass(frozen=True, slots=True)
class Person:
    """One member of a lab."""

    id: str
    name: str
    login: str
    """The name of their unix, forge, storage and mail accounts."""
    role: str
    team: str
    since: str
    until: str = ""
    """Last moment of employment, local time; empty: still there."""
    writes_as: str = ""
    """A private address that they commit with; empty: the lab's own."""

    def employed(self, when: float) -> bool:
        """Tell whether they worked here at that moment."""
        return moment(self.since) <= when and (not self.until or when < moment(self.until))


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab's people and its names for things."""

    domain: str
    people: tuple[Person, ...]
    first_uid: int
    laptop: str
    """What the names of its laptops begin with."""

    def person(self, id_: str) -> Person:
        """Return the person with this id."""
        return next(p for p in self.people if p.id == id_)

    def number(self, person: Person) -> int:
        """Return a person's place in the list."""
        return self.people.index(person)

    def uid(self, person: Person) -> int:
        """Return their number on hosts."""
        return self.first_uid + 7 * self.number(person)

    def mail(self, person: Person) -> str:
        """Return their address in the lab."""
        return f"{person.login}@{self.domain}"

    def device(self, person: Person) -> str:
        """Return the name of their laptop."""
        return f"{self.laptop}{_digest(self, person, 'laptop')[0] % 90 + 10}{self.number(person):02d}"

    def mac(self, person: Person) -> str:
        """Return their laptop's hardware address, locally administered."""
        return ":".join(f"{b:02x}" for b in b"\x06" + _digest(self, person, "mac")[:5])

    def badge(self, person: Person) -> str:
        """Return the number of their badge."""
        return str(40000 + int.from_bytes(_digest(self, person, "badge")[:2], "big") // 2)

    def key(self, person: Person) -> str:
        """Return the fingerprint of their ssh key."""
        return fingerprint(f"{self.domain}/{person.login}")

    def signature(self, person: Person) -> str:
        """Return name and address as their commits bear them."""
        return f"{person.name} <{person.writes_as or self.mail(person)}>"

    def forge_id(self, person: Person) -> int:
        """Return the number of their forge account."""
        return 11 + 3 * self.number(person)

    def key_id(self, person: Person) -> int:
        """Return the number under which the forge keeps their key."""
        return 201 + 4 * self.number(person)


def fingerprint(of: str) -> str:
    """Return an ssh key's fingerprint."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(of.encode()).digest()).decode().rstrip("=")


def _digest(lab: Lab, person: Person, what: str) -> bytes:
    """Return bytes that belong to this person and thing."""
    return hashlib.sha256(f"{lab.domain}/{person.login}/{what}".encode()).digest()


def people_rows(lab: Lab) -> list[list[str]]:
    """Return the rows of people.csv."""
    return [[p.id, p.name, p.role, stamp(p.since), stamp(p.until)] for p in lab.people]


def personal_rows(lab: Lab, ends: dict[str, dict[str, str]]) -> list[list[str]]:
    """Return the rows of identifiers.csv for personal identifiers; `ends`: person to kind to the time it was disabled."""
    rows = []
    for p in lab.people:
        named = {
            "gitlab": (f"gitlab:{p.login}", "forge export"),
            "unix": (f"unix:{p.login}", "directory"),
            "number": (f"unix:#{lab.uid(p)}", "directory"),
            "aws": (f"aws:{p.login}", "cloud accounts"),
            "email": (f"email:{lab.mail(p)}", "directory"),
            "badge": (f"badge:{lab.badge(p)}", "facilities"),
            "key": (f"ssh-key:{lab.key(p)}", "directory"),
            "device": (f"device:{lab.device(p)}", "asset list"),
            "mac": (f"mac:{lab.mac(p)}", "asset list"),
        }
        if p.writes_as:
            named["private"] = (f"email:{p.writes_as}", "commit mail map")
        over = ends.get(p.id, {})
        rows += [[name, p.id, "personal", stamp(p.since), stamp(over.get(kind, p.until)), source] for kind, (name, source) in named.items()]
    return rows


def common_rows(lab: Lab, identifier: str, kind: str, people: list[str], source: str) -> list[list[str]]:
    """Return the rows of an identifier that several people may use."""
    return [[identifier, id_, kind, stamp(lab.person(id_).since), stamp(lab.person(id_).until), source] for id_ in people]


def stamp(text: str) -> str:
    """Write a local time with its offset; nothing stays nothing."""
    return offset_time(moment(text)) if text else ""
