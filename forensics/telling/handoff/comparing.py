"""What changed between two examinations, and why: evidence, policy, version and answers, with what each changed answer can be put down to."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError

_FIELDS = ("rung", "person", "account", "mechanism", "support")
_LISTS = ("candidates", "flags", "missing")


@dataclass(frozen=True, slots=True)
class Examination:
    """What an examination left behind."""

    findings: dict[str, Any]
    received: dict[str, str]
    """subject -> SHA-256"""
    policy: dict[str, str]
    """each number's full name -> the number"""
    tool: str
    examiner: str
    time: str
    code: str
    """SHA-256 over the program's own files; empty where it was not noted"""


def read(out: Path) -> Examination:
    """Read an examination; ForensicsError where it is not whole."""
    try:
        findings = json.loads((out / "findings.json").read_bytes())
        entries = [json.loads(line) for line in (out / "custody.jsonl").read_text(encoding="utf-8").splitlines()]
        policy = tomllib.loads((out / "policy.toml").read_text(encoding="utf-8"))
        received = {e["subject"]: e["sha256"] for e in entries if e["action"] == "received"}
        last = entries[-1]
        code = str(json.loads((out / "examination.json").read_bytes()).get("code", ""))
        return Examination(findings, received, dict(_flat(policy)), str(last["tool"]), str(last["examiner"]), str(last["time"]), code)
    except (OSError, ValueError, KeyError, IndexError, RecursionError) as error:
        raise ForensicsError(f"is no whole examination: {error}", where=str(out), hint="run `forensics investigate` to its end") from error


def _flat(policy: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in policy.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, json.dumps(value)


def compare(one: Examination, two: Examination) -> dict[str, Any]:
    """Return what differs, as JSON; empty lists where nothing does."""
    evidence = _pairs(one.received, two.received)
    policy = _pairs(one.policy, two.policy)
    program = _pairs(*({"version": e.tool, "code": e.code} for e in (one, two)))
    case = [c for c in _sources(one.findings, two.findings) if c]
    touched = {c["name"].partition("/")[0] for c in evidence} | {c["name"].partition(" ")[0] for c in case}
    reasons = _Reasons(bool(evidence), policy, bool(program), touched)
    return {
        "examinations": [{"tool": e.tool, "examiner": e.examiner, "time": e.time} for e in (one, two)],
        "evidence": evidence,
        "sources": case,
        "policy": policy,
        "program": program,
        "answers": list(_answers(one.findings, two.findings, reasons)),
        "statements": _pairs(*({s["id"]: s["verdict"] for s in e.findings["statements"]} for e in (one, two))),
        "causes": _pairs(*({c["object"]: str(c["score"]) for c in e.findings["causes"]} for e in (one, two))),
    }


def _pairs(one: Mapping[str, str], two: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what was added, taken away or changed, by name."""
    return [
        {"name": name, "before": one.get(name), "after": two.get(name)} for name in sorted({*one, *two}) if one.get(name) != two.get(name)
    ]


def _sources(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what case.toml says otherwise of a source, or what was read otherwise from it."""
    keys = ("kind", "host", "tier", "controllers", "status", "records", "rejected")
    told = [{f"{s['name']} {key}": json.dumps(s.get(key)) for s in e["sources"] for key in keys} for e in (one, two)]
    yield from _pairs(*told)


@dataclass(frozen=True, slots=True)
class _Reasons:
    """What an answer's change can be put down to."""

    evidence: bool
    policy: list[dict[str, Any]]
    program: bool
    touched: set[str]
    """sources whose evidence or declaration changed"""

    def why(self, items: Iterable[Mapping[str, Any]]) -> list[str]:
        """Say what changed that this answer may rest on."""
        cited = sorted({ref["source"] for item in items for ref in item["refs"]} & self.touched)
        found = [f"evidence: {', '.join(cited)}"] if cited else []
        if not cited and (self.evidence or self.touched):
            found.append(f"evidence that the answer does not cite: {', '.join(sorted(self.touched))}")
        found += [f"policy: {', '.join(c['name'] for c in self.policy[:8])}{' …' if len(self.policy) > 8 else ''}"] if self.policy else []
        found += ["another version of the program"] if self.program else []
        return found or ["nothing that is known: the same evidence, policy and version must give the same answer; report this"]


def _answers(one: Mapping[str, Any], two: Mapping[str, Any], reasons: _Reasons) -> Iterator[dict[str, Any]]:
    before, after = ({a["question"]: a for a in e["answers"]} for e in (one, two))
    for question in dict.fromkeys((*before, *after)):
        if question not in before or question not in after:
            yield {"question": question, "only": "before" if question in before else "after", "why": ["the case asks other questions"]}
            continue
        found = _answer(before[question], after[question])
        if found:
            items = [*_items(before[question]), *_items(after[question])]
            yield {"question": question, **found, "why": reasons.why(items)}


def _items(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for side in ("for", "against", "neutral"):
        yield from answer.get(side, ())


def _answer(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs in an answer, by its kind; empty where nothing does."""
    found: dict[str, Any] = {key: {"before": one[key], "after": two[key]} for key in _FIELDS if one[key] != two[key]}
    for key in _LISTS:
        gone, come = ([x for x in a[key] if x not in b[key]] for a, b in ((one, two), (two, one)))
        if gone or come:
            found[key] = {"gone": gone, "come": come}
    said = [{f"{i['says']} [{i['group']}, {i['tier']}]": str(i["lr"]) for i in _items(a)} for a in (one, two)]
    ratios = [
        {f"{a['person']} ({a['mechanism']})": f"{a['lr']['low']:g} to {a['lr']['high']:g}" for a in x["alternatives"]} for x in (one, two)
    ]
    found |= {name: pairs for name, (a, b) in (("records", said), ("ratios", ratios)) if (pairs := _pairs(a, b))}
    return found


# --- for people ----------------------------------------------------------------------------------------------------------


def text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a comparison's lines."""
    one, two = found["examinations"]
    yield f"before: {one['time']}, {one['examiner']}, {one['tool']}"
    yield f"after:  {two['time']}, {two['examiner']}, {two['tool']}"
    for name in ("evidence", "sources", "policy", "program", "statements", "causes"):
        yield from _section(name, found[name])
    yield ""
    yield f"answers: {len(found['answers']) or 'none'} changed"
    for answer in found["answers"]:
        yield f"  {answer['question']}"
        yield from _told(answer)
        yield from (f"    why: {why}" for why in answer["why"])


def _section(name: str, pairs: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield f"{name}: {len(pairs) or 'nothing'} changed"
    for c in pairs:
        yield f"  {c['name']}: {_moved(c['before'], c['after'])}"


def _moved(before: object, after: object) -> str:
    return f"{'(not there)' if before is None else before} -> {'(not there)' if after is None else after}"


def _told(answer: Mapping[str, Any]) -> Iterator[str]:
    if "only" in answer:
        yield f"    only {answer['only']}"
    for key in _FIELDS:
        if key in answer:
            yield f"    {key}: {_moved(answer[key]['before'], answer[key]['after'])}"
    for key in _LISTS:
        if key in answer:
            yield from (f"    {key}: - {x}" for x in answer[key]["gone"])
            yield from (f"    {key}: + {x}" for x in answer[key]["come"])
    for key in ("records", "ratios"):
        yield from (f"    {key}: {c['name']}: {_moved(c['before'], c['after'])}" for c in answer.get(key, ()))
