"""Acts that two sources may both have recorded, each under a key that both bear.

A key says which records may be of one act; the clocks are not used, since it is they that are in question.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.reasoning.policy import Policy
from forensics.tables import Tables

Times = npt.NDArray[np.int64]
MOST = 400
"""records of one key, kind and source that are looked at: the first ones"""

# `exact`: the two records are of one act and were written by machines within moments of each other.
# `near`: the key names who did what, and he may do it often; the common distance of many such records tells the offset.
# `loose`: one follows the other by a human's pace (a badge, then a laptop is opened): good for hours and days, never for seconds.
_ANCHORS = """
    WITH held AS (
        SELECT object AS identifier, any_value(actor) AS person FROM recorded
        WHERE action = 'identity.holds' GROUP BY object HAVING count(DISTINCT actor) = 1
    ),
    e AS (SELECT r.id, r.source, r.action, r.time, r.object, r.target, r.session, r.host, r.device, r.ip, r.outcome, r.attrs,
                 coalesce(h.person, r.actor) AS who, d.person AS owner
          FROM recorded r LEFT JOIN held h ON h.identifier = r.actor LEFT JOIN held d ON d.identifier = r.device
          WHERE r.time IS NOT NULL AND r.action NOT IN ('code.commit', 'log.message', 'identity.holds', 'identity.employed', 'metric.point')
            AND NOT starts_with(r.action, 'hdfs.')),
    commands AS (
        SELECT id, source, time, who, CASE WHEN action = 'device.process' THEN object
               ELSE array_to_string(list_transform(TRY_CAST(json_extract(attrs, '$.argv') AS VARCHAR[]), lambda a: trim(a, '"')), ' ') END AS line
        FROM e WHERE action IN ('device.process', 'process.exec') AND who IS NOT NULL
    ),
    typed AS (
        SELECT c.*, w.kind FROM commands c JOIN (SELECT unnest($kinds) AS kind, unnest($words) AS word) w ON starts_with(c.line, w.word)
    )
    SELECT 'exact' AS how, 'ref' AS kind, source, time, id, split_part(target, '@', 2) || ' ' || regexp_extract(object, '#refs/(?:heads|remotes/[^/]+)/(.+)$', 1) AS key
    FROM e WHERE target IS NOT NULL AND (action = 'code.push' OR (action = 'ref.update'
         AND (json_extract_string(attrs, '$.message') = 'push' OR starts_with(json_extract_string(attrs, '$.message'), 'update by push'))))
      AND regexp_matches(object, '#refs/(heads|remotes/[^/]+)/')
    UNION ALL
    SELECT 'exact', 'session', source, time, id, session || ' ' || action FROM e WHERE session IS NOT NULL AND starts_with(action, 'session.ssh')
    UNION ALL
    SELECT 'exact', 'login', source, time, id, host || ' ' || who || ' ' || ip FROM e
    WHERE action IN ('session.ssh.open', 'session.audit.open') AND host IS NOT NULL AND who IS NOT NULL AND ip IS NOT NULL
    UNION ALL
    SELECT 'near', 'open', source, time, id, lower(split_part(host, '.', 1)) || ' ' || who FROM e
    WHERE action IN ('session.ssh.open', 'session.audit.open') AND host IS NOT NULL AND who IS NOT NULL
    UNION ALL
    SELECT 'near', 'push', source, time, id, who FROM e WHERE action = 'code.push' AND who IS NOT NULL
    UNION ALL
    SELECT 'near', 'push', source, time, id, who FROM typed WHERE kind = 'code.push'
    UNION ALL
    SELECT 'near', 'ssh', source, time, id, who || ' ' || lower(split_part(host, '.', 1)) FROM e
    WHERE action = 'session.ssh.open' AND host IS NOT NULL AND who IS NOT NULL
    UNION ALL
    SELECT 'near', 'ssh', source, time, id, who || ' ' || lower(regexp_extract(line, '(?:^|[ @])([A-Za-z][A-Za-z0-9-]*)(?:[.][A-Za-z0-9.-]*)?$', 1))
    FROM typed WHERE kind = 'session.ssh'
    UNION ALL
    SELECT 'near', 'write', source, time, id, who || ' ' || regexp_extract(split_part(object, '?', 1), '[^/]*$') FROM e WHERE action = 'object.write' AND who IS NOT NULL
    UNION ALL
    SELECT 'near', 'write', source, time, id, who || ' ' || regexp_extract(line, '[^/ ]*$') FROM typed WHERE kind = 'object.write'
    UNION ALL
    SELECT 'near', 'launch', source, time, id, who FROM e WHERE action = 'job.launch' AND who IS NOT NULL
    UNION ALL
    SELECT 'near', 'launch', source, time, id, who FROM typed WHERE kind = 'job.launch'
    UNION ALL
    SELECT 'near', 'run', source, TRY_CAST(json_extract(attrs, '$.start') AS BIGINT), id, regexp_extract(object, '[^/]+$') FROM e
    WHERE action = 'job.launch'
    UNION ALL
    SELECT 'near', 'run', source, time, id, json_extract_string(attrs, '$.job') FROM e WHERE action = 'run.record' AND json_extract_string(attrs, '$.job') IS NOT NULL
    UNION ALL
    SELECT 'loose', 'device', source, time, id, device FROM e
    WHERE device IS NOT NULL AND regexp_matches(action, '^(device[.](lease|logon|unlock)|session[.][a-z]+[.](open|connect))$')
    UNION ALL
    SELECT 'loose', 'presence', source, time, id, who FROM e WHERE starts_with(action, 'person.present') AND who IS NOT NULL
      AND NOT regexp_matches(lower(coalesce(outcome, '')), '^(out|exit|leave|egress)')
    UNION ALL
    SELECT 'loose', 'presence', source, time, id, coalesce(owner, who) FROM e
    WHERE coalesce(owner, who) IS NOT NULL AND regexp_matches(action, '^(device[.](lease|logon|unlock)|session[.][a-z]+[.](open|connect)|meeting[.]attend)')
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one source recorded under one kind of key."""

    how: str
    """exact, near or loose"""
    times: dict[str, Times]
    """key -> recorded times, ascending, ns"""
    events: dict[tuple[str, int], int]
    """(key, time) -> event"""

    @property
    def count(self) -> int:
        """Return how many records there are."""
        return sum(len(t) for t in self.times.values())


def anchors(tables: Tables, policy: Policy) -> dict[str, dict[str, Kept]]:
    """Return kind of key -> source -> what it recorded under such keys; kinds that one source alone bears are left out."""
    kinds = [kind for kind, words in policy.commands.items() for _ in words]
    words = [word for words in policy.commands.values() for word in words]
    found: dict[str, dict[str, dict[str, dict[int, int]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    manner: dict[str, str] = {}
    table = tables.sql(f"SELECT * FROM ({_ANCHORS}) WHERE key IS NOT NULL AND time IS NOT NULL ORDER BY time, id", kinds=kinds, words=words)  # noqa: S608 - ours
    columns = (table[c].to_pylist() for c in ("how", "kind", "source", "time", "id", "key"))
    for how, kind, source, time, event, key in zip(*columns, strict=True):
        manner[kind] = how
        mine = found[kind][source][key]
        if len(mine) < MOST:
            mine.setdefault(time, event)
    return {kind: dict(_kept(manner[kind], sources)) for kind, sources in sorted(found.items()) if len(sources) > 1}


def _kept(how: str, sources: dict[str, dict[str, dict[int, int]]]) -> Iterator[tuple[str, Kept]]:
    for source, keys in sorted(sources.items()):
        times = {key: np.fromiter(sorted(rows), np.int64) for key, rows in sorted(keys.items())}
        yield source, Kept(how, times, {(key, t): e for key, rows in keys.items() for t, e in rows.items()})
