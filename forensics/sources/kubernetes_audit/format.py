"""What an audit record looks like: plain, in lists, and as AKS, EKS and GKE wrap or rewrite it."""

import msgspec

from forensics.errors import RecordError
from forensics.fields import ABSENT, decode, loose, present

DEEPEST_WRAP = 3
"""envelopes around a record"""


class User(msgspec.Struct, gc=False):
    """Who asked."""

    username: str | None = None
    uid: str | None = None


class Reference(msgspec.Struct, gc=False, rename="camel"):
    """What was asked about."""

    resource: str | None = None
    namespace: str | None = None
    name: str | None = None
    api_group: str | None = None
    subresource: str | None = None


class Status(msgspec.Struct, gc=False):
    """What came of it."""

    code: int | None = None
    reason: str | None = None


class Record(msgspec.Struct, gc=False, rename="camel"):
    """A request: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event ."""

    audit_id: str | None = msgspec.field(name="auditID", default=None)
    stage: str | None = None
    request_uri: str | None = msgspec.field(name="requestURI", default=None)
    verb: str | None = None
    user: User | None = None
    impersonated_user: User | None = None
    source_ips: list[str] | None = msgspec.field(name="sourceIPs", default=None)
    user_agent: str | None = None
    object_ref: Reference | None = None
    response_status: Status | None = None
    request_object: msgspec.Raw = ABSENT
    response_object: msgspec.Raw = ABSENT
    request_received: str | None = msgspec.field(name="requestReceivedTimestamp", default=None)
    stage_time: str | None = msgspec.field(name="stageTimestamp", default=None)
    cluster: str | None = msgspec.field(name="", default=None)
    """not in the format: the cluster that GKE names"""


class _Envelope(msgspec.Struct, gc=False, rename="camel"):
    """What others put around a record."""

    items: msgspec.Raw = ABSENT
    """EventList"""
    properties: msgspec.Raw = ABSENT
    """AKS: the record is in `properties.log`, as an object or as text"""
    message: msgspec.Raw = ABSENT
    """CloudWatch Logs (EKS): the record, as an object or as text"""
    at_message: msgspec.Raw = msgspec.field(name="@message", default=ABSENT)
    events: msgspec.Raw = ABSENT
    """`aws logs filter-log-events`: a list of messages"""
    proto: msgspec.Raw = msgspec.field(name="protoPayload", default=ABSENT)
    """GKE: Cloud Audit Logs have fields of their own"""
    resource: msgspec.Raw = ABSENT
    timestamp: str | int | None = None
    insert_id: str | None = None


class _Caller(msgspec.Struct, gc=False, rename="camel"):
    principal_email: str | None = None


class _CallMetadata(msgspec.Struct, gc=False, rename="camel"):
    caller_ip: str | None = None
    user_agent: str | None = msgspec.field(name="callerSuppliedUserAgent", default=None)


class _Proto(msgspec.Struct, gc=False, rename="camel"):
    """The payload: https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog ."""

    service_name: str | None = None
    method_name: str | None = None
    resource_name: str | None = None
    authentication_info: _Caller | None = None
    request_metadata: _CallMetadata | None = None
    status: Status | None = None
    request: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT


class _Labels(msgspec.Struct, gc=False):
    cluster_name: str | None = None


class _Monitored(msgspec.Struct, gc=False):
    labels: _Labels | None = None


RECORD = msgspec.json.Decoder(Record)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_PROTO = msgspec.json.Decoder(_Proto)
_MONITORED = msgspec.json.Decoder(_Monitored)

_PERMISSION_DENIED, _UNAUTHENTICATED = 7, 16
"""https://grpc.io/docs/guides/status-codes/"""


def records(data: bytes | msgspec.Raw, depth: int = 0) -> list[Record]:
    """Read one JSON object as the audit records that it is or holds; RecordError where it holds none."""
    record = decode(RECORD, data)
    if record.verb is not None or record.stage is not None:
        return [record]
    envelope = decode(_ENVELOPE, data)
    if present(envelope.proto):
        return [_google(envelope, decode(_PROTO, envelope.proto))]
    if depth < DEEPEST_WRAP:
        inner = [found for raw in _inside(envelope) for found in records(raw, depth + 1)]
        if inner:
            return inner
    raise RecordError("no Kubernetes audit record: it has neither verb nor stage")


def _inside(record: _Envelope) -> list[bytes]:
    """Return the texts that an envelope holds."""
    for raw in (record.items, record.events):
        if present(raw):
            value = loose(bytes(raw))
            return [_written(item) for item in value] if isinstance(value, list) else []
    if present(record.properties):
        value = loose(bytes(record.properties))
        return [_written(value["log"])] if isinstance(value, dict) and "log" in value else []
    message = record.message if present(record.message) else record.at_message
    return [_written(loose(bytes(message)))] if present(message) else []


def _written(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _google(outer: _Envelope, proto: _Proto) -> Record:
    """Rewrite a record of Cloud Audit Logs: `io.k8s.batch.v1.jobs.create` on `batch/v1/namespaces/<ns>/jobs/<name>`.

    https://cloud.google.com/kubernetes-engine/docs/how-to/audit-logging
    """
    method = (proto.method_name or "").removeprefix("io.k8s.").split(".")
    if proto.service_name != "k8s.io" and not (proto.method_name or "").startswith("io.k8s."):
        raise RecordError("no Kubernetes audit record: a cloud audit record of another service")
    caller, metadata = proto.authentication_info or _Caller(), proto.request_metadata or _CallMetadata()
    monitored = decode(_MONITORED, outer.resource) if present(outer.resource) else _Monitored()
    return Record(
        audit_id=outer.insert_id,
        stage="ResponseComplete",
        verb=method[-1],
        request_uri=proto.resource_name,
        user=User(caller.principal_email),
        source_ips=[metadata.caller_ip] if metadata.caller_ip else None,
        user_agent=metadata.user_agent,
        object_ref=_google_reference(proto.resource_name or ""),
        response_status=Status(_http_code(proto.status.code if proto.status else None)),
        request_object=proto.request,
        response_object=proto.response,
        request_received=outer.timestamp if isinstance(outer.timestamp, str) else None,
        cluster=monitored.labels.cluster_name if monitored.labels else None,
    )


def _google_reference(path: str) -> Reference:
    """Read `<group>/<version>/[namespaces/<ns>/]<resource>/<name>[/<subresource>]`."""
    group, _, rest = path.partition("/")
    parts = rest.split("/")[1:]
    namespace = None
    if len(parts) > 2 and parts[0] == "namespaces":  # behind it a namespace and a resource
        namespace, parts = parts[1], parts[2:]
    resource, name, sub = [*parts, "", "", ""][:3]
    return Reference(resource or None, namespace, name or None, "" if group == "core" else group, sub or None)


def _http_code(code: int | None) -> int:
    """Return the HTTP code that stands for a gRPC one; none means success."""
    if not code:
        return 200
    return {_PERMISSION_DENIED: 403, _UNAUTHENTICATED: 401}.get(code, 500)
