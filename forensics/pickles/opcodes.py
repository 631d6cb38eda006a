"""One opcode and its argument after the other, by the table that Python's own `pickletools` publishes. Values are read, never built.

Format: https://github.com/python/cpython/blob/3.13/Lib/pickletools.py
"""

import codecs
import pickletools
import re
from collections.abc import Callable
from typing import NamedTuple

from forensics.errors import RecordError
from forensics.pickles.cursor import Cursor

KEEP = 4096
"""of a longer string this many bytes are kept: names and commands are shorter"""
_LONG = 60
"""characters of a number that is worth knowing"""
_SMALL = 16
"""bytes of an integer that is worth knowing; torch's magic number has 10"""

Literal = str | bytes | int | None
"""what an argument says; None where nobody asks"""


class Opcode(NamedTuple):
    """What stands at one place of a pickle."""

    name: str
    argument: Literal
    position: int
    second: str = ""
    """the second line of GLOBAL and INST"""


def read(cursor: Cursor) -> Opcode:
    """Read the next opcode; RecordError where there is none."""
    position = cursor.at
    code = cursor.byte()
    found = _TABLE[code]
    if found is None:
        raise RecordError(f"byte 0x{code:02x} at {position} is no opcode")
    name, argument = found
    if argument is None:
        return Opcode(name, None, position)
    if name in ("GET", "PUT"):
        return Opcode(name, _key(cursor.line(KEEP)), position)
    if name in ("GLOBAL", "INST"):
        return Opcode(name, _text(cursor.line(KEEP)), position, _text(cursor.line(KEEP)))
    return Opcode(name, argument(cursor), position)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _number(line: bytes) -> int | None:
    """Read a number as INT and LONG do, in any base that C writes; None for one too long to matter."""
    digits = line.strip().removesuffix(b"L")
    if len(digits) > _LONG:
        return None
    for base in (0, 8, 10):  # after C's custom, 010 is 8
        try:
            return int(digits, base)
        except ValueError:
            continue
    raise RecordError(f"a number is expected where {_text(line[:20])!r} stands")


def _key(line: bytes) -> int | None:
    """Read a place in the memo as GET and PUT do, however many zeros are in front of it."""
    return _number(line.strip().lstrip(b"+").lstrip(b"0_") or b"0")


def _float_line(cursor: Cursor) -> None:
    line = cursor.line(KEEP)
    try:
        float(line)
    except ValueError:
        raise RecordError(f"a number is expected where {_text(line[:20])!r} stands") from None


_ESCAPED = re.compile(rb"(?:[^\\]++|\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}|[0-3]?[0-7]{1,2}))*+")
"""text whose escapes are all of them known; one with others stays as it is written, and is nobody's name"""


def _quoted(cursor: Cursor) -> str:
    line = cursor.line(KEEP).strip()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or (line[-1:] != line[:1] and len(line) < KEEP - 2):
        raise RecordError("a string without its quotes")
    inside = line[1:-1]
    if b"\\" in inside and _ESCAPED.fullmatch(inside):
        inside, _ = codecs.escape_decode(inside)
    return _text(inside)


def _unicode_line(cursor: Cursor) -> str:
    r"""Read a line with `\uXXXX` escapes; lone surrogates stand as escapes."""
    text = cursor.line(KEEP).decode("raw-unicode-escape", "replace")
    return text.encode("utf-8", "backslashreplace").decode()


def _sized(width: int, *, signed: bool = False, keep: int = KEEP) -> Callable[[Cursor], bytes]:
    def taken(cursor: Cursor) -> bytes:
        count = int.from_bytes(cursor.take(width), "little", signed=signed)
        if count < 0:
            raise RecordError("a negative length")
        return cursor.take(count, keep)

    return taken


def _texted(take: Callable[[Cursor], bytes]) -> Callable[[Cursor], str]:
    return lambda cursor: _text(take(cursor))


def _integer(width: int, *, signed: bool = False) -> Callable[[Cursor], int]:
    return lambda cursor: int.from_bytes(cursor.take(width), "little", signed=signed)


def _long(width: int) -> Callable[[Cursor], int | None]:
    take = _sized(width, signed=width == 4, keep=_SMALL + 1)

    def integer(cursor: Cursor) -> int | None:
        data = take(cursor)
        return int.from_bytes(data, "little", signed=True) if len(data) <= _SMALL else None

    return integer


def _passed(width: int) -> Callable[[Cursor], None]:
    def passed(cursor: Cursor) -> None:
        cursor.take(width)

    return passed


_ARGUMENTS: dict[str, Callable[[Cursor], Literal]] = {
    "decimalnl_short": lambda cursor: _number(cursor.line(KEEP)),
    "decimalnl_long": lambda cursor: _number(cursor.line(KEEP)),
    "floatnl": _float_line,
    "float8": _passed(8),
    "uint1": _integer(1),
    "uint2": _integer(2),
    "uint4": _integer(4),
    "uint8": _integer(8),
    "int4": _integer(4, signed=True),
    "long1": _long(1),
    "long4": _long(4),
    "stringnl": _quoted,
    "stringnl_noescape": lambda cursor: _text(cursor.line(KEEP)),
    "stringnl_noescape_pair": lambda cursor: _text(cursor.line(KEEP)),
    "unicodestringnl": _unicode_line,
    "string1": _texted(_sized(1)),
    "string4": _texted(_sized(4, signed=True)),
    "unicodestring1": _texted(_sized(1)),
    "unicodestring4": _texted(_sized(4)),
    "unicodestring8": _texted(_sized(8)),
    "bytes1": _sized(1),
    "bytes4": _sized(4),
    "bytes8": _sized(8),
    "bytearray8": _sized(8),
}


def _table() -> list[tuple[str, Callable[[Cursor], Literal] | None] | None]:
    table: list[tuple[str, Callable[[Cursor], Literal] | None] | None] = [None] * 256
    for opcode in pickletools.opcodes:
        table[ord(opcode.code)] = (opcode.name, _ARGUMENTS[opcode.arg.name] if opcode.arg else None)
    return table


_TABLE = _table()
