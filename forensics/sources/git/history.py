"""Reads a range of commits: an event each, and the paths that each changed against its first parent."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy.typing as npt
import pyarrow as pa

from forensics.model import Batch, Event, Piece
from forensics.schema import CHANGES
from forensics.sources.git.changes import Change, changes_with_merges
from forensics.sources.git.inventory import COMMITS, contents, rows_of
from forensics.sources.git.objects import as_json, commit_facts

ROWS = 50_000
"""changes of a batch"""
_REACH = {b"r": "ref", b"l": "reflog", b"n": "nothing"}


def read_commits(piece: Piece, copy: Path, first: int, last: int) -> Iterator[Batch]:
    """Yield the events of these commits, then their changes."""
    rows = rows_of(copy, first, last)
    ids = [name.decode() for name in rows["id"].tolist()]
    parents = [name.decode() for name in rows["parent"].tolist()]
    single, merge = ([name.decode() for name in rows["id"][rows["whole"] & kind].tolist()] for kind in (~rows["merge"], rows["merge"]))
    first_parent = dict(zip(ids, parents, strict=True))
    unreadable = {name: "its first parent is not there" for name, there in zip(ids, rows["whole"].tolist(), strict=True) if not there}
    for part in _batched(changes_with_merges(copy, single, merge, unreadable)):
        yield Batch(tables={"changes": _table(piece, part, first_parent)})
    with (copy / COMMITS).open("rb") as stream:
        yield _events(piece, rows, ids, unreadable, stream)


def _batched(changes: Iterator[list[Change]]) -> Iterator[list[Change]]:
    part: list[Change] = []
    for some in changes:
        part += some
        if len(part) >= ROWS:
            yield part
            part = []
    if part:
        yield part


def _table(piece: Piece, part: list[Change], parents: dict[str, str]) -> pa.RecordBatch:
    commit, old_mode, new_mode, old, new, status, path, old_path, added, removed = zip(*part, strict=True)
    count = len(part)
    columns: list[Any] = [
        pa.repeat(pa.scalar(piece.source.name), count), pa.repeat(pa.scalar(piece.file.file), count),
        commit, [parents[c] or None for c in commit], path, old_path, status, old_mode, new_mode, old, new, added, removed,
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(
        [pa.array(c, f.type) if not isinstance(c, pa.Array) else c for c, f in zip(columns, CHANGES, strict=True)], schema=CHANGES
    )


def _events(piece: Piece, rows: npt.NDArray[Any], ids: list[str], unreadable: dict[str, str], stream: BinaryIO) -> Batch:
    batch = Batch()
    for name, reach, content in zip(ids, rows["reach"].tolist(), contents(stream, rows), strict=True):
        facts, mail, time = commit_facts(content)
        head = content[: content.find(b"\n\n")]
        facts["parents"] = [line[7:].decode("ascii", "backslashreplace") for line in head.split(b"\n") if line.startswith(b"parent ")]
        facts |= {"reachable": reach == b"r", "named_by": _REACH[reach]}
        if name in unreadable:
            facts["changes_note"] = unreadable[name]
        canonical = b"commit %d\0" % len(content) + content
        batch.parsed += len(canonical)
        event = Event(
            -1, -1, time, "code.commit",
            object=f"git:{piece.source.repo}@{name}", claimed=f"email:{mail}" if mail else None,
            locator=f"git={name}", sha256=hashlib.sha256(canonical).hexdigest(), attrs=as_json(facts),
        )  # fmt: skip
        batch.events.append(event)
    return batch
