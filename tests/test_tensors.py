"""Headers of safetensors files: what they say, and what is wrong with them."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import tensors


def _file(header: object, data: int = 64) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)


def _tensor(start: int, end: int, dtype: str = "F32", shape: tuple[int, ...] = (4, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def read(data: bytes) -> tensors.Header:
    return tensors.read(data, len(data))


def test_names_kinds_and_metadata():
    data = _file({"b": _tensor(64, 128), "a": _tensor(0, 64), "__metadata__": {"step": "7", "format": "pt"}}, 128)
    header = read(data)
    first = len(data) - 128
    entries = (tensors.Entry("a", "F32[4,4]", first, first + 64), tensors.Entry("b", "F32[4,4]", first + 64, len(data)))
    assert header == tensors.Header(first, 2, (("format", "pt"), ("step", "7")), (), entries)
    assert tensors.begins_like(data[:4096])


def test_spaces_behind_the_header_and_tensors_of_nothing():
    text = json.dumps({"a": _tensor(0, 0, shape=(0, 4)), "b": _tensor(0, 64)}).encode() + b"   "
    assert read(_file(text)).problems == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_file({"a": _tensor(0, 64)}, 60), "breaks off: tensors of 64 bytes are announced, 60 are there"),
        (_file({"a": _tensor(0, 64)}, 70), "6 bytes follow the last tensor"),
        (_file({"a": _tensor(0, 60)}, 60), "the tensor 'a' does not have the length that its shape needs"),
        (_file({"a": _tensor(8, 72)}, 72), "between tensors lie bytes of none, or of several, at 0"),
        (_file({"a": _tensor(0, 64), "b": _tensor(0, 64)}, 64), "between tensors lie bytes of none, or of several, at 0"),
        (_file({"a": 7}), "the tensor 'a' is not described as the format lays down"),
        (_file({"a": _tensor(0, 64, shape=(1 << 70, 1 << 70))}), "the tensor 'a' does not have the length that its shape needs"),
        (_file(b"{nonsense"), "its header is no JSON object"),
        (_file(b"[1]"), "its header is no JSON object"),
        (_file(b"{" + b"[" * 100_000), "its header is no JSON object"),
        (struct.pack("<Q", 5000) + b"{}", "breaks off within its header of 5000 bytes"),
        (struct.pack("<Q", 1 << 62) + b"{}", f"limit: a header of {1 << 62} bytes"),
    ],
)
def test_what_is_wrong(data, why):
    assert why in read(data).problems


def test_kinds_that_are_not_known_are_let_be():
    assert read(_file({"a": _tensor(0, 64, dtype="F2")})).problems == ()


def test_metadata_of_any_type():
    header = read(_file(b'{"__metadata__":{"a":1,"b":["x"],"c":"\\u0000"}}', 0))
    assert [key for key, _ in header.metadata] == ["a", "b", "c"]
    assert all(value.encode() for _, value in header.metadata)
    assert read(_file({"__metadata__": 7}, 0)).metadata == ()


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data):
    read(data)
    read(struct.pack("<Q", max(0, len(data))) + data)
    tensors.begins_like(data)


@given(st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5)))
def test_any_header_is_survived(header):
    read(_file({"a": {"dtype": "F32", "shape": [1], "data_offsets": header}} | header))
