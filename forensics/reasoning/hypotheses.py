"""Who, by which mechanism: one hypothesis for each person who could have done it, by each way that applies."""

from forensics.indicator import Hypothesis
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
    behind = set()
    for origin in dossier.origins:
        for person in world.known.last_holders(origin.account, origin.time):
            behind.add(person)
            found.add(
                Hypothesis(
                    person,
                    _MANNER[origin.manner] if dossier.account_kind != "shared" or origin.manner != "direct" else Mechanism.SHARED_IDENTITY,
                )
            )
    if dossier.account_kind in ("shared", "service"):
        found |= {Hypothesis(p, Mechanism.SHARED_IDENTITY) for p in world.known.holders(act.account, act.time[0]) if p not in behind}
    found |= {Hypothesis(p, Mechanism.CREDENTIAL_MISUSE) for p in who if p not in behind}
    if len(behind) > 1:
        found |= {Hypothesis(p, Mechanism.CREDENTIAL_MISUSE) for p in behind}
    for row in dossier.loaded:
        found |= {Hypothesis(p, Mechanism.DEPUTY) for p in world.known.holders(row["actor"], row["time"])}
    found |= {Hypothesis(p, Mechanism.FORGED_RECORD) for p in world.controlled(act.sources) if p not in behind}
    return tuple(sorted(found))


def behind(dossier: Dossier, world: World) -> tuple[str, ...]:
    """Return the people whose personal accounts stand behind the act, as the records go."""
    return tuple(sorted({p for o in dossier.origins for p in world.known.last_holders(o.account, o.time)}))
