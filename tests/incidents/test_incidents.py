"""The validation corpus makes what it says: the same bytes by seed, cases without mistakes, truths that hold together, fair scores."""

import json
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import pytest

from forensics.case.folder import open_case
from tests.incidents.make import make_case, variants
from tests.incidents.plots import plots
from tests.incidents.scoring import calibration, cllr, score, summary, upper
from tests.incidents.truth import FLAGS
from tests.incidents.validate import Task, examine, made_by, page, tasks

RUNGS = ("none", "change", "account", "session", "person")
MECHANISMS = ("own-account", "credential-misuse", "shared-identity", "deputy", "forged-record", "automation", "defect", "unknown")
SCHEMA = Path(__file__).parents[1] / "case" / "findings.schema.json"
VALIDATION = Path(__file__).parent / "validation" / "validation.json"
EXAMINED = tasks(40, 2001)
"""every class once, the first fifteen in their second variant, too"""


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_class_has_a_twin_in_which_abstaining_is_right():
    assert [p.number for p in plots().values()] == list(range(1, len(plots()) + 1))
    assert all(any(v.twin for v in p.variants.values()) for p in plots().values())


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path):
    make_case(5, "planted-checkpoint", "own-upload", tmp_path / "a")
    make_case(5, "planted-checkpoint", "own-upload", tmp_path / "b")
    make_case(6, "planted-checkpoint", "own-upload", tmp_path / "c")
    assert files(tmp_path / "a") == files(tmp_path / "b") != files(tmp_path / "c")


@pytest.mark.slow
@pytest.mark.parametrize(("klass", "variant"), [v for v in variants() if v not in {(t.klass, t.variant) for t in EXAMINED}])
def test_a_case_is_in_order_and_its_truth_holds_together(tmp_path: Path, klass: str, variant: str):
    in_order(tmp_path, make_case(3, klass, variant, tmp_path).case)


def in_order(root: Path, name: str) -> None:
    """Check a case that was made, and its truth."""
    case, problems = open_case(root / "cases" / name)
    truth = json.loads((root / "truth" / f"{name}.json").read_text())
    people, sources = {p.id for p in case.people}, {s.name for s in case.sources}
    assert not problems
    assert truth["questions"]
    assert {q.id for q in case.questions} == set(truth["questions"])
    assert {s.id for s in case.statements} == set(truth["statements"])
    assert set(truth["gaps"]) | set(truth["clock_offset_s"]) <= sources
    for t in truth["questions"].values():
        assert t["rung"] in RUNGS
        assert {t["mechanism"], *t["mechanism_also"]} <= set(MECHANISMS)
        assert (t["person"] is not None) == (t["rung"] == "person") == (not truth["twin"])
        assert t["actor"] in t["candidates"]
        assert t["actor"] not in t["never"]
        assert set(t["candidates"]) <= people
        assert set(t["flags"]) | set(t["not_flags"]) <= set(FLAGS)
        assert not set(t["flags"]) & set(t["not_flags"])
    for reach in truth["impact"].values():
        assert not set(reach["jobs"]) & set(reach["jobs_possible"])
        assert reach["gpu_hours"] <= reach["gpu_hours_possible"]


# --- answers ----------------------------------------------------------------------------------------------------------


def names(todo: Iterable[Task]) -> list[str]:
    return [f"{t.klass}-{t.variant}" for t in todo]


def test_all_classes_are_examined():
    assert {t.klass for t in EXAMINED} == set(plots())


@pytest.mark.slow
@pytest.mark.parametrize("task", EXAMINED, ids=names(EXAMINED))
def test_an_incident_is_answered_within_what_its_records_allow(tmp_path: Path, task: Task):
    result = examine(Task(task.seed, task.klass, task.variant, keep=str(tmp_path)))
    assert not result.error
    assert result.truth is not None
    assert result.score is not None
    in_order(tmp_path, result.truth["case"])
    tally = result.score.tally
    assert not tally.rate("false_person"), result.score.notes
    assert not tally.rate("never_named"), result.score.notes
    assert not tally.rate("overreach")
    assert tally.rate("candidates") == 1.0
    findings = json.loads((tmp_path / "out" / result.truth["case"] / "findings.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker())
    assert [e.message for e in checker.iter_errors(findings)] == []


def test_the_validation_that_lies_here_was_made_by_this_code():
    if not VALIDATION.is_file():
        pytest.xfail("no validation lies in tests/incidents/validation: `make validate`")
    found = json.loads(VALIDATION.read_text(encoding="utf-8"))
    other = [name.partition("_")[0] for name, value in made_by().items() if found[name] != value]
    if other:
        pytest.xfail(f"tests/incidents/validation was made by another {' and another '.join(other)} than this: `make validate`")


# --- scoring ----------------------------------------------------------------------------------------------------------


def truth(**more: object) -> dict[str, object]:
    answer = {"object": "git:a@1", "actor": "p-1", "person": "p-1", "rung": "person", "mechanism": "own-account", "mechanism_also": [], "account": "gitlab:a", "account_also": [],
              "candidates": ["p-1"], "flags": ["backdated"], "not_flags": ["log-gap"], "never": ["p-2"]}  # fmt: skip
    return {"case": "v-1", "class": "x", "variant": "y", "twin": False, "questions": {"q1": answer | more}, "statements": {"s1": "supported"}, "impact": {}, "causes": [], "cause_equivalents": {},
            "cause_none": False, "clock_offset_s": {"s": 3600.0}, "gaps": {"s": [["2024-01-01T00:00:00Z", "2024-01-01T06:00:00Z"]]}, "yardsticks": {"q1": {"author": "p-2", "pusher": "p-1"}}}  # fmt: skip


def findings(person: str | None = "p-1", rung: str = "person", **more: object) -> dict[str, object]:
    answer = {"question": "q1", "rung": rung, "person": person, "account": "gitlab:a", "mechanism": "own-account", "candidates": [person] if person else ["p-1", "p-2"], "flags": ["backdated"],
              "alternatives": [{"person": "p-2", "mechanism": "credential-misuse", "lr": {"low": 12.0, "point": 40.0, "high": 90.0}}]}  # fmt: skip
    source = {
        "name": "s",
        "clock_offset_s": {"low": 3590.0, "high": 3610.0},
        "gaps": [{"from": "2024-01-01T00:10:00Z", "to": "2024-01-01T06:30:00Z"}],
    }
    return {
        "answers": [answer | more],
        "statements": [{"id": "s1", "verdict": "supported"}],
        "causes": [],
        "impact": [],
        "sources": [source],
    }


def test_what_is_right_scores_full():
    t = score(truth(), findings()).tally
    assert {c: t.rate(c) for c in ("false_person", "overreach", "false_flags", "statement_wrong", "never_named")} == dict.fromkeys(
        ("false_person", "overreach", "false_flags", "statement_wrong", "never_named"), 0.0
    )
    assert all(
        t.rate(c) == 1.0
        for c in (
            "reached",
            "candidates",
            "mechanism",
            "account",
            "flag_recall",
            "statements",
            "clock_found",
            "clock_in_interval",
            "gap_found",
        )
    )


def test_a_wrong_name_counts_and_is_listed():
    s = score(truth(), findings("p-2"))
    assert s.tally.rate("false_person") == s.tally.rate("never_named") == 1.0
    assert "named p-2, truth p-1" in s.notes[0]


def test_going_further_than_the_records_is_not_a_wrong_name_but_too_far():
    t = score(truth(person=None, rung="session"), findings()).tally
    assert (t.rate("false_person"), t.rate("overreach"), t.rate("abstained")) == (0.0, 1.0, 0.0)


def test_findings_that_could_not_be_made_reach_nothing_and_name_nobody():
    t = score(truth(), None).tally
    assert (t.rate("reached"), t.rate("false_person"), t.rate("flag_recall"), t.rate("clock_found"), t.rate("gap_found")) == (0.0,) * 5


def test_naive_readings_are_scored_the_same_way():
    naive = score(truth(), findings()).naive
    assert (naive["author"].rate("false_person"), naive["pusher"].rate("false_person"), naive["pusher"].rate("reached")) == (1.0, 0.0, 1.0)


def test_bounds_and_costs_have_known_answers():
    assert upper(0, 300) == 0.01
    assert upper(0, 0) is None
    assert upper(10, 100) == pytest.approx(0.1603, abs=5e-4)
    assert cllr([(1.0, True), (1.0, False)]) == 1.0
    assert cllr([(1e9, True), (1e-9, False)]) == pytest.approx(0.0, abs=1e-6)
    assert cllr([(5.0, True)]) is None
    rows = calibration([(40.0, False), (3.0, True), (0.2, True)])
    assert [(r["alternatives"], r["true_actor"]) for r in rows] == [(0, 0), (1, 1), (0, 0), (1, 1), (1, 0), (0, 0)]


def test_ratios_against_the_leader_are_kept_with_who_it_was():
    s = score(truth(), findings())
    assert s.pairs == [(40.0, False)]
    assert s.leads == [(40.0, True)]
    wrong = score(truth(), findings("p-2"))
    assert wrong.leads == []


def test_cases_are_shared_out_over_classes_and_variants():
    todo = tasks(2 * len(plots()), 1)
    assert {t.klass for t in todo[: len(plots())]} == set(plots())
    assert len({t.seed for t in todo}) == 2 * len(plots())
    assert {t.variant for t in tasks(4, 1, only=("honest-mistake",))} == {"reviewed", "bare"}


def test_the_page_says_what_it_is_worth():
    found = {
        **summary([(truth(), score(truth(), findings()))]),
        "cases": 1,
        "failed": [],
        "seeds": [1, 1],
        "method_sha256": "0" * 64,
        "corpus_sha256": "0" * 64,
    }
    text = page(found)
    assert "They do not test casework" in text
    assert "| x | 1 |" in text
