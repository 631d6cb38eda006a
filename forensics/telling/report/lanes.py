"""Every event of the window for the timeline that can be searched: columns of numbers, and each text once."""

import html
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report.names import Names
from forensics.telling.report.said import Said
from forensics.telling.report.showing import visible

MOST = 100_000
"""events that the page carries; of more, the most frequent kinds of acts stay in the tables, and are counted"""
LARGEST = 9_000_000
"""bytes of their columns and texts"""
TEXT = 160
"""characters of a text"""
_MS = 1_000_000
_KINDS = """
    SELECT action, count(*) AS n FROM events WHERE time >= $begin AND time < $until AND action IS NOT NULL GROUP BY action ORDER BY n, action
"""
_EVENTS = """
    SELECT e.id, e.time, r.time AS recorded, e.action, coalesce(e.actor, e.claimed) AS actor, e.actor IS NULL AND e.claimed IS NOT NULL AS claimed, e.object, e.host,
           e.source, e.file, e.start, e."end" - e.start AS size, e.locator
    FROM events e JOIN recorded r ON r.id = e.id
    WHERE e.time >= $begin AND e.time < $until AND (list_contains($actions, e.action) OR list_contains($marked, e.id)) ORDER BY e.time, e.id
"""
_HASHES = "SELECT source, file, any_value(sha256 ORDER BY sha256) AS sha256 FROM files GROUP BY ALL ORDER BY source, file"
_ALL = "SELECT count(*) AS n FROM events"


def lanes(
    tables: Tables,
    case: CaseConfig,
    names: Names,
    acts: Sequence[Mapping[str, Any]],
    words: Mapping[str, Said],
    places: Mapping[tuple[Any, ...], int] | None = None,
) -> tuple[Markup, list[tuple[str, int]]]:
    """Return the data as JSON that is safe within a page, and the kinds of acts that were left in the tables, with how many.

    `acts`: the marked ones, which are never left out. `places`: the number of every cited record by its place.
    """
    begin, until = case.window
    kinds = [(row["action"], row["n"]) for row in tables.rows(_KINDS, begin=begin, until=until)]
    kept, marked = _fitting(kinds, MOST), sorted({act["id"] for act in acts})
    while True:
        rows = tables.sql(_EVENTS, begin=begin, until=until, actions=[name for name, _ in kept], marked=marked)
        told = _told(rows, tables, case, names, acts) | {
            "words": _words(words),
            "zone": _offsets(case),
            "window": [begin // _MS, until // _MS],
        }
        told |= {"cited": _cited(rows, places or {}), "left": tables.rows(_ALL)[0]["n"] - rows.num_rows, "plain": not names.labels}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        if len(text.encode()) <= LARGEST or not kept:
            break
        kept = kept[:-1]
    carried = Counter(rows["action"].to_pylist())
    left = [(name, number - carried[name]) for name, number in kinds if number > carried[name]]
    return _safe(text), sorted(left, key=lambda pair: (-pair[1], pair[0]))


def _cited(rows: pa.Table, places: Mapping[tuple[Any, ...], int]) -> list[list[int]]:
    """Return (which row, number in the evidence index) of the events whose records the page cites."""
    columns = [rows[name].to_pylist() for name in ("source", "file", "start", "size", "locator")]
    found = []
    for n, (source, file, start, size, locator) in enumerate(zip(*columns, strict=True)):
        number = places.get((source, file, start, (start or 0) + (size or 0))) or places.get((source, locator))
        if number:
            found.append([n, number])
    return found


def _fitting(kinds: Sequence[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """Keep the rarest kinds of acts, as many as there is room for."""
    kept, total = [], 0
    for kind, number in kinds:
        total += number
        if total > most:
            break
        kept.append((kind, number))
    return kept


def _safe(text: str) -> Markup:
    """Escape what could end the element that the JSON stands in (https://html.spec.whatwg.org/#restrictions-for-contents-of-script-elements)."""
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no sign is left that HTML would read


class _Texts:
    """Each text once, made visible, and its number."""

    def __init__(self, names: Names) -> None:
        self.texts: list[str] = [""]
        self._names, self._known = names, {"": 0}

    def numbers(self, column: pa.ChunkedArray) -> list[int]:
        """Return the numbers of a column's texts; 0 where there is none."""
        coded = column.combine_chunks().dictionary_encode()
        found = [self.number(text) for text in coded.dictionary.to_pylist()]
        return [0 if place is None else found[place] for place in coded.indices.to_pylist()]

    def number(self, text: str | None) -> int:
        """Return a text's number."""
        text = text or ""
        if text not in self._known:
            self._known[text] = len(self.texts)
            self.texts.append(visible(self._names.hide(text), TEXT))
        return self._known[text]


def _told(rows: pa.Table, tables: Tables, case: CaseConfig, names: Names, acts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    texts = _Texts(names)
    moments = [time // _MS for time in rows["time"].to_pylist()]
    shifts = [(raw - time) // _MS for raw, time in zip(rows["recorded"].to_pylist(), rows["time"].to_pylist(), strict=True)]
    found: dict[str, Any] = {
        "hashes": _hashes(rows, tables, texts),
        "time": [after - before for before, after in zip([0, *moments], moments, strict=False)],
        "shift": shifts if any(shifts) else [],
        "start": [-1 if value is None else value for value in rows["start"].to_pylist()],
        "size": [-1 if value is None else value for value in rows["size"].to_pylist()],
        "claimed": [n for n, one in enumerate(rows["claimed"].to_pylist()) if one],
        "person": _holders(rows, case, names, texts),
    }
    for name in ("action", "actor", "object", "host", "source", "file", "locator"):
        found[name] = texts.numbers(rows[name])
    place = {event: n for n, event in enumerate(rows["id"].to_pylist())}
    found["acts"] = [
        [place[act["id"]], act["number"], act["kind"], [[names.hide(visible(question, 40)), note] for question, note in act["of"]]]
        for act in acts
        if act["id"] in place
    ]
    return found | {"texts": texts.texts}


def _hashes(rows: pa.Table, tables: Tables, texts: _Texts) -> list[list[int]]:
    """Return the (source, file, SHA-256) of the files that the rows come from, as numbers of texts."""
    wanted = {
        (row["source"], row["file"]) for row in rows.select(["source", "file"]).group_by(["source", "file"]).aggregate([]).to_pylist()
    }
    known = [row for row in tables.rows(_HASHES) if (row["source"], row["file"]) in wanted]
    return [[texts.number(row["source"]), texts.number(row["file"]), texts.number(row["sha256"])] for row in known]


def _holders(rows: pa.Table, case: CaseConfig, names: Names, texts: _Texts) -> list[int]:
    """Return whose the acting account was at that moment, by the registers; several people's as `*`, nobody's as nothing."""
    held = defaultdict(list)
    for one in case.identifiers:
        held[one.identifier].append(one)
    nobody, several = texts.number(""), texts.number("*")
    shown = {person.id: texts.number(names.who(person.id)) for person in sorted(case.people, key=lambda p: names.rank(p.id))}
    wanted = pc.is_in(rows["actor"], value_set=pa.array(sorted(held), pa.string())).to_pylist()
    found = [nobody] * rows.num_rows
    for n, (one, actor, time) in enumerate(zip(wanted, rows["actor"].to_pylist(), rows["time"].to_pylist(), strict=True)):
        if one:
            people = {i.person for i in held[actor] if i.live(time)}
            found[n] = shown.get(next(iter(people)), nobody) if len(people) == 1 else several if people else nobody
    return found


def _words(words: Mapping[str, Said]) -> dict[str, dict[str, str]]:
    return {language: {key: html.unescape(str(getattr(said, language))) for key, said in words.items()} for language in ("en", "zh")}


def _offsets(case: CaseConfig) -> list[list[int]]:
    """Return (from which millisecond on, offset in milliseconds) of the case's zone over the window, to the hour."""
    zone = times.zone(case.timezone)
    first, last = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=end // 1000)).replace(minute=0, second=0, microsecond=0)
        for end in case.window
    )
    found: list[list[int]] = []
    moment = first - timedelta(days=1)
    while moment <= last + timedelta(days=1):
        offset = int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds() * 1000)
        if not found or found[-1][1] != offset:
            found.append([int(moment.timestamp() * 1000), offset])
        moment += timedelta(hours=1)
    return found
