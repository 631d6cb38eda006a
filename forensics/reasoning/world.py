"""What every part of the reasoning looks at: the tables, the case, the policy, and what is known of each source."""

import json
from dataclasses import dataclass
from typing import Any

from forensics.model import CaseConfig, Tier
from forensics.reasoning.identity import Identities, identities
from forensics.reasoning.policy import Policy
from forensics.source import kinds, load
from forensics.tables import Tables

REGISTERS = "case"
"""the pseudo-source of the case folder's own registers"""


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

    def weakest(self, sources: tuple[str, ...]) -> Tier:
        """Return the tier of a chain of records: that of its weakest."""
        return min((self.tiers[s] for s in sources), default=Tier.T1)

    def controlled(self, sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the people who could have edited any of these records."""
        return tuple(sorted({p for s in sources for p in self.controllers.get(s) or ()}))

    def acts(self, where: str, **parameters: object) -> list[dict[str, Any]]:
        """Return acts with their attributes, in the order of time."""
        rows = self.tables.rows(
            f"SELECT a.*, e.attrs FROM (SELECT * FROM acts WHERE {where}) a JOIN events e ON e.id = a.event ORDER BY a.time NULLS LAST, a.event",  # noqa: S608 - `where` is ours; values are parameters
            **parameters,
        )
        for row in rows:
            row["attrs"] = json.loads(row["attrs"]) if row["attrs"] else {}
        return rows


def world(tables: Tables, case: CaseConfig, policy: Policy) -> World:
    """Gather what is known of a case and its sources."""
    tiers, groups = {REGISTERS: Tier.T3}, {REGISTERS: "registers"}
    controllers: dict[str, tuple[str, ...] | None] = {REGISTERS: None}
    for source in case.sources:
        default = load(source.kind).tier if source.kind in kinds() else Tier.T1
        tiers[source.name] = source.tier or default
        groups[source.name] = f"host:{source.host}" if source.host else f"source:{source.name}"
        controllers[source.name] = source.controllers
    for one, other in copies(tables, case):
        merged = min(groups[one], groups[other])
        groups = {name: merged if group in (groups[one], groups[other]) else group for name, group in groups.items()}
    return World(tables, case, policy, identities(case), tiers, groups, controllers)


SAME_RECORDS = 0.5
"""share of the smaller source's acts that stand in the other one, too, from which the two are copies of one log"""

_COPIES = """
    WITH rows AS (SELECT DISTINCT source, hash(time, action, actor, object, session, ip) AS act FROM acts WHERE list_contains($logs, source) AND time IS NOT NULL),
    sizes AS (SELECT source, count(*) AS n FROM rows GROUP BY source),
    common AS (
        SELECT a.source AS one, b.source AS other, count(*) AS n FROM rows a JOIN rows b ON a.act = b.act AND a.source < b.source GROUP BY ALL
    )
    SELECT c.one, c.other FROM common c JOIN sizes s ON s.source = c.one JOIN sizes t ON t.source = c.other
    WHERE c.n >= $share * least(s.n, t.n) ORDER BY ALL
"""


_SAME_FILES = """
    SELECT DISTINCT a.source AS one, b.source AS other FROM files a JOIN files b ON a.sha256 = b.sha256 AND a.source < b.source
    WHERE a.stored > 0 AND list_contains($logs, a.source) AND list_contains($logs, b.source) ORDER BY ALL
"""


def copies(tables: Tables, case: CaseConfig) -> list[tuple[str, str]]:
    """Return the pairs of sources that are copies of one log, whole or in part: they are one point of compromise, and count once.

    Repositories are left out: a clone has its server's objects by nature.
    """
    logs = [s.name for s in case.sources if s.kind != "git"]
    rows = [*tables.rows(_COPIES, share=SAME_RECORDS, logs=logs), *tables.rows(_SAME_FILES, logs=logs)]
    return [(r["one"], r["other"]) for r in rows]
