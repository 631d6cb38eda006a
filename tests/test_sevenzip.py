"""7z archives: read as far as their header carries, in bounded memory, whatever stands in it."""

import random
from contextlib import suppress
from pathlib import Path

from forensics import containers, sevenzip
from forensics.errors import RecordError

ARCHIVE = (Path(__file__).parent / "sources/fixtures/checkpoint/picklescan/input/data/malicious1.7z").read_bytes()


def listed(data: bytes, limit: int = 1 << 20) -> list[tuple[str, bytes, str]]:
    return [(f.name, f.content.read(0, f.content.size), f.why) for f in sevenzip.files(containers.memory(data), limit)]


def test_a_file_is_unpacked_under_its_name():
    (found,) = listed(ARCHIVE)
    assert found[0] == "data.pkl"
    assert found[1].startswith(b"\x80\x04")
    assert found[2] == ""


def test_no_more_is_unpacked_than_is_asked_for():
    (found,) = listed(ARCHIVE, 5)
    assert (len(found[1]), found[2]) == (5, "limit: more than 5 bytes")


def test_cut_or_spoilt_it_never_does_worse_than_to_say_so():
    chance = random.Random(7)
    for round_ in range(2000):
        data = bytearray(ARCHIVE[: round_ % len(ARCHIVE)] if round_ < len(ARCHIVE) else ARCHIVE)
        for _ in range(chance.randrange(4) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(RecordError):
            listed(bytes(data))
