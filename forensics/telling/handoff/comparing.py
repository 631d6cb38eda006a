"""What changed between two examinations, and why: evidence, policy, version and answers, with what each changed answer can be put down to."""

import json
import tomllib
from collections import defaultdict
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
    rules: dict[str, str]
    """the examiner's own rules: name of a file -> SHA-256"""
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
        return Examination(
            findings, received, dict(flat(policy)), _rules(out), str(last["tool"]), str(last["examiner"]), str(last["time"]), code
        )
    except (OSError, ValueError, KeyError, IndexError, RecursionError) as error:
        raise ForensicsError(f"is no whole examination: {error}", where=str(out), hint="run `forensics investigate` to its end") from error


def _rules(out: Path) -> dict[str, str]:
    if not (out / "rules.json").is_file():
        return {}
    several: dict[str, list[str]] = defaultdict(list)
    for file in json.loads((out / "rules.json").read_bytes())["files"]:
        several[file["name"]].append(file["sha256"])
    return {name: ", ".join(sorted(found)) for name, found in several.items()}


def flat(policy: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each number of a policy with its full name."""
    for key, value in policy.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, Mapping):
            yield from flat(value, name)
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
        "cases": [str(e.findings["case"]["id"]) for e in (one, two)],
        "examinations": [{"tool": e.tool, "examiner": e.examiner, "time": e.time} for e in (one, two)],
        "evidence": evidence,
        "sources": case,
        "policy": policy,
        "rules": _pairs(one.rules, two.rules),
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
    told = [{f"{s['name']} {key}": _plain(s.get(key)) for s in e["sources"] for key in keys} for e in (one, two)]
    yield from _pairs(*told)


def _plain(value: object) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
        found = [f"evidence that the answer cites: {', '.join(cited)}"] if cited else []
        if not cited and (self.evidence or self.touched):
            found.append(f"evidence that the answer does not cite: {_several(sorted(self.touched))}")
        found += [f"policy: {_several([c['name'] for c in self.policy])}"] if self.policy else []
        found += ["another version of the program"] if self.program else []
        return found or ["nothing that is known: the same evidence, policy and version must give the same answer; report this"]


def _answers(one: Mapping[str, Any], two: Mapping[str, Any], reasons: _Reasons) -> Iterator[dict[str, Any]]:
    before, after = ({a["question"]: a for a in e["answers"]} for e in (one, two))
    for question in dict.fromkeys((*before, *after)):
        if question not in before or question not in after:
            only = "before" if question in before else "after"
            yield {
                "question": question,
                "object": {**after, **before}[question]["object"],
                "only": only,
                "why": ["the case asks other questions"],
            }
            continue
        found = _answer(before[question], after[question])
        if found:
            items = [*_items(before[question]), *_items(after[question])]
            yield {"question": question, "object": after[question]["object"], **found, "why": reasons.why(items)}


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

_MOST = 25
"""lines of one list; the JSON has them all"""
_HEADINGS = {
    "evidence": "evidence (SHA-256)",
    "sources": "sources, as case.toml declares them and as they were read",
    "policy": "policy: the numbers behind the weights",
    "rules": "the examiner's own rules (SHA-256); they move no answer",
    "program": "program",
    "statements": "what was said, and what the records say of it",
    "causes": "causes, with their scores",
}
_LABELS = {
    "rung": "how far the records carry",
    "person": "who",
    "account": "account",
    "mechanism": "how",
    "support": "support",
    "candidates": "who could have",
    "flags": "what is odd",
    "missing": "records that would tell more",
}


def text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a comparison's lines."""
    one, two = found["examinations"]
    yield f"before: {one['time']}, {one['examiner']}, {one['tool']}"
    yield f"after:  {two['time']}, {two['examiner']}, {two['tool']}"
    if len(set(found["cases"])) > 1:
        yield f"These are examinations of two cases, {' and '.join(found['cases'])}: what differs says nothing about either."
    for name, heading in _HEADINGS.items():
        yield ""
        yield heading if found[name] else f"{heading}: nothing changed"
        pairs = _whole(found[name]) if name == "sources" else found[name]
        yield from _cut([f"  {c['name']}: {_moved(c['before'], c['after'])}" for c in pairs], "  ")
    yield ""
    yield f"answers: {len(found['answers']) or 'none'} changed"
    for answer in found["answers"]:
        yield ""
        yield f"  {answer['question']}  {answer['object']}"
        yield from (f"    can be put down to: {why}" for why in answer["why"])
        yield from _told(answer)


def _whole(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gather what is new or gone as a whole: of a source all that is told of it, in one line."""
    kept, gathered = [], dict[tuple[str, bool], list[str]]()
    for c in pairs:
        source, _, key = c["name"].rpartition(" ")
        if c["before"] is not None and c["after"] is not None:
            kept.append(c)
        else:
            gathered.setdefault((source, c["before"] is None), []).append(f"{key} {c['after'] or c['before'] or 'not stated'}")
    lines = ((name, new, ", ".join(told)) for (name, new), told in gathered.items())
    kept += [{"name": name, "before": None if new else told, "after": told if new else None} for name, new, told in lines]
    return sorted(kept, key=lambda c: str(c["name"]))


def _moved(before: str | None, after: str | None) -> str:
    if before is None:
        return f"new: {after}"
    return f"gone: {before}" if after is None else f"{before or 'not stated'}, now {after or 'not stated'}"


def _several(names: list[str]) -> str:
    return f"{', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}"


def _cut(lines: list[str], indent: str) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"{indent}and {len(lines) - _MOST} more (--format json has them all)"


def _told(answer: Mapping[str, Any]) -> Iterator[str]:
    if "only" in answer:
        yield f"    answered only {answer['only']}"
    for key in (k for k in _FIELDS if k in answer):
        before, after = (
            answer[key][side] or "nobody is named" if key == "person" else answer[key][side] or "none" for side in ("before", "after")
        )
        yield f"    {_LABELS[key]}: {before}, now {after}"
    for key in (k for k in _LISTS if k in answer):
        for word, names in (("no longer", answer[key]["gone"]), ("newly", answer[key]["come"])):
            joint = "; " if key == "missing" else ", "
            yield from [f"    {_LABELS[key]}, {word}: {joint.join(names)}"] if names else ()
    yield from _cut([f"    {c['name']}: {_weighs(c['before'], c['after'])}" for c in answer.get("records", ())], "    ")
    yield from _cut([f"    {line}" for line in _against(answer.get("ratios", ()))], "    ")


def _weighs(before: str | None, after: str | None) -> str:
    return (
        f"weighed {before} to 1, now {after} to 1"
        if before and after
        else f"weighs {after} to 1, new"
        if after
        else f"weighed {before} to 1, no longer there"
    )


def _against(ratios: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield how much likelier the leading explanation makes the records than others do; people for whom it is the same stand together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for c in ratios:
        who, _, how = c["name"].partition(" (")
        alike.setdefault((how.rstrip(")"), _moved(c["before"], c["after"])), []).append(who)
    for (how, moved), people in alike.items():
        yield f"against {', '.join(people)} ({how}): {moved}"
