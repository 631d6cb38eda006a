"""Which commit a job ran: the one its record names, or where the HEAD of its working tree stood when it started."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_NAMED = """
    WITH commits AS (SELECT DISTINCT object, split_part(object, '@', 2) AS sha FROM events WHERE action = 'code.commit')
    SELECT c.object AS src, j.job AS dst, coalesce(j.start, j.submit) AS time, coalesce(j.start, j.submit) AS time_hi,
           true AS recorded, j.events AS events
    FROM jobs j JOIN commits c ON length(j.commit) >= 7 AND starts_with(c.sha, lower(j.commit))
    ORDER BY j.job, src
"""

_WORKTREE = """
    WITH heads AS (
        SELECT id, target, time, json_extract_string(attrs, '$.worktree') AS worktree,
               lead(time) OVER (PARTITION BY json_extract_string(attrs, '$.worktree'), source ORDER BY time, id) AS until
        FROM events
        WHERE action = 'ref.update' AND ends_with(object, '#HEAD') AND time IS NOT NULL AND json_extract_string(attrs, '$.worktree') <> ''
    )
    SELECT h.target AS src, j.job AS dst, j.start AS time, j.start AS time_hi, true AS recorded, list_append(j.events, h.id) AS events
    FROM jobs j JOIN heads h
      ON (j.workdir = h.worktree OR starts_with(j.workdir, h.worktree || '/')) AND h.time <= j.start AND (h.until IS NULL OR j.start < h.until)
    WHERE j.commit IS NULL
    ORDER BY j.job, src
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(_NAMED)
    yield tables.sql(_WORKTREE)


LINK = Link(
    name="job-commits",
    says="this job ran that commit: its record names it, or its working tree stood there when it started",
    errs="uncommitted edits in the working tree are not seen; a tag or variable naming a commit may be stale; clocks of host and scheduler may differ",
    run=_run,
)
