"""Who else had hands on a terminal of an account's holder: whoever attached to it types in his session, under his login id."""

import re

from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.logins import still_open
from forensics.reasoning.paths import program, words_of
from forensics.reasoning.world import World

_ATTACHES = {
    "tmux": ("attach", "attach-session", "a", "at", "send-keys", "send", "pipe-pane"),
    "screen": ("-x", "-r", "-R", "-rd", "-d", "-D", "-X"),
    "dtach": ("-a",),
    "abduco": ("-a",),
}
"""programs that keep a terminal which others can attach to, and how they do (tmux(1), screen(1), dtach(1), abduco(1))"""
_TAKERS = ("reptyr", "gdb", "nsenter", "conspy", "ttysnoop")
"""programs that take over a running process or its terminal"""


_PARTS = re.compile(r"[^\w.]+")


def attached(world: World, act: Act, hosts: list[str], mine: set[str]) -> list[Row]:
    """Return the commands of others that attached to a terminal of the account's holder on these hosts, and whose logins no record ends before the act.

    So it is where they spell his name or number, a process of his, or a socket that a command of his spells, too (tmux(1) -S, screen(1) -x, dtach(1)).

    mine: his names on hosts, and the numbers of his account.
    """
    people = set(world.known.last_holders(act.account, act.time[0]))
    numbers = {n.partition("#")[2] for p in people for n in world.known.of(p, "unix") if "#" in n}
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND actor IS NOT NULL AND time BETWEEN $low AND $t AND regexp_extract(object, '[^/]*$') IN (SELECT unnest($p))",
        h=hosts, low=act.time[0] - world.policy.windows["login"], t=act.time[1], p=[*_ATTACHES, *_TAKERS],
    )  # fmt: skip
    his = [r for r in rows if people & set(world.known.last_holders(r["actor"], r["time"]))]
    sockets = {s for r in his if (s := _socket(words_of(line_of(r))))}
    found = []
    for row in rows:
        who = set(world.known.holders(row["actor"], row["time"]))
        if not who or who & people or world.known.kind(row["actor"], row["time"]) != "personal":
            continue
        words = words_of(line_of(row))
        if _of_his(words, mine, numbers, sockets) or (program(row) in _TAKERS and _pids(world, act, hosts) & set(words[1:])):
            found.append(row)
    return still_open(world, found, act.time[0])


def _of_his(words: list[str], mine: set[str], numbers: set[str], sockets: set[str]) -> bool:
    """Tell whether a line attaches to a terminal of the holder's: without a socket of his, such a program speaks to its caller's own."""
    name = words[0].rpartition("/")[2] if words else ""
    if name not in _ATTACHES or not set(words[1:]) & set(_ATTACHES[name]):
        return False
    socket = _socket(words)
    owners = {w.partition("/")[0] for w in words[1:] if "/" in w} if name == "screen" else set()
    return bool(owners & mine) or (bool(socket) and (socket in sockets or bool(set(_PARTS.split(socket)) & (mine | numbers))))


def _socket(words: list[str]) -> str:
    """Return the socket that a line names: the value of -S, or of dtach and abduco the path."""
    if "-S" in words[:-1]:
        return words[words.index("-S") + 1]
    return next((w for w in words[1:] if "/" in w), "") if words and words[0].rpartition("/")[2] in ("dtach", "abduco") else ""


def _pids(world: World, act: Act, hosts: list[str]) -> set[str]:
    rows = world.acts(
        "action = 'process.exec' AND list_contains($h, host) AND actor = $a AND time <= $t", h=hosts, a=act.account, t=act.time[1]
    )
    return {str(p) for r in rows if (p := r["attrs"].get("pid"))}
