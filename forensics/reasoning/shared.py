"""Who may stand behind an act of a shared or service account: processes under it, and logins as it, where the act came from."""

from collections import defaultdict
from dataclasses import dataclass

from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of, own_effect
from forensics.reasoning.logins import hosts_of, still_open
from forensics.reasoning.spelled import leads_to, may_do, tells
from forensics.reasoning.timetables import runs_before, usual
from forensics.reasoning.world import World

_SECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """A login that may have been behind the act."""

    account: str
    time: int
    events: tuple[int, ...]
    sources: tuple[str, ...]
    people: tuple[str, ...]
    """whose login it was; of a login as the shared account itself, the owner of the key"""
    hosts: tuple[str, ...]
    sessions: tuple[str, ...]
    word: str
    """how surely the records lead from the act to this login"""


def behind(world: World, act: Act) -> list[Way]:
    """Return the logins that may have been behind the act, the most telling records first deciding.

    First those with a command that leads to such an act and names the object, and with any process nearer to the act: it may have done it just as well;
    else those with a process under the account just before the act; else all that were open then. A login as the account itself, with somebody's own key, is a login of the key's owner.
    What a timetable runs under the account is a way of its own. A process that only reads, or spells another place, shows that its login was there, and no more.
    """
    hosts = hosts_of(world, act)
    ways = _login_processes(world, act, hosts)
    opened = _direct(world, act, hosts)
    timed = runs_before(world, act, hosts)
    rows = [r for r, _ in ways]
    named = [(r, k) for r, k in ways if leads_to(world, r, act) and not _done_since(world, r, act)]
    if named:
        nearer = [*_nearer(ways, named), *((r, str(r["actor"])) for r in _texts_since(world, act, named))]
        return [*_by_login(world, act, [*named, *nearer], opened, "almost certain"), *_timed(usual(world, act, timed))]
    just_before = act.time[0] - world.policy.windows["just_before"]
    recent = [(r, k) for r, k in ways if r["time"] >= just_before]
    if len({k for _, k in recent}) == 1 and any(tells(r, act) for r, _ in recent):
        word = "almost certain" if not _others(opened, ways, recent) else "likely"
        return [*_by_login(world, act, recent, opened, word), *_timed([r for r in timed if r["time"] >= just_before])]
    lasting = [(r, k) for r, k in ways if r in _lasting(world, rows, act)]
    if len({k for _, k in lasting}) == 1 and not any(tells(r, act) for r, _ in lasting):
        lasting = []
    keys = {k for _, k in lasting}
    unseen = [w for w in _unseen(world, act, hosts or sorted({r["host"] for r, _ in lasting})) if w.account not in keys]
    return [*_by_login(world, act, lasting, opened, "likely", opened_too=True), *_timed(timed), *unseen]


def _timed(runs: list[Row]) -> list[Way]:
    """Return the way by which a timetable may have done it: nobody's login."""
    if not runs:
        return []
    last = runs[-1]
    return [
        Way(
            f"{last['target']} by timetable",
            last["time"],
            tuple(r["event"] for r in runs[-6:]),
            _sources(runs),
            (),
            _hosts(runs),
            (),
            "likely",
        )
    ]


def _login_processes(world: World, act: Act, hosts: list[str]) -> list[tuple[Row, str]]:
    """Return processes under the account on these hosts, each with the login that it came out of: (row, account or session)."""
    name = str(act.account).partition(":")[2]
    rows = world.acts(
        """action = 'process.exec' AND time BETWEEN $low AND $high AND (len($hosts) = 0 OR list_contains($hosts, host)) AND outcome = 'ok'
           AND ((target IS NOT NULL AND actor IS DISTINCT FROM target AND split_part(target, ':', 2) = $name)
                OR (split_part(actor, ':', 2) = $name AND coalesce(target, actor) = actor AND len($hosts) > 0))""",
        name=name, low=act.time[0] - world.policy.windows["session"], high=act.time[1] + 5 * _SECONDS, hosts=hosts,
    )  # fmt: skip
    found = [(r, str(r["actor"])) for r in _by_key(world, act, hosts)]
    for row in rows:
        if str(row["actor"]).partition(":")[2] == name:
            if row["session"] and row["object"] and not str(row["object"]).endswith(("/sshd", "/bash", "/sh", "/zsh")):
                found.append((row, f"session {row['session']}"))
        elif row["actor"] and world.known.kind(row["actor"], row["time"]) == "personal":
            found.append((row, row["actor"]))
    return sorted(found, key=lambda f: (f[0]["time"], f[0]["event"]))


def _by_key(world: World, act: Act, hosts: list[str]) -> list[Row]:
    """Return the commands of people's own accounts on these hosts that lead to the act and name its object: an API key is used by whoever has it, under whatever account of the host."""
    if str(act.account).startswith("unix:"):
        return []
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND (len($h) = 0 OR list_contains($h, host)) AND time BETWEEN $low AND $high AND actor IS NOT NULL AND coalesce(target, actor) = actor",
        h=hosts, low=act.time[0] - world.policy.windows["session"], high=act.time[1] + 5 * _SECONDS,
    )  # fmt: skip
    tail = str(act.rows[0]["object"]).rpartition("/")[2].partition("?")[0]
    return [
        r
        for r in rows
        if world.known.kind(r["actor"], r["time"]) == "personal" and leads_to(world, r, act) and not own_effect(world, act, r, tail)
    ]


def _texts_since(world: World, act: Act, named: list[tuple[Row, str]]) -> list[Row]:
    """Return what others' own logins had an interpreter run on that host between the last such command and the act of an API key: it may use the key as well."""
    last, key = named[-1]
    if str(act.account).startswith("unix:"):
        return []
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND host = $h AND time BETWEEN $low AND $high AND actor IS NOT NULL AND coalesce(target, actor) = actor",
        h=last["host"], low=last["time"], high=act.time[1] + _SECONDS,
    )  # fmt: skip
    keys = {k for _, k in named} | {key}
    return [
        r
        for r in rows
        if str(r["actor"]) not in keys and world.known.kind(r["actor"], r["time"]) == "personal" and may_do(line_of(r)) and tells(r, act)
    ]


def _unseen(world: World, act: Act, hosts: list[str]) -> list[Way]:
    """Return the open logins of the key's other holders on hosts whose logs show `sudo` alone: what they typed in their own name left no line there."""
    if str(act.account).startswith("unix:") or not hosts:
        return []
    span = world.policy.windows["presence"]
    rows = world.acts(
        "action = 'process.exec' AND list_contains($h, host) AND time BETWEEN $low AND $high", h=hosts, low=act.time[0] - span, high=act.time[0] + span
    )  # fmt: skip
    if any(r["attrs"].get("via") != "sudo" for r in rows):
        return []
    holders = set(world.known.last_holders(act.account, act.time[0]))
    opened = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND list_contains($h, host) AND time BETWEEN $low AND $t AND outcome = 'ok' AND actor IS NOT NULL",
        h=hosts, low=act.time[0] - world.policy.windows["session"], t=act.time[0],
    )  # fmt: skip
    found: dict[str, Way] = {}
    for r in still_open(world, opened, act.time[0]):
        people = world.known.last_holders(r["actor"], r["time"])
        if people and world.known.kind(r["actor"], r["time"]) == "personal" and (not holders or set(people) & holders):
            found[r["actor"]] = Way(r["actor"], r["time"], (r["event"],), (r["source"],), people, (r["host"],), _sessions([r]), "even")
    return list(found.values())


def _direct(world: World, act: Act, hosts: list[str]) -> list[Row]:
    """Return logins as the shared account itself that were open at the act."""
    rows = world.acts(
        """regexp_matches(action, '^session[.].*[.]open$') AND split_part(actor, ':', 2) = $name AND NOT starts_with(action, 'session.role')
           AND time BETWEEN $low AND $high AND (len($hosts) = 0 OR list_contains($hosts, host)) AND outcome = 'ok' AND host IS NOT NULL
           AND (action <> 'session.login.open')""",
        name=str(act.account).partition(":")[2], low=act.time[0] - world.policy.windows["session"], high=act.time[1], hosts=hosts,
    )  # fmt: skip
    return still_open(world, rows, act.time[0])


def _others(opened: list[Row], ways: list[tuple[Row, str]], chosen: list[tuple[Row, str]]) -> bool:
    """Tell whether other logins than the chosen one could have done it."""
    keys = {k for _, k in chosen}
    return any(k not in keys for _, k in ways) or any(
        f"session {r['session']}" not in keys for r in opened if str(r["session"]).startswith("audit:")
    )


def _by_login(world: World, act: Act, rows: list[tuple[Row, str]], opened: list[Row], word: str, *, opened_too: bool = False) -> list[Way]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row, key in rows:
        found[key].append(row)
    ways = []
    twins = _twins(world, opened)
    used: set[str] = set()
    for key, mine in sorted(found.items()):
        if key.startswith("session "):
            logins = twins.get(key.removeprefix("session "), [])
            used |= {str(r["session"]) for r in logins}
            ways.append(_direct_way(world, act, mine, logins, word))
        else:
            last = mine[-1]
            people = world.known.last_holders(key, last["time"])
            ways.append(
                Way(key, last["time"], tuple(r["event"] for r in mine[-6:]), _sources(mine), people, _hosts(mine), _sessions(mine), word)
            )
    if opened_too:
        ways += [
            _direct_way(world, act, [], logins, word)
            for session, logins in sorted(twins.items())
            if session not in used and not used & {str(r["session"]) for r in logins}
        ]
    return list({(w.account, w.people, w.sessions[:1] if not w.people else ()): w for w in ways}.values())


def _twins(world: World, opened: list[Row]) -> dict[str, list[Row]]:
    """Return session -> the records of that login in every log: sshd's bears the key, the kernel's the session number."""
    edges = world.tables.rows(
        "SELECT DISTINCT src, dst FROM edges WHERE rule = 'sessions' AND (list_contains($s, src) OR list_contains($s, dst)) ORDER BY ALL",
        s=sorted({str(r["session"]) for r in opened if r["session"]}),
    )
    same = {e["dst"]: e["src"] for e in edges if e["dst"].startswith("audit:") and e["src"].startswith("ssh:")}
    found: dict[str, list[Row]] = defaultdict(list)
    for row in opened:
        session = str(row["session"])
        found[session].append(row)
        for number, login in same.items():
            if login == session:
                found[number].append(row)
    return {s: rows for s, rows in found.items() if s.startswith("audit:") or s not in same.values()}


def _direct_way(world: World, act: Act, processes: list[Row], logins: list[Row], word: str) -> Way:
    rows = sorted([*logins, *processes], key=lambda r: (r["time"], r["event"]))
    owners = {p for r in logins if r["credential"] for p in _owners(world, r)}
    time = (processes or logins or rows)[-1]["time"]
    return Way(
        str(act.account),
        time,
        tuple(dict.fromkeys(r["event"] for r in rows))[:8],
        _sources(rows),
        tuple(sorted(owners)),
        _hosts(rows),
        _sessions(rows),
        word,
    )


def _owners(world: World, row: Row) -> tuple[str, ...]:
    return (
        world.known.last_holders(row["credential"], row["time"]) if world.known.kind(row["credential"], row["time"]) == "personal" else ()
    )


def _sources(rows: list[Row]) -> tuple[str, ...]:
    return tuple(sorted({r["source"] for r in rows}))


def _hosts(rows: list[Row]) -> tuple[str, ...]:
    return tuple(sorted({r["host"] for r in rows if r["host"]}))


def _sessions(rows: list[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r["session"] for r in rows if r["session"]))


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


def _done_since(world: World, row: Row, act: Act) -> bool:
    """Tell whether another act of the account on this object stands between: then the command is explained by that."""
    same = str(act.rows[0]["object"]).partition("?")[0]
    rows = world.acts(
        "action = $k AND actor = $a AND regexp_replace(object, '[?]versionId=.*$', '') = $o AND outcome = 'ok' AND time >= $low AND time < $t AND NOT list_contains($mine, event)",
        k=act.kind, a=act.account, o=same, low=row["time"], t=act.time[0], mine=list(act.events),
    )  # fmt: skip
    return bool(rows)


def _nearer(ways: list[tuple[Row, str]], named: list[tuple[Row, str]]) -> list[tuple[Row, str]]:
    """Return the processes of other logins since the last such command."""
    keys = {k for _, k in named}
    return [(r, k) for r, k in ways if k not in keys and r["time"] > named[-1][0]["time"]]
