"""Tables by their mapping."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MAP = {"time": "when", "action": "=person.present", "actor": "badge:{card}"}


def test_the_same_rows_in_every_format(read, tmp_path):
    rows = [{"when": f"2024-06-12T08:00:{n:02d}Z", "card": str(n), "door": f"d{n}"} for n in range(60)]
    heading = "when,card,door\n"
    text = heading + "".join(f"{r['when']},{r['card']},{r['door']}\n" for r in rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    formats = {
        "csv": text.encode(),
        "semicolons": text.replace(",", ";").encode(),
        "tabs": text.replace(",", "\t").encode(),
        "lines": "".join(json.dumps(r) + "\n" for r in rows).encode(),
        "array": json.dumps(rows).encode(),
        "parquet": (tmp_path / "t.parquet").read_bytes(),
    }
    told = {name: [e._replace(start=0, end=0, locator=None) for e in read("table", data, map=MAP).events] for name, data in formats.items()}
    assert len(told["csv"]) == 60
    assert all(events == told["csv"] for events in told.values())


def test_parquet_rows_are_told_by_number(read, tmp_path):
    pq.write_table(pa.table({"when": ["2024-06-12T08:00:00Z", "never"], "card": [1, 2]}), tmp_path / "t.parquet")
    found = read("table", {"door.parquet": (tmp_path / "t.parquet").read_bytes()}, map=MAP)
    assert [(e.locator, e.actor) for e in found.events] == [("table=door;row=0", "badge:1")]
    assert [(r.locator, r.reason) for r in found.rejects] == [("table=door;row=1", "not an ISO 8601 time: 'never'")]


def test_parquet_that_lacks_a_column(read, tmp_path):
    pq.write_table(pa.table({"when": ["2024-06-12T08:00:00Z"]}), tmp_path / "t.parquet")
    found = read("table", (tmp_path / "t.parquet").read_bytes(), map=MAP)
    assert [r.reason for r in found.rejects] == ["not a whole Parquet file: it has no column 'card', which [source.map] names"]


def test_parquet_that_would_fill_the_memory(read, tmp_path, monkeypatch):
    pq.write_table(pa.table({"when": ["2024-06-12T08:00:00Z"] * 1_000_000, "card": list(range(1_000_000))}), tmp_path / "t.parquet")
    monkeypatch.setattr("forensics.sources.table.formats.FREE_GROWTH", 1000)
    monkeypatch.setattr("forensics.sources.table.formats.LARGEST_RATIO", 0)
    found = read("table", (tmp_path / "t.parquet").read_bytes(), map=MAP)
    assert not found.events
    assert "decompression limit" in found.rejects[0].reason


@pytest.mark.parametrize(
    ("pattern", "filled"),
    [("=mei", "mei"), ("user", "u1"), ("unix:{user}", "unix:u1"), ("{user}@{dept}", "u1@ml"), ("{empty}", None), ("x:{empty}", None),
     ("{nested.name}", "deep"), ("nested.list", "[1,2]"), ("{missing}", None), ("{a.b}", "with a dot"), ("{}", None)],
)  # fmt: skip
def test_patterns(read, pattern, filled):
    row = {"user": "u1", "dept": "ml", "empty": "", "nested": {"name": "deep", "list": [1, 2]}, "a.b": "with a dot"}
    found = read("table", json.dumps(row).encode(), map={"action": "=x", "actor": pattern})
    assert found.events[0].actor == filled


def test_all_other_columns_stay(read):
    found = read("table", b"when,card,door,floor\n2024-06-12T08:00:00Z,1,N,3\n", map=MAP)
    assert json.loads(found.events[0].attrs) == {"door": "N", "floor": "3"}


@pytest.mark.parametrize(
    ("action", "word", "told"),
    [
        ("event", "open", "person.present"),
        ("door.{event}", "open", "person.present"),
        ("door.{event}", "shut", "door.shut"),
        ("event", "", "log.message"),
    ],
)
def test_the_logs_own_words(read, action, word, told):
    mapping = {"action": action, "actions": {"open": "person.present"}}
    assert read("table", f"event,x\n{word},1\n".encode(), map=mapping).events[0].action == told


def test_a_row_without_a_time_is_still_a_row(read):
    found = read("table", b"when,card\n,1\n", map=MAP)
    assert [(e.time, e.actor) for e in found.events] == [(None, "badge:1")]


def test_a_large_table_without_quotes_is_cut(read, monkeypatch):
    data = b"when,card\n" + b"".join(b"2024-06-12T08:00:00Z,%d\n" % n for n in range(500))
    whole = read("table", data, map=MAP)
    monkeypatch.setattr("forensics.records.PIECE", 1000)
    assert read("table", data, map=MAP).rows == whole.rows
