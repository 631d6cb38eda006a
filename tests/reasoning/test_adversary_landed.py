"""The opponent once more: whose session, whose content, whose copy it was."""

import json

import pytest

MODEL = "s3://models/base.pt"


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7"):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip}


def on_device(clock, who="vic", line="git push origin main", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def of_vics_device(folder, *rows):
    """Leases and sensor show Vic at his laptop."""
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:40", action="device.unlock"), *rows], "T4")


# Role sessions: anybody may call one `train`.


def call(number, clock, name, identity, ip, request, response=None, service="s3.amazonaws.com"):
    """A record of CloudTrail."""
    return {
        "eventVersion": "1.09", "userIdentity": identity, "eventTime": f"2024-06-12T{clock}:00Z", "eventSource": service, "eventName": name,
        "awsRegion": "eu-west-1", "sourceIPAddress": ip, "userAgent": "aws-cli", "requestParameters": request, "responseElements": response,
        "requestID": f"R{number}", "eventID": f"00000000-0000-4000-8000-{number:012d}", "readOnly": False, "eventType": "AwsApiCall",
        "managementEvent": False, "recipientAccountId": "111122223333",
    }  # fmt: skip


def role_session(folder, used, ip, *rows):
    """Vic assumed the role `trainer` as `train` and was issued a key; a model is written under that session name."""
    user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/vic", "accountId": "111122223333", "userName": "vic"}
    arn = "arn:aws:sts::111122223333:assumed-role/trainer/train"
    issuer = {"type": "Role", "arn": "arn:aws:iam::111122223333:role/trainer", "userName": "trainer"}
    role = {
        "type": "AssumedRole",
        "arn": arn,
        "accountId": "111122223333",
        "accessKeyId": used,
        "sessionContext": {"sessionIssuer": issuer},
    }
    asked = {"roleArn": "arn:aws:iam::111122223333:role/trainer", "roleSessionName": "train"}
    given = {"credentials": {"accessKeyId": "ASIAAAAAAAAAAAAAAAAA"}, "assumedRoleUser": {"arn": arn}}
    records = [
        call(1, "09:58", "AssumeRole", user, "10.0.0.7", asked, given, "sts.amazonaws.com"),
        call(2, "10:00", "PutObject", role, ip, {"bucketName": "models", "key": "base.pt"}),
    ]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}))
    of_vics_device(folder, on_device("09:58", line="aws sts assume-role"), *rows)
    folder.ask(MODEL)
    return folder.answer()


def test_the_key_that_was_issued_ties_a_role_session_to_who_assumed_it(folder):
    answer = role_session(folder, "ASIAAAAAAAAAAAAAAAAA", "10.0.0.7", on_device("10:00", line="aws s3 cp base.pt s3://models/"))
    assert (answer["account"], answer["person"]) == ("aws:vic", "p-vic")


def test_a_role_session_of_the_same_name_with_another_key_is_another_session(folder):
    answer = role_session(folder, "ASIABBBBBBBBBBBBBBBB", "203.0.113.77")
    assert (answer["account"], answer["person"]) == ("aws:trainer", None)
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_key_that_was_used_from_elsewhere_does_not_put_its_owner_there(folder):
    answer = role_session(folder, "ASIAAAAAAAAAAAAAAAAA", "203.0.113.77")
    assert (answer["account"], answer["person"]) == ("aws:vic", None)
    assert "p-eve" in answer["candidates"]


# Content that somebody pushed long before another put it on the main branch.


def push(clock, who, sha, prior, ref="main", day=12, **more):
    before = {"prior": f"git:train@{prior}"} if prior else {}
    return {
        "time": f"2024-06-{day:02d}T{clock}:00Z",
        "action": "code.push",
        "actor": f"gitlab:{who}",
        "object": f"git:train#refs/heads/{ref}",
        "target": f"git:train@{sha}",
        "ip": "ip:10.0.0.7" if who == "vic" else "ip:10.0.0.9",
        **before,
        **more,
    }


def abandoned(folder, repository, committer, *records):
    """Vic pushed an experiment to his own branch on the 2nd; on the 12th Eve puts the same content on main, with him as author."""
    for who in ("vic", "eve"):
        folder.holds(f"email:{who}@lab.example", f"p-{who}")
    base = repository.commit("kim", "07:00", "a")
    tried = repository.commit("vic", "08:00", "slow", base, branch="vic")
    later = repository.commit("kim", "09:00", "b", base)
    landed = repository.commit("vic", "09:58", "slow", later, committer=committer)
    steps = [push("07:01", "kim", base, None, day=2), push("08:01", "vic", tried, None, "vic", day=2), push("09:01", "kim", later, base)]
    folder.log("forge", [*steps, push("10:00", "eve", landed, later), *records])
    folder.log("dhcp", [lease() | {"time": "2024-06-02T07:00:00Z"}, lease(who="eve", ip="ip:10.0.0.9")])
    watched = [on_device("07:30", action="device.unlock"), on_device("08:01")]
    folder.log(
        "edr",
        [
            *[r | {"time": f"2024-06-02T{r['clock']}:00Z"} for r in watched],
            on_device("09:40", "eve", action="device.unlock"),
            on_device("10:00", "eve"),
        ],
        "T4",
    )
    folder.ask(f"git:train@{landed}")
    return folder.answer()


def test_content_landed_under_its_authors_name_alone_is_given_to_neither(folder, repository):
    answer = abandoned(folder, repository, "vic")
    assert (answer["rung"], answer["person"], answer["flags"]) == ("change", None, ["author-mismatch"])
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_content_landed_openly_is_its_authors(folder, repository):
    answer = abandoned(folder, repository, "eve")
    assert (answer["account"], answer["person"]) == ("gitlab:vic", "p-vic")


def test_content_that_the_forge_merged_is_its_authors(folder, repository):
    merge = {"clock": "10:00", "action": "code.merge", "actor": "gitlab:eve", "object": "gitlab:train!7"}
    answer = abandoned(folder, repository, "forge", merge)
    assert (answer["account"], answer["person"]) == ("gitlab:vic", "p-vic")


def squashed(folder, repository, *others):
    """GitHub made one commit of Vic's request when Eve merged it; what the branch held is gone."""
    folder.holds("email:vic@lab.example", "p-vic")
    folder.holds("github:vic", "p-vic")
    folder.holds("github:eve", "p-eve")
    base = repository.commit("kim", "07:00", "a")
    landed = repository.commit("vic", "10:00", "slow", base, committer="noreply")
    lines = [
        ("09:00", "vic", "refs/heads/step", "0" * 40, "a" * 40, "branch_creation"),
        *others,
        ("10:00", "eve", "refs/heads/main", base, landed, "pr_merge"),
    ]
    activity = [
        {"id": n, "before": before, "after": after, "ref": ref, "timestamp": f"2024-06-12T{clock}:00Z", "activity_type": kind,
         "actor": {"login": who, "id": n}}
        for n, (clock, who, ref, before, after, kind) in enumerate(lines)
    ]  # fmt: skip
    folder.text("activity.json", "github_activity", json.dumps(activity), more='repo = "train"')
    requests = [("09:05", "code.request", "vic"), ("10:00", "code.merge", "eve")]
    folder.log("audit", [{"clock": c, "action": a, "actor": f"github:{w}", "object": "github:train!7"} for c, a, w in requests])
    folder.ask(f"git:train@{landed}")
    return folder.answer()


def test_a_squashed_request_is_whose_branch_it_was(folder, repository):
    assert squashed(folder, repository)["account"] == "github:vic"


@pytest.mark.parametrize(
    ("clock", "before", "after"), [("09:50", "a" * 40, "b" * 40), ("08:50", "0" * 40, "b" * 40)], ids=["after", "before"]
)
def test_a_squashed_request_to_whose_branch_another_pushed_is_given_to_neither(folder, repository, clock, before, after):
    answer = squashed(folder, repository, (clock, "eve", "refs/heads/step", before, after, "push"))
    assert (answer["rung"], answer["person"]) == ("change", None)
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# A shared account: who looked at the thing before did not write it.


def sudo(clock, who, command):
    return f"2024-06-12T{clock}+00:00 gate sudo[881]: {who} : TTY=pts/0 ; PWD=/ ; USER=svc ; COMMAND={command}\n"


def under_svc(folder, *lines, before=()):
    """Vic and Eve may be `svc`; sudo on the transfer host says who became it. Vic's way back to his laptop is whole."""
    for person in ("p-vic", "p-eve"):
        folder.holds("aws:svc", person, "shared")
        folder.holds("unix:svc", person, "shared")
    opened = [
        {"clock": "09:35", "action": "session.ssh.open", "actor": f"unix:{w}", "ip": ip, "host": "gate", "session": f"ssh:gate/{n}"}
        for w, ip, n in (("vic", "ip:10.0.0.7", 1), ("eve", "ip:10.0.0.9", 2))
    ]
    folder.log("logins", opened, host="gate")
    folder.text("auth.log", "syslog", "".join(sudo(*line) for line in lines), host="gate")
    written = {"action": "object.write", "actor": "aws:svc", "object": MODEL}
    folder.log("store", [*({"clock": c} | written for c in before), {"clock": "10:00"} | written], "T4")
    folder.log("dhcp", [lease(), lease(who="eve", ip="ip:10.0.0.9")])
    folder.log("edr", [on_device("09:31", action="device.unlock"), on_device("09:35", line="ssh gate")], "T4")
    folder.ask(MODEL, "2024-06-12T10:00:00Z")
    return folder.answer()


PUT = f"/usr/bin/aws s3 cp /tmp/base.pt {MODEL}"


def test_the_command_that_writes_the_object_leads_to_its_login(folder):
    answer = under_svc(folder, ("09:59:57", "vic", PUT), ("09:50:00", "eve", "/usr/bin/id"))
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "shared-identity")


@pytest.mark.parametrize(
    ("his", "before"),
    [
        (f"/usr/bin/aws s3 ls {MODEL}", ()),
        (f"/usr/bin/aws s3 cp {MODEL} /tmp/base.pt", ()),
        ("/usr/local/bin/validate base.pt", ()),
        (PUT, ()),
        (PUT, ("09:57",)),
    ],
    ids=["listed", "fetched", "something else", "nearer", "recorded before"],
)
def test_a_command_that_names_the_object_does_not_outdo_a_shell_nearer_to_the_act(folder, his, before):
    answer = under_svc(folder, ("09:56:00", "vic", his), ("09:59:57", "eve", "/bin/bash"), before=before)
    assert answer["person"] != "p-vic"
    assert "p-eve" in answer["candidates"]


@pytest.mark.parametrize("before", [("09:57",), ()], ids=["written then", "not written"])
def test_a_command_whose_own_write_is_recorded_is_explained_by_that(folder, before):
    answer = under_svc(folder, ("09:50:00", "eve", "/bin/bash"), ("09:56:00", "vic", PUT), before=before)
    assert (answer["person"] == "p-vic") is (not before)
    assert "p-eve" in answer["candidates"] or not before


# Copies of a log that come late, or under another name for what was done.


SIGNED = [("vic", "05:31:00.250", "ip:10.0.0.7"), ("kim", "08:31:00.750", "ip:10.0.9.9"), ("vic", "09:52:00.500", "ip:10.0.0.7")]


def signed_on(action="session.sso.open", late=0.0, *, whole=False):
    rows = []
    for who, clock, ip in SIGNED:
        second = float(clock[6:]) + late
        stamp = f"{clock[:6]}{int(second):02d}" if whole else f"{clock[:6]}{second:06.3f}"
        rows.append({"clock": stamp, "action": action, "actor": f"okta:{who}", "device": f"device:{who}-laptop", "ip": ip})
    return rows


@pytest.mark.parametrize(
    "copy",
    [signed_on(late=3.5), signed_on("credential.use"), signed_on("credential.use", 40, whole=True), signed_on(late=3.5)[:2]],
    ids=["late", "otherwise called", "both, and rounded", "in part"],
)
def test_a_copy_that_came_late_or_under_another_name_corroborates_nothing(folder, copy):
    for who in ("vic", "kim"):
        folder.holds(f"okta:{who}", f"p-{who}")
    folder.log("forge", [push("10:00", "vic", "a" * 40, None)])
    folder.log("okta", signed_on())
    folder.ask("git:train#refs/heads/main")
    alone = folder.answer()
    folder.log("siem", copy, "T4")
    groups = [i["group"] for side in ("for", "against", "neutral") for i in folder.answer()[side]]
    again = folder.answer()
    assert (again["rung"], again["person"], again["candidates"]) == (alone["rung"], alone["person"], alone["candidates"])
    assert not {"source:okta", "source:siem"} <= set(groups)


def test_two_logs_of_different_acts_of_the_same_people_are_two(folder):
    """Who signs on to the network and works on the same device is seen by both; the times lie apart as they happen to."""
    of_vics_device(folder, on_device("10:00"))
    folder.log("forge", [push("10:00", "vic", "a" * 40, None)])
    hours = ("05:10", "06:20", "07:45", "08:50", "09:10")
    folder.log(
        "vpn",
        [
            {"clock": c, "action": "session.vpn.open", "actor": "unix:vic", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}
            for c in hours
        ],
    )
    folder.ask("git:train#refs/heads/main")
    answer = folder.answer()
    groups = {i["group"] for side in ("for", "against", "neutral") for i in answer[side]}
    assert answer["person"] == "p-vic"
    assert {"source:edr", "source:dhcp"} <= groups
