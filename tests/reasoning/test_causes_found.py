"""Harmed runs told by their metrics where nobody named any."""

import random

import pytest

from forensics.model import Event
from forensics.reasoning.causes import compare
from forensics.reasoning.causes.runs import Runs
from tests.reasoning.test_causes import HOUR, Lab, commit, history, lab

__all__ = ["lab"]


def jobs(lab: Lab) -> None:
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, gpus=8 << n % 3)


def found(lab: Lab) -> tuple[set[int], set[int], str]:
    """Return harmed and healthy runs by number, and by what they were told."""
    runs = compare(lab.world()).runs
    assert isinstance(runs, Runs)
    bad, good = ({int(j.rpartition("/")[2]) for j in runs.named(kind)} for kind in (runs.bad, runs.good))
    return bad, good, runs.told_by


def test_a_rate_that_falls_within_the_run_is_harm_whatever_the_size_of_the_job(lab):
    jobs(lab)
    for n in range(10, 60):
        rate = 1000 * (8 << n % 3) * (1 + 0.01 * (n % 5))
        lab.curve(n, rate, rate, *[rate * (0.4 if n >= 37 else 1)] * 6, name="perf/tokens_per_sec")
    assert found(lab)[:2] == (set(range(37, 60)), set(range(10, 37)))
    assert lab.causes()[0].object == commit(37)


@pytest.mark.parametrize(
    ("name", "usual", "harmed"),
    [("eval/accuracy", 0.8, 0.5), ("train/grad_norm", 1.0, 9.0), ("step_time", 2.0, 5.0), ("val_loss", 2.0, 3.0)],
)
def test_which_way_is_worse_hangs_on_the_metric(lab, name, usual, harmed):
    jobs(lab)
    for n in range(10, 60):
        lab.curve(n, *[(harmed if n >= 37 else usual) + 0.003 * (n % 5)] * 8, name=name)
    bad, good, told_by = found(lab)
    assert (bad, good) == (set(range(37, 60)), set(range(10, 37)))
    assert told_by.startswith(name)


@pytest.mark.parametrize("name", ["eval/accuracy", "lr", "tokens_seen"])
def test_what_is_better_or_means_neither_is_no_harm(lab, name):
    jobs(lab)
    for n in range(10, 60):
        lab.curve(n, *[(0.95 if n >= 37 else 0.5) + 0.003 * (n % 5)] * 8, name=name)
    assert lab.causes() == ()


def test_a_loss_that_is_no_number_any_more_is_harm(lab):
    jobs(lab)
    for n in range(10, 60):
        lab.curve(n, 6, 5, 4, 3, *[float("nan") if n % 4 == 0 and n >= 30 else 2 + 0.01 * (n % 7)] * 4)
    assert found(lab)[0] == {32, 36, 40, 44, 48, 52, 56}


def test_harm_of_uneven_size_is_found_whole_and_none_of_it_counts_as_healthy(lab):
    jobs(lab)
    drawn = random.Random(2)
    for n in range(10, 60):
        end = 2 + 0.01 * drawn.random() + (drawn.choice((0.15, 0.8, 1.9)) if n >= 37 else 0)
        lab.curve(n, 6, 5, 4, 3, *[end] * 4)
    assert found(lab)[:2] == (set(range(37, 60)), set(range(10, 37)))


@pytest.mark.parametrize(("first", "told"), [(25, True), (0, False)])
def test_where_the_harmed_are_the_more_the_healthy_ones_came_first(lab, first, told):
    """Else the fewer may as well be another kind of run: say, those continued from a good checkpoint."""
    jobs(lab)
    for n in range(10, 60):
        high = n >= first if first else n % 4 != 0
        lab.curve(n, 6, 5, 4, 3, *[2 + 0.003 * (n % 7) + (1 if high else 0)] * 4)
    assert bool(lab.causes()) == told
    if told:
        assert found(lab)[0] == set(range(first, 60))


def test_a_few_runs_that_lie_off_are_no_harm_unless_very_far_off(lab):
    jobs(lab)
    for n in range(10, 60):
        lab.curve(n, 6, 5, 4, 3, *[2 + 0.01 * (n % 7) + (0.5 if n >= 58 else 0)] * 4)
    assert lab.causes() == ()


@pytest.mark.parametrize("seed", range(6))
def test_runs_that_differ_by_chance_alone_give_no_causes(lab, seed):
    """Heavy tails, as of losses over a sweep of settings: a run off here and there is no kind of its own."""
    jobs(lab)
    drawn = random.Random(seed)
    for n in range(10, 60):
        lab.curve(n, 6, 5, 4, 3, *[2 * drawn.lognormvariate(0, 0.1) * (1.3 if drawn.random() < 0.05 else 1)] * 4)
        rate = 1000 * drawn.lognormvariate(0, 0.2)
        lab.curve(n, *[rate * drawn.gauss(1, 0.05) for _ in range(8)], name="throughput")
    assert lab.causes() == ()


def test_jobs_that_break_off_every_day_on_a_node_by_chance_are_a_lead_at_most(lab):
    """Of 50 jobs four failed, three of them on a node that eight ran on: with enough nodes that is nothing special."""
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 9, nodes=(f"n{n % 7}",))
        lab.jobs[-1]["state"] = "FAILED" if n in (14, 28, 42, 45) else "COMPLETED"
    assert all(c.lead for c in lab.causes())


def trouble(lab: Lab, hour: int, node: str, state: str) -> None:
    lab.events.append(Event(-1, -1, hour * HOUR, "node.state", object=f"node:gpu/{node}", outcome=state, locator="x"))


def test_a_node_that_was_drained_is_told_up_to_then_with_what_the_records_call_it(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 9, nodes=("worn" if n % 2 else "sound", f"n{n % 5}"), bad=bool(n % 2) and n < 33)
    trouble(lab, 33, "worn", "DRAIN")
    trouble(lab, 9, "n1", "IDLE")
    first = lab.causes()[0]
    assert (first.object, first.score, first.bad_runs, first.good_runs) == ("node:gpu/worn", 1.0, 11, 0)
    assert "counting runs until" in first.why
    assert "the records call it DRAIN at" in first.why
    assert first.refs


def test_of_nodes_that_separate_alike_the_one_with_a_recorded_trouble_comes_first(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 9, nodes=("a", "b") if n % 3 == 0 else (f"n{n % 5}",), bad=n % 3 == 0)
    trouble(lab, 5, "b", "DOWN*")
    assert [c.object for c in lab.causes()[:2]] == ["node:gpu/b", "node:gpu/a"]
