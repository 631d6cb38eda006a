"""Known answers of CloudTrail."""

import json

import pytest

ROLE = {
    "type": "AssumedRole", "principalId": "AROA1:rank-7", "arn": "arn:aws:sts::111122223333:assumed-role/gpu-job/rank-7", "accessKeyId": "ASIA1",
    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "gpu-job"}, "attributes": {"mfaAuthenticated": "false"}},
}  # fmt: skip


def call(name, identity=None, source="s3.amazonaws.com", **changed):
    return {
        "eventTime": "2024-06-12T01:00:00Z", "eventName": name, "eventSource": source, "sourceIPAddress": "10.1.0.4", "eventID": "e1",
        "userIdentity": identity or {"type": "IAMUser", "userName": "svc", "accessKeyId": "AKIA1"}, "recipientAccountId": "111122223333",
        "requestParameters": {"bucketName": "models", "key": "a/b.pt"},
    } | changed  # fmt: skip


def rows(read, *calls):
    return read("cloudtrail", json.dumps({"Records": calls}).encode()).events


def only(read, *arguments, **keys):
    (found,) = rows(read, call(*arguments, **keys))
    return found


def test_a_write_by_a_role(read):
    found = only(read, "PutObject", ROLE, responseElements={"x-amz-version-id": "v1"}, additionalEventData={"bytesTransferredIn": 5})
    assert (found.action, found.object) == ("object.write", "s3://models/a/b.pt?versionId=v1")
    assert (found.actor, found.session, found.credential, found.ip) == ("aws:gpu-job", "aws:gpu-job/rank-7", "token:ASIA1", "ip:10.1.0.4")
    assert (found.time, found.outcome) == (1718154000_000000000, "ok")
    assert json.loads(found.attrs) == {"bytes": 5, "event_id": "e1", "mfa": False}


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("GetObject", "object.read"),
        ("HeadObject", "object.head"),
        ("DeleteObject", "object.delete"),
        ("CompleteMultipartUpload", "object.write"),
        ("UploadPart", "aws.UploadPart"),
    ],
)
def test_calls_to_objects(read, name, action):
    found = only(read, name)
    assert (found.action, found.object, found.actor) == (action, "s3://models/a/b.pt", "aws:svc")


def test_the_version_that_was_read_or_deleted(read):
    wanted = {"bucketName": "models", "key": "k", "versionId": "v1"}
    assert only(read, "GetObject", requestParameters=wanted).object == "s3://models/k?versionId=v1"
    assert only(read, "DeleteObject", requestParameters=wanted).object == "s3://models/k?versionId=v1"
    marked = only(read, "DeleteObject", responseElements={"x-amz-version-id": "m1"})
    assert (marked.object, json.loads(marked.attrs)["marker"]) == ("s3://models/a/b.pt", "m1")


def test_a_copy_names_what_it_came_from(read):
    wanted = {"bucketName": "models", "key": "new", "x-amz-copy-source": "/old/a%20b?versionId=v0"}
    found = only(read, "CopyObject", requestParameters=wanted)
    assert (found.action, found.object, found.target) == ("object.write", "s3://models/new", "s3://old/a b?versionId=v0")


def test_many_deletions_are_a_row_each(read):
    resources = [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::models/{key}"} for key in "ab"]
    found = rows(read, call("DeleteObjects", requestParameters={"bucketName": "models"}, resources=resources))
    assert [(event.action, event.object) for event in found] == [("object.delete", "s3://models/a"), ("object.delete", "s3://models/b")]
    assert len({(event.start, event.end) for event in found}) == 1


def test_an_identity_centre_names_the_session_after_the_user(read):
    role = "AWSReservedSSO_Researcher_0123456789abcdef"
    identity = {"type": "AssumedRole", "arn": f"arn:aws:sts::1:assumed-role/{role}/mei@lab.example"}
    found = only(read, "GetObject", identity)
    assert (found.actor, found.session) == ("aws:mei@lab.example", f"aws:{role}/mei@lab.example")


def test_elsewhere_the_session_name_is_anybodys_choice(read):
    identity = ROLE | {"arn": "arn:aws:sts::1:assumed-role/gpu-job/mei"}
    assert only(read, "GetObject", identity).actor == "aws:gpu-job"


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"type": "Root", "accountId": "111122223333"}, "aws:root@111122223333"),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "service:ec2.amazonaws.com"),
        ({"type": "WebIdentityUser", "userName": "system:serviceaccount:ml:rank"}, "aws:system:serviceaccount:ml:rank"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/guest"}, "aws:guest"),
        ({"type": "AWSAccount", "accountId": "999900001111"}, "aws:999900001111"),
        ({"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL"}, None),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}}, "aws:u-1"),
    ],
)
def test_identities(read, identity, actor):
    assert only(read, "GetObject", identity).actor == actor


def test_a_role_that_was_assumed(read):
    answer = {"credentials": {"accessKeyId": "ASIA1"}, "assumedRoleUser": {"arn": "arn:aws:sts::1:assumed-role/gpu-job/rank-7"}}
    wanted = {"roleArn": "arn:aws:iam::1:role/team/gpu-job", "roleSessionName": "rank-7"}
    found = only(read, "AssumeRole", source="sts.amazonaws.com", requestParameters=wanted, responseElements=answer)
    assert (found.action, found.actor, found.target) == ("session.role.open", "aws:svc", "aws:gpu-job")
    assert (found.session, found.credential, json.loads(found.attrs)["issued"]) == ("aws:gpu-job/rank-7", "token:AKIA1", "token:ASIA1")


def test_a_refusal_keeps_its_code(read):
    assert only(read, "PutObject", errorCode="AccessDenied").outcome == "AccessDenied"


def test_signing_in(read):
    found = only(
        read,
        "ConsoleLogin",
        source="signin.amazonaws.com",
        responseElements={"ConsoleLogin": "Success"},
        additionalEventData={"MFAUsed": "Yes"},
    )
    assert (found.action, found.session, json.loads(found.attrs)["mfa"]) == ("session.console.open", "console:111122223333/e1", True)
    failed = only(read, "ConsoleLogin", source="signin.amazonaws.com", responseElements={"ConsoleLogin": "Failure"})
    assert (failed.action, failed.outcome) == ("session.console.fail", "Failure")


def test_calls_made_by_services_have_no_address(read):
    found = only(read, "GetObject", sourceIPAddress="AWS Internal")
    assert (found.ip, json.loads(found.attrs)["source"]) == (None, "AWS Internal")


def test_the_same_record_in_other_wrappings(read):
    plain = call("PutObject")
    wrapped = [plain, {"detail": plain}, {"message": json.dumps(plain)}, {"CloudTrailEvent": json.dumps(plain)}]
    found = read("cloudtrail", "".join(json.dumps(line) + "\n" for line in wrapped).encode()).events
    assert len({event[2:] for event in found}) == 1
    assert len(found) == 4


def test_fields_of_other_calls_do_not_disturb(read):
    found = only(read, "GetItem", source="dynamodb.amazonaws.com", requestParameters={"key": {"a": 1}, "name": ["x"]})
    assert (found.action, found.object) == ("aws.GetItem", None)
