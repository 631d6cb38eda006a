"""Commands that rules ask to look at, and beside which cause they stand: they name it, or ran in a session in which it was made. A hit names nobody and moves no cause."""

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.commands.matching import LONGEST, Rule, bounded_hits, hits, installed, read_rules
from forensics.reasoning.act import Row
from forensics.reasoning.world import World

_MOST = 1000
"""commands that are told"""
_DIFFERENT = 500_000
"""different commands that are looked at"""
_RAN = """
    WITH ran AS (
        SELECT id, left(CASE
            WHEN action = 'device.process' THEN object
            WHEN json_type(attrs, '$.argv') = 'ARRAY' THEN array_to_string(CAST(json_extract(attrs, '$.argv') AS VARCHAR[]), ' ')
            ELSE coalesce(json_extract_string(attrs, '$.argv'), json_extract_string(attrs, '$.command'), object) END, $longest) AS line,
            regexp_replace(coalesce(object, ''), '^file://[^/]*', '') AS image, regexp_replace(coalesce(target, actor, ''), '^[a-z0-9]+:', '') AS account
        FROM events WHERE action IN ('process.exec', 'device.process', 'process.timer')
    )
    SELECT line, image, account, list(id ORDER BY id)[:20] AS ids FROM ran WHERE line IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a rule asks to look at."""

    time: int | None
    event: int
    host: str
    line: str
    says: str
    why: str
    innocent: tuple[str, ...]
    beside: str
    """the cause that it names, or in whose session it ran; empty where there is none"""
    own: str = ""
    """the file of the examiner's own rules that asks so; empty: a shipped rule"""


@dataclass(frozen=True, slots=True)
class Commands:
    """What rules over commands find."""

    found: tuple[Command, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    """(rule of one's own, why nothing is told of what it finds)"""


def commands_of(world: World, causes: Iterable[str]) -> Commands:
    """Return the commands that are as a rule says, those beside a cause first, then in the order of time; none where the rules are not installed."""
    if not installed():
        return Commands()
    rows = world.tables.rows(_RAN, longest=LONGEST, most=_DIFFERENT)
    asked = [(n, r["line"], r["image"], r["account"]) for n, r in enumerate(rows)]
    own, left = bounded_hits(asked, world.own.commands) if world.own.commands else ([], [])
    objects = list(causes)
    told = _told(world, list(hits(asked, read_rules())), rows, objects)[:_MOST]
    told += _told(world, own, rows, objects)[:_MOST]
    return Commands(tuple(sorted(told, key=_order)), tuple((f"{rule.says} ({rule.own})", why) for rule, why in left))


def _told(world: World, found: list[tuple[Rule, int]], rows: list[Row], objects: list[str]) -> list[Command]:
    known = _events(world, {event for _, n in found for event in rows[n]["ids"]})
    sessions = _sessions(world, objects)
    told = [
        Command(
            known[event]["time"], event, known[event]["host"] or "", rows[n]["line"], rule.says, rule.why, rule.innocent,
            next((o for o in objects if _named(o, rows[n]["line"])), sessions.get((known[event]["host"], known[event]["session"]), "")), rule.own,
        )
        for rule, n in found for event in rows[n]["ids"]
    ]  # fmt: skip
    return sorted(told, key=_order)


def _order(c: Command) -> tuple[object, ...]:
    return not c.beside, c.time is None, c.time or 0, c.event, c.says, c.own


def _events(world: World, ids: set[int]) -> dict[int, Row]:
    rows = world.tables.rows(
        "SELECT id, time, host, session FROM events JOIN (SELECT unnest($ids) AS id) USING (id) ORDER BY id", ids=sorted(ids)
    )
    return {r["id"]: r for r in rows}


def _sessions(world: World, objects: list[str]) -> dict[tuple[str, str], str]:
    """Return (host, session) -> the cause that was made in it."""
    rows = world.tables.rows(
        "SELECT host, session, min(object) AS object FROM events WHERE list_contains($o, object) AND host IS NOT NULL AND session IS NOT NULL "
        "AND action IN ('file.write', 'file.delete', 'object.write') GROUP BY ALL ORDER BY ALL",
        o=sorted(objects),
    )
    return {(r["host"], r["session"]): r["object"] for r in rows}


def _named(reference: str, line: str) -> bool:
    """Tell whether a command names a cause: the path of a file or object, a commit by its first letters, or a node."""
    if reference.startswith("git:"):
        return reference.partition("@")[2][:7] in line
    if reference.startswith("file://"):
        return "/" + reference.removeprefix("file://").partition("/")[2] in line
    return reference.partition("?")[0] in line
