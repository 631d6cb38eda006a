"""The findings in a few lines, for whoever has just run the program."""

from collections.abc import Iterator, Mapping
from typing import Any

from forensics.telling.evidence_text import columns, shorten, visible

OBJECT = 48
"""columns for an object: a repository's name, both ends of a commit's id"""


def summary(findings: Mapping[str, Any]) -> list[str]:
    """Return the lines: answers, statements with their verdicts, sources with what was read of them."""
    case = findings["case"]
    lines = [visible(f"{case['id']}: {case.get('title', '')}".rstrip(": ")), ""]
    for block in (_answers(findings["answers"]), _statements(findings["statements"]), _sources(findings["sources"])):
        lines += [*block, ""] if block else []
    return lines[:-1]


def _answers(answers: list[Mapping[str, Any]]) -> list[str]:
    if not answers:
        return ["no question was asked, and nothing was found that sets harmed runs apart from healthy ones"]
    rows = [["question", "object", "rung", "who", "mechanism", "support", "flags"]]
    rows += [[shorten(visible(text), OBJECT) for text in _answer(answer)] for answer in answers]
    return columns(rows)


def _answer(answer: Mapping[str, Any]) -> Iterator[str]:
    yield answer["question"]
    yield answer["object"]
    yield answer["rung"]
    yield answer["person"] or _people(len(answer["candidates"]))
    yield answer["mechanism"]
    yield answer["support"]
    yield ", ".join(answer["flags"]) or "-"


def _people(count: int) -> str:
    return f"{count} candidate" + ("" if count == 1 else "s")


def _statements(statements: list[Mapping[str, Any]]) -> list[str]:
    if not statements:
        return []
    return columns([["statement", "verdict"], *([visible(s["id"]), visible(s["verdict"])] for s in statements)])


def _sources(sources: list[Mapping[str, Any]]) -> list[str]:
    rows = [["source", "kind", "records", "rejected", "gaps", "status"]]
    for source in sources:
        status = source.get("status", "read")
        if source.get("damage"):
            status += f": {source['damage']}"
        counts = [str(n) for n in (source["records"], source["rejected"], len(source["gaps"]))]
        rows.append([visible(source["name"]), visible(source["kind"]), *counts, shorten(visible(status), 2 * OBJECT)])
    nothing = [visible(s["name"]) for s in sources if s["rejected"] and not s["records"]]
    words = ["", f"nothing could be read of {', '.join(nothing)}: the report says why, line by line"] if nothing else []
    return [*columns(rows), *words]
