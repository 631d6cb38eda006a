"""What a host's timetables ran under an account: nobody need have been there."""

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World


def runs_before(world: World, act: Act, hosts: list[str]) -> list[Row]:
    """Return what timetables started under the act's account on these hosts shortly before it."""
    return _runs(world, act, hosts, act.time[0] - world.policy.windows["shared_exec"], act.time[1])


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
    begun = _runs(world, act, sorted({r["host"] for r in runs if r["host"]}), *world.case.window)
    like = {
        (b["host"], b["attrs"].get("command"))
        for b in begun
        for d in done
        if d["time"] is not None and 0 <= d["time"] - b["time"] <= near and abs(d["time"] - act.time[0]) > near
    }
    return [r for r in runs if (r["host"], r["attrs"].get("command")) in like]


def _runs(world: World, act: Act, hosts: list[str], low: int, high: int) -> list[Row]:
    return world.acts(
        "action = 'process.timer' AND split_part(target, ':', 2) = $name AND (len($h) = 0 OR list_contains($h, host)) AND time BETWEEN $low AND $high",
        name=str(act.account).partition(":")[2], h=hosts, low=low, high=high,
    )  # fmt: skip
