"""Known answers of GitLab's Events API."""

import json

import pytest

SHA, OLD = "a" * 40, "b" * 40


def event(**changed):
    push = {"action": "pushed", "commit_from": OLD, "commit_to": SHA, "ref": "main", "ref_type": "branch", "commit_count": 1}
    base = {
        "id": 1,
        "project_id": 76,
        "action_name": "pushed to",
        "created_at": "2024-06-12T08:00:00.5+08:00",
        "author_username": "mei",
        "push_data": push,
    }
    return json.dumps(base | changed).encode()


def only(read, data, **keys):
    (found,) = read("gitlab_events", data, **keys).events
    return found


def test_a_push_leaves_the_repository_open_until_commits_tell(read):
    found = only(read, event(), host="git.lab.example")
    assert (found.action, found.actor, found.host) == ("code.push", "gitlab:mei", "git.lab.example")
    assert (found.object, found.target, found.prior) == ("git:?76#refs/heads/main", f"git:?76@{SHA}", f"git:?76@{OLD}")
    assert found.time == 1718150400_500000000
    assert json.loads(found.attrs)["project_id"] == 76


@pytest.mark.parametrize("path", [{"project_path": "core/train"}, {"project": {"path_with_namespace": "a/b/train.git"}}])
def test_a_project_path_names_the_repository(read, path):
    assert only(read, event(**path)).object == "git:train#refs/heads/main"


def test_a_declared_repository_stands_in(read):
    assert only(read, event(), repo="train").target == f"git:train@{SHA}"


@pytest.mark.parametrize(
    ("push", "object_", "target", "prior"),
    [
        ({"ref": "v1", "ref_type": "tag", "commit_to": SHA}, "git:?76#refs/tags/v1", f"git:?76@{SHA}", None),
        ({"ref": "main", "ref_type": "branch", "commit_from": OLD, "commit_to": None}, "git:?76#refs/heads/main", None, f"git:?76@{OLD}"),
        ({"ref": None, "ref_count": 4}, "git:?76", None, None),
        ({"ref": "main", "commit_from": "0" * 40, "commit_to": "not a sha"}, "git:?76#refs/heads/main", None, None),
    ],
)
def test_refs_and_commits(read, push, object_, target, prior):
    found = only(read, event(push_data=push))
    assert (found.object, found.target, found.prior) == (object_, target, prior)


@pytest.mark.parametrize(
    ("name", "action"), [("accepted", "code.merge"), ("approved", "code.review"), ("opened", "code.request"), ("closed", "log.message")]
)
def test_merge_requests(read, name, action):
    found = only(read, event(push_data=None, action_name=name, target_type="MergeRequest", target_iid=31))
    assert (found.action, found.object) == (action, "gitlab:76!31")


def test_the_same_words_about_issues_are_no_reviews(read):
    found = only(read, event(push_data=None, action_name="opened", target_type="Issue", target_iid=31))
    assert (found.action, found.object) == ("log.message", None)


def test_a_page_of_another_api_is_rejected(read):
    reading = read("gitlab_events", b'[{"id": 1, "status": "success"}]')
    assert [reject.reason for reject in reading.rejects] == ["no GitLab event: it has no action_name"]
