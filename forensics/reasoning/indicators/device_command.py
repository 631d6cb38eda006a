"""Which device ran the command that leads to such an act, at that moment."""

from collections.abc import Iterator
from typing import Any

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    act = dossier.act
    if act is None or len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    reached = origin.login_time is not None
    words = world.policy.commands.get("session.ssh" if reached else act.kind, ())
    moment = origin.login_time if origin.login_time is not None else origin.time
    rows = [r for r in _commands(world, moment) if words and _fits(r, words)]
    if not rows:
        return
    people = {p for r in rows for p in _whose(world, r)}
    if not people:
        return
    word = "almost certain" if len(people) == 1 else "likely" if len(people) <= 3 else "even"
    rest = "very unlikely" if len(people) == 1 else "unlikely"
    expect = {h: word if h.person in people else rest for h in hypotheses if h.mechanism is not Mechanism.DEPUTY}
    expect |= {h: rest for h in hypotheses if h.mechanism is Mechanism.FORGED_RECORD}
    what = "a login command" if reached else f"a command that leads to {act.kind}"
    says = f"{what} ran at that moment on {', '.join(sorted({r['device'] for r in rows}))}, of {', '.join(sorted(people))}"
    yield Item("device_command", says, tuple(sorted({r["source"] for r in rows})), tuple(r["event"] for r in rows[:6]), "person", expect)


def _commands(world: World, moment: int) -> list[dict[str, Any]]:
    window = world.policy.windows["command"]
    return world.acts(
        "starts_with(action, 'device.process') AND device IS NOT NULL AND time BETWEEN $low AND $high",
        low=moment - window,
        high=moment + window,
    )


def _fits(row: dict[str, Any], words: tuple[str, ...]) -> bool:
    """Tell whether the command line bears the words: all of `git push`; any of a list of programs."""
    tokens = str(row["object"] or "").replace("/", " ").split()
    return all(w in tokens for w in words) if words == ("git", "push") else any(w in tokens for w in words)


def _whose(world: World, row: dict[str, Any]) -> tuple[str, ...]:
    return world.known.holders(row["actor"], row["time"]) or world.known.holders(row["device"], row["time"])


INDICATOR = Indicator(
    name="device_command",
    why="the act begins as a command on somebody's device; an endpoint sensor that saw it there and nowhere else tells devices apart",
    errs="sensors miss commands; several people run such commands at one time; a device may be controlled from afar",
    find=_find,
)
