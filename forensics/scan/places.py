"""Which files lie below a path. Links are not followed, and what is no file (pipes, devices) is never opened."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from forensics.containers import Reader, View
from forensics.scan.finding import Scan, Unread
from forensics.scan.repositories import is_git_folder

_NOT_ENTERED = frozenset({".hg", ".svn"})
"""what versions are kept in: their objects are packed, and are looked at as a work tree has them"""
Repositories = list[tuple[Path, str]]
"""git's own folders that were met, and how they are called"""


def files(path: Path, found: Scan, repositories: Repositories) -> Iterator[tuple[Path, str]]:
    """Yield every regular file and how it is called, in the order of names; what can't be listed, and git's own folders, are noted."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and path.is_dir()):  # a link that is named itself is meant
            yield from _below(path, path.as_posix(), found, repositories)
        elif path.is_file():
            yield path, path.as_posix()
        else:
            found.unread.append(Unread(path.as_posix(), 0, "is no file and no folder"))
    except OSError as error:
        found.unread.append(Unread(path.as_posix(), 0, _why(error)))


def _below(folder: Path, name: str, found: Scan, repositories: Repositories) -> Iterator[tuple[Path, str]]:
    if is_git_folder(folder):
        repositories.append((folder, name))
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        found.unread.append(Unread(name, 0, _why(error)))
        return
    for entry in entries:
        path, called = folder / entry.name, _text(entry.name) if name == "." else f"{name.rstrip('/')}/{_text(entry.name)}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _NOT_ENTERED:
                yield from _below(path, called, found, repositories)
        elif entry.is_file(follow_symlinks=False):
            yield path, called


def _text(name: str) -> str:
    """Write a name whose bytes are no UTF-8 so that it can be printed."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def view_of(descriptor: int) -> View:
    """Return an open file's bytes; of what is not asked for nothing is read."""
    return View(_reader(descriptor), 0, os.fstat(descriptor).st_size)


def _reader(descriptor: int) -> Reader:
    def reader(at: int, count: int) -> bytes:
        parts = []
        while count > 0 and (data := os.pread(descriptor, count, at)):
            parts.append(data)
            at += len(data)
            count -= len(data)
        return b"".join(parts)

    return reader
