"""Intake: what is collected, what is not, and how bytes come out of compressed files."""

import gzip
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from forensics import evidence
from forensics.errors import CaseError, EvidenceError, IntegrityError
from forensics.model import CaseConfig, EvidenceFile, SourceConfig


def _collect(root: Path, path: str):
    source = SourceConfig("logs", "syslog", path)
    return evidence.collect(CaseConfig(str(root), "case", "A case", "UTC", (0, 1), (source,)), source)


@pytest.fixture
def case(tmp_path):
    for name in ("b.log", "a.log.1", "sub/c.log", "sub/.hidden", "other/d.txt"):
        path = tmp_path / "evidence" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def _names(found):
    return [file.file for file in found.files]


def test_one_file_has_no_name_of_its_own(case):
    found = _collect(case, "evidence/b.log")
    assert [(f.file, f.size) for f in found.files] == [("", 5)]


def test_a_folder_is_walked_in_the_order_of_names(case):
    assert _names(_collect(case, "evidence")) == ["a.log.1", "b.log", "other/d.txt", "sub/.hidden", "sub/c.log"]


def test_a_glob_names_files_below_its_fixed_part(case):
    assert _names(_collect(case, "evidence/*.log*")) == ["a.log.1", "b.log"]
    assert _names(_collect(case, "evidence/**/c.log")) == ["sub/c.log"]
    assert _names(_collect(case, "evidence/s*")) == ["sub/.hidden", "sub/c.log"]


@pytest.mark.parametrize("path", ["../outside", "evidence/../../outside", "/etc/passwd"])
def test_nothing_outside_the_case_is_collected(case, path):
    with pytest.raises(CaseError, match="leaves the case folder"):
        _collect(case, path)


def test_nothing_there(case):
    with pytest.raises(CaseError, match="no file lies there"):
        _collect(case, "evidence/missing*")


def test_links_are_reported_and_never_followed(case):
    (case / "evidence/link.log").symlink_to("/etc/passwd")
    (case / "evidence/folder").symlink_to("/etc")
    os.mkfifo(case / "evidence/pipe")
    found = _collect(case, "evidence")
    assert "link.log" not in _names(found)
    assert found.notes == (
        "not a regular file, left alone: pipe",
        "symbolic link not followed: folder",
        "symbolic link not followed: link.log",
    )
    assert "symbolic link not followed: evidence/link.log" in _collect(case, "evidence/*.log").notes
    with pytest.raises(CaseError, match="symbolic link"):
        _collect(case, "evidence/link.log")
    with pytest.raises(CaseError, match=r"symbolic link|no file"):
        _collect(case, "evidence/folder/passwd")


def test_hashes_and_changes(case):
    with ThreadPoolExecutor(2) as pool:
        found = evidence.hash_all(_collect(case, "evidence"), pool)
        assert found.files[1].sha256 == hashlib.sha256(b"b.log").hexdigest()
        evidence.check_unchanged(found, pool)
        Path(found.files[1].path).write_text("changed")
        with pytest.raises(IntegrityError, match="changed while it was examined"):
            evidence.check_unchanged(found, pool)


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(EvidenceError, match="can't be read"):
        evidence.sha256_of(str(tmp_path / "gone"))


# --- compressed files -------------------------------------------------------------------------------------------------

TEXT = b"".join(b"line %d of a log\n" % n for n in range(20_000))


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def _read(path: Path) -> tuple[bytes, evidence.Unpacked]:
    with evidence.open_text(EvidenceFile("", str(path), path.stat().st_size)) as stream:
        assert isinstance(stream, evidence.Unpacked)
        parts = iter(lambda: stream.read(1 << 20), b"")
        return b"".join(parts), stream


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", _zstd)])
def test_members_follow_each_other(tmp_path, ending, compress):
    path = tmp_path / f"log{ending}"
    path.write_bytes(compress(TEXT) + compress(b"") + compress(b"the end\n"))
    text, stream = _read(path)
    assert text == TEXT + b"the end\n"
    assert (stream.damage, stream.consumed) == ("", path.stat().st_size)


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", _zstd)])
def test_a_stream_that_ends_early_gives_what_it_has(tmp_path, ending, compress):
    path = tmp_path / f"log{ending}"
    whole = compress(os.urandom(300_000))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    text, stream = _read(path)
    assert 0 < len(text) < 300_000
    assert stream.damage == "the compressed stream ends in the middle"


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", _zstd)])
def test_trailing_rubbish_is_damage(tmp_path, ending, compress):
    path = tmp_path / f"log{ending}"
    path.write_bytes(compress(TEXT) + b"rubbish that is no member")
    text, stream = _read(path)
    assert text == TEXT
    assert stream.damage.startswith("damaged compressed stream")
    assert stream.consumed < path.stat().st_size


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_not_compressed_at_all(tmp_path, ending):
    path = tmp_path / f"log{ending}"
    path.write_bytes(b"plain text\n")
    text, stream = _read(path)
    assert text == b""
    assert stream.damage


def test_a_bomb_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "FREE_GROWTH", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(64 << 20)))
    text, stream = _read(path)
    assert len(text) <= 64 << 20
    assert len(text) < max(1 << 20, path.stat().st_size * evidence.LARGEST_RATIO) + (80 << 20)
    assert "decompression limit" in stream.damage


def test_a_window_that_would_fill_the_memory(tmp_path):
    path = tmp_path / "window.zst"
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([20 << 3])  # asks for a window of 1 GiB: RFC 8878, section 3.1.1.1.2
    path.write_bytes(frame + (5 << 3 | 1).to_bytes(3, "little") + b"small")
    text, stream = _read(path)
    assert text == b""
    assert "requires too much memory" in stream.damage


def test_plain_files_are_plain(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(TEXT)
    with evidence.open_text(EvidenceFile("", str(path), len(TEXT))) as stream:
        assert isinstance(stream, io.RawIOBase)
        assert b"".join(iter(lambda: stream.read(1 << 16), b"")) == TEXT


@given(total=st.integers(0, 10**12), parts=st.lists(st.integers(0, 10**9), max_size=5))
def test_shares_add_up(total, parts):
    shares = evidence.share_out(total, parts)
    assert len(shares) == len(parts)
    assert sum(shares) == (total if sum(parts) else 0)
    for share, part in zip(shares, parts, strict=True):
        if sum(parts):
            assert abs(share - total * part / sum(parts)) <= 1
