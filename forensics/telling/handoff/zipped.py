"""The one zip that a bag's files make: in the order of their names, stored as they are, all of 1980; the same on every system and Python.

PKWARE's APPNOTE, 4.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). The standard library's writer is not used: what it writes for the same
files has changed between versions, and here every byte counts.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Blocks = Callable[[str], Iterable[bytes]]
"""name -> the file's bytes, piece by piece"""
_NEEDED = {False: 20, True: 45}
"""version of the format: with sizes of 32 or of 64 bits"""
_UTF8, _NEW_YEAR_1980, _REGULAR = 0x800, 0x21, 0o100644 << 16
_LONG, _SHORT = 0xFFFFFFFF, 0xFFFF
_SMALL = 0x7FFFFFFF
"""bytes from which on the whole zip has sizes of 64 bits"""
_OVERHEAD = 200
"""bytes of headers that are reckoned for a file"""


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    label: bytes
    size: int
    crc: int


def zip_bytes(top: str, names: Iterable[str], blocks: Blocks) -> Iterator[bytes]:
    """Yield the zip of these files below the folder `top`. Stored, so that no version of a compressor matters and nothing can swell."""
    members = [_member(top, name, blocks) for name in sorted(names)]
    big = len(members) >= _SHORT or sum(m.size + _OVERHEAD for m in members) >= _SMALL
    listing, offset = [], 0
    for m in members:
        extra = struct.pack("<HHQQ", 1, 16, m.size, m.size) if big else b""
        yield b"PK\x03\x04" + _head(m, big=big) + struct.pack("<H", len(extra)) + m.label + extra
        yield from blocks(m.name)
        listing.append(_listed(m, offset, big=big))
        offset += 30 + len(m.label) + len(extra) + m.size
    yield b"".join(listing)
    yield _end(len(members), sum(map(len, listing)), offset, big=big)


def _member(top: str, name: str, blocks: Blocks) -> _Member:
    size = crc = 0
    for block in blocks(name):
        size, crc = size + len(block), zlib.crc32(block, crc)
    return _Member(name, f"{top}/{name}".encode(), size, crc)


def _head(m: _Member, *, big: bool) -> bytes:
    """Return what a file's own header and its line in the directory have in common."""
    size = _LONG if big else m.size
    return struct.pack("<HHHHHLLLH", _NEEDED[big], _UTF8, 0, 0, _NEW_YEAR_1980, m.crc, size, size, len(m.label))


def _listed(m: _Member, offset: int, *, big: bool) -> bytes:
    extra = struct.pack("<HHQQQ", 1, 24, m.size, m.size, offset) if big else b""
    rest = struct.pack("<HHHHLL", len(extra), 0, 0, 0, _REGULAR, _LONG if big else offset)
    return b"PK\x01\x02" + struct.pack("<H", 0x300 + _NEEDED[big]) + _head(m, big=big) + rest + m.label + extra


def _end(count: int, size: int, offset: int, *, big: bool) -> bytes:
    if not big:
        return b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, size, offset, 0)
    return (
        b"PK\x06\x06"
        + struct.pack("<QHHLLQQQQ", 44, 0x300 + _NEEDED[big], _NEEDED[big], 0, 0, count, count, size, offset)
        + b"PK\x06\x07"
        + struct.pack("<LQL", 0, offset + size, 1)
        + b"PK\x05\x06"
        + struct.pack("<HHHHLLH", 0, 0, _SHORT, _SHORT, _LONG, _LONG, 0)
    )
