"""Two records of one login, command or entry of a forge's log that name different people: which of them whoever keeps the log could not have altered.

A log host takes lines as they come; the host's own file stays in its administrators' hands. Where the two tell one login (host and
process id), one command (host, moment, command) or one entry (its number in the log) with different names, the copy out of reach counts, and the other is set aside.
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

# A log that is streamed elsewhere as it is written bears the same numbers there.
# https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/streaming-the-audit-log-for-your-enterprise
_ENTRIES = """
    WITH entries AS (
        SELECT a.event, a.source, a.action, a.actor, a.ip, a.credential, json_extract_string(e.attrs, '$.document_id') AS number
        FROM acts a JOIN events e ON e.id = a.event WHERE json_extract_string(e.attrs, '$.document_id') IS NOT NULL
        QUALIFY count(*) OVER (PARTITION BY a.source, number) = 1
    )
    SELECT a.event AS one, b.event AS other, a.source AS one_source, b.source AS other_source, NULL AS one_session, NULL AS other_session, a.action AS action
    FROM entries a JOIN entries b ON a.number = b.number AND a.action = b.action AND a.source < b.source
    WHERE a.actor <> b.actor OR a.ip <> b.ip OR a.credential <> b.credential ORDER BY ALL
"""

# Other records of a push that was set aside, under the same wrong name; not where the copy that counts tells a push of that account then, too.
_ECHOES = """
    WITH p AS (SELECT unnest($weak) AS weak, unnest($strong) AS strong)
    SELECT o.event AS one, s.event AS other, o.source AS one_source, s.source AS other_source
    FROM p JOIN acts w ON w.event = p.weak JOIN acts s ON s.event = p.strong
    JOIN acts o ON o.action = 'code.push' AND o.event <> w.event AND o.actor = w.actor AND o.source <> s.source
      AND split_part(o.object, '#', 1) = split_part(w.object, '#', 1) AND abs(o.time - w.time) <= 2000000000
    WHERE w.actor <> s.actor AND NOT EXISTS (
        SELECT 1 FROM acts x WHERE x.source = s.source AND x.action = 'code.push' AND x.actor = w.actor AND abs(x.time - w.time) <= 2000000000)
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
    entries = tables.rows(_ENTRIES)
    rows = [*tables.rows(_LOGINS), *(tables.rows(_COMMANDS, logs=logs) if len(logs) > 1 else []), *entries]
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
    numbered = {frozenset((r["one"], r["other"])) for r in entries if r["action"] == "code.push"}
    pushed = [p for p in pairs if frozenset(p) in numbered]
    if pushed:
        echoes = tables.rows(_ECHOES, weak=[p[0] for p in pushed], strong=[p[1] for p in pushed])
        pairs += [
            (r["one"], r["other"]) for r in echoes if _weaker(r["one_source"], r["other_source"], tiers, controllers) == r["one_source"]
        ]
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
