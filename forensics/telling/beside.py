"""What stands beside an answer in findings.json and moves none: what the change does in code, what is new in a checkpoint, which controls were there.

    "code": [{"rule", "own" (the file of the examiner's own rules, where it is one of these), "group", "severity", "path", "side": added or removed, "line", "to", "text", "says", "why", "innocent": [...], "ref": reference}]
    "code_unread": [{"path", "why"}], where something of the change could not be looked at
    "lineage": {"object", "compared_with": [...], "by": records or name, "refs": [...], "new": [{"kind", "what", "says", "innocent", "refs"}]}
    "controls": see `forensics/reasoning/controls/`

`code` is there where the change is a commit, or an installed file that is not as listed, `lineage` where it is a checkpoint that was collected. Lines are counted in the file after the change (`added`) or
before it (`removed`), which `ref` points at.
"""

from collections.abc import Iterator
from typing import Any

from forensics.reasoning.answers import Reasoned
from forensics.reasoning.code import Code, CodeHit
from forensics.reasoning.controls.control import Control
from forensics.reasoning.lineage import Lineage
from forensics.telling.references import References, part


def beside(reasoned: Reasoned, refs: References) -> Iterator[dict[str, Any]]:
    """Yield, for each answer, what stands beside it."""
    for code, lineage, controls in zip(reasoned.codes, reasoned.lineages, reasoned.controls, strict=True):
        found: dict[str, Any] = {"controls": [_control(c, refs) for c in controls]}
        yield found | _code(code, refs) | _lineage(lineage, refs)


def _code(code: Code, refs: References) -> dict[str, Any]:
    if not code.looked:
        return {}
    found: dict[str, Any] = {"code": [_hit(h, refs) for h in code.hits]}
    if code.unread:
        found["code_unread"] = [{"path": path, "why": why} for path, why in code.unread]
    return found


def _hit(h: CodeHit, refs: References) -> dict[str, Any]:
    rule = h.hit.rule
    ref = {"source": h.source, "sha256": h.sha256, "locator": f"git={h.blob}"}
    if h.event is not None:
        ref = part(refs.of([h.event])[0], h.start, h.end)
    return {
        "rule": rule.id, "group": rule.group, "severity": rule.severity.value, "path": h.path, "side": h.side, "line": h.hit.first, "to": h.hit.last, "text": h.hit.text,
        "says": rule.says, "why": rule.why, "innocent": list(rule.innocent), "ref": ref,
    } | ({"own": rule.own} if rule.own else {})  # fmt: skip


def _lineage(lineage: Lineage, refs: References) -> dict[str, Any]:
    if not lineage.object:
        return {}
    new = [{"kind": n.kind, "what": n.what, "says": n.says, "innocent": list(n.innocent), "refs": refs.of(n.refs)} for n in lineage.new]
    return {
        "lineage": {
            "object": lineage.object,
            "compared_with": list(lineage.compared),
            "by": lineage.by,
            "refs": refs.of(lineage.refs),
            "new": new,
        }
    }


def _control(c: Control, refs: References) -> dict[str, Any]:
    return {
        "id": c.id, "control": c.control, "object": c.object, "shows": c.shows.value, "why": c.why, "would_have": c.would_have, "refs": refs.of(c.refs),
    }  # fmt: skip
