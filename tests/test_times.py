"""Times in, times out."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import times
from forensics.errors import RecordError

NOON = 1_718_193_600 * times.SECOND  # 2024-06-12T12:00:00Z


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2024-06-12T12:00:00Z", NOON),
        ("2024-06-12T12:00:00.000000Z", NOON),
        ("2024-06-12 12:00:00Z", NOON),
        ("2024-06-12 12:00:00.5Z", NOON + 500_000_000),
        ("2024-06-12T20:00:00+08:00", NOON),
        ("2024-06-12T20:00:00+0800", NOON),
        ("2024-06-12T20:00+08", NOON),
        ("2024-06-12T06:30:00-05:30", NOON),
        ("2024-06-12T12:00:00.123456789Z", NOON + 123_456_789),
        ("2024-06-12T12:00:00,5Z", NOON + 500_000_000),
        ("2024-06-12T12:00:00.1234567891Z", NOON + 123_456_789),
        ("2024-06-11T24:00:00Z", NOON - 12 * times.HOUR),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * times.SECOND),
    ],
)
def test_reads_iso_times(text, nanoseconds):
    assert times.parse(text) == (nanoseconds, nanoseconds)
    assert times.instant(text) == (nanoseconds, None)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-06-12T25:00:00Z", "2024-06-12T24:00:01Z", "2024-06-12T12:60:00Z",
     "2024-06-12T12:00:61Z", "1500-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2024-06-12T12:00:00", "٢٠٢٤-06-12T12:00:00Z", "2024-06-12X12:00:00Z"],
)  # fmt: skip
def test_says_what_is_no_time(text):
    for read in (times.parse, times.instant):
        with pytest.raises(RecordError):
            read(text)


def test_a_zone_that_is_not():
    with pytest.raises(RecordError, match="no time zone is called"):
        times.parse("2024-06-12T12:00:00", "Mars/Olympus")
    with pytest.raises(RecordError):
        times.parse("2024-06-12T12:00:00", "../../etc/passwd")


def test_a_local_time_takes_the_declared_zone():
    assert times.parse("2024-06-12 20:00:00", "Asia/Shanghai") == (NOON, NOON)


def test_the_hour_that_clocks_repeat_is_an_interval():
    low, high = times.parse("2024-10-27 02:30:00", "Europe/Berlin")
    assert high - low == times.HOUR
    assert times.show(low) == "2024-10-27T00:30:00Z"
    assert times.instant("2024-10-27 02:30:00", "Europe/Berlin") == (low, high)
    assert times.instant("2024-10-27 03:00:00", "Europe/Berlin")[1] is None


def test_the_hour_that_clocks_leave_out_is_an_interval():
    low, high = times.parse("2024-03-31 02:30:00", "Europe/Berlin")
    assert high - low == times.HOUR


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"])
@given(wall=st.integers(-3_000_000_000, 4_000_000_000))
def test_local_agrees_with_zoneinfo(zone, wall):
    naive = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=wall)  # noqa: DTZ001 - a wall clock reading
    both = [round(naive.replace(tzinfo=times.zone(zone), fold=fold).timestamp()) for fold in (0, 1)]
    assert times.local(wall, zone) == (min(both), max(both))


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1718193600", NOON),
        ("1718193600.5", NOON + 500_000_000),
        ("1718193600.123456789123", NOON + 123_456_789),
        ("1718193600000", NOON),
        ("1718193600000.5", NOON + 500_000),
        ("1718193600000000", NOON),
        ("1718193600000000000", NOON),
        ("0", 0),
        ("-1.5", -1_500_000_000),
    ],
)
def test_numbers_tell_their_unit_by_their_size(text, nanoseconds):
    assert times.epoch(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "x", "1e9", "1_000", " 1", "2024-06-12", "99999999999999999999", "+1"])
def test_what_is_no_number_of_seconds(text):
    assert times.epoch(text) is None


def test_a_number_beyond_the_tables():
    with pytest.raises(RecordError, match="64 bits"):
        times.epoch("9999999999999999999")


@given(nanoseconds=st.integers(-9_000_000_000 * times.SECOND, 9_000_000_000 * times.SECOND))
def test_what_is_shown_reads_back(nanoseconds):
    shown = times.show(nanoseconds)
    assert shown.endswith("Z")
    assert times.parse(shown) == (nanoseconds, nanoseconds)


def test_a_fraction_only_where_there_is_one():
    assert times.show(NOON) == "2024-06-12T12:00:00Z"
    assert times.show(NOON + 120_000_000) == "2024-06-12T12:00:00.12Z"


def test_shows_in_a_zone():
    assert times.show_in(NOON, "Asia/Shanghai") == "2024-06-12 20:00:00+08:00"


def test_times_of_toml():
    assert times.of(dt.datetime(2024, 6, 12, 20, 0, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))) == NOON + 5000


@pytest.mark.parametrize("offset", ["+99:99", "+24:00", "-08:60"])
def test_an_offset_that_no_clock_has_is_refused(offset):
    with pytest.raises(RecordError, match="offset"):
        times.parse(f"2024-06-12T09:30:00{offset}")
