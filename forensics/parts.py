"""The only writer of a case's Parquet files, apart from what asks them: workers need no database."""

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 20_000
"""rows that are gathered into one row group, at least"""
_EVER_NEW = frozenset({"id", "start", "end", "time", "object", "attrs"})


class PartWriter:
    """Writes one part of each table that gets rows; parts are numbered, so that any worker may write its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}
        self._rows: Counter[str] = Counter()

    def write(self, name: str, rows: pa.RecordBatch | pa.Table) -> None:
        """Append rows to this part of a table."""
        if not rows.num_rows:
            return
        self._waiting.setdefault(name, []).append(rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows]))
        self._rows[name] += rows.num_rows
        if self._rows[name] >= ROWS:
            self._flush(name)

    def _flush(self, name: str) -> None:
        rows = pa.concat_tables(self._waiting.pop(name))
        del self._rows[name]
        writer = self._writers.get(name)
        if writer is None:
            path = self._folder / name / f"part-{self._number:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = self._writers[name] = pq.ParquetWriter(
                path, rows.schema, compression="zstd", compression_level=1, use_dictionary=_repeating(name, rows.schema)
            )
        writer.write_table(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            for name in list(self._waiting):
                self._flush(name)
        for writer in self._writers.values():
            writer.close()


def _repeating(name: str, columns: pa.Schema) -> bool | list[str]:
    """Return the columns whose values come again and again, and are worth a dictionary; True for all."""
    return [column for column in columns.names if column not in _EVER_NEW] if name == "events" else True
