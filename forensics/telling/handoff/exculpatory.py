"""What speaks for the accused: found by rule, shown in every view, and never withheld from one."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from forensics.errors import UsageError

_PROTECTED = re.compile(
    r"/answers/\d+/(against/\d+/(says|lr|tier|group|kind|rung)|alternatives/.*|missing.*|not_evaluated.*|candidates.*|rung|person|support|mechanism"
    r"|flags.*|flag_items/\d+/(flag|says|innocent.*)|ladder/\d+/(rung|reached|why)|summary)"
    r"|/statements/\d+/(id|verdict|why|(for|against)/\d+/(says|group|tier))"
    r"|/sources/\d+/(status|why_not|damage|gaps.*|rejected|bytes_rejected|clock_offset_s.*)"
)
"""values of the findings in which nothing but a third person's name may be replaced"""


def protected(document: str, pointer: str) -> bool:
    """Tell whether a value may speak for the accused."""
    return document == "data/findings.json" and _PROTECTED.fullmatch(pointer) is not None


def refuse(document: str, pointer: str) -> None:
    """Refuse to withhold what may speak for the accused; UsageError."""
    if protected(document, pointer):
        raise UsageError(
            "may speak for the accused, and is withheld from nobody",
            where=f"{document}#{pointer}",
            hint="names in it can be replaced: withhold the word",
        )


def speaking_for(findings: Mapping[str, Any], how: Callable[[str], str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (question, kind, sentences) of what speaks against an answer, or leaves it open; `how` says a mechanism in words."""
    for answer in findings["answers"]:
        about = answer["question"]
        yield about, "against", [item["says"] for item in answer["against"]]
        yield about, "alternatives", [_alternative(a, how) for a in answer["alternatives"] if a["lr"]["low"] < _CLEAR]
        yield about, "innocent", [text for f in answer.get("flag_items", ()) for text in f["innocent"]]
        yield about, "missing", list(answer["missing"])
        yield about, "not_evaluated", list(answer.get("not_evaluated", ()))
    for statement in findings["statements"]:
        if statement["verdict"] != "contradicted":
            yield (
                statement["id"],
                "statement",
                [statement["why"], *(i["says"] for i in statement.get("for", ()))],
            )
    gaps = [f"{s['name']}: {g['from']} – {g['to']}" for s in findings["sources"] for g in s["gaps"]]
    yield "", "gaps", gaps
    yield "", "unread", [f"{s['name']}: {s['why_not'] or s['damage']}" for s in findings["sources"] if s.get("why_not") or s.get("damage")]


_CLEAR = 10
"""below this low end an alternative is not clearly less supported (policy `naming.lowest` as shipped)"""


def _alternative(a: Mapping[str, Any], how: Callable[[str], str]) -> str:
    return f"{a['person'] or '-'} ({how(a['mechanism'])}): {a['lr']['low']:g} – {a['lr']['high']:g}"
