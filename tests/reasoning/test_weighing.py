"""Likelihood ratios against hand-computed ones, and the laws that they keep."""

from math import isclose
from pathlib import Path

import pytest

from forensics.indicator import Hypothesis, Item
from forensics.model import CaseConfig, Mechanism, SourceConfig, Tier
from forensics.reasoning.policy import read_policy
from forensics.reasoning.weighing import leader, ratio, weigh
from forensics.reasoning.world import world
from forensics.tables import Tables

OWN = Hypothesis("p-1", Mechanism.OWN_ACCOUNT)
MISUSE = Hypothesis("p-2", Mechanism.CREDENTIAL_MISUSE)
FORGER = Hypothesis("p-3", Mechanism.FORGED_RECORD)


def item(source, says="a fact", expect=None, rung="session"):
    return Item("test", says, (source,), (1,), rung, expect or {OWN: "almost certain", MISUSE: "very unlikely"})


@pytest.fixture
def view(tmp_path: Path):
    sources = (
        SourceConfig("edr", "table", "x", tier=Tier.T4),
        SourceConfig("dhcp", "table", "x", tier=Tier.T3),
        SourceConfig("auth", "syslog", "x", host="login", controllers=("p-3",)),
        SourceConfig("audit", "auditd", "x", host="login", controllers=("p-3",)),
    )
    case = CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1), sources)
    return world(Tables(tmp_path), case, read_policy(None))


def test_one_item_by_hand(view):
    found = ratio(view, weigh(view, [item("dhcp")]), OWN, MISUSE)
    assert isclose(found.point, (0.9 * 0.95 + 0.05) / (0.9 * 0.05 + 0.05))
    assert isclose(found.low, (0.7 * 0.95 + 0.15) / (0.7 * 0.05 + 0.15))
    assert isclose(found.high, ((29 / 30) * 0.95 + 1 / 60) / ((29 / 30) * 0.05 + 1 / 60))
    assert isclose(found.left_out_low, 1.0)


def test_independent_groups_multiply_and_one_group_counts_once(view):
    one = ratio(view, weigh(view, [item("edr")]), OWN, MISUSE).point
    two = ratio(view, weigh(view, [item("edr"), item("dhcp")]), OWN, MISUSE).point
    same = ratio(view, weigh(view, [item("auth"), item("audit")]), OWN, MISUSE).point
    assert isclose(two, one * ratio(view, weigh(view, [item("dhcp")]), OWN, MISUSE).point)
    assert isclose(same, ratio(view, weigh(view, [item("auth")]), OWN, MISUSE).point)


def test_six_lines_of_one_act_are_one_fact(view):
    assert ratio(view, weigh(view, [item("dhcp")] * 6), OWN, MISUSE) == ratio(view, weigh(view, [item("dhcp")]), OWN, MISUSE)


def test_swapping_the_hypotheses_inverts_the_ratio(view):
    weighed = weigh(view, [item("edr"), item("auth"), item("dhcp", expect={OWN: "unlikely", MISUSE: "likely"})])
    there, back = ratio(view, weighed, OWN, MISUSE), ratio(view, weighed, MISUSE, OWN)
    assert isclose(there.point, 1 / back.point)
    assert isclose(there.low, 1 / back.high)


def test_what_a_forger_controls_weighs_nothing_against_his_having_forged_it(view):
    assert ratio(view, weigh(view, [item("auth"), item("audit")]), OWN, FORGER).point == 1


def test_what_he_does_not_control_counts(view):
    weighed = weigh(view, [item("edr", expect={OWN: "almost certain", FORGER: "very unlikely"})])
    assert ratio(view, weighed, OWN, FORGER).low > 10


def test_no_single_record_below_t4_carries_ten(view):
    for source in ("dhcp", "auth"):
        assert ratio(view, weigh(view, [item(source)]), OWN, MISUSE).low < 10


def test_two_level_hypotheses_have_no_leader(view):
    other = Hypothesis("p-4", Mechanism.CREDENTIAL_MISUSE)
    assert leader(view, [], (OWN, MISUSE)) is None
    weighed = weigh(view, [item("edr", expect={MISUSE: "likely", other: "likely", OWN: "unlikely"})])
    assert leader(view, weighed, (OWN, MISUSE, other)) is None
    assert leader(view, weigh(view, [item("edr")]), (OWN, MISUSE, other)) == OWN


def test_irrelevant_items_change_nothing(view):
    weighed = [item("edr")]
    noise = [item("dhcp", expect={OWN: "even", MISUSE: "even"})]
    assert ratio(view, weigh(view, weighed + noise), OWN, MISUSE).point == ratio(view, weigh(view, weighed), OWN, MISUSE).point
