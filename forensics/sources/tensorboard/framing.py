"""Records of an event file: length, its checksum, bytes, their checksum.

https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details: CRC-32C (Castagnoli), masked.
"""

import struct
from collections.abc import Callable, Iterable, Iterator

from google_crc32c import value as crc32c

from forensics import records
from forensics.model import Batch, Event, Piece, Reject

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_MASK = 0xA282EAD8
_BITS = 0xFFFFFFFF

Parse = Callable[[bytes, int, int], Iterable[Event] | None]


def masked(data: bytes) -> int:
    """Return the checksum as it is written: rotated, and with a constant added, since checksums of checksums are weak."""
    crc: int = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & _BITS


class _Stream:
    """The bytes of a piece, taken record by record; no more is held than one record asks for, and a block."""

    def __init__(self, piece: Piece, tally: records.Tally) -> None:
        self._blocks = records.stream_blocks(piece, tally)
        self._held = bytearray()
        self.place = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes: fewer than asked for at the end."""
        while len(self._held) < size and (more := next(self._blocks, None)):
            self._held += more[1]
        data = bytes(self._held[:size])
        del self._held[:size]
        self.place += len(data)
        return data

    def drop(self, size: int) -> int:
        """Pass over bytes without holding them; return how many there were."""
        left = size
        while left and (part := self.take(min(left, records.BLOCK))):
            left -= len(part)
        return size - left

    def rest(self) -> None:
        """Pass over all that is left."""
        while self.take(records.BLOCK):
            pass


def framed(piece: Piece, parse: Parse) -> Iterator[Batch]:
    """Read a file record by record. Where a length does not hold, what follows can't be told apart, and is rejected as one stretch."""
    tally = records.Tally(piece)
    stream = _Stream(piece, tally)
    while _next(stream, tally, parse):
        yield from tally.full()
    yield tally.batch


def _next(stream: _Stream, tally: records.Tally, parse: Parse) -> bool:
    """Book one record; tell whether another may follow."""
    start = stream.place
    head = stream.take(_HEAD.size)
    if not head:
        return False
    if len(head) < _HEAD.size:
        tally.batch.rejects.append(Reject(start, stream.place, "broken off within the length of a record"))
        return False
    length, check = _HEAD.unpack(head)
    if masked(head[:8]) != check:
        stream.rest()
        tally.batch.rejects.append(Reject(start, stream.place, "no record begins here: the checksum of its length is another"))
        return False
    return _body(stream, tally, parse, start, length)


def _body(stream: _Stream, tally: records.Tally, parse: Parse, start: int, length: int) -> bool:
    whole = length + _TAIL.size
    if length > records.LONGEST:
        found = stream.drop(whole)
        reason = f"a record of more than {records.LONGEST} bytes" if found == whole else "broken off within a record"
        tally.batch.rejects.append(Reject(start, stream.place, reason))
        return found == whole
    data = stream.take(whole)
    if len(data) < whole:
        tally.batch.rejects.append(Reject(start, stream.place, "broken off within a record"))
        return False
    content = data[:length]
    if masked(content) != _TAIL.unpack(data[length:])[0]:
        tally.batch.rejects.append(Reject(start, stream.place, "the checksum of the record is another"))
    else:
        tally.record(parse, content, start, stream.place)
    return True
