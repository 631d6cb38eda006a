"""Which job read or changed a file: a process on one of its nodes, as its account, while it ran; or its command names the folder."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_PROCESS = """
    WITH held AS (  -- a scheduler and a node may know one person by two accounts
        SELECT object AS account, any_value(actor) AS person FROM events
        WHERE action = 'identity.holds' AND json_extract_string(attrs, '$.kind') = 'personal' GROUP BY object HAVING count(DISTINCT actor) = 1
    ),
    places AS (
        SELECT job, actor, h.person, start, coalesce("end", 9223372036854775807) AS "end", events, regexp_extract(unnest(nodes), '[^/]+$') AS node FROM jobs LEFT JOIN held h ON h.account = jobs.actor
        WHERE start IS NOT NULL
    ),
    seen AS (SELECT acts.*, h.person, g.person AS target_person FROM acts LEFT JOIN held h ON h.account = acts.actor LEFT JOIN held g ON g.account = acts.target WHERE action IN ('file.write', 'file.read', 'process.exec') AND host IS NOT NULL AND object IS NOT NULL)
    SELECT p.job, s.action, s.object, s.time, s.time_hi, list_append(p.events, s.event) AS events, count(*) OVER (PARTITION BY s.event) AS jobs_there
    FROM seen s JOIN places p ON p.node = s.host AND s.time BETWEEN p.start AND p."end" AND (s.target = p.actor OR s.actor = p.actor OR p.person IN (s.person, s.target_person))
"""

_NAMED = """
    WITH changed AS (SELECT DISTINCT object, substr(object, 8) AS path FROM acts WHERE action = 'file.write' AND starts_with(object, 'file:///')),
    named AS (
        SELECT job, start, events, unnest(regexp_extract_all(coalesce(command, ''), '(/[A-Za-z0-9._@+-]+){2,}')) AS folder FROM jobs WHERE start IS NOT NULL
    )
    SELECT DISTINCT c.object, n.job, n.start, n.events FROM named n JOIN changed c ON starts_with(c.path, n.folder || '/')
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(f"""
        SELECT CASE WHEN action = 'file.write' THEN job ELSE object END AS src, CASE WHEN action = 'file.write' THEN object ELSE job END AS dst,
               time, time_hi, jobs_there = 1 AS recorded, events
        FROM ({_PROCESS}) ORDER BY events, job, object
    """)
    yield tables.sql(f"""
        SELECT object AS src, job AS dst, start AS time, start AS time_hi, false AS recorded, events FROM ({_NAMED}) ORDER BY job, object
    """)


LINK = Link(
    name="file-jobs",
    says="this job read, ran or changed that file; or its command names the folder that the file lies in",
    errs="two jobs of one account on one node are told apart by nothing here (then: inferred); a folder that is named need not be read",
    run=_run,
)
