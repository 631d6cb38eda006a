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
    holders = set(origin.people)
    for device in origin.devices:
        if device.owners and not device.by_command:
            hands = {*device.owners, *_users(world, device.device, origin.moment)}
            expect = expectations(world, dossier, hypotheses, hands, "almost certain", "very unlikely")
            refs = (*device.events, *origin.events[:6])
            yield Item("origin_device", _says(device, holders), device.sources, refs, "session", expect)


def _says(device: Device, holders: set[str]) -> str:
    via = "over a sign-on of its own" if device.by_session else "by an address lease"
    says = f"it came from {device.device} ({via}), the device of {', '.join(device.owners)}"
    if holders and not set(device.owners) & holders:
        says += f", while the account is that of {', '.join(sorted(holders))}"
    return says


def _users(world: World, device: str, moment: int) -> set[str]:
    """Return the people whose accounts were at work on that device around then: it may have been in their hands."""
    near = world.policy.windows["session"]
    rows = world.acts(
        "device = $d AND actor IS NOT NULL AND regexp_matches(action, '^device[.](logon|unlock|process)') AND time BETWEEN $low AND $high AND outcome = 'ok'",
        d=device, low=moment - near, high=moment + near,
    )  # fmt: skip
    return {p for r in rows for p in world.known.last_holders(r["actor"], r["time"])}


INDICATOR = Indicator(
    name="origin_device",
    why="people act from their own devices; somebody else's session on one's device needs that device",
    errs="a device may be lent, shared, stolen or controlled from afar; device names in leases are what the device says of itself",
    find=_find,
)
