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
    role = {"type": "AssumedRole", "arn": arn, "accountId": "111122223333", "accessKeyId": used, "sessionContext": {"sessionIssuer": issuer}}
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
