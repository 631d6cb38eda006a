"""Runs from MLflow's file store, and from databases that nobody has reason to trust."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from forensics.errors import RecordError
from forensics.sources.mlflow import flat, read_row, run, sqlite
from forensics.sources.mlflow.layout import place

RUN = "a" * 32
META = f"experiment_id: '1'\nrun_id: {RUN}\nrun_name: base\nstart_time: 1718100000000\nstatus: 3\nuser_id: mei\n".encode()
EXPERIMENT = b"experiment_id: '1'\nname: ranking\n"
SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid TEXT);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
"""


def _actions(found):
    return [event.action for event in found.events]


def _record(found):
    event = next(event for event in found.events if event.action == "run.record")
    return event, json.loads(event.attrs)


# --- the file store -------------------------------------------------------------------------------------------------


def _store(more=(), meta=META):
    return {"1/meta.yaml": EXPERIMENT, f"1/{RUN}/meta.yaml": meta, **{f"1/{RUN}/{name}": data for name, data in dict(more).items()}}


@pytest.mark.parametrize(
    ("name", "what", "folder", "key"),
    [
        ("1/meta.yaml", "meta", "1", ""),
        (f"mlruns/1/{RUN}/params/optimizer/lr", "params", f"mlruns/1/{RUN}", "optimizer/lr"),
        (f"1/{RUN}/tags/params/metrics", "tags", f"1/{RUN}", "params/metrics"),
        (f"1/{RUN}/metrics/loss.gz", "metrics", f"1/{RUN}", "loss"),
        (f"1/{RUN}/artifacts/metrics/loss", "skipped", f"1/{RUN}", ""),
        ("models/ranker/meta.yaml", "skipped", "", ""),
        ("metrics", "other", "", ""),
        ("mlflow.db", "other", "", ""),
    ],
)
def test_what_a_file_is(name, what, folder, key):
    found = place(name)
    assert (found.what, found.folder, found.key) == (what, folder, key)


@pytest.mark.parametrize("name", run.JOB_TAGS)
def test_every_job_tag(read, name):
    assert _record(read("mlflow", _store({f"tags/{name}": b"1041\n"})))[1]["job"] == "1041"


def test_the_first_job_tag_counts(read):
    assert _record(read("mlflow", _store({"tags/job_id": b"2", "tags/slurm_job_id": b"1", "tags/k8s_job": b"3"})))[1]["job"] == "1"


def test_a_user_is_a_claim_and_never_an_actor(read):
    event, _ = _record(read("mlflow", _store()))
    assert (event.claimed, event.actor) == ("unix:mei", None)
    assert _record(read("mlflow", _store({"tags/mlflow.user": b"tag"}, META.replace(b"mei", b"''"))))[0].claimed == "unix:tag"


def test_the_run_says_where_it_lies(read):
    event, facts = _record(read("mlflow", _store({"params/lr": b"0.1"})))
    assert (event.start, event.end, event.object) == (0, len(META), f"mlflow:{RUN}")
    assert facts["params"] == {"lr": "0.1"}


def test_a_single_run_folder(read):
    found = read("mlflow", {"meta.yaml": META, "tags/k8s_job": b"x"})
    assert sorted(_actions(found)) == ["log.message", "run.record"]  # the folder of this case is not named like a run's


def test_empty_files_say_nothing(read):
    found = read("mlflow", _store({"params/lr": b"", "tags/note": b"", "metrics/loss": b""}))
    assert sorted(_actions(found)) == ["log.message", "run.record"]
    assert _record(found)[1]["params"] == {"lr": ""}


def test_a_run_whose_metadata_names_no_run(read):
    found = read("mlflow", _store(meta=EXPERIMENT))
    assert _actions(found) == ["log.message"]
    assert "run_id" in found.rejects[0].reason


def test_a_run_of_another_name_is_known_by_its_experiment(read):
    found = read("mlflow", {"1/meta.yaml": EXPERIMENT, "1/custom/meta.yaml": META, "1/custom/tags/a": b"b"})
    assert sorted(_actions(found)) == ["log.message", "run.record", "run.tag"]
    assert _record(found)[0].object == "mlflow:custom"
    assert _record(found)[1]["run_id"] == RUN


def test_values_that_are_too_long(read):
    long = b"x" * (run.LONGEST_VALUE + 1)
    found = read("mlflow", _store({"params/long": long, "params/short": b"1"}))
    assert [(r.start, r.end) for r in found.rejects] == [(0, len(long))]
    facts = _record(found)[1]
    assert facts["params"] == {"short": "1"}
    assert facts["incomplete"] is True


def test_a_run_carries_so_much_and_its_job_always(read):
    many = {f"tags/a{i:03}": b"x" * run.LONGEST_VALUE for i in range(run.CARRIED // run.LONGEST_VALUE + 3)}
    found = read("mlflow", _store({**many, "tags/slurm_job_id": b"1041"}))
    event, facts = _record(found)
    assert len(event.attrs) < run.CARRIED + 10_000
    assert facts["incomplete"] is True
    assert facts["job"] == facts["tags"]["slurm_job_id"] == "1041"
    assert _actions(found).count("run.tag") == len(many) + 1


@pytest.mark.parametrize(
    "text", [b"1_0 1 1", b"\xd9\xa1 1 1", b"1718100000000  1 1", b"1718100000000 1,5 1", b"1718100000000 0x1 1", b"9" * 30 + b" 1 1"]
)
def test_what_is_no_point(read, text):
    found = read("mlflow", _store({"metrics/loss": text + b"\n"}))
    assert [(r.start, r.end) for r in found.rejects] == [(0, len(text) + 1)]


@pytest.mark.skipif(os.name == "nt", reason="names are bytes")
def test_names_that_are_no_text(tmp_path, evidence_at, source_config, read_evidence):
    folder = os.fsencode(tmp_path) + b"/mlruns/1/" + RUN.encode() + b"/tags/"
    os.makedirs(folder)  # noqa: PTH103 - a path of bytes
    try:
        with open(folder + b"k\xff", "wb") as stream:  # noqa: PTH123 - a path of bytes
            stream.write(b"v")
    except OSError:
        pytest.skip("this file system takes text alone")
    (tmp_path / "mlruns" / "1" / RUN / "meta.yaml").write_bytes(META)
    found = read_evidence(evidence_at(tmp_path, source_config("mlflow", path="mlruns")))
    assert _record(found)[1]["tags"] == {"k\\xff": "v"}


# --- flat YAML ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b", "b"),
        ("a: ''", ""),
        ("a: 'it''s'", "it's"),
        ('a: "x\\ty\\u5b66\\U0001F600"', "x\ty学😀"),
        ('a: "\\ud800"', "\\ud800"),
        ("a: null", None),
        ("a:", None),
        ("a: []", None),
        ("a: -1", "-1"),
        ("a: b # comment", "b"),
        ("a: b#c", "b#c"),
        ("a: http://x.example/y", "http://x.example/y"),
        ("a: one\n  two\n  three", "one two three"),
        ("a: 'one\n\n  two'", "one\ntwo"),
        ('a: "one \\\n  \\ two"', "one  two"),
        ("---\n# head\n\na: b\r\n", "b"),
        ("a:\n  b: c\n  'd e': f", {"b": "c", "d e": "f"}),
    ],
)
def test_flat_yaml(text, value):
    assert flat.parse(text.encode()) == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [echo]", "a: &x b", "a: *x", "a: [1, 2]", "a: {b: c}", "a: |\n  text", "a: >\n  text",
        "a: b: c", "- a", "a:\n- b", "a:\n  - b", "a:\n  b:\n    c: d", "a: 'open", 'a: "\\q"', 'a: "\\UFFFFFFFF"', "a: b\na: c", "<<: *x",
        "a: 'b' c", "%YAML 1.1", "? a\n: b", "a\n", "a:\n    b: c\n  d: e", "\ta: b", "a: @b", "a: `b", "a: b:",
    ],
)  # fmt: skip
def test_what_is_not_flat(text):
    with pytest.raises(RecordError):
        flat.parse(text.encode())


@pytest.mark.parametrize(
    "data",
    [b"a: 'x" + b"\n" * 900_000, b'a: "' + b"\\" * 900_000, b"a" * 900_000, b"a:" + b" " * 900_000, b"a:\n" + b" \n" * 400_000 + b"  b"],
)
def test_flat_yaml_takes_linear_time(data):
    try:
        flat.parse(data)
    except RecordError:
        return


# --- databases ------------------------------------------------------------------------------------------------------


def _database(path: Path, script: str = SCHEMA, rows=()) -> bytes:
    base = sqlite3.connect(path)
    base.executescript(script)
    for statement, values in rows:
        base.execute(statement, values)
    base.commit()
    base.close()
    return path.read_bytes()


ONE = [("INSERT INTO runs VALUES (?, 'base', 'mei', 'FINISHED', 1718100000000, NULL)", (RUN,))]


def _hostile(path: Path, name: str, sql: str, kind: str = "table") -> bytes:
    """Rewrite what the schema says of one name, as somebody who edits the file may."""
    base = sqlite3.connect(path)
    base.executescript(SCHEMA)
    base.execute(*ONE[0])
    base.commit()
    base.execute("PRAGMA writable_schema = ON")
    base.execute("UPDATE sqlite_master SET sql = ?, type = ? WHERE name = ?", (sql, kind, name))
    base.commit()
    base.close()
    return path.read_bytes()


def test_reading_writes_nothing(tmp_path, read):
    data = _database(tmp_path / "a.db", rows=ONE)
    (tmp_path / "case").mkdir()
    found = read("mlflow", {"mlflow.db": data})
    assert _actions(found) == ["run.record"]
    assert not found.rejects
    left = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(left) == ["a.db", "mlflow.db"]


def test_a_database_in_wal_mode(tmp_path, read):
    data = _database(tmp_path / "a.db", f"PRAGMA journal_mode = WAL; {SCHEMA}", ONE)
    assert _actions(read("mlflow", data)) == ["run.record"]


def test_a_journal_beside_a_database_is_told(tmp_path, read):
    found = read("mlflow", {"mlflow.db": _database(tmp_path / "a.db", rows=ONE), "mlflow.db-wal": b"x", "mlflow.db-journal": b""})
    assert ["-wal" in r.reason for r in found.rejects] == [True]


def test_other_databases(tmp_path, read):
    found = read("mlflow", _database(tmp_path / "a.db", "CREATE TABLE notes (text)"))
    assert not found.events
    assert "no database of MLflow" in found.rejects[0].reason


def test_a_missing_table_is_told(tmp_path, read):
    found = read("mlflow", _database(tmp_path / "a.db", SCHEMA.replace("TABLE tags", "TABLE other"), ONE))
    assert _actions(found) == ["run.record"]
    assert [r.locator for r in found.rejects] == ["table=tags"]
    assert found.parsed


@pytest.mark.parametrize(
    "script",
    [
        "CREATE VIEW tags AS SELECT 'k' AS key, 'v' AS value, run_uuid FROM runs;",
        "CREATE VIEW tags AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT i AS key, i AS value, i AS run_uuid FROM n;",
        "CREATE VIRTUAL TABLE tags USING fts5(key, value, run_uuid);",
        "CREATE TABLE tags (key TEXT, run_uuid TEXT, value TEXT GENERATED ALWAYS AS (hex(zeroblob(1000000))) VIRTUAL);",
        "CREATE TABLE tags (rowid TEXT, _rowid_ TEXT, oid TEXT);",
        "CREATE TABLE tags (key TEXT PRIMARY KEY, value TEXT, run_uuid TEXT) WITHOUT ROWID;",
    ],
)
def test_what_is_no_ordinary_table(tmp_path, read, script):
    try:
        data = _database(tmp_path / "a.db", SCHEMA.replace("CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);", script), ONE)
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))  # a SQLite without that module
    found = read("mlflow", data)
    assert "run.tag" not in _actions(found)
    assert "run.record" in _actions(found)
    assert [(r.start, r.end) for r in found.rejects] == [(0, len(data))]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE VIEW runs AS SELECT * FROM metrics", "table"),
        ("CREATE/**/VIEW runs AS SELECT * FROM metrics", "table"),
        ("CREATE TABLE runs AS SELECT * FROM metrics", "table"),
        ("CREATE VIRTUAL TABLE runs USING fts5(a)", "table"),
        ("CREATE TABLE runs (a, a)", "table"),
        ("CREATE TABLE runs (" + "(" * 10_000, "table"),
        ("DROP TABLE metrics", "table"),
        ("CREATE TRIGGER runs AFTER INSERT ON metrics BEGIN SELECT 1; END", "trigger"),
        (None, "table"),
        ("", "index"),
    ],
)
def test_a_schema_that_lies(tmp_path, read, sql, kind):
    data = _hostile(tmp_path / "a.db", "runs", sql, kind)
    found = read("mlflow", data)
    assert not found.events
    assert [(r.start, r.end) for r in found.rejects if r.end > 0] == [(0, len(data))]


def test_cells_of_any_type(tmp_path, read):
    values = [None, 1, -1.5, "text", b"\xff\x00", 1 << 62, "x" * (run.LONGEST_VALUE + 1), float("inf"), "\ud83d"[:0]]
    rows = [(f"INSERT INTO {table} VALUES ({', '.join('?' * count)})", (value,) * count) for value in values for table, count in (
        ("runs", 6), ("metrics", 6), ("latest_metrics", 6), ("params", 3), ("tags", 3))]  # fmt: skip
    data = _database(tmp_path / "a.db", SCHEMA.replace(" PRIMARY KEY", ""), rows)
    found = read("mlflow", data)
    assert len(found.events) + len(found.rejects) == len(rows)


def test_rows_beyond_the_limit_cost_themselves_alone(tmp_path, read, monkeypatch):
    monkeypatch.setattr(sqlite, "_LIMITS", ((sqlite3.SQLITE_LIMIT_LENGTH, 5000), *sqlite._LIMITS[1:]))
    rows = [("INSERT INTO tags VALUES (?, ?, ?)", (f"k{i}", "x" * (9000 if i in (0, 3, 4, 9) else 5), RUN)) for i in range(10)]
    found = read("mlflow", _database(tmp_path / "a.db", rows=ONE + rows))
    assert [e.locator for e in found.events if e.action == "run.tag"] == [f"table=tags;row={i}" for i in (1, 2, 5, 6, 7, 8)]
    assert [r.locator for r in found.rejects] == [f"table=tags;row={i}" for i in (0, 3, 4, 9)]
    assert found.parsed


def test_a_tree_without_end(tmp_path, read):
    """An inner page whose children are all one leaf: as many rows as somebody likes, out of a small file."""
    path = tmp_path / "a.db"
    rows = [("INSERT INTO tags VALUES (?, ?, ?)", (f"k{i}", "x" * 200, RUN)) for i in range(2000)]
    data = bytearray(_database(path, f"PRAGMA page_size = 1024; {SCHEMA}", ONE + rows))
    base = sqlite3.connect(path)
    root = base.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tags'").fetchone()[0]
    base.close()
    page = (root - 1) * 1024
    assert data[page] == 5  # an inner page of a table
    cells = int.from_bytes(data[page + 3 : page + 5])
    places = [page + int.from_bytes(data[page + 12 + 2 * i : page + 14 + 2 * i]) for i in range(cells)]
    for place_of in places:
        data[place_of : place_of + 4] = data[places[0] : places[0] + 4]
    found = read("mlflow", bytes(data))
    assert [(r.start, r.end) for r in found.rejects if r.end > 0] == [(0, len(data))]
    assert "out of order" in found.rejects[-1].reason
    assert _actions(found).count("run.tag") < 2000


def test_rows_that_hold_more_than_their_file(tmp_path, read, monkeypatch):
    monkeypatch.setattr(sqlite, "FREE_GROWTH", 0)
    monkeypatch.setattr(sqlite, "LARGEST_RATIO", 0)
    data = _database(tmp_path / "a.db", rows=ONE)
    assert "more than their file" in read("mlflow", data).rejects[-1].reason


def test_steps_are_limited(tmp_path, read, monkeypatch):
    monkeypatch.setattr(sqlite, "_STEPS", 10)
    monkeypatch.setattr(sqlite, "_FREE_STEPS", 0)
    monkeypatch.setattr(sqlite, "_STEPS_A_BYTE", 0)
    data = _database(tmp_path / "a.db", rows=ONE * 1 + [("INSERT INTO tags VALUES ('a', 'b', 'c')", ())] * 1000)
    assert [(r.start, r.end) for r in read("mlflow", data).rejects if r.end > 0] == [(0, len(data))]


def test_a_compressed_database_is_not_unpacked(tmp_path, read):
    import gzip

    found = read("mlflow", {"mlflow.db.gz": gzip.compress(_database(tmp_path / "a.db", rows=ONE))})
    assert not found.events
    assert "compressed" in found.rejects[0].reason


def test_a_name_with_marks_of_an_address(tmp_path, read):
    data = _database(tmp_path / "a.db", rows=ONE)
    assert _actions(read("mlflow", {"a?mode=rwc#b%20.db": data})) == ["run.record"]


def test_a_row_by_its_number(tmp_path):
    _database(
        tmp_path / "a.db", rows=[*ONE, ("INSERT INTO tags VALUES ('a', 1, NULL)", ()), ("INSERT INTO tags VALUES ('b', x'ff', 'c')", ())]
    )
    path = str(tmp_path / "a.db")
    assert read_row(path, "tags", 1) == {"key": "b", "value": "\\xff", "run_uuid": "c"}
    assert read_row(path, "tags", 0) == {"key": "a", "value": "1", "run_uuid": None}
    for table, number in (("tags", 2), ("sqlite_master", 0), ("tags; DROP TABLE tags", 0)):
        with pytest.raises(RecordError):
            read_row(path, table, number)
