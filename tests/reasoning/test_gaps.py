"""Silences: found where a cadence was broken, and not where a source is quiet by habit."""

import random

import pytest

from forensics import schema, times
from forensics.model import Event
from forensics.reasoning.gaps import Silence, gaps, silences
from forensics.reasoning.policy import read_policy
from forensics.tables import Tables

START = times.parse("2024-06-03T00:00:00+08:00")[0]  # a Monday


def source(tmp_path, moments):
    tables = Tables(tmp_path)
    rows = [Event(0, 1, m, "log.message") for m in moments]
    tables.write("events", [schema.event_batch("s", "", 0, rows)])
    return tables


def _gaps(tables, name, zone, policy):
    return gaps({name: silences(tables, name, zone, policy)}, {}, policy)[name]


def hourly(days, skip=()):
    return [START + d * times.DAY + h * times.HOUR for d in range(days) for h in range(24) if (d, h) not in skip]


def test_a_clockwork_source_that_stops_for_five_hours(tmp_path):
    tables = source(tmp_path, hourly(20, {(9, h) for h in range(8, 13)}))
    found = _gaps(tables, "s", "Asia/Shanghai", read_policy(None))
    assert [(times.show(a), times.show(b)) for a, b in found] == [("2024-06-11T23:00:00Z", "2024-06-12T05:00:00Z")]


def test_nights_and_weekends_are_no_gaps(tmp_path):
    dice = random.Random(7)
    moments = sorted(START + d * times.DAY + int(dice.uniform(9, 19) * times.HOUR) for d in range(60) if d % 7 < 5 for _ in range(30))
    assert _gaps(source(tmp_path, moments), "s", "Asia/Shanghai", read_policy(None)) == []


def test_a_working_day_without_a_record_is_a_gap(tmp_path):
    dice = random.Random(7)
    moments = sorted(
        START + d * times.DAY + int(dice.uniform(9, 19) * times.HOUR) for d in range(60) if d % 7 < 5 and d != 22 for _ in range(30)
    )
    found = _gaps(source(tmp_path, moments), "s", "Asia/Shanghai", read_policy(None))
    assert len(found) == 1
    assert found[0][0] < START + 22 * times.DAY + 9 * times.HOUR < START + 22 * times.DAY + 19 * times.HOUR < found[0][1]


def test_a_burst_is_no_cadence(tmp_path):
    moments = sorted({START + i * times.SECOND for i in range(5000)} | {START + d * times.DAY for d in range(60)})
    assert _gaps(source(tmp_path, moments), "s", "Asia/Shanghai", read_policy(None)) == []


@pytest.mark.parametrize("count", [0, 1, 2, 49])
def test_few_records_have_no_cadence(tmp_path, count):
    assert _gaps(source(tmp_path, hourly(20)[:count]), "s", "UTC", read_policy(None)) == []


def test_a_log_handed_in_twice_has_the_same_gaps(tmp_path):
    moments = hourly(20, {(9, h) for h in range(8, 13)})
    one = _gaps(source(tmp_path / "a", moments), "s", "UTC", read_policy(None))
    two = _gaps(source(tmp_path / "b", sorted(moments * 2)), "s", "UTC", read_policy(None))
    assert one == two


def test_two_logs_of_one_host_that_fall_silent_together_bear_each_other_out():
    policy = read_policy(None)
    sure, faint = Silence(1000, 9000, -20.0), Silence(1500, 9200, -6.0)
    hosts = {"shell": "forge", "events": "forge", "door": "gate"}
    assert gaps({"shell": [sure], "events": [faint], "door": [faint]}, hosts, policy) == {
        "shell": [(1000, 9000)],
        "events": [(1500, 9200)],
        "door": [],
    }
    assert gaps({"shell": [faint], "events": [faint]}, hosts, policy) == {"shell": [], "events": []}
    assert gaps({"shell": [sure], "events": [Silence(8500, 20000, -6.0)]}, hosts, policy)["events"] == []


def test_a_silence_over_an_act_that_the_log_would_have_shown_needs_less():
    policy = read_policy(None)
    found = {"s": [Silence(0, 100, -7.0), Silence(200, 300, -7.0), Silence(400, 500, -1.0)]}
    assert gaps(found, {}, policy, {"s": [(40, 41), (410, 411)]}) == {"s": [(0, 100)]}
    assert gaps(found, {}, policy, {"t": [(40, 41)]}) == {"s": []}


def test_a_log_that_never_pauses_has_a_gap_where_it_stops(tmp_path):
    """A record every ninety seconds for four days: one burst by its pauses alone."""
    start = 1_718_000_000 * times.SECOND
    stopped = range(2400, 2510)
    moments = [start + n * 90 * times.SECOND for n in range(3840) if n not in stopped]
    found = _gaps(source(tmp_path, moments), "s", "UTC", read_policy(None))
    assert found == [(moments[2399], moments[2400])]
