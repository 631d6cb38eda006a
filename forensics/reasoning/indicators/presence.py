"""Who was at the place that the act came from, and who was not."""

import re
from collections.abc import Iterator
from typing import Any

from forensics import times
from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.world import World

_OUT = re.compile(r"\b(out|exit|egress|leave|left|leaving|departure|departed)\b|离开|出", re.IGNORECASE)


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or not any(not d.by_session and not d.by_command for d in dossier.origins[0].devices):
        return
    origin = dossier.origins[0]
    owners = {p for d in origin.devices for p in d.owners}
    for person in sorted(owners | set(behind(dossier))):
        last = _last(world, person, origin.moment)
        left = _last(world, person, origin.time) if origin.time > origin.moment else None
        if left is not None and _OUT.search(str(left["outcome"] or "")):
            last = left  # the login was made inside, and left open when its holder went
        if last is None:
            continue
        here = not _OUT.search(str(last["outcome"] or ""))
        where = f"was at {last['object']}" if here else f"had left {last['object']}"
        expect = expectations(world, dossier, hypotheses, [person], "likely" if here else "very unlikely", "even")
        says = f"{person} {where} since {times.show(last['time'])}, and the act came from an address inside"
        yield Item("presence", says, (last["source"],), (last["event"],), "person", expect)
    yield from _others(world, dossier, hypotheses, owners | set(behind(dossier)))


def _others(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], told: set[str]) -> Iterator[Item]:
    """Tell who else had left that place. It weighs less than where it speaks for somebody: cards are passed by unseen at doors that others hold."""
    moment, day = dossier.origins[0].moment, world.policy.windows["presence"]
    cards = {i.identifier: p for p in {h.person for h in hypotheses} - told for i in world.known.by_person.get(p, ()) if i.live(moment)}
    rows = world.acts(
        "starts_with(action, 'person.present') AND list_contains($cards, actor) AND time BETWEEN $low AND $t",
        cards=sorted(cards), low=moment - day, t=moment,
    )  # fmt: skip
    last = {cards[r["actor"]]: r for r in rows}
    gone = {p: r for p, r in last.items() if _OUT.search(str(r["outcome"] or ""))}
    if gone:
        expect = {h: w for h, w in expectations(world, dossier, hypotheses, gone, "unlikely", "even").items() if w == "unlikely"}
        says = f"{', '.join(sorted(gone))} had left by then, and the act came from an address inside"
        shown = sorted(gone.values(), key=lambda r: r["event"])
        yield Item("presence", says, tuple(sorted({r["source"] for r in shown})), tuple(r["event"] for r in shown), "person", expect)


def _last(world: World, person: str, moment: int) -> dict[str, Any] | None:
    """Return the person's last passage before that moment, within a working day."""
    cards = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(moment)]
    rows = world.acts(
        "starts_with(action, 'person.present') AND list_contains($cards, actor) AND time BETWEEN $low AND $t",
        cards=cards, low=moment - world.policy.windows["presence"], t=moment,
    )  # fmt: skip
    return rows[-1] if rows else None


INDICATOR = Indicator(
    name="presence",
    why="an office address needs somebody in the office; whoever had left was not there",
    errs="cards are lent and doors held open; the records do not say which office an address belongs to; a device left behind can be reached",
    find=_find,
)
