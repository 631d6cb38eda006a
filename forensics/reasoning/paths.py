"""The files that a command's line names on its host, and what they had been copied, moved or linked from."""

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from forensics import times
from forensics.reasoning.act import Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder on a host that a process was given, as it was at a moment."""

    host: str
    path: str
    moment: int
    placed: Row | None = None
    """the command that copied, moved or linked there what lies here"""


def named(row: Row) -> set[str]:
    """Return the absolute paths that a command names, behind a `=` and in a line of its own as well (`sh -c`): its program, and the words of its line; and the file that `make` takes without being told."""
    words = words_of(line_of(row))
    folder = str(row["attrs"].get("cwd") or "/")
    spelled = [w.partition("=")[2] if w.startswith("-") else w for w in words]
    if words and words[0].rpartition("/")[2] in ("make", "gmake"):
        where = words[words.index("-C") + 1] if "-C" in words[:-1] else "."
        spelled += [posixpath.join(where, name) for name in ("Makefile", "GNUmakefile", "makefile")]
    spelled += [part.strip(";&|()<>") for w in spelled if " " in w for part in words_of(w)]
    paths = {posixpath.normpath(posixpath.join(folder, w)) for w in spelled if w and "://" not in w}
    return paths | ({path_of(str(row["object"]))} if str(row["object"]).startswith("file:") else set())


def words_of(line: str) -> list[str]:
    """Return the words of a command line; where its quotes do not close, what stands between blanks."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def path_of(reference: str) -> str:
    """Return the path of a file's reference, on whichever host."""
    return "/" + reference.partition("://")[2].partition("/")[2]


def piped(world: World, rows: list[Row]) -> list[Row]:
    """Return the commands beside those that read what another hands them: children of the same shell, within seconds."""
    takers = [
        r
        for r in rows
        if r["attrs"].get("ppid") and ({"-", "/dev/stdin"} & set(words := words_of(line_of(r))) or _program(words) in _TAKERS)
    ]
    return [
        s
        for r in takers
        for s in world.acts(
            "action = 'process.exec' AND outcome = 'ok' AND host = $h AND session IS NOT DISTINCT FROM $s AND time BETWEEN $low AND $high",
            h=r["host"], s=r["session"], low=r["time"] - _PIPE, high=r["time"] + _PIPE,
        )
        if s["attrs"].get("ppid") == r["attrs"]["ppid"]
    ]  # fmt: skip


_TAKERS = ("tee", "dd", "xargs")
"""programs that read what they are handed without a word of it"""
_PIPE = 2 * times.SECOND


def _program(words: list[str]) -> str:
    return words[0].rpartition("/")[2] if words else ""


_COPIES = ("cp", "mv", "install", "rsync", "ln", "scp")
_FAR = 4
"""copies that are followed back"""


def back(world: World, place: Place) -> Iterator[Place]:
    """Yield what a file had been copied, moved or linked from on its host, whole folders included, by the commands that say so, and so on back."""
    for _ in range(_FAR):
        before = _before(world, place)
        if before is None:
            return
        place = before
        yield place


def _before(world: World, place: Place) -> Place | None:
    parts = [p for p in place.path.split("/") if p][1:]
    rows = world.tables.rows(
        "SELECT id FROM events WHERE action = 'process.exec' AND host = $h AND time < $t AND regexp_extract(object, '[^/]*$') IN (SELECT unnest($copies)) AND len(list_filter($names, lambda n: contains(attrs, n))) > 0 ORDER BY time DESC, id LIMIT 200",
        h=place.host, t=place.moment, copies=list(_COPIES), names=parts or [place.path],
    )  # fmt: skip
    found = world.acts("list_contains($e, event) AND outcome = 'ok'", e=[r["id"] for r in rows]) if rows else []
    return next((s for r in reversed(found) if (s := _source(r, place))), None)


def _source(row: Row, place: Place) -> Place | None:
    """Return where a command took a file from that it put to this path, or with a folder above it; a link shows what lies there now."""
    words = [w for w in words_of(line_of(row)) if not w.startswith("-")]
    if len(words) < 3 or _program(words) not in _COPIES:
        return None
    folder = str(row["attrs"].get("cwd") or "/")
    *sources, target = (posixpath.normpath(posixpath.join(folder, w)) for w in words[1:])
    for source in sources:
        into = posixpath.join(target, source.rpartition("/")[2])
        for end in (into, target) if len(sources) == 1 else (into,):
            if (place.path == end or place.path.startswith(end + "/")) and source != place.path:
                moment = place.moment if _program(words) == "ln" else row["time"]
                return Place(place.host, source + place.path[len(end) :], moment, row)
    return None
