"""The memorandum: the examination in short, for paper. One HTML page without anything from elsewhere, which WeasyPrint turns into PDF/A."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from forensics.telling.evidence_text import visible
from forensics.telling.handoff.drafts import Asked
from forensics.telling.handoff.pseudonyms import OTHER
from forensics.telling.handoff.words import Words
from forensics.telling.report.showing import ratio

_MOST = 25
"""entries of one list; findings.json has them all"""
_STYLE = """
@page { size: A4; margin: 22mm 20mm; @bottom-center { content: counter(page) " / " counter(pages); font-size: 8pt; } }
body { font-family: FONT; font-size: 10pt; line-height: 1.4; overflow-wrap: anywhere; }
h1 { font-size: 17pt; } h2 { font-size: 12.5pt; border-bottom: 0.5pt solid; margin-top: 7mm; } h3 { font-size: 10.5pt; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: 1mm 2mm 1mm 0; border-bottom: 0.3pt solid #999; }
th { font-weight: bold; white-space: nowrap; } tr { break-inside: avoid; } ul { padding-left: 5mm; } .note { font-style: italic; }
"""


def memo(documents: Mapping[str, Any], request: Asked, spoken: Words, root: str) -> str:
    """Return the memorandum as one HTML page; whatever comes from evidence is made visible and escaped."""
    findings = documents["data/findings.json"]
    title = spoken.word("memo", "title")
    style = _STYLE.replace("FONT", str(spoken.table["font"]))
    body = "\n".join(
        part
        for several in (
            _head(documents, request, spoken),
            (p for a in findings["answers"] for p in _answer(a, documents, spoken)),
            _statements(findings, documents, spoken),
            _sources(findings, spoken),
            _integrity(documents, spoken, root),
        )
        for part in several
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{spoken.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="dcterms.created" content="{_text(request.time)}"><meta name="dcterms.modified" content="{_text(request.time)}">'
        f'<meta name="author" content="{_text(request.examiner)}"><style>{style}</style></head>\n<body>\n{body}\n</body></html>\n'
    )


def _text(value: object) -> str:
    return escape(visible(" ".join(str(value).split())))


def _table(rows: Iterable[Iterable[object]], heading: Iterable[object] = ()) -> str:
    top = "".join(f"<th>{_text(c)}</th>" for c in heading)
    lines = "".join("<tr>" + "".join(f"<td>{_text(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{lines}</table>"


def _list(sentences: Iterable[str], spoken: Words, nothing: str = "") -> str:
    every = [spoken.told(s) for s in sentences]
    over = len(every) - _MOST
    shown = [f"<li>{_text(s)}</li>" for s in every[:_MOST]]
    if over > 0:
        shown.append(f"<li>{_text(str(spoken.table['and_more']).replace('$count', str(over)))}</li>")
    return f"<ul>{''.join(shown)}</ul>" if shown else f"<p>{_text(nothing or spoken.table['none'])}</p>"


def _head(documents: Mapping[str, Any], request: Asked, spoken: Words) -> Iterator[str]:
    def word(key: str) -> str:
        return spoken.word("memo", key)

    findings, mandate = documents["data/findings.json"], documents.get("data/mandate.json", {})
    case = findings["case"]
    yield f"<h1>{word('title')}</h1>"
    yield _table([
        (word("for"), f"{request.view.name}: {spoken.word('view', request.view.name)}"),
        (word("case"), f"{case['id']} {case.get('title') or ''}"),
        (word("window"), f"{case['from']} – {case['to']}"),
        (word("made"), request.time),
        (word("examiner"), request.examiner),
        (word("tool"), request.tool),
    ])  # fmt: skip
    yield f'<p class="note">{word("blame_note")}</p>'
    yield f"<h2>{word('mandate')}</h2>"
    told = [f"{key}: {value}" for key, value in mandate.get("mandate", {}).items()]
    yield _list(told, spoken, word("no_mandate"))
    yield f"<h2>{word('asked')}</h2>"


def _people(documents: Mapping[str, Any]) -> dict[str, str]:
    """Return how to write each person: by name and id; whoever stands under another name by that id alone."""
    people = documents.get("data/people.json", ())
    return {p["id"]: p["id"] if p["name"] in ("", OTHER + p["id"].removeprefix("p-")) else f"{p['name']} ({p['id']})" for p in people}


def _answer(a: Mapping[str, Any], documents: Mapping[str, Any], spoken: Words) -> Iterator[str]:
    def word(key: str) -> str:
        return spoken.word("memo", key)

    people = _people(documents)
    yield f"<h3>{_text(a['question'])}: {_text(a['object'])}</h3>"
    if a.get("about"):
        yield f"<p>{_text(a['about'])}</p>"
    yield _table([
        (word("answer"), spoken.word("rung", a["rung"])),
        (word("account"), a["account"] or "–"),
        (word("person"), people.get(a["person"], a["person"]) if a["person"] else word("no_person")),
        (word("candidates"), ", ".join(people.get(c, c) for c in a["candidates"]) or "–"),
        (word("mechanism"), spoken.word("mechanism", a["mechanism"])),
        (word("support"), spoken.word("support", a["support"])),
    ])  # fmt: skip
    for key, side, nothing in (("speaks_for", "for", "nothing_for"), ("speaks_against", "against", "nothing_against")):
        items = [f"{spoken.told(i['says'])} ({i['tier']}, {ratio(i['lr'])} : 1)" for i in a[side]]
        yield f"<h3>{word(key)}</h3>" + _list(items, spoken, word(nothing))
    yield f"<h3>{word('innocent')}</h3>" + _list(
        [f"{spoken.told(f['says'])} – {', '.join(map(spoken.told, f['innocent']))}" for f in a.get("flag_items", ())], spoken
    )
    alike: dict[str, list[str]] = {}  # people for whom it is the same stand together
    for o in a["alternatives"]:
        alike.setdefault(f"{spoken.word('mechanism', o['mechanism'])}: {_range(o['lr'])}", []).append(
            people.get(o["person"], o["person"] or "–")
        )
    rows = [f"{how} – {', '.join(several)}" for how, several in alike.items()]
    yield f"<h3>{word('alternatives')}</h3>" + _list(rows, spoken)
    yield f'<p class="note">{word("ratio_note")}</p>'
    yield f"<h3>{word('missing')}</h3>" + _list(a["missing"], spoken)
    yield f"<h3>{word('limits')}</h3>" + _list(a.get("not_evaluated", ()), spoken)


def _range(lr: Mapping[str, float]) -> str:
    low, high = ratio(lr["low"]), ratio(lr["high"])
    return low if low == high else f"{low} – {high}"


def _statements(findings: Mapping[str, Any], documents: Mapping[str, Any], spoken: Words) -> Iterator[str]:
    made = {s["id"]: s for s in documents.get("data/mandate.json", {}).get("statements", ())}
    rows = []
    for s in findings["statements"]:
        said = made.get(s["id"], {})
        rows.append(
            f"{s['id']} {said.get('by', '')}: {said.get('text', '')} – {spoken.word('verdict', s['verdict'])}: {spoken.told(s['why'])}"
        )
    yield f"<h2>{spoken.word('memo', 'statements')}</h2>" + _list(rows, spoken)


def _sources(findings: Mapping[str, Any], spoken: Words) -> Iterator[str]:
    heading = [spoken.word("memo", key) for key in ("source", "tier", "records", "span", "silent")]
    rows = [
        (
            f"{s['name']} ({s['kind']})",
            s.get("tier", ""),
            f"{s['records']:,}",
            f"{s['first'] or '–'} – {s['last'] or '–'}",
            len(s["gaps"]) or "–",
        )
        for s in findings["sources"]
    ]
    yield f"<h2>{spoken.word('memo', 'sources')}</h2>" + _table(rows, heading)


def _integrity(documents: Mapping[str, Any], spoken: Words, root: str) -> Iterator[str]:
    head = documents["data/custody.jsonl"][-1]["hash"]
    entries = len(documents["data/custody.jsonl"])
    shown = head if "data/rerun.json" in documents else spoken.word("memo", "head_withheld")
    yield f"<h2>{spoken.word('memo', 'integrity')}</h2>"
    yield _table([
        (spoken.word("memo", "root"), root),
        (spoken.word("memo", "head"), f"{shown} ({entries})"),
        (spoken.word("memo", "by_hand"), "README.txt"),
    ])  # fmt: skip
