"""Who was at the place that the act came from, and who was not."""

from collections.abc import Iterator
from typing import Any

from forensics import times
from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind
from forensics.reasoning.world import World

_OUT = {"out", "exit", "leave", "left", "departure"}


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or not any(not d.by_session for d in dossier.origins[0].devices):
        return
    origin = dossier.origins[0]
    moment = origin.login_time if origin.login_time is not None else origin.time
    owners = {p for d in origin.devices for p in d.owners}
    for person in sorted(owners | set(behind(dossier, world))):
        last = _last(world, person, moment)
        if last is None:
            continue
        here = str(last["outcome"] or "").lower() not in _OUT
        word = "likely" if here else "very unlikely"
        where = f"was at {last['object']}" if here else f"had left {last['object']}"
        since = f"since {times.show(last['time'])}"
        expect = {h: word for h in hypotheses if h.person == person and h.mechanism not in (Mechanism.FORGED_RECORD, Mechanism.DEPUTY)}
        yield Item(
            "presence", f"{person} {where} {since}, and the act came from inside", (last["source"],), (last["event"],), "person", expect
        )


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
    errs="cards are lent and doors held open; somebody else in the same building is not told apart; a device left behind can be reached",
    find=_find,
)
