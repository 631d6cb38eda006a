"""The logins that an act came out of: its own session, or those of its account that were open where it happened."""

from forensics.reasoning.act import Act, Row
from forensics.reasoning.gateways import session_behind
from forensics.reasoning.world import World


def hosts_of(world: World, act: Act) -> list[str]:
    """Return the hosts where the act's process ran: the record's own, for host logs; else the gateway that it came through, or those whose address it came from."""
    if act.kind.startswith(("file.", "process.")):
        return [act.host] if act.host else []
    if through := session_behind(world, act):
        return [through[0]["host"]]
    return [r["host"] for r in world.tables.rows("SELECT host FROM addresses WHERE ip = $ip", ip=act.ip or "")]


def logins(
    world: World, account: str, events: tuple[int, ...], time: int, act: Act, hosts: list[str], sessions: tuple[str, ...] = ()
) -> tuple[list[Row], int]:
    """Return the logins from near to far, and how many of them were open at once on the host of the act.

    Where the records name the session itself, it is that one; else those of the account that were open there.
    """
    through = session_behind(world, act) if account == act.account and not sessions else []
    start = through or _openings(world, account, sessions, time) or _opened(world, account, events, time, act, hosts)
    found, frontier = list(start), list(start)
    for _ in range(4):
        frontier = [r for r in _before(world, frontier) if r["event"] not in {f["event"] for f in found}]
        if not frontier:
            break
        found += frontier
    late = act.time[1] + world.policy.windows["same_act"]
    return [r for r in found if r["time"] is not None and r["time"] <= late], len({r["session"] for r in start})


def _before(world: World, opened: list[Row]) -> list[Row]:
    """Return the logins that these came out of, or are the same as in another log: of sessions of one number, those of that very opening."""
    edges = world.tables.rows(
        "SELECT dst, time, events[1] AS event FROM edges WHERE rule = 'sessions' AND list_contains($s, dst) ORDER BY src, time, event",
        s=sorted({str(r["session"]) for r in opened if r["session"]}),
    )
    near = world.policy.windows["at_once"]
    events = [e["event"] for e in edges if any(r["session"] == e["dst"] and abs(r["time"] - e["time"]) <= near for r in opened)]
    return world.acts("list_contains($e, event)", e=sorted(set(events))) if events else []


def _openings(world: World, account: str, sessions: tuple[str, ...], time: int) -> list[Row]:
    """Return the last opening of each of these sessions before that moment, by that person: numbers begin anew at every boot, and in every log."""
    rows = world.acts(
        "list_contains($s, session) AND regexp_matches(action, '^session[.](ssh|audit)[.]open$') AND outcome = 'ok' AND time BETWEEN $low AND $t",
        s=list(sessions), low=time - world.policy.windows["login"], t=time + world.policy.windows["at_once"],
    )  # fmt: skip
    who = set(world.known.last_holders(account, time))
    rows = [r for r in rows if r["actor"] == account or not who or who & set(world.known.last_holders(r["actor"], r["time"]))]
    latest = {(r["session"], r["source"]): r for r in rows if sessions}
    return sorted(latest.values(), key=lambda r: (-r["time"], r["event"]))


def _opened(world: World, account: str, events: tuple[int, ...], time: int, act: Act, hosts: list[str]) -> list[Row]:
    own = _own_session(world, account, events, act)
    if own or not hosts:
        return own
    names = sorted({account, *_on_hosts(world, account, time)})
    rows = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND list_contains($h, host) AND list_contains($a, actor) AND time BETWEEN $low AND $high AND outcome = 'ok'",
        h=hosts, a=names, low=time - world.policy.windows["session"], high=time,
    )  # fmt: skip
    return still_open(world, rows, time)


def _own_session(world: World, account: str, events: tuple[int, ...], act: Act) -> list[Row]:
    """Return the opening of the audit session that the act's records name: the last of that number and account, with no boot since.

    Session numbers begin anew at every boot (audit_log_user(8), kernel sessionid), so a number alone is no session.
    """
    rows = [*act.rows, *world.acts("list_contains($ids, event)", ids=list(events))]
    numbers = sorted({r["session"] for r in rows if str(r["session"] or "").startswith("audit:")})
    if not numbers:
        return []
    accounts = sorted({account, *(str(r["actor"]) for r in rows if r["actor"] and r["session"] in numbers)} & {account, act.account or ""})
    opened = world.acts(
        "list_contains($s, session) AND action = 'session.audit.open' AND time BETWEEN $low AND $t AND list_contains($a, actor) AND outcome = 'ok'",
        s=numbers, t=act.time[1], low=act.time[1] - world.policy.windows["login"], a=accounts,
    )  # fmt: skip
    latest: dict[str, Row] = {r["session"]: r for r in opened}
    return list(latest.values())


def still_open(world: World, rows: list[Row], time: int) -> list[Row]:
    """Keep the logins that no record closes before that moment."""
    closed: dict[tuple[str, str], int] = {}
    for row in world.acts(
        "action IN ('session.ssh.close', 'session.audit.close') AND list_contains($s, session) AND time <= $t",
        s=sorted({r["session"] for r in rows if r["session"]}), t=time,
    ):  # fmt: skip
        closed[row["session"], row["host"]] = row["time"]
    return [r for r in rows if closed.get((r["session"], r["host"]), -1) < r["time"]]


def _on_hosts(world: World, account: str, time: int) -> list[str]:
    """Return the person's accounts on hosts, where the act's account belongs to another system."""
    if account.startswith("unix:"):
        return []
    people = world.known.last_holders(account, time)
    return [a for p in people for a in world.known.of(p, "unix") if world.known.kind(a, time) == "personal"]
