"""Which device ran the command that leads to such an act, at that moment."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.commands import covered, leading_to, whose
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import at_the_keys, behind
from forensics.reasoning.world import World

_FEW = 3
"""people whose commands together still say something"""


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    act = dossier.act
    if act is None or len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    act = origin.trigger or act
    reached = origin.login_time is not None
    rows = leading_to(world, act, origin.moment, origin.hosts, reached=reached, login=origin.account)
    close = [r for r in rows if abs(r["time"] - origin.moment) <= world.policy.windows["at_once"]]
    rows = close or rows
    devices = {d.device for d in origin.devices}
    people = {p for r in rows for p in whose(world, r, devices)}
    if not people:
        return
    sources = tuple(sorted({r["source"] for r in rows}))
    placed = bool(devices) and not any(d.by_command for d in origin.devices)  # the act's address leads to that device, too
    expect = _expect(world, dossier, hypotheses, people, covered(world, sources, origin.moment), alone=bool(close) and placed)
    ran_as = {
        p
        for r in rows
        if r["actor"] and world.known.kind(r["actor"], r["time"]) == "personal"
        for p in world.known.last_holders(r["actor"], r["time"])
    }
    if ran_as and ran_as <= set(
        behind(dossier)
    ):  # it ran as the account's holder: what he set up, or a shell of his; the device's owner would have run it as himself
        expect |= {h: "unlikely" for h in expect if (hands := at_the_keys(world, dossier, h)) and not hands & ran_as and hands & people}
    what = "a login command" if reached else f"a command that leads to {act.kind}"
    says = f"{what} ran at that moment on {', '.join(sorted({r['device'] for r in rows}))}, of {', '.join(sorted(people))}"
    rung = "session" if any(d.by_command for d in origin.devices) else "person"
    yield Item("device_command", says, sources, tuple(r["event"] for r in rows[:6]), rung, expect)


def _expect(
    world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], people: set[str], covered: set[str], *, alone: bool
) -> dict[Hypothesis, str]:
    yes = "almost certain" if len(people) == 1 else "likely" if len(people) <= _FEW else "even"
    no = "very unlikely" if len(people) == 1 else "unlikely"
    found = {}
    for h in hypotheses:
        hands = at_the_keys(world, dossier, h)
        if hands is None:  # a record made up: then the command on that device, in those minutes, is a coincidence
            found[h] = no
        elif hands & people:
            found[h] = yes
        elif hands & covered or (alone and len(people) == 1):
            # the sensor would have seen the command on that person's own device; or the command ran within seconds of the act on the device that
            # its address leads to, nothing else that is recorded explains it, and by this hypothesis it is a coincidence
            found[h] = no
    return found


INDICATOR = Indicator(
    name="device_command",
    why="the act begins as a command on somebody's device; an endpoint sensor that saw it there and nowhere else tells devices apart",
    errs="sensors miss commands; several people run such commands at one time; a device may be controlled from afar",
    find=_find,
)
