"""What a change reached: forward along the edges, and along time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.reasoning.bearing import bearing
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.inferred import beside, named_folder, nowhere
from forensics.reasoning.onward import spread
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


def impact(world: World, dossier: Dossier, into: Iterable[Row] = ()) -> Impact:
    """Follow a change forward: first to the jobs that ran or loaded it, then through what those jobs wrote; `into`: further edges into jobs."""
    first = [*_first(world, dossier), *into]
    jobs, objects, edges = spread(world, [r for r in first if r["recorded"]], inferred=False)
    more_jobs, more_objects, more_edges = spread(world, first, inferred=True)
    possible = tuple(sorted(set(more_jobs) - set(jobs)))
    origin = set(dossier.objects)
    return Impact(
        dossier.question.id,
        tuple(sorted(jobs)),
        possible,
        tuple(sorted(set(objects) - origin)),
        tuple(sorted(set(more_objects) - set(objects) - origin)),
        (_gpu_hours(world, jobs, seen=True), _gpu_hours(world, [*jobs, *possible])),
        (*first, *edges, *(e for e in more_edges if e not in edges)),
        _unmeasured(world, [*jobs, *possible]),
    )


def _first(world: World, dossier: Dossier) -> list[Row]:
    """Return the edges, recorded and inferred, into the jobs that ran or loaded the change itself."""
    reference = dossier.objects[0]
    if reference.startswith("git:") and "@" in reference:
        commits = sorted(bearing(world, reference))
        ran = _commit_jobs(world, commits)
        shown = [dossier.when[0] if dossier.when else None, *(r["time"] for r in ran if r["recorded"])]
        since = min((t for t in shown if t is not None), default=0)
        return [*ran, *beside(world, commits, since), *nowhere(world, commits, since)]
    if reference.startswith("image:"):
        return _image_jobs(world, reference)
    if reference.startswith(("s3:", "hdfs:", "file:")) and dossier.when:
        until = _next_write(world, reference, dossier)
        return [*_readers(world, reference, dossier.when[0], until), *named_folder(world, reference, dossier, until)]
    return []


def _commit_jobs(world: World, commits: list[str]) -> list[Row]:
    """Return the edges into the jobs that ran one of these commits."""
    return world.tables.rows(
        "SELECT * FROM edges WHERE rule = 'job-commits' AND src IN (SELECT unnest(CAST($c AS VARCHAR[]))) ORDER BY dst, src, time",
        c=commits,
    )


def _image_jobs(world: World, reference: str) -> list[Row]:
    """Return the edges into the jobs that ran an image; a digest names the content, under whatever name and registry."""
    digest = reference.rpartition("@")[2]
    return world.tables.rows(
        "SELECT * FROM edges WHERE rule = 'job-objects' AND starts_with(src, 'image:') AND (src = $o OR ($d <> '' AND ends_with(src, '@' || $d))) ORDER BY dst, src, time",
        o=reference, d=digest if digest.startswith("sha256:") else "",
    )  # fmt: skip


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


# Kubernetes writes no end of a job that was deleted, and where its start was never written the binding of its first pod stands for it.
_SPANS = """
    WITH asked AS (SELECT * FROM jobs WHERE job IN (SELECT unnest(CAST($j AS VARCHAR[]))) AND gpus IS NOT NULL),
    placed AS (
        SELECT a.job, a.submit, min(e.time) AS time FROM (SELECT job, submit, unnest(events) AS id FROM asked WHERE start IS NULL) a
        JOIN events e ON e.id = a.id WHERE e.action = 'job.node' GROUP BY ALL
    ),
    cancels AS (SELECT object AS job, time FROM events WHERE action = 'job.cancel' AND coalesce(outcome, 'ok') = 'ok' AND time IS NOT NULL),
    begun AS (SELECT a.*, coalesce(a.start, p.time) AS since FROM asked a LEFT JOIN placed p ON p.job = a.job AND p.submit IS NOT DISTINCT FROM a.submit),
    ended AS (
        SELECT gpus, start, since, events[1] AS told, coalesce("end", (SELECT min(c.time) FROM cancels c WHERE c.job = begun.job AND c.time >= begun.since)) AS until FROM begun
    ),
    lasts AS (SELECT source, max(coalesce(time_hi, time)) AS last FROM events WHERE source IN (SELECT source FROM events WHERE id IN (SELECT told FROM ended WHERE until IS NULL)) GROUP BY source),
    spans AS (SELECT e.*, CASE WHEN $seen THEN least(coalesce(l.last, $until), $until) ELSE $until END AS latest FROM ended e LEFT JOIN events t ON e.until IS NULL AND t.id = e.told LEFT JOIN lasts l ON l.source = t.source)
    SELECT sum(gpus * greatest(0, CAST(coalesce(until, latest) AS DOUBLE) - since)) AS g FROM spans WHERE start IS NOT NULL OR until IS NOT NULL
"""


def _gpu_hours(world: World, jobs: Iterable[str], *, seen: bool = False) -> float:
    """Add up GPUs times elapsed hours of whole jobs; a job without a recorded end runs to the end of the window; `seen`: to the last record of the log that tells of it."""
    rows = world.tables.rows(_SPANS, j=sorted(jobs), until=world.case.window[1], seen=seen)
    return round((rows[0]["g"] or 0) / times.HOUR, 3)


def _unmeasured(world: World, jobs: Iterable[str]) -> int:
    """Count the jobs whose GPUs no record tells."""
    rows = world.tables.rows("SELECT count(DISTINCT job) AS n FROM jobs WHERE list_contains($j, job) AND gpus IS NULL", j=sorted(jobs))
    found: int = rows[0]["n"]
    return found
