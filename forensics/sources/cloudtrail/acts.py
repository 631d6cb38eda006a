"""What a CloudTrail record says: objects read, written, deleted; sessions opened; any other call."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import unquote

import msgspec

from forensics.blocks import Block, each_json
from forensics.columns import instants
from forensics.errors import RecordError
from forensics.fields import address, attrs, decode, present
from forensics.model import Batch, Event, Piece, SourceConfig
from forensics.sources.cloudtrail.format import (
    ENVELOPE,
    MORE,
    OBJECT_RECORD,
    PUSHED,
    RECORD,
    REQUEST,
    RESOURCES,
    RESPONSE,
    Call,
    Envelope,
    Image,
    ImageId,
    Issued,
    More,
    Moved,
    ObjectRecord,
    ObjectRequest,
    ObjectResponse,
    Principal,
    Pushed,
    Record,
    Request,
    Response,
)
from forensics.sources.cloudtrail.identity import Who, aws, who
from forensics.times import instant


class _Facts(msgspec.Struct, gc=False, omit_defaults=True):
    """Goes into attrs as it stands; the fields are in the order of their names."""

    bytes: int | None = None
    event_id: str | None = None
    invoked_by: str | None = None
    issued: str | None = None
    marker: str | None = None
    mfa: bool | None = None
    part: str | None = None
    request_id: str | None = None
    service: str | None = None
    source: str | None = None
    source_identity: str | None = None
    tag: str | None = None
    upload: str | None = None
    user_agent: str | None = None


_ENCODE = msgspec.json.Encoder().encode
_ROW = tuple.__new__
_When = tuple[int, int | None]
_NO_REQUEST, _NO_RESPONSE, _NOT_MOVED = ObjectRequest(), ObjectResponse(), Moved()

_OBJECTS = {
    "PutObject": "object.write", "CompleteMultipartUpload": "object.write", "CopyObject": "object.write", "RestoreObject": "aws.RestoreObject",
    "GetObject": "object.read", "SelectObjectContent": "object.read", "HeadObject": "object.head",
    "DeleteObject": "object.delete", "DeleteObjects": "object.delete", "UploadPart": "aws.UploadPart", "UploadPartCopy": "aws.UploadPartCopy",
}  # fmt: skip
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html; a part is no object until the upload is completed; restoring an archived object changes
nothing of it (https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html)"""
_SESSIONS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken", "GetSessionToken")


_IMAGES = ("ecr.amazonaws.com", "ecr-public.amazonaws.com")
_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9._/-]{0,255}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def read(piece: Piece) -> Iterator[Batch]:
    """Turn log files as CloudTrail delivers them, or lines of records, into rows."""
    return each_json(piece, partial(_parse, piece.source), OBJECT_RECORD, partial(_rows, piece.source))


def _rows(source: SourceConfig, block: Block[ObjectRecord]) -> None:
    """Make the rows of a block: at once those of calls to S3 about one object."""
    any_events, object_events = partial(_any_events, source), partial(_object_events, source)
    times = instants([record.event_time or record.logstash_time or "" for record in block.records])
    for number, (record, time, start, end) in enumerate(zip(block.records, times, block.starts, block.ends, strict=True)):
        if not _is_object(record):
            block.alone(number, any_events)
            continue
        try:
            row = _object_event(source, record, start, end, (time, None)) if time is not None and _is_about_one(record) else None
        except RecordError:
            row = None
        if row is None:
            block.read(number, object_events)
        else:
            block.add(row)


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> Iterable[Event]:
    try:
        record = OBJECT_RECORD.decode(data)
    except (ValueError, RecursionError):
        record = None
    if record is not None and _is_object(record):
        return _object_events(source, record, start, end)
    return _any_events(source, data, start, end)


def _any_events(source: SourceConfig, data: bytes, start: int, end: int) -> Iterable[Event]:
    """Read a record that is no call to S3, or not quite what the format says."""
    record = decode(RECORD, data)
    if record.event_name is None:
        inner = _unwrapped(decode(ENVELOPE, data))
        if inner is None:
            return [_without_name(source, record, decode(ENVELOPE, data), start, end)]
        data, record = inner, decode(RECORD, inner)
    if _is_object(record):
        return _object_events(source, decode(OBJECT_RECORD, data), start, end)
    if record.event_name is None:
        raise RecordError("no CloudTrail record: it has no eventName")
    service = record.event_source or ""
    if service == "sts.amazonaws.com" and record.event_name in _SESSIONS:
        return [_session_event(source, record, start, end)]
    if service in _IMAGES and record.event_name == "PutImage":
        return [_image_event(source, record, data, start, end)]
    if record.event_name == "ConsoleLogin":
        return [_console_event(source, record, start, end)]
    return [_other_event(source, record, data, start, end)]


def _is_object(record: Call) -> bool:
    return record.event_name in _OBJECTS and record.event_source is not None and record.event_source.startswith("s3")


def _begun(source: SourceConfig, record: Call, when: _When | None = None) -> tuple[_When, Who, str | None, _Facts]:
    """Return what every call says: when (where that is not known yet), who, from where; and the facts beside it."""
    written = record.event_time or record.logstash_time
    if written is None:
        raise RecordError("no CloudTrail record: it has no eventTime")
    caller = who(bytes(record.user_identity))
    ip = address(record.source_address) if record.source_address else None
    facts = _Facts(
        None, record.event_id, caller.invoked_by, None, None, caller.mfa, None, record.request_id, None,
        record.source_address if ip is None else None, caller.source_identity, None, None, record.user_agent,
    )  # fmt: skip
    return when or instant(written, source.timezone), caller, ip, facts


def _plain_event(source: SourceConfig, record: Record, start: int, end: int) -> tuple[Event, _Facts]:
    """Return the row of a call so far, and the facts beside it."""
    (time, latest), caller, ip, facts = _begun(source, record)
    return Event(
        start, end, time, "log.message", actor=caller.actor, session=caller.session, credential=caller.credential, ip=ip,
        host=source.host or None, outcome=record.error_code or "ok", time_hi=latest,
    ), facts  # fmt: skip


def _encoded(facts: _Facts) -> str | None:
    written = _ENCODE(facts).decode()
    return written if written != "{}" else None


# --- records that are wrapped, or none ----------------------------------------------------------------------------


def _unwrapped(envelope: Envelope) -> bytes | None:
    """Return the record inside what other tools put around it."""
    inner = envelope.looked_up or envelope.message
    if inner is not None:
        return inner.encode()
    return bytes(envelope.detail) if present(envelope.detail) else None


def _without_name(source: SourceConfig, record: Record, envelope: Envelope, start: int, end: int) -> Event:
    """Keep digests and insights, which name no call; RecordError for anything else."""
    written = record.event_time or envelope.digest_end_time
    if written is None or not (envelope.digest_end_time or record.event_type):
        raise RecordError("no CloudTrail record: it has no eventName")
    time, latest = instant(written, source.timezone)
    facts = {
        "digest": envelope.digest_object, "event_id": record.event_id, "event_type": record.event_type, "previous": envelope.previous_digest,
    }  # fmt: skip
    return Event(start, end, time, "log.message", host=source.host or None, time_hi=latest, attrs=attrs(facts))


# --- what ---------------------------------------------------------------------------------------------------------


def _object_events(source: SourceConfig, record: ObjectRecord, start: int, end: int) -> Iterable[Event]:
    """Read a call to S3: a row an object."""
    event = _object_event(source, record, start, end)
    if _is_about_one(record):
        return [event]
    named = record.request is not None and record.request.key is not None
    keys: list[str | None] = [] if named else [*_listed(record)]  # many at once, or a record that was cut down
    keys = keys or [event.object]
    if event.object == keys[0] and record.event_name == "DeleteObjects":  # which ones, the record does not say
        event = event._replace(action="aws.DeleteObjects")
    return [event._replace(object=key) for key in keys]


def _is_about_one(record: ObjectRecord) -> bool:
    return record.request is not None and record.request.key is not None and record.event_name != "DeleteObjects"


def _object_event(source: SourceConfig, record: ObjectRecord, start: int, end: int, when: _When | None = None) -> Event:
    """Return the row of a call to S3 about the object that it names. Most of a trail comes through here: no further ado."""
    when, caller, ip, facts = _begun(source, record, when)
    request, response, more = record.request or _NO_REQUEST, record.response or _NO_RESPONSE, record.more or _NOT_MOVED
    action, version = _OBJECTS[record.event_name or ""], request.version_id
    if action == "object.write":
        version = response.version
        facts.bytes = _whole(more.received)
    elif action == "object.read":
        version = version or response.version
        facts.bytes = _whole(more.sent)
    elif action == "object.delete" and version is None:
        facts.marker = response.version
    facts.upload = request.upload_id
    if request.upload_id and present(request.part_number):
        facts.part = bytes(request.part_number).decode().strip('"')[:10]
    place = _object(request.bucket_name, request.key, version)
    target = _copied(request.copy_source) if request.copy_source else None
    return _ROW(Event, (
        start, end, when[0], action, caller.actor, place, target, None, None, caller.session, caller.credential, None, ip,
        source.host or None, record.error_code or "ok", None, None, when[1], None, None, _encoded(facts),
    ))  # fmt: skip


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None and abs(number) < 1 << 63 else None


def _object(bucket: str | None, key: str | None, version: str | None) -> str | None:
    """Return `s3://bucket/key?versionId=...`; the version `null` of an unversioned bucket is none."""
    if bucket is None or key is None:
        return f"s3://{bucket}" if bucket else None
    return f"s3://{bucket}/{key}?versionId={version}" if version and version != "null" else f"s3://{bucket}/{key}"


def _listed(record: ObjectRecord) -> list[str]:
    """Return the objects among a record's resources."""
    try:
        found = RESOURCES.decode(record.resources) if present(record.resources) else []
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


def _session_event(source: SourceConfig, record: Record, start: int, end: int) -> Event:
    """Read that somebody got temporary credentials: under a role, as a federated user, or as before."""
    event, facts = _plain_event(source, record, start, end)
    request = decode(REQUEST, record.request) if present(record.request) else Request()
    response = decode(RESPONSE, record.response) if present(record.response) else Response()
    issued = response.credentials.access_key_id if response.credentials else None
    facts.issued = f"token:{issued}" if issued else None
    user = (response.assumed_role_user or response.federated_user or Principal()).arn or ""
    _, _, opened = user.rpartition(":")[2].partition("/")
    role = (request.role_arn or "").rpartition("/")[2] or opened.partition("/")[0]
    name = opened.rpartition("/")[2] or request.role_session_name
    session = f"aws:{role}/{name}" if role and name else None
    if record.event_name == "GetFederationToken":
        role = request.name or opened
        session = f"{event.actor}/{role}" if event.actor and role else None
    return event._replace(action="session.role.open", target=aws(role), session=session, attrs=_encoded(facts))


def _console_event(source: SourceConfig, record: Record, start: int, end: int) -> Event:
    """Read that somebody signed in to the console, or failed to."""
    event, facts = _plain_event(source, record, start, end)
    response = decode(RESPONSE, record.response) if present(record.response) else Response()
    more = decode(MORE, record.more) if present(record.more) else More()
    if more.mfa_used is not None:
        facts.mfa = more.mfa_used == "Yes"
    failed = response.console_login == "Failure" or record.error_code is not None
    return event._replace(
        action="session.console.fail" if failed else "session.console.open",
        session=event.session or f"console:{record.recipient_account_id or 'aws'}/{record.event_id}",
        outcome=(record.error_code or "Failure") if failed else "ok",
        attrs=_encoded(facts),
    )


def _image_event(source: SourceConfig, record: Record, data: bytes, start: int, end: int) -> Event:
    """Read that an image was pushed: its digest names it, and its tag stands for it from then on. Where none is told, or it failed, it is a call like others."""
    answer = decode(PUSHED, record.response) if present(record.response) else Pushed()
    image = answer.image or Image()
    name, known = image.repository_name or "", image.image_id or ImageId()
    if not _REPOSITORY.fullmatch(name) or not _DIGEST.fullmatch(known.image_digest or ""):
        return _other_event(source, record, data, start, end)
    event, facts = _plain_event(source, record, start, end)
    facts.service, facts.tag = record.event_source, known.image_tag
    return event._replace(action="object.write", object=f"image:{name}@{known.image_digest}", attrs=_encoded(facts))


def _other_event(source: SourceConfig, record: Record, data: bytes, start: int, end: int) -> Event:
    """Keep every other call under its own name."""
    event, facts = _plain_event(source, record, start, end)
    facts.service = record.event_source
    target = place = None
    if (record.event_source or "").startswith("s3"):
        request = decode(OBJECT_RECORD, data).request or _NO_REQUEST
        place = _object(request.bucket_name, request.key, request.version_id)
    elif record.event_name == "CreateAccessKey" and present(record.response):
        made = decode(RESPONSE, record.response).access_key or Issued()
        facts.issued = f"token:{made.access_key_id}" if made.access_key_id else None
        target = aws(made.user_name)
    return event._replace(action=f"aws.{record.event_name}", object=place, target=target, attrs=_encoded(facts))
