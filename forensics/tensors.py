"""Reads the header of a safetensors file: names, kinds and places of tensors, never the tensors themselves.

Format: https://huggingface.co/docs/safetensors/index#format (eight bytes of length, a JSON object, then the tensors without gaps).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from forensics import fields
from forensics.errors import RecordError

LONGEST = 16 << 20
"""bytes of a header; the largest models have some megabytes"""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_NAMED = 200
_DIMENSIONS = 64
_KIND = 20
LISTED = 20_000
"""tensors that are told one by one; the largest models have fewer"""


class _Tensor(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_HEADER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TENSOR = msgspec.json.Decoder(_Tensor)


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A tensor, and where its bytes lie in the file."""

    name: str
    form: str
    """kind and shape, `F32[4096,1024]`"""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says about itself."""

    end: int
    """byte after the header; tensors begin here"""
    tensors: int
    metadata: tuple[tuple[str, str], ...]
    """`__metadata__`, sorted"""
    problems: tuple[str, ...]
    entries: tuple[Entry, ...] = ()
    """the tensors whose place lies within the file, by name; the first `LISTED`"""


def begins_like(head: bytes) -> bool:
    """Tell whether these first bytes announce a safetensors header (the format allows it 100 MB)."""
    return head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000


def read(head: bytes, size: int) -> Header:
    """Read a header out of a file's first bytes (8 + LONGEST of them are enough); it never raises."""
    length = int.from_bytes(head[:8], "little")
    if length > LONGEST:
        return Header(8, 0, (), (f"limit: a header of {length} bytes",))
    if 8 + length > size:
        return Header(size, 0, (), (f"breaks off within its header of {length} bytes",))
    try:
        entries = _HEADER.decode(head[8 : 8 + length])
    except (ValueError, RecursionError):
        return Header(8 + length, 0, (), ("its header is no JSON object",))
    metadata = _metadata(entries.pop("__metadata__", fields.ABSENT))
    problems = _places(entries, size - 8 - length)
    return Header(8 + length, len(entries), metadata, tuple(problems), tuple(_entries(entries, 8 + length, size)))


def _entries(entries: dict[str, msgspec.Raw], first: int, size: int) -> Iterator[Entry]:
    for name in sorted(entries)[:LISTED]:
        try:
            tensor = _TENSOR.decode(entries[name])
        except (ValueError, RecursionError):
            continue
        start, end = (first + place for place in tensor.data_offsets)
        if first <= start <= end <= size and len(tensor.shape) <= _DIMENSIONS:
            yield Entry(name[:_NAMED], f"{tensor.dtype[:_KIND]}[{','.join(map(str, tensor.shape))}]", start, end)


def _metadata(raw: msgspec.Raw) -> tuple[tuple[str, str], ...]:
    try:
        found = fields.plain(raw)
    except RecordError:
        return ()
    return tuple(sorted((key, fields.text(value)) for key, value in found.items()))


def _places(entries: dict[str, msgspec.Raw], size: int) -> list[str]:
    """Check that the tensors fill the file without gaps; return what is wrong, the first of each kind."""
    problems: dict[str, str] = {}
    ranges = []
    for name, raw in entries.items():
        try:
            tensor = _TENSOR.decode(raw)
        except (ValueError, RecursionError):
            problems.setdefault("form", f"the tensor {_shown(name)} is not described as the format lays down")
            continue
        start, end = tensor.data_offsets
        if not 0 <= start <= end or _length(tensor) not in (end - start, None):
            problems.setdefault("length", f"the tensor {_shown(name)} does not have the length that its shape needs")
        ranges.append((start, end))
    place = 0
    for start, end in sorted(ranges):
        if start != place:
            problems.setdefault("gap", f"between tensors lie bytes of none, or of several, at {min(start, place)}")
        place = max(place, end)
    if place > size:
        problems["cut"] = f"breaks off: tensors of {place} bytes are announced, {size} are there"
    elif place < size and "form" not in problems:
        problems["more"] = f"{size - place} bytes follow the last tensor"
    return list(problems.values())


def _length(tensor: _Tensor) -> int | None:
    """Return the bytes that a tensor's shape needs; None for a kind that is not known, or a shape beyond counting."""
    bits = _BITS.get(tensor.dtype)
    if bits is None or len(tensor.shape) > _DIMENSIONS:
        return None
    for dimension in tensor.shape:
        bits *= dimension
        if bits > 1 << 80:
            return -1
    return bits // 8


def _shown(name: str) -> str:
    return repr(name[:_NAMED])
