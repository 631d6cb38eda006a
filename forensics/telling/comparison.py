"""What was compared to find causes -> comparison.json, beside findings.json, which bears its hash under `tables`.

- `schema`: forensics/comparison/1
- `told_by`: by which metric, or by what else, harmed runs were told; empty where the case names them
- `runs`: run, kind (harmed, healthy, looks harmed, looks healthy), started, refs (the first record of it)
- `causes`: object, and the harmed and healthy runs that it reached
- `lines`: for each harmed run that was continued from others: the jobs, the checkpoint that each loaded, the last healthy one, the first harmed one
- `considered`: kind of candidate -> how many there were
- `shuffles`: how often labels were shuffled; `floor`: the score that so shuffled labels reach too often to tell a cause
- `altered`: installed files that are not as their package's list gives them: object, package, found, listed, says, refs; the first 1000, and `altered_count`;
  where the rules over code point at something in it: code [{rule, group, severity, side (added, removed, present), line, to, text, says, why, innocent, ref, own}],
  compared_with (the file as it was listed, in another environment), code_unread [why]
- `commands`: commands that rules ask to look at: time, host, line, says, why, innocent, beside (a cause, or null), refs;
  own (the file) where it is one of the examiner's own rules; `commands_left` [{rule, why}] where nothing is told of what such a rule finds
- `empty`: why no cause is told; `collect`: what could tell one
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics import times
from forensics.reasoning.causes import Comparison
from forensics.reasoning.causes.inside import Inside, Looked
from forensics.telling.references import References, part

SCHEMA = "forensics/comparison/1"
NAME = "comparison"
_MOST = 1000
"""installed files that are told"""


def make(found: Comparison, refs: References, shuffles: int) -> dict[str, Any]:
    """Return comparison.json as a value."""
    return {
        "schema": SCHEMA,
        "told_by": found.runs.told_by if found.runs else "",
        "runs": list(_runs(found, refs)),
        "causes": [{"object": c.object, "harmed": list(c.harmed), "healthy": list(c.healthy)} for c in found.causes],
        "lines": [
            {
                "run": line.run,
                "last_healthy": line.good or None,
                "first_harmed": line.first,
                "checkpoint": line.checkpoint or None,
                "steps": [{"job": s.job, "loaded": s.loaded or None, "kind": s.kind or None} for s in line.steps],
            }
            for line in found.lines
        ],
        "considered": dict(found.considered),
        "shuffles": shuffles,
        "floor": found.floor,
        "altered": list(_altered(found, refs)),
        "altered_count": len(found.altered),
        "commands": list(_commands(found, refs)),
        **({"commands_left": [{"rule": rule, "why": why} for rule, why in found.commands_left]} if found.commands_left else {}),
        "empty": found.empty,
        "collect": list(found.collect),
    }


def _runs(found: Comparison, refs: References) -> Iterator[Mapping[str, Any]]:
    if found.runs is None:
        return
    kinds = (
        ("harmed", found.runs.bad), ("healthy", found.runs.good), ("looks harmed", found.runs.more_bad), ("looks healthy", found.runs.more_good),
    )  # fmt: skip
    refs.load(f["event"] for f in found.runs.facts)
    for kind, chosen in kinds:
        for n in found.runs.places(chosen):
            started = found.runs.starts[n]
            yield {
                "run": found.runs.jobs[n], "kind": kind, "started": times.show(started) if started else None,
                "refs": refs.of([found.runs.facts[n]["event"]]),
            }  # fmt: skip


def _altered(found: Comparison, refs: References) -> Iterator[Mapping[str, Any]]:
    told = found.altered[:_MOST]
    refs.load(event for file in told for event in file.refs)
    refs.load(
        event for looked in found.inside.values() for event in [*(h.event for h in looked.hits), looked.compared] if event is not None
    )
    for file in told:
        yield {
            "object": file.object, "package": file.package or None, "found": file.found, "listed": file.listed or None, "says": file.says,
            "refs": refs.of(file.refs),
        } | _inside(found.inside.get(file.object, Looked()), refs)  # fmt: skip


def _inside(looked: Looked, refs: References) -> dict[str, Any]:
    told: dict[str, Any] = {"code": [_hit(h, refs) for h in looked.hits]} if looked.hits else {}
    told |= {"compared_with": refs.of([looked.compared])[0]} if looked.hits and looked.compared is not None else {}
    return told | ({"code_unread": list(looked.unread)} if looked.unread else {})


def _hit(h: Inside, refs: References) -> dict[str, Any]:
    rule = h.hit.rule
    (whole,) = refs.of([h.event])
    return {
        "rule": rule.id, "group": rule.group, "severity": rule.severity.value, "side": h.side, "line": h.hit.first, "to": h.hit.last, "text": h.hit.text,
        "says": rule.says, "why": rule.why, "innocent": list(rule.innocent), "ref": part(whole, h.start, h.end),
    } | ({"own": rule.own} if rule.own else {})  # fmt: skip


def _commands(found: Comparison, refs: References) -> Iterator[Mapping[str, Any]]:
    refs.load(c.event for c in found.commands)
    for c in found.commands:
        yield {
            "time": None if c.time is None else times.show(c.time), "host": c.host or None, "line": c.line[:500], "says": c.says, "why": c.why,
            "innocent": list(c.innocent), "beside": c.beside or None, "refs": refs.of([c.event]),
        } | ({"own": c.own} if c.own else {})  # fmt: skip


def write(comparison: Mapping[str, Any], path: Path) -> None:
    """Write comparison.json: UTF-8, sorted keys, one space of indent, a line end at the end."""
    path.write_text(
        json.dumps(comparison, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n"
    )
