"""Whether the device or key that the act came from had been taken from its registered owner, or given to somebody else, by records that the register does not know."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World

_GIVEN = ("access.grant", "credential.issue")
_TAKEN = ("access.revoke", "credential.revoke")


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    for thing in dict.fromkeys([*(d.device for d in origin.devices if d.owners), *(k for k, _, _ in origin.keys)]):
        owners = set(world.known.holders(thing, origin.moment))
        rows = world.acts(
            "list_contains($a, action) AND (object = $o OR target = $o OR credential = $o) AND time <= $t",
            a=[*_GIVEN, *_TAKEN],
            o=thing,
            t=origin.moment,
        )
        last = {p: r for r in rows for p in world.known.last_holders(r["actor"], r["time"])}
        given = {p for p, r in last.items() if r["action"] in _GIVEN} - owners
        taken = {p for p, r in last.items() if r["action"] in _TAKEN} & owners
        shown = [last[p] for p in sorted(given | taken)]
        if not shown or not owners:
            continue
        if given:
            says, expect = (
                f"{thing} had been given to {', '.join(sorted(given))}",
                expectations(world, dossier, hypotheses, given, "likely", "unlikely"),
            )
        else:
            says, expect = (
                f"{thing} had been taken back from {', '.join(sorted(taken))}",
                expectations(world, dossier, hypotheses, taken, "unlikely", "even"),
            )
        sources = tuple(sorted({r["source"] for r in shown}))
        yield Item("handed_over", says, sources, tuple(r["event"] for r in shown), "session", expect)


INDICATOR = Indicator(
    name="handed_over",
    why="who has a thing is told by the latest record of its changing hands, which registers follow late",
    errs="a grant may be of a right to a thing and not of the thing; what was given back may have been kept",
    find=_find,
)
