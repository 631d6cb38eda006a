"""Whose other authenticated acts came from the same address while it was the same device's."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.devices import Device, holding
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.origins import Origin
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or dossier.act is None:
        return
    origin = dossier.origins[0]
    used = {*dossier.act.events, *origin.events, *(e for d in origin.devices for e in d.events)}
    for device in [d for d in origin.devices if d.owners]:
        for ip, lease in _addresses(world, device, origin):
            rows = [r for r in _rows(world, ip, origin.moment) if r["event"] not in used and _its_own(world, ip, device, r["time"])]
            if not set(device.owners) & set(world.known.last_holders(dossier.act.account, origin.moment)):
                rows = [r for r in rows if r["actor"] != dossier.act.account]  # whoever has the account may use it twice
            people = {p for r in rows for p in world.known.holders(r["actor"], r["time"])}
            if len(people) == 1:  # not of an address of several people
                yield from _items(world, dossier, hypotheses, ip, rows, people, lease)


def _items(
    world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], ip: str, rows: list[Row], people: set[str], lease: Row | None
) -> Iterator[Item]:
    """Yield one item a log; where only a lease ties the address to the device, they all stand and fall with the lease."""
    moment = dossier.origins[0].moment
    through = (lease["source"],) if lease else ()
    told = {s for d in dossier.origins[0].devices for s in d.sources}
    for source in sorted({r["source"] for r in rows} - told):
        mine = sorted((r for r in rows if r["source"] == source), key=lambda r: (abs(r["time"] - moment), r["event"]))[:3]
        expect = expectations(world, dossier, hypotheses, people, "almost certain", "very unlikely")
        where = f"the address {ip} that the device had" if lease else f"the same address {ip}"
        says = f"{mine[0]['actor']} ({', '.join(people)}) worked from {where} around then, and nobody else did"
        refs = (*(r["event"] for r in mine), *([lease["event"]] if lease else []))
        yield Item("address_use", says, (*through, source), refs, "session", expect)


def _addresses(world: World, device: Device, origin: Origin) -> list[tuple[str, Row | None]]:
    """Return the addresses that the device had around then, with the lease where the act itself did not come from it."""
    if not device.by_command:
        leased = {r["ip"] for r in world.acts("list_contains($e, event)", e=list(device.events))}
        return [(ip, None) for ip in origin.addresses if ip in leased]
    span = world.policy.windows["session"]
    leases = world.acts(
        "device = $d AND ip IS NOT NULL AND time BETWEEN $low AND $t AND (starts_with(action, 'device.lease') OR regexp_matches(action, '^session[.]vpn[.](open|connect)$'))",
        d=device.device, low=origin.moment - span, t=origin.moment,
    )  # fmt: skip
    return [(r["ip"], r) for r in leases[-1:] if [d.device for d in holding(world, r["ip"], (origin.moment,))] == [device.device]]


def _its_own(world: World, ip: str, device: Device, moment: int) -> bool:
    """Tell whether the address was not another device's at that moment."""
    then = holding(world, ip, (moment,))
    return not then or [d.device for d in then] == [device.device]


def _rows(world: World, ip: str, moment: int) -> list[Row]:
    """Return acts of personal accounts from that address around then."""
    span = world.policy.windows["presence"] // 2
    rows = world.acts(
        """ip = $ip AND actor IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high
           AND NOT starts_with(action, 'device.') AND NOT regexp_matches(action, '[.](close|disconnect|fail)$') AND NOT starts_with(action, 'hdfs.')""",
        ip=ip, low=moment - span, high=moment + span,
    )  # fmt: skip
    return [r for r in rows if world.known.kind(r["actor"], r["time"]) == "personal"]


INDICATOR = Indicator(
    name="address_use",
    why="who logs in with his own key from an address on the same day most likely sits at the device that has it",
    errs="the address may have gone to another device in between; a device may be lent; own and borrowed accounts may be used side by side",
    find=_find,
)
