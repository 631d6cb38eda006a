"""What the process of an act on a host had been given to run or to copy, where somebody else wrote that: who ran it is not who made it."""

import posixpath
import re
import shlex
from collections.abc import Iterator

from forensics import times
from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.world import World


def given(world: World, act: Act) -> tuple[Row, ...]:
    """Return the last write of each file that the act's own process ran, copied or renamed, where somebody else made it.

    Left out is what has run since without the act: a script of long ago is part of the furniture.
    """
    if not act.kind.startswith("file."):
        return ()
    mine = set(world.known.last_holders(act.account, act.time[0]))
    found: dict[int, Row] = {}
    for path, moment in sorted(set(_paths(world, act))):
        row = _last_write(world, act, path, moment)
        owners = set(world.known.last_holders(row["actor"], row["time"])) if row and row["actor"] else set()
        if row is not None and mine and owners and not owners & mine and not _ran_since(world, act, path, row, moment):
            found[row["event"]] = row
    return tuple(found[e] for e in sorted(found))


def _paths(world: World, act: Act) -> Iterator[tuple[str, int]]:
    """Yield (absolute path, ns) of what the process was given, but for the object itself."""
    objects = {_path(str(r["object"])) for r in act.rows}
    for row in act.rows:
        if row["attrs"].get("from"):
            yield str(row["attrs"]["from"]), row["time"]
    for row in _commands(world, act):
        for path in _named(row):
            if path not in objects:
                yield path, row["time"]


def _commands(world: World, act: Act) -> list[Row]:
    """Return the commands of the act's session that its process came out of: by process ids where the records bear them (audit, SYSCALL), else all shortly before."""
    sessions = sorted({str(r["session"]) for r in act.rows if r["session"]})
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND host = $h AND list_contains($s, session) AND time BETWEEN $low AND $t",
        h=act.host, s=sessions, low=act.time[0] - world.policy.windows["shared_exec"], t=act.time[1],
    ) if sessions and act.host else []  # fmt: skip
    line = {r["attrs"].get(k) for r in act.rows for k in ("pid", "ppid")} - {None}
    if not line:
        return rows
    for row in reversed(rows):
        if row["attrs"].get("pid") in line:
            line.add(row["attrs"].get("ppid"))
    return [r for r in rows if r["attrs"].get("pid") is None or r["attrs"]["pid"] in line]


def _named(row: Row) -> set[str]:
    """Return the absolute paths that a command names: its program, and the words of its line."""
    line = line_of(row)
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    folder = str(row["attrs"].get("cwd") or "/")
    paths = {posixpath.normpath(posixpath.join(folder, w)) for w in words if w and not w.startswith("-") and "://" not in w}
    return paths | ({_path(str(row["object"]))} if str(row["object"]).startswith("file:") else set())


def _path(reference: str) -> str:
    """Return the path of a file's reference, on whichever host."""
    return "/" + reference.partition("://")[2].partition("/")[2]


def _last_write(world: World, act: Act, path: str, moment: int) -> Row | None:
    rows = world.acts(
        "action = 'file.write' AND outcome = 'ok' AND list_contains($o, object) AND time < $t",
        o=[f"file://{act.host}{path}", f"file://{path}"], t=moment,
    )  # fmt: skip
    return rows[-1] if rows else None


_DAYS = 2
"""days on which a file has run without the act before it is part of the furniture: code that waits for a date passes the first run, too"""


def _ran_since(world: World, act: Act, path: str, written: Row, until: int) -> bool:
    """Tell whether others than its writer ran that file in between, on several days: who looks at it, or makes it executable, has not shown what it does.

    Where its writer has left meanwhile, only runs after that count: code may wait for it.
    """
    own = {r["event"] for r in _commands(world, act)}
    writer = set(world.known.last_holders(written["actor"], written["time"]))
    named = world.tables.rows(
        "SELECT id FROM events WHERE action = 'process.exec' AND contains(attrs, $name) ORDER BY id", name=path.rpartition("/")[2]
    )
    gone = [p.employed_to for p in world.case.people if p.id in writer and p.employed_to is not None and p.employed_to <= until]
    rows = world.acts(
        "list_contains($e, event) AND outcome = 'ok' AND actor IS NOT NULL AND time > $since AND time < $until",
        e=[r["id"] for r in named if r["id"] not in own], since=max([written["time"], *gone]), until=until,
    )  # fmt: skip
    ran = [r for r in rows if _runs(r, path) and not writer & set(world.known.last_holders(r["actor"], r["time"]))]
    return len({r["time"] // times.DAY for r in ran}) >= _DAYS


_INTERPRETERS = re.compile(r"(ba|da|k|z)?sh|python[\d.]*|perl|node|Rscript")


def _runs(row: Row, path: str) -> bool:
    """Tell whether a command runs a file: as its program, or as the first word that an interpreter is given."""
    words = line_of(row).split()
    if _path(str(row["object"])) == path:
        return True
    folder = str(row["attrs"].get("cwd") or "/")
    given = next((w for w in words[1:] if not w.startswith("-")), "")
    return (
        bool(words and _INTERPRETERS.fullmatch(words[0].rpartition("/")[2])) and posixpath.normpath(posixpath.join(folder, given)) == path
    )
