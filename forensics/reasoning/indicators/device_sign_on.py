"""Who signed on at the identity provider from the device that the act came from, that day."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    for device in dict.fromkeys(d.device for d in origin.devices if d.owners):
        rows = _rows(world, device, origin.moment)
        for source in sorted({r["source"] for r in rows}):
            mine = [r for r in rows if r["source"] == source]
            people = {p for r in mine for p in world.known.holders(r["actor"], r["time"])}
            if len(people) != 1:  # several people used it, or one whom the registers do not know
                continue
            near = sorted(mine, key=lambda r: (abs(r["time"] - origin.moment), r["event"]))[:3]
            expect = expectations(world, dossier, hypotheses, people, "almost certain", "very unlikely")
            says = f"{near[0]['actor']} signed on from {device} around then ({len(mine)} times), and nobody else did"
            yield Item("device_sign_on", says, (source,), tuple(r["event"] for r in near), "person", expect)


def _rows(world: World, device: str, moment: int) -> list[Row]:
    span = world.policy.windows["presence"]
    return world.acts(
        """device = $d AND actor IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high AND ip IS NOT NULL
           AND (action = 'credential.use' OR (regexp_matches(action, '^session[.].*[.](open|use)$') AND NOT regexp_matches(action, '^session[.](ssh|audit|vpn|role|login|su)')))""",
        d=device, low=moment - span, high=moment + span,
    )  # fmt: skip


INDICATOR = Indicator(
    name="device_sign_on",
    why="a sign-on with one's own password and second factor, kept by a third party, tells in whose hands a device was",
    errs="sessions are left open, factors approved without a look; a device may change hands within a day, or be controlled from afar",
    find=_find,
)
