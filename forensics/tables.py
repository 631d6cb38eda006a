"""The only reader and writer of a case's Parquet files: tables in folders of parts, asked through DuckDB."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from forensics.parts import PartWriter
from forensics.schema import TABLES

_ASKED_OFTEN = frozenset({"acts", "edges", "jobs", "pushes", "files", "addresses", "clocks"})
_RECORDED = "recorded"
"""events with their times as recorded; `events` has them corrected for the sources' clocks"""
_IN_MEMORY = 64 << 20
"""bytes of Parquet up to which a table that is asked often is held decoded"""


class Tables:
    """The tables of one examination, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None

    def parts(self, name: str) -> list[str]:
        """Name the files of a table, in order."""
        return [str(p) for p in sorted((self.folder / name).glob("part-*.parquet"))]

    def write(self, name: str, batches: Iterable[pa.RecordBatch | pa.Table], number: int = 0) -> None:
        """Write a table's rows as one part and make them visible."""
        with PartWriter(self.folder, number) as part:
            for rows in batches:
                part.write(name, rows)
        self.close()

    def sql(self, query: str, **parameters: object) -> pa.Table:
        """Ask all tables at once; values go in as named parameters (`$name`), never into the text."""
        return self._ask(query, parameters).to_arrow_table()

    def stream(self, query: str, size: int = 20_000, **parameters: object) -> Iterator[pa.RecordBatch]:
        """Ask, and get batches of at most `size` rows one after the other; no other question until the last is taken."""
        yield from self._ask(query, parameters).to_arrow_reader(size)

    def _ask(self, query: str, parameters: dict[str, Any]) -> duckdb.DuckDBPyRelation:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection.sql(query, params=parameters or None)

    def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Ask, and get dictionaries."""
        found: list[dict[str, Any]] = self.sql(query, **parameters).to_pylist()
        return found

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:",
            config={"threads": 2, "memory_limit": "2GB", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        for table, schema in TABLES.items():
            parts, name = self.parts(table), _RECORDED if table == "events" else table
            if parts and name in _ASKED_OFTEN and sum(Path(p).stat().st_size for p in parts) <= _IN_MEMORY:
                connection.read_parquet(parts).create(name)
            elif parts:
                connection.read_parquet(parts).create_view(name)
            else:
                connection.register(name, schema.empty_table())
        _correct(connection)
        return connection

    def close(self) -> None:
        """Forget the connection: files written since become visible at the next question."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every part, by table and number."""
        found = {}
        for name in sorted(TABLES):
            for part in self.parts(name):
                with Path(part).open("rb") as stream:
                    found[f"{name}/{Path(part).stem}"] = hashlib.file_digest(stream, "sha256").hexdigest()
        return found


_CORRECTED = """
    CREATE VIEW events AS
    WITH shifts AS (SELECT * FROM clocks WHERE applied)
    SELECT e.* REPLACE (
        e.time - coalesce(s."offset" + CAST(round(s.rate * (e.time - s.anchor)) AS BIGINT), 0) AS time,
        e.time_hi - coalesce(s."offset" + CAST(round(s.rate * (e.time - s.anchor)) AS BIGINT), 0) AS time_hi)
    FROM recorded e LEFT JOIN shifts s ON s.source = e.source AND e.time >= s.since AND e.time < s.until
"""


def _correct(connection: duckdb.DuckDBPyConnection) -> None:
    """Lay the view of corrected events over the recorded ones; where no clock was off, they are the same."""
    found = connection.sql("SELECT 1 FROM clocks WHERE applied LIMIT 1").fetchall()
    connection.execute(_CORRECTED if found else "CREATE VIEW events AS SELECT * FROM recorded")


@contextlib.contextmanager
def open_tables(folder: Path) -> Iterator[Tables]:
    """Open the tables of an examination for asking."""
    tables = Tables(folder)
    try:
        yield tables
    finally:
        tables.close()
