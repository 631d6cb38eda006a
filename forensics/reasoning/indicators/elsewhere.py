"""Whether the account's holder was at work on another device, or signed on from elsewhere, at that moment."""

from collections.abc import Iterator
from typing import Any

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.devices import gives_address, open_sessions
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.timetables import recurs
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or not dossier.origins[0].devices:
        return
    origin = dossier.origins[0]
    used = {d.device for d in origin.devices}
    holders = behind(dossier)
    for person in sorted({*holders, *(p for d in origin.devices for p in d.owners)}):
        row = _active(world, person, origin.moment, used) if person in holders else None
        if row is not None:
            says = f"{person} was at work on {row['device']} at that moment, another device than the act's"
            yield _item(world, dossier, hypotheses, person, says, row)
        signed_on = _signed_on(world, person, origin.moment, used)
        if signed_on is not None:
            says = f"{person} was signed on from {signed_on['device']} at that moment, by {signed_on['action']}, and the act came from another device"
            yield _item(world, dossier, hypotheses, person, says, signed_on)


def _item(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], person: str, says: str, row: dict[str, Any]) -> Item:
    expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
    return Item("elsewhere", says, (row["source"],), (row["event"],), "session", expect)


def _signed_on(world: World, person: str, moment: int, used: set[str]) -> dict[str, Any] | None:
    """Return the person's sign-on from outside, with another device of his own, that was open at the moment."""
    mine = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(moment)]
    window = world.policy.windows["session"]
    rows = open_sessions(world, "list_contains($mine, actor) AND device IS NOT NULL", moment, window, mine=mine)
    rows = [r for r in rows if gives_address(r)] or _around(world, mine, moment)
    rows = [r for r in rows if r["device"] not in used and world.known.holders(r["device"], moment) == (person,)]
    return rows[-1] if rows else None


def _around(world: World, mine: list[str], moment: int) -> list[dict[str, Any]]:
    """Return the sign-ons with a device that has others like it, from the same device and address, on the other side of the moment: it was in use all the while."""
    near = 2 * world.policy.windows["command"]
    rows = world.acts(
        """list_contains($mine, actor) AND device IS NOT NULL AND ip IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high
           AND (action = 'credential.use' OR regexp_matches(action, '^session[.](sso|okta|web|idp)[.]?(open|use|start|login)?$'))""",
        mine=mine, low=moment - near, high=moment + near,
    )  # fmt: skip
    after = {(r["device"], r["ip"]) for r in rows if r["time"] > moment}
    return [r for r in rows if r["time"] <= moment and (r["device"], r["ip"]) in after]


def _active(world: World, person: str, moment: int, used: set[str]) -> dict[str, Any] | None:
    window = world.policy.windows["command"]
    mine = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(moment)]
    rows = world.acts(
        "list_contains($mine, actor) AND device IS NOT NULL AND starts_with(action, 'device.') AND time BETWEEN $low AND $high",
        mine=mine, low=moment - window, high=moment + window,
    )  # fmt: skip
    others = [
        r
        for r in rows
        if r["device"] not in used
        and world.known.holders(r["device"], moment) == (person,)
        and not (r["action"].startswith("device.process") and recurs(world, r))
    ]
    return min(others, key=lambda r: (abs(r["time"] - moment), r["event"])) if others else None


INDICATOR = Indicator(
    name="elsewhere",
    why="hands are on one keyboard at a time",
    errs="programs run on a device that nobody sits at; people own two devices; a sign-on from home may have been left open",
    find=_find,
)
