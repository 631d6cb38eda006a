"""Who signed on at the identity provider from the device that the act came from, that day."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
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
            if len(people) == 1:  # not where several people used it, or one whom the registers do not know
                yield _item(world, dossier, hypotheses, device, mine, people)
            else:
                yield from _guest(world, dossier, hypotheses, device, mine)


def _guest(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], device: str, rows: list[Row]) -> Iterator[Item]:
    """Tell that the account's holder signed on from another's device that day: he may have sat at it, unless his sign-on was another's doing, too."""
    moment, holders = dossier.origins[0].moment, set(behind(dossier))
    if holders & set(world.known.holders(device, moment)):
        return
    own = [r for r in rows if set(world.known.holders(r["actor"], r["time"])) & holders]
    near = [r for r in own if abs(r["time"] - moment) <= world.policy.windows["presence"]][:3]
    if near:
        says = f"{near[0]['actor']} signed on from {device} that day, too"
        expect = expectations(world, dossier, hypotheses, holders, "likely", "unlikely")
        yield Item("device_sign_on", says, (near[0]["source"],), tuple(r["event"] for r in near), "person", expect)


def _item(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], device: str, rows: list[Row], people: set[str]) -> Item:
    """Weigh that day's sign-ons for in whose hands the device was, and those of other days for in whose it usually is."""
    moment = dossier.origins[0].moment
    near = sorted(rows, key=lambda r: (abs(r["time"] - moment), r["event"]))[:3]
    that_day = abs(near[0]["time"] - moment) <= world.policy.windows["presence"]
    yes, no = ("almost certain", "very unlikely") if that_day else ("likely", "unlikely")
    when = "that day" if that_day else "in the days around"
    says = f"{near[0]['actor']} signed on from {device} {when} ({len(rows)} times in two weeks), and nobody else did"
    return Item(
        "device_sign_on", says, (near[0]["source"],), tuple(r["event"] for r in near), "person", expectations(world, dossier, hypotheses, people, yes, no)
    )  # fmt: skip


def _rows(world: World, device: str, moment: int) -> list[Row]:
    """Return sign-ons from the device: at the identity provider and at what it guards; those of hosts and VPN are told elsewhere."""
    span = world.policy.windows["login"]
    return world.acts(
        """device = $d AND actor IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high AND ip IS NOT NULL
           AND (action = 'credential.use' OR (regexp_matches(action, '^session[.].*[.](open|use|connect)$') AND NOT regexp_matches(action, '^session[.](ssh|audit|vpn|role|login|su)')))""",
        d=device, low=moment - span, high=moment + span,
    )  # fmt: skip


INDICATOR = Indicator(
    name="device_sign_on",
    why="a sign-on with one's own password and second factor, kept by a third party, tells in whose hands a device was",
    errs="sessions are left open, factors approved without a look; a device may change hands within a day, or be controlled from afar",
    find=_find,
)
