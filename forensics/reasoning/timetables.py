"""What timetables ran under an account, on hosts and devices: nobody need have been there."""

import re

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World


def runs_before(world: World, act: Act, hosts: list[str]) -> list[Row]:
    """Return what timetables started under the act's account on these hosts shortly before it."""
    return _runs(world, (_local(act.account),), hosts, act.time[0] - world.policy.windows["shared_exec"], act.time[1])


def usual(world: World, act: Act, runs: list[Row]) -> list[Row]:
    """Keep the runs just before the act after whose like the account did the same to the object at another time: the timetable's own habit."""
    near = world.policy.windows["just_before"]
    runs = [r for r in runs if r["time"] >= act.time[0] - near]
    if not runs:
        return []
    same = str(act.rows[0]["object"]).partition("?")[0]
    done = world.acts(
        "action = $k AND actor = $a AND split_part(object, '?', 1) = $o AND outcome = 'ok' AND NOT list_contains($mine, event)",
        k=act.kind, a=act.account, o=same, mine=list(act.events),
    )  # fmt: skip
    names = tuple(sorted({_local(r["target"]) for r in runs}))
    begun = _runs(world, names, sorted({r["host"] for r in runs if r["host"]}), *world.case.window)
    like = {
        (b["host"], b["attrs"].get("command"))
        for b in begun
        for d in done
        if d["time"] is not None and 0 <= d["time"] - b["time"] <= near and abs(d["time"] - act.time[0]) > near
    }
    return [r for r in runs if (r["host"], r["attrs"].get("command")) in like]


def behind(world: World, act: Act) -> list[Row]:
    """Return what a timetable ran at the moment of an act of somebody's own account, under his name, and that leads to such acts: by its command, or by its habit.

    On a device, where no log says what was a timetable's, it is what started there at the same moment of other hours.
    """
    people = world.known.last_holders(act.account, act.time[0])
    names = {_local(act.account)} | {_local(a) for p in people for a in world.known.of(p, "unix")}
    low, high = act.time[0] - world.policy.windows["at_once"], act.time[1]
    wanted = world.policy.commands.get(act.kind, ())
    runs = _runs(world, tuple(sorted(names)), [], low, high)
    rows = world.acts("starts_with(action, 'device.process') AND time BETWEEN $low AND $high AND outcome = 'ok'", low=low, high=high)
    mine = [r for r in rows if names & {_local(r["actor"]), *_WORDS.findall(str(r["object"] or ""))}]
    usually = usual(world, act, runs)
    return [
        *(r for r in runs if r in usually or _leads(str(r["attrs"].get("command") or ""), wanted)),
        *(r for r in mine if _leads(str(r["object"] or ""), wanted) and recurs(world, r)),
    ]


_WORDS = re.compile(r"[\w.#-]+")
_HOUR = 3_600_000_000_000
_EXACT = 3_000_000_000
"""by how much a timetable's starts differ from hour to hour"""
_AGAIN = 2
"""other hours at whose same moment it started"""


def _leads(line: str, wanted: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![\w/.-]){re.escape(w)}(?![\w-])", line) for w in wanted)


def recurs(world: World, row: Row) -> bool:
    """Tell whether the same command started on that device at the same moment of other hours."""
    rows = world.acts(
        "starts_with(action, 'device.process') AND device = $d AND object = $o AND actor IS NOT DISTINCT FROM $a",
        d=row["device"],
        o=row["object"],
        a=row["actor"],
    )
    apart = [abs(r["time"] - row["time"]) for r in rows if r["time"] is not None]
    return len({(a + _EXACT) // _HOUR for a in apart if a > _HOUR // 2 and min(a % _HOUR, _HOUR - a % _HOUR) <= _EXACT}) >= _AGAIN


def _local(account: str | None) -> str:
    return str(account).partition(":")[2]


def _runs(world: World, names: tuple[str, ...], hosts: list[str], low: int, high: int) -> list[Row]:
    return world.acts(
        "action = 'process.timer' AND list_contains($names, split_part(target, ':', 2)) AND (len($h) = 0 OR list_contains($h, host)) AND time BETWEEN $low AND $high",
        names=list(names), h=hosts, low=low, high=high,
    )  # fmt: skip
