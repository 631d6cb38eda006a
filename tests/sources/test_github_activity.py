"""Known answers of GitHub's list of a repository's activities."""

import json

import pytest

SHA, OLD, NONE = "a" * 40, "b" * 40, "0" * 40
BASE = {
    "id": 1484546765, "node_id": "PSH_1", "before": OLD, "after": SHA, "ref": "refs/heads/main", "timestamp": "2024-06-12T00:00:00Z",
    "activity_type": "push", "actor": {"login": "mei", "id": 9, "type": "User"},
}  # fmt: skip


def activity(**changed):
    return json.dumps([BASE | changed]).encode()


def only(read, data, **keys):
    (found,) = read("github_activity", data, **keys).events
    return found


def test_a_push_leaves_the_repository_open_until_commits_tell(read):
    found = only(read, {"lm-train.json": activity()}, host="git.lab.example")
    assert (found.action, found.actor, found.host) == ("code.push", "github:mei", "git.lab.example")
    assert (found.object, found.target, found.prior) == ("git:?lm-train#refs/heads/main", f"git:?lm-train@{SHA}", f"git:?lm-train@{OLD}")
    assert (found.time, found.ip, found.credential) == (1718150400_000000000, None, None)
    assert json.loads(found.attrs) == {"action": "push", "actor_id": 9, "actor_type": "User", "id": 1484546765, "node_id": "PSH_1"}


def test_a_declared_repository_stands_in(read):
    assert only(read, {"page-001.json": activity()}, repo="lm-train").object == "git:lm-train#refs/heads/main"


def test_a_record_may_name_its_repository(read):
    found = only(read, activity(repository={"full_name": "lab-research/tok"}), repo="lm-train")
    assert (found.object, found.target) == ("git:tok#refs/heads/main", f"git:tok@{SHA}")


@pytest.mark.parametrize(
    ("file", "repo"),
    [
        ("lm-train.json", "lm-train"),
        ("lm-train.jsonl", "lm-train"),
        ("lm-train-001.json", "lm-train"),
        ("lm-train.page-2.json", "lm-train"),
        ("lm-train_page12.json", "lm-train"),
        ("lm-train/page-001.json", "lm-train"),
        ("lab-research/lm-train/001.json", "lm-train"),
        ("llama-2.json", "llama-2"),
        ("llama-405.json", "llama-405"),
        ("my.json.tools.json", "my.json.tools"),
        ("frontpage1.json", "frontpage1"),
        ("a@b#c?d.json", "a_b_c_d"),
        ("page-001.json", "evidence"),
    ],
)
def test_files_are_named_after_repositories(read, file, repo):
    assert only(read, {file: activity()}).object == f"git:?{repo}#refs/heads/main"


@pytest.mark.parametrize(
    ("kind", "before", "after", "prior", "target"),
    [
        ("branch_creation", NONE, SHA, None, SHA),
        ("branch_deletion", OLD, NONE, OLD, None),
        ("force_push", OLD, SHA, OLD, SHA),
        ("pr_merge", OLD, SHA, OLD, SHA),
        ("merge_queue_merge", "b" * 64, "a" * 64, "b" * 64, "a" * 64),
        ("push", None, "not a sha", None, None),
        ("push", OLD.upper(), SHA[:39], None, None),
    ],
)
def test_refs_and_commits(read, kind, before, after, prior, target):
    found = only(read, activity(activity_type=kind, before=before, after=after), repo="train")
    assert (found.prior, found.target) == tuple(sha and f"git:train@{sha}" for sha in (prior, target))
    assert (found.action, json.loads(found.attrs)["action"]) == ("code.push", kind)


@pytest.mark.parametrize(
    ("ref", "object_"), [("refs/heads/a/b", "git:train#refs/heads/a/b"), ("main", "git:train#refs/heads/main"), (None, "git:train")]
)
def test_refs(read, ref, object_):
    assert only(read, activity(ref=ref), repo="train").object == object_


@pytest.mark.parametrize("actor", [None, {}, {"login": None}, {"login": ["mei"]}, "mei"])
def test_an_account_that_is_no_more(read, actor):
    assert only(read, activity(actor=actor)).actor is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"activity_type": None}, "no GitHub activity: it has no activity_type"),
        ({"timestamp": None}, "no GitHub activity: it has no timestamp"),
        ({"timestamp": "2024-06-12T00:00:00"}, "the time bears no offset and no time zone is declared"),
    ],
)
def test_no_record_without_kind_and_time(read, changed, reason):
    assert [reject.reason for reject in read("github_activity", activity(**changed)).rejects] == [reason]


@pytest.mark.parametrize("key", [*BASE, "repository"])
@pytest.mark.parametrize(
    "value", [None, True, -1, 1e300, 10**400, "", "\ud800", "x" * 10_000, [], [[]], {}, {"login": {}}, {"full_name": 5}]
)
def test_any_type_anywhere(read, key, value):
    reading = read("github_activity", activity(**{key: value}))
    assert len(reading.events) + len(reading.rejects) == 1
