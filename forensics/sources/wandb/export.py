"""What W&B's API exports: runs (with config, summary, metadata), and rows of histories; JSON, JSON lines or CSV."""

import re
from collections.abc import Iterator

from forensics import rows
from forensics.errors import RecordError
from forensics.fields import loose
from forensics.model import Batch, Event, Piece
from forensics.sources.wandb import run as made

_RUN_KEYS = ("run_id", "_run_id", "run")
_DESCRIBES = ("config", "summary", "summary_metrics", "summaryMetrics", "metadata", "state", "createdAt", "created_at")
_HISTORY = ("_step", "_timestamp", "_runtime")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Exported:
    """Reads the records of an export; `run`: the run that its file is named after."""

    def __init__(self, run: str) -> None:
        self._run = run

    def parse(self, data: bytes, start: int, end: int) -> list[Event]:
        """Turn a record into the events of a run, or into a history's points."""
        row = loose(data)
        if not isinstance(row, dict):
            raise RecordError("no JSON object")
        return list(self.events(row, start, end))

    def events(self, row: dict[str, object], start: int, end: int) -> Iterator[Event]:
        """Yield what a row says."""
        if any(key in row for key in _HISTORY):
            yield from self._history(row, start, end)
        elif "id" in row and any(key in row for key in _DESCRIBES):
            yield from self._described(row, start, end)
        else:
            raise RecordError("neither a run (id, config, summary, ...) nor a row of a history (_step, _timestamp, ...)")

    def _history(self, row: dict[str, object], start: int, end: int) -> Iterator[Event]:
        run = next((str(row[key]) for key in _RUN_KEYS if row.get(key)), self._run)
        found = list(made.numbers(run, {k: v for k, v in row.items() if k not in _RUN_KEYS}, start, end, "metric.point"))
        yield from found or [Event(start, end, None, "log.message", object=made.reference(run))]

    def _described(self, row: dict[str, object], start: int, end: int) -> Iterator[Event]:
        config, meta = (_inner(row.get(key)) for key in ("config", "metadata"))
        plain = {k: v["value"] if isinstance(v, dict) and "value" in v else v for k, v in config.items()}
        run = str(row["id"]) if isinstance(row["id"], (str, int)) else ""
        yield made.record(run, meta, plain, start, end, row)
        yield from made.params(run, plain, start, end)
        for key in ("summary", "summary_metrics", "summaryMetrics"):
            yield from made.numbers(run, _inner(row.get(key)), start, end, "run.latest")


def _inner(value: object) -> dict[str, object]:
    """Return an object, which the service may have written as JSON within JSON."""
    if isinstance(value, str) and value[:1] == "{":
        value = loose(value.encode("utf-8", "backslashreplace"))
    return value if isinstance(value, dict) else {}


def read_csv(piece: Piece, run: str) -> Iterator[Batch]:
    """Read a history as a table: one row a step."""
    mark = rows.delimiter(piece.context)
    names = rows.cells(piece.context.removeprefix("\ufeff"), mark)
    if not any(name in names for name in _HISTORY):
        return rows.reject_all(piece, f"the heading names none of {', '.join(_HISTORY)}: no history of W&B")
    exported = Exported(run)

    def parse(cells: list[str], start: int, end: int) -> list[Event]:
        if len(cells) != len(names):
            raise RecordError(f"{len(cells)} cells where the heading names {len(names)}")
        return list(exported.events({name: _cell(cell) for name, cell in zip(names, cells, strict=True) if cell and name}, start, end))

    return rows.each_row(piece, parse, mark)


def _cell(text: str) -> object:
    """Return a cell as a number where it is one: pandas writes whole numbers of columns with gaps with a point."""
    if not _NUMBER.fullmatch(text) and text.lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        return text
    number = float(text)
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return number
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
