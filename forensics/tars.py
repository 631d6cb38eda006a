"""The files of a folder or of a tar archive, one after the other, within limits; links and devices are noted and left."""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from forensics.errors import RecordError
from forensics.evidence import Unpacked, open_text
from forensics.model import Evidence

MEMBERS = 4_000_000
DEPTH = 64
LONGEST_NAME = 4096
LARGEST = 1 << 40
HEADER = 1 << 20
"""a member's extended header may be this large: tarfile holds it in memory"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file; `open` is called before the next entry is asked for, or never."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    path: str = ""
    """where it lies, if it is a file of its own"""
    start: int = 0
    """its first byte, in the archive after decompression"""


class _Member(tarfile.TarInfo):
    """A tar header whose extension can't fill the memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size > HEADER and not self.isreg() and not self.isdir():
            raise tarfile.HeaderError("a header of more than 1 MiB")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


def is_tar(evidence: Evidence) -> bool:
    """Tell whether a source is one tar archive, by its name."""
    return len(evidence.files) == 1 and evidence.files[0].path.endswith((".tar", ".tar.gz", ".tar.zst"))


def entries(evidence: Evidence, notes: set[str]) -> Iterator[Entry]:
    """Yield every regular file in order; RecordError where an archive breaks off or breaks a limit."""
    if is_tar(evidence):
        with open_text(evidence.files[0]) as stream:
            yield from members(stream, notes)
        return
    for file in evidence.files:
        yield Entry(file.file, file.size, lambda path=file.path: Path(path).open("rb"), file.path)  # type: ignore[misc]  # noqa: SIM115 - whoever opens it closes it


def members(stream: BinaryIO, notes: set[str]) -> Iterator[Entry]:
    """Yield every regular file of an archive in order; RecordError where it breaks off or breaks a limit."""
    count = total = 0
    seen: set[str] = set()
    ended: list[bool] = []

    class Member(_Member):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            """Notice the block of zeros that ends an archive: tarfile takes a missing one for the end as well."""
            ended.extend([True] * (not any(buf)))
            return super().frombuf(buf, encoding, errors)

    try:
        # fileobj of a stream is only ever read forward, so that a compressed archive needs no temporary file
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=Member) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # else every header stays in memory
                count, total = count + 1, total + member.size
                if count > MEMBERS or total > LARGEST:
                    raise RecordError(f"the archive has more than {MEMBERS} members or {LARGEST} bytes: the rest is left")
                name = _accept(member, seen, notes)
                if name:
                    yield Entry(name, member.size, lambda m=member: _opened(archive, m), "", member.offset_data)  # type: ignore[misc]
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise RecordError(f"the archive can't be read on: {_reason(error, stream)}") from error
    if isinstance(stream, Unpacked) and stream.damage:
        raise RecordError(f"the archive can't be read on: {stream.damage}")
    if not ended:
        raise RecordError("the archive breaks off: its end mark is missing")


def _reason(error: Exception, stream: BinaryIO) -> str:
    return stream.damage if isinstance(stream, Unpacked) and stream.damage else str(error) or type(error).__name__


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    stream = archive.extractfile(member)
    assert stream is not None
    return stream  # type: ignore[return-value]


def _accept(member: tarfile.TarInfo, seen: set[str], notes: set[str]) -> str:
    """Return a member's name, or nothing where it is left, with a note where that is worth one."""
    name = member.name.removeprefix("./")
    shown = readable(name)
    if member.isdir():
        return ""
    if not member.isreg() or member.issparse():
        kind = "link" if member.islnk() or member.issym() else "special file"
        notes.add(f"{kind} in the archive not followed: {shown[:300]}")
        return ""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "" in parts or "\\" in name or len(parts) > DEPTH or len(name) > LONGEST_NAME:
        notes.add(f"member of the archive with a path that leads elsewhere, left alone: {shown[:300]}")
        return ""
    if name in seen:
        notes.add(f"second member of the archive with the same path, left alone: {shown[:300]}")
        return ""
    seen.add(name)
    return name


def readable(name: str) -> str:
    r"""Return a file name as valid text: bytes that are none stand as `\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
