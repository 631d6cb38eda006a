"""From an act back to whoever stood behind it: the login it came out of, the address, and the device that had it."""

import re
from dataclasses import dataclass, replace
from typing import Any

from forensics.reasoning import commands, shared
from forensics.reasoning.act import Act, Row
from forensics.reasoning.devices import Device, holding, open_sessions
from forensics.reasoning.gateways import session_behind
from forensics.reasoning.logins import hosts_of, logins
from forensics.reasoning.moved import replicated
from forensics.reasoning.set_up import by_cluster, set_on_host
from forensics.reasoning.terminals import attached
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Origin:
    """One way back: the login or account behind the act, and where it sat."""

    account: str
    manner: str
    """direct, shared (the act's account is shared: this login stood behind it), automation (this account set the robot off)"""
    time: int
    events: tuple[int, ...]
    """records that lead from the act to this account and login"""
    sources: tuple[str, ...]
    people: tuple[str, ...] = ()
    """whose login it was: the account's holders, or of a shared account the owner of the key"""
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
    word: str = "almost certain"
    """how surely the records lead from the act to this login"""
    keepers: frozenset[str] = frozenset()
    """people who could have made up the whole of some step of the way: every record of it is theirs to edit"""
    login: str | None = None
    """the login on a host in which the command ran, where the records show it"""
    ran: tuple[int, ...] = ()
    """the records of that command"""
    trigger: Act | None = None
    """what set the robot off"""

    @property
    def moment(self) -> int:
        """When somebody sat at the far end: at the login, where there is one, else at the act."""
        return self.time if self.login_time is None else self.login_time


def origins_of(world: World, act: Act, kind: str, jobs: tuple[str, ...] = ()) -> tuple[Origin, ...]:
    """Return every account that may stand behind an act, by how its own account is used; `jobs`: in whose processes it happened."""
    if act.account is None:
        return ()
    if rows := set_on_host(world, act):
        return tuple(_traced(world, o, act) for o in _set_off(world, act, rows))
    if kind in ("shared", "service"):
        found = _triggers(world, act, jobs) or [
            Origin(way.account, "shared", way.time, (*act.events, *way.events), tuple(sorted({*act.sources, *way.sources})), way.people, word=way.word, hosts=way.hosts,
                   sessions=way.sessions)
            for way in shared.behind(world, act)
        ] or _straight(world, act, kind)  # fmt: skip
        return tuple(o for o in (_traced(world, o, act) for o in found) if o.manner != "direct" or any(d.owners for d in o.devices))
    direct = _direct(world, act)
    told = {world.known.last_holders(o.login, act.time[0]) for o in direct if o.login}  # his login is the way already
    borrowed = [o for o in _borrowed(world, act, direct[0]) if o.people not in told]
    return tuple(_traced(world, o, act) for o in (*direct, *borrowed))


def _straight(world: World, act: Act, kind: str) -> list[Origin]:
    """Return the way back from a shared account that was used on no host but from an address: the device tells, where there is one, the account does not. A robot that acts at its own address leaves no command on anybody's device, so there the address has to lead to one."""
    if not act.ip or hosts_of(world, act) or (kind == "service" and not any(d.owners for d in holding(world, act.ip, act.time))):
        return []
    return [Origin(str(act.account), "direct", act.time[0], act.events, act.sources)]


def _borrowed(world: World, act: Act, direct: Origin) -> list[Origin]:
    """Return the logins of others that ran something as the account's holder on that host shortly before: a shell or terminal of his may be in their hands."""
    hosts = list(direct.hosts) or hosts_of(world, act)
    people = set(direct.people)
    if not hosts or not people:
        return []
    usable = {a for p in people for a in world.known.of(p, "unix")} | {str(act.account)}
    held = {
        a for a in usable if world.known.kind(a, act.time[0]) == "personal"
    }  # into what others may use, too, they go on their own account
    mine = {a.partition(":")[2] for a in held}
    rows = world.acts(
        """action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND time BETWEEN $low AND $t AND actor IS NOT NULL
           AND target IS NOT NULL AND (list_contains($mine, split_part(target, ':', 2)) OR regexp_matches(object, '/(su|runuser|machinectl|setpriv)$'))""",
        h=hosts, mine=sorted(mine), low=act.time[0] - world.policy.windows["shared_exec"], t=act.time[1],
    )  # fmt: skip
    found: dict[str, Origin] = {}
    for r in rows:
        if str(r["target"]).partition(":")[2] not in mine and not mine & set(commands.line_of(r).split()):
            continue
        holders = world.known.holders(r["actor"], r["time"])
        if holders and not set(holders) & people and world.known.kind(r["actor"], r["time"]) == "personal":
            found[r["actor"]] = Origin(
                r["actor"], "shared", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]})), holders, hosts=(r["host"],), word="even"
            )  # fmt: skip
    for r in attached(world, act, hosts, {a.partition(":")[2] for a in usable}):
        found.setdefault(
            r["actor"], Origin(r["actor"], "shared", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]})), world.known.holders(r["actor"], r["time"]), hosts=(r["host"],), word="even")
        )  # fmt: skip
    return [*found.values(), *(o for o in _guests(world, act, hosts, mine, people) if o.account not in found)]


_WORDS = re.compile(r"[\w.#-]+")


def _guests(world: World, act: Act, hosts: list[str], mine: set[str], people: set[str]) -> list[Origin]:
    """Return the others who had a session open on that host under the holder's login: a notebook server, a shared terminal."""
    rows = open_sessions(world, "list_contains($h, host) AND actor IS NOT NULL", act.time[0], world.policy.windows["session"], h=hosts)
    rows = [r for r in rows if mine & set(_WORDS.findall(f"{r['object'] or ''} {r['target'] or ''}"))]
    found: dict[str, Origin] = {}
    for r in rows:
        holders = world.known.holders(r["actor"], r["time"])
        if holders and not set(holders) & people and world.known.kind(r["actor"], r["time"]) == "personal":
            found[r["actor"]] = Origin(
                r["actor"], "shared", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]})), holders, hosts=(r["host"],), word="even"
            )  # fmt: skip
    return list(found.values())


def _direct(world: World, act: Act) -> tuple[Origin, ...]:
    """Return the ways back from an act of somebody's own account: it, or each login on its host in which the command may have run."""
    assert act.account is not None
    people = world.known.last_holders(act.account, act.time[0])
    found = Origin(act.account, "direct", act.time[0], act.events, act.sources, people)
    if act.kind.startswith(("file.", "process.")):
        return (found,)
    hosts = hosts_of(world, act)
    ran, word = commands.on_host(world, act, hosts), found.word
    if not ran:
        ran, word = commands.active_on(world, act, hosts), "likely"
        if ran and not any(set(people) & set(world.known.last_holders(rows[0]["actor"], rows[0]["time"])) for rows in ran):
            return (*(_out_of(found, rows, "even") for rows in ran), replace(found, word="even"))  # his own may have begun long before
    return tuple(_out_of(found, rows, word if len(ran) == 1 else "even") for rows in ran) or (found,)


def _out_of(found: Origin, rows: list[Row], word: str) -> Origin:
    """Return the way over the login in which these commands ran; nobody's, where the kernel did not keep it."""
    known = rows[0]["actor"] is not None
    return replace(
        found,
        account=found.account if known else f"{found.account} out of no recorded login",
        manner=found.manner if known else "shared",
        people=found.people if known else (),
        word=word if known else "even",
        events=(*found.events, *(r["event"] for r in rows[:4])),
        sources=tuple(sorted({*found.sources, *(r["source"] for r in rows)})),
        hosts=tuple(sorted({r["host"] for r in rows})),
        sessions=tuple(dict.fromkeys(r["session"] for r in rows if r["session"])),
        login=rows[0]["actor"],
        ran=tuple(r["event"] for r in rows[:4]),
    )


_STOPPED = ("denied", "refused", "rejected", "skipped", "canceled", "cancelled")


def _triggers(world: World, act: Act, jobs: tuple[str, ...]) -> list[Origin]:
    """Return who set the robot off: the run that the act itself names, else one on the commit that it built upon and that was under way."""
    made = {str(r[k]).partition("@")[2] for r in act.rows for k in ("target", "object") if r[k] and "@" in str(r[k])}
    made |= {str(r["object"]) for r in act.rows if r["object"]} | {str(r["session"]) for r in act.rows if r["session"]}
    launch = by_cluster(world, act, jobs)
    rows = (
        _set_by(world, act)
        or replicated(world, act)
        or _runs(world, act, sorted(made - {""}))
        or _under_way(world, act)
        or (_set_by(world, launch) if launch else [])
    )
    # a timetable's runs bear the robot's own name: they say nothing of whose wish it was, nor does another's run beside one
    if any(world.known.kind(r["actor"], r["time"]) == "service" for r in rows):
        return []
    return _set_off(world, act, rows[-5:])


def _set_off(world: World, act: Act, rows: list[Row]) -> list[Origin]:
    return [
        Origin(
            r["actor"], "automation", r["time"], (*act.events, r["event"]), tuple(sorted({*act.sources, r["source"]})),
            world.known.last_holders(r["actor"], r["time"]), trigger=Act(r["action"], r["actor"], (r["time"], r["time_hi"] or r["time"]), (r,), r["ip"], host=r["host"]),
        )
        for r in rows
    ]  # fmt: skip


_TOLD = ("command", "image", "env")
"""what a job bears of what it was made from"""


def _set_by(world: World, act: Act) -> list[Row]:
    """Return who made or changed what a controller made a job for: whoever first wrote what the job bears, with those who wrote the very same after him; nobody, where it runs what none of them did."""
    owner = act.rows[0]["attrs"].get("set_by")
    rows = world.acts(
        "(action = 'job.launch' OR starts_with(action, 'automation.trigger')) AND object = $o AND outcome = 'ok' AND actor IS NOT NULL AND time <= $t AND NOT list_contains($mine, event)",
        o=owner, t=act.time[1], mine=list(act.events),
    ) if owner else []  # fmt: skip
    said = [act.rows[0]["attrs"].get(k) for k in _TOLD]
    wrote = [r["attrs"].get("command") for r in rows]
    if said[0] and wrote and not any(_says(r, said) for r in rows):
        return []  # what the job runs, nobody who is on record wrote: somebody else, or a robot, did
    other = [n for n, r in enumerate(rows) if [r["attrs"].get(k) for k in _TOLD] != said]
    alike = rows[(other[-1] + 1 if other else 0) :] if said[0] else []
    return [r for n, r in enumerate(alike) if r["actor"] not in {x["actor"] for x in alike[:n]}] or rows


def _says(row: Row, said: list[Any]) -> bool:
    """Tell whether a write says something that the job bears: its line, or where it tells none what else."""
    command, *rest = (row["attrs"].get(k) for k in _TOLD)
    return str(command) in str(said[0]) if command else any(a and a == b for a, b in zip(rest, said[1:], strict=True))


def _runs(world: World, act: Act, refs: list[str]) -> list[Row]:
    rows = world.acts(
        "starts_with(action, 'automation.trigger') AND (list_contains($refs, session) OR list_contains($refs, object)) AND actor IS NOT NULL AND time <= $t",
        refs=refs, t=act.time[1] + world.policy.windows["same_act"],
    )  # fmt: skip
    begun = [r for r in rows if r["outcome"] not in _STOPPED]
    last = {
        r["object"]: r for r in (*reversed(begun), *(b for b in begun if b["time"] <= act.time[1])) if r["object"]
    }  # who runs a run again has set it off this time
    return [r for r in begun if r["object"] is None or last[r["object"]] is r]


def _under_way(world: World, act: Act) -> list[Row]:
    """Return the runs on the commit that the act built upon: of those that the robot ended just after the act, else of those begun before."""
    before = sorted({str(r["prior"]).partition("@")[2] for r in act.rows if r.get("prior")} - {""})
    rows = [r for r in _runs(world, act, before) if r["time"] >= act.time[0] - world.policy.windows["session"]]
    ended = world.acts(
        "action = 'automation.end' AND list_contains($o, object) AND time BETWEEN $low AND $high",
        o=[r["object"] for r in rows if r["object"]], low=act.time[0] - world.policy.windows["same_act"], high=act.time[1] + 5 * world.policy.windows["same_act"],
    )  # fmt: skip
    over = {r["object"] for r in ended}
    return [r for r in rows if r["object"] in over] or rows


def _traced(world: World, origin: Origin, act: Act) -> Origin:
    """Follow the login back over jump hosts to the first address, and to the device that had it."""
    act = origin.trigger or act
    if _of_no_login(act):
        return origin
    direct = origin.manner != "shared"
    hosts = list(origin.hosts) or hosts_of(world, act)
    rows, at_once = logins(world, origin.login or origin.account, origin.events, origin.time, act, hosts, origin.sessions)
    first = [act.ip] if direct and not {r["event"] for r in session_behind(world, act)} & {r["event"] for r in rows} else []
    found = replace(
        origin,
        events=tuple(dict.fromkeys([*origin.events, *(r["event"] for r in rows)])),
        sources=tuple(sorted({*origin.sources, *(r["source"] for r in rows)})),
        addresses=tuple(dict.fromkeys(ip for ip in [*first, *(r["ip"] for r in rows)] if ip)),
        keys=tuple(
            dict.fromkeys((r["credential"], r["event"], r["source"]) for r in [*(act.rows if direct else ()), *rows] if r["credential"])
        ),
        hosts=tuple(sorted({*origin.hosts, *(r["host"] for r in rows if r["host"])})),
        login_time=rows[-1]["time"] if rows else None,
        sessions=tuple(dict.fromkeys(r["session"] for r in rows if r["session"])),
    )
    devices = _devices(world, found, act, rows, at_once)
    if not any(d.owners for d in devices):
        far = found.addresses[-1] if found.addresses else None
        devices = (
            commands.device_of(
                world, act, found.moment, found.hosts, reached=found.login_time is not None, among=devices, ip=far, login=found.account
            )
            or devices
        )
    found = replace(found, devices=devices)
    return replace(found, keepers=_keepers(world, found, act, rows))


def _of_no_login(act: Act) -> bool:
    """Tell whether the kernel's audit says that the process of an act came out of no login (auid and ses unset, as a daemon's): then it came out of none that are open."""
    return act.kind.startswith(("file.", "process.")) and bool(act.rows) and act.rows[0]["actor"] is None and not act.rows[0]["session"]


def _keepers(world: World, origin: Origin, act: Act, rows: list[Row]) -> frozenset[str]:
    """Return who controls every record of some login on the way: what a second log, out of his reach, tells as well, he could not have made up.

    The command on the device from which the login was made is such a second record.
    """
    steps: dict[str, set[str]] = {}
    for row in rows:
        steps.setdefault(str(row["host"]), set()).add(row["source"])
    if rows:
        close = world.policy.windows["at_once"]
        seen = commands.leading_to(world, act, origin.moment, origin.hosts, reached=True, login=origin.account)
        devices = {d.device for d in origin.devices}
        mine = [
            r
            for r in seen
            if abs(r["time"] - origin.moment) <= close
            and (r["device"] in devices or set(world.known.holders(r["actor"], r["time"])) & set(origin.people))
        ]
        for row in rows:  # one command opens the whole way through a jump host
            steps[str(row["host"])] |= {r["source"] for r in mine if abs(r["time"] - row["time"]) <= close}
    held = [frozenset.intersection(*(frozenset(world.controllers.get(s) or ()) for s in sources)) for sources in steps.values()]
    return frozenset().union(*held)


def _devices(world: World, origin: Origin, act: Act, rows: list[Row], at_once: int) -> tuple[Device, ...]:
    """Return the devices at the far ends; none where one of several sessions that were open at once comes from an unknown one."""
    direct = act.ip if origin.manner != "shared" else None
    spans = {ip: tuple(sorted({r["time"] for r in rows if r["ip"] == ip})) for ip in origin.addresses}
    told = {ip: tuple(sorted({r["source"] for r in rows if r["ip"] == ip})) or act.sources for ip in origin.addresses}
    found = {
        ip: holding(world, ip, spans[ip] or ((*dict.fromkeys(act.time),) if ip == direct else (origin.moment,)), told[ip])
        for ip in origin.addresses
    }
    ours = {r["ip"] for r in world.tables.rows("SELECT ip FROM addresses")}
    if at_once > 1 and any(not devices and ip not in ours for ip, devices in found.items()):
        return ()
    devices = tuple(d for ip in origin.addresses for d in found[ip])
    owners = {d.owners for d in devices}
    return devices if len(owners) <= 1 or at_once <= 1 else tuple(replace(d, owners=()) for d in devices)
