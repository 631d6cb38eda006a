"""Which device ran the command that leads to such an act, at that moment."""

import shlex
from collections.abc import Iterator
from typing import Any

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import at_the_keys
from forensics.reasoning.origins import Origin
from forensics.reasoning.world import World

_FEW = 3
"""people whose commands together still say something"""


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    act = dossier.act
    if act is None or len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    reached = origin.login_time is not None
    wanted = world.policy.commands.get("session.ssh" if reached else act.kind, ())
    rows = [r for r in _commands(world, origin.moment) if _fits(str(r["object"] or ""), wanted) and (not reached or _towards(r, origin))]
    people = {p for r in rows for p in _whose(world, r, origin)}
    if not people:
        return
    sources = tuple(sorted({r["source"] for r in rows}))
    expect = _expect(world, dossier, hypotheses, people, _covered(world, sources, origin.moment))
    what = "a login command" if reached else f"a command that leads to {act.kind}"
    says = f"{what} ran at that moment on {', '.join(sorted({r['device'] for r in rows}))}, of {', '.join(sorted(people))}"
    yield Item("device_command", says, sources, tuple(r["event"] for r in rows[:6]), "person", expect)


def _expect(
    world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], people: set[str], covered: set[str]
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
        elif hands & covered:  # the sensor would have seen the command on that person's own device
            found[h] = no
    return found


def _commands(world: World, moment: int) -> list[dict[str, Any]]:
    window = world.policy.windows["command"]
    return world.acts(
        "starts_with(action, 'device.process') AND device IS NOT NULL AND time BETWEEN $low AND $high AND outcome = 'ok'",
        low=moment - window, high=moment + window,
    )  # fmt: skip


def _fits(command: str, wanted: tuple[str, ...]) -> bool:
    """Tell whether a command line begins like one of these, options left out (`git -C x push` is a `git push`)."""
    try:
        tokens = shlex.split(command)
    except ValueError:
        tokens = command.split()
    words = [t.rpartition("/")[2] if n == 0 else t for n, t in enumerate(tokens) if n == 0 or not t.startswith("-")]
    return any(words[: len(w.split())] == w.split() or _after_value(words, w.split()) for w in wanted)


def _after_value(words: list[str], wanted: list[str]) -> bool:
    """Allow one option's value between program and subcommand."""
    return len(wanted) > 1 and len(words) > len(wanted) and [words[0], *words[2 : 1 + len(wanted)]] == wanted


def _towards(row: dict[str, Any], origin: Origin) -> bool:
    """Tell whether a login command names one of the hosts that the way goes through."""
    names = {t.rpartition("@")[2].partition(":")[0].partition(".")[0].lower() for t in str(row["object"] or "").split()}
    return bool(names & {h.partition(".")[0].lower() for h in origin.hosts})


def _whose(world: World, row: dict[str, Any], origin: Origin) -> set[str]:
    """Return whose the command may be: the account's holder and the device's; of an account that nobody knows, nobody's."""
    owners = set(world.known.holders(row["device"], row["time"]))
    if not row["actor"]:
        return set() if row["device"] in {d.device for d in origin.devices} else owners
    holders = set(world.known.holders(row["actor"], row["time"]))
    return holders | owners if holders else set()


def _covered(world: World, sources: tuple[str, ...], moment: int) -> set[str]:
    """Return the people on whose own devices these sensors recorded anything around then."""
    span = world.policy.windows["presence"]
    rows = world.tables.rows(
        "SELECT DISTINCT device FROM acts WHERE list_contains($s, source) AND device IS NOT NULL AND time BETWEEN $low AND $high ORDER BY device",
        s=list(sources), low=moment - span, high=moment + span,
    )  # fmt: skip
    return {p for r in rows for p in world.known.holders(r["device"], moment)}


INDICATOR = Indicator(
    name="device_command",
    why="the act begins as a command on somebody's device; an endpoint sensor that saw it there and nowhere else tells devices apart",
    errs="sensors miss commands; several people run such commands at one time; a device may be controlled from afar",
    find=_find,
)
