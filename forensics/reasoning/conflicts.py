"""Two records of one login or command that name different people: which of them whoever keeps the log could not have altered.

A log host takes lines as they come; the host's own file stays in its administrators' hands. Where the two tell one login (host and
process id) or one command (host, moment, command) with different names, the copy out of reach counts, and the other is set aside.
"""

from dataclasses import dataclass, field

from forensics.model import CaseConfig, Tier
from forensics.tables import Tables

_LOGINS = """
    WITH opened AS (
        SELECT a.event, a.source, a.host, a.time, a.actor, a.ip, a.credential, a.session,
               coalesce(regexp_extract(CASE WHEN starts_with(a.session, 'ssh:') THEN a.session END, '/([0-9]+)$', 1), json_extract_string(e.attrs, '$.pid')) AS pid
        FROM acts a JOIN events e ON e.id = a.event
        WHERE a.action IN ('session.ssh.open', 'session.audit.open') AND a.host IS NOT NULL AND a.actor IS NOT NULL AND a.time IS NOT NULL
          AND NOT starts_with(a.actor, 'unix:#')
    )
    SELECT a.event AS one, b.event AS other, a.source AS one_source, b.source AS other_source, a.session AS one_session, b.session AS other_session
    FROM opened a JOIN opened b ON a.host = b.host AND a.pid = b.pid AND a.source < b.source AND abs(a.time - b.time) <= 10000000000
    WHERE a.actor <> b.actor OR a.ip <> b.ip OR a.credential <> b.credential ORDER BY ALL
"""

_COMMANDS = """
    WITH ran AS (
        SELECT a.event, a.source, a.host, a.time, a.actor, a.object, coalesce(a.target, '') AS target FROM acts a
        WHERE a.action = 'process.exec' AND a.host IS NOT NULL AND a.actor IS NOT NULL AND a.time IS NOT NULL AND list_contains($logs, a.source)
    )
    SELECT a.event AS one, b.event AS other, a.source AS one_source, b.source AS other_source, NULL AS one_session, NULL AS other_session
    FROM ran a JOIN ran b ON a.host = b.host AND a.object = b.object AND a.target = b.target AND a.source < b.source AND abs(a.time - b.time) <= 1500000000
    WHERE a.actor <> b.actor
      AND NOT EXISTS (SELECT 1 FROM ran c WHERE c.source = b.source AND c.host = a.host AND c.object = a.object AND c.actor = a.actor AND abs(c.time - a.time) <= 1500000000)
    ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Records that a copy out of their keeper's reach contradicts."""

    pairs: tuple[tuple[int, int], ...] = ()
    """(event set aside, event that counts)"""
    aside: frozenset[int] = field(default=frozenset())
    """every event set aside, those of the same session in that log included"""


def conflicts(tables: Tables, case: CaseConfig, tiers: dict[str, Tier], controllers: dict[str, tuple[str, ...] | None]) -> Conflicts:
    """Return the records to set aside; where neither copy is out of the other's keeper's reach, none."""
    logs = [s.name for s in case.sources if s.kind == "syslog"]
    rows = [*tables.rows(_LOGINS), *(tables.rows(_COMMANDS, logs=logs) if len(logs) > 1 else [])]
    pairs: list[tuple[int, int]] = []
    sessions: set[tuple[str, str]] = set()
    for row in rows:
        weak = _weaker(row["one_source"], row["other_source"], tiers, controllers)
        if weak is None:
            continue
        first = weak == row["one_source"]
        pairs.append((row["one"], row["other"]) if first else (row["other"], row["one"]))
        session = row["one_session"] if first else row["other_session"]
        if session:
            sessions.add((weak, session))
    if not pairs:
        return Conflicts()
    same = tables.rows(
        "SELECT event FROM acts WHERE session IS NOT NULL AND list_contains($k, source || ' ' || session)", k=[f"{source} {session}" for source, session in sorted(sessions)]
    )  # fmt: skip
    return Conflicts(tuple(pairs), frozenset({p[0] for p in pairs} | {r["event"] for r in same}))


def _weaker(one: str, other: str, tiers: dict[str, Tier], controllers: dict[str, tuple[str, ...] | None]) -> str | None:
    """Return the source that its keeper could have altered where the other's could not; None where that is not known."""
    if tiers[one] == tiers[other]:
        held = [bool(controllers[s]) and not set(controllers[s] or ()) & set(controllers[o] or ()) for s, o in ((one, other), (other, one))]
        return one if held == [True, False] else other if held == [False, True] else None
    return min((one, other), key=lambda s: tiers[s])
