"""Points of metrics."""

import json

import pytest

HEADING = b"run,step,time,name,value\n"


@pytest.mark.parametrize("missing", ["run", "name", "value"])
def test_a_heading_that_lacks_a_column(read, missing):
    names = [name for name in ("run", "step", "time", "name", "value") if name != missing]
    data = ",".join(names).encode() + b"\n1,2,3,4\n" * 50
    found = read("metrics", data)
    assert not found.events
    assert [(r.start, r.end) for r in found.rejects] == [(0, len(data))]
    assert missing in found.rejects[0].reason


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-1.5e3", -1500.0), (".5", 0.5), ("5.", 5.0), ("nan", None), ("Infinity", None), ("1e999", None), ("", None)],
)
def test_values(read, text, value):
    found = read("metrics", HEADING + f"a,1,2024-06-12T00:00:00Z,loss,{text}\n".encode())
    assert found.events[0].value == value
    assert json.loads(found.events[0].attrs).get("text") == (text if value is None else None)


@pytest.mark.parametrize("text", ["six", "1_000", "0x10", "١", "--1"])
def test_what_is_no_value(read, text):
    assert "no number" in read("metrics", HEADING + f"a,1,2024-06-12T00:00:00Z,loss,{text}\n".encode()).rejects[0].reason


def test_time_and_step_may_be_left_out(read):
    event = read("metrics", b"value,name,run\n3.5,loss,a\n").events[0]
    assert (event.time, event.object, event.name, event.value, event.attrs) == (None, "run:a", "loss", 3.5, None)


def test_a_step_is_a_number_where_it_is_one(read):
    found = read("metrics", b"run,step,name,value\na,007,loss,1\na,epoch-3,loss,1\n")
    assert [json.loads(e.attrs)["step"] for e in found.events] == [7, "epoch-3"]
