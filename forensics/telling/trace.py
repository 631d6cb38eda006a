"""What led to an object, and what came of it: the edges of an examination, walked along time, as a tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from forensics.errors import ForensicsError
from forensics.tables import Tables
from forensics.telling.timeline import REF

LONG_AGO, FAR = -(1 << 63), (1 << 63) - 1
_SHA = re.compile(r"(?:git:(?P<repo>[^@]*)@)?(?P<sha>[0-9a-f]{4,40})", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)


class Way(Enum):
    """Which way along the edges."""

    BACK = "back"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Step:
    """One or more edges of one rule between the same two things."""

    way: Way
    rule: str
    recorded: bool
    """False: a rule inferred it"""
    first: int | None
    last: int | None
    """times of the earliest and the latest of these edges"""
    count: int
    event: int | None
    """the first event that shows it"""


@dataclass(slots=True)
class Node:
    """A thing in the tree, with the step that leads to it."""

    name: str
    step: Step | None
    bound: int
    """walking back, nothing later than this counts; forward, nothing earlier"""
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    cut: str = ""
    """why the walk does not go on from here"""
    more: int = 0
    """further children that were left out"""


@dataclass(frozen=True, slots=True)
class Label:
    """What an event says, in short."""

    time: int | None
    action: str
    actor: str | None
    """as authenticated; else as claimed, and said so"""
    ref: str


# The edges of one step from every node of a level, one scan of the table for all of them. Edges without a time pass.
_BACK = """
    WITH level AS (SELECT unnest($names::VARCHAR[]) AS node, unnest($bounds::BIGINT[]) AS bound)
    SELECT l.node, l.bound, e.src AS other, e.rule, e.recorded, min(e.time) AS first, max(coalesce(e.time_hi, e.time)) AS last, count(*) AS count,
           min(e.events[1]) AS event
    FROM edges e JOIN level l ON e.dst = l.node
    WHERE e.src IS NOT NULL AND (e.time IS NULL OR e.time <= l.bound)
    GROUP BY l.node, l.bound, e.src, e.rule, e.recorded
    ORDER BY l.node, l.bound, first NULLS LAST, other, e.rule, e.recorded
"""
_FORWARD = """
    WITH level AS (SELECT unnest($names::VARCHAR[]) AS node, unnest($bounds::BIGINT[]) AS bound)
    SELECT l.node, l.bound, e.dst AS other, e.rule, e.recorded, min(e.time) AS first, max(coalesce(e.time_hi, e.time)) AS last, count(*) AS count,
           min(e.events[1]) AS event
    FROM edges e JOIN level l ON e.src = l.node
    WHERE e.dst IS NOT NULL AND (e.time IS NULL OR coalesce(e.time_hi, e.time) >= l.bound)
    GROUP BY l.node, l.bound, e.dst, e.rule, e.recorded
    ORDER BY l.node, l.bound, first NULLS LAST, other, e.rule, e.recorded
"""


def walk(tables: Tables, start: str, way: Way, depth: int, width: int) -> Node:
    """Walk from an object level by level, along time, and return the tree.

    Back: from each edge only to edges that are not later; forward: to none that is earlier. A thing is opened where it is first met, and again only
    where it is met with more time to look at. `width`: so many children of each at most (0: all).
    """
    root = Node(start, None, FAR if way is Way.BACK else LONG_AGO)
    opened: dict[str, int] = {}
    level = [root]
    for _ in range(depth):
        level = [child for node in _grow(tables, level, way, opened) for child in _trim(node, width)]
        if not level:
            break
    for node in level:
        node.cut = node.cut or "depth"
    return root


def _grow(tables: Tables, level: list[Node], way: Way, opened: dict[str, int]) -> list[Node]:
    """Give every node of a level its children; return those that were opened."""
    asked = [node for node in level if _open(node, way, opened)]
    if not asked:
        return []
    pairs = sorted({(node.name, node.bound) for node in asked})
    rows = tables.rows(_BACK if way is Way.BACK else _FORWARD, names=[name for name, _ in pairs], bounds=[bound for _, bound in pairs])
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["node"], row["bound"]), []).append(row)
    for node in asked:
        node.children = [_child(node, row, way) for row in found.get((node.name, node.bound), [])]
    return asked


def _open(node: Node, way: Way, opened: dict[str, int]) -> bool:
    """Tell whether to go on from a node; else note on it why not."""
    if node.name in _above(node):
        node.cut = "cycle"
        return False
    before = opened.get(node.name)
    wider = before is None or (node.bound > before if way is Way.BACK else node.bound < before)
    if not wider:
        node.cut = "repeat"
        return False
    opened[node.name] = node.bound
    return True


def _above(node: Node) -> Iterator[str]:
    up = node.parent
    while up:
        yield up.name
        up = up.parent


def _child(parent: Node, row: dict[str, Any], way: Way) -> Node:
    step = Step(way, row["rule"], row["recorded"], row["first"], row["last"], row["count"], row["event"])
    if way is Way.BACK:
        bound = parent.bound if step.last is None else min(step.last, parent.bound)
    else:
        bound = parent.bound if step.first is None else max(step.first, parent.bound)
    return Node(row["other"], step, bound, parent)


def _trim(node: Node, width: int) -> list[Node]:
    """Keep the first children of a node; note how many there are more."""
    if width and len(node.children) > width:
        node.more = len(node.children) - width
        node.children = node.children[:width]
    return node.children


def nodes(root: Node) -> Iterator[Node]:
    """Yield a tree's nodes, each before its children."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


# --- names ------------------------------------------------------------------------------------------------------

_KNOWN = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM edges WHERE src = $name OR dst = $name)
        OR EXISTS (SELECT 1 FROM events WHERE object = $name OR target = $name OR prior = $name OR actor = $name OR session = $name)
        OR (starts_with($name, 'event:') AND EXISTS (SELECT 1 FROM events WHERE id = try_cast(substr($name, 7) AS BIGINT)))
"""
_NAMES = "SELECT src AS name FROM edges UNION SELECT dst FROM edges UNION SELECT object FROM events UNION SELECT actor FROM events"
_COMMITS = f"""
    SELECT DISTINCT name FROM ({_NAMES}) WHERE starts_with(name, 'git:') AND regexp_matches(name, '@[0-9a-f]+$')
        AND starts_with(split_part(name, '@', 2), $sha) AND ($repo = '' OR split_part(substr(name, 5), '@', 1) = $repo) ORDER BY name LIMIT 20
"""  # noqa: S608 - text of ours alone
_NEAREST = f"SELECT DISTINCT name, jaro_winkler_similarity(name, $name) AS near FROM ({_NAMES}) WHERE name IS NOT NULL AND near > 0.8 ORDER BY near DESC, name LIMIT 5"  # noqa: S608 - text of ours alone


def resolve(tables: Tables, name: str) -> str:
    """Return the reference that is meant: as it stands, or a commit by the first digits of its id. ForensicsError, with what is near, where none is."""
    if tables.rows(_KNOWN, name=name):
        return name
    meant = _SHA.fullmatch(name)
    if meant:
        commits = [row["name"] for row in tables.rows(_COMMITS, sha=meant["sha"], repo=meant["repo"] or "")]
        if len(commits) == 1:
            return str(commits[0])
        if commits:
            raise ForensicsError("several commits begin so", where=name, hint="name one of: " + ", ".join(commits))
    near = [row["name"] for row in tables.rows(_NEAREST, name=name)]
    raise ForensicsError(
        "no record of this examination names it", where=name, hint=f"the nearest that are named: {', '.join(near)}" if near else ""
    )


def labels(tables: Tables, ids: set[int]) -> dict[int, Label]:
    """Return what these events say in short, and where they stand."""
    rows = tables.rows(
        f"SELECT e.id, e.time, e.action, coalesce(e.actor, e.claimed || ' (claimed)') AS actor, {REF} AS ref FROM events e WHERE e.id IN (SELECT unnest($ids::BIGINT[]))",  # noqa: S608 - text of ours alone
        ids=sorted(ids),
    )
    return {row["id"]: Label(row["time"], row["action"], row["actor"], row["ref"]) for row in rows}


def event_id(name: str) -> int | None:
    """Return the number of an `event:<id>`; None for anything else."""
    number = name.removeprefix("event:")
    return int(number) if name.startswith("event:") and _NUMBER.fullmatch(number) else None
