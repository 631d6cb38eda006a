"""Who could have acted: everybody employed, or with a live identifier, at that moment. From access, never from suspicion."""

from forensics.model import CaseConfig
from forensics.reasoning.identity import Identities


def opportunity(case: CaseConfig, known: Identities, time: tuple[int, int]) -> tuple[str, ...]:
    """Return everybody who could have acted within that interval, sorted.

    Rights of access.csv do not narrow it: whoever misuses another's credential needs no right of his own.
    """
    low, high = time
    found = {
        p.id
        for p in case.people
        if (p.employed_from is None or p.employed_from <= high) and (p.employed_to is None or p.employed_to >= low)
    }
    for person, rows in known.by_person.items():
        if person in known.people and any((r.since or 0) <= high and (r.until is None or r.until >= low) for r in rows):
            found.add(person)
    return tuple(sorted(found))


def may_write(case: CaseConfig, reference: str, time: int) -> tuple[str, ...] | None:
    """Return who held a right to change that object then; None where the case has no access.csv."""
    if not case.access:
        return None
    rows = [a for a in case.access if a.right in ("write", "admin") and a.covers(reference)]
    return tuple(sorted({a.person for a in rows if (a.since is None or a.since <= time) and (a.until is None or time <= a.until)}))
