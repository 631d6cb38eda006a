"""What the annex says of a named person: which records stand on both sides, and who could edit them."""

import json
from typing import Any

import pytest

from forensics.telling.report import annex
from forensics.telling.report.answers import answers
from forensics.telling.report.citing import alike
from forensics.telling.report.first import First
from forensics.telling.report.names import Names
from forensics.telling.report.said import Voice

REF = {"source": "edr", "sha256": "a" * 64, "locator": "bytes=0-9"}


def told(lab_report: Any, voice: Voice, person: str, controllers: list[str] | None) -> str:
    """Return the annex on accounts and people, where the person's records are of the group `person`."""
    findings = json.loads(json.dumps(lab_report[0]))
    findings["answers"] = findings["answers"][:1]
    findings["answers"][0]["for"] = [
        {"says": "a", "group": group, "tier": "T2", "lr": 5.0, "rung": rung, "refs": [REF]}
        for rung, group in (("session", "host:git"), ("session", "source:edr"), ("person", person))
    ]
    findings["sources"] = [findings["sources"][0] | {"name": "edr", "controllers": controllers}]
    case = lab_report[2]
    made = answers(findings, case, {}, voice, Names({}), str, {}, First(voice, Names({}), case, {}, lambda _: (), ""))
    (first, *_) = annex.objections(findings, made, case, (), voice)
    return " ".join(text.en.unescape() for text in first.answers)


@pytest.mark.parametrize(
    ("person", "says", "enough"),
    [
        ("source:okta", "No group of records stands on both sides.", False),
        ("source:edr", "Without it, the session rests on the git server, and the person on nothing else.", True),
    ],
)
def test_it_says_which_records_stand_on_both_sides(lab_report: Any, voice: Voice, person: str, says: str, enough: bool) -> None:
    text = told(lab_report, voice, person, None)
    assert says in text
    assert ("was opened on the spot" in text) is enough
    assert "Who could edit edr nobody declared" in text


def test_where_the_keepers_are_declared_it_says_so(lab_report: Any, voice: Voice) -> None:
    assert "sources that share an administrator are one group" in told(lab_report, voice, "source:okta", ["p-031"])


def test_items_that_say_the_same_stand_as_one_with_all_their_records() -> None:
    item = {"says": "a", "group": "g", "tier": "T2", "lr": 2.0, "rung": "session", "refs": [REF]}
    other = REF | {"locator": "bytes=9-20"}
    found = alike([item, item | {"refs": [REF, other]}, item | {"says": "b"}])
    assert [(one["says"], one["refs"]) for one in found] == [("a", [REF, other]), ("b", [REF])]
    assert item["refs"] == [REF]
