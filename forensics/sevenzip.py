"""Opens 7z archives, in bounded memory: what the files in them are called, and the beginning of what they hold.

Format: https://py7zr.readthedocs.io/en/latest/archive_format.html, after 7zFormat.txt of the LZMA SDK.
"""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from forensics.containers import View, memory
from forensics.errors import RecordError

MAGIC = b"7z\xbc\xaf\x27\x1c"
_START = 32
"""bytes of the first header, behind which all places are counted"""
_HEADER = 16 << 20
"""bytes of a header"""
_MOST = 100_000
"""streams, folders or files"""
_STEP = 1 << 16
_DICTIONARY = 1 << 26
"""bytes of a window: no more than these are ever unpacked, so no distance is longer"""
_END, _MAIN, _FILES, _PACK, _UNPACK, _SUB, _SIZE, _CRC, _FOLDER, _SIZES, _COUNTS, _EMPTY, _NAMES, _ENCODED, _ALONE = (
    0x00, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x11, 0x17, 0x01,
)  # fmt: skip


class _Engine(Protocol):
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...

    @property
    def eof(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of an archive, as far as it was unpacked."""

    name: str
    content: View
    why: str
    """why it ends early; empty where it does not"""


@dataclass(frozen=True, slots=True)
class _Folder:
    """Streams that were packed together."""

    coders: tuple[tuple[bytes, bytes], ...]
    """(method, properties), the one first whose output the files are; empty where they do not form a line"""
    packed: int
    """packed streams that it needs"""
    size: int = 0
    """bytes when unpacked"""


@dataclass(slots=True)
class _Listing:
    """What a header says."""

    at: int = 0
    """of the first packed stream, behind the first header"""
    packed: list[int] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)
    parts: list[list[int]] = field(default_factory=list)
    """sizes of the files in each folder"""
    names: list[str] = field(default_factory=list)


def files(view: View, limit: int) -> Iterator[Packed]:
    """Yield the files of an archive, of which at most `limit` bytes are unpacked in all; RecordError where it can't be read."""
    listing = _listing(view)
    place, number, names = _START + listing.at, 0, iter(listing.names)
    for folder, parts in zip(listing.folders, listing.parts, strict=True):
        if number + folder.packed > len(listing.packed):
            raise RecordError("names packed streams that it does not have")
        size = sum(listing.packed[number : number + folder.packed])
        called = [next(names, "") for _ in parts]
        yield from _of_folder(view, place, folder, size, parts, called, limit)
        limit -= min(limit, folder.size)
        place, number = place + size, number + folder.packed


def _of_folder(view: View, place: int, folder: _Folder, size: int, parts: list[int], names: list[str], limit: int) -> Iterator[Packed]:
    fixed = view.place(place, place + size)
    try:
        content, why = _unpacked(view.part(place, size), folder, limit)
    except RecordError as error:
        yield from (Packed(name, memory(b"", fixed), error.what) for name in names[:1])
        return
    at = 0
    for part, name in zip(parts, names, strict=True):
        yield Packed(name, memory(content[at : at + part], fixed), why if at + part > len(content) else "")
        at += part


# --- what is packed ---------------------------------------------------------------------------------------------------


def _unpacked(stored: View, folder: _Folder, limit: int) -> tuple[bytes, str]:
    """Unpack the beginning of a folder's streams; (bytes, why they end early)."""
    if not folder.coders or folder.packed != 1:
        raise RecordError("packed in several streams, which is not read")
    engine = _engine(folder)
    wanted = min(limit, folder.size)
    out, place = bytearray(), 0
    while len(out) < wanted and not (engine and engine.eof):
        data = stored.read(place, _STEP)
        place += len(data)
        if not data:
            return bytes(out), "it ends in the middle"
        try:
            out += engine.decompress(data, wanted - len(out)) if engine else data
            while engine and len(out) < wanted and not engine.eof and (more := engine.decompress(b"", wanted - len(out))):
                out += more
        except (lzma.LZMAError, zlib.error, OSError, ValueError, EOFError):
            return bytes(out), "its packed bytes are damaged"
    short = len(out) < folder.size
    return bytes(out[:wanted]), (f"limit: more than {limit} bytes" if wanted < folder.size else "it ends in the middle") if short else ""


class _Deflate:
    """zlib's engine, called as the others are."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(-15)
        self._left = b""

    @property
    def eof(self) -> bool:
        return self._engine.eof

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        found = self._engine.decompress(self._left + data, max_length)
        self._left = self._engine.unconsumed_tail
        return found


_FILTERS = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x03\x03\x02\x05": lzma.FILTER_POWERPC, b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM, b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB, b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}  # fmt: skip
"""what 7z lays over programs before it packs them; programs that write archives often do so with any file"""


def _engine(folder: _Folder) -> _Engine | None:
    """Return what unpacks a folder; None for one that stores bytes as they are. RecordError where its methods are not read."""
    *before, (method, properties) = folder.coders
    filters: list[dict[str, int]] = []
    for name, _ in before:
        if name not in _FILTERS:
            raise RecordError(f"packed by method {name.hex()}, which is not read{_PROTECTED.get(name, '')}")
        filters.append({"id": _FILTERS[name]})
    if method in (b"\x03\x01\x01", b"\x21"):
        last = _lzma1(properties) if method == b"\x03\x01\x01" else _lzma2(properties)
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[*filters, last])
    if not filters and method in _OTHERS:
        return _OTHERS[method]()
    raise RecordError(f"packed by method {method.hex()}, which is not read{_PROTECTED.get(method, '')}")


_PROTECTED = {b"\x06\xf1\x07\x01": " (protected by a password)"}
_OTHERS: dict[bytes, Callable[[], _Engine | None]] = {
    b"\x00": lambda: None,
    b"\x04\x01\x08": _Deflate,
    b"\x04\x02\x02": bz2.BZ2Decompressor,
}


def _lzma1(properties: bytes) -> dict[str, int]:
    packed = properties[0] if len(properties) == 5 else 255
    lc, lp, pb = packed % 9, packed // 9 % 5, packed // 45
    if lc + lp > 4 or pb > 4:
        raise RecordError("its settings are none that LZMA has")
    size = max(4096, min(int.from_bytes(properties[1:], "little"), _DICTIONARY))
    return {"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}


def _lzma2(properties: bytes) -> dict[str, int]:
    if len(properties) != 1 or properties[0] > 40:
        raise RecordError("its settings are none that LZMA has")
    size = (2 | (properties[0] & 1)) << (properties[0] // 2 + 11)
    return {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, min(size, _DICTIONARY))}


# --- headers ----------------------------------------------------------------------------------------------------------


class _Bytes:
    """A header, read from its beginning to its end; RecordError where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def take(self, count: int) -> bytes:
        data = self._stream.read(count) if 0 <= count <= _HEADER else b""
        if len(data) != count:
            raise RecordError("its header ends too early")
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Read a number: the bits set at the left of its first byte say how many bytes follow."""
        first = self.byte()
        more = next((n for n in range(8) if not first & (0x80 >> n)), 8)
        low = int.from_bytes(self.take(more), "little")
        return low + ((first & (0xFF >> (more + 1))) << (8 * more) if more < 8 else 0)

    def count(self) -> int:
        found = self.number()
        if found > _MOST:
            raise RecordError(f"limit: more than {_MOST} things in one archive")
        return found

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[i // 8] & (0x80 >> i % 8)) for i in range(count)]

    def some(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def left(self) -> bool:
        return self._stream.tell() < len(self._stream.getvalue())


def _listing(view: View) -> _Listing:
    first = view.read(0, _START)
    offset, size = int.from_bytes(first[12:20], "little"), int.from_bytes(first[20:28], "little")
    if size > _HEADER:
        raise RecordError(f"limit: a header of {size} bytes")
    data = view.read(_START + offset, size)
    for _ in range(4):  # a header may be packed, and that of its packing, too
        header = _Bytes(data)
        kind = header.byte()
        if kind == _ALONE:
            return _whole(header)
        if kind != _ENCODED:
            break
        inner = _streams(header)
        if len(inner.folders) != 1 or inner.folders[0].size > _HEADER:
            break
        data, why = _unpacked(view.part(_START + inner.at, sum(inner.packed)), inner.folders[0], _HEADER)
        if why:
            raise RecordError(f"its header can't be unpacked: {why}")
    raise RecordError("its header is none that 7z has")


def _whole(header: _Bytes) -> _Listing:
    listing = _Listing()
    while (kind := header.byte()) != _END:
        if kind == _MAIN:
            listing = _streams(header)
        elif kind == _FILES:
            listing.names = _names(header)
        else:
            raise RecordError(f"its header has a part {kind:#04x}, which is not read")
    return listing


def _streams(header: _Bytes) -> _Listing:
    """Read where packed streams stand, and how they were packed."""
    listing = _Listing()
    while (kind := header.byte()) != _END:
        if kind == _PACK:
            listing.at, count = header.number(), header.count()
            _sizes_of_packed(header, listing, count)
        elif kind == _UNPACK:
            listing.folders = _folders(header)
            listing.parts = [[folder.size] for folder in listing.folders]
        elif kind == _SUB:
            listing.parts = _parts(header, listing.folders)
        else:
            raise RecordError(f"its header has a part {kind:#04x}, which is not read")
    return listing


def _sizes_of_packed(header: _Bytes, listing: _Listing, count: int) -> None:
    while (kind := header.byte()) != _END:
        if kind == _SIZE:
            listing.packed = [header.number() for _ in range(count)]
        elif kind == _CRC:
            header.take(4 * sum(header.some(count)))
        else:
            raise RecordError("its packed streams are described in a way that is not read")


def _folders(header: _Bytes) -> list[_Folder]:
    if header.byte() != _FOLDER:
        raise RecordError("its folders are described in a way that is not read")
    count = header.count()
    if header.byte():
        raise RecordError("its folders are described elsewhere, which is not read")
    shapes = [_folder(header) for _ in range(count)]
    found: list[_Folder] = []
    while (kind := header.byte()) != _END:
        if kind == _SIZES:
            found = [replace(f, size=[header.number() for _ in range(outputs)][own]) for f, outputs, own in shapes]
        elif kind == _CRC:
            header.take(4 * sum(header.some(count)))
        else:
            raise RecordError("its folders are described in a way that is not read")
    return found


def _folder(header: _Bytes) -> tuple[_Folder, int, int]:
    """Read how a folder was packed; with the number of streams that come out of its coders, and which of them is the folder's own."""
    coders, inputs, outputs = [], 0, 0
    for _ in range(header.count()):
        flags = header.byte()
        method = header.take(flags & 0x0F)
        into, out = (header.count(), header.count()) if flags & 0x10 else (1, 1)
        coders.append((method, header.take(header.count()) if flags & 0x20 else b""))
        inputs, outputs = inputs + into, outputs + out
    bound = {header.number(): header.number() for _ in range(max(0, outputs - 1))}
    packed = inputs - len(bound)
    if packed > 1:
        for _ in range(packed):
            header.number()
    order = _order(bound, outputs)
    simple = inputs == outputs == len(coders) == len(order)
    return _Folder(tuple(coders[i] for i in order) if simple else (), packed), outputs, order[0] if order else 0


def _order(bound: dict[int, int], count: int) -> list[int]:
    """Return coders of one stream each in the order from the file to what is packed; `bound`: whose output goes into which one's input."""
    here = next((i for i in range(count) if i not in bound.values()), None)
    order: list[int] = []
    while here is not None and here < count and here not in order:
        order.append(here)
        here = bound.get(here)
    return order


def _parts(header: _Bytes, folders: list[_Folder]) -> list[list[int]]:
    """Read the sizes of the files in each folder; the last one's is what is left."""
    counts, parts = [1] * len(folders), [[folder.size] for folder in folders]
    while (kind := header.byte()) != _END:
        if kind == _COUNTS:
            counts = [header.count() for _ in folders]
            parts = [[folder.size] if n == 1 else [] for folder, n in zip(folders, counts, strict=True)]
        elif kind == _SIZE:
            for number, (folder, count) in enumerate(zip(folders, counts, strict=True)):
                sizes = [header.number() for _ in range(count - 1)]
                parts[number] = [*sizes, max(0, folder.size - sum(sizes))] if count else []
        elif kind == _CRC:
            header.take(4 * sum(header.some(sum(n for n in counts))))
        else:
            raise RecordError("its files are described in a way that is not read")
    return parts


def _names(header: _Bytes) -> list[str]:
    """Read the names of the files that have content."""
    count = header.count()
    names, empty = [""] * count, [False] * count
    while (kind := header.byte()) != _END:
        part = _Bytes(header.take(header.number()))
        if kind == _EMPTY:
            empty = part.bits(count)
        elif kind == _NAMES and not part.byte():
            names = [_name(part) for _ in range(count)]
    return [name for name, none in zip(names, empty, strict=True) if not none]


def _name(part: _Bytes) -> str:
    units = bytearray()
    while (unit := part.take(2)) != b"\0\0":
        units += unit
    return units.decode("utf-16-le", "backslashreplace")[:300]
