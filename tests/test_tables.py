"""Tables are laid when they are first asked for, held when asked often, and never stale."""

from pathlib import Path

import pyarrow as pa
import pytest

from forensics import schema
from forensics.model import Event
from forensics.tables import Tables, open_tables

ASKED = "SELECT id, time FROM events ORDER BY id"


def events(first: int, *times: int) -> pa.RecordBatch:
    return schema.event_batch("s", "f", first, [Event(0, 1, time=time, action="log.message") for time in times])


def clock(offset: int, *, applied: bool = True) -> pa.Table:
    row = {"source": "s", "since": -(1 << 60), "until": 1 << 60, "anchor": 0, "offset": offset, "rate": 0.0, "applied": applied}
    return pa.Table.from_pylist([row], schema=schema.CLOCKS)


@pytest.mark.parametrize("name", sorted({*schema.TABLES, "recorded"}))
def test_a_table_without_rows_has_its_columns(tmp_path: Path, name: str):
    with open_tables(tmp_path) as tables:
        found = tables.sql(f"SELECT * FROM {name}")
    table = schema.TABLES["events" if name == "recorded" else name]
    assert not found.num_rows
    assert {column.name: column.type for column in found.schema} == {column.name: column.type for column in table}


@pytest.mark.parametrize("held", [0, 1 << 20])
@pytest.mark.parametrize("questions", [1, 10])
def test_what_was_written_since_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: int, held: int):
    monkeypatch.setattr("forensics.tables._IN_MEMORY", held)
    monkeypatch.setattr("forensics.tables._SMALL", held)
    with open_tables(tmp_path) as tables:
        tables.write("events", [events(0, 10)])
        for _ in range(questions):
            assert tables.rows(ASKED) == [{"id": 0, "time": 10}]
        tables.write("events", [events(1, 20)], 1)
        for _ in range(questions):
            assert tables.rows(ASKED) == [{"id": 0, "time": 10}, {"id": 1, "time": 20}]
        tables.write("clocks", [clock(5)])
        for _ in range(questions):
            assert [row["time"] for row in tables.rows(ASKED)] == [5, 15]
            assert [row["time"] for row in tables.rows("SELECT time FROM recorded ORDER BY id")] == [10, 20]
        tables.write("clocks", [clock(5, applied=False)])
        assert [row["time"] for row in tables.rows(ASKED)] == [10, 20]


def test_what_others_wrote_is_seen_when_opened_anew(tmp_path: Path):
    tables = Tables(tmp_path)
    assert tables.rows(ASKED) == []
    Tables(tmp_path).write("events", [events(0, 10)])
    tables.close()
    assert tables.rows(ASKED) == [{"id": 0, "time": 10}]
    tables.close()
