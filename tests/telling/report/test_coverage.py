"""Which sources cover the time of an act, by their first and last record, their gaps and what their clocks may be off."""

from typing import Any

import pytest

from forensics.telling.report.coverage import coverage

WHEN = {"from": "2024-06-12T06:14:07Z", "to": "2024-06-12T06:14:09Z"}


def absent(when: dict[str, str] | None = WHEN, **source: Any) -> list[tuple[str, ...]]:
    row = {"name": "vpn", "first": "2024-06-01T00:00:00Z", "last": "2024-07-01T00:00:00Z", "gaps": [], "clock_offset_s": None}
    return [one.absent for one in coverage({"answers": [{"question": "q1", "when": when}], "sources": [row | source]})]


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ({}, ()),
        ({"first": "2024-06-12T06:14:08Z"}, ("vpn",)),
        ({"last": "2024-06-12T06:14:08Z"}, ("vpn",)),
        ({"first": None, "last": None}, ("vpn",)),
        ({"gaps": [{"from": "2024-06-12T00:00:00Z", "to": "2024-06-12T06:14:08Z"}]}, ("vpn",)),
        ({"gaps": [{"from": "2024-06-12T00:00:00Z", "to": "2024-06-12T06:14:07Z"}]}, ()),
        # an hour ahead: what it recorded of that moment stands at 07:14
        (
            {"gaps": [{"from": "2024-06-12T07:00:00Z", "to": "2024-06-12T08:00:00Z"}], "clock_offset_s": {"low": 3599.0, "high": 3601.0}},
            ("vpn",),
        ),
        ({"gaps": [{"from": "2024-06-12T06:00:00Z", "to": "2024-06-12T07:00:00Z"}], "clock_offset_s": {"low": 3599.0, "high": 3601.0}}, ()),
    ],
)
def test_a_source_covers_an_act_that_it_could_have_shown(source: dict[str, Any], missing: tuple[str, ...]) -> None:
    assert absent(**source) == [missing]


def test_of_an_act_without_a_time_nothing_is_said() -> None:
    assert absent(None) == []
