"""Commands on people's devices that lead to an act or a login, and the one device on which such a command ran at that moment."""

import re
import shlex
from collections.abc import Iterable

from forensics import times
from forensics.reasoning.act import Act, Row
from forensics.reasoning.addresses import alone_there, at_another_address, common, known_address, of_devices
from forensics.reasoning.devices import Device, holding
from forensics.reasoning.logins import still_open
from forensics.reasoning.own_clock import own_clock_off
from forensics.reasoning.spelled import WEB, fits, may_do, names_whole, of_branch, spells_branch, tells
from forensics.reasoning.world import World


def leading_to(world: World, act: Act, moment: int, hosts: tuple[str, ...], *, reached: bool, login: str | None) -> list[Row]:
    """Return the commands near a moment that may have led to the act, or where `reached` to the login that it came out of, as the account `login`.

    Left out are those that came after it, those aimed at another system, account or branch than the act's, and those that another recorded act or
    login of the same person explains.
    """
    wanted = world.policy.commands.get("session.ssh", ()) if reached else of_system(world, act)
    window = world.policy.windows["command"]
    rows = world.acts(
        "starts_with(action, 'device.process') AND device IS NOT NULL AND time BETWEEN $low AND $high AND outcome = 'ok'",
        low=moment - window, high=moment + _SECONDS,
    )  # fmt: skip
    rows = [
        r for r in rows if fits(str(r["object"] or ""), wanted) and _aimed(r, act, hosts, reached=reached) and (reached or tells(r, act))
    ]
    return _own_logins(world, login or str(act.account), rows, hosts) if reached else _unexplained(world, act, rows, window)


def of_system(world: World, act: Act) -> tuple[str, ...]:
    """Return how the commands begin that lead to such an act on its own system: `kubectl` starts no job of Slurm's."""
    system = str(act.rows[0]["object"]).partition(":")[0]
    lines = world.policy.commands.get("image.write" if (act.kind, system) == ("object.write", "image") else act.kind, ())
    if not act.kind.startswith("job."):
        return lines
    return tuple(w for w in lines if (w.partition(" ")[0] == "kubectl") == (system == "k8s") or w in WEB)


_NAMES = re.compile(r"[^\w.#-]+")


def _own_logins(world: World, account: str, rows: list[Row], hosts: tuple[str, ...]) -> list[Row]:
    """Leave out commands of other logins than the one as this account: of people who then logged in to one of these hosts as themselves, where the command does not spell the account; those whose device was refused there just then."""
    if not rows:
        return rows
    moment = rows[0]["time"]
    behind = set(world.known.last_holders(account, moment)) if world.known.kind(account, moment) == "personal" else set()
    near, named = world.policy.windows["at_once"], account.partition(":")[2]
    tried = world.acts(
        "action IN ('session.ssh.open', 'session.ssh.fail') AND list_contains($h, host) AND time BETWEEN $low AND $high",
        h=list(hosts), low=min(r["time"] for r in rows) - _SECONDS, high=max(r["time"] for r in rows) + near,
    )  # fmt: skip
    logins = [
        (p, r["time"])
        for r in tried
        if r["actor"] and r["outcome"] == "ok" and world.known.kind(r["actor"], r["time"]) == "personal"
        for p in world.known.holders(r["actor"], r["time"])
    ]
    failed = [r for r in tried if r["action"].endswith("fail") and r["ip"]]
    had = {ip: [d.device for d in holding(world, ip, (moment,))] for ip in of_devices(world, {r["ip"] for r in failed})}
    refused = [(d, r["time"]) for r in failed for d in had.get(r["ip"], ())]

    def own(row: Row) -> bool:
        who = set(world.known.holders(row["actor"] or row["device"], row["time"])) - behind
        return any(p in who and -_SECONDS <= t - row["time"] <= near for p, t in logins)

    def spent(row: Row) -> bool:
        return any(d == row["device"] and -_SECONDS <= t - row["time"] <= near for d, t in refused)

    return [r for r in rows if not spent(r) and (named in _NAMES.split(str(r["object"] or "")) or not own(r))]


def device_of(
    world: World, act: Act, moment: int, hosts: tuple[str, ...], *, reached: bool, among: tuple[Device, ...], ip: str | None, login: str
) -> tuple[Device, ...]:
    """Return the one device on which such a command ran at the very moment; none where there is none, or where there are several.

    Where addresses leave several devices open (NAT), the one has to be among them. A device that the records show at another address than the act's or
    the login's (`ip`) did not make it, unless people share that address.
    """
    close = world.policy.windows["at_once"]
    rows = [r for r in leading_to(world, act, moment, hosts, reached=reached, login=login) if moment - close <= r["time"] <= moment + close]
    devices = sorted({r["device"] for r in rows})
    if len(devices) != 1 or (among and devices[0] not in {d.device for d in among}):
        return ()
    mine = [r for r in rows if r["device"] == devices[0]]
    if (ip and at_another_address(world, devices[0], ip, moment)) or own_clock_off(world, devices[0], moment):
        return ()
    if not reached and not _placed(act) and not any(spells_branch(str(r["object"]), act) for r in mine):
        return ()
    if act.ip and not reached and not among and not any(names_whole(r, act) for r in mine) and not known_address(world, act):
        return ()
    owners = world.known.holders(devices[0], moment)
    behind = set(world.known.last_holders(act.account, act.time[0]))
    rivals = (
        {p for d in among for p in world.known.holders(d.device, moment)} if among else behind if len(behind) > 1 and not reached else set()
    )
    if not rivals <= covered(world, {r["source"] for r in mine}, moment):
        return ()  # of those who share the account or may have had the address, one whom no sensor watches may have done it
    if not behind & set(owners):
        seen = bool(behind) and behind <= covered(world, {r["source"] for r in mine}, moment)
        if not seen and not (not reached and any(names_whole(r, act) for r in mine) and alone_there(world, act, devices[0])):
            return ()  # the account's own holder may have run it on a device that no sensor watches: then this one is a coincidence
        if not any(_tied(r, act, reached=reached) for r in mine):
            return ()
    return (
        Device(
            devices[0],
            owners,
            tuple(r["event"] for r in mine[:3]),
            (mine[0]["source"],),
            by_session=False,
            lessee=mine[0]["actor"],
            by_command=True,
        ),
    )


def _placed(act: Act) -> bool:
    """Tell whether a record of the act says anything of where it came from; a bare `git push` beside a push of which none does may have gone anywhere."""
    return act.kind != "code.push" or any(r["ip"] or r["credential"] for r in act.rows)


def _tied(row: Row, act: Act, *, reached: bool) -> bool:
    """Tell whether a command on somebody else's device spells what ties it to just this act: its account, its whole object, or the branch of a push that a record shows to have come over git.

    That he ran such a command at that moment is no tie: who uses the web, an API or a portal leaves no command, and sensors do not show what is not one.
    """
    line = str(row["object"] or "")
    if str(act.account).partition(":")[2] in _NAMES.split(line) or (not reached and names_whole(row, act)):
        return True
    return not reached and act.kind == "code.push" and any(r["credential"] for r in act.rows) and spells_branch(line, act)


def covered(world: World, sources: Iterable[str], moment: int) -> set[str]:
    """Return the people on whose own devices these sensors recorded anything around then."""
    span = world.policy.windows["presence"]
    rows = world.tables.rows(
        "SELECT DISTINCT device FROM acts WHERE list_contains($s, source) AND device IS NOT NULL AND time BETWEEN $low AND $high ORDER BY device",
        s=sorted(sources), low=moment - span, high=moment + span,
    )  # fmt: skip
    return {p for r in rows for p in world.known.holders(r["device"], moment)}


def on_host(world: World, act: Act, hosts: list[str]) -> list[list[Row]]:
    """Return the processes on a host that may have led to the act, those of one login together: there it came from, or its record names no address at all.

    Where several people's logins ran such a command at that moment, each is a way, unless only one names what was acted upon. An address that no lease
    gives to a device, from which several people's accounts acted, may be that of the host with the one command at that very second that nothing else
    explains; an address of one account alone may be anybody's who has its credential. A command that ran as somebody else than the act's account
    led to something else, unless it spells that account.
    """
    unplaced = bool(act.ip) and not hosts
    if unplaced and (act.kind != "code.push" or holding(world, str(act.ip), act.time) or not common(world, str(act.ip))):
        return []
    close = _SECONDS if unplaced else world.policy.windows["at_once"]
    rows = world.acts(
        "action = 'process.exec' AND host IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $high AND (len($h) = 0 OR list_contains($h, host))",
        low=act.time[0] - close, high=act.time[1] + _SECONDS, h=hosts,
    )  # fmt: skip
    rows = [
        r
        for r in rows
        if fits(line_of(r), of_system(world, act))
        and tells(r, act)
        and (r["actor"] is None or (world.known.kind(r["actor"], r["time"]) == "personal" and _may_be(world, act, r, hosts)))
    ]
    if unplaced:
        rows = [] if any(r["actor"] is None for r in rows) else _unexplained(world, act, rows, world.policy.windows["command"])
    tail = str(act.rows[0]["object"]).rpartition("/")[2].partition("?")[0]
    naming = [r for r in rows if tail and tail in line_of(r).replace("/", " ").split() and not own_effect(world, act, r, tail)]
    rows = naming or ([] if act.kind == "job.cancel" else _unexplained(world, act, rows, world.policy.windows["command"]))
    logins: dict[tuple[object, str], list[Row]] = {}
    for row in [*rows, *_holders_between(world, act, rows)]:
        who = world.known.last_holders(row["actor"], row["time"]) or str(row["actor"])
        logins.setdefault((who, row["host"]), []).append(row)
    return [] if unplaced and len(logins) > 1 else list(logins.values())


def active_on(world: World, act: Act, hosts: list[str]) -> list[list[Row]]:
    """Return the processes on the host of an act that may have made it, for all that their lines say, those of one person together: of whom the host's audit shows one in that quarter of an hour.

    A process outdoes a login that is merely open, and outlasts one that was closed.
    """
    if not hosts or act.kind == "job.cancel":
        return []
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND time BETWEEN $low AND $high AND actor IS NOT NULL AND coalesce(target, actor) = actor",
        h=hosts, low=act.time[0] - world.policy.windows["shared_exec"], high=act.time[1] + times.SECOND,
    )  # fmt: skip
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        line = line_of(row)
        who = world.known.last_holders(row["actor"], row["time"])
        if row["attrs"].get("via") != "sudo" and who and world.known.kind(row["actor"], row["time"]) == "personal" and tells(row, act) and (
            may_do(line) or fits(line, of_system(world, act))
        ):  # fmt: skip
            found.setdefault(who, []).append(row)
    seen = [r for rows in found.values() for r in rows]
    return [found[who][-4:] for who in sorted(found)] if not _unwatched(world, act, hosts, seen) else []


def _unwatched(world: World, act: Act, hosts: list[str], seen: list[Row]) -> set[str]:
    """Return the people logged in on the hosts of an act of whom these logs show no process there on any occasion: a rule may cover single users, and then silence says nothing of the others."""
    logs = sorted({r["source"] for r in seen})
    opened = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND outcome = 'ok' AND list_contains($h, host) AND actor IS NOT NULL AND time BETWEEN $low AND $t",
        h=hosts, low=act.time[0] - world.policy.windows["session"], t=act.time[1],
    ) if logs else []  # fmt: skip
    inside = {p for r in still_open(world, opened, act.time[0]) for p in world.known.last_holders(r["actor"], r["time"])}
    rows = world.tables.rows(
        "SELECT DISTINCT actor, min(time) AS time FROM acts WHERE action = 'process.exec' AND list_contains($s, source) AND list_contains($h, host) AND actor IS NOT NULL AND time IS NOT NULL GROUP BY actor ORDER BY actor",
        s=logs, h=hosts,
    ) if inside else []  # fmt: skip
    return inside - {p for r in rows for p in world.known.last_holders(r["actor"], r["time"])}


def own_effect(world: World, act: Act, row: Row, tail: str) -> bool:
    """Tell whether a command of somebody else than the account's holder did, or was refused, such a thing on an object of that name under his own account."""
    who = set(world.known.last_holders(row["actor"], row["time"]))
    if not who or who & set(world.known.last_holders(act.account, act.time[0])):
        return False
    rows = world.tables.rows(
        "SELECT actor, time, object FROM events WHERE action = $k AND actor IS NOT NULL AND time BETWEEN $low AND $high AND contains(object, $tail) ORDER BY id",
        k=act.kind, low=row["time"] - _SECONDS, high=row["time"] + world.policy.windows["at_once"], tail=tail,
    )  # fmt: skip
    return any(who & set(world.known.last_holders(r["actor"], r["time"])) for r in rows)


def _holders_between(world: World, act: Act, rows: list[Row]) -> list[Row]:
    """Return the processes of the account's own holder that ran between somebody else's command and the act, and may have made it as well."""
    behind = set(world.known.last_holders(act.account, act.time[0]))
    if not rows or not behind or any(r["actor"] is None or behind & set(world.known.last_holders(r["actor"], r["time"])) for r in rows):
        return []
    between = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND time BETWEEN $low AND $high AND actor IS NOT NULL",
        h=sorted({r["host"] for r in rows}), low=min(r["time"] for r in rows), high=act.time[1] + _SECONDS,
    )  # fmt: skip
    return [
        r
        for r in between
        if behind & set(world.known.last_holders(r["actor"], r["time"]))
        and (may_do(line_of(r)) or fits(line_of(r), of_system(world, act)))
        and tells(r, act)
    ]


def _may_be(world: World, act: Act, row: Row, hosts: list[str]) -> bool:
    """Tell whether a command on a host may have led to the act, by the account that it ran as.

    A scheduler records the very account that a command ran as. Elsewhere a credential may be anybody's: but a log of `sudo` lines alone does not show
    what its holder typed at that moment, so that somebody else's line is no sign of him; nor is somebody else's command where neither the act's address
    leads to that host, nor the command spells the account or the object.
    """
    holders = set(world.known.last_holders(act.account, act.time[0]))
    named = str(act.account).partition(":")[2]
    if named in re.split(r"[^\w.#-]+", line_of(row)):
        return True
    ran_as = str(row["target"] or row["actor"])
    same = (
        ran_as == act.account or bool(holders & set(world.known.last_holders(ran_as, row["time"]))) or {ran_as, str(act.account)} <= _ROOT
    )
    if str(act.account).startswith("unix:") and not act.kind.startswith("object."):  # a store's record names whose ticket it was
        return same
    if same or holders & set(world.known.last_holders(row["actor"], row["time"])):
        return True
    tied = bool(hosts) or any(
        o and o in line_of(row) for o in (str(r["object"]).partition("?")[0] for r in act.rows if "://" in str(r["object"]))
    )
    return row["attrs"].get("via") != "sudo" and tied


_ROOT = {"unix:root", "unix:#0"}
_SECONDS = 5_000_000_000
"""nanoseconds by which a command may lie apart from what it did, in two logs whose clocks agree"""


def line_of(row: Row) -> str:
    """Return a process's command line; of what a sensor on a device saw, it is the object."""
    if row["action"].startswith("device."):
        return str(row["object"] or "")
    argv = row["attrs"].get("argv")
    return shlex.join(str(a) for a in argv) if isinstance(argv, list) else str(row["attrs"].get("command") or argv or "")


_ONE_EACH = ("code.push", "job.launch")
"""acts of which one command makes one, or several at once"""


def _unexplained(world: World, act: Act, rows: list[Row], window: int) -> list[Row]:
    """Leave out commands that another recorded act explains: one of the same person's own other account, or of the very account, nearer to the command.

    A push of one's own explains one's own `git push`; what was pushed together, within a second, one command may have pushed.
    """
    if not rows:
        return rows
    low, high = min(r["time"] for r in rows), max(r["time"] for r in rows)
    others = world.acts(
        "action = $k AND actor IS NOT NULL AND time BETWEEN $low AND $high AND NOT list_contains($mine, event)",
        k=act.kind, low=low - window, high=high + window, mine=list(act.events),
    )  # fmt: skip
    own_account = world.known.kind(act.account, act.time[0]) == "personal"
    behind = set(world.known.last_holders(act.account, act.time[0])) if own_account else set()  # one's own act is not the shared account's
    explained = {p for r in others if r["actor"] != act.account for p in world.known.holders(r["actor"], r["time"])} - behind
    jobs = {r["object"] for r in act.rows} if act.kind == "job.launch" else set()  # another log's record of the same job
    own = (
        sorted(
            {
                r["time"]
                for r in others
                if r["object"] not in jobs and (r["actor"] == act.account or behind & set(world.known.last_holders(r["actor"], r["time"])))
            }
        )
        if act.kind in _ONE_EACH
        else []
    )
    commands = sorted({r["time"] for r in rows})
    return [
        r
        for r in rows
        if not (set(world.known.holders(r["actor"], r["time"])) & explained or _nearer(r["time"], act.time[0], own, commands))
    ]


def _nearer(command: int, act: int, own: list[int], commands: list[int]) -> bool:
    """Tell whether another act of the account is the one that a command led to: nearer to it than this one, and nearer to no other command."""
    return any(
        abs(t - command) + times.SECOND < abs(act - command) and min(commands, key=lambda c: abs(t - c)) == command
        for t in own
        if t >= command - _SECONDS and abs(t - act) > times.SECOND
    )


def _aimed(row: Row, act: Act, hosts: tuple[str, ...], *, reached: bool) -> bool:
    """Tell whether a command is aimed at where the act was recorded, as far as the sensor saw that."""
    names = {t.rpartition("@")[2].partition(":")[0].partition(".")[0].lower() for t in str(row["object"] or "").split()}
    remote = str(row["attrs"].get("remote") or "").rpartition(":")[0].lower() or str(row["attrs"].get("remote") or "").lower()
    if reached:
        return bool((names | {remote.partition(".")[0]}) & {h.partition(".")[0].lower() for h in hosts})
    systems = {str(r["host"]).lower() for r in act.rows if r["host"]}
    if act.kind == "automation.trigger":  # anybody may fetch anything: only what names that system counts
        return any(s in str(row["object"] or "").lower() or _same(remote, s) for s in systems)
    if act.kind == "code.push" and not of_branch(str(row["object"] or ""), act):
        return False
    return not remote or not systems or act.kind != "code.push" or any(_same(remote, s) for s in systems)


def _same(one: str, other: str) -> bool:
    return one == other or one.partition(".")[0] == other.partition(".")[0] or (bool(one) and not one.strip("0123456789.:[]abcdef"))


def whose(world: World, row: Row, known: set[str]) -> set[str]:
    """Return whose a command may be: the account's holder and the device's; of an account that nobody knows, nobody's."""
    owners = set(world.known.holders(row["device"], row["time"]))
    if not row["actor"]:
        return set() if row["device"] in known else owners
    holders = set(world.known.last_holders(row["actor"], row["time"]))
    return holders | owners if holders else set()
