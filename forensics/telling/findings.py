"""Reasoned values -> findings.json, in the contract's shape, with a reference behind every fact."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forensics import graph, times
from forensics.indicator import Hypothesis
from forensics.model import CaseConfig
from forensics.reasoning.answer import Answer, Argued, Weighing
from forensics.reasoning.answers import Reasoned
from forensics.reasoning.causes import Cause
from forensics.reasoning.impact import Impact
from forensics.reasoning.statements import Verdict
from forensics.reasoning.weighing import Ratio
from forensics.tables import Tables
from forensics.telling.beside import beside
from forensics.telling.references import References

SCHEMA = "forensics/findings/1"
_EVEN = 1e-9
LARGEST_PATH = 400
"""edges of an answer's path that findings.json carries; the table of edges has them all"""


def make(
    tables: Tables,
    case: CaseConfig,
    reasoned: Reasoned,
    unreadable: dict[str, str],
    notes: dict[str, tuple[str, ...]],
    hashes: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return findings.json as a value; the same case gives the same value. `hashes` are those of further files in OUT."""
    refs = References(tables)
    refs.load(_all_events(reasoned))
    reach = {i.question: i for i in reasoned.impacts}
    return {
        "schema": SCHEMA,
        "case": {"id": case.id, "title": case.title, "from": times.show(case.window[0]), "to": times.show(case.window[1])},
        "answers": [
            _answer(a, refs, reach[a.question.id], tables) | more for a, more in zip(reasoned.answers, beside(reasoned, refs), strict=True)
        ],
        "statements": [_statement(v, refs, reasoned) for v in reasoned.statements],
        "causes": [_cause(c, refs) for c in reasoned.causes],
        "impact": [_impact(i, case) for i in reasoned.impacts],
        "sources": _sources(tables, case, reasoned, unreadable, notes),
        "tables": tables.hashes() | dict(hashes),
    }


def _all_events(reasoned: Reasoned) -> Iterator[int]:
    for a in reasoned.answers:
        yield from a.dossier.seen
        for refs in ([x.weighed.item.refs for x in a.argued], [f.refs for f in a.flags], [s.refs for s in a.ladder]):
            yield from (event for ids in refs for event in ids)
    yield from (event for c in reasoned.causes for event in c.refs)
    for i in reasoned.impacts:
        yield from (event for edge in i.edges[:LARGEST_PATH] for event in edge["events"][:6])


def write(findings: Mapping[str, Any], path: Path) -> None:
    """Write findings.json: UTF-8, sorted keys, one space of indent, a line end at the end."""
    path.write_text(
        json.dumps(findings, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n"
    )


def _number(value: float) -> float:
    """Round to four significant digits: no reader needs more, and platforms differ beyond."""
    return float(f"{value:.4g}")


def _interval(ratio: Ratio) -> dict[str, float]:
    return {"point": _number(ratio.point), "low": _number(ratio.low), "high": _number(ratio.high)}


def _answer(a: Answer, refs: References, reach: Impact, tables: Tables) -> dict[str, Any]:
    argued = list(zip(a.argued, _places(a), strict=True))
    found: dict[str, Any] = {
        "question": a.question.id,
        "object": a.question.object,
        "about": a.question.about,
        "rung": a.rung,
        "person": a.person,
        "account": a.account,
        "mechanism": a.mechanism,
        "support": a.support,
        "candidates": list(a.candidates),
        "alternatives": [_compared(h, r) for h, r in a.alternatives],
        "for": [_item(x, refs) | at for x, at in argued if x.lr > 1 + _EVEN],
        "against": [_item(x, refs) | at for x, at in argued if x.lr < 1 - _EVEN],
        "neutral": [_item(x, refs) | at for x, at in argued if abs(x.lr - 1) <= _EVEN],
        "weighings": [_weighing(w) for w in a.weighings],
        "missing": list(a.missing),
        "flags": sorted({f.flag for f in a.flags}),
        "flag_items": [{"flag": f.flag, "says": f.says, "innocent": list(f.innocent), "refs": refs.of(f.refs)} for f in a.flags],
        "not_evaluated": list(a.not_evaluated),
        "ladder": [{"rung": s.rung, "reached": s.reached, "why": s.why, "refs": refs.of(s.refs)} for s in a.ladder],
        "path": _path(a, refs, reach, tables),
        "summary": summary(a),
    }
    if a.dossier.when:
        found["when"] = {"from": times.show(a.dossier.when[0]), "to": times.show(a.dossier.when[1])}
    if a.on_behalf:
        found["on_behalf"] = a.on_behalf
    return found


def summary(a: Answer) -> str:
    """Say in one plain sentence how far the records carry."""
    several = (
        f"{len(a.candidates)} people could have; the records do not tell them apart"
        if len(a.candidates) != 1
        else "the records do not carry further"
    )
    words = {
        "none": "The change that is asked about does not stand in the evidence.",
        "change": f"The change stands in the evidence; no record shows which account made it. {several[:1].upper()}{several[1:]}.",
        "account": f"{a.account} made the change; no record shows who used that account. {several[:1].upper()}{several[1:]}.",
        "session": f"{a.account} made the change in a session that the records trace back; who sat there is not established. {several[:1].upper()}{several[1:]}.",
        "person": f"The records tie the change to {a.person} ({a.mechanism}), and every alternative is clearly less supported.",
    }
    return words[a.rung]


def _item(argued: Argued, refs: References) -> dict[str, Any]:
    w = argued.weighed
    return {
        "says": w.item.says,
        "group": w.group,
        "tier": str(w.tier),
        "lr": _number(argued.lr),
        "kind": w.item.kind,
        "rung": w.item.rung,
        "refs": refs.of(w.item.refs),
    }


def _compared(h: Hypothesis, r: Ratio) -> dict[str, Any]:
    return {
        "person": h.person,
        "mechanism": h.mechanism,
        "lr": _interval(r),
        "left_out": {"low": _number(r.left_out_low), "group": r.left_out_group},
        "dropped": {"low": _number(r.dropped_low), "source": r.dropped_source},
    }


def _places(a: Answer) -> list[dict[str, Any]]:
    """Say for each item where it was weighed: (weighing, item in it)."""
    if not a.weighings:
        return [{} for _ in a.argued]
    return [{"weighed": [n, m]} for n, w in enumerate(a.weighings) for m in range(len(w.weighed))]


def _weighing(w: Weighing) -> dict[str, Any]:
    """Write down all that the ratios of one comparison are worked out from; `expect` names hypotheses by number: 0 leads, then `compared`."""
    every = [w.leading, *(h for h, _ in w.compared)]
    items = []
    for x in w.weighed:
        words: dict[str, list[int]] = defaultdict(list)
        for number, h in enumerate(every):
            if h in x.item.expect:
                words[x.item.expect[h]].append(number)
        items.append({
            "group": x.group, "tier": str(x.tier), "sources": list(x.item.sources), "controllers": sorted(x.controllers),
            "otherwise": x.item.otherwise, "expect": dict(words),
        })  # fmt: skip
    return {
        "leading": {"person": w.leading.person, "mechanism": w.leading.mechanism},
        "compared": [_compared(h, r) for h, r in w.compared],
        "nearest": every.index(w.nearest) if w.nearest in every else None,
        "items": items,
    }


def _path(a: Answer, refs: References, reach: Impact, tables: Tables) -> list[dict[str, Any]]:
    """Return the edges from hand to change, and from the change to what it reached."""
    events = list(
        dict.fromkeys(
            [
                *(a.dossier.act.events if a.dossier.act else ()),
                *(e for o in a.dossier.origins for e in (*o.events, *(x for d in o.devices for x in d.events))),
            ]
        )
    )
    if not events and not reach.edges:
        return []
    back = tables.rows(
        "SELECT * FROM edges WHERE list_has_any(events, $e) AND rule <> 'ancestry' AND (rule <> 'pushed-commits' OR dst = $o) ORDER BY time NULLS LAST, rule, src, dst LIMIT 200",
        e=events, o=a.dossier.objects[0],
    )  # fmt: skip
    ways = graph.around(graph.build([*back, *_behind(a)]), a.dossier.objects)
    refs.load(event for row in ways for event in row["events"][:6])
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in [*ways, *reach.edges]:
        key = (row["src"], row["dst"], row["rule"])
        if key not in found and len(found) < LARGEST_PATH:
            found[key] = {
                "src": row["src"], "dst": row["dst"], "rule": row["rule"], "recorded": row["recorded"],
                "when": times.show(row["time"]) if row["time"] is not None else None, "refs": refs.of(row["events"][:6]),
            }  # fmt: skip
    return list(found.values())


def _behind(a: Answer) -> Iterator[dict[str, Any]]:
    """Yield the inferred edges from the logins behind an act to the act itself."""
    act = a.dossier.act
    for origin in a.dossier.origins if act else ():
        near = origin.sessions[0] if origin.sessions else origin.account
        if act and (near != act.account):
            yield {
                "src": near,
                "dst": f"event:{act.events[0]}",
                "rule": "origin",
                "time": origin.time,
                "recorded": False,
                "events": list(origin.events[:6]),
            }


def _statement(v: Verdict, refs: References, reasoned: Reasoned) -> dict[str, Any]:
    def items(facts: tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...]) -> list[dict[str, Any]]:
        return [
            {"says": says, "group": ", ".join(sources) or "registers", "tier": min((reasoned.tiers[s] for s in sources), default="T3"), "refs": refs.of(ids)}
            for says, ids, sources in facts if refs.of(ids)
        ]  # fmt: skip

    return {
        "id": v.id,
        "verdict": v.verdict,
        "why": v.why,
        "evidence": refs.of(v.refs),
        "for": items(v.supports),
        "against": items(v.opposes),
    }


def _cause(c: Cause, refs: References) -> dict[str, Any]:
    """Return a cause. Beside the contract's keys: how often chance does as well, why it is told, its kind, the first harmed run that it reached, records.

    The runs themselves stand in comparison.json.
    """
    found: dict[str, Any] = {
        "object": c.object, "score": _number(c.score), "bad_runs": c.bad_runs, "good_runs": c.good_runs, "chance": _number(c.chance), "why": c.why,
        "kind": c.kind, "refs": refs.of(c.refs),
    }  # fmt: skip
    if c.condition:
        found["condition"] = c.condition
    if c.when is not None:
        found["when"] = times.show(c.when)
    if c.first:
        found["first_harm"] = times.show(c.first)
    return found


def _impact(i: Impact, case: CaseConfig) -> dict[str, Any]:
    low, high = i.gpu_hours
    found: dict[str, Any] = {
        "question": i.question, "jobs": list(i.jobs), "objects": list(i.objects), "jobs_possible": list(i.jobs_possible),
        "objects_possible": list(i.objects_possible), "gpu_hours": {"low": low, "high": high},
    }  # fmt: skip
    if case.gpu_hour is not None:
        found["cost"] = {"low": round(low * case.gpu_hour, 2), "high": round(high * case.gpu_hour, 2)}
    return found


def _clocks(tables: Tables) -> dict[str, tuple[dict[str, float], list[dict[str, Any]]]]:
    """Return, by source, the offset of its clock in seconds with its interval, and its stretches; the point is that of the stretch with most anchors."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in tables.rows("SELECT * FROM clocks ORDER BY source, since"):
        found[row["source"]].append(row)
    told = {}
    for source, rows in found.items():
        best = max(rows, key=lambda r: (r["anchors"], -r["since"]))
        point = best["offset"] + best["rate"] * best["span"] / 2
        offset = {
            "point": round(point / 1e9, 3), "low": round(min(r["low"] for r in rows) / 1e9, 3), "high": round(max(r["high"] for r in rows) / 1e9, 3),
        }  # fmt: skip
        stretches = [
            {
                "from": times.show(r["anchor"]), "to": times.show(r["anchor"] + r["span"]), "offset_s": round(r["offset"] / 1e9, 3), "drift_ppm": round(r["rate"] * 1e6, 3),
                "low_s": round(r["low"] / 1e9, 3), "high_s": round(r["high"] / 1e9, 3), "anchors": r["anchors"], "against": r["against"], "by": r["kind"], "corrected": r["applied"],
            }
            for r in rows
        ]  # fmt: skip
        told[source] = (offset, stretches)
    return told


def _sources(
    tables: Tables, case: CaseConfig, reasoned: Reasoned, unreadable: dict[str, str], notes: dict[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    books = {r["source"]: r for r in tables.rows(
        """
        SELECT source, sum(stored)::BIGINT AS bytes, sum(parsed)::BIGINT AS parsed, sum(skipped)::BIGINT AS skipped, sum(rejected)::BIGINT AS rejected,
               count(*) AS files, string_agg(DISTINCT damage, '; ' ORDER BY damage) FILTER (damage <> '') AS damage
        FROM files WHERE counted GROUP BY source
        """
    )}  # fmt: skip
    spans = {
        r["source"]: r
        for r in tables.rows("SELECT source, count(*) AS records, min(time) AS first, max(time) AS last FROM recorded GROUP BY source")
    }
    clocks = _clocks(tables)
    refused = defaultdict(int, {r["source"]: r["n"] for r in tables.rows("SELECT source, count(*) AS n FROM rejected GROUP BY source")})
    found = []
    for source in case.sources:
        book, span = books.get(source.name), spans.get(source.name, {"records": 0, "first": None, "last": None})
        found.append({
            "name": source.name, "kind": source.kind, "host": source.host, "tier": reasoned.tiers[source.name],
            "controllers": None if source.controllers is None else list(source.controllers),
            "bytes": book["bytes"] if book else 0, "bytes_parsed": book["parsed"] if book else 0, "bytes_skipped": book["skipped"] if book else 0,
            "bytes_rejected": book["rejected"] if book else 0, "records": span["records"], "rejected": refused[source.name],
            "first": times.show(span["first"]) if span["first"] is not None else None, "last": times.show(span["last"]) if span["last"] is not None else None,
            "gaps": [{"from": times.show(a), "to": times.show(b)} for a, b in reasoned.gaps.get(source.name, [])], "clock_offset_s": clocks.get(source.name, (None, []))[0],
            "clock": clocks.get(source.name, (None, []))[1],
            "files": book["files"] if book else 0, "notes": list(notes.get(source.name, ())), "damage": (book or {}).get("damage") or "",
            "status": ("skipped" if "skipped, as asked" in unreadable[source.name] else "unreadable") if source.name in unreadable else "read",
            "why_not": unreadable.get(source.name, ""),
        })  # fmt: skip
    return found
