"""An act as the systems recorded it."""

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
"""a row of the table of acts, with its attributes"""


@dataclass(frozen=True, slots=True)
class Act:
    """What changed the object, as the systems recorded it."""

    kind: str
    """the action: code.push, object.write, file.write, job.launch"""
    account: str | None
    time: tuple[int, int]
    rows: tuple[Row, ...]
    """every record of this one act, the one that names the object first"""
    ip: str | None = None
    session: str | None = None
    credential: str | None = None
    host: str | None = None
    landed: tuple[Row, ...] = ()
    """records of another's landing it afterwards, of a commit that a merge made anew"""

    @property
    def events(self) -> tuple[int, ...]:
        """Ids of all its records."""
        return tuple(r["event"] for r in self.rows)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that recorded it, sorted."""
        return tuple(sorted({r["source"] for r in self.rows}))


def made(row: Row, records: list[Row]) -> Act:
    """Put the records of one act together; `row`: the one that names the object."""

    def first(key: str) -> str | None:
        return next((r[key] for r in records if r[key]), None)

    low, high = min(r["time"] for r in records), max(r["time_hi"] or r["time"] for r in records)
    account = row["actor"] or (
        row["target"] if row["action"].startswith("file.") else None
    )  # a daemon's process has no login: its user, then
    return Act(row["action"], account, (low, high), tuple(records), first("ip"), first("session"), first("credential"), first("host"))
