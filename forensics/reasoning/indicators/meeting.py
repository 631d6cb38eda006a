"""Whether the account's holder, or the device's owner, sat in a meeting at that moment."""

import re
from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.world import World

_ONLINE = re.compile(r"online|remote|video|call|zoom|teams|线上", re.IGNORECASE)


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    people = sorted({p for d in origin.devices for p in d.owners} | set(behind(dossier)))
    for person in people:
        mine = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(origin.moment)]
        rows = world.acts(
            "starts_with(action, 'meeting.attend') AND list_contains($mine, actor) AND time BETWEEN $low AND $t",
            mine=mine, low=origin.moment - world.policy.windows["meeting"], t=origin.moment,
        )  # fmt: skip
        rows = [r for r in rows if not _ONLINE.search(str(r["outcome"] or ""))]
        if rows:
            expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
            yield Item(
                "meeting", f"{person} had just joined {rows[-1]['object']}", (rows[-1]["source"],), (rows[-1]["event"],), "person", expect
            )


INDICATOR = Indicator(
    name="meeting",
    why="whoever sits among others seldom acts unseen",
    errs="people work in meetings; lists of those who attended are written beforehand; the record does not say when they left",
    find=_find,
)
