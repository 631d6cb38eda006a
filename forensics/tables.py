"""The only reader and writer of a case's Parquet files: tables in folders of parts, asked through DuckDB."""

import contextlib
import hashlib
from collections import Counter
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
_SMALL = 8 << 20
"""the same of any other table, once it was asked `_SOON` times: a file for each source is slow to open again and again"""
_SOON = 4
_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.binary(): "BLOB",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.list_(pa.int64()): "BIGINT[]",
}


class Tables:
    """The tables of one examination, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._laid: dict[str, str] = {}
        """what each table is in the connection: a TABLE, or a VIEW of its files"""
        self._asked: Counter[str] = Counter()

    def parts(self, name: str) -> list[str]:
        """Name the files of a table, in order."""
        return [str(p) for p in sorted((self.folder / name).glob("part-*.parquet"))]

    def write(self, name: str, batches: Iterable[pa.RecordBatch | pa.Table], number: int = 0) -> None:
        """Write a table's rows as one part and make them visible."""
        with PartWriter(self.folder, number) as part:
            for rows in batches:
                part.write(name, rows)
        self._forget(_RECORDED if name == "events" else name)

    def sql(self, query: str, **parameters: object) -> pa.Table:
        """Ask all tables at once; values go in as named parameters (`$name`), never into the text."""
        return self._laid_for(query).sql(query, params=parameters or None).to_arrow_table()

    def stream(self, query: str, size: int = 20_000, **parameters: object) -> Iterator[pa.RecordBatch]:
        """Ask, and get batches of at most `size` rows one after the other; no other question until the last is taken."""
        yield from self._laid_for(query).sql(query, params=parameters or None).to_arrow_reader(size)

    def _laid_for(self, query: str) -> duckdb.DuckDBPyConnection:
        """Return the connection, with the tables that a question names made known to it."""
        if self._connection is None:
            self._connection = _connect()
        for name in _named(query):
            self._asked[name] += 1
            if name not in self._laid or (self._asked[name] == _SOON and self._laid[name] == "VIEW"):
                self._lay(self._connection, name)
        if "events" in query and "events" not in self._laid:
            _correct(self._connection)
            self._laid["events"] = "VIEW"
        return self._connection

    def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Ask, and get dictionaries: of the many small questions of the reasoning, so that each is planned once (a relation is bound before, too, to tell its columns)."""
        found = self._laid_for(query).execute(query, parameters or None)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _lay(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Make a table known to the connection, as its files are now."""
        table = "events" if name == _RECORDED else name
        parts = self.parts(table)
        limit = _IN_MEMORY if name in _ASKED_OFTEN else _SMALL if self._asked[name] >= _SOON else 0
        held = sum(Path(p).stat().st_size for p in parts) <= limit
        self._forget(name)
        if not parts:
            connection.execute(f"CREATE TABLE {name} ({_columns(TABLES[table])})")
        elif held:
            connection.read_parquet(parts).create(name)
        else:
            connection.read_parquet(parts).create_view(name)
        self._laid[name] = "TABLE" if held or not parts else "VIEW"

    def _forget(self, name: str) -> None:
        """Lay a table anew at the next question that names it."""
        for known in ("events", name) if name in (_RECORDED, "clocks") else (name,):
            if self._connection is not None and (kind := self._laid.pop(known, "")):
                self._connection.execute(f"DROP {kind} {known}")

    def close(self) -> None:
        """Forget the connection: files written since become visible at the next question."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._laid.clear()

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every part, by table and number."""
        found = {}
        for name in sorted(TABLES):
            for part in self.parts(name):
                with Path(part).open("rb") as stream:
                    found[f"{name}/{Path(part).stem}"] = hashlib.file_digest(stream, "sha256").hexdigest()
        return found


def _connect() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={"threads": 2, "memory_limit": "2GB", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )


def _named(query: str) -> list[str]:
    """Name the tables that a question may be about: all whose name stands in it, and what the view of events is made of."""
    found = [name for name in TABLES if name != "events" and name in query]
    events = "events" in query
    return [*found, *(["clocks"] if events and "clocks" not in found else []), *([_RECORDED] if events or _RECORDED in query else [])]


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f'"{column.name}" {_TYPES[column.type]}' for column in schema)


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
