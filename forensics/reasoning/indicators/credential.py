"""Whose key or token was used."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import at_the_keys
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    holders = set(origin.people)
    for key, event, source in origin.keys[:3]:
        owners = set(world.known.last_holders(key, origin.time))
        if not owners or world.known.kind(key, origin.time) != "personal":
            continue
        expect = {h: word for h in hypotheses if (word := _word(world, dossier, h, owners, holders))}
        yield Item(
            "credential",
            f"the credential {key} was used, registered to {', '.join(sorted(owners))}",
            (source,),
            (event,),
            "session",
            expect,
        )


def _word(world: World, dossier: Dossier, h: Hypothesis, owners: set[str], holders: set[str]) -> str:
    hands = at_the_keys(world, dossier, h)
    if hands is None:
        return ""
    if h.mechanism is not Mechanism.CREDENTIAL_MISUSE:
        return "almost certain" if hands & owners else "unlikely"
    if hands & owners:
        return "likely"
    return "even" if owners & holders else "unlikely"


INDICATOR = Indicator(
    name="credential",
    why="people use their own keys; a misused credential is mostly the holder's, but may be the actor's own, added to the account",
    errs="keys are copied, forwarded by agents, and left on shared machines",
    find=_find,
)
