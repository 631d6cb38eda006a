"""Which job read or wrote an object: its role session bears the job's name or id, or its node and hours are the job's."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_ACTS = """
    SELECT event AS id, action, object, time, session,
           regexp_replace(regexp_replace(session, '^[a-z0-9]+:(?:[^/]*/)?', ''), '^(?i:job|slurm|k8s|run)[-_.]', '') AS label
    FROM acts WHERE action IN ('object.read', 'object.write') AND session IS NOT NULL AND time IS NOT NULL AND object IS NOT NULL
      AND outcome = 'ok'
"""

# A job's own name or number, standing alone in the session's name (`job-1041`, `JOB_1041` as HDFS's caller context, the Kubernetes job's name).
_MATCH = f"""
    WITH acts AS ({_ACTS}),
    labels AS (SELECT DISTINCT label FROM acts WHERE label <> ''),
    runs AS (SELECT job, regexp_extract(job, '[^/]+$') AS id, submit, coalesce("end", 9223372036854775807) AS "end", events FROM jobs),
    whole AS (SELECT label, label AS id FROM labels WHERE label IN (SELECT id FROM runs)),
    ids AS (  -- a number within a name counts only where the whole name is no job's
        SELECT * FROM whole
        UNION SELECT label, unnest(regexp_extract_all(label, '[0-9]+(?:_[0-9]+)?')) FROM labels WHERE label NOT IN (SELECT label FROM whole)
    )
    SELECT a.id, a.action, a.object, a.time, r.job, r.events
    FROM acts a JOIN ids i ON a.label = i.label JOIN runs r ON r.id = i.id
    WHERE a.time BETWEEN r.submit - 3600000000000 AND CASE WHEN r."end" > 9000000000000000000 THEN r."end" ELSE r."end" + 3600000000000 END
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(f"""
        SELECT CASE WHEN action = 'object.read' THEN object ELSE job END AS src, CASE WHEN action = 'object.read' THEN job ELSE object END AS dst,
               time, time AS time_hi, true AS recorded, list_append(events, id) AS events
        FROM ({_MATCH}) ORDER BY id, job
    """)


LINK = Link(
    name="job-objects",
    says="this job read or wrote that object: the store's session or caller context bears the job's number or name, while the job ran",
    errs="session names are chosen by whoever assumes the role; two clusters may use the same job number at one time",
    run=_run,
)
