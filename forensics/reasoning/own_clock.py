"""Whether one device's clock is as good as the others' of the same log: a table that gathers many devices' records bears each one's own clock."""

from bisect import bisect_left

from forensics import times
from forensics.reasoning.spelled import fits
from forensics.reasoning.world import World

_LEADS = ("code.push", "session.ssh")
"""what a command on a device leads to at once, elsewhere recorded"""
_FAR = 12 * times.HOUR
_CLOSE = 10 * times.SECOND
_AT_ONCE = (-5 * times.SECOND, 30 * times.SECOND)
_LEAST = 3
_MOST = 400


def own_clock_off(world: World, device: str, moment: int) -> bool:
    """Tell whether most of a device's commands stand by one and the same distance apart from what its owner's accounts did, and few at it: then its clock is wrong, and what it seems to have done at a moment it did at another.

    The commands of the moment in question do not count: they are what is asked about.
    """
    wanted = tuple(w for kind in _LEADS for w in world.policy.commands.get(kind, ()))
    rows = world.acts("starts_with(action, 'device.process') AND device = $d AND outcome = 'ok' AND time IS NOT NULL", d=device)
    near = world.policy.windows["command"]
    commands = [r["time"] for r in rows if abs(r["time"] - moment) > near and fits(str(r["object"] or ""), wanted)][:_MOST]
    owners = world.known.holders(device, moment)
    accounts = sorted({i.identifier for p in owners for i in world.known.by_person.get(p, ()) if i.kind == "personal"})
    done = world.acts(
        "action IN ('code.push', 'session.ssh.open') AND list_contains($a, actor) AND outcome = 'ok' AND time IS NOT NULL", a=accounts
    ) if len(commands) >= _LEAST else []  # fmt: skip
    apart = sorted((r["time"] - c, c) for r in done[: 5 * _MOST] for c in commands if abs(r["time"] - c) <= _FAR)
    level = len({c for d, c in apart if _AT_ONCE[0] <= d <= _AT_ONCE[1]})
    places = [d for d, _ in apart]
    best = max((len({c for _, c in apart[n : bisect_left(places, d + _CLOSE)]}) for n, d in enumerate(places)), default=0)
    return best >= max(_LEAST, len(commands) / 3) and best > 2 * level
