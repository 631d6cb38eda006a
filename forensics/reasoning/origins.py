"""From an act back to the personal account behind it, the login it came from, the address, and the device that had it."""

from dataclasses import dataclass

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Device:
    """A device that had the address an act or login came from."""

    device: str
    owners: tuple[str, ...]
    events: tuple[int, ...]
    sources: tuple[str, ...]
    by_session: bool
    """the lease is a sign-on of its own (VPN), not only an address given out"""
    lessee: str | None
    """account that the lease names"""


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


def origins_of(world: World, act: Act, kind: str) -> tuple[Origin, ...]:
    """Return every personal account that may stand behind an act, by how the account is used."""
    if act.account is None:
        return ()
    if kind in ("shared", "service"):
        found = _triggers(world, act) or _behind_shared(world, act)
        return tuple(_traced(world, o, act) for o in found)
    start = Origin(act.account, "direct", act.time[0], tuple(r["event"] for r in act.rows), tuple(sorted({r["source"] for r in act.rows})))
    return (_traced(world, start, act),)


def _triggers(world: World, act: Act) -> list[Origin]:
    """Return who set the robot off: a trigger whose session is the commit or job of the act."""
    refs = {str(r[k]).partition("@")[2] for r in act.rows for k in ("target", "object") if r[k] and "@" in str(r[k])}
    refs |= {str(r["object"]) for r in act.rows if r["object"]}
    rows = world.acts(
        "starts_with(action, 'automation.trigger') AND list_contains($refs, session) AND actor IS NOT NULL", refs=sorted(refs - {""})
    )
    return [
        Origin(
            r["actor"],
            "automation",
            r["time"] or act.time[0],
            (*[x["event"] for x in act.rows], r["event"]),
            tuple(sorted({x["source"] for x in act.rows} | {r["source"]})),
        )
        for r in rows[:5]
    ]


def _behind_shared(world: World, act: Act) -> list[Origin]:
    """Return the logins behind a shared account: the act's own session, or processes under that account where the act came from."""
    window = world.policy.windows["shared_exec"]
    name = str(act.account).partition(":")[2]
    hosts = _hosts(world, act)
    rows = world.acts(
        """action = 'process.exec' AND target IS NOT NULL AND actor IS DISTINCT FROM target AND split_part(target, ':', 2) = $name
           AND time BETWEEN $low AND $high AND (len($hosts) = 0 OR list_contains($hosts, host)) AND outcome = 'ok'""",
        name=name, low=act.time[0] - window, high=act.time[1] + 5_000_000_000, hosts=hosts,
    )  # fmt: skip
    nearest = _telling(rows, act)
    return _by_account(world, nearest, act)


def _hosts(world: World, act: Act) -> list[str]:
    """Return the hosts where the act's process ran: the record's own, for host logs; else those whose address it came from."""
    if act.kind.startswith(("file.", "process.")):
        return [act.host] if act.host else []
    return [r["host"] for r in world.tables.rows("SELECT host FROM addresses WHERE ip = $ip", ip=act.ip or "")]


def _telling(rows: list[Row], act: Act) -> list[Row]:
    """Keep the processes whose command names the object; where none does, all of them."""
    objects = [str(r["object"] or "").partition("?")[0] for r in act.rows]
    tails = {o.rpartition("/")[2] for o in objects if "/" in o} | set(objects)
    named = [r for r in rows if any(t and t in _command(r) for t in tails)]
    return named or rows


def _command(row: Row) -> str:
    argv = row["attrs"].get("argv")
    return " ".join(str(a) for a in argv) if isinstance(argv, list) else str(row["attrs"].get("command") or argv or "")


def _by_account(world: World, rows: list[Row], act: Act) -> list[Origin]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["actor"] and world.known.kind(row["actor"], row["time"]) == "personal":
            found.setdefault(row["actor"], []).append(row)
    records = tuple(r["event"] for r in act.rows)
    return [
        Origin(
            account, "shared", mine[-1]["time"], (*records, *[r["event"] for r in mine[-6:]]),
            tuple(sorted({r["source"] for r in act.rows} | {r["source"] for r in mine})), hosts=tuple(sorted({r["host"] for r in mine if r["host"]})),
        )
        for account, mine in sorted(found.items())
    ]  # fmt: skip


def _traced(world: World, origin: Origin, act: Act) -> Origin:
    """Follow the login back over jump hosts to the first address, and to the device that had it."""
    logins = _logins(world, origin, act)
    addresses = [act.ip] if act.ip and origin.manner == "direct" else []
    addresses += [r["ip"] for r in logins if r["ip"] and r["ip"] not in addresses]
    keys = [
        (r["credential"], r["event"], r["source"]) for r in [*(act.rows if origin.manner == "direct" else ()), *logins] if r["credential"]
    ]
    time = logins[-1]["time"] if logins else origin.time
    events = tuple(dict.fromkeys([*origin.events, *(r["event"] for r in logins)]))
    sources = tuple(sorted({*origin.sources, *(r["source"] for r in logins)}))
    devices = tuple(d for ip in addresses for d in _leased(world, ip, origin.time if ip == act.ip else time))
    return Origin(
        origin.account, origin.manner, origin.time, events, sources, tuple(addresses), tuple(dict.fromkeys(keys)), devices,
        tuple(sorted({*origin.hosts, *(r["host"] for r in logins if r["host"])})), time if logins else None,
        tuple(r["session"] for r in logins if r["session"]),
    )  # fmt: skip


def _logins(world: World, origin: Origin, act: Act) -> list[Row]:
    """Return the logins that the act came out of, from near to far."""
    hosts = list(origin.hosts) or _hosts(world, act)
    start = _opened(world, origin, act, hosts)
    found, frontier = list(start), [r["session"] for r in start if r["session"]]
    for _ in range(4):
        before = world.tables.rows(
            "SELECT DISTINCT src FROM edges WHERE rule = 'sessions' AND list_contains($s, dst) ORDER BY src", s=frontier
        )
        frontier = [r["src"] for r in before if r["src"] not in {f["session"] for f in found}]
        if not frontier:
            break
        found += world.acts("list_contains($s, session) AND regexp_matches(action, '^session[.].*open$')", s=frontier)
    return [r for r in found if r["time"] is not None and r["time"] <= act.time[1] + world.policy.windows["same_act"]]


def _opened(world: World, origin: Origin, act: Act, hosts: list[str]) -> list[Row]:
    """Return the sessions of the account that were open on those hosts at the act: the act's own session where the record names it."""
    own = {r["session"] for r in act.rows if r["session"] and str(r["session"]).startswith("audit:")}
    own |= {
        r["session"]
        for r in world.acts("list_contains($ids, event)", ids=list(origin.events))
        if r["session"] and str(r["session"]).startswith("audit:")
    }
    if own:
        rows = world.acts("list_contains($s, session) AND action = 'session.audit.open' AND time <= $t", s=sorted(own), t=act.time[1])
        latest: dict[str, Row] = {r["session"]: r for r in rows}
        if latest:
            return list(latest.values())
    if not hosts:
        return []
    rows = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND list_contains($h, host) AND actor = $a AND time BETWEEN $low AND $high",
        h=hosts, a=_on_host(world, origin), low=origin.time - world.policy.windows["session"], high=origin.time,
    )  # fmt: skip
    closed = {(r["session"], r["host"]): r["time"] for r in world.acts(
        "action IN ('session.ssh.close', 'session.audit.close') AND list_contains($s, session) AND time <= $t", s=[r["session"] for r in rows if r["session"]], t=origin.time
    )}  # fmt: skip
    return [r for r in rows if closed.get((r["session"], r["host"]), -1) < r["time"]]


def _on_host(world: World, origin: Origin) -> str:
    """Return the person's account on hosts where the act's account belongs to another system."""
    if origin.account.startswith("unix:"):
        return origin.account
    people = world.known.last_holders(origin.account, origin.time)
    accounts = [a for p in people for a in world.known.of(p, "unix") if world.known.kind(a, origin.time) == "personal"]
    return accounts[0] if len(accounts) == 1 else origin.account


def _leased(world: World, ip: str, time: int) -> list[Device]:
    """Return the device that had an address at that moment, by the last lease or sign-on before it."""
    rows = world.acts(
        "ip = $ip AND device IS NOT NULL AND time BETWEEN $low AND $t AND (starts_with(action, 'device.lease') OR starts_with(action, 'session.'))",
        ip=ip, t=time + 5_000_000_000, low=time - world.policy.windows["lease"],
    )  # fmt: skip
    if not rows or rows[-1]["action"].endswith((".disconnect", ".close", ".fail")):
        return []
    row = rows[-1]
    signed_on = row["action"].startswith("session.")
    owners = () if _borrowed_name(world, row) else world.known.holders(row["device"], row["time"])
    return [Device(row["device"], owners, (row["event"],), (row["source"],), signed_on, row["actor"])]


def _borrowed_name(world: World, row: Row) -> bool:
    """Tell whether a lease bears a device's name with another network card than that device's: anybody can choose a host name."""
    card = str(row["object"] or "")
    if not card.startswith("mac:"):
        return False
    registered = world.known.holders(card, row["time"])
    if registered:
        return registered != world.known.holders(row["device"], row["time"])
    usual = world.tables.rows(
        "SELECT object, count(*) AS n FROM acts WHERE device = $d AND starts_with(object, 'mac:') GROUP BY object ORDER BY n DESC, object LIMIT 1",
        d=row["device"],
    )
    return bool(usual) and usual[0]["n"] >= _HABIT and usual[0]["object"] != card


_HABIT = 3
"""leases from which a device's usual network card is known"""
