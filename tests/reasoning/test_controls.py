"""Controls on a change's way: shown by the records, shown not to have been so, or without a record."""

import pytest

from tests.reasoning.test_adversary_pushes import MAIN, push

MODEL = "s3://models/base.pt"
YES, NO, NOTHING = "the records show it", "the records show that it was not so", "there is no record"


def control(answer, name):
    found = [c for c in answer["controls"] if c["id"] == name]
    return (found[0]["shows"], found[0]["why"]) if found else None


def access(folder, *rows):
    (folder.root / "access.csv").write_text("person,object,right,from,to\n" + "".join(f"{row}\n" for row in rows))


def pushed(folder, repository, *, ref="main", more=()):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00", mine, base, ref=ref), *more])
    folder.ask(f"git:train@{mine}")
    return mine


def test_who_could_write_there(folder, repository):
    pushed(folder, repository)
    access(folder, f"p-vic,{MAIN},write,,", "p-eve,git:train#*,read,,", f"p-kim,{MAIN},admin,,2023-01-01T00:00:00Z")
    assert control(folder.answer(), "limited-access") == (YES, "1 of the 4 people who were there then held the right to write there")
    access(folder, *(f"{p},git:train#*,write,," for p in ("p-vic", "p-eve", "p-kim")))
    assert control(folder.answer(), "limited-access") == (NO, "3 of the 4 people who were there then held the right to write there")


@pytest.mark.parametrize(("kind", "shows"), [("shared", NO), ("", NOTHING)])
def test_whose_account_it_was(folder, repository, kind, shows):
    folder.drop("gitlab:vic")
    if kind:
        folder.holds("gitlab:vic", "p-vic", kind)
    pushed(folder, repository)
    assert control(folder.answer(), "one-person")[0] == shows


def request(clock, action, actor="gitlab:vic"):
    return {"clock": clock, "action": action, "actor": actor, "object": "gitlab:1!7"}


def test_a_push_straight_to_the_shared_branch_was_not_reviewed(folder, repository):
    pushed(folder, repository, more=[request("09:00", "code.review", "gitlab:kim")])
    shows, why = control(folder.answer(), "reviewed")
    assert (shows, why.startswith("it was pushed straight to refs/heads/main")) == (NO, True)


def test_a_review_of_another_request_is_none_of_this_change(folder, repository):
    pushed(folder, repository, ref="mine", more=[request("10:10", "code.request"), request("10:20", "code.review", "gitlab:kim")])
    assert control(folder.answer(), "reviewed") == (NOTHING, "no record ties a review to it")


GITLAB = '{{"id":{id},"project_id":1,"action_name":"{action}","target_type":"MergeRequest","target_id":7,"target_iid":7,"target_title":"b","author_id":{who},"author_username":"{name}","author":{{"username":"{name}"}},"created_at":"2024-06-12T{clock}Z"}}'


def gitlab(folder, *rows):
    lines = [GITLAB.format(id=n, action=action, who=n, name=name, clock=clock) for n, (clock, action, name) in enumerate(rows, 900)]
    folder.text("gitlab.jsonl", "gitlab_events", "\n".join(lines) + "\n")


def test_a_review_by_somebody_else_is_shown_and_ones_own_is_none(folder, repository):
    pushed(folder, repository, ref="mine")
    gitlab(folder, ("10:10:00", "opened", "vic"), ("10:20:00", "approved", "kim"))
    assert control(folder.answer(), "reviewed") == (YES, "gitlab:kim reviewed or merged it")


def test_a_request_that_nobody_else_looked_at(folder, repository):
    pushed(folder, repository, ref="mine")
    gitlab(folder, ("10:10:00", "opened", "vic"), ("10:20:00", "accepted", "vic"))
    assert control(folder.answer(), "reviewed") == (NO, "a request was opened, and nobody else reviewed or merged it")


def written(folder, *more):
    rows = [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "outcome": "ok"}, *more]
    folder.log("store", rows, "T4")
    folder.ask(MODEL, "2024-06-12T10:00:00Z")


def scan(clock, what=MODEL, outcome="ok"):
    return {"clock": clock, "action": "file.check", "object": what, "outcome": outcome}


def test_scanned_before_its_first_use(folder):
    written(folder)
    folder.log("scans", [scan("09:00", "s3://models/other.pt")])
    assert control(folder.answer(), "scanned-first") == (NO, "checks of other files are recorded, and none of it")
    folder.log("more", [scan("10:30")])
    assert control(folder.answer(), "scanned-first")[0] == YES


def test_a_check_that_came_before_it_was_written_is_none(folder):
    written(folder, scan("09:30"))
    assert control(folder.answer(), "scanned-first") == (NO, "checks are recorded, and none of it before its first use")


def test_the_earlier_copy(folder):
    copied = {
        "clock": "11:00",
        "action": "object.write",
        "actor": "aws:vic",
        "object": "s3://prod/base.pt",
        "target": MODEL,
        "outcome": "ok",
    }
    written(folder, copied)
    gone = {"clock": "12:00", "action": "object.delete", "actor": "aws:vic", "object": "s3://models/old.pt", "outcome": "ok"}
    folder.log("gone", [gone])
    assert control(folder.answer(), "copy-removed") == (NO, "deletions there are recorded, and none of it")
    folder.log("gone-too", [gone | {"object": MODEL}])
    assert control(folder.answer(), "copy-removed") == (YES, "its deletion is recorded")


def test_every_control_says_what_it_would_have_done_and_on_what_records(folder, repository):
    pushed(folder, repository)
    written(folder)
    folder.ask("git:train@" + "0" * 40)
    *found, absent = folder.examine()["answers"]
    assert absent["controls"] == []
    assert control(found[0], "limited-access") == (NOTHING, "the case has no access.csv")
    assert control(found[0], "one-person")[0] == YES
    assert control(found[1], "scanned-first")[0] == NOTHING
    assert control(found[0], "reviewed") == (NOTHING, "no record of any review was supplied")
    assert {c["id"] for a in found for c in a["controls"]} >= {"limited-access", "one-person", "reviewed", "same-hash", "use-by-person"}
    for answer in found:
        for c in answer["controls"]:
            assert c["would_have"]
            assert c["shows"] in (YES, NO, NOTHING)
            assert c["refs"] or c["shows"] == NOTHING, c
