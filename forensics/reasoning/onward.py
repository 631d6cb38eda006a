"""From jobs to what they wrote, to its copies, and to the jobs that loaded any of it."""

from collections.abc import Mapping
from typing import Any

from forensics.reasoning.world import World

Row = dict[str, Any]


def spread(world: World, into: list[Row], *, inferred: bool) -> tuple[list[str], list[str], list[Row]]:
    """Follow jobs to what they wrote, that to its copies, and all of these to the jobs that loaded them, as long as there is more."""
    jobs: dict[str, int | None] = {}
    for row in sorted(into, key=lambda r: (r["dst"], r["time"] is None, r["time"] or 0)):
        jobs.setdefault(row["dst"], row["time"])
    seen: set[tuple[str, int]] = set()
    """objects and when they were written: one may be written over by the next job that bears the change"""
    edges: list[Row] = []
    fresh = _written(world, jobs, inferred=inferred)
    while fresh:
        fresh = [w for w in fresh if (w["dst"], w["time"]) not in seen]
        seen |= {(w["dst"], w["time"]) for w in fresh}
        loaded = _loads(world, fresh, inferred=inferred)
        more = {row["dst"]: row["time"] for row in reversed(loaded) if _earlier(row, jobs)}
        jobs |= more
        edges += [*fresh, *loaded]
        fresh = [*_written(world, more, inferred=inferred), *_copied(world, fresh)] if fresh else []
    return list(jobs), _objects(edges), edges


def _objects(edges: list[Row]) -> list[str]:
    """Return the stores' objects that were written, and of files those that another job loaded: a job's logs and notes bear nothing on."""
    written = {(e["src"], e["dst"]) for e in edges if not e["dst"].startswith(("slurm:", "k8s:"))}
    carried = {e["src"] for e in edges if e["dst"].startswith(("slurm:", "k8s:")) and (e["dst"], e["src"]) not in written}
    return sorted({name for _, name in written if not name.startswith("file:") or name in carried})


def _earlier(row: Row, jobs: Mapping[str, int | None]) -> bool:
    """Tell whether a job loaded the change for the first time that is known."""
    known = jobs.get(row["dst"])
    return row["dst"] not in jobs or (known is not None and row["time"] < known)


def _written(world: World, jobs: Mapping[str, int | None], *, inferred: bool) -> list[Row]:
    """Return the edges to what jobs wrote, from the moment on at which they bore the change."""
    rows = world.tables.rows(
        """
        SELECT * FROM edges WHERE src IN (SELECT unnest(CAST($j AS VARCHAR[]))) AND ($inferred OR recorded) AND time IS NOT NULL
          AND ((rule = 'job-objects' AND NOT regexp_matches(dst, '^(slurm|k8s):')) OR (rule = 'file-jobs' AND starts_with(dst, 'file:///')))
        ORDER BY src, dst, time, events
        """,
        j=sorted(jobs), inferred=inferred,
    )  # fmt: skip
    since = {job: time for job, time in jobs.items() if time is not None}
    return [r for r in rows if r["time"] >= since.get(r["src"], r["time"])]


_BORNE = """
    WITH written AS (SELECT unnest($objects) AS object, unnest($times) AS time),
    bare AS (SELECT object, time, split_part(object, '?', 1) AS bare FROM written),
    writes AS (SELECT split_part(object, '?', 1) AS bare, time FROM acts WHERE action IN ('object.write', 'file.write') AND outcome = 'ok' AND time IS NOT NULL),
    until AS (SELECT b.object, b.time, min(w.time) AS until FROM bare b JOIN writes w ON w.bare = b.bare AND w.time > b.time GROUP BY ALL)
"""
"""what was written, and until when its name stood for it"""

_LOADS = f"""{_BORNE},
    loads AS (
        SELECT * FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND regexp_matches(dst, '^(slurm|k8s):') AND ($inferred OR recorded)
    )
    SELECT l.* FROM loads l JOIN bare b ON l.src = b.object AND contains(b.object, '?')
    UNION
    SELECT l.* FROM loads l JOIN bare b ON l.src = b.bare LEFT JOIN until u ON u.object = b.object AND u.time = b.time
    WHERE l.time >= b.time AND (u.until IS NULL OR l.time < u.until)
    ORDER BY dst, time, src, events
"""  # noqa: S608 - a text of our own

# A store's own record of a copy (CopyObject, the source in `target`) or of a renaming (HDFS, the name before in `prior`).
_COPIED = f"""{_BORNE},
    copies AS (
        SELECT a.event, a.object, a.time, a.time_hi, coalesce(e.prior, a.target) AS origin FROM acts a JOIN events e ON e.id = a.event
        WHERE a.action = 'object.write' AND a.outcome = 'ok' AND a.time IS NOT NULL AND regexp_matches(coalesce(e.prior, a.target), '^(s3|hdfs):')
    )
    SELECT DISTINCT 'acts' AS rule, b.object AS src, c.object AS dst, c.time, c.time_hi, true AS recorded, [c.event] AS events
    FROM bare b JOIN copies c ON split_part(c.origin, '?', 1) = b.bare LEFT JOIN until u ON u.object = b.object AND u.time = b.time
    WHERE c.object <> b.object AND (c.origin = b.object OR (NOT contains(c.origin, '?') AND c.time >= b.time AND (u.until IS NULL OR c.time < u.until)))
    ORDER BY dst, time, src, events
"""  # noqa: S608 - a text of our own


def _loads(world: World, written: list[Row], *, inferred: bool) -> list[Row]:
    """Return the edges into jobs that loaded what was written, by version, or by name while it was the last."""
    return world.tables.rows(_LOADS, inferred=inferred, **_named(written)) if written else []


def _copied(world: World, written: list[Row]) -> list[Row]:
    """Return the edges to what was copied or renamed from what was written, by whomever."""
    return world.tables.rows(_COPIED, **_named(written)) if written else []


def _named(written: list[Row]) -> dict[str, list[Any]]:
    return {"objects": [w["dst"] for w in written], "times": [w["time"] for w in written]}
