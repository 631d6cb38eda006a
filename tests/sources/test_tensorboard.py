"""Event files: checksums, records that are too long, what is a scalar, and how a folder names its run."""

import struct

import pytest

from forensics import records
from forensics.sources.tensorboard import framing
from forensics.sources.tensorboard.framing import masked
from forensics.sources.tensorboard.scalars import Scalars


def framed(*contents: bytes) -> bytes:
    out = b""
    for content in contents:
        head = struct.pack("<Q", len(content))
        out += head + struct.pack("<I", masked(head)) + content + struct.pack("<I", masked(content))
    return out


def field(number: int, kind: int, content: bytes) -> bytes:
    return bytes([number << 3 | kind]) + (bytes([len(content)]) if kind == 2 else b"") + content


def point(value: bytes, tag: bytes = b"loss", step: bytes = b"\x07", time: float = 1718100000.5) -> bytes:
    inner = field(1, 2, tag) + value
    return field(1, 1, struct.pack("<d", time)) + field(2, 0, step) + field(5, 2, field(1, 2, inner))


SIMPLE = field(2, 5, struct.pack("<f", 2.5))


@pytest.fixture
def read(tmp_path, source_config, evidence_at, read_evidence):
    def found(data: bytes, name: str = "runs/chat-1041/events.out.tfevents.1.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        return read_evidence(evidence_at(tmp_path, source_config("tensorboard", path=name.partition("/")[0] if "/" in name else name)))

    return found


def test_the_checksum_is_that_of_the_format():
    # of 8 zero bytes CRC-32C is 0x8c28b28a: rotated by 15, and a constant added
    assert masked(bytes(8)) == (((0x8C28B28A >> 15) | (0x8C28B28A << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_record_with_a_wrong_checksum_is_rejected_and_the_next_one_read(read):
    data = bytearray(framed(point(SIMPLE), point(SIMPLE, step=b"\x08")))
    data[20] ^= 1
    found = read(bytes(data))
    assert [r.reason for r in found.rejects] == ["the checksum of the record is another"]
    assert [e.attrs for e in found.events] == ['{"step":8}']


def test_where_a_length_does_not_hold_the_rest_is_rejected_as_one(read):
    one = framed(point(SIMPLE))
    data = bytearray(one * 3)
    data[len(one)] ^= 1
    found = read(bytes(data))
    assert [(r.start, r.end) for r in found.rejects] == [(len(one), 3 * len(one))]
    assert len(found.events) == 1


def test_a_record_that_is_too_long_is_passed_over(read, monkeypatch):
    monkeypatch.setattr(records, "LONGEST", 40)
    found = read(framed(point(SIMPLE, tag=b"x" * 60), point(SIMPLE)))
    assert [r.reason for r in found.rejects] == ["a record of more than 40 bytes"]
    assert [e.name for e in found.events] == ["loss"]


def test_a_length_beyond_the_file_holds_no_memory(read):
    head = struct.pack("<Q", 1 << 60)
    found = read(head + struct.pack("<I", framing.masked(head)) + b"x" * 100)
    assert [(r.start, r.end, r.reason) for r in found.rejects] == [(0, 112, "broken off within a record")]


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        (field(1, 0, b"\x01") + field(4, 2, struct.pack("<f", 0.5)), 0.5),
        (field(1, 0, b"\x02") + field(4, 2, struct.pack("<d", 0.25)), 0.25),
        (field(1, 0, b"\x0e") + field(4, 2, struct.pack("<f", 1.5)[2:]), 1.5),
        (field(1, 0, b"\x13") + field(4, 2, struct.pack("<e", 3.5)), 3.5),
        (field(1, 0, b"\x01") + field(5, 2, struct.pack("<f", 4.5)), 4.5),
        (field(1, 0, b"\x09") + field(10, 2, b"\x05"), 5.0),
        (field(1, 0, b"\x01") + field(2, 2, field(2, 2, field(1, 0, b"\x02"))) + field(4, 2, struct.pack("<ff", 1, 2)), None),
        (field(1, 0, b"\x07") + field(8, 2, b"hello"), None),
    ],
)
def test_a_tensor_is_a_point_where_it_is_one_number(read, tensor: bytes, value: float | None):
    (event,) = read(framed(point(field(8, 2, tensor)))).events
    assert (event.action, event.value) == (("metric.point", value) if value is not None else ("log.message", None))


@pytest.mark.parametrize("spoilt", [b"\xff" * 12, b"\x0a\xff", b"\x0b", b"\x00\x00", b"\x09\x00", field(5, 2, field(1, 2, b"\x15\x00"))])
def test_what_is_no_protocol_buffer_is_rejected(read, spoilt):
    found = read(framed(spoilt))
    assert (found.events, len(found.rejects)) == ([], 1)


def test_a_time_beyond_all_calendars_is_none(read):
    (event,) = read(framed(point(SIMPLE, time=1e300))).events
    assert (event.time, event.value) == (None, 2.5)


def test_the_folder_names_the_run(read):
    assert read(framed(point(SIMPLE))).events[0].object == "tensorboard:chat-1041"
    assert read(framed(point(SIMPLE)), "top/events.out.tfevents.1.h").events[0].object == "tensorboard:top"
    assert Scalars("tensorboard:x").parse(point(SIMPLE), 0, 1)[0].object == "tensorboard:x"
