"""Nodes' recorded troubles: that they were down, drained, not ready, or warned of."""

import re
from collections import defaultdict
from dataclasses import dataclass

from forensics.reasoning.world import World

_SOUND = re.compile(r"(?:ok|up|idle|alloc\w*|mix\w*|ready|resumed?|returned\w*|responding)$", re.IGNORECASE | re.ASCII)
_MOST = 8
"""faults of each node that are looked at: the first"""
_SHOWN = 60
"""characters of a state"""
_STATES = """
    SELECT object AS node, time, min(outcome) AS state, min(id) AS event FROM events
    WHERE action = 'node.state' AND object IS NOT NULL AND time IS NOT NULL AND outcome IS NOT NULL GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A trouble of a node, as recorded."""

    time: int
    state: str
    event: int


def faults(world: World) -> dict[str, tuple[Fault, ...]]:
    """Return node -> its troubles in the order of time; not that it was found sound again."""
    found: dict[str, list[Fault]] = defaultdict(list)
    for row in world.tables.rows(_STATES):
        if not _SOUND.match(row["state"]) and len(found[row["node"]]) < _MOST:
            found[row["node"]].append(Fault(row["time"], row["state"][:_SHOWN], row["event"]))
    return {node: tuple(rows) for node, rows in found.items() if rows}
