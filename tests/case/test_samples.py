"""The sample cases are answered as their truth says."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from forensics.model import Rung

SCHEMA = Path(__file__).parent / "findings.schema.json"


@pytest.fixture(scope="module")
def found(samples, tmp_path_factory):
    from forensics.case.steps import Request, investigate

    def run(name):
        out = tmp_path_factory.mktemp(name)
        return investigate(samples / name, out, Request("tester", "2024-08-01T09:00:00Z", page=False), lambda _: None).findings

    return {name: run(name) for name in ("unstable-training", "shared-login")}


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_every_answer_is_the_expected_one(samples, found, name):
    expected = json.loads((samples / name / "expected.json").read_text())
    answers = {a["question"]: a for a in found[name]["answers"]}
    assert set(answers) == set(expected["answers"])
    for question, truth in expected["answers"].items():
        answer = answers[question]
        assert (answer["rung"], answer["person"]) == (truth["rung"], truth["person"]), question
        assert answer["account"] in truth["account"], question
        assert answer["mechanism"] in truth["mechanism"], question
        assert set(truth["candidates"]) <= set(answer["candidates"]), question
        assert set(truth["flags"]) <= set(answer["flags"]), question
        assert not set(truth["not_flags"]) & set(answer["flags"]), question


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_nobody_is_named_who_must_not_be(samples, found, name):
    expected = json.loads((samples / name / "expected.json").read_text())
    wrong = {a["question"]: a["person"] for a in found[name]["answers"] if a["person"] in expected["never_named"].get(a["question"], [])}
    assert not wrong


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_statements_are_judged_as_expected(samples, found, name):
    expected = json.loads((samples / name / "expected.json").read_text())
    assert {s["id"]: s["verdict"] for s in found[name]["statements"]} == expected["statements"]


def test_the_reach_of_each_change_is_the_expected_one(samples, found):
    expected = json.loads((samples / "unstable-training" / "expected.json").read_text())
    for reach in found["unstable-training"]["impact"]:
        truth = expected["impact"][reach["question"]]
        sure, possible = set(truth["jobs"]), set(truth.get("jobs_possible", []))
        assert set(reach["jobs"]) - possible <= sure, reach["question"]
        assert sure <= set(reach["jobs"]) | set(reach["jobs_possible"]), reach["question"]


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_findings_keep_to_the_contract(found, name):
    schema = json.loads(SCHEMA.read_text())
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert not [e.message for e in checker.iter_errors(found[name])]


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_every_byte_of_every_source_is_accounted_for(found, name):
    for source in found[name]["sources"]:
        assert source["bytes"] == source["bytes_parsed"] + source["bytes_skipped"] + source["bytes_rejected"], source["name"]
        assert source["records"], source["name"]


def test_a_person_stands_at_rung_person_alone(found):
    for findings in found.values():
        for answer in findings["answers"]:
            assert (answer["person"] is not None) == (answer["rung"] == Rung.PERSON)
            assert answer["rung"] != Rung.PERSON or answer["candidates"] == [answer["person"]]


@pytest.mark.parametrize("name", ["unstable-training", "shared-login"])
def test_the_generator_makes_the_same_bytes_again(samples, tmp_path, name):
    script = samples / name / "make.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True)
    ours = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()}
    assert ours
    for path in sorted(ours):
        assert (tmp_path / path).read_bytes() == (samples / name / path).read_bytes(), path
