"""Which commit a job ran: the one its record names, where its working tree's HEAD stood, what its tracker noted; else what its neighbours ran."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

# Recorded: the scheduler's own record names the commit.
_NAMED = """
    SELECT c.object AS src, j.job AS dst, coalesce(j.start, j.submit) AS time, true AS recorded, j.events AS events, j.workdir
    FROM jobs j JOIN commits c ON length(j.commit) >= 7 AND starts_with(c.sha, lower(j.commit))
"""

# Recorded: the reflog of the working tree that the job started in.
_WORKTREE = """
    SELECT h.target AS src, j.job AS dst, j.start AS time, true AS recorded, list_append(j.events, h.id) AS events, j.workdir
    FROM jobs j JOIN heads h
      ON (j.workdir = h.worktree OR starts_with(j.workdir, h.worktree || '/')) AND h.time <= j.start AND (h.until IS NULL OR j.start < h.until)
    WHERE j.commit IS NULL
"""

# Recorded, too: the tracker's client asked git for HEAD as it ran in the job (https://mlflow.org/docs/latest/ml/tracking/, system tags). It
# is the weakest of the three, since any client may write any tag: it counts as recorded only where the run began while that job ran, under
# the job's own account (where both logs name one of the same kind), and where neither stronger record says another commit.
_TRACKED = """
    SELECT c.object AS src, j.job AS dst, j.start AS time, bool_or(r.clean AND k.dst IS NULL) AS recorded, list_append(j.events, min(r.id)) AS events, j.workdir
    FROM jobs j JOIN runs r ON r.job = regexp_extract(j.job, '[^/]+$') AND (r.time IS NULL OR r.time BETWEEN j.start - $slack AND coalesce(j."end", r.time) + $slack)
    JOIN commits c ON length(r.sha) >= 7 AND starts_with(c.sha, r.sha)
    LEFT JOIN (SELECT DISTINCT dst FROM strong) k ON k.dst = j.job
    WHERE j.start IS NOT NULL AND (r.claimed IS NULL OR split_part(r.claimed, ':', 1) <> split_part(j.actor, ':', 1) OR r.claimed = j.actor)
      AND NOT EXISTS (SELECT 1 FROM strong s WHERE s.dst = j.job AND s.src = c.object)
    GROUP BY c.object, j.job, j.start, j."end", j.events, j.workdir
"""

# Inferred: a working tree stands still, or moves on, between two jobs whose commits are recorded; one in between ran one of these, or what
# lies between them.
_NEIGHBOURS = """
    SELECT DISTINCT k.src, j.job AS dst, j.start AS time, false AS recorded, list_concat(j.events, k.events) AS events, j.workdir
    FROM (SELECT * FROM jobs WHERE start IS NOT NULL AND workdir <> '') j
    JOIN (SELECT *, lag(time) OVER tree AS before, lead(time) OVER tree AS after FROM (SELECT DISTINCT ON (workdir, time, src) * FROM known ORDER BY workdir, time, src, dst)
          WINDOW tree AS (PARTITION BY workdir ORDER BY time, src RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) k ON k.workdir = j.workdir
    WHERE j.job NOT IN (SELECT dst FROM known)
"""
