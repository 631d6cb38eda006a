"""What an event says, as far as it is a number.

https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto: event.proto, summary.proto, tensor.proto, types.proto
"""

import math
import struct
from collections.abc import Iterator

from forensics import times
from forensics.errors import RecordError
from forensics.fields import attrs
from forensics.model import Event
from forensics.sources.tensorboard.wire import BYTES, FIXED32, FIXED64, VARINT, Value, fields, signed

_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY = 1, 2, 3, 5
_TAG, _SIMPLE, _TENSOR = 1, 2, 8
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_LONGEST_TAG = 4096
_FORMS = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 19: "<e", 22: "<I", 23: "<Q"}
"""DataType -> how its one number lies in tensor_content: DT_FLOAT, DT_DOUBLE, the integers, DT_HALF"""
_BFLOAT16 = 14
_REPEATED = {5: "<f", 6: "<d"}
"""field of a tensor (float_val, double_val) -> how a packed number lies there"""
_VARINTS = (7, 10)
"""int_val, int64_val"""
_SECOND = 1_000_000_000
_LATEST = 9_000_000_000
"""seconds since 1970 that a time may have: beyond, 64 bits of nanoseconds do not hold it"""


class Scalars:
    """Turns the records of one run into points."""

    def __init__(self, run: str) -> None:
        self._run = run

    def parse(self, data: bytes, start: int, end: int) -> list[Event]:
        """Turn a record into its points; one without any into a message."""
        time: int | None = None
        step, version, summaries = 0, "", []
        for number, kind, value in fields(data):
            if number == _WALL_TIME and kind == FIXED64:
                time = _time(_unpacked("<d", value))
            elif number == _STEP and kind == VARINT:
                step = signed(int.from_bytes(value) if isinstance(value, bytes) else value)
            elif number == _FILE_VERSION and isinstance(value, bytes):
                version = value.decode("utf-8", "backslashreplace")[:200]
            elif number == _SUMMARY and isinstance(value, bytes):
                summaries.append(value)
        found = [self._point(tag, value, time, step, start, end) for s in summaries for tag, value in _values(s)]
        return found or [
            Event(start, end, time, "log.message", object=self._run, attrs=attrs({"step": step or None, "version": version or None}))
        ]

    def _point(self, tag: str, value: float, time: int | None, step: int, start: int, end: int) -> Event:
        finite = math.isfinite(value)
        facts = attrs({"step": step, "text": None if finite else str(value)})
        return Event(start, end, time, "metric.point", object=self._run, name=tag, value=value if finite else None, attrs=facts)


def _time(seconds: float) -> int | None:
    """Return a wall time in nanoseconds, to the microsecond: a double holds no more."""
    if not math.isfinite(seconds) or not 0 < seconds < _LATEST:
        return None
    return round(seconds * 1e6) * (times.SECOND // 1_000_000)


def _unpacked(form: str, value: Value) -> float:
    """Return a number of fixed size."""
    if not isinstance(value, bytes) or len(value) < struct.calcsize(form):
        raise RecordError("a number that is cut short")
    found: float = struct.unpack_from(form, value)[0]
    return found


def _values(summary: bytes) -> Iterator[tuple[str, float]]:
    """Yield (tag, number) of the values of a summary that are one number."""
    for number, kind, value in fields(summary):
        if number == 1 and kind == BYTES and isinstance(value, bytes):
            tag, found = _value(value)
            if found is not None:
                yield tag, found


def _value(data: bytes) -> tuple[str, float | None]:
    tag, found = "", None
    for number, kind, value in fields(data):
        if number == _TAG and isinstance(value, bytes):
            tag = value[:_LONGEST_TAG].decode("utf-8", "backslashreplace")
        elif number == _SIMPLE and kind == FIXED32:
            found = _unpacked("<f", value)
        elif number == _TENSOR and isinstance(value, bytes):
            found = _scalar(value)
    return tag, found


def _scalar(data: bytes) -> float | None:
    """Return the number of a tensor without dimensions; None for any other."""
    dtype, content, found = 0, b"", None
    for number, kind, value in fields(data):
        if number == _DTYPE and isinstance(value, int):
            dtype = value
        elif number == _SHAPE and isinstance(value, bytes) and any(n in (2, 3) for n, _, _ in fields(value)):
            return None
        elif number == _CONTENT and isinstance(value, bytes):
            content = value
        elif number in _REPEATED and kind in (FIXED32, FIXED64, BYTES):
            found = _unpacked(_REPEATED[number], value) if value else None
        elif number in _VARINTS:
            found = float(signed(value if isinstance(value, int) else next((v for v in _packed(value)), 0)))
    if content and dtype == _BFLOAT16:
        return _unpacked("<f", b"\0\0" + content[:2])
    return _unpacked(_FORMS[dtype], content) if content and dtype in _FORMS else found


def _packed(value: bytes) -> Iterator[int]:
    """Yield the varints of a packed field: a field's number before each would make it a message."""
    number = 0
    for shift, byte in enumerate(value[:10]):
        number |= (byte & 0x7F) << 7 * shift
        if not byte & 0x80:
            yield number
            return
