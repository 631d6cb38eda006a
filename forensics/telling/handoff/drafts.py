"""Drafts of statements for counsel, filled from the records as far as these go; what only people know stands in brackets."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from forensics.telling.handoff.kit import line
from forensics.telling.handoff.views import View
from forensics.telling.handoff.words import Words

_SILENCES = 3


class Asked(Protocol):
    """What a draft has to know of the request."""

    @property
    def view(self) -> View: ...  # noqa: D102 - as its name says

    @property
    def time(self) -> str: ...  # noqa: D102

    @property
    def examiner(self) -> str: ...  # noqa: D102

    @property
    def tool(self) -> str: ...  # noqa: D102

    @property
    def people(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def answer_by(self) -> str: ...  # noqa: D102


def drafts(documents: Mapping[str, Any], request: Asked, spoken: Words, head: str | None, root: str) -> dict[str, str]:
    """Return the drafts of a view by file name; `head` and `root` are the custody log's end and the root over all that was examined."""
    filled = _filled(documents, request, spoken, head) | {"case_root": root}
    made = {f"{name}.md": spoken.text(f"{name}.md", **filled) for name in request.view.drafts}
    if request.view.form:
        made["form.md"] = spoken.text("form.md", **filled)
    return made


def _filled(documents: Mapping[str, Any], request: Asked, spoken: Words, head: str | None) -> dict[str, str]:
    findings, mandate = documents["data/findings.json"], documents.get("data/mandate.json", {})
    acquired = documents.get("data/acquisition.json", [])
    sources = [_source(s, next((a for a in acquired if a["source"] == s["name"]), {}), spoken) for s in findings["sources"]]
    told = "; ".join(f"{key}: {line(value)}" for key, value in mandate.get("mandate", {}).items())
    return {
        "case": line(findings["case"]["id"]),
        "time": documents["data/rerun.json"]["time"] if "data/rerun.json" in documents else request.time,
        "made": request.time,
        "examiner": line(documents["data/rerun.json"]["examiner"] if "data/rerun.json" in documents else request.examiner),
        "tool": request.tool,
        "from": findings["case"]["from"],
        "to": findings["case"]["to"],
        "mandate": told or spoken.word("draft", "mandate_none"),
        "sources": "\n".join(spoken.word("draft", "item", **s) for s in sources),
        "systems": "\n".join(spoken.word("draft", "item", **s) for s in sources),
        "working": "\n".join(spoken.word("draft", "working", **s) for s in sources),
        "acquired": "\n".join(spoken.word("draft", "acquired", **_noted(a, spoken)) for a in acquired),
        "filled": "\n\n".join(
            "\n\n".join(spoken.word("china", key, **s) for key in ("source", *(f"f{n}" for n in range(1, 8)))) for s in sources
        ),
        "files": str(len(documents.get("data/originals.json", ()))),
        "entries": str(len(documents["data/custody.jsonl"])),
        "head": head or spoken.word("memo", "head_withheld"),
        "answers": "\n".join(_answers(findings, spoken, "answered")),
        "questions": "\n".join(_questions(findings, request.people, spoken)),
        "said": "\n".join(_said(findings, mandate, spoken)) or spoken.word("draft", "nothing_said"),
        "answer_by": line(request.answer_by) if request.answer_by else str(spoken.table["nobody_asked"]),
        "until": line(request.answer_by) if request.answer_by else spoken.word("draft", "no_date"),
    }


def _answers(findings: Mapping[str, Any], spoken: Words, how: str) -> Iterator[str]:
    for a in findings["answers"]:
        rung = spoken.word("rung", a["rung"])
        support = spoken.word("support", a["support"])
        yield spoken.word("draft", how, question=line(a["question"]), object=line(a["object"]), rung=rung, support=support)


def _questions(findings: Mapping[str, Any], people: Collection[str], spoken: Words) -> Iterator[str]:
    """Yield for each answer how it concerns the people that the form is for, and, where it may be about them, room to answer."""
    for a in findings["answers"]:
        how = "named" if a["person"] in people else "open" if set(a["candidates"]) & set(people) else "other"
        told = spoken.word("form", how)
        room = "" if how == "other" else spoken.word("form", "room")
        rung = spoken.word("rung", a["rung"])
        about = f"{line(a['about'])}\n\n" if a.get("about") else ""
        yield spoken.word(
            "form", "question", question=line(a["question"]), about=about, object=line(a["object"]), rung=rung, told=told, room=room
        )


def _said(findings: Mapping[str, Any], mandate: Mapping[str, Any], spoken: Words) -> Iterator[str]:
    verdicts = {s["id"]: s["verdict"] for s in findings["statements"]}
    for s in mandate.get("statements", ()):
        verdict = spoken.word("verdict", verdicts.get(s["id"], ""))
        yield spoken.word("draft", "said", id=line(s["id"]), by=line(s["by"]), text=line(s["text"]), verdict=verdict)


def _noted(acquired: Mapping[str, Any], spoken: Words) -> dict[str, object]:
    told = {**acquired, "bytes": f"{acquired['bytes']:,}"}
    return {key: line(value) if value not in (None, "") else spoken.word("draft", "not_noted") for key, value in told.items()}


def _source(source: Mapping[str, Any], acquired: Mapping[str, Any], spoken: Words) -> dict[str, object]:
    """Return what is known of one source, as texts."""
    gaps = [f"{g['from']} – {g['to']}" for g in source["gaps"]]
    silent = spoken.word("draft", "silences", list=", ".join(gaps[:_SILENCES]) + (" …" if len(gaps) > _SILENCES else ""))
    offset = source["clock_offset_s"]
    unknown = spoken.word("draft", "unknown")
    controllers = source.get("controllers")
    return {
        "name": line(source["name"]),
        "kind": source["kind"],
        "host": line(source.get("host") or unknown),
        "tier": source.get("tier", unknown),
        "records": f"{source['records']:,}",
        "rejected": source["rejected"],
        "first": source["first"] or unknown,
        "last": source["last"] or unknown,
        "silences": silent if gaps else spoken.word("draft", "no_silence"),
        "offset": f"{offset['low']:g} … {offset['high']:g} s" if offset else unknown,
        "damage": f"; {line(source['damage'])}" if source.get("damage") else "",
        "bytes": f"{source['bytes']:,}",
        "parsed": f"{source['bytes_parsed']:,}",
        "skipped": f"{source['bytes_skipped']:,}",
        "refused": f"{source['bytes_rejected']:,}",
        "controllers": ", ".join(line(c) for c in controllers) if controllers else unknown,
        **{key: line(acquired[key]) if acquired.get(key) else spoken.word("draft", "not_noted") for key in ("by", "at", "how")},
    }
