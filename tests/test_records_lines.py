"""Lines and rows that know their bytes, whatever the blocks and pieces that they come in."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import records, rows
from forensics.errors import RecordError
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, SourceConfig

SOURCE = SourceConfig("log", "syslog", "log")


def _evidence(path: Path, data: bytes) -> Evidence:
    path.write_bytes(data)
    return Evidence(SOURCE, (EvidenceFile("", str(path), len(data)),))


def _parse(data: bytes, start: int, end: int) -> list[Event] | None:
    if data.startswith(b"bad"):
        raise RecordError("bad")
    return None if data.startswith(b"skip") else [Event(start, end, None, data.decode("latin-1"))]


def _all(batches: list[Batch]) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]], int]:
    events = [(e.start, e.end, e.action) for b in batches for e in b.events]
    rejects = [(r.start, r.end, r.reason) for b in batches for r in b.rejects]
    return events, rejects, sum(b.parsed + b.skipped for b in batches) + sum(end - start for start, end, _ in rejects)


def _lines(evidence: Evidence, size: int) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]], int]:
    return _all([batch for piece in records.split_lines(evidence, size=size) for batch in records.each_line(piece, _parse)])


def test_lines_know_their_bytes(tmp_path):
    data = b"\xef\xbb\xbfone\ntwo\r\n\n  \nbad\nskip it\nlast"
    events, rejects, booked = _lines(_evidence(tmp_path / "log", data), 1 << 20)
    assert events == [(0, 7, "one"), (7, 12, "two"), (28, 32, "last")]
    assert rejects == [(16, 20, "bad")]
    assert booked == len(data)


def test_the_heading_is_parsed_once(tmp_path):
    evidence = _evidence(tmp_path / "log", b"a,b\n1,2\n3,4\n")
    pieces = list(records.split_lines(evidence, header=True, size=1))
    assert [piece.context for piece in pieces] == ["a,b"] * 3
    batches = [batch for piece in pieces for batch in records.each_line(piece, _parse, header=True)]
    assert [e.action for b in batches for e in b.events] == ["1,2", "3,4"]
    assert sum(b.parsed for b in batches) == 12


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    data=st.lists(st.sampled_from([b"a", b"bad", b"skip", b"\n", b"\r\n", b"\r", b" ", b"\0", b"\xff", b"longer words"])).map(b"".join),
    size=st.integers(1, 30),
)
def test_any_cut_gives_the_same_rows(tmp_path, data, size):
    evidence = _evidence(tmp_path / "log", data)
    whole = _lines(evidence, 1 << 20)
    assert _lines(evidence, size) == whole
    assert whole[2] == len(data)
    for start, end, text in whole[0]:
        assert text.encode("latin-1") in data[start:end]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_a_line_that_is_too_long(tmp_path, monkeypatch, block):
    monkeypatch.setattr(records, "LONGEST", 50)
    monkeypatch.setattr(records, "BLOCK", block)
    data = b"short\n" + b"x" * 500 + b"\nshort again\n" + b"y" * 500
    events, rejects, booked = _lines(_evidence(tmp_path / "log", data), 1 << 20)
    assert events[0][2] == "short"
    assert "short again" in [text for _, _, text in events]
    assert [(start, end) for start, end, _ in rejects if end - start > 400] == [(6, 507), (519, 1019)]
    assert booked == len(data)


def test_damage_of_a_compressed_file_is_a_row(tmp_path):
    path = tmp_path / "log.gz"
    packed = gzip.compress(b"".join(b"%d\n" % n for n in range(9999)), mtime=0)
    events, rejects, booked = _lines(_evidence(path, packed[: len(packed) // 2]), 1)
    assert events
    assert [reason for _, _, reason in rejects] == ["the compressed stream ends in the middle"]
    assert booked == events[-1][1]


def test_batches_stay_small(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "BATCH", 10)
    for text in (b"ok\n", b"bad\n"):
        piece = next(records.split_lines(_evidence(tmp_path / "log", text * 95)))
        assert max(len(b.events) + len(b.rejects) for b in records.each_line(piece, _parse)) <= 11


# --- rows of delimited text ---------------------------------------------------------------------------------------


def _rows(data: bytes, folder: Path, mark: str = ",") -> tuple[list[tuple[int, int, list[str]]], list[tuple[int, int]], int]:
    found: list[tuple[int, int, list[str]]] = []

    def parse(cells: list[str], start: int, end: int) -> list[Event]:
        found.append((start, end, cells))
        return []

    evidence = _evidence(folder / "rows.csv", data)
    batches = [batch for piece in rows.split_rows(evidence) for batch in rows.each_row(piece, parse, mark)]
    rejects = [(r.start, r.end) for b in batches for r in b.rejects]
    return found, rejects, sum(b.parsed + b.skipped for b in batches) + sum(end - start for start, end in rejects)


def test_quoted_cells_hold_anything(tmp_path):
    data = b'h1,h2\n"a,b","say ""yes"""\n"two\nlines",x\r\n5" disk,"\xe6\xa2\x85"\n'
    found, rejects, booked = _rows(data, tmp_path)
    assert [cells for _, _, cells in found] == [["a,b", 'say "yes"'], ["two\nlines", "x"], ['5" disk', "梅"]]
    assert [data[start:end] for start, end, _ in found][1] == b'"two\nlines",x\r\n'
    assert (rejects, booked) == ([], len(data))


def test_a_stray_quote_hides_nothing(tmp_path):
    data = b'h1,h2\nx,"open\n1,2\n3,4\n'
    found, rejects, booked = _rows(data, tmp_path)
    assert [cells for _, _, cells in found] == [["1", "2"], ["3", "4"]]
    assert rejects == [(6, 14)]
    assert booked == len(data)


def test_a_quote_that_is_open_for_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "LONGEST_ROW", 100)
    data = b'h\n"open\n' + b"plain\n" * 50 + b'"closed"\n'
    found, rejects, booked = _rows(data, tmp_path)
    assert len(found) == 51
    assert rejects == [(2, 8)]
    assert booked == len(data)


@pytest.mark.parametrize(
    ("heading", "mark"), [("a,b", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("alone", ","), ('"x;y;z",b', ",")]
)
def test_the_heading_tells_the_delimiter(heading, mark):
    assert rows.delimiter(heading) == mark


@given(cells=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1, max_size=6))
def test_what_is_quoted_reads_back(cells):
    text = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    assert rows.cells(text, ",") == cells


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(data=st.lists(st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"a", b'x",",', b" "]), max_size=60).map(b"".join))
def test_any_quoting_is_booked(tmp_path, data):
    found, _, booked = _rows(b"h,h\n" + data, tmp_path)
    assert booked == len(data) + 4
    assert all(start < end for start, end, _ in found)


def test_hostile_quotes_cost_no_more_than_their_length(tmp_path):
    data = b"h,h\n" + b'x",",\n' * 100_000
    _, _, booked = _rows(data, tmp_path)
    assert booked == len(data)


def test_a_large_file_is_cut_only_without_quotes(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "PIECE", 10)
    assert len(list(rows.split_rows(_evidence(tmp_path / "a", b"h,h\n" + b"1,2\n" * 20)))) > 1
    assert len(list(rows.split_rows(_evidence(tmp_path / "b", b"h,h\n" + b'1,"2"\n' * 20)))) == 1


def test_a_file_without_a_line_end(tmp_path):
    evidence = _evidence(tmp_path / "log", b"caf\xe9")
    assert records.first_line(evidence.files[0]) == "café"
    assert list(records.split_whole(evidence)) == [Piece(SOURCE, evidence.files[0])]
