"""Which login came out of which: a session on one host opened from a host where the same account was logged in."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

_CHAIN = """
    WITH opened AS (
        SELECT event, session, actor, ip, host, time FROM acts
        WHERE action = 'session.ssh.open' AND host IS NOT NULL AND time IS NOT NULL AND session IS NOT NULL
    ),
    closed AS (SELECT session, host, time FROM acts WHERE action = 'session.ssh.close' AND session IS NOT NULL AND time IS NOT NULL),
    spans AS (
        SELECT o.*, coalesce((SELECT min(c.time) FROM closed c WHERE c.session = o.session AND c.host = o.host AND c.time >= o.time), o.time + 43200000000000) AS until
        FROM opened o
    ),
    pairs AS (
        SELECT b.event, b.session, b.ip, b.time, a.event AS from_event, a.session AS from_session, a.host AS from_host
        FROM spans b JOIN spans a ON a.host <> b.host AND a.actor = b.actor AND b.time BETWEEN a.time - 5000000000 AND a.until
    )
    SELECT p.from_session AS src, p.session AS dst, p.time, p.time AS time_hi, false AS recorded, [p.from_event, p.event] AS events
    FROM pairs p JOIN addresses h ON h.ip = p.ip AND h.host = p.from_host
    ORDER BY p.event, p.from_event
"""

# The kernel's audit session and the daemon's log of one login: same host, account (or its number, if one person holds both), address and second or two.
_SAME = """
    WITH held AS (SELECT object AS account, any_value(actor) AS person FROM events WHERE action = 'identity.holds' GROUP BY object HAVING count(DISTINCT actor) = 1),
    a AS (SELECT * FROM acts WHERE action = 'session.audit.open' AND session IS NOT NULL),
    s AS (SELECT * FROM acts WHERE action = 'session.ssh.open' AND session IS NOT NULL)
    SELECT s.session AS src, a.session AS dst, a.time, a.time AS time_hi, false AS recorded, [s.event, a.event] AS events
    FROM s JOIN a ON a.host = s.host AND coalesce(a.ip, s.ip) = s.ip AND a.time BETWEEN s.time - 2000000000 AND s.time + 5000000000
    LEFT JOIN held one ON one.account = a.actor LEFT JOIN held other ON other.account = s.actor
    WHERE a.actor = s.actor OR one.person = other.person
    ORDER BY a.event, s.event
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(_CHAIN)
    yield tables.sql(_SAME)


LINK = Link(
    name="sessions",
    says="this session was opened out of that one, or is the same login in another log",
    errs="an account may be logged in twice on the host it came from: then both earlier sessions are linked; clocks that differ break the chain",
    run=_run,
)
