"""Zip archives by their directory and by their members' own headers, and views that know where their bytes stand."""

import io
import struct
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import containers
from forensics.containers import Allowance, Archive, archive, memory, unpacked
from forensics.errors import RecordError


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_STORED, *, large: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with made.open(info, "w", force_zip64=large) as member:
                member.write(data)
    return buffer.getvalue()


def listed(data: bytes, allowance: Allowance | None = None) -> Archive:
    found = archive(memory(data), allowance or Allowance(2 * len(data)))
    assert found is not None
    return found


FILES = {"a/data.pkl": b"N.", "a/version": b"3\n", "a/data/0": bytes(range(256)) * 4}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("large", [False, True], ids=["", "zip64"])
@pytest.mark.parametrize("front", [b"", b"#!/bin/sh\n"], ids=["", "something in front"])
def test_members_and_what_they_hold(method, large, front):
    data = front + _zip(FILES, method, large=large)
    found = listed(data)
    assert found.problems == ()
    for member in found.members:
        content, why = unpacked(memory(data), member, 1 << 20)
        assert (content.read(0, content.size), why) == (FILES[member.name], "")
        assert not containers.checksum_fails(content, member)
        start, end = content.place(0, content.size)
        assert data[start:end] == FILES[member.name] or zlib.decompress(data[start:end], -15) == FILES[member.name]


def test_directories_of_zip64():
    data = bytearray(_zip(FILES))
    end = data.index(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    struct.pack_into("<HHII", data, end + 8, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    found = listed(bytes(data[:end]) + record + locator + bytes(data[end:]))
    assert [member.name for member in found.members] == list(FILES)
    assert found.problems == ()


def test_cut_at_any_byte_its_first_members_are_still_found():
    data = _zip(FILES)
    for size in range(60, len(data)):
        found = archive(memory(data[:size]), Allowance(2 * size))
        assert found is not None
        assert found.members[0].name == "a/data.pkl"
        assert found.problems


def test_views_know_their_place():
    view = containers.View(lambda at, count: b"0123456789"[at : at + count], 2, 6)
    assert view.read(0, 100) == b"234567"
    assert view.read(6, 1) == view.read(-1, 1) == b""
    part = view.part(2, 100)
    assert (part.size, part.read(0, 9), part.place(1, 3)) == (4, b"4567", (5, 7))
    assert view.part(50, 5).size == 0


@pytest.mark.parametrize("at", [0, 1, 253, 254, 255, 256, 257, 1279, 1280, 5000])
def test_marks_are_found_across_blocks(at):
    view = memory(bytes(at) + b"PK\x03\x04" + bytes(3000))
    assert view.find((containers.CENTRAL, containers.LOCAL), 0, view.size) == at
    assert view.find((containers.CENTRAL,), 0, view.size) == -1


def test_members_that_cannot_be_unpacked():
    data = bytearray(_zip({"a": b"x" * 100}, zipfile.ZIP_DEFLATED))
    member = listed(bytes(data)).members[0]
    with pytest.raises(RecordError, match="method 99, which is not read"):
        unpacked(memory(bytes(data)), replace(member, method=99), 100)
    data[member.data] = 0xFF
    with pytest.raises(RecordError, match="damaged"):
        unpacked(memory(bytes(data)), member, 100)
    assert unpacked(memory(_zip({"a": b"x" * 100}, zipfile.ZIP_DEFLATED)), member, 40)[1] == "limit: more than 40 bytes"


def test_archives_across_each_other_share_one_allowance():
    data = _zip({str(i): b"" for i in range(100)})
    allowance = Allowance(1 << 20, members=150)
    assert len(listed(data, allowance).members) == 100
    found = listed(data, allowance)
    assert len(found.members) < 100
    assert "limit: more than" in found.problems[0][1]


@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_are_survived(data, at):
    whole = bytearray(_zip(FILES))
    whole[at : at + len(data)] = data
    for text in (bytes(whole), b"PK\x03\x04" + data, data + b"PK\x05\x06" + data[:30]):
        found = archive(memory(text), Allowance(2 * len(text)))
        for member in found.members if found else ():
            try:
                unpacked(memory(text), member, 10_000)
            except RecordError:
                continue
