"""CSV for spreadsheets. A cell that would be taken for a formula gets ' before it, and hidden characters are made visible."""

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa

from forensics.telling.evidence_text import cell
from forensics.telling.export import COLUMNS, Export
from forensics.telling.moments import moment


def _write(batches: Iterator[pa.RecordBatch], stream: IO[bytes], zone: str) -> None:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")  # https://www.rfc-editor.org/rfc/rfc4180
    rows.writerow(COLUMNS.names)
    for batch in batches:
        rows.writerows(_cells(row, zone) for row in batch.to_pylist())
        stream.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    stream.write(text.getvalue().encode())


def _cells(row: dict[str, Any], zone: str) -> list[str]:
    row["time"], row["time_hi"] = moment(row["time"], zone), moment(row["time_hi"], zone)
    return [cell(value) if isinstance(value, str) else "" if value is None else str(value) for value in row.values()]


EXPORT = Export("csv", "for spreadsheets: formulas are defused with ', hidden characters made visible", _write)
