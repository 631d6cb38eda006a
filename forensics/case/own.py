"""The case folder's own registers as records: who was employed, whose an identifier was; so that findings can refer to them."""

import csv
from collections.abc import Iterator
from pathlib import Path

import msgspec

from forensics import times
from forensics.errors import RecordError
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, SourceConfig
from forensics.records import each_line, first_line

NAME = "case"
"""the name of this source in references; never in a case's own list"""
FILES = ("people.csv", "identifiers.csv", "access.csv", "statements.toml", "case.toml")


def evidence(root: Path) -> Evidence:
    """Return the registers as a source of their own."""
    source = SourceConfig(NAME, NAME, ".")
    return Evidence(source, tuple(EvidenceFile(f, str(root / f), (root / f).stat().st_size) for f in sorted(FILES) if (root / f).is_file()))


def read(own: Evidence) -> Iterator[tuple[EvidenceFile, Batch]]:
    """Read people.csv and identifiers.csv line by line; the others were read as a whole already, and yield no events."""
    for file in own.files:
        if file.file not in ("people.csv", "identifiers.csv"):
            continue
        heading = next(csv.reader([first_line(file)]), [])
        for batch in each_line(Piece(own.source, file), lambda line, start, end, h=heading: _event(h, line, start, end), header=True):  # type: ignore[misc]
            yield file, batch


def _event(heading: list[str], line: bytes, start: int, end: int) -> list[Event]:
    row = dict(zip(heading, next(csv.reader([line.decode("utf-8", "backslashreplace")]), []), strict=False))
    since, until = (row.get(k) or row.get(f"employed_{k}") for k in ("from", "to"))
    attrs = msgspec.json.encode({k: v for k, v in row.items() if v}, order="sorted").decode()
    held = row.get("identifier")
    return [
        Event(
            start,
            end,
            _time(since),
            "identity.holds" if held else "identity.employed",
            row.get("person"),
            held or row.get("person"),
            time_hi=_time(until),
            attrs=attrs,
        )
    ]


def _time(text: str | None) -> int | None:
    try:
        return times.parse(text)[0] if text else None
    except RecordError:
        return None
