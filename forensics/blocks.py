"""Reads JSON lines a block at a time: one call decodes many records, and what is odd is read by itself, as ever."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec
import numpy as np

from forensics import records
from forensics.model import Batch, Event, Piece
from forensics.records import Parse, Tally, by_line, cut_lines, envelope, whole_lines

Record = TypeVar("Record")

BATCH = 2_000
"""events of a batch: few enough to be turned into columns before they leave the processor's cache"""
_LINE_END, _RETURN, _OPENED, _CLOSED = b"\n\r{}"


class Block(Generic[Record]):
    """The records of a block of lines, one a line, and where their rows go."""

    def __init__(self, tally: Tally, parse: Parse, text: bytes, start: int, found: list[Record], ends: list[int]) -> None:
        self.records = found
        self.ends = [start + end for end in ends]
        """byte after each line's end"""
        self.starts = [start, *self.ends[:-1]]
        self.add = tally.batch.events.append
        """takes the row of a record that needs nothing else; rows come in the order of records"""
        self._tally, self._parse, self._text, self._start = tally, parse, text, start
        self._odd = 0

    def read(self, number: int, events_of: Callable[[Record, int, int], Iterable[Event]]) -> None:
        """Have a record's rows made by a function that may find it broken."""
        start, end = self.starts[number], self.ends[number]
        self._odd += end - start
        self._tally.record(events_of, self.records[number], start, end)

    def alone(self, number: int, parse: Parse | None = None) -> None:
        """Have a record read from its bytes."""
        start, end = self.starts[number], self.ends[number]
        self._odd += end - start
        self._tally.record(parse or self._parse, self._text[start - self._start : end - self._start].rstrip(b"\r\n"), start, end)

    def book(self) -> None:
        """Book the bytes of all records but those that were booked one by one."""
        self._tally.batch.parsed += len(self._text) - self._odd


def each_json(piece: Piece, parse: Parse, decoder: msgspec.json.Decoder[Record], rows: Callable[[Block[Record]], None]) -> Iterator[Batch]:
    """Read JSON records as `records.each_json` does; where they are lines, have `rows` read those that `decoder` can read, block by block."""
    if envelope(piece.file) is not None:
        yield from records.each_json(piece, parse)
        return
    tally = Tally(piece)
    for text, start in whole_lines(piece, tally):
        ends = _line_ends(text)
        found = _decoded(decoder, text, len(ends)) if ends else []
        if found:
            block = Block(tally, parse, text, start, found, ends)
            rows(block)
            block.book()
        else:
            yield from by_line(tally, parse, cut_lines(text, start))
        if len(tally.batch.events) + len(tally.batch.rejects) >= BATCH:
            yield tally.batch
            tally.batch = Batch()
    yield tally.batch


def _line_ends(text: bytes) -> list[int]:
    """Return the places after line ends, where every line is `{...}`; nothing where one is not."""
    raw = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(raw == _LINE_END) + 1
    if raw[-1] != _LINE_END or raw[0] != _OPENED or (raw[ends[:-1]] != _OPENED).any():
        return []
    last = raw[ends - 2]
    if (last == _RETURN).any():
        last = np.where(last == _RETURN, raw[ends - 3], last)
    return ends.tolist() if (last == _CLOSED).all() else []


def _decoded(decoder: msgspec.json.Decoder[Record], text: bytes, count: int) -> list[Record]:
    """Decode lines that each begin with `{` and end with `}`; nothing where it can't be done, or a line is not one record.

    A record can't go on in the next line: no JSON has `}`, a line end and `{` in a row but between records, nor a line end in a string.
    So as many records as lines means that every line is one.
    """
    try:
        found = decoder.decode_lines(text)
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
        return []
    return found if len(found) == count else []
