"""Turns bytes into records that know their place: lines, JSON values; by pieces, in bounded memory."""

import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from forensics.errors import RecordError
from forensics.evidence import Unpacked, compression, open_text
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, Reject

PIECE = 16 << 20
"""bytes of a piece of an uncompressed file"""
BLOCK = 1 << 18
"""bytes read at a time: few enough to stay in the processor's cache"""
LONGEST = 8 << 20
"""a record longer than this is rejected"""
BATCH = 20_000
"""events of a batch"""
_BLANK = 0x20
"""bytes beyond it are no blanks"""

Data = TypeVar("Data")
Parse = Callable[[bytes, int, int], Iterable[Event] | None]
"""(record, first byte, byte after its last) -> its events; None: the record says nothing (skipped); RecordError: rejected"""


# --- cutting a source into pieces -------------------------------------------------------------------------------


def split_whole(evidence: Evidence) -> Iterator[Piece]:
    """One piece a file."""
    for file in evidence.files:
        yield Piece(evidence.source, file, work=evidence.work)


def split_lines(evidence: Evidence, *, header: bool = False, size: int = 0) -> Iterator[Piece]:
    """Byte ranges that end at line ends; compressed files whole. With `header`, the first line travels along as context."""
    for file in evidence.files:
        context = first_line(file) if header else ""
        for start, end in ranges(file, size or PIECE):
            yield Piece(evidence.source, file, start, end, context, evidence.work)


def first_line(file: EvidenceFile) -> str:
    """Return the first line of a file as text (after a byte order mark), with Latin-1 standing in for broken UTF-8."""
    with open_text(file) as stream:
        head = b""
        while b"\n" not in head and len(head) < LONGEST:
            more = stream.read(BLOCK)
            if not more:
                break
            head += more
    line = head.split(b"\n", 1)[0].rstrip(b"\r").removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def ranges(file: EvidenceFile, size: int) -> Iterator[tuple[int, int]]:
    """Yield byte ranges of about `size` that end at line ends; (0, -1), to the end, for a compressed or small file."""
    if compression(file.path) or file.size <= size:
        yield 0, -1
        return
    with Path(file.path).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        start = 0
        while start < file.size:
            end = file.size if start + size >= file.size else (view.find(b"\n", start + size) + 1 or file.size)
            yield start, end
            start = end


# --- reading a piece --------------------------------------------------------------------------------------------


class Tally:
    """Collects rows of one piece into batches, and keeps account of its bytes."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.batch = Batch()

    def record(self, parse: Callable[[Data, int, int], Iterable[Event] | None], data: Data, start: int, end: int) -> None:
        """Have one record parsed (its bytes, or what was decoded from them), and book its bytes as parsed, skipped or rejected."""
        try:
            events = parse(data, start, end)
        except RecordError as error:
            self.batch.rejects.append(Reject(start, end, error.what))
            return
        if events is None:
            self.batch.skipped += end - start
            return
        self.batch.events.extend(events)
        self.batch.parsed += end - start

    def full(self) -> Iterator[Batch]:
        """Hand over the batch where it is large enough."""
        if len(self.batch.events) + len(self.batch.rejects) >= BATCH:
            yield self.batch
            self.batch = Batch()


def stream_blocks(piece: Piece, tally: Tally, size: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (place, bytes) of a piece in order; damage of a compressed file becomes a rejected row."""
    size = size or BLOCK
    with open_text(piece.file) as stream:
        place = piece.start
        if piece.start:
            stream.seek(piece.start)
        while piece.end < 0 or place < piece.end:
            data = stream.read(size if piece.end < 0 else min(size, piece.end - place))
            if not data:
                break
            yield place, data
            place += len(data)
        if isinstance(stream, Unpacked):
            tally.batch.consumed, tally.batch.damage = stream.consumed, stream.damage
            if stream.damage:
                tally.batch.rejects.append(Reject(place, place, stream.damage))


def whole_lines(piece: Piece, tally: Tally) -> Iterator[tuple[bytes, int]]:
    """Yield (lines with their ends, first byte) of a piece, block by block. A line that is too long is rejected here."""
    rest, place = b"", piece.start
    overlong = -1
    for _, data in stream_blocks(piece, tally):
        cut = data.rfind(b"\n") + 1
        text = b"".join((rest, memoryview(data)[:cut])) if cut else b""
        rest = data[cut:] if cut else rest + data
        first = 0
        if text and overlong >= 0:
            first = text.find(b"\n") + 1
            tally.batch.rejects.append(Reject(overlong, place + first, f"a line of more than {LONGEST} bytes"))
            overlong = -1
        if first < len(text):
            yield text[first:], place + first
        place += len(text)
        if len(rest) > LONGEST:
            overlong = place if overlong < 0 else overlong
            place += len(rest)
            rest = b""
    if overlong >= 0:
        tally.batch.rejects.append(Reject(overlong, place + len(rest), f"a line of more than {LONGEST} bytes"))
    elif rest:
        yield rest, place


def lines(piece: Piece, tally: Tally) -> Iterator[tuple[bytes, int, int]]:
    """Yield (line without its end, first byte, byte after the line end)."""
    for text, place in whole_lines(piece, tally):
        yield from cut_lines(text, place)


def cut_lines(text: bytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (line without its end, first byte, byte after the line end) of a block of lines that begins at `start`."""
    parts = text.split(b"\n")
    rest = parts.pop()
    for part in parts:
        end = start + len(part) + 1
        yield part, start, end
        start = end
    if rest:
        yield rest, start, start + len(rest)


def each_line(piece: Piece, parse: Parse, *, header: bool = False) -> Iterator[Batch]:
    """Read a piece line by line. Blank lines are skipped; with `header` the file's first line is its heading."""
    tally = Tally(piece)
    yield from by_line(tally, parse, lines(piece, tally), header=header)
    yield tally.batch


def by_line(tally: Tally, parse: Parse, found: Iterable[tuple[bytes, int, int]], *, header: bool = False) -> Iterator[Batch]:
    """Have lines parsed one by one, and book each; yield a batch where it is full."""
    for line, start, end in found:
        if start and line and line[-1] > _BLANK:  # most lines: neither blank nor ending in a carriage return
            tally.record(parse, line, start, end)
            if len(tally.batch.events) >= BATCH or len(tally.batch.rejects) >= BATCH:
                yield from tally.full()
            continue
        text = line[:-1] if line.endswith(b"\r") else line
        if start == 0 and text.startswith(b"\xef\xbb\xbf"):
            text = text[3:]
        if start == 0 and header:
            tally.batch.parsed += end
        elif not text or text.isspace():
            tally.batch.skipped += end - start
        else:
            tally.record(parse, text, start, end)
        yield from tally.full()


# --- JSON -------------------------------------------------------------------------------------------------------

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+"
_NEXT = re.compile(_FLAT + rb'(["{}\[\]]|\Z)', re.DOTALL)
"""up to the next bracket outside of strings, the start of a string that goes on in the next block, or the end"""
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)


def _whole_value(depth: int) -> bytes:
    inner = rb"[{\[]" + _FLAT + rb"[}\]]"
    for _ in range(depth):
        inner = rb'[{\[](?:[^"{}\[\]]++|' + _STRING + rb"|" + inner + rb")*+[}\]]"
    return inner


_VALUE = re.compile(_whole_value(8), re.DOTALL)
"""an object or array in one go, where it is nested no deeper than records are"""

_MEMBER = rb'\s*"[^"\\]*+"\s*:\s*(?:"[^"\\]*+"|[-+.\w]++|\{\s*\})\s*'
_LIST = rb'"kind"\s*:\s*"EventList"\s*,(?:(?!\s*"items")' + _MEMBER + rb',)*+\s*"items"'
_HEAD = rb'\{\s*(?:"Records"|"Events"|' + _LIST + rb")\s*:\s*\["
_ENVELOPE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:(\[)|" + _HEAD + rb")")
_TAIL = rb"\]\s*(?:," + _MEMBER + rb")*+\s*\}"
_BETWEEN = (
    re.compile(rb"(?:\xef\xbb\xbf)?[\s,\[\]]*+"),
    re.compile(
        rb"[\s,]*+|(?:\xef\xbb\xbf)?\s*+(?:" + _TAIL + rb"\s*+)?(?:" + _HEAD + rb"\s*+" + _TAIL + rb"\s*+)*+(?:" + _HEAD + rb"\s*+)?"
    ),
)
"""what may stand around the records of an array; of an array inside an object"""


def each_json(piece: Piece, parse: Parse) -> Iterator[Batch]:
    """Read JSON records: a value a line; or, by the file's first bytes, the elements of a top-level array or of `{"Records": [...]}`.

    Brackets, commas and blanks between elements are the envelope, and booked as parsed.
    """
    level = envelope(piece.file)
    if level is None:
        yield from each_line(piece, parse)
        return
    tally = Tally(piece)
    for data, start, end in _elements(piece, tally, level):
        tally.record(parse, data, start, end)
        yield from tally.full()
    yield tally.batch


def split_json(evidence: Evidence) -> Iterator[Piece]:
    """Pieces for `each_json`: byte ranges of JSON lines; a document with an envelope whole."""
    for file in evidence.files:
        for start, end in ranges(file, PIECE) if envelope(file) is None else [(0, -1)]:
            yield Piece(evidence.source, file, start, end, work=evidence.work)


def envelope(file: EvidenceFile) -> int | None:
    """Return how many brackets enclose the records of a document; None for JSON lines."""
    with open_text(file) as stream:
        found = _ENVELOPE.match(stream.read(4096))
    if found is None:
        return None
    return 1 if found.group(1) else 2


def _at(pattern: re.Pattern[bytes], buffer: bytes, place: int) -> re.Match[bytes]:
    """Match a pattern that matches everywhere, the empty string if nothing else."""
    found = pattern.match(buffer, place)
    assert found is not None
    return found


class _Walk:
    """Where a walk through a document stands. All places are in the file's text."""

    def __init__(self, level: int) -> None:
        self.level = level
        """brackets that enclose a record"""
        self.depth = 0
        self.cursor = 0
        """first byte not yet looked at"""
        self.last = 0
        """first byte not yet booked"""
        self.begin = -1
        """first byte of the record that is open"""
        self.lost = False
        """what is open grew too long to be kept"""
        self.in_string = False
        """a string that is too long to be kept goes on at the cursor"""

    def step(self, buffer: bytes, base: int) -> bool | None:
        """Walk to the next bracket. True: a record ends there; None: the buffer's end came first."""
        if self.in_string:
            found = _at(_REST_OF_STRING, buffer, self.cursor - base)
            self.cursor, self.in_string = base + found.end(), not found.group(1)
            return None if self.in_string else False
        found = _at(_NEXT, buffer, self.cursor - base)
        mark = found.group(1)
        if not mark or mark == b'"':
            self.cursor = base + found.start(1)
            if mark and self.lost:
                self.cursor, self.in_string = self.cursor + 1, True
            return None
        self.cursor = base + found.end()
        return self._opened(buffer, base) if mark in b"{[" else self._closed()

    def _opened(self, buffer: bytes, base: int) -> bool:
        if self.depth == self.level:
            self.begin = self.cursor - 1
            whole = _VALUE.match(buffer, self.begin - base)
            if whole:
                self.cursor = base + whole.end()
                return True
        self.depth += 1
        return False

    def _closed(self) -> bool:
        self.depth = max(0, self.depth - 1)
        return self.depth == self.level and self.begin >= 0


def _elements(piece: Piece, tally: Tally, level: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (record, first byte, byte after its last) of a document; what stands between records is booked here.

    A walk over strings and brackets of our own: no JSON library tells the byte ranges of an array's elements
    while it streams, and every record must know its bytes.
    """
    walk = _Walk(level)
    buffer, base = b"", 0
    for _, data in stream_blocks(piece, tally):
        keep = walk.cursor if walk.lost else walk.last
        buffer, base = buffer[keep - base :] + data, keep
        while (ended := walk.step(buffer, base)) is not None:
            if ended:
                if walk.lost:
                    tally.batch.rejects.append(Reject(walk.last, walk.cursor, f"a record of more than {LONGEST} bytes"))
                else:
                    _between(tally, buffer[walk.last - base : walk.begin - base], walk.last, level)
                    yield buffer[walk.begin - base : walk.cursor - base], walk.begin, walk.cursor
                walk.last, walk.begin, walk.lost = walk.cursor, -1, False
        if not walk.lost and base + len(buffer) - walk.last > LONGEST:
            _too_long(tally, walk)
    _remainder(tally, walk, buffer[walk.last - base :], base + len(buffer))


def _between(tally: Tally, data: bytes, start: int, level: int) -> None:
    """Book what stands around records: the envelope is parsed, anything else rejected."""
    if _BETWEEN[level - 1].fullmatch(data):
        tally.batch.parsed += len(data)
    else:
        tally.batch.rejects.append(Reject(start, start + len(data), "between records stands something that is none"))


def _too_long(tally: Tally, walk: _Walk) -> None:
    """Give up what is too long to be kept: the stretch before the next record, or the record that is open."""
    if walk.begin < 0 and walk.cursor > walk.last:
        tally.batch.rejects.append(Reject(walk.last, walk.cursor, "between records stands something that is none"))
        walk.last = walk.cursor
    else:
        walk.lost = True


def _remainder(tally: Tally, walk: _Walk, data: bytes, end: int) -> None:
    """Book what follows the last record."""
    if walk.begin >= 0 or walk.lost:
        tally.batch.rejects.append(Reject(walk.last, end, f"a record that is broken off, or longer than {LONGEST} bytes"))
        return
    _between(tally, data, walk.last, walk.level)
    if walk.depth:
        tally.batch.rejects.append(Reject(end, end, "the document breaks off before its closing bracket"))
