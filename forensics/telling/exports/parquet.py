"""Parquet for notebooks and warehouses: every column, the text as it is, times as timestamps in UTC."""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.telling.export import COLUMNS, Export

_TIME = pa.timestamp("ns", "UTC")
_SCHEMA = pa.schema([field.with_type(_TIME) if field.name in ("time", "time_hi") else field for field in COLUMNS])


class _Forward:
    """A stream that only goes forward (a pipe), with the place that Parquet's footer wants to know."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._place = stream, 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._stream.write(data)
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self.closed = True


def _write(batches: Iterator[pa.RecordBatch], stream: IO[bytes], _zone: str) -> None:
    with pq.ParquetWriter(pa.PythonFile(_Forward(stream), mode="w"), _SCHEMA, compression="zstd") as rows:
        for batch in batches:
            rows.write_table(pa.Table.from_batches([batch]).cast(_SCHEMA))


EXPORT = Export("parquet", "for notebooks and warehouses: all columns, text as it is, timestamps in UTC", _write, binary=True)
