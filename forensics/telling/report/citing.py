"""Numbers every reference that the page uses, finds the event behind it, and fetches its bytes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.tables import Tables
from forensics.telling.report.extra import Ref
from forensics.telling.report.showing import Shown, raw_text

MOST = 2048
"""bytes of a record that are shown"""
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
    SELECT n, id, time, action, actor, object, target, outcome, claimed, device, ip, credential FROM found ORDER BY n, id
"""


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

    @property
    def anchor(self) -> str:
        """Return the id of its row."""
        return f"e{self.number}"


class Index:
    """Every reference of the page, sorted by place and numbered from 1."""

    def __init__(self, cited: Iterable[tuple[str, Ref]]) -> None:
        refs: dict[Key, Ref] = {}
        users: dict[Key, list[str]] = {}
        for user, ref in cited:
            key = _key(ref)
            refs.setdefault(key, ref)
            if user not in users.setdefault(key, []):
                users[key].append(user)
        self._keys = sorted(refs)
        self._refs, self._users = refs, users
        self._numbers = {key: number for number, key in enumerate(self._keys, 1)}

    def number(self, ref: Ref) -> int:
        """Return a reference's number; KeyError where the page did not announce it."""
        return self._numbers[_key(ref)]

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

    def entries(self, events: Mapping[int, Mapping[str, Any]], raw: Callable[[Ref], bytes | None]) -> Iterator[Entry]:
        """Yield the rows of the index, fetching each record's bytes once."""
        for key, number in self._numbers.items():
            data = raw(self._refs[key])
            first, last = key[2]
            size = last - first if first >= 0 else None if data is None else len(data)
            shown = None if data is None else raw_text(data[:MOST])
            cut = 0 if data is None else max(0, max(size or 0, len(data)) - min(len(data), MOST))
            yield Entry(number, self._refs[key], events.get(number), shown, size, cut, tuple(sorted(self._users[key])))


def _key(ref: Ref) -> Key:
    found = _BYTES.fullmatch(ref["locator"])
    span = (int(found.group(1)), int(found.group(2))) if found else (-1, -1)
    return ref["source"], ref.get("path") or "", span, ref["locator"], ref["sha256"]


def place(ref: Ref) -> str:
    """Write a reference as the contract does: `<source>/<path>#<locator>`."""
    path = f"/{ref['path']}" if ref.get("path") else ""
    return f"{ref['source']}{path}#{ref['locator']}"
