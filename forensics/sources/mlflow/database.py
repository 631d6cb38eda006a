"""The tracking server's database: its tables experiments, runs, params, tags, metrics and latest_metrics, read from SQLite.

What else is in it (datasets, registered models, traces) is not read, as in a file store.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from forensics import records, rows
from forensics.errors import RecordError
from forensics.evidence import compression
from forensics.model import Batch, Event, Piece, Reject
from forensics.sources.mlflow import run
from forensics.sources.mlflow.sqlite import Cell, Database, opened

_CARRIED = 64 << 20
"""characters of parameters and tags, of all runs together, that are held in memory for the runs' own events"""
_INFINITE = {1.7976931348623157e308: "inf", -1.7976931348623157e308: "-inf"}
"""the database's column can't hold them, and MLflow writes the largest number instead"""

_TABLES = ("experiments", "params", "tags", "runs", "metrics", "latest_metrics")
"""in the order in which they are read: a run's event carries its parameters and tags"""

Facts = dict[str, str | None]
Made = Callable[[Facts, str], Event]
"""(cells as text by column, locator) -> the row's event"""


def read(piece: Piece, missed: list[str]) -> Iterator[Batch]:
    """Read a database; its rows are told by table and number, its bytes are booked as a whole. `missed`: journals beside it."""
    if compression(piece.file.path):
        yield from rows.reject_all(piece, "a database that was compressed again; collect it as it is")
        return
    notes = [Reject(0, 0, f"the database's {name} is left alone: changes that only it holds are not in these rows") for name in missed]
    damage: list[str] = []
    try:
        with opened(piece.file.path, piece.file.size) as database:
            yield from _tables(database, damage)
    except RecordError as error:
        damage.append(error.what)
    if damage:
        yield Batch(rejects=[Reject(0, piece.file.size, "; ".join(damage)), *notes])
    else:
        yield Batch(rejects=notes, parsed=piece.file.size)


def read_row(path: str, table: str, number: int) -> Facts:
    """Return the cells of one row as text, for whoever follows a reference; RecordError where there is no such row."""
    if table not in _TABLES:
        raise RecordError(f"no table of MLflow that is read is called {table[:40]!r}")
    with opened(path, Path(path).stat().st_size) as database:
        for found, cells in database.rows(table):
            if found == number and cells is not None:
                return {name: _text(cell) for name, cell in cells.items()}
    raise RecordError("the table ends before that row, or it is too large to be read")


def _tables(database: Database, damage: list[str]) -> Iterator[Batch]:
    """Read table after table; why one could not be read to its end goes to `damage`, and the next one is tried."""
    beside = _Beside()
    made = (_experiment, beside.param, beside.tag, beside.described, _point("metric.point"), _point("run.latest"))
    if not database.has("runs"):
        raise RecordError("there is no table runs: this is no database of MLflow")
    for table, row_made in zip(_TABLES, made, strict=True):
        if database.has(table):
            yield from _rows(database, table, row_made, damage)
        else:
            yield Batch(rejects=[Reject(-1, -1, "there is no such table", f"table={table}")])


def _rows(database: Database, table: str, made: Made, damage: list[str]) -> Iterator[Batch]:
    batch = Batch()
    try:
        for number, cells in database.rows(table):
            _row(batch, cells, f"table={table};row={number}", made)
            if len(batch.events) + len(batch.rejects) >= records.BATCH:
                yield batch
                batch = Batch()
    except RecordError as error:
        damage.append(error.what)
    yield batch


def _row(batch: Batch, cells: dict[str, Cell] | None, locator: str, made: Made) -> None:
    if cells is None:
        batch.rejects.append(Reject(-1, -1, f"a row with more than {records.LONGEST} bytes in a cell", locator))
        return
    try:
        batch.events.append(made({name: _text(cell) for name, cell in cells.items()}, locator))
    except RecordError as error:
        batch.rejects.append(Reject(-1, -1, error.what, locator))


def _text(cell: Cell) -> str | None:
    if isinstance(cell, bytes):
        if len(cell) > run.LONGEST_VALUE:
            raise RecordError(f"a value of more than {run.LONGEST_VALUE} bytes")
        return cell.decode("utf-8", "backslashreplace")
    return None if cell is None else _INFINITE.get(cell) or str(cell)


def _needed(facts: Facts, name: str) -> str:
    value = facts.get(name)
    if not value:
        raise RecordError(f"the row has no {name}")
    return value


def _experiment(facts: Facts, locator: str) -> Event:
    return run.experiment(facts, {}, -1, -1, locator)


def _point(action: str) -> Made:
    def made(facts: Facts, locator: str) -> Event:
        text = "nan" if facts.get("is_nan") not in {None, "0"} else _needed(facts, "value")
        time, step = run.moment(facts.get("timestamp")), facts.get("step") or ""
        return run.point(_needed(facts, "run_uuid"), _needed(facts, "key"), time, text, step, -1, -1, locator, action)

    return made


class _Beside:
    """Parameters and tags by run, for the runs' own events; within a limit for each run, and one for all."""

    def __init__(self) -> None:
        self._left = _CARRIED
        self._params: dict[str, run.Carried] = defaultdict(lambda: run.Carried(run.CARRIED))
        self._tags: dict[str, run.Carried] = defaultdict(lambda: run.Carried(run.CARRIED))
        self._complete = True

    def param(self, facts: Facts, locator: str) -> Event:
        """Make the event of a parameter, and keep it."""
        return self._kept(self._params, "run.param", facts, locator)

    def tag(self, facts: Facts, locator: str) -> Event:
        """Make the event of a tag, and keep it."""
        return self._kept(self._tags, "run.tag", facts, locator)

    def described(self, facts: Facts, locator: str) -> Event:
        """Make the event of a run with what was kept of it."""
        name = _needed(facts, "run_uuid")
        params, tags = self._params.pop(name, run.Carried(0)), self._tags.pop(name, run.Carried(0))
        tags.complete = tags.complete and self._complete
        return run.record(name, {**facts, "run_name": facts.get("name")}, params, tags, -1, -1, locator)

    def _kept(self, kept: dict[str, run.Carried], action: str, facts: Facts, locator: str) -> Event:
        name, key, value = _needed(facts, "run_uuid"), _needed(facts, "key"), facts.get("value") or ""
        self._left -= len(key) + len(value) + len(name)
        if self._left >= 0:
            kept[name].add(key, value)
        else:
            self._complete = False
        return run.note(action, name, key, value, -1, -1, locator)
