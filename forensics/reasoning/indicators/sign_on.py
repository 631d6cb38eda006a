"""Whose sign-on (VPN, proxy) carried the address that the act came from."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    for device in dossier.origins[0].devices:
        people = world.known.last_holders(device.lessee, dossier.origins[0].time) if device.by_session and device.owners else ()
        if people:
            expect = expectations(world, dossier, hypotheses, people, "almost certain", "very unlikely")
            says = f"the address was given to a session that {device.lessee} ({', '.join(people)}) had signed on to"
            yield Item("sign_on", says, device.sources, device.events, "person", expect)


INDICATOR = Indicator(
    name="sign_on",
    why="a sign-on with its own password or second factor is another lock than the account's",
    errs="sessions are left open, passwords saved on the device; a second factor can be talked out of its owner",
    find=_find,
)
