"""Whether the device that the act came from was unlocked by somebody's own login, or locked, at that moment."""

from collections.abc import Iterator
from typing import Any

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.devices import refused
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    for device in dict.fromkeys(d.device for d in origin.devices if d.owners):
        last = _last(world, device, origin.moment)
        if last is None:
            continue
        kind, owners = "device_session", set(world.known.holders(device, origin.moment))
        people = set(world.known.holders(last["actor"], last["time"]))
        if last["action"].startswith(("device.lock", "device.logoff")):
            # a program that the sensor saw start on it all the same was started from afar or beforehand, whoever did it
            ran = any(d.by_command for d in origin.devices) or _ran(world, device, origin.moment)
            expect = {} if ran else expectations(world, dossier, hypotheses, owners, "unlikely", "even")
            kind = "device_locked" if ran and last["time"] < origin.moment - world.policy.windows["break"] else kind
            says = f"{device} was locked or logged off at that moment" + (", and a program was started on it all the same" if ran else "")
        elif not people:
            expect = expectations(world, dossier, hypotheses, owners, "unlikely", "even")
            says = (
                f"{device} had been opened by {last['actor'] or 'an account that the record does not name'}, whom the registers do not know"
            )
        elif _watched_after(world, device, origin.moment):
            expect = expectations(world, dossier, hypotheses, people, "almost certain", "unlikely")
            says = f"{device} had been opened by {last['actor']} and not locked since"
        else:
            continue
        yield Item(kind, says, (last["source"],), (last["event"],), "person", expect)


def _last(world: World, device: str, moment: int) -> dict[str, Any] | None:
    rows = world.acts(
        "device = $d AND regexp_matches(action, '^device[.](logon|logoff|lock|unlock)') AND time BETWEEN $low AND $t",
        d=device, low=moment - world.policy.windows["presence"], t=moment,
    )  # fmt: skip
    rows = [r for r in rows if not refused(r)]
    return rows[-1] if rows else None


def _ran(world: World, device: str, moment: int) -> bool:
    close = world.policy.windows["at_once"]
    return bool(
        world.acts(
            "device = $d AND starts_with(action, 'device.process') AND time BETWEEN $low AND $high",
            d=device,
            low=moment - close,
            high=moment + close,
        )
    )


def _watched_after(world: World, device: str, moment: int) -> bool:
    """Tell whether the sensor still saw that device after the act: else its silence about a lock says nothing."""
    rows = world.acts(
        "device = $d AND starts_with(action, 'device.') AND NOT starts_with(action, 'device.lease') AND time BETWEEN $t AND $high",
        d=device, t=moment, high=moment + world.policy.windows["presence"],
    )  # fmt: skip
    return bool(rows)


INDICATOR = Indicator(
    name="device_session",
    why="a device that its owner had opened with a password or finger was most likely in that hand; a locked one was in nobody's",
    errs="a colleague may use a device that was left open; a locked device still runs what was started before, and obeys from afar",
    find=_find,
)
