"""Which commit a commit was built on."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql("""
        WITH commits AS (
            SELECT object, any_value(id ORDER BY id) AS id,
                   any_value(unnest_parents ORDER BY id) AS parents
            FROM (SELECT id, object, CAST(json_extract(attrs, '$.parents') AS VARCHAR[]) AS unnest_parents FROM events WHERE action = 'code.commit')
            GROUP BY object
        )
        SELECT split_part(object, '@', 1) || '@' || trim(parent, '"') AS src, object AS dst,
               CAST(NULL AS BIGINT) AS time, CAST(NULL AS BIGINT) AS time_hi, true AS recorded, [id] AS events
        FROM (SELECT id, object, unnest(parents) AS parent FROM commits) ORDER BY id, src
    """)


LINK = Link(
    name="ancestry",
    says="this commit was built on that one (its parent)",
    errs="none: a commit's id covers its parents; that says nothing of who built it",
    run=_run,
)
