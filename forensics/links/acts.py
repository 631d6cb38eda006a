"""Who and what took part in an act, and what it acted upon, as its own record says."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_DEEDS = """
    SELECT * FROM acts
    WHERE (action IN ('code.push', 'code.merge', 'code.review', 'job.launch', 'job.cancel', 'object.write', 'object.delete',
                      'file.write', 'file.delete')
           OR (action = 'process.exec' AND target IS DISTINCT FROM actor AND target IS NOT NULL)
           OR starts_with(action, 'automation.trigger') OR (starts_with(action, 'session.') AND regexp_matches(action, '[.](open|connect)$')))
      AND time IS NOT NULL AND outcome = 'ok'
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    for column in ("actor", "credential", "device", "ip", "session"):
        yield tables.sql(f"""
            SELECT {column} AS src, CASE WHEN starts_with(action, 'session.') AND session IS NOT NULL THEN session ELSE 'event:' || event END AS dst,
                   time, time_hi, true AS recorded, [event] AS events
            FROM ({_DEEDS}) WHERE {column} IS NOT NULL AND {column} IS DISTINCT FROM dst ORDER BY event
        """)
    yield tables.sql(f"""
        SELECT 'event:' || event AS src, object AS dst, time, time_hi, true AS recorded, [event] AS events
        FROM ({_DEEDS}) WHERE object IS NOT NULL AND action <> 'code.push' AND NOT starts_with(action, 'session.') ORDER BY event
    """)


LINK = Link(
    name="acts",
    says="an account, key, device, address or session took part in an act; the act made or changed an object",
    errs="an account or address is not a person; a record may be forged by whoever controls its system",
    run=_run,
)
