"""Which device had the address that the act, or the login behind it, came from."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.devices import Device
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or dossier.act is None:
        return
    origin = dossier.origins[0]
    holders = set(world.known.last_holders(origin.account, origin.time))
    for device in origin.devices:
        if device.owners:
            expect = expectations(world, dossier, hypotheses, device.owners, "almost certain", "very unlikely")
            refs = (*device.events, *origin.events[:6])
            yield Item("origin_device", _says(device, holders), device.sources, refs, "session", expect)


def _says(device: Device, holders: set[str]) -> str:
    via = "over a sign-on of its own" if device.by_session else "by an address lease"
    says = f"it came from {device.device} ({via}), the device of {', '.join(device.owners)}"
    if not set(device.owners) & holders:
        says += f", while the account is that of {', '.join(sorted(holders)) or 'nobody'}"
    return says


INDICATOR = Indicator(
    name="origin_device",
    why="people act from their own devices; somebody else's session on one's device needs that device",
    errs="a device may be lent, shared, stolen or controlled from afar; device names in leases are what the device says of itself",
    find=_find,
)
