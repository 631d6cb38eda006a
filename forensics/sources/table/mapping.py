"""A row's cells -> an event, by the mapping in [source.map]."""

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from forensics import times
from forensics.model import Event, SourceConfig

Row = Mapping[str, object]
COLUMNS = (
    "time",
    "action",
    "actor",
    "object",
    "target",
    "prior",
    "claimed",
    "session",
    "credential",
    "device",
    "ip",
    "host",
    "outcome",
    "name",
    "value",
)
_BRACES = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)


class Pattern:
    """What one event column is filled with: a constant (`=x`), a column (`x`), or a pattern (`x:{y}`)."""

    def __init__(self, text: str) -> None:
        self.constant = text[1:] if text.startswith("=") else None
        self.parts = [] if self.constant is not None else _BRACES.split(text) if "{" in text else ["", text, ""]
        self.columns = self.parts[1::2]

    def fill(self, row: Row) -> str | None:
        """Return the text for a row; None where a column that it needs is empty."""
        if self.constant is not None:
            return self.constant
        parts = self.parts.copy()
        for i in range(1, len(parts), 2):
            value = as_text(lookup(row, parts[i]))
            if not value:
                return None
            parts[i] = value
        return "".join(parts)


def lookup(row: Row, column: str) -> object:
    """Return a cell: by its name, or through nested objects by a path with dots."""
    if column in row or "." not in column:
        return row.get(column)
    value: object = row
    for key in column.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Row", value).get(key)
    return value


def as_text(value: object) -> str | None:
    """Return a cell as text; nested values as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    try:
        return msgspec.json.encode(value, order="sorted").decode()
    except (OverflowError, TypeError, ValueError, RecursionError):
        return str(value)


class Mapped:
    """A table's mapping, ready to be used row after row."""

    def __init__(self, source: SourceConfig) -> None:
        self._patterns = {name: Pattern(text) for name, text in source.map if name in COLUMNS}
        self._actions = dict(source.actions)
        self._zone, self._host = source.timezone, source.host or None
        self.columns = sorted({column for pattern in self._patterns.values() for column in pattern.columns})
        self._used = {part for column in self.columns for part in (column, column.split(".", 1)[0])}
        self._last: tuple[str, int, int | None] = ("", 0, None)

    def event(self, row: Row, start: int, end: int, locator: str | None = None) -> Event:
        """Return what a row says; RecordError where its time is none."""
        said = {name: pattern.fill(row) for name, pattern in self._patterns.items()}
        time, time_hi = self._time(said.get("time"))
        value, attrs = (
            said.get("value"),
            {key: text for key, cell in row.items() if key not in self._used and (text := as_text(cell)) not in ("", None)},
        )
        number = float(value) if value is not None and _NUMBER.fullmatch(value) else None
        if value is not None and (number is None or abs(number) == float("inf")):
            attrs["text"], number = value, None
        return Event(
            start, end, time, self._action(said.get("action"), row), said.get("actor"), said.get("object"), said.get("target"), said.get("prior"),
            said.get("claimed"), said.get("session"), said.get("credential"), _named(said.get("device"), "device"), _named(said.get("ip"), "ip"),
            said.get("host") or self._host, said.get("outcome"), said.get("name"), number, time_hi, locator,
            attrs=msgspec.json.encode(attrs, order="sorted").decode() if attrs else None,
        )  # fmt: skip

    def _action(self, said: str | None, row: Row) -> str:
        """Return the contract's word for what this log calls it; `log.message` where the row names no action."""
        if said is None:
            return "log.message"
        if self._actions and said not in self._actions:
            own = self._patterns["action"].columns
            word = as_text(lookup(row, own[0])) if len(own) == 1 else None
            return self._actions.get(word or "", said)
        return self._actions.get(said, said)

    def _time(self, text: str | None) -> tuple[int | None, int | None]:
        if not text:
            return None, None
        if text != self._last[0]:
            number = times.epoch(text)
            self._last = (text, *(times.instant(text.strip(), self._zone) if number is None else (number, None)))
        return self._last[1:]


def _named(value: str | None, namespace: str) -> str | None:
    """Return a reference; a bare address or device name gets its namespace."""
    if value is None or value.startswith(f"{namespace}:") or (namespace == "device" and ":" in value):
        return value
    return f"{namespace}:{value}"
