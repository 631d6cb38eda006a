"""Turns delimited text (CSV and its kin) into rows that know their bytes; by pieces, in bounded memory."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from forensics import records
from forensics.evidence import compression
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, Reject

ParseRow = Callable[[list[str], int, int], Iterable[Event] | None]
"""like Parse, for the cells of a row"""
LONGEST_ROW = 1 << 20
"""a quoted cell that has not ended after so many bytes never does"""
_CLOSE = re.compile(rb'(?:[^"]|"")*"(?!")')


def split_rows(evidence: Evidence) -> Iterator[Piece]:
    """Pieces for `each_row`, with the heading as context. A file with a quote in it stays whole: its rows may cross lines."""
    for file in evidence.files:
        heading = records.first_line(file)
        for start, end in [(0, -1)] if _quoted(file) else records.ranges(file, records.PIECE):
            yield Piece(evidence.source, file, start, end, heading, evidence.work)


def _quoted(file: EvidenceFile) -> bool:
    if compression(file.path) or file.size <= records.PIECE:
        return True
    with Path(file.path).open("rb") as stream:
        return any(b'"' in data for data in iter(lambda: stream.read(records.BLOCK), b""))


def delimiter(heading: str) -> str:
    """Return what parts the cells of a heading: a comma, semicolon, tab or bar, whichever is most frequent."""
    bare = re.sub(r'"[^"]*"', "", heading)
    return max(",;\t|", key=bare.count)


def cells(text: str, mark: str) -> list[str]:
    """Part a row into its cells (RFC 4180); what is wrongly quoted is kept as it stands."""
    if '"' not in text:
        return text.split(mark)
    found: list[str] = []
    pattern, at = _cell(mark), 0
    while at <= len(text):
        cell = pattern.match(text, at)
        assert cell is not None  # its last alternative matches anything
        quoted, bare = cell.groups()
        found.append(quoted.replace('""', '"') if quoted is not None else bare)
        at = cell.end() + 1
    return found


@lru_cache(maxsize=8)
def _cell(mark: str) -> re.Pattern[str]:
    mark = re.escape(mark)
    return re.compile(rf'"((?:[^"]|"")*)"(?={mark}|\Z)|([^{mark}]*)')


def each_row(piece: Piece, parse: ParseRow, mark: str) -> Iterator[Batch]:
    """Read delimited text row by row. The file's first line is its heading; blank lines are skipped; quoted cells may hold line ends."""
    tally = records.Tally(piece)

    def decoded(data: bytes, start: int, end: int) -> Iterable[Event] | None:
        return parse(cells(data.decode("utf-8", "backslashreplace"), mark), start, end)

    for data, start, end in _rows(piece, tally, mark.encode()):
        if data is None:
            tally.batch.rejects.append(Reject(start, end, "a quote that is never closed"))
        elif start == 0:
            tally.batch.parsed += end
        elif not data or data.isspace():
            tally.batch.skipped += end - start
        else:
            tally.record(decoded, data, start, end)
        if len(tally.batch.events) >= records.BATCH or len(tally.batch.rejects) >= records.BATCH:
            yield from tally.full()
    yield tally.batch


def reject_all(piece: Piece, reason: str) -> Iterator[Batch]:
    """Reject a piece as one stretch, for a reason that holds for all of its file."""
    tally = records.Tally(piece)
    end = piece.start
    for place, data in records.stream_blocks(piece, tally):
        end = place + len(data)
    if end > piece.start:
        tally.batch.rejects.insert(0, Reject(piece.start, end, reason))
    yield tally.batch


Line = tuple[bytes, int, int]


def _rows(piece: Piece, tally: records.Tally, mark: bytes) -> Iterator[tuple[bytes | None, int, int]]:
    """Yield (row without its line end, or None where its quote is never closed; first byte; byte after its line end)."""
    opening = re.compile(rb'(?<![^%b])"' % re.escape(mark))
    held: list[Line] = []
    for line in records.lines(piece, tally):
        if held:
            held.append(line)
            if not _reaches_on(line[0], opening, inside=True):
                yield _joined(held)
                held = []
            elif line[2] - held[0][1] > LONGEST_ROW:
                yield from _one_by_one(held, opening)
                held = []
        elif b'"' in line[0] and _reaches_on(line[0], opening, inside=False):
            held = [line]
        else:
            yield _joined([line])
    yield from _one_by_one(held, opening)


def _joined(held: list[Line]) -> Line:
    data = held[0][0] if len(held) == 1 else b"\n".join(line[0] for line in held)
    return data.removesuffix(b"\r"), held[0][1], held[-1][2]


def _one_by_one(held: list[Line], opening: re.Pattern[bytes]) -> Iterator[tuple[bytes | None, int, int]]:
    """Read the lines that an open quote swallowed again, each for itself: one stray quote must not hide what follows."""
    for line in held:
        data, start, end = line
        yield (None, start, end) if _reaches_on(data, opening, inside=False) else _joined([line])


def _reaches_on(line: bytes, opening: re.Pattern[bytes], *, inside: bool) -> bool:
    """Tell whether a quoted cell goes on behind the end of this line."""
    at = 0
    while True:
        found = _CLOSE.match(line, at) if inside else opening.search(line, at)
        if not found:
            return inside
        at, inside = found.end(), not inside
