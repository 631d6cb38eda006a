"""Known answers of Okta's System Log."""

import json

import pytest

from forensics.model import Tier
from forensics.source import load

RECORD = {
    "actor": {"id": "00u1", "type": "User", "alternateId": "Mei.Lin@lab.example", "displayName": "Mei Lin"},
    "client": {
        "userAgent": {"rawUserAgent": "Mozilla/5.0", "os": "Mac OS X", "browser": "CHROME"},
        "zone": "null",
        "ipAddress": "192.0.2.10",
    },
    "device": {"id": "guo1", "name": "MBP-0412", "managed": True, "registered": False},
    "authenticationContext": {"externalSessionId": "102aB3"},
    "eventType": "user.authentication.sso",
    "outcome": {"result": "SUCCESS", "reason": None},
    "published": "2024-06-12T01:10:42.123Z",
    "securityContext": {"isProxy": False},
    "debugContext": {"debugData": {"factor": "Okta Verify", "deviceFingerprint": "f1"}},
    "target": [{"id": "0oa1", "type": "AppInstance", "alternateId": "gitlab", "displayName": "GitLab"}],
}
USER = {"id": "00u2", "type": "User", "alternateId": "Kai@lab.example", "displayName": "Kai"}
GROUP = {"id": "00g1", "type": "UserGroup", "alternateId": "unknown", "displayName": "train-writers"}
APP = RECORD["target"][0]
FAILED = {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"}


def only(read, **changed):
    (found,) = read("okta", json.dumps(RECORD | changed).encode(), host="lab.okta.example").events
    return found


def test_single_sign_on(read):
    found = only(read)
    assert (found.action, found.actor, found.object, found.outcome) == ("session.sso.open", "okta:mei.lin@lab.example", "app:GitLab", "ok")
    assert (found.session, found.device, found.ip) == ("okta:102aB3", "device:MBP-0412", "ip:192.0.2.10")
    assert (found.credential, found.target, found.host) == (None, None, "lab.okta.example")
    assert found.time == 1718154642_123000000
    assert json.loads(found.attrs) == {
        "actor_id": "00u1", "browser": "CHROME", "device_id": "guo1", "event": "user.authentication.sso", "factor": "Okta Verify",
        "fingerprint": "f1", "managed": True, "os": "Mac OS X", "proxy": False, "registered": False, "user_agent": "Mozilla/5.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("user.session.start", "session.okta.open"),
        ("user.session.end", "session.okta.close"),
        ("user.session.clear", "session.okta.close"),
        ("user.authentication.auth_via_mfa", "credential.use"),
        ("user.authentication.auth_via_AD_agent", "credential.use"),
        ("user.mfa.okta_verify", "credential.use"),
        ("user.mfa.okta_verify.deny_push", "user.mfa.okta_verify.deny_push"),
        ("user.mfa.factor.activate", "credential.issue"),
        ("user.mfa.factor.deactivate", "credential.revoke"),
        ("user.mfa.factor.reset_all", "credential.revoke"),
        ("user.account.reset_password", "user.account.reset_password"),
        ("user.account.privilege.grant", "access.grant"),
        ("user.account.privilege.revoke", "access.revoke"),
        ("policy.lifecycle.update", "policy.lifecycle.update"),
    ],
)
def test_what_event_types_mean(read, event, action):
    found = only(read, eventType=event)
    assert found.action == action
    assert json.loads(found.attrs).get("event", action) == event


@pytest.mark.parametrize(
    ("result", "outcome", "action"),
    [
        ("SUCCESS", "ok", "open"), ("ALLOW", "ok", "open"), ("FAILURE", "failure", "fail"), ("DENY", "deny", "fail"),
        ("CHALLENGE", "challenge", "fail"), ("UNKNOWN", "unknown", "fail"), (None, None, "open"),
    ],
)  # fmt: skip
def test_only_what_succeeded_opens_a_session(read, result, outcome, action):
    found = only(read, outcome={"result": result})
    assert (found.action, found.outcome) == (f"session.sso.{action}", outcome)


def test_a_failed_sign_in_authenticated_nobody(read):
    found = only(read, eventType="user.session.start", outcome=FAILED, authenticationContext={"externalSessionId": "unknown"})
    assert (found.action, found.actor, found.claimed, found.session) == ("session.okta.fail", None, "okta:mei.lin@lab.example", None)
    assert json.loads(found.attrs)["reason"] == "INVALID_CREDENTIALS"


def test_a_failed_factor_is_its_accounts(read):
    found = only(read, eventType="user.authentication.auth_via_mfa", outcome=FAILED, target=None)
    assert (found.action, found.actor, found.object, found.outcome) == ("credential.use", "okta:mei.lin@lab.example", None, "failure")


@pytest.mark.parametrize(
    ("event", "targets", "place"),
    [
        ("group.user_membership.add", [USER, GROUP], "group:train-writers"),
        ("group.user_membership.add", [GROUP, APP, USER], "group:train-writers"),
        ("application.user_membership.add", [{"type": "AppUser", "alternateId": "kai"}, APP, USER], "app:GitLab"),
        ("user.account.privilege.grant", [USER], None),
    ],
)
def test_who_was_given_access_to_what(read, event, targets, place):
    found = only(read, eventType=event, target=targets)
    assert (found.action, found.target, found.object) == ("access.grant", "okta:kai@lab.example", place)


def test_which_privilege(read):
    found = only(
        read, eventType="user.account.privilege.grant", target=[USER], debugContext={"debugData": {"privilegeGranted": "Read-only"}}
    )
    assert json.loads(found.attrs)["privilege"] == "Read-only"


def test_who_clears_anothers_sessions_does_not_end_his_own(read):
    found = only(read, eventType="user.session.clear", target=[USER])
    assert (found.target, found.session, json.loads(found.attrs)["actor_session"]) == ("okta:kai@lab.example", None, "okta:102aB3")


@pytest.mark.parametrize("device", [None, {}, {"id": "guo1"}, {"name": None}, {"name": ""}, {"name": ["MBP"]}, "MBP-0412"])
def test_no_device_without_a_name(read, device):
    assert only(read, device=device).device is None


@pytest.mark.parametrize("target", [None, {}, "x", [None, 7, "x", {}, {"type": 7}], [[[]]]])
def test_targets_of_any_type(read, target):
    assert only(read, target=target).object is None


def test_targets_that_are_listed_are_bounded(read):
    found = only(read, target=[USER] * 1000)
    assert len(json.loads(found.attrs)["targets"]) == 100


@pytest.mark.parametrize("field", sorted(RECORD))
@pytest.mark.parametrize("value", [None, 7, "x", [], ["x"], {"x": 1}, {"id": {"name": []}, "name": 7, "result": [], "debugData": []}, True])
def test_any_type_anywhere(read, field, value):
    found = read("okta", json.dumps(RECORD | {field: value}).encode())
    assert len(found.events) + len(found.rejects) == 1
    assert bool(found.rejects) == (
        field in {"published", "eventType"} and (field == "published" or isinstance(value, (list, dict, type(None))))
    )


def test_a_time_without_an_offset_needs_a_time_zone(read):
    record = json.dumps(RECORD | {"published": "2024-06-12 09:10:42.123"}).encode()
    assert [r.reason for r in read("okta", record).rejects] == ["the time bears no offset and no time zone is declared"]
    assert read("okta", record, timezone="Asia/Shanghai").events[0].time == 1718154642_123000000


def test_pages_and_lines_read_alike(read):
    records = [RECORD, RECORD | {"eventType": "user.session.end"}]
    lines = read("okta", "".join(json.dumps(r) + "\n" for r in records).encode()).events
    pages = read("okta", {"001.json": json.dumps(records).encode(), "002.json": b"[]"}).events
    assert [e._replace(start=0, end=0) for e in lines] == [e._replace(start=0, end=0) for e in pages]


def test_a_third_party_keeps_it():
    assert load("okta").tier is Tier.T4
