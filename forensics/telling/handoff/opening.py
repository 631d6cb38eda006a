"""Opens a bundle that somebody hands in, a folder or a zip. It may be hostile: nothing is unpacked, followed or believed before it is checked."""

import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forensics.errors import IntegrityError, UsageError
from forensics.telling.handoff.commitments import Json

LARGEST = 1 << 28
"""bytes of a list or a JSON file"""
MOST = 1 << 22
"""files of a bundle"""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Files:
    """A bundle's files by name, with `/`."""

    where: str
    sizes: dict[str, int]
    open: Callable[[str], BinaryIO]
    top: str = ""
    """of a zip: its one folder"""


def wrong(where: str, what: str) -> IntegrityError:
    """Return the error for the first thing that does not hold."""
    return IntegrityError(what, where=where, hint="ask whoever handed it over for the bundle again, and compare it with another copy")


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """Open a bundle; IntegrityError where its form alone is wrong."""
    if path.is_dir():
        yield _folder(path)
        return
    if not os.access(path, os.R_OK):
        raise UsageError("can't be read", where=str(path), hint="name the folder or the zip of a bundle")
    try:
        with zipfile.ZipFile(path) as packed:
            yield _zip(path, packed)
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, struct.error) as error:
        raise wrong(path.name, f"is no whole zip: {error}") from error


def _folder(path: Path) -> Files:
    sizes: dict[str, int] = {}
    for here, folders, names in os.walk(path):
        place = Path(here)
        if not folders and not names:
            raise wrong(place.relative_to(path).as_posix(), "is an empty folder, which no bundle has")
        for name in folders + names:
            short = (place / name).relative_to(path).as_posix()
            mode = (place / name).lstat().st_mode
            if not (stat.S_ISREG(mode) if name in names else stat.S_ISDIR(mode)):
                raise wrong(short, "is a link, or no regular file")
            if name in names:
                sizes[short] = (place / name).lstat().st_size
        if len(sizes) > MOST:
            raise wrong(path.name, f"holds more than {MOST} files")
    return Files(path.name, sizes, lambda name: (path / name).open("rb"))


def _zip(path: Path, packed: zipfile.ZipFile) -> Files:
    sizes: dict[str, int] = {}
    infos: dict[str, zipfile.ZipInfo] = {}
    tops = set()
    for info in packed.infolist():
        top, _, name = info.filename.partition("/")
        if not top or not name or {"", ".", ".."} & set(info.filename.split("/")) or "\\" in info.filename or ":" in info.filename:
            raise wrong(path.name, f"holds a name that leads elsewhere: {info.filename[:200]!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise wrong(name, "is compressed, which a bundle's files never are")
        if name in sizes:
            raise wrong(name, "is in the zip twice")
        tops.add(top)
        sizes[name], infos[name] = info.file_size, info
    if len(tops) != 1 or len(sizes) > MOST or sum(sizes.values()) > path.stat().st_size:
        raise wrong(path.name, "does not have one folder with its files in it, as a bundle's zip has")
    return Files(path.name, sizes, lambda name: packed.open(infos[name]), tops.pop())  # type: ignore[return-value,arg-type]


def read(files: Files, name: str) -> bytes:
    """Read a file that is needed as a whole; IntegrityError where it is missing or far too large."""
    if name not in files.sizes:
        raise wrong(name, "is missing")
    if files.sizes[name] > LARGEST:
        raise wrong(name, f"is larger than {LARGEST} bytes")
    with files.open(name) as stream:
        return stream.read()


def blocks(files: Files, name: str) -> Iterator[bytes]:
    """Yield a file's bytes."""
    with files.open(name) as stream:
        yield from iter(lambda: stream.read(_BLOCK), b"")


def document(files: Files, name: str) -> Json:
    """Read a JSON file, or one with an object on each line; IntegrityError where it is none."""
    data = read(files, name)
    try:
        if name.endswith(".jsonl"):
            return [json.loads(line) for line in data.decode().split("\n")[:-1]]
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise wrong(name, f"is no JSON: {error}") from error
