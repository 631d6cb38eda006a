"""Numbers every reference that the page uses, finds the event behind it, and fetches its bytes."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.tables import Tables
from forensics.telling.report.extra import Ref
from forensics.telling.report.showing import Shown, raw_text

MOST = 2048
"""bytes of a record that are shown"""
EDGES = 200
"""links of a path that the table lists; the drawing condenses all of them"""
HITS = 60
"""lines that rules point at, and new parts of a checkpoint, that the page lists"""
REJECTS = 200
"""rejected rows that the page lists"""
Key = tuple[str, str, tuple[int, int], str, str]

_BYTES = re.compile(r"bytes=(\d{1,18})-(\d{1,18})", re.ASCII)
_EVENTS = """
    WITH asked AS (
        SELECT unnest($n) AS n, unnest($source) AS source, unnest($file) AS file, unnest($first) AS first, unnest($last) AS last,
               unnest($locator) AS locator
    ),
    found AS (
        SELECT a.n, e.* FROM asked a JOIN events e ON e.source = a.source AND e.file = a.file AND e.start = a.first AND e."end" = a.last
        UNION ALL
        SELECT a.n, e.* FROM asked a JOIN events e ON e.source = a.source AND e.locator = a.locator AND (e.file = a.file OR starts_with(a.locator, 'git='))
    )
    SELECT f.n, f.id, f.time, r.time AS recorded, f.action, f.actor, f.object, f.target, f.outcome, f.claimed, f.device, f.ip, f.credential
    FROM found f JOIN recorded r ON r.id = f.id ORDER BY f.n, f.id
"""
_REJECTED = """
    SELECT r.source, r.file, r.start, r."end", r.reason, r.locator, f.sha256
    FROM rejected r LEFT JOIN (SELECT source, file, any_value(sha256 ORDER BY sha256) AS sha256 FROM files GROUP BY ALL) f USING (source, file)
    ORDER BY r.source, r.file, r.start, r."end", r.locator, r.reason LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Cited:
    """A reference, and the anchor of the part that cites it."""

    by: str
    ref: Ref
    folded: bool = False
    """whether it is cited where paper does not show it: in the table of a path's links"""


def cited(findings: Mapping[str, Any], tables: Tables) -> Iterator[Cited]:
    """Yield every reference of the page, with the part that cites it."""
    for number, answer in enumerate(findings["answers"], 1):
        yield from _by_answer(f"answer-{number}", answer)
    for number, statement in enumerate(findings["statements"], 1):
        for ref in (*statement["evidence"], *_items(statement, ("for", "against"))):
            yield Cited(f"statement-{number}", ref)
    for cause in findings["causes"]:
        for ref in cause.get("refs") or ():
            yield Cited("causes", ref)
    for row in rejected(tables):
        if ref := rejected_ref(row):
            yield Cited("rejected", ref)


def _by_answer(anchor: str, answer: Mapping[str, Any]) -> Iterator[Cited]:
    beside = (answer.get("controls"), (answer.get("code") or ())[:HITS], _within_lineage(answer.get("lineage")))
    for ref in (*weighed(answer), *_within(beside)):
        yield Cited(anchor, ref)
    for edge in (answer.get("path") or ())[:EDGES]:
        yield from (Cited(anchor, ref, folded=True) for ref in edge["refs"])


def _within_lineage(lineage: Mapping[str, Any] | None) -> object:
    return (lineage["refs"], lineage["new"][:HITS]) if lineage else ()


def weighed(answer: Mapping[str, Any]) -> Iterator[Ref]:
    """Yield the references of what was weighed, flagged, or made a rung: those that the timeline shows first."""
    yield from _items(answer, ("for", "against", "neutral"))
    for part in (*(answer.get("ladder") or ()), *(answer.get("flag_items") or ())):
        yield from part.get("refs") or ()


def _items(of: Mapping[str, Any], sides: Sequence[str]) -> Iterator[Ref]:
    for side in sides:
        for item in of.get(side) or ():
            yield from item["refs"]


def _within(value: object) -> Iterator[Ref]:
    """Yield the references anywhere within a part of the findings."""
    if isinstance(value, Mapping):
        if "locator" in value:
            yield dict(value)
        else:
            for key in sorted(value):
                yield from _within(value[key])
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _within(part)


def alike(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return items with those as one that say the same, of the same group and weight, with the records of all of them."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        key = item["says"], item["group"], item["tier"], item.get("lr"), item.get("rung")
        first = found.setdefault(key, {**item, "refs": []})
        first["refs"] += [ref for ref in item["refs"] if ref not in first["refs"]]
    return list(found.values())


def rejected(tables: Tables) -> list[dict[str, Any]]:
    """Return the first rejected rows, in order of place."""
    return tables.rows(_REJECTED, most=REJECTS)


def rejected_ref(row: Mapping[str, Any]) -> Ref | None:
    """Return a rejected row's reference; None where the file's hash is not known."""
    if not row["sha256"]:
        return None
    ref = {"source": row["source"], "sha256": row["sha256"], "locator": row["locator"] or f"bytes={row['start']}-{row['end']}"}
    return ref | ({"path": row["file"]} if row["file"] else {})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the evidence index."""

    number: int
    ref: Ref
    event: Mapping[str, Any] | None
    """the first event that was read from these bytes"""
    raw: Shown | None
    size: int | None
    """bytes of the whole record, where known"""
    cut: int
    """bytes that are not shown"""
    used: tuple[str, ...]
    """ids of the questions and statements that cite it"""
    folded: bool
    """whether paper leaves it out, since nothing that is printed cites it"""

    @property
    def anchor(self) -> str:
        """Return the id of its row."""
        return f"e{self.number}"


class Index:
    """Every reference of the page, sorted by place and numbered from 1."""

    def __init__(self, cited: Iterable[Cited]) -> None:
        refs: dict[Key, Ref] = {}
        users: dict[Key, list[str]] = {}
        printed: set[Key] = set()
        for one in cited:
            key = _key(one.ref)
            refs.setdefault(key, one.ref)
            if one.by not in users.setdefault(key, []):
                users[key].append(one.by)
            if not one.folded:
                printed.add(key)
        self._keys = sorted(refs)
        self._refs, self._users, self._printed = refs, users, printed
        self._numbers = {key: number for number, key in enumerate(self._keys, 1)}

    def number(self, ref: Ref) -> int:
        """Return a reference's number; KeyError where the page did not announce it."""
        return self._numbers[_key(ref)]

    def ref(self, number: int) -> Ref:
        """Return the reference of a number."""
        return self._refs[self._keys[number - 1]]

    def numbers(self, refs: Iterable[Ref]) -> list[int]:
        """Return the numbers of several references, each once, in order."""
        return sorted({self.number(ref) for ref in refs})

    def runs(self, refs: Iterable[Ref]) -> list[tuple[int, int]]:
        """Return the numbers of several references as (first, last) of each run; a run of two stays two."""
        runs: list[tuple[int, int]] = []
        for number in self.numbers(refs):
            if runs and runs[-1][1] == number - 1:
                runs[-1] = (runs[-1][0], number)
            else:
                runs.append((number, number))
        return [part for first, last in runs for part in ([(first, first), (last, last)] if last == first + 1 else [(first, last)])]

    def ordered(self, refs: Iterable[Ref]) -> list[tuple[int, int]]:
        """Return the numbers of several references in the order given, as `runs` does: what bears a sentence comes first."""
        return [(number, number) for number in dict.fromkeys(self.number(ref) for ref in refs)]

    def places(self) -> dict[tuple[str, str, int, int] | tuple[str, str], int]:
        """Return the numbers by (source, file, first byte, end), or by (source, locator) where that is no range of bytes."""
        return {(key[:2] + key[2]) if key[2][0] >= 0 else (key[0], key[3]): number for key, number in self._numbers.items()}

    def refs(self) -> Iterator[Ref]:
        """Yield every reference once, in order."""
        for key in self._keys:
            yield self._refs[key]

    def events(self, tables: Tables) -> dict[int, Mapping[str, Any]]:
        """Return the first event of each reference, by its number."""
        if not self._keys:
            return {}
        asked = [(number, key[0], key[1], *key[2], key[3]) for key, number in self._numbers.items()]
        columns = zip(*asked, strict=True)
        names = ("n", "source", "file", "first", "last", "locator")
        rows = tables.rows(_EVENTS, **{name: list(column) for name, column in zip(names, columns, strict=True)})
        found: dict[int, Mapping[str, Any]] = {}
        for row in rows:
            found.setdefault(row["n"], row)
        return found

    def entries(
        self,
        events: Mapping[int, Mapping[str, Any]],
        quote: Callable[[Ref], tuple[bytes, int] | None],
        hide: Callable[[str], str],
        acts: Collection[int] = (),
    ) -> Iterator[Entry]:
        """Yield the rows of the index; `quote` gives a record's first bytes and the size of the whole, `acts` the numbers that the table of acts cites."""
        for key, number in self._numbers.items():
            found = quote(self._refs[key])
            first, last = key[2]
            size = last - first if first >= 0 else None if found is None else found[1]
            shown = None if found is None else raw_text(found[0][:MOST], hide)
            cut = 0 if found is None else max(0, max(size or 0, found[1]) - min(len(found[0]), MOST))
            yield Entry(
                number,
                self._refs[key],
                events.get(number),
                shown,
                size,
                cut,
                tuple(sorted(self._users[key])),
                key not in self._printed and number not in acts,
            )


def _key(ref: Ref) -> Key:
    found = _BYTES.fullmatch(ref["locator"])
    span = (int(found.group(1)), int(found.group(2))) if found else (-1, -1)
    return ref["source"], ref.get("path") or "", span, ref["locator"], ref["sha256"]


def place(ref: Ref) -> str:
    """Write a reference as the contract does: `<source>/<path>#<locator>`."""
    path = f"/{ref['path']}" if ref.get("path") else ""
    return f"{ref['source']}{path}#{ref['locator']}"
