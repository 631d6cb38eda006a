"""Protocol buffers on the wire: fields by number, in linear time, without a schema.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from forensics.errors import RecordError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST = 10
"""bytes of a varint"""
_WORD = (1 << 64) - 1

Value = int | bytes
"""a varint as it stands (64 bits, unsigned); fixed numbers and strings as bytes"""


def fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Yield (number, wire type, value) of a message's fields; RecordError where it is none."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not number:
            raise RecordError("a field without a number")
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise RecordError(f"a field of wire type {kind}")
        if at + size > len(data):
            raise RecordError("a field that reaches beyond its message")
        yield number, kind, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(data[at : at + _LONGEST]):
        value |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            return value & _WORD, at + shift + 1
    raise RecordError("a number that does not end")


def signed(value: int) -> int:
    """Return an int64, which a varint bears as its two's complement."""
    return value - (1 << 64) if value >> 63 else value
