"""Arrays that joblib writes between opcodes: passed over, and read as opcodes, too, since other loaders would."""

import struct

import pytest

from forensics.pickles.cursor import Cursor
from forensics.pickles.values import Budget, Pickle
from forensics.pickles.walk import read_one

EXEC = b"c__builtin__\nexec\nX" + struct.pack("<I", 4) + b"pass\x85R0"


def text(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


def wrapper(kind: str, *shape: int, more: bytes = b"") -> bytes:
    """Write the description of an array as joblib 1.5 does."""
    dims = b"(" + b"".join(b"J" + struct.pack("<i", n) for n in shape) + b"t"
    dtype = b"cnumpy\ndtype\n" + text(kind) + b"\x89\x88\x87R"
    facts = text("shape") + dims + text("order") + text("C") + text("dtype") + dtype + text("numpy_array_alignment_bytes") + b"K\x10" + more
    return b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + facts + b"ub"


def read(data: bytes) -> Pickle:
    return read_one(Cursor(lambda at, count: data[at : at + count], len(data)), Budget())


def runs(pickle: Pickle) -> list[tuple[str, int]]:
    return [(named.full, named.start) for named in pickle.named if named.runs]


def test_what_stands_behind_an_array_is_read():
    head = b"\x80\x04}" + text("a") + wrapper("f8", 3) + b"\x02\xff\xff" + b"\x2e" * 24 + b"s"
    found = read(head + EXEC + b".")
    assert (found.broken, found.stopped, found.tensors) == ("", True, 1)
    assert runs(found) == [("__builtin__.exec", len(head))]


def test_an_array_of_objects_is_a_pickle_of_its_own():
    head = b"\x80\x04" + wrapper("O8", 2) + b"\x80\x04"
    found = read(head + EXEC + b"].0" + EXEC + b"N.")
    assert [name for name, _ in runs(found)] == ["__builtin__.exec"] * 2
    assert found.stopped


def test_what_only_other_loaders_take_for_opcodes_is_found_too():
    """`pickle.load` knows no arrays: the byte of the padding is POP to it, and the array is what it runs next."""
    payload = EXEC + b"N."
    array = payload.ljust(64, b"\x00")
    data = b"\x80\x04N" + wrapper("u1", 64) + b"0" + b"\x00" * 48 + array + b"."
    assert read(data).stopped
    plain = b"\x80\x04N" + wrapper("u1", 64) + b"0" + payload.ljust(48 + 64, b"\x00") + b"."
    assert [name for name, _ in runs(read(plain))] == ["__builtin__.exec"]


@pytest.mark.parametrize(
    ("kind", "shape", "more"),
    [
        ("U5", (2,), b""),  # its length is set afterwards
        ("V8", (2,), b""),
        ("f8", (-1,), b""),
        ("f8", (1,) * 17, b""),
        ("f8", (1 << 30, 1 << 30, 1 << 30), b""),
        ("f8", (2,), b"".join(text(f"k{n}") + b"N" for n in range(6))),  # another shape may stand behind
        ("evil", (2,), b""),
    ],
)
def test_an_array_whose_length_may_be_another_ends_the_reading(kind: str, shape: tuple[int, ...], more: bytes):
    found = read(b"\x80\x04" + wrapper(kind, *shape, more=more) + b"\x00" * 99 + b".")
    assert "array" in found.broken or found.broken.startswith("breaks off")


def test_arrays_inside_arrays_end_somewhere():
    found = read(b"\x80\x04" + (wrapper("O8", 1) + b"\x80\x04") * 500)
    assert "limit" in found.broken
