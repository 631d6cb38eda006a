"""Turns what stands in a JSON record into typed fields, whatever a hostile hand wrote there, and fields into references."""

import ipaddress
import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, get_args

import msgspec

from forensics.errors import RecordError

Record = TypeVar("Record", bound=msgspec.Struct)

ABSENT = msgspec.Raw(b"null")
"""default of a field that is read later, by what the record turns out to be"""

_BYTE = re.compile("[\udc80-\udcff]")
_SORTED = msgspec.json.Encoder(order="sorted").encode
_DEEPEST = 200
"""levels of nesting that are looked at; a deeper record is rejected"""


def decode(decoder: msgspec.json.Decoder[Record], data: bytes | msgspec.Raw) -> Record:
    """Read one JSON object into a struct; fields of another type than the format's are left out, or written as text.

    RecordError where it is no JSON object.
    """
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
        plain = loose(bytes(data))
    if not isinstance(plain, dict):
        raise RecordError(f"a JSON {_kind(plain)} where an object is expected")
    return fit(decoder.type, plain)


def present(raw: msgspec.Raw) -> bool:
    """Tell whether a field that is read later is there, and not null."""
    return bytes(raw) != b"null"


def plain(raw: msgspec.Raw) -> dict[str, Any]:
    """Read a field that is an object as a dictionary; empty where it is none."""
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        value = loose(bytes(raw))
    return value if isinstance(value, dict) else {}


def loose(data: bytes) -> object:
    r"""Read JSON that strict decoding refuses: bytes that are no UTF-8 become `\xff`, lone surrogates `\ud800`, as text."""
    text = data.decode("utf-8", "surrogateescape")
    if not text.isascii():
        text = _BYTE.sub(lambda found: f"\\\\x{ord(found.group()) - 0xDC00:02x}", text)
    try:
        value = json.loads(text)
        return _whole(value, 0)
    except (ValueError, RecursionError):
        pass
    if data.lstrip()[:1] in (b"{", b"["):
        raise RecordError("broken JSON")
    raise RecordError(f"not JSON: it begins with {text[:20]!r}".encode("utf-8", "backslashreplace").decode())


def _whole(value: object, depth: int) -> object:
    """Return the value with text that is valid UTF-8 throughout; ValueError where it is nested too deep."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole(key, depth): _whole(inner, depth + 1) for key, inner in value.items()}
    return [_whole(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), "value")


def fit(kind: type[Record], plain: Mapping[str, Any]) -> Record:
    """Make a struct of a plain object, field by field; what can't be turned into its field's type is left out."""
    values = {}
    for field in _fields(kind):
        if field.encode_name in plain:
            value = _fitted(field.type, plain[field.encode_name])
            if value is not None:
                values[field.name] = value
    return kind(**values)


@lru_cache(maxsize=64)
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _fitted(wanted: object, value: object) -> object:
    """Return the value as one of the types wanted, or None."""
    types = get_args(wanted) or (wanted,)
    struct = next((t for t in types if isinstance(t, type) and issubclass(t, msgspec.Struct)), None)
    if struct is not None:
        return fit(struct, value) if isinstance(value, dict) else None
    if msgspec.Raw in types:
        return msgspec.Raw(json.dumps(value).encode())
    if str in types and not isinstance(value, (dict, list)):
        return None if value is None else text(value)
    if float in types:
        return number(value)
    if int in types:
        found = number(value)
        return int(found) if found is not None and found.is_integer() and abs(found) < 1 << 53 else None
    try:
        return msgspec.convert(value, wanted)
    except (msgspec.ValidationError, ValueError, RecursionError):
        return None


def text(value: object) -> str:
    """Write a JSON scalar as text."""
    return value if isinstance(value, str) else json.dumps(value)


def number(value: object) -> float | None:
    """Return a JSON number, or text that spells one; None for anything else, and for what is beyond counting."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def attrs(facts: Mapping[str, Any]) -> str | None:
    """Write further facts as a JSON object with sorted keys; empty ones are left out."""
    kept = {key: value for key, value in facts.items() if value or (value is not None and value not in ("", [], {}))}
    return _SORTED(kept).decode() if kept else None


@lru_cache(maxsize=4096)
def address(written: str) -> str | None:
    """Return `ip:...` of an address, written with a port or without; None where it is none."""
    host = written.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return f"ip:{mapped or found}"
