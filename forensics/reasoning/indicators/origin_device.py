"""Which device had the address that the act, or the login behind it, came from."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.origins import Device, Origin
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or dossier.act is None:
        return
    origin = dossier.origins[0]
    holders = set(world.known.last_holders(origin.account, origin.time))
    for device in origin.devices:
        if device.owners:
            yield _item(origin, device, holders, hypotheses)


def _item(origin: Origin, device: Device, holders: set[str], hypotheses: tuple[Hypothesis, ...]) -> Item:
    owners = set(device.owners)
    expect = {}
    for h in hypotheses:
        if h.mechanism in (Mechanism.FORGED_RECORD, Mechanism.DEPUTY):
            continue
        expect[h] = "almost certain" if h.person in owners else "very unlikely"
    via = "over a sign-on of its own" if device.by_session else "by an address lease"
    whose = ", ".join(sorted(owners))
    says = f"it came from {device.device} ({via}), the device of {whose}"
    if not owners & holders:
        says += f", while the account is that of {', '.join(sorted(holders)) or 'nobody'}"
    return Item("origin_device", says, device.sources, (*device.events, *origin.events[:6]), "session", expect)


INDICATOR = Indicator(
    name="origin_device",
    why="people act from their own devices; somebody else's session on one's device needs that device",
    errs="a device may be lent, shared, stolen or controlled from afar; device names in leases are what the device says of itself",
    find=_find,
)
