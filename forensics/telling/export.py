"""The promise that every file in exports/ keeps: how a timeline is written in one format."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

import forensics.telling.exports

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


def load(name: str) -> Export:
    """Return the export of that name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    export = importlib.import_module(f"forensics.telling.exports.{name}").EXPORT
    assert isinstance(export, Export)  # what a file in exports/ must define
    return export


def names() -> list[str]:
    """Name every format: the files of exports/, in order."""
    return sorted(m.name for m in pkgutil.iter_modules(forensics.telling.exports.__path__) if not m.name.startswith("_"))
