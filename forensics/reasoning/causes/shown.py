"""The records behind a cause and behind the runs that were compared: which show the change itself, which tie it to the runs that it reached."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from forensics.reasoning.world import World

_MOST = 4
"""records that are named for each"""

_CHANGE = """
    WITH asked AS (SELECT unnest(CAST($objects AS VARCHAR[])) AS object),
    seen AS (
        SELECT object, id AS event, 0 AS rank, time FROM events WHERE action = 'code.commit' AND object IN (SELECT object FROM asked)
        UNION ALL SELECT dst, events[1], 1, time FROM edges WHERE rule = 'pushed-commits' AND recorded AND dst IN (SELECT object FROM asked)
        UNION ALL SELECT object, event, 2, time FROM acts
        WHERE action IN ('object.write', 'file.write', 'file.delete', 'file.check') AND object IN (SELECT object FROM asked)
        UNION ALL SELECT object, id, 2, time FROM events WHERE action IN ('file.content', 'file.listed') AND object IN (SELECT object FROM asked)
        UNION ALL SELECT target, id, 2, time FROM events WHERE action = 'file.content' AND target IN (SELECT object FROM asked)
        UNION ALL SELECT object, id, 1, time FROM events WHERE action = 'node.state' AND object IN (SELECT object FROM asked)
        UNION ALL SELECT target, id, 3, time FROM events WHERE action IN ('job.node', 'run.package') AND target IN (SELECT object FROM asked)
    )
    SELECT object, event FROM seen QUALIFY row_number() OVER (PARTITION BY object ORDER BY rank, time NULLS LAST, event) <= $most ORDER BY ALL
"""

_TIES = """
    WITH asked AS (SELECT unnest(CAST($objects AS VARCHAR[])) AS object, unnest(CAST($jobs AS VARCHAR[])) AS job)
    SELECT a.object, e.events[-1:] AS events FROM asked a JOIN edges e ON e.dst = a.job AND split_part(e.src, '?', 1) = split_part(a.object, '?', 1)
    QUALIFY row_number() OVER (PARTITION BY a.object ORDER BY e.time NULLS LAST, e.events) <= $most ORDER BY ALL
"""


def shown(world: World, reached: Sequence[tuple[str, Sequence[str]]]) -> dict[str, tuple[int, ...]]:
    """Return object -> the events that show it, and of those that tie it to its first harmed runs, or else these runs' own; `reached`: objects with these runs."""
    found: dict[str, list[int]] = defaultdict(list)
    objects = [o for o, _ in reached]
    for row in world.tables.rows(_CHANGE, objects=objects, most=_MOST):
        found[row["object"]].append(row["event"])
    pairs = [(o, job) for o, jobs in reached for job in jobs[:_MOST]]
    ties: dict[str, list[int]] = defaultdict(list)
    for row in world.tables.rows(_TIES, objects=[o for o, _ in pairs], jobs=[j for _, j in pairs], most=_MOST):
        ties[row["object"]] += row["events"] or []
    own = launches(world, (job for o, jobs in reached if o not in ties for job in jobs[:_MOST]))
    for o, jobs in reached:
        found[o] += ties.get(o) or [own[job] for job in jobs[:_MOST] if job in own]
    return {o: tuple(dict.fromkeys(events)) for o, events in found.items()}


def launches(world: World, jobs: Iterable[str]) -> dict[str, int]:
    """Return job -> the first record of it."""
    rows = world.tables.rows("SELECT job, min(events[1]) AS event FROM jobs WHERE list_contains($j, job) GROUP BY job", j=sorted(set(jobs)))
    return {row["job"]: row["event"] for row in rows}
