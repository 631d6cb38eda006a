"""The source "site_packages": installed Python packages as they were collected, against their own lists of hashes. Nothing is imported.

Per file one `file.content` (object=<prefix><path>, target=sha256:<hex> of the stored bytes), and per line of a list (`*.dist-info/RECORD`) that bears a
SHA-256 one `file.listed` (object=the file that it names, target=sha256:<hex> as listed, name=<package>@<version>; attrs: list). Nothing says when a file
was written, so these events have no time and no actor. What a list says and what lies there are put together by the reasoning.

Tier T2: whoever may write there may write the list as well; that both agree shows little, that they differ shows that something was changed after the
installation.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from forensics import records
from forensics.errors import RecordError
from forensics.evidence import Unpacked, open_text, sha256_of
from forensics.fields import attrs
from forensics.installed import joined, listed
from forensics.model import Batch, Event, Piece, Tier
from forensics.source import Source

_BLOCK = 1 << 20
_LIST = ".dist-info/RECORD"
_LEAST = 3
"""slashes of a prefix that lead to nothing above them, `file:///`"""


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a file into its events: what it is, and of a list also what it says of others."""
    name = piece.file.file or Path(piece.source.path).name
    yield _content(piece, name)
    if name.endswith(_LIST):
        yield from _listing(piece, name)


def _content(piece: Piece, name: str) -> Batch:
    """Say what a file is; of a list, its bytes are booked line by line."""
    with open_text(piece.file) as stream:
        size = 0
        while data := stream.read(_BLOCK):
            size += len(data)
        digest = piece.file.sha256 or sha256_of(piece.file.path)
        start, end, locator = (
            (0, size, None) if size else (-1, -1, "bytes=0-0")
        )  # many packages have empty files, and one may have been emptied
        event = Event(start, end, None, "file.content", object=_reference(piece, name), target=f"sha256:{digest}", locator=locator)
        batch = Batch([event], parsed=0 if name.endswith(_LIST) else size)
        if isinstance(stream, Unpacked) and not name.endswith(_LIST):
            batch.consumed, batch.damage = stream.consumed, stream.damage
    return batch


def _listing(piece: Piece, name: str) -> Iterator[Batch]:
    where = PurePosixPath(name)
    folder, about = where.parent.parent.as_posix(), _package(where.parent.name)

    def parse(line: bytes, start: int, end: int) -> Iterable[Event] | None:
        entry = listed(_row(line), 0)
        if not entry.path or entry.algorithm != "sha256" or not entry.digest:
            return None
        reference = _reference(piece, joined(folder, entry.path))
        return [
            Event(
                start, end, None, "file.listed", object=reference, target=f"sha256:{entry.digest}", name=about, attrs=attrs({"list": name})
            )
        ]

    yield from records.each_line(piece, parse)


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


def _reference(piece: Piece, name: str) -> str:
    """Write a file as the contract does; without a prefix it lies on the host that it was collected from."""
    prefix = piece.source.prefix or f"file://{piece.source.host}/"
    while name.startswith("../") and prefix.count("/") > _LEAST:  # lists name scripts as `../../../bin/x`
        name, prefix = name.removeprefix("../"), prefix.rstrip("/").rpartition("/")[0] + "/"
    return prefix + name


SOURCE = Source(
    name="site_packages",
    reads="installed Python packages, as files: each file's digest against its package's own list (RECORD)",
    collect=(
        'cp -a /share/envs/train/lib/python3.11/site-packages evidence/env    # prefix = "file:///share/envs/train/lib/python3.11/site-packages/"',
        'the same of one node: prefix = "file://<node>/<path>/"; of an image, unpacked from its layers: prefix = "image:<name>@sha256:<digest>:/<path>/"',
    ),
    reference="https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
    tier=Tier.T2,
    keeps="the environment, until it is built anew",
    split=records.split_whole,
    read=read,
)
