"""Which device had an address, and from when to when."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql("""
        SELECT device AS src, ip AS dst, time, time_hi, true AS recorded, [event] AS events FROM acts
        WHERE device IS NOT NULL AND ip IS NOT NULL AND time IS NOT NULL
          AND (starts_with(action, 'device.lease') OR (starts_with(action, 'session.') AND regexp_matches(action, '[.](open|connect)$')))
        ORDER BY event
    """)


LINK = Link(
    name="leases",
    says="this device had that address from then on, until the address went to another",
    errs="a device's name is what it says of itself; addresses behind NAT are many devices'",
    run=_run,
)
