"""Every format keeps the promise, and shows hostile text as what it is."""

import csv
import io
import json
from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.telling.evidence_text import cell, in_json, shorten, visible, width
from forensics.telling.export import COLUMNS, load, names
from forensics.times import parse

TIME = parse("2024-06-12T01:31:00.123456789Z")[0]
HOSTILE = "\x1b[31mred\u202egpj.exe\u200b\x9b"
ROWS = [
    {
        "id": 1,
        "time": TIME,
        "action": "log.message",
        "actor": HOSTILE,
        "object": "=1+1",
        "value": -0.5,
        "attrs": '{"a":1}',
        "source": "s",
        "ref": "s#bytes=0-5",
    },
    {
        "id": 2,
        "time": None,
        "action": "code.push",
        "object": "git:训练@abc",
        "target": "x\ny\tz",
        "ref": "s#bytes=5-9",
        "sha256": "ab" * 32,
    },
]
DANGEROUS = [chr(c) for c in (*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x180E, 0xFEFF, 0xE0041)]
DANGEROUS += [chr(c) for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)) for c in range(first, last + 1)]


def written(name: str, rows: list[dict[str, object]] = ROWS, zone: str = "UTC") -> bytes:
    stream = io.BytesIO()
    load(name).write(iter(batches(rows)), stream, zone)
    return stream.getvalue()


def batches(rows: list[dict[str, object]]) -> Iterator[pa.RecordBatch]:
    yield from (pa.RecordBatch.from_pylist([row], schema=COLUMNS) for row in rows)


def test_the_formats_are_those_that_lie_there():
    assert names() == ["csv", "jsonl", "parquet", "table", "timesketch"]


@pytest.mark.parametrize("name", names())
def test_each_says_what_it_is_for_and_bears_its_files_name(name: str):
    export = load(name)
    assert export.name == name
    assert export.says


@pytest.mark.parametrize("name", names())
def test_each_writes_something_for_nothing(name: str):
    data = written(name, [])
    assert data or name in ("jsonl", "timesketch")


@pytest.mark.parametrize("name", [n for n in names() if not load(n).binary])
def test_no_format_hands_a_terminal_anything_but_text(name: str):
    row = {
        "id": 1,
        "time": TIME,
        "action": "x",
        "actor": "".join(DANGEROUS),
        "attrs": json.dumps({"a": "".join(DANGEROUS)}, ensure_ascii=False),
    }
    shown = written(name, [row]).decode().replace("\r\n", "\n") if name == "csv" else written(name, [row]).decode()
    assert not [c for c in DANGEROUS if c != "\n" and c in shown]


@pytest.mark.parametrize("char", DANGEROUS)
def test_what_cannot_be_seen_is_written_out(char: str):
    assert visible(f"a{char}b").startswith("a\\")
    assert json.loads(in_json(msgspec.json.encode(f"a{char}b"))) == f"a{char}b"


def test_ordinary_text_stays_as_it_is():
    text = "git:train@3f2c méi 训练，数据！ Привет ひらがな 😀 ~/x\\y"
    assert visible(text) == text


def test_lines_may_be_kept():
    assert visible("a\nb\rc", keep="\n") == "a\nb\\rc"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_formulas_are_defused(text: str):
    assert cell(text).startswith("'")


def test_csv_round_trips_through_a_parser():
    heading, first, second = csv.reader(io.StringIO(written("csv").decode(), newline=""))
    assert heading == COLUMNS.names
    row = dict(zip(heading, first, strict=True))
    assert row["object"] == "'=1+1"
    assert row["actor"] == "\\x1b[31mred\\u202egpj.exe\\u200b\\x9b"
    assert row["value"] == "-0.5"
    assert row["time"] == "2024-06-12T01:31:00.123456789Z"
    assert dict(zip(heading, second, strict=True))["target"] == "x\\ny\\tz"


def test_jsonl_carries_text_as_it_is():
    first, second = (json.loads(row) for row in written("jsonl").splitlines())
    assert first["actor"] == HOSTILE
    assert first["attrs"] == {"a": 1}
    assert first["time"] == "2024-06-12T01:31:00.123456789Z"
    assert "time" not in second
    assert second["target"] == "x\ny\tz"


def test_timesketch_has_the_fields_that_it_imports():
    (only,) = (json.loads(row) for row in written("timesketch").splitlines())
    assert only["datetime"] == "2024-06-12T01:31:00.123456+00:00"
    assert only["time"] == "2024-06-12T01:31:00.123456789Z"
    assert only["message"] == f"log.message =1+1 by {HOSTILE}"
    assert only["timestamp_desc"]


def test_timesketch_says_where_and_that_it_was_refused():
    row = {"id": 3, "time": TIME, "action": "object.write", "actor": "aws:a", "object": "s3://b/k", "host": "gw", "outcome": "AccessDenied"}
    (only,) = (json.loads(line) for line in written("timesketch", [row]).splitlines())
    assert only["message"] == "object.write s3://b/k by aws:a on gw (AccessDenied)"


def test_parquet_carries_every_nanosecond():
    table = pq.read_table(io.BytesIO(written("parquet")))
    assert table.column_names == COLUMNS.names
    assert table.column("time").type == pa.timestamp("ns", "UTC")
    assert table.column("time").cast(pa.int64()).to_pylist() == [TIME, None]
    assert table.column("actor").to_pylist()[0] == HOSTILE


def test_the_table_shows_times_in_a_zone_and_cuts_long_texts_in_the_middle():
    text = written("table", [{**ROWS[0], "object": "s3://" + "k" * 200 + "?versionId=7"}], "Asia/Shanghai").decode()
    assert "2024-06-12T09:31:00.123456789+08:00" in text
    assert "…" in text
    assert "?versionId=7" in text


@pytest.mark.parametrize("text", ["abc", "训练" * 30, "a" * 100, "é" * 50, "训a" * 40])
@pytest.mark.parametrize("most", [1, 5, 10, 11, 40])
def test_shortened_text_fits(text: str, most: int):
    assert width(shorten(text, most)) <= most
