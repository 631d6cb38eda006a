"""Whose an identifier was, and when. Rules decide, and every holding has a row of identifiers.csv behind it."""

from collections import defaultdict
from dataclasses import dataclass, field

from forensics.model import CaseConfig, Identifier, Person


@dataclass(frozen=True, slots=True)
class Identities:
    """The registers of a case, by identifier and by person."""

    people: dict[str, Person]
    by_identifier: dict[str, tuple[Identifier, ...]] = field(repr=False)
    by_person: dict[str, tuple[Identifier, ...]] = field(repr=False)

    def holders(self, identifier: str | None, time: int) -> tuple[str, ...]:
        """Return the people whose it was at that moment, sorted."""
        rows = self.by_identifier.get(identifier or "", ())
        return tuple(sorted({r.person for r in rows if r.live(time)}))

    def last_holders(self, identifier: str | None, time: int) -> tuple[str, ...]:
        """Return the holders at that moment, or where nobody held it any more, those who held it last before."""
        now = self.holders(identifier, time)
        if now:
            return now
        past = [r for r in self.by_identifier.get(identifier or "", ()) if r.until is not None and r.until < time]
        latest = max((r.until or 0 for r in past), default=None)
        return tuple(sorted({r.person for r in past if r.until == latest}))

    def kind(self, identifier: str | None, time: int) -> str:
        """Return personal, shared, service, or nothing where the registers do not know it at that moment."""
        rows = [r for r in self.by_identifier.get(identifier or "", ()) if r.live(time)] or list(
            self.by_identifier.get(identifier or "", ())
        )
        kinds = {r.kind for r in rows}
        if len({r.person for r in rows}) > 1 and kinds == {"personal"} and len(self.holders(identifier, time)) > 1:
            return "shared"
        return min(kinds) if kinds else ""

    def of(self, person: str, namespace: str) -> tuple[str, ...]:
        """Return a person's identifiers of one namespace (`unix`, `email`)."""
        return tuple(sorted({i.identifier for i in self.by_person.get(person, ()) if i.identifier.startswith(namespace + ":")}))


def identities(case: CaseConfig) -> Identities:
    """Index the registers of a case."""
    by_identifier: dict[str, list[Identifier]] = defaultdict(list)
    by_person: dict[str, list[Identifier]] = defaultdict(list)
    for row in case.identifiers:
        by_identifier[row.identifier].append(row)
        by_person[row.person].append(row)
    return Identities(
        {p.id: p for p in case.people}, {k: tuple(v) for k, v in by_identifier.items()}, {k: tuple(v) for k, v in by_person.items()}
    )
