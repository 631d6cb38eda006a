"""Opens a SQLite database that nobody has reason to trust, and reads ordinary tables of it, row by row.

Nothing is written (`immutable`: no lock, no journal, no shared memory), and nothing in the schema runs: a table is read only where
its own definition makes it an ordinary one; views, triggers, virtual tables, generated columns and functions are refused by an
authorizer; trusted_schema is off. Steps, memory and the bytes that rows may hold are limited, for trees that were made to have no end.
https://www.sqlite.org/security.html
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from forensics.errors import RecordError
from forensics.evidence import FREE_GROWTH, LARGEST_RATIO
from forensics.records import LONGEST

MAGIC = b"SQLite format 3\0"

Cell = bytes | int | float | None

_MEMORY = 256 << 20
_STEPS = 100_000
"""steps of SQLite's machine between two looks at the limit"""
_FREE_STEPS = 100_000_000
_STEPS_A_BYTE = 100
_ORDINARY = re.compile(r"CREATE TABLE\s", re.IGNORECASE)
"""as SQLite itself writes the beginning of an ordinary table's definition"""
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ))
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, LONGEST),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
    (sqlite3.SQLITE_LIMIT_COLUMN, 200),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 50),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
)
_SETTINGS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA query_only = ON",
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
    f"PRAGMA hard_heap_limit = {_MEMORY}",
)
_DISORDER = "the rows of {} are out of order: the database is damaged"
_ROWID_NAMES = ("rowid", "_rowid_", "oid")


Row = tuple[int, dict[str, Cell] | None]
"""its number in the order of rowids, from zero, and its cells by the names of their columns, text as bytes; None: too large to be read"""


class Database:
    """An open database, and how much its rows may still hold."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection = connection
        self._left = max(FREE_GROWTH, size * LARGEST_RATIO)

    def has(self, table: str) -> bool:
        """Tell whether anything in the schema bears that name."""
        with _in_words():
            return self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table in the order of their rowids.

        RecordError where it is no ordinary table, or damaged from some row on.
        """
        rowid = self._ordinary(table)
        number, limit = 0, -1
        last: int | None = None
        while limit:
            before = last
            try:
                for found, cells in self._after(table, rowid, last, limit):
                    yield number, cells
                    number, last = number + 1, found
                limit = 1 if limit == 1 and last != before else 0
            except _RowError as error:
                if limit < 0:  # the driver drops the row before one that fails: from here on one by one, until it fails again
                    limit = 1
                    continue
                if not error.large:
                    raise RecordError(error.what) from error
                last = self._rowid_after(table, rowid, last)
                yield number, None
                number, limit = number + 1, -1

    def _ordinary(self, table: str) -> str:
        """Make sure that a table is an ordinary one; return the name by which its rowid can be asked for."""
        with _in_words():
            found = self._connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,)).fetchall()
            if not found:
                raise RecordError(f"there is no table {table}")
            if len(found) > 1 or found[0][0] != b"table" or not _ORDINARY.match(_word(found[0][1])):
                raise RecordError(f"{table} is no ordinary table")
            columns = self._connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
        if any(column[6] for column in columns):
            raise RecordError(f"{table} has columns that are computed")
        taken = {_word(column[1]).lower() for column in columns}
        free = next((name for name in _ROWID_NAMES if name not in taken), None)
        if free is None:
            raise RecordError(f"the rows of {table} can't be told apart")
        return free

    def _after(self, table: str, rowid: str, last: int | None, limit: int) -> Iterator[tuple[int, dict[str, Cell]]]:
        with _in_words():
            cursor = self._connection.execute(*_query("*", table, rowid, last, limit))
            names = [column[0] for column in cursor.description[1:]]
            for found, *cells in cursor:
                if last is not None and found <= last:
                    raise RecordError(_DISORDER.format(table))
                last = found
                self._left -= len(cells)
                for cell in cells:
                    if isinstance(cell, bytes):
                        self._left -= len(cell)
                if self._left < 0:
                    raise RecordError(f"the rows of {table} hold more than their file can: the database is damaged")
                yield found, dict(zip(names, cells, strict=False))

    def _rowid_after(self, table: str, rowid: str, last: int | None) -> int:
        with _in_words():
            found = self._connection.execute(*_query("NULL", table, rowid, last, 1)).fetchone()
        if found is None or (last is not None and found[0] <= last):
            raise RecordError(_DISORDER.format(table))
        return int(found[0])


def _query(columns: str, table: str, rowid: str, last: int | None, limit: int) -> tuple[str, tuple[int, ...]]:
    """Ask for rows behind a rowid. All names here are of our own; indexes, which may lie, are not used."""
    behind, values = ("", (limit,)) if last is None else (f"WHERE {rowid} > ?", (last, limit))
    return f"SELECT {rowid}, {columns} FROM {table} NOT INDEXED {behind} ORDER BY {rowid} LIMIT ?", values  # noqa: S608 - see above


def _word(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else ""


class _RowError(RecordError):
    """SQLite gave up at a row."""

    def __init__(self, what: str, *, large: bool = False) -> None:
        super().__init__(what)
        self.large = large
        """because the row is beyond SQLITE_LIMIT_LENGTH, and what follows it may be sound"""


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn SQLite's errors into words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RecordError(f"the database can't be read, or has no end{_name(error)}") from error
    except sqlite3.Error as error:
        raise _RowError(f"the database is damaged{_name(error)}", large=isinstance(error, sqlite3.DataError)) from error
    except (MemoryError, OverflowError, UnicodeError) as error:
        raise RecordError("the database is damaged, or wants too much memory") from error


def _name(error: sqlite3.Error) -> str:
    """Return SQLite's name for an error: its sentences differ from version to version."""
    name = getattr(error, "sqlite_errorname", "")  # not every error of the driver comes from SQLite
    return f" ({name})" if name else ""


def _authorize(action: int, first: str | None, _second: str | None, _database: str | None, inside: str | None) -> int:
    """Allow reading tables, and asking for a table's columns; not from within a view or trigger, and nothing else."""
    if inside is None and (action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo")):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


@contextmanager
def opened(path: str, size: int) -> Iterator[Database]:
    """Open a database for reading; RecordError where SQLite does not take it for one."""
    with _in_words():
        connection = sqlite3.connect(f"file:{quote(str(Path(path).absolute()))}?mode=ro&immutable=1", uri=True, isolation_level=None)
    try:
        with _in_words():
            _restrain(connection, size)
        yield Database(connection, size)
    finally:
        with suppress(sqlite3.Error):
            connection.close()


def _restrain(connection: sqlite3.Connection, size: int) -> None:
    connection.text_factory = bytes
    for limit, value in _LIMITS:
        connection.setlimit(limit, value)
    for setting in _SETTINGS:
        connection.execute(setting)
    left = (_FREE_STEPS + size * _STEPS_A_BYTE) // _STEPS

    def out_of_steps() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(out_of_steps, _STEPS)
    connection.set_authorizer(_authorize)
