"""What was said, against what the records hold and where they are silent."""

import pytest

from forensics.model import Mechanism, Rung, Statement
from forensics.reasoning.impact import Impact
from forensics.reasoning.statements import Coverage, Outcome, judge

REACH = Impact("q1", ("slurm:gpu/1", "slurm:gpu/2"), (), ("s3://b/x",), (), (1.0, 1.0))
OUTCOME = Outcome(Rung.PERSON, "p-1", Mechanism.OWN_ACCOUNT, ("p-1",), (40, 41), (7,), ("forge",))
STORES = (("s3://b/", 90), ("s3://c/", 90))


def verdict(test: str, holes: tuple[tuple[str, int, int], ...], **more: object) -> str:
    statement = Statement("s1", "p-2", "as said", test, "q1", **more)  # type: ignore[arg-type]
    return judge(None, statement, OUTCOME, REACH, None, Coverage((), STORES, holes)).verdict  # type: ignore[arg-type]


@pytest.mark.parametrize("holes", [(), (("scheduler", 10, 30),)], ids=["whole", "silent before the change"])
def test_where_the_log_of_jobs_is_whole_what_it_does_not_show_was_not(holes):
    assert verdict("scale", holes, quantity="jobs", at_least=7) == "contradicted"
    assert verdict("not-affected", holes, object="s3://c/*") == "supported"


@pytest.mark.parametrize(
    "hole", [("scheduler", 50, 60), ("scheduler", 80, 100), ("scheduler", 30, 45)], ids=["hole", "end", "over the change"]
)
def test_where_the_log_of_jobs_is_silent_after_the_change_what_it_does_not_show_is_open(hole):
    assert verdict("scale", (hole,), quantity="jobs", at_least=7) == "not resolved"
    assert verdict("not-affected", (hole,), object="s3://c/*") == "not resolved"


def test_what_the_records_show_stands_however_silent_they_are_elsewhere():
    assert verdict("scale", (("scheduler", 50, 60),), quantity="jobs", at_least=2) == "supported"
    assert verdict("not-affected", (("scheduler", 50, 60),), object="s3://b/*") == "contradicted"


CUT = (("scheduler", 2, 90),)


@pytest.mark.parametrize(("least", "expected"), [(4, "not resolved"), (5, "contradicted"), (2, "supported")])
def test_each_unread_record_may_hold_one_job_more(least, expected):
    statement = Statement("s1", "p-2", "as said", "scale", "q1", quantity="jobs", at_least=least)
    covered = Coverage((), STORES, (), CUT, {"jobs": 1.0})
    assert judge(None, statement, OUTCOME, REACH, None, covered).verdict == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("cut", "expected"), [((("scheduler", 2, 90),), "not resolved"), ((("scheduler", 1, 900),), "supported")])
def test_where_more_than_a_few_records_are_unread_what_they_do_not_show_is_open(cut, expected):
    statement = Statement("s1", "p-2", "as said", "not-affected", "q1", object="s3://c/*")
    assert judge(None, statement, OUTCOME, REACH, None, Coverage((), STORES, (), cut)).verdict == expected  # type: ignore[arg-type]
