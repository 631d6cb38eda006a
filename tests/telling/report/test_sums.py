"""The arithmetic behind a ratio, laid out; what naming a person takes; and distances in time between clocks that may differ."""

import math
from typing import Any

import pytest

from forensics.telling.report import sums
from forensics.telling.report.apart import Apart, Clocks, clocks
from forensics.telling.report.citing import Cited, Index
from forensics.telling.report.said import Voice

POLICY: dict[str, Any] = {
    "words": {"almost certain": 0.95, "likely": 0.7, "even": 0.5, "unlikely": 0.2, "very unlikely": 0.05},
    "tiers": {"T1": 0.5, "T2": 0.2, "T3": 0.1, "T4": 0.03, "T5": 0.01},
    "sensitivity": {"factors": [1 / 3, 1.0, 3.0]},
    "naming": {"lowest": 10, "excluded": 100, "person": 2, "left_out": 1},
}
REF = {"source": "edr", "sha256": "a" * 64, "locator": "bytes=0-9"}


def told(place: int, rung: str, group: str, lr: float, kind: str) -> dict[str, Any]:
    return {
        "says": f"what {kind} says",
        "rung": rung,
        "group": group,
        "tier": "T2",
        "lr": lr,
        "kind": kind,
        "refs": [REF],
        "weighed": [0, place],
    }


def weighed(group: str, tier: str, other: str) -> dict[str, Any]:
    return {
        "group": group,
        "tier": tier,
        "sources": [group.partition(":")[2]],
        "controllers": [],
        "otherwise": "even",
        "expect": {"almost certain": [0], other: [1]},
    }


def answer(low: float = 12.0, left: float = 2.0) -> dict[str, Any]:
    """Two items of one group, of which the stronger counts, and one of another group."""
    other = {"person": "p-2", "mechanism": "credential-misuse", "lr": {"low": low, "point": 30.0, "high": 90.0}}
    other |= {"left_out": {"group": "host:git", "low": left}, "dropped": {"source": "edr", "low": left}}
    items = [
        told(0, "session", "source:edr", 3.3, "device_command"),
        told(1, "session", "source:edr", 1.7, "credential"),
        told(2, "person", "host:git", 9.5, "presence"),
    ]
    weighing = {
        "leading": {"person": "p-1", "mechanism": "own-account"}, "nearest": 1, "compared": [other],
        "items": [weighed("source:edr", "T2", "unlikely"), weighed("source:edr", "T2", "even"), weighed("host:git", "T3", "very unlikely")],
    }  # fmt: skip
    return {
        "question": "q1",
        "person": None,
        "for": items,
        "against": [],
        "neutral": [],
        "weighings": [weighing],
        "alternatives": [other],
        "ladder": [],
    }


def test_the_groups_of_a_ratio_make_its_product(voice: Voice) -> None:
    (found,) = sums.sums(answer(), POLICY, voice)
    assert found.factors == (3.0, 1.0, 1 / 3)
    by_group = {str(part.group): part for part in found.parts}
    edr, git = by_group["the source edr"], by_group["the git server"]
    assert edr.ratios[1] == pytest.approx((0.8 * 0.95 + 0.1) / (0.8 * 0.2 + 0.1))
    assert git.ratios[0] == pytest.approx((0.7 * 0.95 + 0.15) / (0.7 * 0.05 + 0.15))  # three times as likely wrong: .3
    assert [says for says, _ in edr.points] == ["what device_command says"]  # the weaker one of the group does not count
    assert found.totals == pytest.approx([math.prod(part.ratios[n] for part in found.parts) for n in range(3)])
    assert found.left_out is not None
    assert (found.left_out[0], str(found.left_out[1])) == (2.0, "the git server")


def test_without_the_policy_nothing_is_laid_out(voice: Voice) -> None:
    assert list(sums.sums(answer(), {}, voice)) == []
    assert sums.naming(answer(), {}, voice) == ()


@pytest.mark.parametrize(
    ("low", "left", "met"), [(12.0, 2.0, [True] * 4), (1.6, 2.0, [True, True, False, True]), (12.0, 0.4, [True, True, True, False])]
)
def test_what_naming_takes_says_which_condition_fails(voice: Voice, low: float, left: float, met: list[bool]) -> None:
    assert [one.met for one in sums.naming(answer(low, left), POLICY, voice)] == met


def test_where_nothing_is_left_to_compare_a_condition_is_not_said_to_be_met(voice: Voice) -> None:
    data = answer(1.6, 1.0)
    data["for"][2] |= {"lr": 1.0}
    last = sums.naming(data, POLICY, voice)[-1]
    assert (last.met, str(last.here.en)) == (None, "without the one group that tells, nothing is left to compare")
    assert str(last.here.zh) == "去掉唯一有区分作用的一组记录后，没有可比较的内容"


def test_where_there_is_nobody_else_no_comparison_is_said_to_be_met(voice: Voice) -> None:
    data = answer()
    data["weighings"][0]["compared"][0]["person"] = "p-1"
    assert [(one.met, str(one.here.en)) for one in sums.naming(data, POLICY, voice)] == [
        (False, "nobody else was there to compare with"),
        (None, "nobody else was there to compare with"),
    ]


def test_records_of_the_session_alone_do_not_speak_for_a_person(voice: Voice) -> None:
    data = answer()
    data["for"][2]["group"] = "source:edr"
    assert [one.met for one in sums.naming(data, POLICY, voice)] == [True, False, True, True]


@pytest.mark.parametrize(
    ("name", "said"),
    [("registers", "the case's registers"), ("host:git", "the git server"), ("source:a", "the source a"), ("x, y", "x, y")],
)
def test_groups_are_said_in_words(voice: Voice, name: str, said: str) -> None:
    assert sums.group(name, voice).en.unescape() == said


# --- distances in time ------------------------------------------------------------------------------------------------

SECOND = 10**9
WHEN = {"from": "2024-06-12T06:14:00Z", "to": "2024-06-12T06:14:00Z"}
ACT = 1_718_172_840 * SECOND


def apart(voice: Voice, ahead: Clocks, before: int) -> str:
    record, act = REF | {"source": "dhcp"}, REF | {"source": "git"}
    index = Index([Cited("q", record), Cited("q", act)])
    events = {index.number(record): {"time": ACT - before * SECOND}}
    return str(Apart(index, events, ahead, voice).nearest({"refs": [record]}, WHEN, [act]))


@pytest.mark.parametrize(
    ("ahead", "before", "said"),
    [
        ((0.0, 0.5), 600, "nearest record 10 min 0 s before the act"),
        ((-954.0, 896.0), 600, "nearest record between 24 min 56 s before and 5 min 54 s after the act, by what its clock may be off"),
        ((-60.0, 60.0), 600, "nearest record 9 min 0 s to 11 min 0 s before the act, by what its clock may be off"),
        ((-60.0, 60.0), -600, "nearest record 9 min 0 s to 11 min 0 s after the act, by what its clock may be off"),
        (None, 600, "nearest record 10 min 0 s before the act (clocks not compared)"),
    ],
)
def test_a_distance_is_a_range_where_a_clock_may_be_off(voice: Voice, ahead: tuple[float, float] | None, before: int, said: str) -> None:
    assert apart(voice, Clocks({"git": (0.0, 0.0), "dhcp": ahead}), before) == said


def test_what_is_left_of_a_corrected_clock_is_its_range_alone() -> None:
    part = {"offset_s": 100.0, "low_s": 98.0, "high_s": 103.0, "corrected": True}
    found = clocks(
        [{"name": "a", "clock": [part]}, {"name": "b", "clock": [part | {"corrected": False}]}, {"name": "c", "clock_offset_s": None}]
    )
    assert found.ahead == {"a": (-2.0, 3.0), "b": (98.0, 103.0), "c": None}
    assert found.between("a", "a") == (0.0, 0.0)
    assert found.between("a", "c") is None
