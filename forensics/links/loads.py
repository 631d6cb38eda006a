"""What a job loaded was written by somebody: the last write before the load."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql("""
        WITH writes AS (
            SELECT event, time, object, regexp_replace(object, '[?]versionId=.*$', '') AS bare,
                   lead(time) OVER (PARTITION BY regexp_replace(object, '[?]versionId=.*$', '') ORDER BY time, event) AS until
            FROM acts WHERE action = 'object.write' AND outcome = 'ok' AND time IS NOT NULL AND object IS NOT NULL
        ),
        reads AS (SELECT event, time, object FROM acts WHERE action = 'object.read' AND outcome = 'ok' AND object IS NOT NULL AND time IS NOT NULL)
        SELECT w.object AS src, r.object AS dst, r.time AS time, r.time AS time_hi, false AS recorded, [w.event, r.event] AS events
        FROM reads r JOIN writes w ON w.bare = r.object AND w.object <> r.object AND w.time <= r.time AND (w.until IS NULL OR r.time < w.until)
        ORDER BY r.event
    """)


LINK = Link(
    name="loads",
    says="a load that names no version got the version that was written last before it",
    errs="clocks that differ, caches, and writes that the log does not hold",
    run=_run,
)
