"""Whose sign-on (VPN, proxy) carried the address that the act came from."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    for device in dossier.origins[0].devices:
        if not device.by_session or not device.lessee:
            continue
        people = set(world.known.last_holders(device.lessee, dossier.origins[0].time))
        if not people:
            continue
        expect = {
            h: "almost certain" if h.person in people else "very unlikely"
            for h in hypotheses
            if h.mechanism not in (Mechanism.FORGED_RECORD, Mechanism.DEPUTY)
        }
        says = f"the address was given to a session that {device.lessee} ({', '.join(sorted(people))}) had signed on to"
        yield Item("sign_on", says, device.sources, device.events, "person", expect)


INDICATOR = Indicator(
    name="sign_on",
    why="a sign-on with its own password or second factor is another lock than the account's",
    errs="sessions are left open; a second factor can be talked out of its owner",
    find=_find,
)
