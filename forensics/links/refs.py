"""Which commit a branch pointed at, and since when: from reflogs and push records."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql("""
        SELECT target AS src, object AS dst, time, coalesce(time_hi, time) AS time_hi, true AS recorded, [id] AS events
        FROM events WHERE action = 'ref.update' AND target IS NOT NULL AND object IS NOT NULL AND NOT ends_with(target, repeat('0', 40))
        ORDER BY id
    """)
    yield tables.sql("""
        SELECT 'git:' || repo || '@' || after AS src, 'git:' || repo || '#' || ref AS dst, time, time AS time_hi, true AS recorded, [event] AS events
        FROM pushes WHERE after IS NOT NULL AND ref IS NOT NULL ORDER BY time, event
    """)


LINK = Link(
    name="refs",
    says="this ref was set to that commit at that time",
    errs="reflogs are written by the client or server that moves the ref, and whoever owns the file can edit it",
    run=_run,
)
