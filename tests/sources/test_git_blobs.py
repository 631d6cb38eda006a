"""Contents of files are read from safe copies only, within bounds, and only where they are what their id says."""

import subprocess
import zlib

import pytest

from forensics.sources.git import blobs
from forensics.sources.git.blobs import read_blobs, reader


@pytest.fixture
def copy(tmp_path):
    place = tmp_path / "r.git"
    subprocess.run(["git", "init", "-q", "--bare", str(place)], check=True)
    return place


def put(copy, text):
    done = subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=copy, input=text, check=True, capture_output=True)
    return done.stdout.decode().strip()


def test_what_is_there_is_read_and_what_is_not_is_left_out(copy, tmp_path):
    one, two = put(copy, b"one\n"), put(copy, b"")
    assert read_blobs([tmp_path / "none.git", copy], {one, two, "f" * 40, "e" * 64, "HEAD", "--help", "../x"}) == {one: b"one\n", two: b""}
    assert read_blobs([copy], []) == {}


def test_no_more_is_read_than_there_is_room_for(copy, monkeypatch):
    texts = {put(copy, text): text for text in (b"a" * 10, b"b" * 10, b"c" * 100)}
    monkeypatch.setattr(blobs, "LARGEST", 50)
    assert read_blobs([copy], texts) == {i: t for i, t in texts.items() if len(t) == 10}
    monkeypatch.setattr(blobs, "MOST", 15)
    assert len(read_blobs([copy], texts)) == 1


def test_a_content_under_another_ones_id_is_not_believed(copy):
    one = put(copy, b"one\n")
    place = copy / "objects" / one[:2] / one[2:]
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"blob 4\0two\n"))
    assert read_blobs([copy], [one]) == {}
    place.write_bytes(b"broken")
    other = put(copy, b"other\n")
    assert read_blobs([copy], [one, other]) in ({other: b"other\n"}, {})


def test_what_was_read_is_not_read_again(copy, monkeypatch):
    one, two = put(copy, b"one\n"), put(copy, b"two\n")
    asked = []
    real = blobs.read_blobs
    monkeypatch.setattr(blobs, "read_blobs", lambda copies, ids: asked.append(set(ids)) or real(copies, ids))
    read = reader([copy])
    assert read([one, "f" * 40, "0" * 40]) == {one: b"one\n"}
    assert read([one, two, "f" * 40]) == dict(sorted({one: b"one\n", two: b"two\n"}.items()))
    assert asked == [{one, "f" * 40}, {two}]
