"""What an installed file is, and what a line of a package's list says of another, as events."""

import csv
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from urllib.parse import quote

from forensics.errors import RecordError
from forensics.fields import attrs
from forensics.installed import joined, listed
from forensics.model import Event, Piece

LIST = ".dist-info/RECORD"
_LEAST = 3
"""slashes of a prefix that lead to nothing above them, `file:///`"""


def content(piece: Piece, name: str, digest: str, start: int, end: int, **facts: object) -> Event:
    """Say what a file is; many packages have empty ones, and one may have been emptied."""
    place = (start, end, None) if end > start else (-1, -1, f"bytes={start}-{start}")
    return Event(
        *place[:2], None, "file.content", object=reference(piece, name), target=f"sha256:{digest}", locator=place[2],
        attrs=attrs(facts) if facts else None,
    )  # fmt: skip


def lines_of(piece: Piece, name: str) -> Callable[[bytes, int, int], Iterable[Event] | None]:
    """Return how a line of a list becomes an event; RecordError where it is none."""
    where = PurePosixPath(name)
    folder, about = where.parent.parent.as_posix(), _package(where.parent.name)

    def parse(line: bytes, start: int, end: int) -> Iterable[Event] | None:
        entry = listed(_row(line), 0)
        if not entry.path or entry.algorithm != "sha256" or not entry.digest:
            return None
        named = reference(piece, joined(folder, entry.path))
        return [
            Event(start, end, None, "file.listed", object=named, target=f"sha256:{entry.digest}", name=about, attrs=attrs({"list": name}))
        ]

    return parse


def _row(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader([line.decode("utf-8")], strict=True))
    except (ValueError, csv.Error) as error:
        raise RecordError(f"is no line of a list of files: {error}") from error
    return [*rows[0], "", ""] if rows else ["", ""]


def _package(folder: str) -> str:
    """Return <name>@<version> out of a folder's name, `<name>-<version>.dist-info`."""
    name, _, version = folder.removesuffix(".dist-info").partition("-")
    return f"pkg:pypi/{quote(name.lower().replace('_', '-'), safe='-.')}@{version}"


def reference(piece: Piece, name: str) -> str:
    """Write a file as the contract does; without a prefix it lies on the host that it was collected from."""
    prefix = piece.source.prefix or f"file://{piece.source.host}/"
    while name.startswith("../") and prefix.count("/") > _LEAST:  # lists name scripts as `../../../bin/x`
        name, prefix = name.removeprefix("../"), prefix.rstrip("/").rpartition("/")[0] + "/"
    return prefix + name
