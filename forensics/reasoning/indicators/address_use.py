"""Whose other authenticated acts came from the same address while it was the same device's."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or dossier.act is None:
        return
    origin = dossier.origins[0]
    leased = {r["ip"]: d for d in origin.devices for r in world.acts("list_contains($e, event)", e=list(d.events)) if not d.by_command and r["ip"]}
    used = set(dossier.act.events) | set(origin.events)
    for ip in [a for a in origin.addresses if a in leased]:
        rows = [r for r in _rows(world, ip, origin.moment) if r["event"] not in used and r["event"] not in leased[ip].events]
        people = {p for r in rows for p in world.known.holders(r["actor"], r["time"])}
        if len(people) != 1:  # nobody's own, or an address of several
            continue
        for source in sorted({r["source"] for r in rows} - {s for d in origin.devices for s in d.sources}):
            mine = sorted((r for r in rows if r["source"] == source), key=lambda r: (abs(r["time"] - origin.moment), r["event"]))[:3]
            expect = expectations(world, dossier, hypotheses, people, "almost certain", "very unlikely")
            says = f"{mine[0]['actor']} worked from the same address {ip} around then, under an account of {', '.join(people)}, and nobody else did"
            yield Item("address_use", says, (source,), tuple(r["event"] for r in mine), "person", expect)


def _rows(world: World, ip: str, moment: int) -> list[Row]:
    """Return acts of personal accounts from that address around then, apart from those of the account in question."""
    span = world.policy.windows["presence"] // 2
    rows = world.acts(
        """ip = $ip AND actor IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high
           AND NOT starts_with(action, 'device.') AND NOT regexp_matches(action, '[.](close|disconnect|fail)$')""",
        ip=ip, low=moment - span, high=moment + span,
    )  # fmt: skip
    return [r for r in rows if world.known.kind(r["actor"], r["time"]) == "personal"]


INDICATOR = Indicator(
    name="address_use",
    why="who logs in with his own key from an address on the same day most likely sits at the device that has it",
    errs="the address may have gone to another device in between; a device may be lent; own and borrowed accounts may be used side by side",
    find=_find,
)
