"""From pairs of sources to one clock each: measured against the reference clock, hop by hop along the best anchors."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa

from forensics import schema
from forensics.model import CaseConfig
from forensics.reasoning.clocks.anchors import Kept, Times, anchors
from forensics.reasoning.clocks.pairs import SLACK, Limits, Segment, offset
from forensics.reasoning.policy import Policy
from forensics.tables import Tables

_COST = {"exact": 10, "near": 100, "loose": 1000}
"""a way over exact anchors is better than over near ones; people's pace only where there is nothing else"""


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a source's clock ran ahead of the reference clock."""

    source: str
    reference: str
    against: str
    """the source that it was compared with"""
    kind: str
    """what both recorded: ref, session, login, push, ..."""
    how: str
    """exact, near or loose"""
    segments: tuple[Segment, ...]
    """in order of recorded time; none for the reference itself"""
    supported: bool = True
    """the reference clock was declared, or another source agrees with it: else nobody can tell which of two is wrong, and nothing is corrected"""

    @property
    def low(self) -> int:
        """Return the least offset over all stretches, ns."""
        return min((s.low for s in self.segments), default=0)

    @property
    def high(self) -> int:
        """Return the greatest offset over all stretches, ns."""
        return max((s.high for s in self.segments), default=0)

    @property
    def point(self) -> int:
        """Return the offset over the stretch with most anchors, in its middle, ns."""
        best = max(self.segments, key=lambda s: (s.anchors, -s.since), default=None)
        return 0 if best is None else best.offset + round(best.rate * (best.until - best.since) / 2)

    @property
    def off(self) -> bool:
        """Tell whether some stretch is further off than two right clocks may be."""
        limit = _apart(self.how)
        return any(max(abs(s.offset), abs(s.offset + round(s.rate * (s.until - s.since)))) > limit for s in self.segments)


def _apart(how: str) -> int:
    return 2 * SLACK[how]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sources that can be compared, by the kind of record that tells most."""

    kind: str
    cost: int
    anchors: int


def clocks(tables: Tables, case: CaseConfig, policy: Policy) -> dict[str, Clock]:
    """Return the clock of every source that could be compared, by source. Pure, and deterministic."""
    kept = anchors(tables, policy)
    limits = Limits.of(policy)
    pairs = _pairs(kept, limits)
    if not pairs:
        return {}
    first = case.clock or _most_anchored(pairs, set())
    found = _measure(first, pairs, kept, limits)
    if not case.clock:  # the clock that most others agree with: one that is itself off is no measure
        reference = _most_anchored(pairs, set(found) - _majority(found))
        found = found if reference == first else _measure(reference, pairs, kept, limits)
    agreed = bool(case.clock) or any(not c.off for s, c in found.items() if s != c.reference)
    return {s: replace(c, supported=agreed) for s, c in _of_one_host(found, case).items()}


_HOST_LOGS = ("auditd", "syslog")


def _of_one_host(found: dict[str, Clock], case: CaseConfig) -> dict[str, Clock]:
    """Let the logs of one host have one clock: what the best measured of them tells holds for those that say nothing against it."""
    out = dict(found)
    logs = [s for s in case.sources if s.kind in _HOST_LOGS and s.host]
    for host in sorted({s.host for s in logs}):
        mates = sorted(s.name for s in logs if s.host == host)
        told = [found[m] for m in mates if m in found and found[m].segments and found[m].off]
        if not told:
            continue
        best = min(told, key=lambda c: (_COST[c.how], -sum(s.anchors for s in c.segments), c.source))
        for mate in mates:
            mine = found.get(mate)
            if mine is None or (not mine.off and mine.segments and mine.low <= best.point <= mine.high):
                out[mate] = replace(best, source=mate, against=best.source)
    return out


def _measure(reference: str, pairs: dict[tuple[str, str], _Pair], kept: dict[str, dict[str, Kept]], limits: Limits) -> dict[str, Clock]:
    """Measure every source against a reference, hop by hop along the best anchors."""
    graph: nx.Graph[str] = nx.Graph()
    for (one, other), pair in sorted(pairs.items()):
        graph.add_edge(one, other, weight=pair.cost - min(pair.anchors, 500) / 1000, pair=pair)
    if reference not in graph:
        return {}
    found = {reference: Clock(reference, reference, "", "", "exact", ())}
    for source, way in sorted(nx.single_source_dijkstra_path(graph, reference).items(), key=lambda i: (len(i[1]), i[0])):
        if source != reference:
            clock = _measured(source, found.get(way[-2]), graph.edges[way[-2], source]["pair"], kept, reference, limits)
            if clock is not None:
                found[source] = clock
    return found


def _majority(found: dict[str, Clock]) -> set[str]:
    """Return the largest set of sources whose clocks agree with one another, as far as their anchors tell."""
    points = {s: c.point for s, c in sorted(found.items())}

    def agreeing(source: str) -> set[str]:
        return {s for s, p in points.items() if abs(p - points[source]) <= _apart(found[s].how) + _apart(found[source].how)}

    close = [s for s in points if found[s].how != "loose"]
    among = close if len(close) > 1 else list(points)  # with people's pace alone, no clock is better than another
    return max((agreeing(s) for s in among), key=len, default=set(points))


def _pairs(kept: dict[str, dict[str, Kept]], limits: Limits) -> dict[tuple[str, str], _Pair]:
    """Compare every two sources that bear keys of one kind, and keep the kind that tells most."""
    found: dict[tuple[str, str], _Pair] = {}
    for kind, sources in kept.items():
        names = sorted(sources)
        for n, one in enumerate(names):
            for other in names[n + 1 :]:
                segments = offset(sources[one], sources[other], limits)
                count = sum(s.anchors for s in segments)
                cost = _COST[sources[one].how]
                before = found.get((one, other))
                if segments and (before is None or (cost, -count) < (before.cost, -before.anchors)):
                    found[one, other] = _Pair(kind, cost, count)
    return found


def _most_anchored(pairs: dict[tuple[str, str], _Pair], without: set[str]) -> str:
    """Return the source anchored to most others: by records of the very same act, where there are such; then by near ones; then by name."""
    partners: dict[str, dict[int, set[str]]] = {}
    for (one, other), pair in pairs.items():
        for source, with_ in ((one, other), (other, one)):
            partners.setdefault(source, {}).setdefault(pair.cost, set()).add(with_)
    among = set(partners) - without or set(partners)
    return min(among, key=lambda s: ([-len(partners[s].get(cost, ())) for cost in _COST.values()], s))


def _measured(
    source: str, parent: Clock | None, pair: _Pair, kept: dict[str, dict[str, Kept]], reference: str, limits: Limits
) -> Clock | None:
    if parent is None:
        return None
    mine, others = kept[pair.kind][source], kept[pair.kind][parent.source]
    segments = offset(mine, _right(others, parent), limits)
    if not segments:
        return None
    wider = tuple(replace(s, low=s.low - _doubt(parent)[0], high=s.high + _doubt(parent)[1]) for s in segments)
    return Clock(source, reference, parent.source, pair.kind, max(mine.how, parent.how, key=list(_COST).index), wider)


def _doubt(parent: Clock) -> tuple[int, int]:
    """Return what the parent's own interval adds below and above."""
    if not parent.segments:
        return 0, 0
    best = max(parent.segments, key=lambda s: (s.anchors, -s.since))
    ends = (best.offset, best.offset + round(best.rate * (best.until - best.since)))
    return max(0, min(ends) - best.low), max(0, best.high - max(ends))


def _right(kept: Kept, clock: Clock) -> Kept:
    """Return the records with their times put right by their source's own clock."""
    if not clock.off:
        return kept
    moved = {key: corrected(times, clock) for key, times in kept.times.items()}
    events = {
        (key, int(after)): kept.events[key, int(before)]
        for key, times in kept.times.items()
        for before, after in zip(times, moved[key], strict=True)
        if (key, int(before)) in kept.events
    }
    return Kept(kept.how, {key: np.sort(times) for key, times in moved.items()}, events)


def corrected(times: Times, clock: Clock) -> Times:
    """Return recorded times by the reference clock."""
    found = times.copy()
    for row in _rows(clock):
        inside = (times >= row["since"]) & (times < row["until"])
        found[inside] = times[inside] - row["offset"] - np.round(row["rate"] * (times[inside] - row["anchor"])).astype(np.int64)
    return found


_OPEN = 1 << 62


def _rows(clock: Clock) -> list[dict[str, Any]]:
    """Return the stretches with their borders: halfway between the last anchor of one and the first of the next."""
    segments = clock.segments
    borders = [-_OPEN, *((a.until + b.since) // 2 for a, b in pairwise(segments)), _OPEN]
    return [
        {
            "source": clock.source, "reference": clock.reference, "against": clock.against, "kind": clock.kind, "how": clock.how, "since": borders[n], "until": borders[n + 1],
            "anchor": s.since, "span": s.until - s.since, "offset": s.offset, "rate": s.rate, "low": s.low, "high": s.high, "anchors": s.anchors, "applied": clock.off and clock.supported, "events": list(s.events),
        }
        for n, s in enumerate(segments)
    ]  # fmt: skip


def clocks_table(found: dict[str, Clock]) -> pa.Table:
    """Return the table by which times are corrected (schema.CLOCKS)."""
    rows = [row for _, clock in sorted(found.items()) for row in _rows(clock)]
    return pa.Table.from_pylist(rows, schema=schema.CLOCKS)
