"""Known answers of GitHub's audit log."""

import json

import pytest

SHA = "a" * 40
PULL = "https://git.lab.example/lab-research/lm-train/pull/190"
BASE = {
    "@timestamp": 1718150400250, "actor": "mei", "actor_ip": "192.0.2.10", "org": "lab-research", "repo": "lab-research/lm-train",
}  # fmt: skip


def only(read, action, **changed):
    (found,) = read("github_audit", json.dumps(BASE | {"action": action} | changed).encode(), host="git.lab.example").events
    return found


def facts(found):
    return json.loads(found.attrs)


def test_a_push(read):
    found = only(read, "git.push", hashed_token="aGFzaA==", programmatic_access_type="SSH key", transport_protocol_name="ssh")
    assert (found.action, found.object, found.actor) == ("code.push", "git:lm-train", "github:mei")
    assert (found.ip, found.credential, found.host) == ("ip:192.0.2.10", "token:aGFzaA==", "git.lab.example")
    assert found.time == 1718150400_250000000
    assert facts(found) == {
        "access": "SSH key", "action": "git.push", "org": "lab-research", "repo": "lab-research/lm-train", "transport": "ssh",
    }  # fmt: skip


@pytest.mark.parametrize("hashed", ["", None, [], {"sha": "x"}])
def test_no_token_no_credential(read, hashed):
    assert only(read, "git.push", hashed_token=hashed).credential is None


@pytest.mark.parametrize("action", ["git.clone", "git.fetch"])
def test_fetches(read, action):
    found = only(read, action, repo="", repository="lab-research/tok")
    assert (found.action, found.object, facts(found)["action"]) == ("code.fetch", "git:tok", action)


@pytest.mark.parametrize(
    ("own", "action"),
    [("pull_request.merge", "code.merge"), ("pull_request_review.submit", "code.review"), ("pull_request.create", "code.request")],
)
def test_pull_requests(read, own, action):
    found = only(read, own, pull_request_url=PULL, pull_request_title="Faster loader", user="tomas")
    assert (found.action, found.object, found.actor) == (action, "github:lab-research/lm-train!190", "github:mei")
    assert (facts(found)["title"], facts(found)["opened_by"]) == ("Faster loader", "tomas")


@pytest.mark.parametrize("url", [None, "", "pull/190", 190, "https://git.lab.example/lab-research/lm-train/issues/190"])
def test_a_pull_request_without_its_number_has_no_name(read, url):
    assert only(read, "pull_request.merge", pull_request_url=url).object is None


def test_a_run_of_a_workflow(read):
    run = {"workflow_run_id": 31766, "head_sha": SHA, "name": "sync", "event": "workflow_dispatch", "head_branch": "main"}
    began = only(read, "workflows.created_workflow_run", **run)
    assert (began.action, began.object, began.session, began.actor) == ("automation.trigger", "pipeline:31766", SHA, "github:mei")
    assert {key: facts(began)[key] for key in ("name", "event", "branch")} == {
        "name": "sync",
        "event": "workflow_dispatch",
        "branch": "main",
    }
    ended = only(read, "workflows.completed_workflow_run", conclusion="failure", **run)
    assert (ended.action, ended.object, ended.outcome) == ("automation.end", "pipeline:31766", "failure")


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule"])
def test_who_runs_a_run_again_has_set_it_off(read, event):
    found = only(read, "workflows.rerun_workflow_run", workflow_run_id=5, head_sha=SHA, event=event)
    assert (found.action, found.object, found.actor) == ("automation.trigger", "pipeline:5", "github:mei")


def test_nobody_sets_off_what_a_timetable_sets_off(read):
    found = only(read, "workflows.created_workflow_run", workflow_run_id=5, head_sha=SHA, event="schedule")
    assert (found.action, found.actor, facts(found)["actor"]) == ("workflows.created_workflow_run", None, "github:mei")


@pytest.mark.parametrize(
    ("own", "repo", "action", "object_"),
    [
        ("repo.add_member", "lab-research/lm-train", "access.grant", "git:lm-train"),
        ("repo.update_member", "lab-research/lm-train", "access.grant", "git:lm-train"),
        ("repo.remove_member", "lab-research/lm-train", "access.revoke", "git:lm-train"),
        ("org.add_member", None, "access.grant", "github:lab-research"),
        ("org.update_member", None, "access.grant", "github:lab-research"),
        ("org.remove_outside_collaborator", None, "access.revoke", "github:lab-research"),
        ("team.add_member", None, "access.grant", "github:lab-research"),
        ("team.remove_repository", "lab-research/lm-train", "access.revoke", "git:lm-train"),
    ],
)
def test_access(read, own, repo, action, object_):
    found = only(read, own, repo=repo, user="wen")
    assert (found.action, found.object, found.target, found.actor) == (action, object_, "github:wen", "github:mei")


def test_an_invitation_gives_no_access(read):
    assert only(read, "org.invite_member", user="wen").action == "org.invite_member"


@pytest.mark.parametrize(
    ("own", "action"),
    [
        ("public_key.create", "credential.issue"),
        ("deploy_key.create", "credential.issue"),
        ("public_key.delete", "credential.revoke"),
    ],
)
def test_keys(read, own, action):
    found = only(read, own, fingerprint="SHA256:abc", user="wen", hashed_token="aGFzaA==")
    assert (found.action, found.credential, found.target) == (action, "ssh-key:SHA256:abc", "github:wen")
    assert facts(found)["hashed_token"] == "aGFzaA=="


@pytest.mark.parametrize(
    ("own", "action"),
    [
        ("personal_access_token.access_granted", "credential.issue"),
        ("personal_access_token.access_revoked", "credential.revoke"),
        ("oauth_access.create", "credential.issue"),
        ("oauth_access.destroy", "credential.revoke"),
    ],
)
def test_tokens(read, own, action):
    found = only(read, own, user="wen", hashed_token="aGFzaA==")
    assert (found.action, found.credential, found.target) == (action, "token:aGFzaA==", "github:wen")


def test_the_token_that_installed_an_app_is_not_the_apps(read):
    found = only(read, "integration_installation.create", hashed_token="aGFzaA==", name="sync")
    assert (found.action, found.credential, facts(found)["hashed_token"]) == ("credential.issue", None, "aGFzaA==")


@pytest.mark.parametrize("own", ["protected_branch.policy_override", "repository_ruleset.update", "repo.archived", "pull_request.close"])
def test_the_rest_keeps_its_own_word(read, own):
    found = only(read, own, before=SHA)
    assert (found.action, found.object, facts(found)["before"]) == (own, "git:lm-train", SHA)


@pytest.mark.parametrize("own", ["identity.holds", "code.push", "session.ssh.open", "automation.trigger", "metric.point", "log"])
def test_words_of_the_contract_cannot_be_slipped_in(read, own):
    found = only(read, own)
    assert (found.action, facts(found)["action"]) == (f"github.{own}", own)


def test_what_lies_within_never_says_who_or_when(read):
    data = {"action": "git.push", "actor": "tomas", "@timestamp": 5, "team": "lab-research/loaders", "user": "tomas"}
    found = only(read, "team.add_member", repo=None, user="wen", data=data)
    assert (found.action, found.actor, found.target) == ("access.grant", "github:mei", "github:wen")
    assert (facts(found)["team"], facts(found)["data"]["actor"]) == ("lab-research/loaders", "tomas")


@pytest.mark.parametrize(
    ("times", "nanoseconds"),
    [
        ({"@timestamp": 1718150400000, "created_at": 1718150405000}, 1718150400_000000000),
        ({"@timestamp": None, "created_at": 1718150400000}, 1718150400_000000000),
        ({"@timestamp": 1718150400000.0}, 1718150400_000000000),
        ({"@timestamp": "2024-06-12T08:00:00.5+08:00"}, 1718150400_500000000),
    ],
)
def test_times(read, times, nanoseconds):
    assert only(read, "git.push", **times).time == nanoseconds


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"action": None}, "it has no action"),
        ({"action": ["git.push"]}, "it has no action"),
        ({"@timestamp": None}, "neither @timestamp nor created_at"),
        ({"@timestamp": {}}, "neither @timestamp nor created_at"),
        ({"@timestamp": "2024-06-12 00:00:00"}, "no time zone is declared"),
        ({"@timestamp": 9_999_999_999_999_999_999}, "beyond what 64 bits"),
    ],
)
def test_no_record_without_action_and_time(read, changed, reason):
    reading = read("github_audit", json.dumps(BASE | {"action": "git.push"} | changed).encode())
    assert not reading.events
    assert reason in reading.rejects[0].reason


@pytest.mark.parametrize("depth", [100, 180, 250, 5000])
def test_deep_nesting_costs_no_more_than_its_record(read, depth):
    deep = b'{"action":"git.push","@timestamp":1718150400000,"x":' + b"[" * depth + b"]" * depth + b"}"
    reading = read("github_audit", deep + b"\n" + json.dumps(BASE | {"action": "git.push"}).encode())
    assert len(reading.events) + len(reading.rejects) == 2
    assert reading.events


@pytest.mark.parametrize("key", [*BASE, "action", "data", "repository", "user", "hashed_token", "pull_request_url", "head_sha", "event"])
@pytest.mark.parametrize("value", [None, True, -1, 1e300, 10**400, "", "\ud800", "x" * 10_000, [], [[]], {}, {"a": {}}, {"action": "x"}])
@pytest.mark.parametrize(
    "own", ["git.push", "pull_request.merge", "workflows.created_workflow_run", "team.add_member", "public_key.create"]
)
def test_any_type_anywhere(read, own, key, value):
    reading = read("github_audit", json.dumps(BASE | {"action": own} | {key: value}).encode())
    assert len(reading.events) + len(reading.rejects) == 1
