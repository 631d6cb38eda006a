"""Whose an account, key, device or card was, and when: the rows of identifiers.csv."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql("""
        SELECT actor AS src, object AS dst, time, CAST(NULL AS BIGINT) AS time_hi, true AS recorded, [id] AS events
        FROM events WHERE action = 'identity.holds' ORDER BY id
    """)


LINK = Link(
    name="holders",
    says="this account, key, device or card was this person's from then on, as the case folder says",
    errs="registers lag behind: accounts stay open, devices change hands; an identifier is not a person",
    run=_run,
)
