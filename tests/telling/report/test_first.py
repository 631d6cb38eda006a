"""What the first page says in each shape of answer: known findings, and the very sentences that they have to become."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from forensics.model import Acquired, CaseConfig, Person, Question, SourceConfig, Statement
from forensics.telling.report.acts import Claim
from forensics.telling.report.answer import Answer
from forensics.telling.report.answers import answers
from forensics.telling.report.first import First, bearing
from forensics.telling.report.names import Names
from forensics.telling.report.page import _folder
from forensics.telling.report.said import Said, Voice, catalog
from tests.telling.report.conftest import COMMIT

PEOPLE = {"p-1": "Ada Berg", "p-2": "Mei Lin", "p-3": "Olu Ade"}
WORDS = catalog(_folder() / "words" / "zh.po")
POLICY = {"windows": {"session": 43_200}, "naming": {"lowest": 10, "excluded": 100, "person": 2, "left_out": 1}}
MADE = "2024-08-01T09:00:00Z"
WHEN = {"from": "2024-06-12T06:14:00Z", "to": "2024-06-12T06:14:00Z"}
SOURCE = SourceConfig("push-log", "gitlab_events", "evidence/push.jsonl", acquired=Acquired("p-3", "2024-08-01T09:00:00Z", "exported"))


def ref(number: int, *, git: bool = False) -> dict[str, Any]:
    return {"source": "a", "sha256": "a" * 64, "locator": "git=" + "3f" * 20 if git else f"bytes={number}-{number + 9}"}


def item(kind: str, says: str, rung: str = "account", number: int = 1) -> dict[str, Any]:
    return {"kind": kind, "says": says, "rung": rung, "group": "host:git", "tier": "T3", "lr": 3.0, "refs": [ref(number)]}


def step(rung: str, why: str = "", number: int = 2, *, reached: bool = True) -> dict[str, Any]:
    return {"rung": rung, "reached": reached, "why": why, "refs": [ref(number)]}


def other(person: str | None, low: float = 12.0, mechanism: str = "credential-misuse") -> dict[str, Any]:
    return {"person": person, "mechanism": mechanism, "lr": {"low": low, "high": 9 * low}}


HELD = item("account", "code.push is recorded for gitlab:ada (personal), held by p-1")
CHANGE = {"rung": "change", "reached": True, "why": "the object stands in the evidence", "refs": [ref(0, git=True)]}
DEVICE = step("session", "it came from device:LT-1 (by an address lease), the device of p-1", 3)
KEY = step("session", "the credential ssh-key:SHA256:q3 was used, registered to p-1", 4)


def found(rung: str, **more: Any) -> dict[str, Any]:
    """Return an answer as findings have it, at this rung, with nothing in it but what is asked for."""
    account = None if rung in {"none", "change"} else "gitlab:ada"
    bare = {
        "question": "q1", "object": COMMIT, "when": WHEN, "rung": rung, "person": "p-1" if rung == "person" else None, "account": account,
        "mechanism": "own-account" if rung == "person" else "unknown", "support": "moderate" if rung == "person" else "none",
        "candidates": ["p-1"] if rung == "person" else ["p-1", "p-2", "p-3"], "alternatives": [other("p-2")] if account else [],
        "for": [], "against": [], "neutral": [HELD] if account else [], "missing": [], "flags": [], "flag_items": [], "path": [], "controls": [],
        "ladder": [CHANGE, *([step("account", "gitlab:ada made it")] if account else [])],
    }  # fmt: skip
    return bare | more


def case(
    *statements: Statement, mandate: Sequence[tuple[str, str]] = (("purpose", "inquiry"),), sources: Sequence[SourceConfig] = (SOURCE,)
) -> CaseConfig:
    people = tuple(Person(person, name, "", None, None) for person, name in PEOPLE.items())
    asked = (Question("q1", COMMIT),)
    return CaseConfig("case", "c", "c", "UTC", (0, 1), tuple(sources), asked, people, statements=statements, mandate=tuple(mandate))


def first_of(told: CaseConfig, read: Sequence[Mapping[str, Any]] = (), names: Names | None = None) -> First:
    shown = names or Names(PEOPLE)
    return First(Voice(WORDS, "UTC", shown), shown, told, POLICY, lambda _: read, MADE)


def answered(
    data: dict[str, Any],
    *statements: Statement,
    claim: Claim | None = None,
    read: Sequence[Mapping[str, Any]] = (),
    names: Names | None = None,
) -> Answer:
    told = case(*statements)
    first = first_of(told, read, names)
    (answer,) = answers(
        {"answers": [data], "impact": []}, told, POLICY, first.voice, first.names, str, {COMMIT: claim} if claim else {}, first
    )
    return answer


def texts(points: Sequence[Any], language: str = "en") -> list[str]:
    return [getattr(point if isinstance(point, Said) else point.says, language).striptags() for point in points]


# --- somebody is named ------------------------------------------------------------------------------------------------


def test_a_named_answer_says_by_what_it_leads_to_whom_and_what_was_not_heard() -> None:
    answer = answered(found("person", ladder=[CHANGE, step("account", "gitlab:ada made it"), DEVICE, step("person", "", 5)]))
    assert texts([answer.brief]) == ["Tied to Ada Berg (p-1)"]
    assert texts(answer.shows) == ["The records tie this change to Ada Berg (p-1), through the account gitlab:ada."]
    assert texts(answer.how_far) == [
        "They lead from that account, by the device LT-1, to that person.",
        "This fits the records at least 12 times better than any other weighed (no probability).",
    ]
    assert texts(answer.not_shown)[-1] == "What Ada Berg (p-1) says: nothing was supplied."
    assert texts([answer.speaks_for]) == ["Ada Berg (p-1)"]
    assert answer.holder is None
    assert answer.people == ("p-1",)
    assert texts(answer.shows, "zh") == ["现有记录将该改动关联至 Ada Berg (p-1)，途径是账号 gitlab:ada（这不等于证明）。"]


def test_what_the_person_named_has_said_is_not_said_to_be_missing() -> None:
    answer = answered(found("person"), Statement("s1", "p-1", "It was not me.", "not-me"))
    assert not any("nothing was supplied" in text for text in texts(answer.not_shown))


def test_a_named_answer_says_whose_account_it_was_where_that_is_somebody_else() -> None:
    data = found("person", person="p-2", mechanism="credential-misuse", ladder=[CHANGE, step("account", "gitlab:ada made it"), KEY])
    answer = answered(data)
    assert texts(answer.shows)[1] == "That account is registered to Ada Berg (p-1), which does not say who used it."
    assert texts(answer.how_far)[0] == "They lead from that account, by a key, to that person."
    assert texts(answer.how_far)[1] == "Leading explanation: with somebody else's account or credential."


def test_what_that_side_may_plead_stands_there_where_no_record_contradicts() -> None:
    odd = {
        "flag": "author-mismatch",
        "says": "the commit names email:x@y as author, and gitlab:ada pushed it",
        "innocent": ["a patch applied for a colleague"],
        "refs": [ref(7)],
    }
    neutral = {
        "flag": "rewritten-history",
        "says": "the commit was on a shared branch or was run, and no branch reaches it any more",
        "innocent": [],
        "refs": [ref(8)],
    }
    reviewed = {"id": "reviewed", "shows": "the records show it", "why": "gitlab:mei reviewed or merged it", "refs": [ref(9)]}
    unreviewed = {
        "id": "reviewed",
        "shows": "the records show that it was not so",
        "why": "it was pushed straight to main",
        "refs": [ref(9)],
    }
    data = found("person", flags=["author-mismatch", "rewritten-history"], flag_items=[odd, neutral])
    assert texts(answered(data | {"controls": [reviewed]}).speaks) == [
        "No record contradicts the leading explanation. That side may point out:",
        "The commit names email:x@y as author, and gitlab:ada pushed it",
        "gitlab:mei reviewed or merged it; no sign of a part in it",
        "Next best, no finding: Mei Lin (p-2) made it with somebody else's account or credential.",
    ]
    assert "straight to" not in " ".join(texts(answered(data | {"controls": [unreviewed]}).speaks))
    assert texts(answered(data).odd) == ["The commit was on a shared branch or was run, and no branch reaches it any more"]


@pytest.mark.parametrize(
    ("more", "pleads"),
    [
        ({}, True),
        ({"mechanism": "deputy"}, False),
        ({"object": "s3://b/base.pt?versionId=3"}, False),
        ({"object": "s3://b/other.pt"}, True),
    ],
)
def test_hidden_code_is_a_plea_only_where_the_answer_does_not_say_who_planted_it(more: dict[str, Any], pleads: bool) -> None:
    says = "s3://b/base.pt holds code that runs when it is loaded (builtins.exec), which its lineage never had"
    hidden = {"flag": "hidden-code", "says": says, "innocent": [], "refs": [ref(7)]}
    answer = answered(found("person", flags=["hidden-code"], flag_items=[hidden]) | more)
    assert any("holds code" in text for text in texts(answer.speaks)) is pleads
    assert any("holds code" in text for text in texts(answer.odd)) is not pleads


def test_records_against_a_named_answer_come_first_and_the_rest_are_counted() -> None:
    against = [item("presence", f"p-1 was at place:{n} then", "person", n) for n in range(5)]
    told = texts(answered(found("person", against=against)).speaks)
    assert told[:4] == [
        "Ada Berg (p-1) was at place:0 then",
        "Ada Berg (p-1) was at place:1 then",
        "Ada Berg (p-1) was at place:2 then",
        "And 2 more, listed in detail below.",
    ]
    assert not any("No record contradicts" in text for text in told)


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (0.4, "At least one other explanation may fit the records as well as the leading one, or better: moderate support."),
        (16.2, "This fits the records at least 16 times better than any other weighed (no probability)."),
    ],
)
def test_how_sure_follows_the_closest_comparison(low: float, said: str) -> None:
    assert texts(answered(found("person", alternatives=[other("p-3", 900.0), other("p-2", low)])).how_far)[1] == said


def test_of_several_who_fare_alike_nobody_is_singled_out() -> None:
    told = texts(answered(found("person", alternatives=[other("p-2"), other("p-3")])).speaks)[-1]
    assert told == "Next best: 2 other people, with somebody else's account or credential, none of them standing out."


# --- the commit names somebody ----------------------------------------------------------------------------------------


def test_whom_a_commit_names_is_said_where_somebody_else_pushed_it() -> None:
    data = found("person", flags=["author-mismatch"])
    answer = answered(data, claim=Claim("email:mei@lab.example"))
    assert (
        texts(answer.shows)[1]
        == "The commit gives email:mei@lab.example as its author. Anybody can type that line, and it is no sign of who made it."
    )
    assert answer.shows[1].refs == (ref(0, git=True),)
    both = answered(data, claim=Claim("email:mei@lab.example", "email:olu@lab.example"))
    assert (
        texts(both.shows)[1]
        == "The commit gives email:mei@lab.example as its author and email:olu@lab.example as its committer. Anybody can type those lines, and they are no sign of who made it."
    )
    assert "提交者是 email:olu@lab.example" in texts(both.shows, "zh")[1]


def test_whom_a_commit_names_is_not_said_where_that_is_who_pushed_it() -> None:
    assert len(answered(found("person"), claim=Claim("email:ada@lab.example", "email:olu@lab.example")).shows) == 1


@pytest.mark.parametrize("rung", ["none", "change"])
def test_where_no_account_is_tied_the_name_in_the_commit_is_said_to_be_no_sign(rung: str) -> None:
    answer = answered(found(rung), claim=Claim("email:ada@lab.example"))
    assert (
        texts(answer.shows)[-1]
        == "The commit bears the name email:ada@lab.example. Anybody can write that line, and it is no sign of who made it."
    )
    both = answered(found(rung), claim=Claim("email:ada@lab.example", "email:olu@lab.example"))
    assert texts(both.shows)[-1].startswith("The commit bears the name email:ada@lab.example, and email:olu@lab.example as its committer.")
    for text in (*texts(answer.shows), *texts(answer.how_far), *texts(answer.speaks)):
        assert "Ada Berg" not in text


# --- nobody is named --------------------------------------------------------------------------------------------------


def test_an_account_alone_names_nobody_and_says_whose_it_is_by_the_registers() -> None:
    answer = answered(found("account"))
    assert texts([answer.brief]) == ["As far as the account gitlab:ada; who used it is open"]
    assert texts(answer.shows) == [
        "The records do not tell who made this change.",
        "The change was made through the account gitlab:ada. It is registered to Ada Berg (p-1); who used it is not established.",
    ]
    assert texts(answer.how_far) == [
        "As far as an account. An account is not a person.",
    ]
    assert texts([answer.speaks_for]) == ["the people concerned"]
    assert texts(answer.speaks) == ["Being among those not excluded is no finding against anybody: the records do not tell them apart."]
    assert answer.candidates == ("Ada Berg (p-1)", "Mei Lin (p-2)", "Olu Ade (p-3)")
    assert answer.people == ("p-1",)


def test_whom_an_account_belongs_to_has_a_row_of_what_stands_for_them() -> None:
    answer = answered(found("account", alternatives=[other("p-2", 2.84), other("p-3", 40.0)]))
    assert answer.holder is not None
    assert texts(answer.for_holder) == [
        "No answer by Ada Berg (p-1) was supplied.",
        "No record ties a device of theirs, or their presence, to the act.",
        "Others can use an account; 1 other person is not set apart.",
    ]
    denied = answered(found("account"), Statement("s1", "p-1", "It was not me.", "not-me"))
    assert texts(denied.for_holder)[0] == "Denies having made the change."
    assert not any("No answer by" in text for text in texts(denied.for_holder))


@pytest.mark.parametrize("side", ["for", "neutral", "against"])
def test_that_no_record_ties_a_device_is_not_said_where_one_does(side: str) -> None:
    """It may favour nobody, where another explanation needs the same device."""
    tie = item("origin_device", "it came from device:ada-laptop (by an address lease), the device of p-1", "session", 4)
    texts_of = texts(answered(found("account", **{side: [tie]})).for_holder)
    assert not any("No record" in text for text in texts_of)


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("device:mei-laptop was locked or logged off at that moment", True),
        ("device:mei-laptop had been opened by unix:mei and not locked since", False),
    ],
)
def test_a_locked_device_speaks_for_the_people_concerned_and_an_open_one_does_not(says: str, shown: bool) -> None:
    neutral = item("device_session", says, "person", 4)
    spoken = texts(answered(found("account", neutral=[neutral])).speaks)
    assert any(text.startswith("device:mei-laptop") for text in spoken) == shown


def test_that_whoever_the_account_is_registered_to_had_left_stands_in_their_own_row_and_once() -> None:
    left = item("departed", "p-1 had left on 2024-06-10T17:00:00Z, before the act", "person", 4)
    says = "gitlab:ada acted on 2024-06-12T06:14:00Z, after its holder's last day (2024-06-10T17:00:00Z)"
    after = {"flag": "after-departure", "says": says, "innocent": [], "refs": [ref(7)]}
    answer = answered(found("account", against=[left], flags=["after-departure"], flag_items=[after]))
    assert texts(answer.for_holder)[0] == "Ada Berg (p-1) had left on 10 Jun 2024, 17:00:00, before the act"
    assert not any("had left" in text for text in texts(answer.speaks))
    assert answer.odd == ()
    others = answered(
        found("account", against=[left | {"says": left["says"].replace("p-1", "p-2")}], flags=["after-departure"], flag_items=[after])
    )
    assert any("Mei Lin (p-2) had left" in text for text in texts(others.speaks))
    assert len(others.odd) == 1


def test_a_session_from_a_device_and_one_by_a_key_are_told_apart() -> None:
    device = answered(found("session", ladder=[CHANGE, step("account", "gitlab:ada made it"), DEVICE]))
    assert (
        texts(device.shows)[1]
        == "The change was made through the account gitlab:ada, in a session from the device LT-1. Who was behind that session is not established."
    )
    assert texts(device.how_far)[0] == "As far as a session (one use of that account). A device is not a person."
    assert "No record shows Ada Berg (p-1) at that device at the time of the act." in texts(device.for_holder)
    key = answered(found("session", ladder=[CHANGE, step("account", "gitlab:ada made it"), KEY]))
    assert (
        texts(key.shows)[1]
        == "The change was made through the account gitlab:ada, with a key. Both are registered to Ada Berg (p-1), which does not say who used them."
    )
    assert len(key.shows) == 2
    assert texts(key.not_shown)[0] == "Who used that credential when the change was made, and on which device."
    assert texts(key.how_far)[0] == "As far as a session (one use of that account). A credential is not a person."


def test_a_key_that_nobody_is_registered_for_is_named_and_asked_for() -> None:
    untold = step("session", "no record shows from which device or with whose credential", reached=False)
    data = found("account", ladder=[CHANGE, step("account", "gitlab:ada made it"), untold])
    answer = answered(data, read=[{"credential": None}, {"credential": "gitlab-key:632"}])
    assert texts(answer.not_shown)[0] == "Key 632 was used; nobody supplied whose that is, nor is the device shown."
    assert texts(answer.missing) == ["the register of keys and tokens: whose gitlab-key:632 is"]
    assert texts(answered(data).missing) == []


@pytest.mark.parametrize(
    ("rung", "brief", "shows"),
    [
        (
            "change",
            "Open: the change is real, no account is tied to it",
            "The change is real. The records do not say which account made it.",
        ),
        (
            "none",
            "Open: not even the change is established",
            "The records do not establish that the recorded change took place as recorded.",
        ),
    ],
)
def test_where_no_account_is_told_nobody_has_a_row_and_nobody_is_concerned(rung: str, brief: str, shows: str) -> None:
    answer = answered(found(rung))
    assert texts([answer.brief]) == [brief]
    assert texts(answer.shows) == ["The records do not tell who made this change.", shows]
    assert (answer.holder, answer.for_holder, answer.people) == (None, (), ())
    assert texts([answer.surely]) == ["not settled"]


def test_whom_the_records_exclude_from_their_own_account_is_said() -> None:
    assert answered(found("account", candidates=["p-2", "p-3"])).left_out == ("Ada Berg (p-1)",)
    assert answered(found("account")).left_out == ()


def test_only_the_first_records_that_would_settle_it_stand_on_the_first_page_and_what_is_gone_is_said_so() -> None:
    badge = "who was in the building at 2024-06-12T06:14:00Z (badge system)"
    logons = "logons and commands at 2024-06-12T06:14:00Z (endpoint sensor, kept 7 to 30 days; else the device itself)"
    told = texts(answered(found("account", missing=[badge, logons, badge, badge])).missing)
    assert len(told) == 2
    assert told[0] == "Who was in the building at 12 Jun 2024, 06:14:00 (badge system)"
    assert told[1] == "Logons and commands at that time; by now probably gone, but for backups"


# --- names hidden -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rung", ["person", "account"])
def test_a_blind_copy_says_the_same_of_labels(rung: str) -> None:
    labels = {"p-1": "[2]", "p-2": "[1]", "p-3": "[3]", "gitlab:ada": "[2.1]"} | dict(
        zip(PEOPLE.values(), ("[2]", "[1]", "[3]"), strict=True)
    )
    answer = answered(found(rung), Statement("s1", "p-1", "I, Ada Berg, did not.", "not-me"), names=Names(PEOPLE, labels))
    every = [*texts(answer.shows), *texts(answer.speaks), *texts(answer.for_holder), *texts(answer.not_shown), *answer.candidates]
    assert any("[2]" in text for text in every)
    assert any("[2.1]" in text for text in every)
    for hidden in (*labels,):
        assert not any(hidden in text for text in every)
    if rung == "account":
        assert answer.candidates == ("[1]", "[2]", "[3]")  # in the order of labels: that of ids would tell
        assert [str(one.who) for one in answer.alternatives] == ["1 person"]


# --- the warning ------------------------------------------------------------------------------------------------------


def test_the_warning_says_all_that_is_missing() -> None:
    bare = SourceConfig("edr", "table", "evidence/edr.csv")
    told = first_of(case(mandate=(), sources=(bare, bare))).warning(["p-1", "p-1"])
    assert told is not None
    assert texts([told]) == [
        "Do not act against anybody on this page alone: no mandate was supplied; none of the 2 sources says who collected it; no answer by Ada Berg (p-1) was supplied."
    ]
    told = first_of(case(Statement("s1", "p-1", "It was not me.", "not-me"), sources=(SOURCE, bare))).warning(["p-1"])
    assert told is not None
    assert texts([told]) == [
        "Do not act against anybody on this page alone: 1 of the 2 sources does not say who collected it; Ada Berg (p-1) denies having made the change (“It was not me.”)."
    ]


def test_where_nothing_is_missing_there_is_no_warning() -> None:
    assert first_of(case(Statement("s1", "p-1", "I left in June.", "left-before"))).warning(["p-1"]) is None
    assert first_of(case()).warning([]) is None


# --- evidence beside the sentence -------------------------------------------------------------------------------------


def test_what_bears_a_tie_comes_first_and_the_object_last() -> None:
    data = found("person", ladder=[CHANGE, step("account", number=2), step("session", number=3)]) | {
        "for": [item("presence", "x", "person", 9)]
    }
    steps = tuple(one for rung in data["ladder"] for one in rung["refs"])
    assert bearing(data, steps) == (ref(2), ref(3), ref(9), ref(0, git=True))
    assert bearing(data | {"account": None}, steps) == steps
