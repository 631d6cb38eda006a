"""Who else had hands on a terminal of an account's holder: whoever attached to it types in his session, under his login id."""

import re

from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.logins import still_open
from forensics.reasoning.paths import words_of
from forensics.reasoning.world import World

_KEEPERS = ("tmux", "screen", "dtach", "abduco", "tmate", "byobu", "zellij")
"""programs that keep a terminal which others can attach to"""
_TAKERS = ("reptyr", "gdb", "nsenter", "conspy", "ttysnoop")
"""programs that take over a running process or its terminal"""
_NAMES = re.compile(r"[^\w.#]+")


def attached(world: World, act: Act, hosts: list[str], mine: set[str]) -> list[Row]:
    """Return the commands of others that attached to a terminal of the account's holder on these hosts, and whose logins no record ends before the act.

    So it is where they spell his name or number, a process of his, or a socket that a command of his spells, too (tmux(1) -S, screen(1) -x, dtach(1)).

    mine: his names on hosts, and the numbers of his account.
    """
    people = set(world.known.last_holders(act.account, act.time[0]))
    numbers = {n.partition("#")[2] for p in people for n in world.known.of(p, "unix") if "#" in n}
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND actor IS NOT NULL AND time BETWEEN $low AND $t AND regexp_extract(object, '[^/]*$') IN (SELECT unnest($p))",
        h=hosts, low=act.time[0] - world.policy.windows["login"], t=act.time[1], p=[*_KEEPERS, *_TAKERS],
    )  # fmt: skip
    his = [r for r in rows if people & set(world.known.last_holders(r["actor"], r["time"]))]
    sockets = {w for r in his for w in words_of(line_of(r)) if "/" in w and w != _program(r)}
    pids = {str(p) for r in world.acts("action = 'process.exec' AND list_contains($h, host) AND actor = $a AND time <= $t", h=hosts, a=act.account, t=act.time[1]) if (p := r["attrs"].get("pid"))} if any(_program(r).rpartition("/")[2] in _TAKERS for r in rows) else set()  # fmt: skip
    found = []
    for row in rows:
        who = set(world.known.holders(row["actor"], row["time"]))
        words = words_of(line_of(row))[1:]
        spelled = {part for w in words for part in _NAMES.split(w)}
        to_his = spelled & (mine | numbers) or sockets & set(words) or (pids & set(words) and _program(row).rpartition("/")[2] in _TAKERS)
        if who and not who & people and to_his and world.known.kind(row["actor"], row["time"]) == "personal":
            found.append(row)
    return still_open(world, found, act.time[0])


def _program(row: Row) -> str:
    return next(iter(words_of(line_of(row))), "")
