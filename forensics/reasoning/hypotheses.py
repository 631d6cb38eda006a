"""Who, by which mechanism: one hypothesis for each person who could have done it, by each way that applies."""

from collections.abc import Iterable

from forensics.indicator import Hypothesis, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

_MANNER = {"direct": Mechanism.OWN_ACCOUNT, "shared": Mechanism.SHARED_IDENTITY, "automation": Mechanism.AUTOMATION}

NOT_EVALUATED = (
    "an outsider without any identifier of this organisation",
    "malware or a remote user on the device that the records point to",
    "two people acting together",
)


def hypotheses(world: World, dossier: Dossier, who: tuple[str, ...]) -> tuple[Hypothesis, ...]:
    """Return every hypothesis about the act, sorted. None where no act is recorded."""
    act = dossier.act
    if act is None:
        return ()
    found: set[Hypothesis] = set()
    holders = set(behind(dossier))
    for origin in dossier.origins:
        for person in origin.people:
            shared = dossier.account_kind == "shared" and origin.manner == "direct"
            found.add(Hypothesis(person, Mechanism.SHARED_IDENTITY if shared else _MANNER[origin.manner]))
    if dossier.account_kind in ("shared", "service"):
        found |= {Hypothesis(p, Mechanism.SHARED_IDENTITY) for p in world.known.holders(act.account, act.time[0]) if p not in holders}
    found |= {Hypothesis(p, Mechanism.CREDENTIAL_MISUSE) for p in who if p not in holders or len(holders) > 1}
    for row in (*dossier.loaded, *dossier.given):
        found |= {Hypothesis(p, Mechanism.DEPUTY) for p in world.known.last_holders(row["actor"], row["time"]) if p not in holders}
    return tuple(sorted(found | forgers(world, act.sources, holders)))


def forgers(world: World, sources: Iterable[str], holders: set[str]) -> set[Hypothesis]:
    """Return the hypotheses that a controller of one of these sources made its records up."""
    return {Hypothesis(p, Mechanism.FORGED_RECORD) for p in world.controlled(tuple(sources)) if p not in holders}


def with_forgers(world: World, dossier: Dossier, known: tuple[Hypothesis, ...], items: list[Item]) -> tuple[Hypothesis, ...]:
    """Add the controllers of every source that the evidence rests on."""
    sources = {s for i in items for s in i.sources}
    holders = set(behind(dossier))
    keepers = {Hypothesis(p, Mechanism.FORGED_RECORD) for i in items for p in i.keepers if p not in holders}
    return tuple(sorted({*known, *forgers(world, sorted(sources), holders), *keepers}))


def behind(dossier: Dossier) -> tuple[str, ...]:
    """Return the people whose personal accounts stand behind the act, as the records go."""
    return tuple(sorted({p for o in dossier.origins for p in o.people}))


def at_the_keys(world: World, dossier: Dossier, h: Hypothesis) -> frozenset[str] | None:
    """Return whose hands the session's records would show if the hypothesis were so; None where they could show anybody's.

    Planted code runs in the session of whoever loaded it. Who forges the act's own record picks whose address he writes;
    but where the act stands in a log behind a real login, the login's other records are those of the account's holder.
    A controller of other records only would have acted himself.
    """
    act = dossier.act
    if h.mechanism is Mechanism.DEPUTY:
        return frozenset(behind(dossier))
    if h.mechanism is Mechanism.FORGED_RECORD and act is not None and h.person in world.controlled(act.sources):
        return frozenset(behind(dossier)) if any(o.login_time is not None for o in dossier.origins) else None
    return frozenset({h.person})


def expectations(
    world: World, dossier: Dossier, known: Iterable[Hypothesis], people: Iterable[str], yes: str, no: str
) -> dict[Hypothesis, str]:
    """Say how well each hypothesis explains a record that shows these people's hands: `yes` where they would be its hands, else `no`."""
    shown = frozenset(people)
    hands = {h: at_the_keys(world, dossier, h) for h in known}
    return {h: yes if keys & shown else no for h, keys in hands.items() if keys is not None}
