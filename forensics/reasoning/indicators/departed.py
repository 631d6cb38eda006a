"""Whether the account's holder had left before the act."""

from collections.abc import Iterator

from forensics import times
from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.world import REGISTERS, World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if dossier.act is None:
        return
    for person in behind(dossier):
        row = world.known.people.get(person)
        if row is None or row.employed_to is None or row.employed_to >= dossier.act.time[0]:
            continue
        event = world.tables.rows("SELECT min(id) AS id FROM events WHERE action = 'identity.employed' AND actor = $p", p=person)[0]["id"]
        expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
        yield Item(
            "departed", f"{person} had left on {times.show(row.employed_to)}, before the act", (REGISTERS,), (event,), "person", expect
        )


INDICATOR = Indicator(
    name="departed",
    why="people who left seldom still act; accounts that stay open are used by others",
    errs="some who left kept access and used it; registers of leaving are written by hand",
    find=_find,
)
