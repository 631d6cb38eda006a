"""The Arrow schema of every table, and the way from rows to record batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.model import Event, Reject

_TEXT, _INT = pa.string(), pa.int64()

_EVENT_TYPES: dict[str, pa.DataType] = dict.fromkeys(Event._fields, _TEXT) | {
    "start": _INT,
    "end": _INT,
    "time": _INT,
    "time_hi": _INT,
    "value": pa.float64(),
}

EVENTS = pa.schema(
    [pa.field("id", _INT, nullable=False), pa.field("source", _TEXT, nullable=False), pa.field("file", _TEXT, nullable=False)]
    + [pa.field(name, kind) for name, kind in _EVENT_TYPES.items()]
)
"""What happened, a row an event; `id` counts in the order of sources, files and bytes."""

REJECTED = pa.schema([("source", _TEXT), ("file", _TEXT), ("start", _INT), ("end", _INT), ("reason", _TEXT), ("locator", _TEXT)])
"""What could not be read, and why."""

FILES = pa.schema(
    [
        ("source", _TEXT),
        ("file", _TEXT),
        ("sha256", _TEXT),
        ("stored", _INT),
        ("text", _INT),
        ("parsed", _INT),
        ("skipped", _INT),
        ("rejected", _INT),
        ("damage", _TEXT),
        ("counted", pa.bool_()),
    ]
)
"""Every file with its hash, its bytes as stored, and how they share out; `text`: bytes after decompression.

Not `counted`: files of a repository, whose content is counted as objects and reflogs instead."""

CHANGES = pa.schema(
    [
        ("source", _TEXT),
        ("file", _TEXT),
        ("commit", _TEXT),
        ("parent", _TEXT),
        ("path", _TEXT),
        ("old_path", _TEXT),
        ("status", _TEXT),
        ("old_mode", _TEXT),
        ("new_mode", _TEXT),
        ("old_blob", _TEXT),
        ("new_blob", _TEXT),
        ("added", _INT),
        ("removed", _INT),
    ]
)
"""The paths that each commit changed against its first parent; counts are null for binary files and where git was not asked."""

EDGES = pa.schema(
    [
        ("rule", _TEXT),
        ("src", _TEXT),
        ("dst", _TEXT),
        ("time", _INT),
        ("time_hi", _INT),
        ("recorded", pa.bool_()),
        ("events", pa.list_(_INT)),
    ]
)
"""What led to what: `src` came first or was used, `dst` came of it; `events` are the ids of the rows that show it."""

JOBS = pa.schema(
    [
        ("job", _TEXT),
        ("actor", _TEXT),
        ("uid", _TEXT),
        ("name", _TEXT),
        ("submit", _INT),
        ("start", _INT),
        ("end", _INT),
        ("state", _TEXT),
        ("nodes", pa.list_(_TEXT)),
        ("gpus", pa.float64()),
        ("workdir", _TEXT),
        ("command", _TEXT),
        ("commit", _TEXT),
        ("events", pa.list_(_INT)),
    ]
)
"""Each run of each job, put together from its events; open ends are null."""

PUSHES = pa.schema(
    [
        ("event", _INT),
        ("source", _TEXT),
        ("repo", _TEXT),
        ("ref", _TEXT),
        ("before", _TEXT),
        ("after", _TEXT),
        ("time", _INT),
        ("actor", _TEXT),
        ("ip", _TEXT),
        ("credential", _TEXT),
    ]
)
"""Every record of a push, with the repository that a forge's project number stands for; `ref` and commits as the record has them."""

ACTS = pa.schema(
    [
        ("event", _INT),
        ("source", _TEXT),
        ("action", _TEXT),
        ("time", _INT),
        ("time_hi", _INT),
        ("actor", _TEXT),
        ("object", _TEXT),
        ("target", _TEXT),
        ("session", _TEXT),
        ("credential", _TEXT),
        ("device", _TEXT),
        ("ip", _TEXT),
        ("host", _TEXT),
        ("outcome", _TEXT),
    ]
)
"""Events that somebody or something did, with names made one: shared paths, repositories of a forge, accounts known by number,
and `ok` for every log's own word for success."""

ADDRESSES = pa.schema([("ip", _TEXT), ("host", _TEXT), ("hits", _INT), ("uses", _INT), ("people", _INT), ("events", pa.list_(_INT))])
"""Addresses that are a host's, by inference: most acts from it fall into sessions that the same people had open there."""

CLOCKS = pa.schema(
    [
        ("source", _TEXT),
        ("reference", _TEXT),
        ("against", _TEXT),
        ("kind", _TEXT),
        ("how", _TEXT),
        ("since", _INT),
        ("until", _INT),
        ("anchor", _INT),
        ("span", _INT),
        ("offset", _INT),
        ("rate", pa.float64()),
        ("low", _INT),
        ("high", _INT),
        ("anchors", _INT),
        ("applied", pa.bool_()),
        ("events", pa.list_(_INT)),
    ]
)
"""How far each source's clock ran ahead of the reference clock, a row a stretch of recorded time.

By `offset` at `anchor`, the first of its anchors (the last is `span` later), and by `rate` more for each ns since; `low` and `high` bound it. Where `applied`, times of the view `events` are corrected by it."""

TOLD = pa.schema([("name", _TEXT), ("json", _TEXT)])
"""What the report is told beside the findings, so that it can be made anew from OUT alone: the case's own words, the policy."""

QUOTED = pa.schema([("source", _TEXT), ("file", _TEXT), ("locator", _TEXT), ("size", _INT), ("data", pa.binary())])
"""The first bytes of every record that the report cites, and how many the whole has; null where they could not be read."""

DIFFS = pa.schema(
    [("object", _TEXT), ("path", _TEXT), ("source", _TEXT), ("old_blob", _TEXT), ("new_blob", _TEXT), ("text", _TEXT), ("cut", _INT)]
)
"""What a commit in question changed in each file, as unified diff; `cut` lines are left out. Null text: nothing that can be shown as lines."""

CURVES = pa.schema(
    [("job", _TEXT), ("run", _TEXT), ("harmed", pa.bool_()), ("metric", _TEXT), ("step", _INT), ("time", _INT), ("value", pa.float64())]
)
"""Points of one metric of runs that the case calls harmed or healthy, thinned for drawing."""

TABLES: dict[str, pa.Schema] = {
    "events": EVENTS,
    "rejected": REJECTED,
    "files": FILES,
    "changes": CHANGES,
    "edges": EDGES,
    "jobs": JOBS,
    "pushes": PUSHES,
    "acts": ACTS,
    "addresses": ADDRESSES,
    "clocks": CLOCKS,
    "told": TOLD,
    "quoted": QUOTED,
    "diffs": DIFFS,
    "curves": CURVES,
}


def event_batch(source: str, file: str | Sequence[str], first_id: int, rows: Sequence[Event]) -> pa.RecordBatch:
    """Turn events of one file, or of a file each, into a record batch; ids count up from `first_id`."""
    count = len(rows)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(Event._fields)
    arrays = [
        pa.array(np.arange(first_id, first_id + count, dtype=np.int64)),
        pa.repeat(pa.scalar(source), count),
        pa.repeat(pa.scalar(file), count) if isinstance(file, str) else pa.array(file, _TEXT),
    ]
    arrays += [_column(column, kind) for column, kind in zip(columns, _EVENT_TYPES.values(), strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=EVENTS)


def _column(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Make a column; most columns of most batches are empty or the same all the way down, which is told faster than it is copied."""
    first = cells[0] if cells else None
    if first is None and cells.count(None) == len(cells):
        return pa.nulls(len(cells), kind)
    if kind == _TEXT and first == cells[-1] and cells.count(first) == len(cells):
        return pa.repeat(pa.scalar(first, kind), len(cells))
    return pa.array(cells, kind)


def reject_batch(source: str, file: str, rows: Sequence[Reject]) -> pa.RecordBatch:
    """Turn rejected stretches of one file into a record batch."""
    return pa.RecordBatch.from_pylist(
        [{"source": source, "file": file, "start": r.start, "end": r.end, "reason": r.reason, "locator": r.locator} for r in rows],
        schema=REJECTED,
    )
