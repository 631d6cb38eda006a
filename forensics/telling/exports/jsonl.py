"""JSON lines for programs: every column that is not empty, the text as it is (hidden characters as JSON escapes), times in UTC."""

from collections.abc import Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa

from forensics.telling.evidence_text import in_json
from forensics.telling.export import Export
from forensics.times import show


def _write(batches: Iterator[pa.RecordBatch], stream: IO[bytes], _zone: str) -> None:
    encode = msgspec.json.Encoder().encode
    for batch in batches:
        for row in batch.to_pylist():
            stream.write(in_json(encode(_record(row))) + b"\n")


def _record(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("time", "time_hi"):
        row[name] = show(row[name]) if row[name] is not None else None
    if row["attrs"] is not None:
        row["attrs"] = msgspec.Raw(row["attrs"].encode())  # an object already
    return {name: value for name, value in row.items() if value is not None}


EXPORT = Export("jsonl", "for programs: one JSON object a line, text as it is, times in UTC", _write)
