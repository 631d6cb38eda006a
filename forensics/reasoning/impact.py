"""What a change reached: forward along the edges, and along time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.reasoning.bearing import bearing
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

Row = dict[str, Any]
_JOB = ("slurm:", "k8s:")


@dataclass(frozen=True, slots=True)
class Impact:
    """Jobs that ran or loaded the change, what they wrote, and the GPU-hours of those jobs."""

    question: str
    jobs: tuple[str, ...]
    jobs_possible: tuple[str, ...]
    objects: tuple[str, ...]
    objects_possible: tuple[str, ...]
    gpu_hours: tuple[float, float]
    edges: tuple[Row, ...] = ()
    """the edges that it went along"""
    unmeasured: int = 0
    """jobs among them whose GPUs no record tells"""


def impact(world: World, dossier: Dossier) -> Impact:
    """Follow a change forward: first to the jobs that ran or loaded it, then through what those jobs wrote."""
    sure, maybe = _first(world, dossier)
    jobs, objects, edges = _spread(world, {r["dst"]: r for r in sure})
    more_jobs, more_objects, more_edges = _spread(world, {r["dst"]: r for r in [*sure, *maybe]})
    possible = tuple(sorted(set(more_jobs) - set(jobs)))
    origin = set(dossier.objects)
    return Impact(
        dossier.question.id,
        tuple(sorted(jobs)),
        possible,
        tuple(sorted(set(objects) - origin)),
        tuple(sorted(set(more_objects) - set(objects) - origin)),
        (_gpu_hours(world, jobs), _gpu_hours(world, [*jobs, *possible])),
        (*sure, *maybe, *edges, *(e for e in more_edges if e not in edges)),
        _unmeasured(world, [*jobs, *possible]),
    )


def _first(world: World, dossier: Dossier) -> tuple[list[Row], list[Row]]:
    """Return the edges into the jobs that ran or loaded the change itself: recorded, and inferred."""
    reference = dossier.objects[0]
    if reference.startswith("git:") and "@" in reference:
        rows = _commit_jobs(world, reference)
    elif reference.startswith(("s3:", "hdfs:", "file:")) and dossier.when:
        rows = _readers(world, reference, dossier.when[0], _next_write(world, reference, dossier))
    else:
        rows = []
    return [r for r in rows if r["recorded"]], [r for r in rows if not r["recorded"]]


def _commit_jobs(world: World, commit: str) -> list[Row]:
    """Return the jobs that ran the commit, or one built on it that still bears the change."""
    return world.tables.rows(
        "SELECT * FROM edges WHERE rule = 'job-commits' AND list_contains($c, src) ORDER BY dst, src", c=sorted(bearing(world, commit))
    )


def _next_write(world: World, reference: str, dossier: Dossier) -> int | None:
    """Return when the object was written again, and so no longer bore the change."""
    bare = reference.partition("?versionId=")[0]
    rows = world.tables.rows(
        """
        SELECT min(time) AS t FROM acts WHERE action IN ('object.write', 'object.delete', 'file.write', 'file.delete') AND time > $t
          AND (object = $b OR starts_with(object, $b || '?'))
        """,
        b=bare, t=dossier.when[1] if dossier.when else 0,
    )  # fmt: skip
    found: int | None = rows[0]["t"]
    return found


def _readers(world: World, reference: str, since: int, until: int | None) -> list[Row]:
    """Return the edges into jobs that loaded an object by its version, or by its name while that version was the last."""
    return world.tables.rows(
        """
        SELECT * FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND regexp_matches(dst, '^(slurm|k8s):')
          AND ((src = $o AND contains($o, '?')) OR (src = $b AND time >= $since AND ($until IS NULL OR time < $until)))
        ORDER BY dst, src, time
        """,
        o=reference, b=reference.partition("?")[0], since=since, until=until,
    )  # fmt: skip


def _spread(world: World, into: dict[str, Row]) -> tuple[list[str], list[str], list[Row]]:
    """Follow jobs to what they wrote, and that to the jobs that loaded it, as long as there is more."""
    jobs = {job: row["time"] for job, row in into.items()}
    objects: dict[str, int] = {}
    edges: list[Row] = []
    frontier = set(jobs)
    while frontier:
        written = world.tables.rows(
            "SELECT * FROM edges WHERE rule = 'job-objects' AND list_contains($j, src) AND NOT regexp_matches(dst, '^(slurm|k8s):') ORDER BY src, dst, time",
            j=sorted(frontier),
        )
        fresh = [
            w for w in written if w["dst"] not in objects and (jobs[w["src"]] is None or w["time"] is None or w["time"] >= jobs[w["src"]])
        ]
        objects |= {w["dst"]: w["time"] for w in fresh}
        edges += fresh
        frontier = set()
        for row in _loads(world, fresh):
            if row["dst"] not in jobs:
                jobs[row["dst"]] = row["time"]
                frontier.add(row["dst"])
            edges.append(row)
    return list(jobs), list(objects), edges


_LOADS = """
    WITH written AS (SELECT unnest($objects) AS object, unnest($times) AS time),
    bare AS (SELECT object, time, split_part(object, '?', 1) AS bare FROM written),
    writes AS (SELECT split_part(object, '?', 1) AS bare, time FROM acts WHERE action = 'object.write' AND time IS NOT NULL),
    until AS (SELECT b.object, min(w.time) AS until FROM bare b JOIN writes w ON w.bare = b.bare AND w.time > b.time GROUP BY b.object),
    loads AS (SELECT * FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND regexp_matches(dst, '^(slurm|k8s):'))
    SELECT l.* FROM loads l JOIN bare b ON l.src = b.object AND contains(b.object, '?')
    UNION ALL
    SELECT l.* FROM loads l JOIN bare b ON l.src = b.bare LEFT JOIN until u ON u.object = b.object
    WHERE l.time >= b.time AND (u.until IS NULL OR l.time < u.until)
    ORDER BY dst, src, time
"""


def _loads(world: World, written: list[Row]) -> list[Row]:
    """Return the edges into jobs that loaded what was written, by version, or by name while it was the last."""
    return world.tables.rows(_LOADS, objects=[w["dst"] for w in written], times=[w["time"] for w in written]) if written else []


def _gpu_hours(world: World, jobs: Iterable[str]) -> float:
    """Add up GPUs times elapsed hours of whole jobs; a job without a recorded end runs to the end of the window."""
    rows = world.tables.rows(
        'SELECT sum(gpus * greatest(0, coalesce("end", $until) - start)) AS g FROM jobs WHERE list_contains($j, job) AND start IS NOT NULL AND gpus IS NOT NULL',
        j=sorted(jobs), until=world.case.window[1],
    )  # fmt: skip
    return round((rows[0]["g"] or 0) / times.HOUR, 3)


def _unmeasured(world: World, jobs: Iterable[str]) -> int:
    """Count the jobs whose GPUs no record tells."""
    rows = world.tables.rows("SELECT count(DISTINCT job) AS n FROM jobs WHERE list_contains($j, job) AND gpus IS NULL", j=sorted(jobs))
    found: int = rows[0]["n"]
    return found
