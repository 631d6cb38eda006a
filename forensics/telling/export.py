"""The promises that the files in exports/ keep: how a timeline, or what was found as a whole, is written in one format.

A file whose name has an underscore writes the whole: `prov_json.py` the format `prov-json`. Any other writes a timeline.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa

import forensics.telling.exports
from forensics import times
from forensics.tables import Tables

COLUMNS = pa.schema(
    [("id", pa.int64()), ("time", pa.int64()), ("time_hi", pa.int64())]
    + [(name, pa.string()) for name in ("action", "actor", "object", "target", "prior", "claimed")]
    + [(name, pa.string()) for name in ("session", "credential", "device", "ip", "host", "outcome", "name")]
    + [("value", pa.float64()), ("attrs", pa.string()), ("source", pa.string()), ("ref", pa.string()), ("sha256", pa.string())]
)
"""What a timeline's batches bear: an event's columns (model.Event), where it stands (`ref`), and the hash of what it stands in.
Times are int nanoseconds since 1970 UTC, as recorded."""


@dataclass(frozen=True, slots=True)
class Export:
    """A format."""

    name: str
    says: str
    """one line: what it is for, and whether text is carried as it is"""
    write: Callable[[Iterator[pa.RecordBatch], IO[bytes], str], None]
    """batches of COLUMNS, a stream, and the time zone in which people read times"""
    binary: bool = False
    """nothing that a terminal could show"""


@dataclass(frozen=True, slots=True)
class Whole:
    """What an examination found, for formats that carry more than a timeline."""

    findings: Mapping[str, Any]
    people: Mapping[str, str]
    """id -> name"""
    files: Sequence[Mapping[str, Any]]
    """of the evidence: source, file, sha256, stored"""
    examiner: str
    time: str
    """of the examination, ISO 8601 UTC"""
    tool: str
    acts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`event:<id>` -> action and time (ISO 8601 UTC, as recorded, or None) of the acts on the paths"""


@dataclass(frozen=True, slots=True)
class WholeExport:
    """A format for what was found as a whole."""

    name: str
    says: str
    write: Callable[[Whole, IO[bytes]], None]


_ACTS = "SELECT id, action, time FROM events WHERE id IN (SELECT unnest($ids)) ORDER BY id"


def acts(findings: Mapping[str, Any], tables: Tables) -> dict[str, dict[str, Any]]:
    """Return what was done, and when, at each act that a path passes."""
    ends = {edge[end] for answer in findings["answers"] for edge in answer.get("path") or () for end in ("src", "dst")}
    ids = sorted(int(end.partition(":")[2]) for end in ends if end.startswith("event:"))
    rows = tables.rows(_ACTS, ids=ids) if ids else []
    return {
        f"event:{row['id']}": {"action": row["action"], "time": None if row["time"] is None else times.show(row["time"])} for row in rows
    }


def asked(findings: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what was asked about -> the questions about it."""
    found: dict[str, list[str]] = {}
    for answer in findings["answers"]:
        found.setdefault(answer["object"], []).append(answer["question"])
    return found


def load(name: str) -> Export:
    """Return the export of a timeline of that name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    export = importlib.import_module(f"forensics.telling.exports.{name}").EXPORT
    assert isinstance(export, Export)  # what a file in exports/ must define
    return export


def load_whole(name: str) -> WholeExport:
    """Return the export of the whole of that name; KeyError where there is none."""
    if name not in wholes():
        raise KeyError(name)
    export = importlib.import_module(f"forensics.telling.exports.{name.replace('-', '_')}").EXPORT
    assert isinstance(export, WholeExport)  # what a file in exports/ must define
    return export


def names() -> list[str]:
    """Name every format of a timeline: the files of exports/, in order."""
    return [name for name in _files() if "_" not in name]


def wholes() -> list[str]:
    """Name every format of the whole."""
    return [name.replace("_", "-") for name in _files() if "_" in name]


def _files() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(forensics.telling.exports.__path__) if not m.name.startswith("_"))
