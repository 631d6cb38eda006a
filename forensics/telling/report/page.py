"""Puts the page together from findings, tables and templates; the only user of jinja2."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import forensics
from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report import paths, ratios, showing, supplied, words
from forensics.telling.report.answers import NAMED, Answer, People, answers
from forensics.telling.report.citing import Index, place
from forensics.telling.report.extra import Extra, Ref
from forensics.telling.report.timeline import Marks, timeline

REJECTS = 200
"""rejected rows that the page lists"""
FILES = 300
"""files of one source that the page lists"""
ACTS = 80
"""acts that the timeline numbers"""

_REJECTED = """
    SELECT r.source, r.file, r.start, r."end", r.reason, r.locator, f.sha256
    FROM rejected r LEFT JOIN (SELECT source, file, any_value(sha256 ORDER BY sha256) AS sha256 FROM files GROUP BY ALL) f USING (source, file)
    ORDER BY r.source, r.file, r.start, r."end", r.locator, r.reason LIMIT $most
"""
_FILES = """
    SELECT source, file, sha256, stored, damage FROM files
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY file) <= $most ORDER BY source, file
"""
_NAMED_ACTS = """
    SELECT id, action, time FROM events WHERE id IN (SELECT unnest($ids)) ORDER BY id
"""


def write(findings: Mapping[str, Any], tables: Tables, case: CaseConfig, extra: Extra) -> str:
    """Return the whole page as HTML text. The same arguments give the same text."""
    people = People({person.id: person.name for person in case.people})
    named = _act_names(findings, tables, case, people)
    told = answers(findings, case, people, named)
    rejected = tables.rows(_REJECTED, most=REJECTS)
    index = Index([*_cited(findings, told), *(("rejected", ref) for row in rejected if (ref := _rejected_ref(row)))])
    events = index.events(tables)
    acts, marks = _key_acts(told, index, events)
    css = _css(case.id)
    page = _environment(people, index, case.timezone, named).get_template("report.html")
    return page.render(
        css=Markup(css),  # noqa: S704 - our own stylesheet; the case's id is written in it as hexadecimal escapes
        policy_hash=_csp_hash(css),
        findings=findings,
        case=case,
        extra=extra,
        answers=told,
        statements=_statements(findings, case),
        acts=acts,
        timeline=timeline(case, tables, findings["sources"], marks),
        sources=[(source, _declared(case, source["name"])) for source in findings["sources"]],
        rejected=[(row, _rejected_ref(row)) for row in rejected],
        files=_files(tables),
        not_supplied=supplied.not_supplied(tables),
        policy=list(_flat(extra.policy)),
        entries=list(index.entries(events, extra.raw)),
        users={answer.anchor: answer.data["question"] for answer in told}
        | {f"statement-{n}": s["id"] for n, s in enumerate(findings["statements"], 1)}
        | {"rejected": "rejected records"},
        words=words,
        named=NAMED,
        bar_width=ratios.WIDTH,
        bar_height=ratios.HEIGHT,
    )


# --- templates and their law ------------------------------------------------------------------------------------


def _folder() -> Path:
    """Return where the templates lie: inside an installed package, beside it in a checkout."""
    package = Path(str(forensics.__file__)).parent
    inside = package / "_templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _css(case_id: str) -> str:
    """Return the stylesheet; the case's id stands in the printed header, each character as a hexadecimal escape."""
    text = (_folder() / "report.css").read_text(encoding="utf-8").replace("\r\n", "\n")
    shown = showing.visible(case_id, 80)
    return text.replace("CASE-ID", "".join(f"\\{ord(character):06x}" for character in shown))


def _csp_hash(css: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()


def _environment(people: People, index: Index, timezone: str, act_name: Callable[[str], str | None]) -> jinja2.Environment:
    """Everything that a template prints is made visible, then escaped; it can't be forgotten in one place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "visible": showing.visible,
        "sentence": _sentences(people),
        "who": people.who,
        "cites": index.runs,
        "called": act_name,
        "place": place,
        "count": showing.count,
        "amount": showing.amount,
        "ratio": showing.ratio,
        "interval": showing.interval,
        "local": lambda time: times.show_in(time, timezone),
        "utc": times.show,
        "elapsed": _elapsed,
    }
    return environment


def _finalize(value: object) -> object:
    return showing.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _sentences(people: People) -> Callable[[object], showing.Shown]:
    """Return a filter for sentences: people's names beside their ids, and room for more text than a piece of evidence gets."""
    known = {person: name for person, name in people.names.items() if name}
    pattern = (
        re.compile("|".join(rf"(?<![\w-]){re.escape(p)}(?![\w-])" for p in sorted(known, key=lambda p: (-len(p), p)))) if known else None
    )

    def sentence(value: object) -> showing.Shown:
        text = "" if value is None else str(value)
        if pattern is not None:
            text = pattern.sub(lambda found: found.group() if known[found.group()] in text else people.who(found.group()), text)
        return showing.visible(text, showing.SENTENCE)

    return sentence


def _elapsed(nanoseconds: int) -> str:
    """Write a span of time in its two largest units."""
    seconds = nanoseconds // times.SECOND
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "at once"


# --- what the page cites ----------------------------------------------------------------------------------------


def _cited(findings: Mapping[str, Any], told: Sequence[Answer]) -> Iterator[tuple[str, Ref]]:
    for answer in told:
        for ref in (*_weighed(answer), *(ref for edge in answer.edges for ref in edge["refs"])):
            yield answer.anchor, ref
    for number, statement in enumerate(findings["statements"], 1):
        refs = [*statement["evidence"], *(ref for side in ("for", "against") for item in statement.get(side) or () for ref in item["refs"])]
        for ref in refs:
            yield f"statement-{number}", ref


def _weighed(answer: Answer) -> Iterator[Ref]:
    """Yield the references of what was weighed, flagged, or made a rung: those that the timeline shows first."""
    for item in (*answer.data["for"], *answer.data["against"]):
        yield from item["refs"]
    for step in answer.ladder.steps:
        yield from step.refs
    for flag in answer.flags:
        yield from flag.refs


def _steps(answer: Answer, index: Index, events: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """List the evidence of a path up to its jobs, and of the first and the last act of those."""
    before = [n for edge in answer.edges if not _effect(edge) for n in index.numbers(edge["refs"])]
    after = [
        n for edge in answer.edges if _effect(edge) for n in index.numbers(edge["refs"]) if n in events and events[n]["time"] is not None
    ]
    after.sort(key=lambda n: (events[n]["time"], n))
    return [*before, *after[:1], *after[-1:]]


def _effect(edge: Mapping[str, Any]) -> bool:
    return any(paths.family(edge[end])[0] == "job" for end in ("src", "dst"))


def _key_acts(told: Sequence[Answer], index: Index, events: Mapping[int, Mapping[str, Any]]) -> tuple[list[dict[str, Any]], Marks]:
    """Return the acts that answers rest on, numbered in order of time, and which question rests on which.

    Where there are too many, what was weighed comes before what the path only passes.
    """
    weighed = [index.numbers(_weighed(answer)) for answer in told]
    passed = [_steps(answer, index, events) for answer in told]
    wanted = dict.fromkeys(n for group in (*weighed, *passed) for n in group if n in events and events[n]["time"] is not None)
    ordered = sorted(list(wanted)[:ACTS], key=lambda n: (events[n]["time"], n))
    acts = [dict(events[n]) | {"number": number, "entry": n} for number, n in enumerate(ordered, 1)]
    marks = []
    for answer, *groups in zip(told, weighed, passed, strict=True):
        rests = {n for group in groups for n in group}
        marks.append((answer.data["question"], [(act["number"], act["time"]) for act in acts if act["entry"] in rests]))
    return acts, marks


def _act_names(findings: Mapping[str, Any], tables: Tables, case: CaseConfig, people: People) -> Callable[[str], str | None]:
    """Return the words for a path's acts, which are named after the event that records them, and for people."""
    ends = {edge[end] for answer in findings["answers"] for edge in answer.get("path") or () for end in ("src", "dst")}
    ids = sorted(int(end[6:]) for end in ends if re.fullmatch(r"event:\d{1,18}", end, re.ASCII))
    rows = tables.rows(_NAMED_ACTS, ids=ids) if ids else []
    names = {f"event:{row['id']}": _act_name(row, case.timezone) for row in rows}

    def name(reference: str) -> str | None:
        return people.who(reference) if reference in people.names else names.get(reference)

    return name


def _act_name(row: Mapping[str, Any], timezone: str) -> str:
    when = times.show_in(row["time"], timezone)[5:16] if row["time"] is not None else "no time"
    return f"{row['action']} {when}"


# --- the rest of the page's matter ------------------------------------------------------------------------------


def _statements(findings: Mapping[str, Any], case: CaseConfig) -> list[dict[str, Any]]:
    made = {statement.id: statement for statement in case.statements}
    return [{"anchor": f"statement-{n}", "data": data, "made": made.get(data["id"])} for n, data in enumerate(findings["statements"], 1)]


def _declared(case: CaseConfig, name: str) -> object:
    return next((source for source in case.sources if source.name == name), None)


def _rejected_ref(row: Mapping[str, Any]) -> Ref | None:
    if not row["sha256"]:
        return None
    ref = {"source": row["source"], "sha256": row["sha256"], "locator": row["locator"] or f"bytes={row['start']}-{row['end']}"}
    return ref | ({"path": row["file"]} if row["file"] else {})


def _files(tables: Tables) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Return (source, files in all, the first of them)."""
    totals = tables.rows("SELECT source, count(*) AS files FROM files GROUP BY source ORDER BY source")
    rows = tables.rows(_FILES, most=FILES)
    return [(total["source"], total["files"], [row for row in rows if row["source"] == total["source"]]) for total in totals]


def _flat(policy: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield every number of the policy with its full name, sorted."""
    for key in sorted(policy, key=str):
        name = f"{above}.{key}" if above else str(key)
        value = policy[key]
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, ", ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)
