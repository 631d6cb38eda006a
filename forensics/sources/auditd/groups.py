"""Lines -> groups of records of one event, and where a file may be cut between them.

The records of an event bear the same time and serial, and lie together, though those of others may lie between
(https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Dispatcher-Plugin-Protocol). A group ends where
its next record would be more than REACH bytes away.
"""

import mmap
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from forensics import records
from forensics.errors import RecordError
from forensics.evidence import compression
from forensics.model import Evidence, EvidenceFile, Piece, Reject

REACH = 64 << 10
LONGEST = 8 << 20
"""a group that goes on for more than this is closed, so that no file is held in memory"""
_HEAD = 512
"""bytes in which the time and serial of a line end"""
_KEY = re.compile(rb"^(node=\S+ )?type=\S+ msg=(audit\(\d{1,10}\.\d{1,9}:\d{1,20}\))", re.MULTILINE)
_LINE = re.compile(rb"(?:node=(\S*) )?type=(\S+) msg=audit\((\d{1,10})\.(\d{1,9}):(\d{1,20})\):? ?(.*)", re.DOTALL)


class Record(NamedTuple):
    """One line."""

    type: bytes
    body: bytes
    start: int
    end: int


class Group(list[Record]):
    """The records of one event, in the order of their lines."""

    __slots__ = ("key", "last")

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self.key = key
        """node, time and serial as written"""
        self.last = 0


# --- cutting ----------------------------------------------------------------------------------------------------------


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at line ends where no group reaches across."""
    for file in evidence.files:
        for start, end in _cuts(file, records.PIECE):
            yield Piece(evidence.source, file, start, end, work=evidence.work)


def _cuts(file: EvidenceFile, size: int) -> Iterator[tuple[int, int]]:
    if compression(file.path) or file.size <= size:
        yield 0, -1
        return
    with Path(file.path).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        start = 0
        while start < file.size:
            end = _between(view, start + size, start)
            yield start, end
            start = end


def _between(view: mmap.mmap, at: int, start: int) -> int:
    """Return a line end from `at` on that no group of the piece reaches across; the file's end if there is none."""
    while at < len(view):
        at = view.find(b"\n", at - 1) + 1 or len(view)
        low = view.rfind(b"\n", start, max(at - REACH, start)) + 1 or start
        before = {found.groups() for found in _KEY.finditer(view[low:at])}
        after = [found.end() for found in _KEY.finditer(view[at : at + REACH + _HEAD]) if found.groups() in before]
        if not after:
            return at
        at += max(after[-1], REACH // 4)
    return len(view)


# --- putting together -------------------------------------------------------------------------------------------------


def groups(piece: Piece, tally: records.Tally) -> Iterator[Group]:
    """Yield the groups of a piece in the order of their first lines; book every line."""
    opened: dict[bytes, Group] = {}
    waiting: deque[Group] = deque()
    group = Group(b"")
    for line, start, end in records.lines(piece, tally):
        record = _record(line, start, end, tally, group.key)
        if record is None:
            continue
        key, kind, body = record
        if key != group.key or start - group.last > REACH or start - group[0].start > LONGEST:
            known = opened.get(key)
            if known is None or start - known.last > REACH or start - known[0].start > LONGEST:
                group = opened[key] = Group(key)
                waiting.append(group)
                while waiting[0] is not group and start - waiting[0].last > REACH:
                    yield _closed(waiting.popleft(), opened)
            else:
                group = known
        group.append(Record(kind, body, start, end))
        group.last = end
    while waiting:
        yield _closed(waiting.popleft(), opened)


def _closed(group: Group, opened: dict[bytes, Group]) -> Group:
    if opened.get(group.key) is group:
        del opened[group.key]
    return group


def _record(line: bytes, start: int, end: int, tally: records.Tally, before: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return (key, type, body) of a line and book it; None where it is blank or no record. `before` is the key of the line before."""
    at = line.find(b"): ", 20, 400)
    begin = line.find(b" msg=audit(", 5, at) if at > 0 and line[:5] == b"type=" else -1
    key = line[begin + 11 : at]
    if begin > 0 and (key == before or _PLAIN_KEY.fullmatch(key)) and (kind := line[5:begin]) and b" " not in kind:
        body = line[at + 3 :]
    else:
        try:
            key, kind, body = _slowly(line[3:] if start == 0 and line.startswith(b"\xef\xbb\xbf") else line)
        except RecordError as error:
            if line.isspace() or not line:
                tally.batch.skipped += end - start
            else:
                tally.batch.rejects.append(Reject(start, end, error.what))
            return None
    if b"=" not in body and kind in _HAVE_FIELDS:
        tally.batch.rejects.append(Reject(start, end, f"a record of type {kind.decode()} without fields"))
        return None
    tally.batch.parsed += end - start
    return key, kind, body


_PLAIN_KEY = re.compile(rb"\d{1,10}\.\d{3}:\d{1,20}")
_HAVE_FIELDS = frozenset(
    (b"SYSCALL", b"EXECVE", b"CWD", b"PATH", b"PROCTITLE", b"SOCKADDR", b"LOGIN", b"USER_LOGIN", b"USER_CMD", b"USER_START", b"USER_END")
)


def _slowly(line: bytes) -> tuple[bytes, bytes, bytes]:
    found = _LINE.fullmatch(line)
    if not found:
        raise RecordError("no audit record: it does not begin with type=... msg=audit(<time>:<serial>)")
    node, kind, seconds, fraction, serial, body = found.groups()
    key = b"%s.%s:%s" % (seconds, fraction, serial)
    return (b"%s %s" % (node, key) if node else key), kind, body
