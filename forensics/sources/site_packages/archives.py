"""An environment that was handed in as one archive: every file in it is read where it lies, and nothing is unpacked to a disk.

Of a .tar the bytes of a reference are those of the file, in the archive after decompression. Of a .zip they are those that the archive stores; `packed` in attrs says
that they are deflated. Links are not followed; they, and paths that lead elsewhere, are told as rejected rows without bytes. Headers and padding are skipped.
"""

import hashlib
import io
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from forensics import containers, tars
from forensics.errors import RecordError
from forensics.evidence import FREE_GROWTH, LARGEST_RATIO, Unpacked, open_text
from forensics.installed import LARGEST
from forensics.model import Batch, Event, Piece, Reject
from forensics.records import BATCH
from forensics.sources.site_packages.lists import LIST, content, lines_of

_BLOCK = 1 << 20
_TAR = 512
_NOTED = 100
"""things left alone that are told one by one"""
_ZIP = ".zip"
_TARS = (".tar", ".tar.gz", ".tar.zst")


def is_archive(piece: Piece) -> bool:
    """Tell whether the source is one archive, by its name."""
    return not piece.file.file and piece.file.path.endswith((_ZIP, *_TARS))


def read(piece: Piece) -> Iterator[Batch]:
    """Turn an archive into the events of its files."""
    with open_text(piece.file) as stream:
        yield from _zip(piece, stream) if piece.file.path.endswith(_ZIP) else _tar(piece, stream)


# --- tar -------------------------------------------------------------------------------------------------------------


def _tar(piece: Piece, stream: BinaryIO) -> Iterator[Batch]:
    batch, notes = Batch(), set[str]()
    done, whole, broken = 0, 0, ""
    """the end of the last file that was read whole, and the bytes of these"""
    try:
        for entry in tars.members(stream, notes):
            digest, text = _digested(_blocks(entry), keep=entry.name.endswith(LIST))
            name, end = tars.readable(entry.name), entry.start + entry.size
            batch.events.append(content(piece, name, digest, entry.start, end))
            _book(batch, piece, name, text, entry)
            done, whole = end + -end % _TAR, whole + entry.size
            if len(batch.events) >= BATCH:
                yield batch
                batch = Batch()
    except RecordError as error:
        broken = error.what
    while stream.read(_BLOCK):
        pass
    total = stream.text if isinstance(stream, Unpacked) else piece.file.size
    batch.rejects += _noted(notes)
    done = min(done, total)
    if broken:
        batch.rejects.append(Reject(done, total, broken))
    batch.skipped += (done if broken else total) - whole
    if isinstance(stream, Unpacked):
        batch.consumed, batch.damage = stream.consumed, stream.damage
    yield batch


def _blocks(entry: tars.Entry) -> Iterator[bytes]:
    """Yield a file's bytes; RecordError where they end early."""
    left = entry.size
    try:
        with entry.open() as file:
            while left and (data := file.read(min(_BLOCK, left))):
                left -= len(data)
                yield data
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise RecordError(f"the archive can't be read on: {error}") from error
    if left:
        raise RecordError("the archive breaks off within a file")


def _digested(blocks: Iterable[bytes], *, keep: bool) -> tuple[str, bytes | None]:
    """Return a file's SHA-256; and its text, where that is asked for and no longer than a list is."""
    digest, kept, size = hashlib.sha256(), list[bytes](), 0
    for data in blocks:
        digest.update(data)
        size += len(data)
        if keep and size <= LARGEST:
            kept.append(data)
    return digest.hexdigest(), b"".join(kept) if keep and size <= LARGEST else None


def _book(batch: Batch, piece: Piece, name: str, text: bytes | None, entry: tars.Entry) -> None:
    """Book a file's bytes; of a list line by line, each with its place."""
    if not name.endswith(LIST):
        batch.parsed += entry.size
        return
    if text is None:
        batch.rejects.append(Reject(entry.start, entry.start + entry.size, f"limit: a list of more than {LARGEST} bytes"))
        return
    for start, end, found in _lines(piece, name, text):
        place = entry.start + start, entry.start + end
        if isinstance(found, str):
            batch.rejects.append(Reject(*place, found))
        else:
            batch.parsed += end - start
            batch.events += [event._replace(start=place[0], end=place[1]) for event in found]


def _lines(piece: Piece, name: str, text: bytes) -> Iterator[tuple[int, int, list[Event] | str]]:
    """Yield each line of a list: from, to, and what it says, or why it says nothing."""
    parse, at = lines_of(piece, name), 0
    for line in io.BytesIO(text):
        end = at + len(line)
        try:
            yield at, end, list(parse(line.strip(), at, end) or ()) if line.strip() else []
        except RecordError as error:
            yield at, end, error.what
        at = end


def _noted(notes: Iterable[str]) -> list[Reject]:
    found = sorted(notes)
    more = [Reject(0, 0, f"{len(found) - _NOTED} more things in the archive were left alone")] if len(found) > _NOTED else []
    return [*(Reject(0, 0, note) for note in found[:_NOTED]), *more]


# --- zip -------------------------------------------------------------------------------------------------------------


def _zip(piece: Piece, stream: BinaryIO) -> Iterator[Batch]:
    size = piece.file.size
    view = containers.View(lambda at, count: _at(stream, at, count), 0, size)
    listing = containers.archive(view, containers.Allowance(2 * size))
    if listing is None:
        yield Batch(rejects=[Reject(0, size, "is no zip")])
        return
    batch, notes, seen = Batch(), set[str](), set[str]()
    room = max(FREE_GROWTH, size * LARGEST_RATIO)
    taken: list[tuple[int, int]] = []
    for member in listing.members:
        name = _accepted(member, seen, notes)
        if not name:
            continue
        try:
            digest, text, length, crc = _unpacked(view, member, room, keep=name.endswith(LIST))
        except RecordError as error:
            notes.add(f"{name}: {error.what}")
            continue
        room -= length
        if crc != member.crc and not (member.crc == 0 and member.flags & 8):
            notes.add(f"{name}: its bytes are not those of the checksum beside it")
        start, end = member.data, min(member.data + member.packed, size)
        taken.append((start, end))
        facts = {"packed": "deflate"} if member.method == containers.DEFLATED else {}
        batch.events.append(content(piece, name, digest, start, end, **facts))
        for _, _, found in _lines(piece, name, text) if text is not None else ():
            if isinstance(found, str):
                batch.rejects.append(Reject(start, start, f"{name}: {found}"))
            else:
                batch.events += [event._replace(start=start, end=end) for event in found]
        if len(batch.events) >= BATCH:
            yield batch
            batch = Batch()
    batch.rejects += [Reject(place, place, why) for place, why in listing.problems] + _noted(notes)
    batch.parsed = _union(taken)
    batch.skipped = size - batch.parsed
    yield batch


def _at(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)


def _accepted(member: containers.Member, seen: set[str], notes: set[str]) -> str:
    """Return a member's name, or nothing where it is left, with a note where that is worth one."""
    name = member.name.removeprefix("./")
    why = ""
    if name.endswith("/"):
        return ""
    if member.mode and not stat.S_ISREG(member.mode) and stat.S_IFMT(member.mode):
        why = "link or special file in the archive not followed"
    elif name.startswith("/") or {"..", ""} & set(name.split("/")) or "\\" in name or name.count("/") > tars.DEPTH:
        why = "member of the archive with a path that leads elsewhere, left alone"
    elif name in seen:
        why = "second member of the archive with the same path, left alone"
    elif member.locked:
        why = "protected by a password: not read"
    if why:
        notes.add(f"{why}: {name}")
        return ""
    seen.add(name)
    return name


def _unpacked(view: containers.View, member: containers.Member, room: int, *, keep: bool) -> tuple[str, bytes | None, int, int]:
    """Return a member's SHA-256, its text where it is a list, its length and its CRC-32; RecordError where it is not whole."""
    if member.data + member.packed > view.size:
        raise RecordError("the archive breaks off within it")
    length = crc = 0

    def counted() -> Iterator[bytes]:
        nonlocal length, crc
        for data in containers.parts(view, member, room):
            length, crc = length + len(data), zlib.crc32(data, crc)
            yield data

    digest, text = _digested(counted(), keep=keep)
    if length != member.size and not member.flags & 8:
        raise RecordError(f"it has {length} bytes, and its header says {member.size}")
    return digest, text, length, crc


def _union(places: list[tuple[int, int]]) -> int:
    """Count the bytes that any of these stretches covers: members of a zip may lie across each other."""
    total = last = 0
    for start, end in sorted(places):
        total += max(0, end - max(start, last))
        last = max(last, end)
    return total
