"""Further ways back from an act than its own record shows: whose content it copied, what the record only claims, who else was there to claim it."""

from dataclasses import replace

from forensics.fields import address
from forensics.reasoning.act import Act, Row
from forensics.reasoning.copied import first_writes
from forensics.reasoning.logins import hosts_of
from forensics.reasoning.origins import Origin, origins_of
from forensics.reasoning.timetables import behind
from forensics.reasoning.world import World


def further(world: World, act: Act, kind: str, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """Return further ways back from an act; none where its records leave no other open."""
    if not origins:
        return ()
    if kind in ("shared", "service"):
        return _by_first_write(world, act)
    return (
        *_by_first_write(world, act),
        *_by_timetable(world, act),
        *_by_claimed_addresses(world, act, kind, origins),
        *_by_any_login(world, act, origins),
    )


def _by_first_write(world: World, act: Act) -> tuple[Origin, ...]:
    """Return the ways back from the writes that the object's content came from, where they were another's: who copies what is there need not know what it holds."""
    own = _who(world, act.account, act.time[0])
    writers = {_who(world, r["actor"], r["time"]): r for r in first_writes(world, act)}
    return tuple(o for who, row in writers.items() if who != own for o in _of_write(world, row))


def _of_write(world: World, row: Row) -> tuple[Origin, ...]:
    made = Act(
        row["action"],
        row["actor"],
        (row["time"], row["time_hi"] or row["time"]),
        (row,),
        row["ip"],
        row["session"],
        row["credential"],
        row["host"],
    )
    return origins_of(world, made, world.known.kind(made.account, made.time[0])) or (
        Origin(str(made.account), "direct", made.time[0], made.events, made.sources),
    )


def _by_timetable(world: World, act: Act) -> tuple[Origin, ...]:
    """Return the way of what a timetable ran at that moment in the account's name: nobody's hands."""
    runs = behind(world, act)
    if not runs:
        return ()
    sources, hosts = tuple(sorted({*act.sources, *(r["source"] for r in runs)})), tuple(sorted({r["host"] for r in runs if r["host"]}))
    events = (*act.events, *(r["event"] for r in runs[:6]))
    return (Origin(f"{act.account} by timetable", "shared", runs[-1]["time"], events, sources, hosts=hosts, word="even"),)


def _who(world: World, account: str | None, time: int) -> tuple[str, ...] | str:
    return world.known.last_holders(account, time) or str(account)


def _by_claimed_addresses(world: World, act: Act, kind: str, origins: tuple[Origin, ...]) -> list[Origin]:
    """Return the ways over addresses that the request itself claimed, where they lead to devices of other people than the connection's address and account do."""
    claimed = [a for r in act.rows for ip in r["attrs"].get("claimed_ips") or () if (a := address(str(ip)))]
    known = _owners(origins) or {p for o in origins for p in o.people}
    found = [o for ip in dict.fromkeys(claimed) if ip != act.ip for o in origins_of(world, replace(act, ip=ip), kind)[:1]]
    return [o for o in found if _owners((o,)) - known]


def _owners(origins: tuple[Origin, ...]) -> set[str]:
    return {p for o in origins for d in o.devices for p in d.owners}


def _by_any_login(world: World, act: Act, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """Return the logins of others that were open on the host of an act, where no record shows the very command: that its account's holder was logged in there, too, does not make it his."""
    if any(o.ran for o in origins) or act.kind.startswith(("file.", "process.")):
        return ()
    return logged_in(world, act, frozenset(p for o in origins for p in o.people))


def logged_in(world: World, act: Act, but: frozenset[str]) -> tuple[Origin, ...]:
    """Return the logins of the day on the host of an act, but for these people's: what was left running (tmux, at, nohup) outlasts its login."""
    hosts = hosts_of(world, act)
    if not hosts:
        return ()
    rows = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND list_contains($h, host) AND time BETWEEN $low AND $t AND outcome = 'ok' AND actor IS NOT NULL",
        h=hosts, low=act.time[0] - world.policy.windows["session"], t=act.time[1],
    )  # fmt: skip
    last = {world.known.last_holders(r["actor"], r["time"]) or (str(r["actor"]),): r for r in rows}
    return tuple(
        Origin(
            str(r["actor"]), "shared", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]})), world.known.last_holders(r["actor"], r["time"]), hosts=(r["host"],), word="even"
        )
        for who, r in sorted(last.items())
        if not set(who) & but
    )  # fmt: skip
