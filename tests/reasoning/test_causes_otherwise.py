"""Two changes that harm in different ways: the later one is told beside the first, which reached all harmed runs; more or less of one harm is no second kind."""

import random

import pytest

from forensics.reasoning.causes import compare
from tests.reasoning.test_causes import commit, history, lab

__all__ = ["lab"]


def runs(lab, *, slow_from: int, loss_by=lambda dice: 1.6) -> None:
    """Thirty healthy runs, then thirty whose loss is off; from `slow_from` on they are slow as well."""
    dice = random.Random(7)
    history(lab, 70)
    for n in range(10, 70):
        bad = n >= 40
        lab.job(n, n + 0.5, n, bad=bad)
        loss = (loss_by(dice) if bad else 1.0) * (1 + 0.01 * dice.random())
        rate = (400 if n >= slow_from else 1000) * (1 + 0.01 * dice.random())
        lab.curve(n, *(loss * k for k in (3, 2, 1.5, 1.2, 1.1, 1.05, 1.02, 1)))
        lab.curve(n, *[rate] * 8, name="throughput")


def test_the_change_from_which_on_runs_were_harmed_otherwise_is_told_as_well(lab):
    runs(lab, slow_from=57)
    found = compare(lab.world())
    assert [c.object for c in found.causes[:2]] == [commit(40), commit(57)]
    second = found.causes[1]
    assert "of the harmed runs, 13 are off in throughput" in second.why
    assert "and 17 are not" in second.why
    assert second.chance < 0.05
    assert second.score <= found.causes[0].score


def test_one_harm_that_is_more_in_some_runs_than_in_others_is_one(lab):
    runs(lab, slow_from=99, loss_by=lambda dice: dice.choice((1.5, 4.0)))
    found = compare(lab.world())
    assert found.runs.kinds == ()
    assert not [c for c in found.causes if c.why.startswith("of the harmed runs,")]


def test_runs_that_all_are_harmed_in_both_ways_are_of_one_kind(lab):
    runs(lab, slow_from=40)
    assert compare(lab.world()).runs.kinds == ()


@pytest.mark.parametrize("slow", [lambda n, dice: n % 3 == 0, lambda n, dice: dice.random() < 0.35], ids=["one account's", "by chance"])
def test_a_kind_that_no_further_change_tells_apart_is_not_told(lab, slow):
    dice = random.Random(3)
    history(lab, 70)
    for n in range(10, 70):
        bad = n >= 40
        lab.job(n, n + 0.5, n, bad=bad)
        lab.curve(n, *((1.6 if bad else 1.0) * (1 + 0.01 * dice.random()) * k for k in (3, 2, 1.5, 1.2, 1.1, 1.05, 1.02, 1)))
        lab.curve(n, *[(400 if bad and slow(n, dice) else 1000) * (1 + 0.01 * dice.random())] * 8, name="throughput")
    found = compare(lab.world())
    assert found.runs.kinds
    assert found.causes[0].object == commit(40)
    assert not [c for c in found.causes if c.why.startswith("of the harmed runs,")]
