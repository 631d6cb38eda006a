"""A table for people at a terminal: the columns that say who did what, with hostile characters made visible."""

from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

import pyarrow as pa

from forensics.telling.evidence_text import shorten, visible, width
from forensics.telling.export import Export
from forensics.telling.moments import moment

_WIDEST = {"time": 40, "action": 28, "actor": 40, "object": 60, "target": 60, "ip": 40, "outcome": 12, "ref": 10_000}
"""columns shown, and how wide each may grow; what is cut is cut in the middle, a reference never"""
_MEASURED = 1000
"""rows that the widths are taken from; later ones that are wider push the rest of their line to the right"""


def _write(batches: Iterator[pa.RecordBatch], stream: IO[bytes], zone: str) -> None:
    rows = (_cells(row, zone) for batch in batches for row in batch.to_pylist())
    heading = list(_WIDEST)
    first = [row for row, _ in zip(rows, range(_MEASURED), strict=False)]
    widths = [max(width(cells[i]) for cells in [heading, *first]) for i in range(len(heading))]
    for cells in chain([heading, ["-" * size for size in widths]], first, rows):
        line = "  ".join(text + " " * (size - width(text)) for text, size in zip(cells, widths, strict=True))
        stream.write(line.rstrip().encode() + b"\n")


def _cells(row: dict[str, Any], zone: str) -> list[str]:
    row["time"] = moment(row["time"], zone)
    row["actor"] = row["actor"] or (f"{row['claimed']} (claimed)" if row["claimed"] else None)
    return [shorten(visible(row[name] or ""), most) for name, most in _WIDEST.items()]


EXPORT = Export("table", "for people: who did what, hidden characters made visible, long texts cut in the middle", _write)
