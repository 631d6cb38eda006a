"""From an act back to the personal account behind it, the login it came from, the address, and the device that had it."""

from dataclasses import dataclass, replace

from forensics.reasoning.act import Act, Row
from forensics.reasoning.devices import Device, holding
from forensics.reasoning.logins import hosts_of, logins, still_open
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Origin:
    """One way back: the personal account behind the act, and where it sat."""

    account: str
    manner: str
    """direct, shared (the act's account is shared: this login stood behind it), automation (this account set the robot off)"""
    time: int
    events: tuple[int, ...]
    """records that lead from the act to this account and login"""
    sources: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    """from near to far: the address the act came from, then those of the logins before it"""
    keys: tuple[tuple[str, int, str], ...] = ()
    """(key, event, source)"""
    devices: tuple[Device, ...] = ()
    hosts: tuple[str, ...] = ()
    """hosts that the way goes through"""
    login_time: int | None = None
    """when the first login of the way began"""
    sessions: tuple[str, ...] = ()
    """the logins' sessions, from near to far"""

    @property
    def moment(self) -> int:
        """When somebody sat at the far end: at the login, where there is one, else at the act."""
        return self.time if self.login_time is None else self.login_time


def origins_of(world: World, act: Act, kind: str) -> tuple[Origin, ...]:
    """Return every account that may stand behind an act, by how its own account is used."""
    if act.account is None:
        return ()
    if kind in ("shared", "service"):
        found = _triggers(world, act) or _behind_shared(world, act)
        return tuple(_traced(world, o, act) for o in found)
    return (_traced(world, Origin(act.account, "direct", act.time[0], act.events, act.sources), act),)


def _triggers(world: World, act: Act) -> list[Origin]:
    """Return who set the robot off: a trigger whose session is the commit or job of the act, and that came before it."""
    refs = {str(r[k]).partition("@")[2] for r in act.rows for k in ("target", "object") if r[k] and "@" in str(r[k])}
    refs |= {str(r["object"]) for r in act.rows if r["object"]}
    rows = world.acts(
        "starts_with(action, 'automation.trigger') AND list_contains($refs, session) AND actor IS NOT NULL AND time <= $t",
        refs=sorted(refs - {""}), t=act.time[1] + world.policy.windows["same_act"],
    )  # fmt: skip
    rows = [r for r in rows if r["outcome"] not in ("denied", "refused", "rejected", "skipped", "canceled", "cancelled")]
    return [
        Origin(r["actor"], "automation", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]}))) for r in rows[:5]
    ]


def _behind_shared(world: World, act: Act) -> list[Origin]:
    """Return the logins behind a shared account: processes under it where the act came from, and logins as that account itself."""
    hosts = hosts_of(world, act)
    rows = world.acts(
        """action = 'process.exec' AND target IS NOT NULL AND actor IS DISTINCT FROM target AND split_part(target, ':', 2) = $name
           AND time BETWEEN $low AND $high AND (len($hosts) = 0 OR list_contains($hosts, host)) AND outcome = 'ok'""",
        name=str(act.account).partition(":")[2], low=act.time[0] - world.policy.windows["session"], high=act.time[1] + 5_000_000_000, hosts=hosts,
    )  # fmt: skip
    named = [r for r in rows if _names(r, act) and r["time"] >= act.time[0] - world.policy.windows["shared_exec"]]
    return _by_account(world, named, act) or [*_by_account(world, _lasting(world, rows, act), act), *_direct_logins(world, act, hosts)]


def _lasting(world: World, rows: list[Row], act: Act) -> list[Row]:
    """Keep processes shortly before the act, and older ones whose session no record closes: a shell stays open."""
    recent = act.time[0] - world.policy.windows["shared_exec"]
    ended = {
        r["session"]: r["time"]
        for r in world.acts(
            "regexp_matches(action, '^session[.].*close$') AND list_contains($s, session) AND time <= $t",
            s=sorted({r["session"] for r in rows if r["session"]}), t=act.time[0],
        )
    }  # fmt: skip
    return [r for r in rows if r["time"] >= recent or not r["session"] or ended.get(r["session"], -1) < r["time"]]


def _direct_logins(world: World, act: Act, hosts: list[str]) -> list[Origin]:
    """Return logins as the shared account itself that were open at the act: they tell of no person."""
    rows = world.acts(
        """regexp_matches(action, '^session[.].*[.]open$') AND split_part(actor, ':', 2) = $name AND NOT starts_with(action, 'session.role')
           AND time BETWEEN $low AND $high AND (len($hosts) = 0 OR list_contains($hosts, host)) AND outcome = 'ok' AND host IS NOT NULL""",
        name=str(act.account).partition(":")[2], low=act.time[0] - world.policy.windows["session"], high=act.time[1], hosts=hosts,
    )  # fmt: skip
    rows = still_open(world, rows, act.time[0])
    return [Origin(str(act.account), "shared", r["time"], (*act.events, r["event"]), (r["source"],)) for r in rows[:3]]


def _names(row: Row, act: Act) -> bool:
    """Tell whether a process's command names the object of the act."""
    objects = [str(r["object"] or "").partition("?")[0] for r in act.rows]
    tails = {o.rpartition("/")[2] for o in objects if "/" in o} | set(objects)
    return any(t and t in _command(row) for t in tails)


def _command(row: Row) -> str:
    argv = row["attrs"].get("argv")
    return " ".join(str(a) for a in argv) if isinstance(argv, list) else str(row["attrs"].get("command") or argv or "")


def _by_account(world: World, rows: list[Row], act: Act) -> list[Origin]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["actor"] and world.known.kind(row["actor"], row["time"]) == "personal":
            found.setdefault(row["actor"], []).append(row)
    return [
        Origin(
            account, "shared", mine[-1]["time"], (*act.events, *[r["event"] for r in mine[-6:]]),
            tuple(sorted({*act.sources, *(r["source"] for r in mine)})), hosts=tuple(sorted({r["host"] for r in mine if r["host"]})),
        )
        for account, mine in sorted(found.items())
    ]  # fmt: skip


def _traced(world: World, origin: Origin, act: Act) -> Origin:
    """Follow the login back over jump hosts to the first address, and to the device that had it."""
    direct = origin.manner == "direct"
    hosts = list(origin.hosts) or hosts_of(world, act)
    rows, at_once = logins(world, origin.account, origin.events, origin.time, act, hosts)
    found = replace(
        origin,
        events=tuple(dict.fromkeys([*origin.events, *(r["event"] for r in rows)])),
        sources=tuple(sorted({*origin.sources, *(r["source"] for r in rows)})),
        addresses=tuple(dict.fromkeys(ip for ip in ([act.ip] if direct else []) + [r["ip"] for r in rows] if ip)),
        keys=tuple(
            dict.fromkeys((r["credential"], r["event"], r["source"]) for r in [*(act.rows if direct else ()), *rows] if r["credential"])
        ),
        hosts=tuple(sorted({*origin.hosts, *(r["host"] for r in rows if r["host"])})),
        login_time=rows[-1]["time"] if rows else None,
        sessions=tuple(r["session"] for r in rows if r["session"]),
    )
    return replace(found, devices=_devices(world, found, act, rows, at_once))


def _devices(world: World, origin: Origin, act: Act, rows: list[Row], at_once: int) -> tuple[Device, ...]:
    """Return the devices at the far ends; none where one of several sessions that were open at once comes from an unknown one."""
    direct = act.ip if origin.manner == "direct" else None
    spans = {ip: tuple(sorted({r["time"] for r in rows if r["ip"] == ip})) for ip in origin.addresses}
    found = {
        ip: holding(world, ip, spans[ip] or ((*dict.fromkeys(act.time),) if ip == direct else (origin.moment,))) for ip in origin.addresses
    }
    ours = {r["ip"] for r in world.tables.rows("SELECT ip FROM addresses")}
    if at_once > 1 and any(not devices and ip not in ours for ip, devices in found.items()):
        return ()
    devices = tuple(d for ip in origin.addresses for d in found[ip])
    owners = {d.owners for d in devices}
    return devices if len(owners) <= 1 or at_once <= 1 else tuple(replace(d, owners=()) for d in devices)
