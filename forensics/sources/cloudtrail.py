"""AWS CloudTrail: who called which API with which key, from where; S3 reads, writes and deletions object by object."""

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from forensics.errors import RecordError
from forensics.fields import ABSENT, address, attrs, decode, present
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_json, split_json
from forensics.source import Source
from forensics.times import instant

# --- the format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html


class _Issuer(msgspec.Struct, gc=False, rename="camel"):
    user_name: str | None = None
    arn: str | None = None


class _SessionAttributes(msgspec.Struct, gc=False, rename="camel"):
    mfa_authenticated: str | bool | None = None


class _SessionContext(msgspec.Struct, gc=False, rename="camel"):
    session_issuer: _Issuer | None = None
    attributes: _SessionAttributes | None = None
    source_identity: str | None = None


class _OnBehalfOf(msgspec.Struct, gc=False, rename="camel"):
    user_id: str | None = None


class _Identity(msgspec.Struct, gc=False, rename="camel"):
    """Who called: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html ."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    invoked_by: str | None = None
    session_context: _SessionContext | None = None
    on_behalf_of: _OnBehalfOf | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    event_time: str | None = None
    event_name: str | None = None
    event_source: str | None = None
    event_type: str | None = None
    event_id: str | None = msgspec.field(name="eventID", default=None)
    user_identity: msgspec.Raw = ABSENT
    source_address: str | None = msgspec.field(name="sourceIPAddress", default=None)
    user_agent: str | None = None
    request_id: str | None = msgspec.field(name="requestID", default=None)
    error_code: str | None = None
    request: msgspec.Raw = msgspec.field(name="requestParameters", default=ABSENT)
    response: msgspec.Raw = msgspec.field(name="responseElements", default=ABSENT)
    more: msgspec.Raw = msgspec.field(name="additionalEventData", default=ABSENT)
    resources: msgspec.Raw = ABSENT
    recipient_account_id: str | None = None
    logstash_time: str | None = msgspec.field(name="@timestamp", default=None)
    """Logstash's codec moves eventTime here"""
    looked_up: str | None = msgspec.field(name="CloudTrailEvent", default=None)
    """the record itself, as `aws cloudtrail lookup-events` gives it"""
    detail: msgspec.Raw = ABSENT
    """the record itself, as EventBridge gives it"""
    message: str | None = None
    """the record itself, as CloudWatch Logs gives it"""
    digest_end_time: str | None = None
    """of a digest file, which lies beside the log files that it hashes"""
    digest_object: str | None = msgspec.field(name="digestS3Object", default=None)
    previous_digest: str | None = msgspec.field(name="previousDigestHashValue", default=None)


class _Request(msgspec.Struct, gc=False, rename="camel"):
    bucket_name: str | None = None
    key: str | None = None
    version_id: str | None = None
    copy_source: str | None = msgspec.field(name="x-amz-copy-source", default=None)
    role_arn: str | None = None
    role_session_name: str | None = None
    name: str | None = None
    user_name: str | None = None


class _Issued(msgspec.Struct, gc=False, rename="camel"):
    access_key_id: str | None = None
    user_name: str | None = None


class _Principal(msgspec.Struct, gc=False):
    arn: str | None = None


class _Response(msgspec.Struct, gc=False, rename="camel"):
    version: str | None = msgspec.field(name="x-amz-version-id", default=None)
    credentials: _Issued | None = None
    access_key: _Issued | None = None
    assumed_role_user: _Principal | None = None
    federated_user: _Principal | None = None
    console_login: str | None = msgspec.field(name="ConsoleLogin", default=None)


class _More(msgspec.Struct, gc=False):
    received: int | float | None = msgspec.field(name="bytesTransferredIn", default=None)
    sent: int | float | None = msgspec.field(name="bytesTransferredOut", default=None)
    mfa_used: str | None = msgspec.field(name="MFAUsed", default=None)


class _Resource(msgspec.Struct, gc=False):
    type: str | None = None
    arn: str | None = msgspec.field(name="ARN", default=None)


class _Facts(msgspec.Struct, gc=False, omit_defaults=True):
    """Goes into attrs as it stands; the fields are in the order of their names."""

    bytes: int | None = None
    event_id: str | None = None
    invoked_by: str | None = None
    issued: str | None = None
    marker: str | None = None
    mfa: bool | None = None
    request_id: str | None = None
    service: str | None = None
    source: str | None = None
    source_identity: str | None = None
    user_agent: str | None = None


_RECORD = msgspec.json.Decoder(_Record)
_IDENTITY = msgspec.json.Decoder(_Identity)
_REQUEST = msgspec.json.Decoder(_Request)
_RESPONSE = msgspec.json.Decoder(_Response)
_MORE = msgspec.json.Decoder(_More)
_RESOURCES = msgspec.json.Decoder(list[_Resource])
_ENCODE = msgspec.json.Encoder().encode
_NOTHING: tuple[_Request, _Response, _More] = (_Request(), _Response(), _More())

_OBJECTS = {
    "PutObject": "object.write", "CompleteMultipartUpload": "object.write", "CopyObject": "object.write", "RestoreObject": "object.write",
    "GetObject": "object.read", "SelectObjectContent": "object.read", "HeadObject": "object.head",
    "DeleteObject": "object.delete", "DeleteObjects": "object.delete", "UploadPart": "log.message", "UploadPartCopy": "log.message",
}  # fmt: skip
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html; a part is no object until the upload is completed"""
_SESSIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken", "GetSessionToken")


def read(piece: Piece) -> Iterator[Batch]:
    """Turn log files as CloudTrail delivers them, or lines of records, into rows."""
    return each_json(piece, partial(_parse, piece.source))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> list[Event]:
    record = decode(_RECORD, data)
    if record.event_name is None:
        record = _unwrapped(record)
    if record.event_name is None:
        return [_without_name(source, record, start, end)]
    written = record.event_time or record.logstash_time
    if written is None:
        raise RecordError("no CloudTrail record: it has no eventTime")
    time, latest = instant(written, source.timezone)
    who = _who(bytes(record.user_identity))
    ip = address(record.source_address) if record.source_address else None
    facts = _Facts(
        None, record.event_id, who.invoked_by, None, None, who.mfa, record.request_id, None,
        record.source_address if ip is None else None, who.source_identity, record.user_agent,
    )  # fmt: skip
    event = Event(
        start, end, time, "log.message", who.actor, None, None, None, None, who.session, who.credential, None, ip,
        source.host or None, record.error_code or "ok", None, None, latest,
    )  # fmt: skip
    service = record.event_source or ""
    if record.event_name in _OBJECTS and service.startswith("s3"):
        return _object_events(record, event, facts)
    if service == "sts.amazonaws.com" and record.event_name in _SESSIONS:
        return [_session_event(record, event, facts)]
    if record.event_name == "ConsoleLogin":
        return [_console_event(record, event, facts)]
    return [_other_event(record, event, facts)]


# --- records that are wrapped, or none ----------------------------------------------------------------------------


def _unwrapped(record: _Record) -> _Record:
    """Return the record inside what other tools put around it."""
    inner = record.looked_up or record.message
    if inner is not None:
        return decode(_RECORD, inner.encode())
    return decode(_RECORD, record.detail) if present(record.detail) else record


def _without_name(source: SourceConfig, record: _Record, start: int, end: int) -> Event:
    """Keep digests and insights, which name no call; RecordError for anything else."""
    written = record.event_time or record.digest_end_time
    if written is None or not (record.digest_end_time or record.event_type):
        raise RecordError("no CloudTrail record: it has no eventName")
    time, latest = instant(written, source.timezone)
    facts = {"digest": record.digest_object, "event_type": record.event_type, "previous": record.previous_digest, "event_id": record.event_id}
    return Event(start, end, time, "log.message", host=source.host or None, time_hi=latest, attrs=attrs(facts))


# --- who ----------------------------------------------------------------------------------------------------------


class _Who(NamedTuple):
    actor: str | None = None
    session: str | None = None
    credential: str | None = None
    mfa: bool | None = None
    invoked_by: str | None = None
    source_identity: str | None = None


_NOBODY = _Who()


@lru_cache(maxsize=8192)
def _who(data: bytes) -> _Who:
    """Read a userIdentity; thousands of records bear the same one."""
    if data in {b"", b"null"}:
        return _NOBODY
    identity = decode(_IDENTITY, data)
    context = identity.session_context or _SessionContext()
    actor, session = _account(identity, context.session_issuer or _Issuer())
    mfa = context.attributes.mfa_authenticated if context.attributes else None
    return _Who(
        actor,
        session,
        f"token:{identity.access_key_id}" if identity.access_key_id else None,
        None if mfa is None else mfa in {True, "true"},
        identity.invoked_by,
        context.source_identity,
    )


def _account(identity: _Identity, issuer: _Issuer) -> tuple[str | None, str | None]:
    """Return (account, session) of an identity, by its type."""
    kind, user, number = identity.type, identity.user_name, identity.account_id
    tail = (identity.arn or "").rpartition(":")[2]
    if kind == "Root":
        return f"aws:root@{number}" if number else "aws:root", None
    if kind == "AssumedRole":
        return _role(identity, issuer, tail)
    if kind == "FederatedUser":
        name = user or tail.partition("/")[2] or (identity.principal_id or "").partition(":")[2]
        return _aws(name), f"aws:{issuer.user_name}/{name}" if issuer.user_name and name else None
    if kind == "AWSService" or (kind is None and identity.invoked_by):
        return f"service:{identity.invoked_by}" if identity.invoked_by else None, None
    if kind == "AWSAccount":
        anonymous = number == "ANONYMOUS_PRINCIPAL" or identity.principal_id == "Anonymous"
        return None if anonymous else _aws(number), None
    if kind == "IdentityCenterUser" and identity.on_behalf_of:
        return _aws(identity.on_behalf_of.user_id), None
    return _aws(user or tail.rpartition("/")[2]), None


def _role(identity: _Identity, issuer: _Issuer, tail: str) -> tuple[str | None, str | None]:
    """Return (account, session) of an assumed role: `assumed-role/<role>/<session name>`.

    Sessions of IAM Identity Center (roles `AWSReservedSSO_<permission set>_<hex>`) are named by the identity centre after
    the user who signed in, so there the name is the account; elsewhere whoever assumes the role chooses it.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    _, _, rest = tail.partition("/")
    role, _, name = rest.rpartition("/")
    role = issuer.user_name or role or rest
    name = name if rest.count("/") else (identity.principal_id or "").partition(":")[2]
    if not role:
        return _aws(identity.user_name or identity.principal_id), None
    session = f"aws:{role}/{name}" if name else None
    return (_aws(name) if name and role.startswith("AWSReservedSSO_") else _aws(role)), session


def _aws(name: str | None) -> str | None:
    return f"aws:{name}" if name else None


# --- what ---------------------------------------------------------------------------------------------------------


def _parts(record: _Record) -> tuple[_Request, _Response, _More]:
    """Read the parts of a record whose fields depend on the call. A call that was refused has null there."""
    request, response, more = _NOTHING
    if present(record.request):
        request = decode(_REQUEST, record.request)
    if present(record.response):
        response = decode(_RESPONSE, record.response)
    if present(record.more):
        more = decode(_MORE, record.more)
    return request, response, more


def _finished(event: Event, facts: _Facts, action: str, **changed: str | None) -> Event:
    written = _ENCODE(facts).decode()
    return event._replace(action=action, attrs=written if written != "{}" else None, **changed)


def _object_events(record: _Record, event: Event, facts: _Facts) -> list[Event]:
    """S3 data events: a row an object."""
    request, response, more = _parts(record)
    name = record.event_name or ""
    action = _OBJECTS[name]
    moved = more.received if action == "object.write" else more.sent if action == "object.read" else None
    facts.bytes = int(moved) if moved is not None else None
    version = request.version_id
    if action == "object.delete":
        facts.marker = response.version if version is None else None
    elif action == "object.write":
        version = response.version
    else:
        version = version or response.version
    if name not in {"DeleteObjects", "UploadPart", "UploadPartCopy"} or request.key:
        reference = _object(request.bucket_name, request.key, version) or next(iter(_listed(record)), None)
        copied = _copied(request.copy_source) if request.copy_source else None
        return [_finished(event, facts, action, object=reference, target=copied)]
    keys = _listed(record) or [_object(request.bucket_name, None, None)]
    return [_finished(event, facts, action, object=key) for key in keys]


def _object(bucket: str | None, key: str | None, version: str | None) -> str | None:
    """Return `s3://bucket/key?versionId=...`; the version `null` of an unversioned bucket is none."""
    if bucket is None or key is None:
        return f"s3://{bucket}" if bucket else None
    return f"s3://{bucket}/{key}?versionId={version}" if version and version != "null" else f"s3://{bucket}/{key}"


def _listed(record: _Record) -> list[str | None]:
    """Return the objects among a record's resources."""
    try:
        found = _RESOURCES.decode(record.resources) if present(record.resources) else []
    except (ValueError, RecursionError):
        return []
    names = [r.arn.partition(":::")[2] for r in found if r.arn and r.type == "AWS::S3::Object"]
    return [f"s3://{name}" for name in names if name]


def _copied(written: str) -> str:
    """Return the object of `x-amz-copy-source`, `<bucket>/<key>[?versionId=...]`, which is percent-encoded.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    path, _, version = written.partition("?versionId=")
    bucket, _, key = unquote(path, errors="backslashreplace").removeprefix("/").partition("/")
    return _object(bucket, key, version) or f"s3://{bucket}"


def _session_event(record: _Record, event: Event, facts: _Facts) -> Event:
    """Somebody got temporary credentials: under a role, as a federated user, or as before."""
    request, response, _ = _parts(record)
    issued = response.credentials.access_key_id if response.credentials else None
    facts.issued = f"token:{issued}" if issued else None
    user = (response.assumed_role_user or response.federated_user or _Principal()).arn or ""
    _, _, opened = user.rpartition(":")[2].partition("/")
    role = (request.role_arn or "").rpartition("/")[2] or opened.partition("/")[0]
    name = opened.rpartition("/")[2] or request.role_session_name
    session = f"aws:{role}/{name}" if role and name else None
    if record.event_name == "GetFederationToken":
        role = request.name or opened
        session = f"{event.actor}/{role}" if event.actor and role else None
    return _finished(event, facts, "session.role.open", target=_aws(role), session=session)


def _console_event(record: _Record, event: Event, facts: _Facts) -> Event:
    """Somebody signed in to the console, or failed to."""
    _, response, more = _parts(record)
    result = response.console_login
    if more.mfa_used is not None:
        facts.mfa = more.mfa_used == "Yes"
    failed = result == "Failure" or record.error_code is not None
    outcome = (record.error_code or "Failure") if failed else "ok"
    session = event.session or f"console:{record.recipient_account_id or 'aws'}/{record.event_id}"
    return _finished(event, facts, "session.console.fail" if failed else "session.console.open", session=session, outcome=outcome)


def _other_event(record: _Record, event: Event, facts: _Facts) -> Event:
    """Every other call keeps its own name."""
    facts.service = record.event_source
    target = reference = None
    if (record.event_source or "").startswith("s3"):
        request, _, _ = _parts(record)
        reference = _object(request.bucket_name, request.key, request.version_id)
    elif record.event_name == "CreateAccessKey":
        _, response, _ = _parts(record)
        issued = response.access_key or _Issued()
        facts.issued = f"token:{issued.access_key_id}" if issued.access_key_id else None
        target = _aws(issued.user_name)
    return _finished(event, facts, f"aws.{record.event_name}", object=reference, target=target)


SOURCE = Source(
    name="cloudtrail",
    reads="AWS CloudTrail: API calls and S3 data events",
    collect=(
        "aws s3 sync s3://$TRAIL_BUCKET/AWSLogs/ evidence/cloudtrail/AWSLogs/",
        "aws cloudtrail validate-logs --trail-arn $TRAIL --start-time $FROM  # keep its output, and the CloudTrail-Digest folder",
        "object reads and writes are in it only where the trail records S3 data events",
    ),
    reference="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
    tier=Tier.T4,
    keeps="the trail's bucket keeps them as long as its lifecycle says; the console's event history 90 days, without data events",
    split=split_json,
    read=read,
)
