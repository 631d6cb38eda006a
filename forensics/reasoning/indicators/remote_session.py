"""Whether somebody else could have been at the device from afar: a session of another's on it, or a program that lets one in."""

import re
from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.devices import holding, open_sessions
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.logins import still_open
from forensics.reasoning.world import World

_LETS_IN = re.compile(
    r"anydesk|teamviewer|rustdesk|splashtop|screenconnect|connectwise|logmein|parsec|meshagent|supremo|dwagent|todesk|sunlogin|向日葵"
    r"|vncserver|x0?vnc|x11vnc|winvnc|tvnserver|vino|xrdp|screensharing|remoting_host|chrome.?remote",
    re.IGNORECASE,
)
"""programs that let somebody use a screen and keyboard from elsewhere, and that do not run from the start of every machine"""


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    for device in dict.fromkeys(d.device for d in origin.devices if d.owners):
        owners = set(world.known.holders(device, origin.moment))
        yield from _sessions(world, dossier, hypotheses, device, owners)
        yield from _reached_for(world, dossier, hypotheses, device, owners)
        low = origin.moment - world.policy.windows["shared_exec"]
        started = world.acts(
            "device = $d AND starts_with(action, 'device.process') AND time BETWEEN $low AND $t", d=device, low=low, t=origin.time
        )
        for row in [
            r for r in started if _LETS_IN.search(f"{r['object']} {r['attrs'].get('command') or ''} {r['attrs'].get('exe') or ''}")
        ][-1:]:
            expect = expectations(world, dossier, hypotheses, owners, "unlikely", "even")
            says = f"a program that lets others use the screen from afar was started on {device} just before"
            yield Item("remote_session", says, (row["source"],), (row["event"],), "person", expect)


def _sessions(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], device: str, owners: set[str]) -> Iterator[Item]:
    """Tell of a session on the device that began before the act, was open at the login behind it, and is not its owner's."""
    origin = dossier.origins[0]
    where, name = "object IN ($d, $n) OR target IN ($d, $n) OR (host = $n AND ip IS NOT NULL)", device.partition(":")[2]
    rows = open_sessions(world, where, origin.moment, world.policy.windows["session"], d=device, n=name)
    later = world.acts(
        f"starts_with(action, 'session.') AND regexp_matches(action, '[.](open|connect|login|use)$') AND ({where}) AND outcome = 'ok' AND time > $low AND time <= $t",
        d=device, n=name, low=origin.moment, t=origin.time,
    )  # fmt: skip
    for row in [r for r in (*rows, *later) if r["actor"] is not None][-4:]:
        people = _hands(world, row)
        if people & owners:
            continue
        yes = expectations(world, dossier, hypotheses, people, "likely", "unlikely")
        expect = yes if people else expectations(world, dossier, hypotheses, owners, "unlikely", "even")
        says = f"{row['actor']} had a session on {device} open at that moment"
        yield Item("remote_session", says, (row["source"],), (row["event"],), "person", expect)


_REACHES = re.compile(
    r"(.*/)?(ssh|mosh|autossh|mstsc|xfreerdp3?|wlfreerdp|rdesktop|remmina|vncviewer|gvncviewer|tigervnc|psexec|paexec|winrs|enter-pssession|msra|quickassist)([.]exe)?",
    re.IGNORECASE,
)
"""programs that open a session on another machine"""


def _reached_for(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], device: str, owners: set[str]) -> Iterator[Item]:
    """Tell of commands of others on their own devices or on hosts that open a session on this one, by its name or an address that it had then."""
    origin = dossier.origins[0]
    rows = world.acts(
        "(action = 'process.exec' OR starts_with(action, 'device.process')) AND outcome = 'ok' AND actor IS NOT NULL AND device IS DISTINCT FROM $d AND time BETWEEN $low AND $t",
        d=device, low=origin.moment - world.policy.windows["session"], t=origin.time,
    )  # fmt: skip
    had = world.tables.rows("SELECT DISTINCT ip FROM acts WHERE device = $d AND ip IS NOT NULL AND time BETWEEN $low AND $t ORDER BY ip", d=device, low=origin.moment - world.policy.windows["lease"], t=origin.time)  # fmt: skip
    names = {device.partition(":")[2].lower(), *(str(r["ip"]).partition(":")[2] for r in had)}
    for row in rows:
        words = line_of(row).split()
        people = set(world.known.holders(row["actor"], row["time"]))
        if not words or not people or people & owners or not (_REACHES.fullmatch(words[0]) or _LETS_IN.search(words[0])):
            continue
        target, command = _destination(words)
        brief = bool(command) and not _SHELLS.search(command[0]) and origin.time - row["time"] > world.policy.windows["same_act"]
        if names & target and not brief and not _over(world, row, device.partition(":")[2], people, origin.moment):
            expect = expectations(world, dossier, hypotheses, people, "likely", "unlikely")
            says = f"{row['actor']} ran a command that opens a session on {device}"
            yield Item("remote_session", says, (row["source"],), (row["event"],), "person", expect)


_VALUED = frozenset(f"-{c}" for c in "BbcDEeFIiJLlmOopQRSWw")
"""options of ssh that take the next word (ssh(1))"""
_SHELLS = re.compile(r"(^|/)(ba|da|k|z|c|fi)?sh$|tmux|screen|nohup|sudo|su$|powershell|cmd|python")


def _destination(words: list[str]) -> tuple[set[str], list[str]]:
    """Return the names that a remote command goes to, and what it runs there: of ssh its first word that is no option, of others any word."""
    if not re.search(r"(ssh|mosh)([.]exe)?$", words[0].lower()):
        return {part for w in words[1:] for part in (w.lower(), *re.split(r"[@:=/]", w.lower()))}, []
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _VALUED else rest[1:]
    host = rest[0].lower().removeprefix("ssh://").rpartition("@")[2] if rest else ""
    return {host, host.partition(":")[0], host.partition(".")[0]}, rest[1:]


def _over(world: World, row: Row, name: str, people: set[str], moment: int) -> bool:
    """Tell whether the machine's own log shows that session closed before."""
    opened = world.acts(
        "action = 'session.ssh.open' AND outcome = 'ok' AND host = $n AND actor IS NOT NULL AND time BETWEEN $low AND $high",
        n=name, low=row["time"] - world.policy.windows["at_once"], high=row["time"] + world.policy.windows["at_once"],
    )  # fmt: skip
    his = [r for r in opened if people & set(world.known.holders(r["actor"], r["time"])) or (r["ip"] and r["device"] is None)]
    return bool(his) and not still_open(world, his, moment)


def _hands(world: World, row: Row) -> set[str]:
    """Return whose a session is: the owner's of the key it was opened with, or of the device that had its address; else the account's holder's."""
    key = set(world.known.holders(row["credential"], row["time"])) if row["credential"] else set()
    came = {p for d in (holding(world, row["ip"], (row["time"],)) if row["ip"] else ()) for p in d.owners}
    return key or came or set(world.known.holders(row["actor"], row["time"]))


INDICATOR = Indicator(
    name="remote_session",
    why="whoever has a session on a device can act from it, while its owner has it open",
    errs="help that was asked for; a session that was only watched; a program of that name that nobody used",
    find=_find,
)
