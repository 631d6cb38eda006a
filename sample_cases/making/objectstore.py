"""An object store's trail: records as CloudTrail delivers them, below AWSLogs/<account>/CloudTrail/<region>/<year>/<month>/<day>."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import Random
from typing import Any

from making.folder import Files
from making.stored import gzip_file
from making.times import HOUR, stream, utc_time

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
VERSION = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"


@dataclass(slots=True)
class Trail:
    """One account's trail."""

    account: str
    region: str
    bucket: str
    issuer: str
    """Who vouches for jobs: the host name of the OpenID provider."""
    records: list[dict[str, Any]] = field(default_factory=list)


def drawn(rng: Random, letters: str, length: int) -> str:
    """Draw a name from letters."""
    return "".join(rng.choice(letters) for _ in range(length))


def version_id(key: str, when: float) -> str:
    """Return the version that a write at a moment got."""
    return drawn(stream("version", key, when), VERSION, 32)


def _uuid(rng: Random) -> str:
    """Draw an event's id."""
    digits = f"{rng.randrange(16**32):032x}"
    return "-".join([digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:]])


def user_identity(trail: Trail, user: str) -> dict[str, Any]:
    """Describe a user with a lasting access key."""
    rng = stream("user", trail.account, user)
    head = {"type": "IAMUser", "principalId": "AIDA" + drawn(rng, LETTERS, 17), "arn": f"arn:aws:iam::{trail.account}:user/{user}"}
    return {**head, "accountId": trail.account, "accessKeyId": "AKIA" + drawn(rng, LETTERS, 16), "userName": user}


def role_identity(trail: Trail, role: str, session: str, since: float) -> dict[str, Any]:
    """Describe a session of a role."""
    id_ = "AROA" + drawn(stream("role", trail.account, role), LETTERS, 17)
    issuer = {
        "type": "Role",
        "principalId": id_,
        "arn": f"arn:aws:iam::{trail.account}:role/{role}",
        "accountId": trail.account,
        "userName": role,
    }
    attributes = {"creationDate": utc_time(since), "mfaAuthenticated": "false"}
    head = {"type": "AssumedRole", "principalId": f"{id_}:{session}", "arn": f"arn:aws:sts::{trail.account}:assumed-role/{role}/{session}"}
    key = "ASIA" + drawn(stream("session", role, session, since), LETTERS, 16)
    return {**head, "accountId": trail.account, "accessKeyId": key, "sessionContext": {"sessionIssuer": issuer, "attributes": attributes}}


def assume(trail: Trail, who: str, role: str, session: str, when: float, ip: str, by_job: bool) -> dict[str, Any]:
    """Record that a role was assumed, by a user or, for a job, with the scheduler's token; return the session's identity."""
    identity = role_identity(trail, role, session, when)
    granted = {
        "accessKeyId": identity["accessKeyId"],
        "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "expiration": utc_time(when + 12 * HOUR),
    }
    answer: dict[str, Any] = {"credentials": granted, "assumedRoleUser": {"assumedRoleId": identity["principalId"], "arn": identity["arn"]}}
    asked = {"roleArn": f"arn:aws:iam::{trail.account}:role/{role}", "roleSessionName": session, "durationSeconds": 43200}
    if by_job:
        name = f"{trail.issuer}:slurm:{who}"
        provider = f"arn:aws:iam::{trail.account}:oidc-provider/{trail.issuer}"
        caller = {"type": "WebIdentityUser", "principalId": name, "userName": who, "identityProvider": provider}
        answer |= {"provider": provider, "audience": "slurm", "subjectFromWebIdentityToken": who}
        call = "AssumeRoleWithWebIdentity"
    else:
        caller, call = user_identity(trail, who), "AssumeRole"
    target = {"accountId": trail.account, "type": "AWS::IAM::Role", "ARN": asked["roleArn"]}
    _record(
        trail,
        when,
        ip,
        "sts.amazonaws.com",
        call,
        caller,
        asked,
        answer,
        [target],
        True,
        {"managementEvent": True, "eventCategory": "Management"},
    )
    return identity


def get_object(trail: Trail, identity: dict[str, Any], when: float, ip: str, key: str, version: str, size: int) -> None:
    """Record that a version of an object was read."""
    more = {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader", "bytesTransferredIn": 0, "bytesTransferredOut": size}
    asked = _asked(trail, key) | {"versionId": version}
    _object(trail, when, ip, "GetObject", identity, asked, None, key, True, more)


def put_object(trail: Trail, identity: dict[str, Any], when: float, ip: str, key: str, version: str, size: int) -> None:
    """Record that an object was written, and which version that made."""
    more = {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader", "bytesTransferredIn": size, "bytesTransferredOut": 0}
    answer = {"x-amz-server-side-encryption": "AES256", "x-amz-version-id": version}
    _object(trail, when, ip, "PutObject", identity, _asked(trail, key), answer, key, False, more)


def _asked(trail: Trail, key: str) -> dict[str, Any]:
    """Return the parameters that every request for an object has."""
    return {"bucketName": trail.bucket, "Host": f"{trail.bucket}.s3.{trail.region}.amazonaws.com", "key": key}


def _object(
    trail: Trail, when: float, ip: str, call: str, who: dict[str, Any], asked: Any, answer: Any, key: str, reads: bool, more: Any
) -> None:
    """Record a call on an object."""
    things = [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{trail.bucket}/{key}"}]
    things.append({"accountId": trail.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{trail.bucket}"})
    rest = {"additionalEventData": more, "managementEvent": False, "eventCategory": "Data"}
    _record(trail, when, ip, "s3.amazonaws.com", call, who, asked, answer, things, reads, rest)


def _record(
    trail: Trail, when: float, ip: str, source: str, call: str, who: Any, asked: Any, answer: Any, things: Any, reads: bool, rest: Any
) -> None:
    """Add one record in the trail's own order of fields."""
    rng = stream("record", len(trail.records), when, call)
    head = {"eventVersion": "1.09", "userIdentity": who, "eventTime": utc_time(when), "eventSource": source, "eventName": call}
    head |= {"awsRegion": trail.region, "sourceIPAddress": ip, "userAgent": "aws-cli/2.15.30 Python/3.11.8 Linux/5.15.0 exe/x86_64"}
    head |= {"requestParameters": asked, "responseElements": answer, "requestID": drawn(rng, "0123456789ABCDEF", 16), "eventID": _uuid(rng)}
    trail.records.append(
        {**head, "readOnly": reads, "resources": things, "eventType": "AwsApiCall", "recipientAccountId": trail.account, **rest}
    )


def trail_files(trail: Trail, folder: str) -> Files:
    """Deliver the records in files of twelve hours."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in sorted(trail.records, key=lambda r: (r["eventTime"], r["eventID"])):
        groups.setdefault(record["eventTime"][:11] + ("1150" if int(record["eventTime"][11:13]) < 12 else "2350"), []).append(record)
    out = {}
    for name, records in groups.items():
        day = datetime.fromisoformat(name[:10]).replace(tzinfo=timezone.utc)
        mark = drawn(stream("file", trail.account, name), LETTERS, 16)
        title = f"{trail.account}_CloudTrail_{trail.region}_{day:%Y%m%d}T{name[11:]}Z_{mark}.json.gz"
        path = f"{folder}/AWSLogs/{trail.account}/CloudTrail/{trail.region}/{day:%Y/%m/%d}/{title}"
        out[path] = gzip_file(json.dumps({"Records": records}, separators=(",", ":")).encode())
    return out
