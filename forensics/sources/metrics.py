"""Reads training metrics from CSV: one row a value, columns run, step, time, name and value."""

import re
from collections.abc import Iterator

import msgspec

from forensics import records, rows, times
from forensics.errors import RecordError
from forensics.model import Batch, Event, Evidence, Piece, Tier
from forensics.source import Source

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_STEP = re.compile(r"-?\d{1,18}", re.ASCII)
_NEEDED = ("run", "name", "value")
_KNOWN = ("run", "step", "time", "name", "value")
_LARGEST = 1.7976931348623157e308


class _Points:
    """Reads rows by their heading."""

    def __init__(self, names: list[str], timezone: str) -> None:
        self._names, self._timezone = names, timezone
        self._at = {name: names.index(name) for name in _KNOWN if name in names}
        self._others = [(i, name) for i, name in enumerate(names) if name and i not in self._at.values()]
        self._last: tuple[str, int | None, int | None] = ("", None, None)

    def parse(self, cells: list[str], start: int, end: int) -> list[Event]:
        """Turn a row into a point."""
        if len(cells) != len(self._names):
            raise RecordError(f"{len(cells)} cells where the heading names {len(self._names)}")
        at = self._at
        run, name, text = cells[at["run"]], cells[at["name"]], cells[at["value"]]
        time, time_hi = self._time(cells[at["time"]]) if "time" in at else (None, None)
        value = float(text) if _NUMBER.fullmatch(text) else None
        step = cells[at["step"]] if "step" in at else ""
        if value is not None and abs(value) <= _LARGEST and not self._others and _STEP.fullmatch(step):
            attrs: str | None = f'{{"step":{int(step)}}}'
        else:
            attrs = self._attrs(cells, step, text, value)
            value = value if value is not None and abs(value) <= _LARGEST else None
        return [Event(start, end, time, "metric.point", object=f"run:{run}", name=name, value=value, time_hi=time_hi, attrs=attrs)]

    def _time(self, text: str) -> tuple[int | None, int | None]:
        if text == self._last[0]:
            return self._last[1], self._last[2]
        if not text:
            return None, None
        number = times.epoch(text)
        low, high = times.instant(text, self._timezone) if number is None else (number, None)
        self._last = (text, low, high)
        return low, high

    def _attrs(self, cells: list[str], step: str, text: str, value: float | None) -> str | None:
        """Return what has no column of its own: the step, a value that is no finite number, further columns."""
        found: dict[str, object] = {name: cells[i] for i, name in self._others if cells[i]}
        if step:
            found["step"] = int(step) if _STEP.fullmatch(step) else step
        if value is None or abs(value) > _LARGEST:
            if value is None and text.strip().lower().lstrip("+-") not in _NO_NUMBER:
                raise RecordError(f"the value is no number: {text[:40]!r}")
            found["text"] = text
        return msgspec.json.encode(found, order="sorted").decode() if found else None


_NO_NUMBER = frozenset(("", "nan", "inf", "infinity", "none", "null"))


def _heading(text: str) -> tuple[list[str], str]:
    mark = rows.delimiter(text)
    return [name.strip().lower() for name in rows.cells(text, mark)], mark


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at row ends; a file whose heading lacks a column stays whole, to be rejected as one."""
    for file in evidence.files:
        heading = records.first_line(file)
        if _missing(_heading(heading)[0]):
            yield Piece(evidence.source, file, context=heading, work=evidence.work)
        else:
            yield from rows.split_rows(Evidence(evidence.source, (file,), evidence.work))


def _missing(names: list[str]) -> list[str]:
    return [name for name in _NEEDED if name not in names]


def read(piece: Piece) -> Iterator[Batch]:
    """Read the rows of a piece; the whole of it is rejected where the heading lacks a column."""
    names, mark = _heading(piece.context)
    missing = _missing(names)
    if missing:
        reason = f"the heading names no column {', '.join(missing)}; it must name run, name and value, and may name step and time"
        return rows.reject_all(piece, reason)
    return rows.each_row(piece, _Points(names, piece.source.timezone).parse, mark)


SOURCE = Source(
    name="metrics",
    reads="points of training metrics as CSV with the columns run, step, time, name, value, in any order",
    collect=(
        "export every run from the tracker: a row a point, with a heading that names run, step, time, name and value",
        "TensorBoard: tensorboard --logdir <dir>, then download each scalar as CSV and add the run's name",
    ),
    reference="https://www.rfc-editor.org/rfc/rfc4180",
    tier=Tier.T1,
    keeps="whoever ran the training, as long as the run's folder lives",
    split=split,
    read=read,
)
