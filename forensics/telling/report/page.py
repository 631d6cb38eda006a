"""Puts the page together from findings, tables and templates; the only user of jinja2."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import forensics
from forensics import link, times
from forensics.errors import RecordError
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report import acts, annex, apart, coverage, curves, lanes, marks, quoting, ratios, showing, sums, supplied, words
from forensics.telling.report.answers import NAMED, SETTLING, answers
from forensics.telling.report.citing import HITS, Index, alike, cited, place, rejected, rejected_ref
from forensics.telling.report.extra import Extra, Ref
from forensics.telling.report.first import First
from forensics.telling.report.kept import quotes
from forensics.telling.report.names import Names
from forensics.telling.report.said import LANGUAGES, TAGS, Said, Voice, catalog
from forensics.telling.report.timeline import BROAD, NARROW, timeline

FILES = 300
"""files of one source that the page lists"""

_FILES = """
    SELECT source, file, sha256, stored, damage FROM files
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY file) <= $most ORDER BY source, file
"""
_TITLES = """
    SELECT object, any_value(json_extract_string(attrs, '$.subject') ORDER BY id) AS title FROM events
    WHERE action = 'code.commit' AND list_contains($objects, object) AND json_extract_string(attrs, '$.subject') <> '' GROUP BY object ORDER BY object
"""
_MERGES = """
    SELECT id FROM events WHERE action = 'code.commit' AND object = $merge
    AND json_extract_string(attrs, '$.parents[1]') = $sha LIMIT 1
"""
_DIFFS = "SELECT object, path, text, cut FROM diffs ORDER BY object, path"


def render(
    findings: Mapping[str, Any],
    tables: Tables,
    case: CaseConfig,
    extra: Extra,
    language: str = "en",
    labels: Mapping[str, str] | None = None,
) -> str:
    """Return the whole page as HTML text. The same arguments give the same text.

    `language`: which of the two is shown first (`en`, `zh`). `labels`: text -> what is shown instead of it, wherever it stands (people's ids and names,
    accounts); where there are any, no other name is shown.
    """
    words_of_ours = catalog(_folder() / "words" / "zh.po")
    ours = "\n".join(f"{entry.id} {entry.string}" for entry in words_of_ours) if labels else ""
    names = Names({person.id: person.name for person in case.people}, labels or {}, ours)
    voice = Voice(words_of_ours, case.timezone, names)
    index = Index(cited(findings, tables))
    events = index.events(tables)
    called = acts.called(findings, tables, case, names)
    claimed = acts.claims(findings, tables)

    def records(refs: Iterable[Ref]) -> Sequence[Mapping[str, Any]]:
        return [events[number] for number in index.numbers(refs) if number in events]

    first = First(voice, names, case, extra.policy, records, extra.time)
    told = answers(findings, case, extra.policy, voice, names, called, claimed, first)
    rows, marked, unnumbered = marks.key_acts(told, index, events, case)
    css, script = _css(names.hide(case.id)), _script()
    spoken = {key: voice.say(text, number="{number}", shown="{shown}", left="{left}") for key, text in words.EXPLORE.items()}
    every, left_out = lanes.lanes(tables, case, names, rows, spoken, index.places())
    environment = _environment(voice, names, index, called)
    far = apart.Apart(index, events, apart.clocks(findings["sources"]), voice)
    environment.globals |= {"apart": far.nearest, "since": far.since}
    page = environment.get_template("report.html")
    text = page.render(
        css=Markup(css),  # noqa: S704 - our own stylesheet; the case's id is written in it as hexadecimal escapes
        csp=_policy(css, script),
        script=Markup(script),  # noqa: S704 - our own
        events=every,
        left_out=left_out,
        first=language,
        languages=LANGUAGES,
        tags=TAGS,
        findings=findings,
        case=case,
        extra=extra,
        answers=told,
        statements=_statements(findings, case, claimed),
        warning=first.warning(person for answer in told for person in answer.people),
        made_early=_early(extra.time, case),
        kinds=_kinds(tables, findings, voice),
        merged=_merged(tables, findings["causes"]),
        curves=curves.draw(tables, case, findings["causes"]),
        diffs=_diffs(tables, findings),
        HITS=HITS,
        acts=rows,
        acts_left=unnumbered,
        timelines=[timeline(case, tables, findings["sources"], marked, voice, layout) for layout in (BROAD, NARROW)],
        sources=[(source, _declared(case, source["name"])) for source in findings["sources"]],
        rejected=[(row, rejected_ref(row)) for row in rejected(tables)],
        files=_files(tables),
        covering=coverage.coverage(findings),
        not_supplied=supplied.not_supplied(tables),
        objections=annex.objections(findings, told, case, extra.custody, voice),
        classes=annex.classes(),
        reasonings=annex.reasonings(findings, voice),
        rules={rule.name: voice.told(rule.says) for rule in link.rules()},
        policy=list(_flat(extra.policy)),
        entries=list(index.entries(events, _quote(tables, extra), names.hide, {act["entry"] for act in rows})),
        users={answer.anchor: answer.data["question"] for answer in told}
        | {f"statement-{n}": s["id"] for n, s in enumerate(findings["statements"], 1)}
        | {"rejected": voice.say("rejected records"), "causes": voice.say("Likely causes")},
        words=words,
        named=NAMED,
        settling=SETTLING,
        bar_width=ratios.WIDTH,
        bar_height=ratios.HEIGHT,
        chart=curves,
        hidden=bool(labels),
    )
    return _SPACE.sub(r" \1", text)


_SPACE = re.compile(r'(</span><span class="zh" lang="zh-Hans">[^<>]*[。；：，！？）]</span>(?:</b>|</a>)?) +(?=<)')
"""a space between two sentences that stand in both languages: Chinese has none, so it goes to the English one"""


def _quote(tables: Tables, extra: Extra) -> Callable[[Ref], tuple[bytes, int] | None]:
    if extra.raw is None:
        return quotes(tables)
    raw = extra.raw

    def whole(ref: Ref) -> tuple[bytes, int] | None:
        data = raw(ref)
        return None if data is None else (data, len(data))

    return whole


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


def _script() -> str:
    """Return the built script of the timeline (its source is in templates/timeline)."""
    return (_folder() / "timeline.js").read_text(encoding="utf-8").replace("\r\n", "\n")


def _policy(css: str, script: str) -> str:
    """Return the page's law: its own stylesheet and script, and nothing else; no text ever becomes HTML or code."""
    return (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(script)}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment(voice: Voice, names: Names, index: Index, called: Callable[[str], str]) -> jinja2.Environment:
    """Everything that a template prints is made visible, then escaped; it can't be forgotten in one place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: voice.shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.globals |= {
        "t": voice.say,
        "n": voice.count,
        "head": lambda text: _head(voice.say(text)),
        "joined": voice.joined,
        "sentences": voice.sentences,
    }
    environment.filters |= {
        "visible": lambda value, limit=showing.LONGEST: value if isinstance(value, Said) else voice.shown(value, limit),
        "told": voice.told,
        "drawn": lambda said: said.within("tspan") if isinstance(said, Said) and said.en != said.zh else said,
        "who": names.who,
        "party": lambda by: voice.say(words.PARTIES[by]) if by in words.PARTIES else names.who(by),
        "cites": index.runs,
        "bears": index.ordered,
        "original": lambda text, limit=600, tag="q": quoting.original(text, voice, limit, tag),
        "titled": lambda text: quoting.titled(text, voice),
        "abroad": quoting.abroad,
        "called": called,
        "place": lambda ref: names.hide(place(ref)),
        "count": showing.count,
        "amount": showing.amount,
        "ratio": showing.ratio,
        "interval": lambda pair: (
            voice.say("{from} to {until}", **{"from": showing.amount(pair["low"]), "until": showing.amount(pair["high"])})
            if showing.amount(pair["low"]) != showing.amount(pair["high"])
            else showing.amount(pair["low"])
        ),
        "moment": voice.moment,
        "stamp": voice.stamp,
        "day": voice.day,
        "utc": times.show,
        "elapsed": lambda time: apart.elapsed(time, voice),
        "counted": lambda kinds: [
            voice.say("{number} {kind}", number=number, kind=voice.say(words.CONSIDERED[kind]) if kind in words.CONSIDERED else kind)
            for kind, number in kinds.items()
        ],
        "numbered": lambda kinds: [f"{kind} ({showing.count(number)})" for kind, number in kinds],
        "both": lambda said: Markup("{0} / {1}").format(said.en, said.zh) if said.en != said.zh else said.en,
        "slug": lambda name: re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-"),
        "clauses": voice.clauses,
        "alike": alike,
        "grouped": lambda name: sums.group(str(name), voice),
        "varied": lambda factor: _varied(factor, voice),
        "heading": _head,
    }
    return environment


def _head(said: Said) -> Markup:
    """Return the attributes that bear a column's head where a table is stacked on a narrow screen."""
    return Markup('data-en="{0}" data-zh="{1}"').format(said.en, said.zh)


def _varied(factor: float, voice: Voice) -> Said:
    """Say by how much the chance that a record is wrong was varied."""
    if factor == 1:
        return voice.say("as set")
    if factor > 1:
        return voice.say("{number} times as likely wrong", number=showing.amount(factor))
    return voice.say("1/{number} as likely wrong", number=showing.amount(1 / factor))


# --- the rest of the page's matter ------------------------------------------------------------------------------


def _statements(findings: Mapping[str, Any], case: CaseConfig, claimed: Mapping[str, acts.Claim]) -> list[dict[str, Any]]:
    """Return the statements; `elsewhere`: it is supported only in that the act is tied to somebody else; `bears`: whether the commit bears the speaker's name."""
    made = {statement.id: statement for statement in case.statements}
    named = {(one.identifier, one.person) for one in case.identifiers}
    asked = {a["question"]: claimed[a["object"]].author if a["object"] in claimed else None for a in findings["answers"]}
    found = []
    for number, data in enumerate(findings["statements"], 1):
        one = made.get(data["id"])
        elsewhere = bool(one and one.test == "not-me" and data["verdict"] == "supported")
        authors = [author for question, author in asked.items() if one and (not one.question or one.question == question)]
        bears = elsewhere and any((author, one.by) in named for author in authors if one)
        found.append({"anchor": f"statement-{number}", "data": data, "made": one, "elsewhere": elsewhere, "bears": bears})
    return found


def _merged(tables: Tables, causes: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the first cause is the merge that brought the second in, with the same score."""
    if len(causes) < 2 or causes[0]["score"] != causes[1]["score"]:
        return False
    sha = str(causes[1]["object"]).rpartition("@")[2]
    return bool(tables.rows(_MERGES, merge=causes[0]["object"], sha=sha))


def _early(made: str, case: CaseConfig) -> bool:
    """Tell whether the time of making lies before the end of the window."""
    try:
        return bool(made) and times.parse(made)[0] < case.window[1]
    except RecordError:
        return False


def _kinds(tables: Tables, findings: Mapping[str, Any], voice: Voice) -> dict[str, Said]:
    """Say of each commit in question how many lines it changes, and the title that its maker gave it."""
    texts: dict[str, list[str]] = {}
    for row in tables.rows(_DIFFS):
        if row["text"] is not None and not row["cut"]:
            texts.setdefault(row["object"], []).extend(line[:1] for line in row["text"].split("\n"))
    asked = sorted(texts.keys() & {answer["object"] for answer in findings["answers"]})
    titles = {row["object"]: row["title"] for row in tables.rows(_TITLES, objects=asked)} if asked else {}
    found = {}
    for name in asked:
        added, removed = texts[name].count("+"), texts[name].count("-")
        title = titles.get(name)
        found[name] = (
            voice.say(
                "Lines added: {added}, removed: {removed}; its maker titled it “{title}”.",
                added=added,
                removed=removed,
                title=quoting.original(title, voice, 80, "span"),
            )
            if title
            else voice.say("Lines added: {added}, removed: {removed}.", added=added, removed=removed)
        )
    return found


def _declared(case: CaseConfig, name: str) -> object:
    return next((source for source in case.sources if source.name == name), None)


def _diffs(tables: Tables, findings: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the changed files of each commit in question, their lines told apart by what became of them, and by whether a rule points at them."""
    found: dict[str, list[dict[str, Any]]] = {}
    hits = {
        (answer["object"], hit["path"], hit["side"], line)
        for answer in findings["answers"]
        for hit in answer.get("code") or ()
        for line in range(hit["line"], min(hit["to"], hit["line"] + 200) + 1)
    }
    for row in tables.rows(_DIFFS):
        found.setdefault(row["object"], []).append(row | {"lines": list(_pointed(row, hits))})
    return found


def _pointed(row: Mapping[str, Any], hits: set[tuple[str, str, str, int]]) -> Iterator[tuple[str, str, bool]]:
    """Yield a diff's lines with what became of each; lines are counted as the diff's heads say."""
    old = new = 0
    for line in row["text"].split("\n") if row["text"] is not None else ():
        kind = _CLASSES.get(line[:1], "same")
        if kind == "where" and (head := _HUNK.match(line)):
            old, new = int(head[1]), int(head[2])
            yield kind, line, False
            continue
        yield kind, line, (row["object"], row["path"], kind, old if kind == "removed" else new) in hits
        old, new = old + (kind != "added"), new + (kind != "removed")


_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)", re.ASCII)
_CLASSES = {"+": "added", "-": "removed", "@": "where"}


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
