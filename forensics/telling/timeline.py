"""The events of an examination, in order of time, by what is asked of them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from forensics.tables import Tables
from forensics.telling.export import COLUMNS

REF = "e.source || CASE WHEN e.file <> '' THEN '/' || e.file ELSE '' END || '#' || coalesce(e.locator, 'bytes=' || e.start || '-' || e.\"end\")"
"""SQL for an event's reference as text: `<source>/<path>#<locator>`"""

_COLUMNS = ", ".join(
    {"ref": f"{REF} AS ref", "sha256": "coalesce(e.sha256, f.sha256) AS sha256"}.get(name, f'e."{name}"') for name in COLUMNS.names
)
_FILES = "(SELECT source, file, any_value(sha256 ORDER BY sha256) AS sha256 FROM files GROUP BY source, file)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for. Several values of one kind: any of them; several kinds: all of them. `*` stands for anything."""

    since: int | None = None
    until: int | None = None
    """first and last nanosecond; with either, events without a time are left out"""
    actors: tuple[str, ...] = ()
    """accounts that acted, or that a record claims"""
    objects: tuple[str, ...] = ()
    """what was acted upon, set, or replaced"""
    actions: tuple[str, ...] = ()
    """a word of the list, or its beginning up to a dot: `session` finds `session.vpn.open`"""
    sources: tuple[str, ...] = ()


_LOOKED_AT = {"actors": ("actor", "claimed"), "objects": ("object", "target", "prior"), "actions": ("action",), "sources": ("source",)}

# A forge's push record names a project by number; the table of pushes says which repository that is.
_PUSHED = """e.id IN (
    SELECT event FROM pushes WHERE 'git:' || repo || '@' || after LIKE ${name} ESCAPE '\\'
        OR 'git:' || repo || '@' || before LIKE ${name} ESCAPE '\\' OR 'git:' || repo || '#' || ref LIKE ${name} ESCAPE '\\'
)"""


def count(tables: Tables, wanted: Wanted) -> int:
    """Count the events that are asked for."""
    where, values = _condition(wanted)
    return int(tables.rows(f"SELECT count(*) AS n FROM events e WHERE {where}", **values)[0]["n"])  # noqa: S608 - text of ours alone


def untimed(tables: Tables, wanted: Wanted) -> int:
    """Count those among them that bear no time."""
    where, values = _condition(wanted)
    return int(tables.rows(f"SELECT count(*) AS n FROM events e WHERE e.time IS NULL AND {where}", **values)[0]["n"])  # noqa: S608 - text of ours alone


def events(tables: Tables, wanted: Wanted, limit: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the events that are asked for as batches of export.COLUMNS, in order of time; those without a time come last."""
    where, values = _condition(wanted)
    query = f"""
        SELECT {_COLUMNS} FROM events e LEFT JOIN {_FILES} f ON f.source = e.source AND f.file = e.file
        WHERE {where} ORDER BY e.time NULLS LAST, e.id LIMIT $limit
    """  # noqa: S608 - text of ours alone
    for batch in tables.stream(query, limit=limit if limit is not None else 1 << 62, **values):
        yield batch.cast(COLUMNS)


def _condition(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """Return a condition and its parameters; the text comes from here alone, what was asked goes in as values."""
    terms, values = ["true"], dict[str, Any]()
    for name, test in (("since", "e.time >= $since"), ("until", "e.time <= $until")):
        if getattr(wanted, name) is not None:
            terms.append(test)
            values[name] = getattr(wanted, name)
    for field in fields(wanted):
        patterns = getattr(wanted, field.name)
        if isinstance(patterns, tuple) and patterns:
            names = [f"{field.name}{n}" for n in range(len(patterns))]
            tests = [f"e.{column} LIKE ${name} ESCAPE '\\'" for name in names for column in _LOOKED_AT[field.name]]
            if field.name == "objects":
                tests += [_PUSHED.format(name=name) for name in names]
            if field.name == "actions":
                tests += [f"e.action LIKE ${name} || '.%' ESCAPE '\\'" for name in names]
            terms.append(f"({' OR '.join(tests)})")
            values |= {name: _pattern(text) for name, text in zip(names, patterns, strict=True)}
    return " AND ".join(terms), values


def _pattern(text: str) -> str:
    r"""Turn `*` into SQL's `%`; whatever else SQL takes for a wildcard stands for itself."""
    for char in "\\%_":
        text = text.replace(char, f"\\{char}")
    return text.replace("*", "%")
