"""Installed packages against their own lists of hashes: files that are not what was installed, that are gone, or that no list names.

Reference: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from forensics.errors import RecordError
from forensics.installed import ALGORITHMS, LARGEST, Listed, joined, read_list
from forensics.scan.finding import Finding, Scan, Unread

_BLOCK = 1 << 20
_HONEST_CHANGED = ("a fix that was put in by hand", "a build that was installed over it")
_HONEST_EXTRA = (
    "a file that a program wrote beside its own code",
    "a package that was installed without a list (by hand, or by another tool)",
)
_HONEST_GONE = ("a clean-up of tests and documents to save space",)


def folders(files: list[tuple[Path, str]]) -> dict[str, list[str]]:
    """Return the folders that packages are installed in, each with its lists (`*.dist-info/RECORD`), by the names of files."""
    found: dict[str, list[str]] = {}
    for _, name in files:
        path = PurePosixPath(name)
        if path.name == "RECORD" and path.parent.name.endswith(".dist-info"):
            found.setdefault(path.parent.parent.as_posix(), []).append(name)
    return found


def look_at_folder(folder: str, lists: list[str], files: dict[str, Path], found: Scan) -> frozenset[str]:
    """Compare a folder of packages with its lists, and return the files that are as listed: they need no second look as program text."""
    listed: dict[str, tuple[Listed, str]] = {}
    for name in lists:
        for entry in _read(files[name], name, found):
            listed[joined(folder, entry.path)] = (entry, name)
    whole = set()
    for name, (entry, where) in sorted(listed.items()):
        finding = _compared(entry, name, where, files.get(name), found)
        if finding is None:
            whole.add(name)
        else:
            found.findings.append(finding)
    found.findings.extend(_extra(folder, set(listed), files))
    return frozenset(whole)


def _read(path: Path, name: str, found: Scan) -> list[Listed]:
    try:
        with path.open("rb") as stream:
            return read_list(stream.read(LARGEST + 1))
    except (RecordError, OSError) as error:
        found.unread.append(Unread(name, 0, str(error)))
        return []


def _within(name: str, folder: str) -> bool:
    return not name.startswith(("/", "../")) if folder == "." else name.startswith(f"{folder.rstrip('/')}/")


def _compared(entry: Listed, name: str, where: str, path: Path | None, found: Scan) -> Finding | None:
    """Return what is wrong with a listed file; None where it is as listed, or lies outside of what is looked at."""
    if path is None:
        outside = not _within(name, PurePosixPath(where).parent.parent.as_posix())
        return None if outside or entry.path.endswith(".pyc") else _gone(entry, where)
    if not entry.digest or entry.algorithm not in ALGORITHMS:
        return None
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, entry.algorithm).hexdigest()
    except OSError as error:
        found.unread.append(Unread(name, 0, error.strerror or str(error)))
        return None
    return None if digest == entry.digest else changed(name, entry, digest, f"{where}:{entry.line}")


def changed(name: str, entry: Listed, digest: str, where: str, member: str = "") -> Finding:
    """Say that a file is not what its list says."""
    return Finding(name, (1, 1), "line", "package-changed", f"is not the file that was installed: its {entry.algorithm} is not the one of {where}",
                   "what runs is not what the package's makers published", _HONEST_CHANGED, member=member, text=f"{entry.algorithm}:{digest}")  # fmt: skip


def _gone(entry: Listed, where: str) -> Finding:
    return Finding(where, (entry.line, entry.line), "line", "package-gone", f"names {entry.path}, which is not there",
                   "something was removed after the package was installed", _HONEST_GONE, text=entry.path)  # fmt: skip


def _extra(folder: str, listed: set[str], files: dict[str, Path]) -> Iterator[Finding]:
    """Yield the files that no list names. What Python compiled from a listed source is no surprise."""
    for name in sorted(files):
        if _within(name, folder) and name not in listed and not _compiled_from(name, listed, files):
            yield extra(name)


def extra(name: str, member: str = "") -> Finding:
    """Say that a file is in no list."""
    return Finding(name, (1, 1), "line", "package-extra", "is named by no list of installed files", "it came by another way than the packages around it",
                   _HONEST_EXTRA, member=member)  # fmt: skip


def _compiled_from(name: str, listed: set[str], files: dict[str, Path]) -> bool:
    """Tell whether a file is what Python compiles beside a source (https://docs.python.org/3/library/py_compile.html)."""
    path = PurePosixPath(name)
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return False
    source = (path.parent.parent / (path.name.split(".", 1)[0] + ".py")).as_posix()
    return source in listed or source in files
