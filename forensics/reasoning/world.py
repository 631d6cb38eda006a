"""What every part of the reasoning looks at: the tables, the case, the policy, and what is known of each source."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from forensics.commands.matching import Rule as CommandRule
from forensics.model import CaseConfig, Tier
from forensics.patterns.matching import Matching, unmatched
from forensics.reasoning.conflicts import Conflicts, conflicts
from forensics.reasoning.identity import Identities, identities
from forensics.reasoning.policy import Policy
from forensics.source import kinds, load
from forensics.tables import Tables

REGISTERS = "case"
"""the pseudo-source of the case folder's own registers"""


_IN_WINDOW = """
    (NOT regexp_matches(action, '^(device[.](logon|logoff|lock|unlock|process)|person[.]|meeting[.])') OR time BETWEEN $window_from AND $window_to)
"""
"""what people do on their devices and where they are is read only inside the case's window (method, Fairness)"""


Blobs = Callable[[Collection[str]], dict[str, bytes]]
"""ids of files in repositories -> the contents of those that can be read"""


def no_blobs(_ids: Collection[str]) -> dict[str, bytes]:
    """Read nothing: where only tables are at hand."""
    return {}


Raw = Callable[[Mapping[str, Any]], bytes | None]
"""a row of events with source, file, start, end -> the bytes of the evidence that it points at"""


def no_raw(_row: Mapping[str, Any]) -> bytes | None:
    """Read nothing: where only tables are at hand."""
    return None


@dataclass(frozen=True, slots=True)
class Own:
    """The examiner's own rules: what they find stands beside, marked as theirs, and nothing else asks for it."""

    matching: Matching | None = None
    """where a program text is as they say; None where there are none over program text"""
    commands: tuple[CommandRule, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """Read-only view of one case."""

    tables: Tables
    case: CaseConfig
    policy: Policy
    known: Identities
    tiers: dict[str, Tier]
    groups: dict[str, str]
    """source -> the point of compromise that it shares with others: the host that kept it, else itself"""
    controllers: dict[str, tuple[str, ...] | None]
    blobs: Blobs = no_blobs
    matching: Matching = unmatched
    """where a program text is as the shipped rules over code say"""
    own: Own = field(default_factory=Own)
    raw: Raw = no_raw
    conflicts: Conflicts = field(default_factory=Conflicts)
    """records that a copy out of their keeper's reach contradicts: never among the acts"""
    gaps: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """source -> (from, to) of its silences that its own cadence makes very unlikely, in recorded time"""

    def weakest(self, sources: tuple[str, ...]) -> Tier:
        """Return the tier of a chain of records: that of its weakest."""
        return min((self.tiers[s] for s in sources), default=Tier.T1)

    def controlled(self, sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the people who could have edited any of these records."""
        return tuple(sorted({p for s in sources for p in self.controllers.get(s) or ()}))

    def acts(self, where: str, **parameters: object) -> list[dict[str, Any]]:
        """Return acts with their attributes, in the order of time."""
        rows = self.tables.rows(
            f"SELECT a.*, e.attrs, e.prior FROM (SELECT * FROM acts WHERE ({where}) AND {_IN_WINDOW} AND NOT list_contains($aside, event)) a JOIN recorded e ON e.id = a.event ORDER BY a.time NULLS LAST, a.event",  # noqa: S608 - `where` is ours; values are parameters
            **parameters,
            window_from=self.case.window[0],
            window_to=self.case.window[1],
            aside=sorted(self.conflicts.aside),
        )
        for row in rows:
            row["attrs"] = json.loads(row["attrs"]) if row["attrs"] else {}
        return rows


def world(
    tables: Tables,
    case: CaseConfig,
    policy: Policy,
    blobs: Blobs = no_blobs,
    matching: Matching = unmatched,
    own: Own | None = None,
    raw: Raw = no_raw,
) -> World:
    """Gather what is known of a case and its sources."""
    tiers = {REGISTERS: Tier.T3}
    controllers: dict[str, tuple[str, ...] | None] = {REGISTERS: None}
    for source in case.sources:
        default = load(source.kind).tier if source.kind in kinds() else Tier.T1
        tiers[source.name] = source.tier or default
        controllers[source.name] = source.controllers
    groups = {REGISTERS: "registers", **_places(tables, case)}
    for one, other in _one_hand(case):
        groups = _merged(groups, one, other)
    for one, other in copies(tables, case, policy):
        groups = _merged(groups, one, other)
    return World(
        tables,
        case,
        policy,
        identities(case),
        tiers,
        groups,
        controllers,
        blobs,
        matching,
        own or Own(),
        raw,
        conflicts(tables, case, tiers, controllers),
    )


def _merged(groups: dict[str, str], one: str, other: str) -> dict[str, str]:
    merged = min(groups[one], groups[other])
    return {name: merged if group in (groups[one], groups[other]) else group for name, group in groups.items()}


def _places(tables: Tables, case: CaseConfig) -> dict[str, str]:
    """Return each source's point of compromise: the host that kept it (its first label), by case.toml or by its own records; else itself."""
    rows = tables.rows(
        "SELECT source, min(host) AS host FROM events WHERE host IS NOT NULL AND host <> '' GROUP BY source HAVING count(DISTINCT host) = 1"
    )
    written = {r["source"]: r["host"] for r in rows}
    hosts = {s.name: (s.host or written.get(s.name, "")).lower() for s in case.sources}
    return {name: f"host:{_label(host)}" if host else f"source:{name}" for name, host in hosts.items()}


def _label(host: str) -> str:
    """Return a host's name without its domain; an address stays whole."""
    return host if host.replace(".", "").isdigit() else host.partition(".")[0]


def _one_hand(case: CaseConfig) -> list[tuple[str, str]]:
    """Return the pairs of sources that one person could have edited both of: an administrator is a point of compromise, too."""
    named = [(s.name, set(s.controllers or ())) for s in case.sources]
    return [(a, b) for n, (a, one) in enumerate(named) for b, other in named[n + 1 :] if one & other]


SAME_RECORDS = 0.5
"""share of the smaller source's acts that stand in the other one, too, from which the two are copies of one log"""

# Two logs tell of the same acts where these fall on the same second, give or take one, for the same account on the same device: a copy may
# have rounded its times and left columns out.
_COPIES = """
    WITH logs AS (
        SELECT source, time // 1000000000 AS second, hash(action, coalesce(actor, ''), coalesce(device, '')) AS act FROM acts
        WHERE list_contains($logs, source) AND time IS NOT NULL
    ),
    rows AS (SELECT DISTINCT source, second, act FROM logs),
    near AS (SELECT source, second + unnest([-1, 0, 1]) AS second, act FROM rows),
    sizes AS (SELECT source, count(*) AS n FROM rows GROUP BY source),
    common AS (
        SELECT a.source AS one, b.source AS other, count(DISTINCT (a.second, a.act)) AS n FROM rows a
        JOIN near b ON a.act = b.act AND a.second = b.second AND a.source <> b.source GROUP BY ALL
    )
    SELECT least(c.one, c.other) AS one, greatest(c.one, c.other) AS other FROM common c JOIN sizes s ON s.source = c.one
    WHERE c.n >= $share * s.n GROUP BY ALL ORDER BY ALL
"""

# Another program may take a log in late, round its times and call its acts otherwise. Then the two tell of the same account on the same device at the same
# address, each time about as long after the other: that distance is what half the distances lie below. Rows with neither device nor address name nothing to
# compare, but they are rows: a log of which these are the most is no copy.
_ECHOES = """
    WITH rows AS (
        SELECT source, time / 1e9 AS second, hash(actor, coalesce(device, ''), coalesce(ip, '')) AS act, device IS NOT NULL OR ip IS NOT NULL AS placed FROM acts
        WHERE list_contains($logs, source) AND time IS NOT NULL AND actor IS NOT NULL
    ),
    sizes AS (SELECT source, count(*) AS n FROM rows GROUP BY source),
    pairs AS (SELECT a.source AS one, b.source AS other, act FROM (SELECT DISTINCT source, act FROM rows WHERE placed) a JOIN (SELECT DISTINCT source, act FROM rows WHERE placed) b USING (act) WHERE a.source <> b.source),
    mine AS (SELECT p.one, p.other, p.act, r.second FROM pairs p JOIN rows r ON r.source = p.one AND r.act = p.act),
    theirs AS (SELECT source AS other, act, second FROM rows WHERE placed),
    later AS (SELECT m.one, m.other, t.second - m.second AS distance FROM mine m ASOF JOIN theirs t ON t.other = m.other AND t.act = m.act AND t.second >= m.second),
    earlier AS (SELECT m.one, m.other, t.second - m.second AS distance FROM mine m ASOF JOIN theirs t ON t.other = m.other AND t.act = m.act AND t.second < m.second),
    near AS (SELECT * FROM later WHERE distance <= $late UNION ALL SELECT * FROM earlier WHERE distance >= -$late),
    typical AS (SELECT one, other, distance >= 0 AS after, median(distance) AS lag FROM near GROUP BY ALL)
    SELECT least(n.one, n.other) AS one, greatest(n.one, n.other) AS other
    FROM near n JOIN typical t ON t.one = n.one AND t.other = n.other AND t.after = (n.distance >= 0) JOIN sizes s ON s.source = n.one
    WHERE abs(n.distance - t.lag) <= $apart GROUP BY n.one, n.other, n.distance >= 0, s.n HAVING count(*) >= $share * s.n ORDER BY ALL
"""
_APART = 10
"""seconds by which such a program's delay may vary"""

_SAME_FILES = """
    SELECT DISTINCT a.source AS one, b.source AS other FROM files a JOIN files b ON a.sha256 = b.sha256 AND a.source < b.source
    WHERE a.stored > 0 AND list_contains($logs, a.source) AND list_contains($logs, b.source) ORDER BY ALL
"""


def copies(tables: Tables, case: CaseConfig, policy: Policy) -> list[tuple[str, str]]:
    """Return the pairs of sources that are copies of one log, whole or in part: they are one point of compromise, and count once.

    Repositories are left out: a clone has its server's objects by nature.
    """
    logs = [s.name for s in case.sources if s.kind != "git"]
    late = policy.windows["same_act"] // 1_000_000_000
    rows = [
        *tables.rows(_COPIES, share=SAME_RECORDS, logs=logs),
        *tables.rows(_ECHOES, share=SAME_RECORDS, logs=logs, late=late, apart=_APART),
        *tables.rows(_SAME_FILES, logs=logs),
    ]
    return [(r["one"], r["other"]) for r in rows]
