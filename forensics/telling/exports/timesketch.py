"""JSON lines as Timesketch imports them: `message`, `datetime`, `timestamp_desc`, and our columns beside.

https://timesketch.org/guides/user/import-from-json-csv/
"""

from collections.abc import Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa

from forensics.telling.evidence_text import in_json
from forensics.telling.export import Export
from forensics.times import SECOND, show

_OURS = (
    "action", "actor", "object", "target", "prior", "claimed", "session", "credential", "device", "ip", "host", "outcome", "name", "value", "attrs",
    "source", "ref", "sha256", "id",
)  # fmt: skip


def _write(batches: Iterator[pa.RecordBatch], stream: IO[bytes], _zone: str) -> None:
    encode = msgspec.json.Encoder().encode
    for batch in batches:
        for row in batch.to_pylist():
            if row["time"] is not None:  # a timeline has no place for it
                stream.write(in_json(encode(_record(row))) + b"\n")


def _record(row: dict[str, Any]) -> dict[str, Any]:
    ours = {name: row[name] for name in _OURS if row[name] is not None}
    exact = {"time": show(row["time"])} if row["time"] % 1000 else {}
    return {"message": _message(row), "datetime": _datetime(row["time"]), "timestamp_desc": "Event Recorded", **exact, **ours}


def _message(row: dict[str, Any]) -> str:
    """Say in one line who did what to what."""
    words = [row["action"], row["object"] or ""]
    words += [
        f"{preposition} {row[name]}"
        for preposition, name in (("->", "target"), ("by", "actor"), ("claimed by", "claimed"), ("from", "ip"), ("on", "host"))
        if row[name]
    ]
    words.append(f"({row['outcome']})" if row["outcome"] else "")  # what was refused was not done
    return " ".join(w for w in words if w)


def _datetime(nanoseconds: int) -> str:
    """Write a time to the microsecond, with its offset, as Timesketch's examples do."""
    return f"{show(nanoseconds // SECOND * SECOND)[:-1]}.{nanoseconds % SECOND // 1000:06d}+00:00"


EXPORT = Export(
    "timesketch", "for Timesketch: JSON lines with message, datetime and timestamp_desc; events without a time are left out", _write
)
