"""What any object of the graph reached, whether somebody asked about it in the case or not: jobs, objects, where these went, and who read them."""

from dataclasses import dataclass, replace
from typing import Any

from forensics.model import Question
from forensics.reasoning.dossier import Dossier, gather
from forensics.reasoning.impact import Impact, impact
from forensics.reasoning.touched import touched
from forensics.reasoning.world import World

Row = dict[str, Any]
_CONTENT = ("s3:", "hdfs:", "file:")


@dataclass(frozen=True, slots=True)
class Reach:
    """What one object reached."""

    impact: Impact
    dossier: Dossier
    whole: bool
    """whether the name is followed through all of its versions: it stands for each of them, unless just one write is recorded"""
    copies: tuple[Row, ...]
    """edges to what was copied or renamed from what it reached: published, or moved on"""
    readers: tuple[Row, ...]
    """who else read what it reached: actor, object, times, first, event"""
    jobs: dict[str, Row]
    """what the scheduler says of each job: start, end, gpus, hours, event"""


def reach(world: World, reference: str, at: tuple[int, int] | None = None) -> Reach:
    """Follow an object forward. `at`: which of its changes, where it changed more than once."""
    dossier = gather(world, Question("reach", reference, at))
    content = reference.startswith(_CONTENT)
    writes = _writes(world, reference) if content else ()
    whole = content and at is None and "?versionId=" not in reference and (reference.startswith("s3:") or len(writes) != 1)
    if whole:
        dossier = replace(dossier, when=(writes[0], writes[-1]) if writes and reference.startswith("file:") else None)
    into = world.tables.rows(_LOADED, o=reference) if whole and dossier.when is None else []
    found = impact(world, dossier, into if content or reference.startswith(("git:", "image:")) else touched(world, reference))
    copies = tuple(e for e in found.edges if e["rule"] == "acts")
    objects = [*([reference] if content else []), *found.objects, *found.objects_possible]
    since = (dossier.when or (0, 0))[0]
    return Reach(found, dossier, whole, copies, tuple(_readers(world, objects, since)), _jobs(world, [*found.jobs, *found.jobs_possible]))


_LOADED = """
    SELECT * FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND regexp_matches(dst, '^(slurm|k8s):') AND (src = $o OR starts_with(src, $o || '?'))
    ORDER BY dst, time, src, events
"""


def _writes(world: World, reference: str) -> tuple[int, ...]:
    """Return when it was written, or found to be not what it was."""
    rows = world.tables.rows(
        """
        SELECT DISTINCT time FROM acts WHERE time IS NOT NULL AND (object = $o OR starts_with(object, $o || '?'))
          AND ((action IN ('object.write', 'file.write') AND outcome = 'ok') OR (action = 'file.check' AND outcome <> 'ok')) ORDER BY time
        """,
        o=reference,
    )
    return tuple(r["time"] for r in rows)


# A read that belongs to a job has an edge of that job; the others are people, services and machines.
_READERS = """
    WITH asked AS (SELECT DISTINCT split_part(unnest(CAST($objects AS VARCHAR[])), '?', 1) AS bare),
    by_jobs AS (SELECT DISTINCT unnest(events) AS event FROM edges WHERE rule = 'job-objects')
    SELECT coalesce(actor, '') AS actor, split_part(object, '?', 1) AS object, count(*) AS times, min(time) AS first, arg_min(event, (time, event)) AS event
    FROM acts WHERE action = 'object.read' AND outcome = 'ok' AND time >= $since AND split_part(object, '?', 1) IN (SELECT bare FROM asked)
      AND event NOT IN (SELECT event FROM by_jobs)
    GROUP BY ALL ORDER BY ALL
"""


def _readers(world: World, objects: list[str], since: int) -> list[Row]:
    return world.tables.rows(_READERS, objects=objects, since=since) if objects else []


_JOBS = """
    SELECT job, min(coalesce(start, submit)) AS start, max("end") AS "end", max(gpus) AS gpus, min(actor) AS actor, min(events[1]) AS event,
           sum(gpus * greatest(0, coalesce("end", $until) - start)) / 3600e9 AS hours
    FROM jobs WHERE job IN (SELECT unnest(CAST($jobs AS VARCHAR[]))) GROUP BY job ORDER BY job
"""


def _jobs(world: World, jobs: list[str]) -> dict[str, Row]:
    return {row["job"]: row for row in world.tables.rows(_JOBS, jobs=jobs, until=world.case.window[1])}
