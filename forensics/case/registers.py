"""The registers of a case folder: people.csv, identifiers.csv, access.csv."""

import csv
import io
from collections.abc import Iterator

from forensics.case.problems import Reader
from forensics.model import Access, Identifier, Person

_COLUMNS = {
    "people.csv": ("person", "name", "role", "employed_from", "employed_to"),
    "identifiers.csv": ("identifier", "person", "kind", "from", "to", "source"),
    "access.csv": ("person", "object", "right", "from", "to"),
}
FAR = (1 << 63) - 1
"""an end that is open, as a number, so that identifiers sort"""


def _rows(reader: Reader, name: str, *, optional: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) of one of the case's CSV files."""
    path = reader.root / name
    if path.exists() and not path.is_file():
        reader.wrong(name, "is no regular file", "put the file itself there")
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not optional:
            reader.wrong(name, "is not there", f"columns: {','.join(_COLUMNS[name])}")
        return
    except (UnicodeDecodeError, OSError) as error:
        reader.wrong(name, f"can't be read: {error}", "it must be CSV in UTF-8")
        return
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = [c for c in _COLUMNS[name] if c not in (rows.fieldnames or [])]
    if missing and not (name == "identifiers.csv" and missing == ["source"]):
        reader.wrong(name, f"columns are missing: {', '.join(missing)}", f"the heading is {','.join(_COLUMNS[name])}")
        return
    for row in rows:
        yield (
            f"{name}, line {rows.line_num}",
            {k: (v or "").strip() for k, v in row.items() if isinstance(k, str) and not isinstance(v, list)},
        )


def people(reader: Reader) -> Iterator[Person]:
    """Yield the rows of people.csv."""
    seen: set[str] = set()
    for where, row in _rows(reader, "people.csv"):
        if not row["person"] or row["person"] in seen:
            reader.wrong(where, f"person {row['person']!r} is empty or stands twice", "one row a person")
            continue
        seen.add(row["person"])
        yield Person(
            row["person"], row["name"], row["role"], reader.moment(where, row["employed_from"]), reader.moment(where, row["employed_to"])
        )


def identifiers(reader: Reader) -> Iterator[Identifier]:
    """Yield the rows of identifiers.csv."""
    for where, row in _rows(reader, "identifiers.csv"):
        if row["kind"] not in ("personal", "shared", "service"):
            reader.wrong(where, f"kind is {row['kind']!r}", "personal, shared or service")
            continue
        since, until = reader.moment(where, row["from"]), reader.moment(where, row["to"])
        yield Identifier(
            row["identifier"], row["person"], row["kind"], since or 0, until if until is not None else FAR, row.get("source", "")
        )


def access(reader: Reader) -> Iterator[Access]:
    """Yield the rows of access.csv, where there is one."""
    for where, row in _rows(reader, "access.csv", optional=True):
        if row["right"] not in ("read", "write", "admin"):
            reader.wrong(where, f"right is {row['right']!r}", "read, write or admin")
            continue
        yield Access(row["person"], row["object"], row["right"], reader.moment(where, row["from"]), reader.moment(where, row["to"]))
