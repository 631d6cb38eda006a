"""Whether the account's holder, or the device's owner, sat in a meeting at that moment."""

import re
from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.world import World

_FEW = 3
"""people who sit at one keyboard in turns"""
_ONLINE = re.compile(r"online|remote|video|call|zoom|teams|线上", re.IGNORECASE)


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    holders, owners = set(behind(dossier)), {p for d in origin.devices for p in d.owners}
    attended = {p: _attended(world, p, origin.moment) for p in sorted(owners | holders)}
    yield from _together(world, dossier, hypotheses, attended, (holders, owners))
    for person, rows in attended.items():
        if rows:
            expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
            yield Item(
                "meeting", f"{person} had just joined {rows[-1]['object']}", (rows[-1]["source"],), (rows[-1]["event"],), "person", expect
            )


def _attended(world: World, person: str, moment: int) -> list[Row]:
    """Return the meetings that the person had joined on the spot within a meeting's length before the moment."""
    mine = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(moment)]
    rows = world.acts(
        "starts_with(action, 'meeting.attend') AND list_contains($mine, actor) AND time BETWEEN $low AND $t",
        mine=mine, low=moment - world.policy.windows["meeting"], t=moment,
    )  # fmt: skip
    return [r for r in rows if not _ONLINE.search(str(r["outcome"] or ""))]


def _together(
    world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], attended: dict[str, list[Row]], sides: tuple[set[str], set[str]]
) -> Iterator[Item]:
    """Tell that the account's holder sat with the owner of the device at that moment, the two or with one more: he may have typed on it."""
    holders, owners = sides
    if holders & owners:
        return
    of = {side: {r["object"]: r for p in side for r in attended.get(p, ())} for side in map(frozenset, sides)}
    shared = sorted(set(of[frozenset(holders)]) & set(of[frozenset(owners)]) - {None})
    for name in shared:
        rows = [of[frozenset(side)][name] for side in sides]
        there = world.tables.rows(
            "SELECT count(DISTINCT actor) AS n FROM acts WHERE starts_with(action, 'meeting.attend') AND object = $o AND time BETWEEN $low AND $high",
            o=name, low=min(r["time"] for r in rows) - world.policy.windows["meeting"], high=max(r["time"] for r in rows) + world.policy.windows["meeting"],
        )  # fmt: skip
        if there[0]["n"] <= _FEW:
            says = f"{', '.join(sorted(holders))} and {', '.join(sorted(owners))} sat together in {name}, and the act came from the device of one and the account of the other"
            events, sources = tuple(r["event"] for r in rows), tuple(sorted({r["source"] for r in rows}))
            yield Item("together", says, sources, events, "person", expectations(world, dossier, hypotheses, holders, "likely", "unlikely"))
            return


INDICATOR = Indicator(
    name="meeting",
    why="whoever sits among others seldom acts unseen",
    errs="people work in meetings; lists of those who attended are written beforehand; the record does not say when they left",
    find=_find,
)
