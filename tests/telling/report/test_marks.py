"""What the timeline marks: the act in question, what an answer rests on, and what is cited beside it and is nobody's hand."""

from types import SimpleNamespace
from typing import Any

import pytest

from forensics.model import CaseConfig, Identifier
from forensics.telling.report import marks, timeline
from forensics.telling.report.citing import Cited, Index
from forensics.telling.report.said import Voice

COMMIT = "git:train@" + "ab12" * 10
CASE = CaseConfig(
    "case", "c", "c", "Europe/Berlin", (0, 1000), (), (), (),
    (Identifier("gitlab:mei", "p-1", "personal", None, None), Identifier("email:ada@x.example", "p-2", "personal", None, None)),
)  # fmt: skip


def ref(n: int) -> dict[str, Any]:
    return {"source": "s", "sha256": "a" * 64, "locator": f"bytes={n}-{n + 1}"}


def act(n: int, action: str = "file.read", actor: str | None = "unix:x", claimed: str | None = None, obj: str = "") -> dict[str, Any]:
    return {"id": 100 + n, "time": 10 * n, "action": action, "actor": actor, "claimed": claimed, "object": obj}


def answer(**data: Any) -> Any:
    found = {"question": "q1", "object": COMMIT, "person": None} | data
    return SimpleNamespace(data=found, edges=tuple(found.get("path") or ()))


def marked(told: list[Any], events: dict[int, dict[str, Any]]) -> tuple[dict[int, dict[str, Any]], timeline.Marks]:
    """Return the acts by the first byte of their record."""
    index = Index(Cited("q", ref(n)) for n in sorted(events))
    acts, found, _ = marks.key_acts(told, index, {index.number(ref(n)): event for n, event in events.items()}, CASE)
    return {one["id"] - 100: one for one in acts}, found


EVENTS = {
    1: act(1, "code.commit", None, "email:ada@x.example", COMMIT),
    2: act(2, "session.open"),
    3: act(3, "code.push", "gitlab:mei"),
    4: act(4, "person.present", "badge:7"),
    5: act(5, "session.open", "unix:sun"),
    6: act(6, "job.launch", "unix:zhu"),
}
DATA: dict[str, Any] = {
    "ladder": [{"rung": "change", "refs": [ref(1), ref(3)]}, {"rung": "account", "refs": [ref(3)]}],
    "for": [{"refs": [ref(2), ref(3)]}],
    "neutral": [{"refs": [ref(3), ref(4)]}],
    "flag_items": [{"flag": "shared-address", "refs": [ref(3), ref(5)]}],
    "path": [{"src": COMMIT, "dst": "slurm:gpu/1", "refs": [ref(6)]}],
}


def test_sightings_and_jobs_are_not_what_an_answer_rests_on() -> None:
    acts, _ = marked([answer(**DATA)], EVENTS)
    assert {n: one["kind"] for n, one in acts.items()} == {1: "asked", 2: "rests", 3: "asked", 4: "beside", 5: "beside", 6: "beside"}
    assert [acts[n]["number"] for n in range(1, 7)] == [1, 2, 3, 4, 5, 6]


def test_a_sighting_of_one_answer_that_another_rests_on_is_numbered_among_those() -> None:
    other = answer(question="q2", object="file:///x", **{"for": [{"refs": [ref(4)]}]})
    acts, found = marked([answer(**DATA), other], EVENTS)
    assert acts[4]["kind"] == "rests"
    assert {question: [(mark.number, mark.kind) for mark in every if mark.number == acts[4]["number"]] for question, every in found} == {
        "q1": [(4, "beside")],
        "q2": [(4, "rests")],
    }


@pytest.mark.parametrize(
    ("person", "notes"), [("p-1", {1: "claim", 3: ""}), ("p-2", {1: "", 3: "elsewhere"}), (None, {1: "claim", 3: "open"})]
)
def test_whose_act_it_is_not_shown_to_be_is_said(person: str | None, notes: dict[int, str]) -> None:
    acts, _ = marked([answer(**DATA, person=person)], EVENTS)
    assert {n: acts[n]["of"] for n in notes} == {n: [("q1", said)] for n, said in notes.items()}
    assert [n for n, one in acts.items() if one["bare"]] == [1]


def test_the_opening_of_the_session_is_not_the_act() -> None:
    data = DATA | {
        "ladder": [{"rung": "account", "refs": [ref(2), ref(3)]}],
        "when": {"from": "1970-01-01T00:00:00.00000003Z", "to": "1970-01-01T00:00:00.00000003Z"},
    }
    acts, _ = marked([answer(**data)], EVENTS)
    assert [n for n, one in acts.items() if one["kind"] == "asked"] == [3]


def test_the_act_in_question_is_drawn_and_named_however_much_stands_beside_it(voice: Voice) -> None:
    crowd = {n: act(n) | {"time": 500} for n in range(10, 400)} | {401: act(401, "code.push", "gitlab:mei") | {"time": 500}}
    told = [answer(**{"for": [{"refs": [ref(n) for n in range(10, 400)]}], "ladder": [{"rung": "account", "refs": [ref(401)]}]})]
    acts, found = marked(told, crowd)
    assert len(acts) == marks.ACTS + 1
    for layout in (timeline.BROAD, timeline.NARROW):
        _, (lane,) = timeline._acts(found, (0, 1000), voice, layout)
        asked = [dot for dot in lane.dots if dot.kind == "asked"]
        assert [(dot.number, str(dot.label and dot.label.en)) for dot in asked] == [(acts[401]["number"], "the act in question")]
        assert lane.asked
        assert lane.hidden == marks.ACTS - timeline.DEEPEST


def test_names_of_acts_do_not_cover_one_another_nor_leave_the_drawing(voice: Voice) -> None:
    every = [timeline.Mark(n, 40 * n, "asked", n % 2 == 1, n % 2 == 1) for n in range(1, 25)]
    for layout in (timeline.BROAD, timeline.NARROW):
        dots, rows = timeline._named(every, 0, (0, 1000), voice, layout)
        assert len(dots) == len(every)
        assert rows > 1
        assert all(0 < dot.text_x < layout.width for dot in dots)
        assert len({(dot.x, dot.y) for dot in dots}) == len(dots)


def test_many_sightings_become_one_mark_with_their_number(voice: Voice) -> None:
    _, (lane,) = timeline._acts([("q1", [timeline.Mark(n, 500, "beside", False) for n in range(1, 15)])], (0, 1000), voice, timeline.BROAD)
    assert [(dot.text, dot.number) for dot in lane.dots] == [("×14", 1)]
    assert not lane.asked
