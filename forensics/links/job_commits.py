"""Which commit a job ran: what its record names, where HEAD of its working tree stood when it started, or what its tracker noted."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_GIVEN = """
    commits AS (SELECT DISTINCT object, split_part(object, '@', 2) AS sha FROM events WHERE action = 'code.commit'),
    heads AS (
        SELECT id, target, time, json_extract_string(attrs, '$.worktree') AS worktree,
               lead(time) OVER (PARTITION BY json_extract_string(attrs, '$.worktree'), source ORDER BY time, id) AS until
        FROM events
        WHERE action = 'ref.update' AND ends_with(object, '#HEAD') AND time IS NOT NULL AND json_extract_string(attrs, '$.worktree') <> ''
    ),
    tracked AS (
        SELECT id, time, claimed, regexp_extract(json_extract_string(attrs, '$.job'), '[^/]+$') AS job, lower(json_extract_string(attrs, '$.commit')) AS sha
        FROM events WHERE action = 'run.record' AND json_extract_string(attrs, '$.job') <> '' AND length(json_extract_string(attrs, '$.commit')) >= 7
    ),
    work AS (
        SELECT *, regexp_extract(job, '[^/]+$') AS id, coalesce(start, submit) AS time,
               greatest(coalesce(start, submit), $slack) - $slack AS earliest, least(coalesce("end", $latest), $latest) + $slack AS latest
        FROM jobs
    )
"""

# The scheduler's record names the commit; or the reflog says where HEAD of the working tree stood.
_STRONG = """
    strong AS (
        SELECT c.object AS src, j.job AS dst, j.time, true AS recorded, j.events FROM work j
        JOIN commits c ON left(c.sha, 7) = left(lower(j.commit), 7) AND starts_with(c.sha, lower(j.commit)) WHERE length(j.commit) >= 7
        UNION ALL
        SELECT h.target, j.job, j.start, true, list_append(j.events, h.id) FROM work j JOIN heads h
          ON (j.workdir = h.worktree OR starts_with(j.workdir, h.worktree || '/')) AND h.time <= j.start AND (h.until IS NULL OR j.start < h.until)
        WHERE j.commit IS NULL
    )
"""

# A tracker's client asks git for HEAD when the run begins inside the job: a record of what ran, but one that any client could have written
# (https://mlflow.org/docs/latest/ml/tracking/tracking-api/#system-tags). It is taken as recorded where the run began while that job ran and
# under the job's account, where both name one of the same kind; and is no more than a possibility where a stronger record names another commit.
_NOTED = """
    noted AS (
        SELECT c.object AS src, j.job AS dst, j.time, list_append(j.events, r.id) AS events,
               j.job NOT IN (SELECT dst FROM strong)
               AND (r.claimed IS NULL OR j.actor IS NULL OR r.claimed = j.actor OR split_part(r.claimed, ':', 1) <> split_part(j.actor, ':', 1)) AS recorded
        FROM work j JOIN tracked r ON r.job = j.id AND j.time IS NOT NULL AND r.time BETWEEN j.earliest AND j.latest
        JOIN commits c ON left(c.sha, 7) = left(r.sha, 7) AND starts_with(c.sha, r.sha)
        ANTI JOIN strong s ON s.dst = j.job AND s.src = c.object
    )
"""

_SLACK = 3600 * 1_000_000_000
"""by which the clocks of scheduler and tracker may differ"""
_LATEST = (1 << 63) - 1 - _SLACK
"""so that no sum of times overflows, whatever a record says"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(
        f"""
        WITH {_GIVEN}, {_STRONG}, {_NOTED}
        SELECT src, dst, time, time AS time_hi, recorded, events FROM strong
        UNION ALL SELECT src, dst, time, time, recorded, events FROM noted
        ORDER BY dst, src, time, recorded DESC, events
        """,
        slack=_SLACK,
        latest=_LATEST,
    )


LINK = Link(
    name="job-commits",
    says="this job ran that commit: its record names it, its working tree stood there when it started, or its tracker noted it",
    errs="uncommitted edits in the working tree are not seen; a tag or variable naming a commit may be stale, or written by another; clocks may differ",
    run=_run,
)
