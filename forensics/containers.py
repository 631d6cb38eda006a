"""Opens what holds files inside a file: views of bytes that know where in the evidence they stand, and zip archives, broken ones too.

A zip is read both ways: by its directory, as most programs do, and by the headers in front of its members. What stands in one of them alone is
read all the same, and said. Reference: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from forensics.errors import RecordError

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LOCATOR, _END64, _DESCRIPTOR = b"PK\x06\x07", b"PK\x06\x06", b"PK\x07\x08"
MEMBERS = 100_000
"""members of all archives in one file"""
INFLATED = 64 << 20
"""bytes of a compressed member that are unpacked; checkpoints store theirs as they are"""
PROBLEMS = 100
"""of one archive"""
_STEP = 1 << 16
_OUT = 1 << 20
"""bytes that are unpacked at once"""
_SEARCH = 1 << 20
_GAP = 1 << 16
"""bytes between two members that are searched for the next header, where the directory tells of none"""
_CANDIDATES = 1000
"""marks inside a member of unknown size that could be its end and are not"""
STORED, DEFLATED = 0, 8
_UNIX = 3
"""the system by which a directory's entry was made, whose files have modes"""


Reader = Callable[[int, int], bytes]
"""(place in the file or buffer, how many) -> bytes"""


@dataclass(frozen=True, slots=True)
class View:
    """A stretch of bytes that can be read at any place, and where it stands in the evidence."""

    reader: Reader
    first: int
    """of the reader's bytes"""
    size: int
    fixed: tuple[int, int] | None = None
    """of unpacked bytes: where the packed ones stand in the evidence"""

    def read(self, at: int, count: int) -> bytes:
        """Return bytes; fewer where the view ends."""
        count = min(count, self.size - at)
        return self.reader(self.first + at, count) if count > 0 and at >= 0 else b""

    def part(self, at: int, size: int) -> "View":
        """Return a view of some of it, cut to what is there."""
        at = max(0, min(at, self.size))
        return View(self.reader, self.first + at, max(0, min(size, self.size - at)), self.fixed)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where bytes stand in the evidence; of unpacked ones, where the packed member does."""
        return self.fixed or (self.first + start, self.first + end)

    def find(self, marks: tuple[bytes, ...], start: int, end: int) -> int:
        """Return the first place of any of these marks of four bytes; -1 where there is none."""
        end, step = min(end, self.size), 1 << 8
        while start < end:
            data = self.read(start, min(step, end - start) + 3)
            places = [found for mark in marks if (found := data.find(mark)) >= 0]
            if places:
                return start + min(places)
            start += step
            step = min(step * 4, _SEARCH)  # most marks stand near; a far one costs few reads
        return -1


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive."""

    name: str
    header: int
    data: int
    """first byte of what is stored"""
    packed: int
    size: int
    method: int
    flags: int
    crc: int
    mode: int = 0
    """of a Unix file, as the directory tells it: a link's is S_IFLNK"""

    @property
    def locked(self) -> bool:
        """Tell whether its header says that it is encrypted."""
        return bool(self.flags & 0x41)


@dataclass(frozen=True, slots=True)
class Archive:
    """Members in the order of their places, and what is not as it should be, with its place."""

    members: tuple[Member, ...]
    problems: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class Allowance:
    """What may still be spent on the archives of one file: they may lie inside and across each other."""

    searched: int
    """bytes in which ends of members are searched for"""
    members: int = MEMBERS


@dataclass(frozen=True, slots=True)
class _Problems:
    found: list[tuple[int, str]]

    def note(self, place: int, why: str) -> None:
        if len(self.found) < PROBLEMS:
            self.found.append((place, why))


def archive(view: View, allowance: Allowance) -> Archive | None:
    """List a zip's members; None where it is no zip."""
    problems = _Problems([])
    listed = _directory(view, problems, allowance)
    if listed is None and view.read(0, 4) != LOCAL:
        return None
    if listed is None:
        problems.note(view.size, "the zip has no directory at its end: read by its members' own headers")
    found = {member.header: member for member in listed or ()}
    try:
        for member in _walk(view, found, allowance):
            if listed is not None:
                problems.note(member.header, f"the zip's directory does not list {member.name!r}")
            found[member.header] = member
    except RecordError as error:
        problems.note(view.size, error.what)
    members = tuple(found[place] for place in sorted(found))
    return Archive(members, tuple(problems.found))


# --- the directory at the end --------------------------------------------------------------------------------------


def _directory(view: View, problems: _Problems, allowance: Allowance) -> list[Member] | None:
    """Read the directory; None where there is none that leads anywhere."""
    found = _end(view)
    if found is None:
        return None
    place, shift = found
    members: dict[int, Member] = {}
    while allowance.members > 0:
        allowance.members -= 1
        fixed = view.read(place, 46)
        if len(fixed) < 46 or fixed[:4] != CENTRAL:
            break
        member, length = _listed(view, place, fixed, shift, problems)
        if member is not None:
            members.setdefault(member.header, member)
        place += length
    else:
        problems.note(place, f"limit: more than {MEMBERS} members in archives")
    return list(members.values()) or None


def _end(view: View) -> tuple[int, int] | None:
    """Return where the directory begins, and by how much all its places are off (bytes put in front of the archive)."""
    tail_at = max(0, view.size - 65557)
    tail = view.read(tail_at, view.size - tail_at)
    at = len(tail)
    while (at := tail.rfind(END, 0, at)) >= 0:
        if len(tail) - at < 22:
            continue
        size, offset = struct.unpack_from("<2I", tail, at + 12)
        end = tail_at + at
        if 0xFFFFFFFF in (size, offset) or struct.unpack_from("<H", tail, at + 10)[0] == 0xFFFF:
            size, offset, end = _end64(view, end) or (size, offset, end)
        for start in (end - size, offset):
            if view.read(start, 4) == CENTRAL:
                return start, start - offset
    return None


def _end64(view: View, end: int) -> tuple[int, int, int] | None:
    locator = view.read(end - 20, 20)
    if locator[:4] != _LOCATOR:
        return None
    stated = struct.unpack_from("<Q", locator, 8)[0]
    for place in (stated, end - 20 - 56):
        record = view.read(place, 56)
        if record[:4] == _END64 and len(record) == 56:
            size, offset = struct.unpack_from("<2Q", record, 40)
            return size, offset, place
    return None


def _listed(view: View, place: int, fixed: bytes, shift: int, problems: _Problems) -> tuple[Member | None, int]:
    """Read an entry of the directory with the header that it points to; return it, and the entry's length."""
    flags, method = struct.unpack_from("<2H", fixed, 8)
    crc, packed, size = struct.unpack_from("<3I", fixed, 16)
    named, extra, comment = struct.unpack_from("<3H", fixed, 28)
    header = struct.unpack_from("<I", fixed, 42)[0]
    length = 46 + named + extra + comment
    name = view.read(place + 46, named)
    size, packed, header = _large(view.read(place + 46 + named, extra), (size, packed, header))
    header += shift
    local = view.read(header, 30)
    if len(local) < 30 or local[:4] != LOCAL:
        problems.note(place, f"the zip's directory lists {_text(name)!r}, which is not where it says")
        return None, length
    names, extras = struct.unpack_from("<2H", local, 26)
    own = view.read(header + 30, names)
    if own != name:
        problems.note(header, f"a member is {_text(name)!r} in the zip's directory and {_text(own)!r} in its own header")
    mode = struct.unpack_from("<H", fixed, 40)[0] if fixed[5] == _UNIX else 0
    return Member(_text(name), header, header + 30 + names + extras, packed, size, method, flags, crc, mode), length


def _large(extra: bytes, stated: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return sizes and place, taken from the zip64 field where the plain ones are full."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = [int.from_bytes(extra[i : i + 8], "little") for i in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8)]
            return tuple(wide.pop(0) if value == 0xFFFFFFFF and wide else value for value in stated)  # type: ignore[return-value]
        at += 4 + length
    return stated


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")[:300]


# --- the headers in front of the members ---------------------------------------------------------------------------


def _walk(view: View, known: dict[int, Member], allowance: Allowance) -> Iterator[Member]:
    """Go from header to header, and yield members that are not known. RecordError where the last one breaks off."""
    listed = sorted(known)
    place = 0 if view.read(0, 4) == LOCAL or not listed else listed[0]
    while view.read(place, 4) == LOCAL:
        member = known.get(place)
        if member is None:
            if allowance.members <= 0:
                raise RecordError(f"limit: more than {MEMBERS} members in archives")
            allowance.members -= 1
            member = _own(view, place, allowance)
            yield member
        end = member.data + member.packed
        if end > view.size:
            raise RecordError(f"the zip breaks off within {member.name!r}")
        place = view.find((LOCAL, CENTRAL), end, end + _GAP)
        if place < 0:
            following = bisect_left(listed, end)
            if following == len(listed):
                return
            place = listed[following]


def _own(view: View, place: int, allowance: Allowance) -> Member:
    """Read a member by its own header; one that leaves its size to what follows is measured."""
    fixed = view.read(place, 30).ljust(30, b"\0")
    flags, method = struct.unpack_from("<2H", fixed, 6)
    crc, packed, size = struct.unpack_from("<3I", fixed, 14)
    names, extras = struct.unpack_from("<2H", fixed, 26)
    name = _text(view.read(place + 30, names))
    data = place + 30 + names + extras
    size, packed, _ = _large(view.read(place + 30 + names, extras), (size, packed, 0))
    if flags & 8 and not packed:
        packed = _measured(view, data, allowance)
        size, crc = packed, 0
    return Member(name, place, data, packed, size, method, flags, crc)


def _measured(view: View, data: int, allowance: Allowance) -> int:
    """Return how long a member is whose size stands behind it: up to a descriptor that fits, the next header, or the end."""
    last = min(view.size, data + allowance.searched)
    length = view.size - data
    place = data
    for _ in range(_CANDIDATES):
        place = view.find((_DESCRIPTOR, LOCAL, CENTRAL), place, last)
        if place < 0:
            break
        found = view.read(place, 24)
        if found[:4] != _DESCRIPTOR or place - data in (int.from_bytes(found[8:12], "little"), int.from_bytes(found[8:16], "little")):
            length = place - data
            break
        place += 4
    allowance.searched -= min(max(length, 0), last - data)
    return max(0, length)


# --- what a member holds -------------------------------------------------------------------------------------------


def unpacked(view: View, member: Member, limit: int) -> tuple[View, str]:
    """Return a member's bytes, of a compressed one at most `limit`, and why they end early (empty where they do not).

    RecordError where nothing of it can be unpacked.
    """
    stored = view.part(member.data, member.packed)
    if member.method == STORED:
        return stored, ""
    if member.method != DEFLATED:
        raise RecordError(f"{member.name!r} is packed by method {member.method}, which is not read")
    data, why = _inflated(stored, limit)
    if not data and why:
        raise RecordError(f"{member.name!r} can't be unpacked: {why}")
    return memory(data, stored.place(0, stored.size)), why


def memory(data: bytes, fixed: tuple[int, int] | None = None) -> View:
    """Return a view of bytes at hand."""
    return View(lambda at, count: data[at : at + count], 0, len(data), fixed)


def parts(view: View, member: Member, limit: int) -> Iterator[bytes]:
    """Yield a member's bytes in small pieces, whatever its size; RecordError where they are damaged, or more than `limit`."""
    stored = view.part(member.data, member.packed)
    if member.method == STORED:
        yield from (stored.read(at, _STEP) for at in range(0, stored.size, _STEP))
        return
    if member.method != DEFLATED:
        raise RecordError(f"{member.name!r} is packed by method {member.method}, which is not read")
    length = 0
    for part in _pieces(stored):
        length += len(part)
        if length > limit:
            raise RecordError(f"limit: more than {limit} bytes")
        yield part


def _inflated(stored: View, limit: int) -> tuple[bytes, str]:
    found: list[bytes] = []
    length = 0
    try:
        for part in _pieces(stored):
            found.append(part)
            length += len(part)
            if length > limit:
                return b"".join(found)[:limit], f"limit: more than {limit} bytes"
    except RecordError as error:
        return b"".join(found), error.what
    return b"".join(found), ""


def _pieces(stored: View) -> Iterator[bytes]:
    """Inflate in steps: none of them is longer than what a step of packed bytes may become, cut into steps again."""
    engine = zlib.decompressobj(-15)
    place = 0
    while not engine.eof:
        packed = engine.unconsumed_tail or stored.read(place, _STEP)
        if not engine.unconsumed_tail:
            place += len(packed)
        if not packed:
            raise RecordError("it ends in the middle")
        try:
            yield engine.decompress(packed, _OUT)
        except zlib.error:
            raise RecordError("its packed bytes are damaged") from None


def checksum_fails(content: View, member: Member) -> bool:
    """Tell whether bytes are not those of the recorded CRC-32; large members are left to their digest."""
    if content.size > INFLATED or content.size != member.size:
        return content.size != member.size and not member.flags & 8
    crc = 0
    for at in range(0, content.size, _STEP):
        crc = zlib.crc32(content.read(at, _STEP), crc)
    return crc != member.crc and not (member.crc == 0 and member.flags & 8)
