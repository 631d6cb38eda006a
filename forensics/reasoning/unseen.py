"""Who was on a host while nothing of it was recorded, between a file's own write and its use: what its watch did not see, it cannot exclude."""

import re
from collections.abc import Iterator
from typing import Any

from forensics import times
from forensics.facts import shared_prefixes
from forensics.reasoning.act import Row
from forensics.reasoning.devices import still_open
from forensics.reasoning.paths import Place, writes
from forensics.reasoning.world import World

_WORN = 7 * times.DAY
"""how long before its use a gap may lie where no write of the file is recorded"""
_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/etc/", "/proc/", "/sys/", "/dev/", "/snap/", "/nix/")
"""what people without an administrator's rights do not write"""
_HOME = re.compile(r"^/(?:home|Users|root|u|var/home)(?:/([^/]+))?/")


def unseen(world: World, place: Place, mine: set[str]) -> list[Row]:
    """Return logins as acts upon a file: of everybody who was on its host while the logs that would show its writes were silent, since it was last written.

    A file in a home of the act's own people is left out, and those of the system: there others do not write. So is what another log watched meanwhile,
    and a word of a line of which no record says that it is a file, unless it is spelled like one.
    """
    if not any(world.gaps.values()) or place.path == "/" or place.path.startswith(_SYSTEM) or _own_home(world, place, mine):
        return []
    known = writes(world, place.host, place.path, place.moment)
    if not known and ("." not in place.path.rpartition("/")[2] or _is_folder(world, place)):
        return []
    since = known[-1]["time"] if known else place.moment - _WORN
    watch = {known[-1]["source"]} if known else _watching(world, place)
    found: dict[tuple[str, ...], Row] = {}
    for source in sorted(watch):
        for low, high in blind(world, source):
            if since <= low and low < place.moment and not _watched_otherwise(world, place, source, low, high):
                for row in _there(world, place.host, source, low, min(high, place.moment)):
                    who = world.known.last_holders(row["actor"], row["time"])
                    found[who] = {
                        **row,
                        "object": f"file://{place.host}{place.path}",
                        "attrs": row["attrs"] | {"unseen": [low, high, source]},
                    }
    return list(found.values())


def _is_folder(world: World, place: Place) -> bool:
    rows = world.tables.rows(
        "SELECT 1 AS x FROM acts WHERE action = 'file.write' AND (starts_with(object, $local) OR starts_with(object, $shared)) LIMIT 1",
        local=f"file://{place.host}{place.path}/", shared=f"file://{place.path}/",
    )  # fmt: skip
    return bool(rows)


def blind(world: World, source: str) -> Iterator[tuple[int, int]]:
    """Yield a source's gaps, (from, to), on the case's clock."""
    for low, high in world.gaps.get(source, ()):
        rows = world.tables.rows(
            "SELECT r.time AS told, min(e.time) AS time FROM recorded r JOIN events e ON e.id = r.id WHERE r.source = $s AND r.time IN ($a, $b) GROUP BY 1",
            s=source, a=low, b=high,
        )  # fmt: skip
        told = {r["told"]: r["time"] for r in rows}
        yield told.get(low) or low, told.get(high) or high


def _own_home(world: World, place: Place, mine: set[str]) -> bool:
    found = _HOME.match(place.path)
    return found is not None and (found[1] is None or bool(mine & set(world.known.last_holders(f"unix:{found[1]}", place.moment))))


def _watching(world: World, place: Place) -> set[str]:
    """Return the sources that recorded writes in the file's folder on its host: a file of unknown origin there was written while they were silent, or before them."""
    folder = place.path.rpartition("/")[0] + "/"
    shared = [f"file://{folder}"] if any(place.path.startswith(p) for p in shared_prefixes(world.case)) else []
    rows = world.tables.rows(
        "SELECT DISTINCT source FROM acts WHERE action = 'file.write' AND len(list_filter($f, lambda p: starts_with(object, p))) > 0",
        f=[f"file://{place.host}{folder}", *shared],
    )  # fmt: skip
    return {r["source"] for r in rows}


def _watched_otherwise(world: World, place: Place, source: str, low: int, high: int) -> bool:
    """Tell whether another log recorded writes on that host meanwhile."""
    rows = world.tables.rows(
        "SELECT 1 AS x FROM acts WHERE action = 'file.write' AND host = $h AND source <> $s AND time BETWEEN $low AND $high LIMIT 1",
        h=place.host, s=source, low=low, high=high,
    )  # fmt: skip
    return bool(rows)


_LOGINS = "action IN ('session.ssh.open', 'session.audit.open', 'process.exec') AND outcome = 'ok' AND host = $h AND actor IS NOT NULL"


def _there(world: World, host: str, source: str, low: int, high: int) -> list[dict[str, Any]]:
    """Return the last sign of everybody who was on a host within a stretch: logins open then, logins and commands in it; where no other log tells of logins there, of everybody who ever was."""
    known = world.tables.rows(
        "SELECT 1 AS x FROM acts WHERE action IN ('session.ssh.open', 'session.audit.open') AND host = $h AND source <> $s LIMIT 1", h=host, s=source
    )  # fmt: skip
    if not known:
        return world.acts(f"{_LOGINS} AND time <= $high", h=host, high=high)
    rows = world.acts(f"{_LOGINS} AND time BETWEEN $since AND $high", h=host, since=low - world.policy.windows["session"], high=high)
    inside = [r for r in rows if r["time"] >= low]
    before = [r for r in rows if r["time"] < low and r["action"] != "process.exec"]
    return [
        *(r for r in still_open(world, before, low) if not any(r["time"] < t <= low + times.MINUTE for t in _downs(world, host))),
        *inside,
    ]


def _downs(world: World, host: str) -> list[int]:
    """Return when a host went down or came up: no login outlasts that."""
    rows = world.tables.rows(
        "SELECT time FROM events WHERE action = 'log.message' AND host = $h AND time IS NOT NULL AND json_extract_string(attrs, '$.type') IN ('SYSTEM_BOOT', 'SYSTEM_SHUTDOWN') ORDER BY time",
        h=host,
    )  # fmt: skip
    return [r["time"] for r in rows]
