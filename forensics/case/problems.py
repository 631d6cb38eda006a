"""What is wrong with a case folder, collected on the way through it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from forensics import times
from forensics.errors import RecordError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong with a case folder."""

    where: str
    what: str
    hint: str = ""
    fatal: bool = True
    """an examination can't begin with it; else it can, and the report says so"""


@dataclass(slots=True)
class Reader:
    """Reads a case folder and collects what is wrong with it on the way."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, where: str, what: str, hint: str = "", *, fatal: bool = True) -> None:
        """Note a problem."""
        self.problems.append(Problem(where, what, hint, fatal))

    def known(self, where: str, table: Mapping[str, Any], allowed: set[str]) -> None:
        """Note every key that the contract does not have, with the one that was probably meant."""
        for key in sorted(set(table) - allowed):
            near = difflib.get_close_matches(key, sorted(allowed), 1)
            self.wrong(where, f"unknown key {key!r}", f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(allowed))}")

    def text(self, where: str, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        """Return a text; note where it is missing (no default) or no text."""
        value = table.get(key, default)
        if value is None:
            self.wrong(where, f"{key!r} is missing", f'add {key} = "..."')
            return ""
        if not isinstance(value, str):
            self.wrong(where, f"{key!r} must be a text, and is {value!r}")
            return str(value)
        return value

    def moment(self, where: str, value: object) -> int | None:
        """Return the nanoseconds of a time that bears an offset (empty: None)."""
        if value in (None, ""):
            return None
        try:
            if isinstance(value, datetime) and value.tzinfo:
                return times.of(value)
            return times.parse(value.isoformat() if isinstance(value, (datetime, date)) else str(value))[0]
        except RecordError as error:
            self.wrong(where, error.what, "write ISO 8601 with an offset, such as 2024-06-12T09:30:00+08:00")
            return None
