"""What an audit record says: a job was launched, cancelled, placed or ended; or merely that a request was made."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from forensics.blocks import Block, each_json
from forensics.columns import instants
from forensics.errors import RecordError
from forensics.fields import address, attrs, plain
from forensics.model import Batch, Event, Piece, SourceConfig
from forensics.sources.kubernetes_audit import nodes, workload
from forensics.sources.kubernetes_audit.format import RECORD, Record, Reference, User, records
from forensics.times import instant

JOBS = frozenset({
    ("batch", "jobs"), ("batch.volcano.sh", "jobs"), ("argoproj.io", "workflows"), ("jobset.x-k8s.io", "jobsets"), ("ray.io", "rayjobs"),
    ("kubeflow.org", "pytorchjobs"), ("kubeflow.org", "mpijobs"), ("kubeflow.org", "tfjobs"), ("kubeflow.org", "xgboostjobs"),
    ("kubeflow.org", "paddlejobs"), ("kubeflow.org", "jaxjobs"), ("trainer.kubeflow.org", "trainjobs"),
})  # fmt: skip
"""(API group, resource) of what runs to an end"""
TIMETABLES = frozenset({
    ("batch", "cronjobs"), ("argoproj.io", "cronworkflows"), ("kubeflow.org", "scheduledworkflows"), ("ray.io", "raycronjobs"),
})  # fmt: skip
"""(API group, resource) of what starts jobs by itself"""
_RESOURCES = frozenset(resource for _, resource in JOBS | TIMETABLES) | {"pods", "nodes", "events"}
_ENDED = {"Complete": "Complete", "Succeeded": "Complete", "Completed": "Complete", "Failed": "Failed"}
"""conditions: https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions, and Kubeflow's"""
_FORBIDDEN = (401, 403)
_FIRST_ERROR = 400
_NOTHING = Reference()
_COMPONENT = re.compile(
    r"system:(?:kube-|node:|apiserver|serviceaccount:kube-system:|serviceaccount:[^:]*:.*(?:controller|operator|scheduler))", re.ASCII
)
"""accounts of the cluster's own machinery: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles"""


class _Facts(msgspec.Struct, gc=False, omit_defaults=True):
    """attrs of a request that is no act; the fields are in the order of their names."""

    audit_id: str | None = None
    claimed_ips: list[str] | None = None
    code: int | None = None
    group: str | None = None
    name: str | None = None
    namespace: str | None = None
    resource: str | None = None
    source: str | None = None
    stage: str | None = None
    subresource: str | None = None
    uri: str | None = None
    user_agent: str | None = None
    verb: str | None = None


_ENCODE = msgspec.json.Encoder().encode
_ROW = tuple.__new__
_When = tuple[int | None, int | None]

_Act = Callable[[Record, Reference, Event, str], list[Event] | None]
"""(record, what it is about, row so far, cluster) -> rows; None: it is no act after all"""


def read(piece: Piece) -> Iterator[Batch]:
    """Turn the log's JSON lines into rows."""
    return each_json(piece, partial(_parse, piece.source), RECORD, partial(_rows, piece.source))


def _rows(source: SourceConfig, block: Block[Record]) -> None:
    """Make the rows of a block; what has an odd time, or wraps records, goes the long way."""
    acts = [_act(record) for record in block.records]
    times = instants([_written(record, act) or "" for record, act in zip(block.records, acts, strict=True)])
    for number, (record, act, time, start, end) in enumerate(zip(block.records, acts, times, block.starts, block.ends, strict=True)):
        if record.verb is None and record.stage is None:
            block.alone(number)
        elif time is None:
            block.read(number, partial(_events, source))
        elif act is None:
            block.add(_row(source, record, start, end, (time, None)))
        else:
            block.read(number, partial(_acted, source, act, (time, None)))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> list[Event]:
    found = records(data)
    return _events(source, found[0], start, end) if len(found) == 1 else [e for r in found for e in _events(source, r, start, end)]


def _events(source: SourceConfig, record: Record, start: int, end: int) -> list[Event]:
    """Turn one record into its rows."""
    act = _act(record)
    when = _when(source, _written(record, act))
    return _acted(source, act, when, record, start, end) if act else [_row(source, record, start, end, when)]


def _acted(source: SourceConfig, act: _Act, when: _When, record: Record, start: int, end: int) -> list[Event]:
    """Return the rows of what may be an act."""
    event = _row(source, record, start, end, when, told=False)
    rows = act(record, record.object_ref or _NOTHING, event, _cluster(source, record))
    return rows or [_row(source, record, start, end, _when(source, _written(record, None)))]


def _act(record: Record) -> _Act | None:
    """Return what reads the act that a request may be. Only the stage ResponseComplete is one, so that none counts twice."""
    about = record.object_ref
    if about is None or about.resource not in _RESOURCES or record.stage != "ResponseComplete":
        return None
    return _act_of(about.api_group, about.resource, about.subresource, record.verb)


def _written(record: Record, act: _Act | None) -> str | None:
    """Return the time when an act was asked for, or that when a request was logged."""
    return (record.request_received or record.stage_time) if act else (record.stage_time or record.request_received)


def _when(source: SourceConfig, written: str | None) -> _When:
    return instant(written, source.timezone) if written else (None, None)


def _row(source: SourceConfig, record: Record, start: int, end: int, when: _When, *, told: bool = True) -> Event:
    """Return the row of a request; of one that may be an act without the facts, which are others there."""
    about, code = record.object_ref or _NOTHING, record.response_status.code if record.response_status else None
    came_from = record.source_ips[-1] if record.source_ips else None
    ip = address(came_from) if came_from else None
    facts = _ENCODE(_Facts(
        record.audit_id, _claimed_ips(record), code, about.api_group or None, about.name, about.namespace, about.resource, came_from if ip is None else None,
        record.stage if record.stage != "ResponseComplete" else None, about.subresource, record.request_uri, record.user_agent, record.verb,
    )).decode() if told else None  # fmt: skip
    place = _place(_cluster(source, record), about.namespace, about.name) if about.resource in _RESOURCES and _is_run(about) else None
    return _ROW(Event, (
        start, end, when[0], "log.message", _account(record.user), place, _account(record.impersonated_user), None, None, None, None, None,
        ip, source.host or record.cluster, _outcome(code), None, None, when[1], None, None, facts,
    ))  # fmt: skip


def _claimed_ips(record: Record) -> list[str] | None:
    """Return the addresses before the connection's own: the request's headers gave them, and whoever sends it may write there what he likes.

    https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ (sourceIPs)
    """
    return (record.source_ips or [])[:-1] or None


def _cluster(source: SourceConfig, record: Record) -> str:
    return source.host or record.cluster or source.name


@lru_cache(maxsize=4096)
def _act_of(group: str | None, resource: str, subresource: str | None, verb: str | None) -> _Act | None:
    """Return what reads this kind of act, where the request may be one."""
    is_job = (group, resource) in JOBS
    if resource == "nodes" and not group:
        return _noted if verb in {"update", "patch"} and (subresource or "status") == "status" else None
    if resource == "events":
        return _warned if verb == "create" and not subresource else None
    if (group, resource) in TIMETABLES:
        return _set if verb in {"create", "update", "patch"} and not subresource else None
    if not is_job and (resource != "pods" or group):
        return None
    if not subresource and verb in {"create", "delete", "deletecollection"}:
        return _launched if verb == "create" else _cancelled
    if is_job:
        return _changed if verb in {"update", "patch"} and (subresource == "status" or group == "argoproj.io") else None
    if subresource == "binding" and verb == "create":
        return _placed
    return _entered if subresource in {"exec", "attach"} and verb in {"create", "get"} else None


def _set(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that somebody made or changed what starts jobs by itself; what its controller notes there is no act."""
    if _by_component(record) or "dryRun=All" in (record.request_uri or ""):
        return None
    sent, made = plain(record.request_object), plain(record.response_object)
    if sent and "spec" not in sent and event.outcome in {None, "ok"}:
        return None
    told = workload.facts(sent)
    facts = (
        _request_facts(record) | {k: told[k] for k in ("command", "commit", "env", "image")} | {"kind": about.resource, "verb": record.verb}
    )
    place = _timetable(cluster, about.namespace, about.resource, about.name or workload.name(sent) or workload.name(made))
    return [event._replace(action="automation.trigger.timetable", object=place, attrs=attrs(facts))]


def _is_run(about: Reference) -> bool:
    return _is_pod(about) or (about.api_group, about.resource) in JOBS


def _is_pod(about: Reference) -> bool:
    return about.resource == "pods" and not about.api_group


# --- acts ---------------------------------------------------------------------------------------------------------


def _launched(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that a job was handed in; or a pod, where no controller made it for a job."""
    if "dryRun=All" in (record.request_uri or ""):
        return None
    sent, made = plain(record.request_object), plain(record.response_object)
    name = about.name or workload.name(sent) or workload.name(made)
    place = _place(cluster, about.namespace, name)
    if _is_pod(about):
        owner = workload.owner(sent) or workload.owner(made)
        if owner:
            facts = _request_facts(record) | {"owner": owner, "pod": name}
            return [event._replace(object=place, target=_place(cluster, about.namespace, owner), attrs=attrs(facts))]
        if _by_component(record):
            return None
    facts = workload.facts(sent if "spec" in sent else made) | _request_facts(record)
    facts |= {"kind": about.resource if about.resource != "jobs" else None, "name": name, "submit": event.time}
    # anybody may write another's timetable into his own job: only what a controller made was set by its owner
    kind, owner = (workload.controller(sent) or workload.controller(made) or ("", "")) if _by_component(record) else ("", "")
    timed = any(resource == kind for _, resource in TIMETABLES)
    facts["set_by"] = (
        (_timetable(cluster, about.namespace, kind, owner) if timed else _place(cluster, about.namespace, owner)) if owner else None
    )
    facts["made_from"] = _template(cluster, about, sent) or _template(cluster, about, made)
    return [event._replace(action="job.launch", object=place, attrs=attrs(facts))]


def _template(cluster: str, about: Reference, job: dict[str, Any]) -> str | None:
    """Return the timetable that a job says it was made from by hand (`kubectl create job --from=cronjob/...`)."""
    resource, name = workload.controller(job) or ("", "")
    timed = any(resource == kind for _, kind in TIMETABLES) and workload.by_hand(job)
    return _timetable(cluster, about.namespace, resource, name) if timed else None


def _cancelled(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that somebody deleted a job or a pod; the cluster's own tidying up is no act."""
    if _by_component(record) or "dryRun=All" in (record.request_uri or ""):
        return None
    facts = _request_facts(record) | {"uri": record.request_uri if not about.name else None}
    facts["pod"] = about.name if _is_pod(about) else None
    return [event._replace(action="job.cancel", object=_place(cluster, about.namespace, about.name), attrs=attrs(facts))]


def _changed(record: Record, _about: Reference, event: Event, _within: str) -> list[Event] | None:
    """Read a job's status as its controller wrote it: when it started, when and how it ended. The times are the controller's."""
    sent = plain(record.request_object)
    status = sent.get("status") or plain(record.response_object).get("status")
    if event.outcome not in {None, "ok"} or not isinstance(status, dict):
        return None
    facts = attrs(_request_facts(record) | _counts(status))
    rows = []
    started = _time(status.get("startTime") or status.get("startedAt"))
    if started is not None:
        rows.append(event._replace(action="job.start", time=started, attrs=facts))
    ended, outcome = _end(status)
    if ended is not None:
        rows.append(event._replace(action="job.end", time=ended, outcome=outcome, attrs=facts))
    return rows or None


def _placed(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that the scheduler put a pod on a node."""
    target = plain(record.request_object).get("target")
    node = target.get("name") if isinstance(target, dict) else None
    if not isinstance(node, str) or not node:
        return None
    facts = _request_facts(record) | {"pod": about.name}
    return [
        event._replace(
            action="job.node", object=_place(cluster, about.namespace, about.name), target=f"node:{cluster}/{node}", attrs=attrs(facts)
        )
    ]


def _entered(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that somebody ran a command in a running pod, or attached to it."""
    query = parse_qs((record.request_uri or "").partition("?")[2], errors="backslashreplace", max_num_fields=None)
    facts = _request_facts(record) | {"argv": query.get("command"), "pod": about.name}
    place = _place(cluster, about.namespace, about.name)
    return [
        event._replace(
            action="session.exec.open",
            object=place,
            session=f"exec:{cluster}/{record.audit_id}" if record.audit_id else None,
            attrs=attrs(facts),
        )
    ]


def _noted(record: Record, about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read that a node was found in trouble, or taken out of use."""
    if event.outcome not in {None, "ok"} or not about.name or "dryRun=All" in (record.request_uri or ""):
        return None
    return [
        _state(record, event, f"node:{cluster}/{about.name}", trouble) for trouble in nodes.of_node(plain(record.request_object))
    ] or None


def _warned(record: Record, _about: Reference, event: Event, cluster: str) -> list[Event] | None:
    """Read a warning about a node."""
    found = nodes.of_event(plain(record.request_object)) if event.outcome in {None, "ok"} else None
    return [_state(record, event, f"node:{cluster}/{found[0]}", found[1])] if found else None


def _state(record: Record, event: Event, node: str, trouble: nodes.Trouble) -> Event:
    what, why, since = trouble
    when = _time(since)
    facts = attrs(_request_facts(record) | {"reason": why or None})
    return event._replace(
        action="node.state", object=node, outcome=what, time=event.time if when is None else when, time_hi=event.time_hi if when is None else None, attrs=facts
    )  # fmt: skip


# --- parts --------------------------------------------------------------------------------------------------------


def _account(user: User | None) -> str | None:
    return f"k8s:{user.username}" if user is not None and user.username else None


def _by_component(record: Record) -> bool:
    """Tell whether the cluster's own machinery asked, under its own name."""
    name = record.user.username if record.user else None
    return record.impersonated_user is None and name is not None and _COMPONENT.match(name) is not None


def _outcome(code: int | None) -> str | None:
    if code is None:
        return None
    if code < _FIRST_ERROR:
        return "ok"
    return "denied" if code in _FORBIDDEN else "error"


def _place(cluster: str, namespace: str | None, name: str | None) -> str | None:
    return f"k8s:{cluster}/{namespace or 'default'}/{name}" if name else None


def _timetable(cluster: str, namespace: str | None, resource: str | None, name: str | None) -> str | None:
    """Return the reference of what starts jobs by itself: it may bear the name of a job."""
    return f"k8s:{cluster}/{namespace or 'default'}/{resource}/{name}" if name else None


def _request_facts(record: Record) -> dict[str, Any]:
    code = record.response_status.code if record.response_status else None
    about = record.object_ref or _NOTHING
    return {
        "audit_id": record.audit_id,
        "claimed_ips": _claimed_ips(record),
        "code": code if code is not None and code >= _FIRST_ERROR else None,
        "namespace": about.namespace,
        "user_agent": record.user_agent,
    }


def _time(value: object) -> int | None:
    try:
        return instant(value)[0] if isinstance(value, str) else None
    except RecordError:
        return None


def _end(status: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return (when, how) of a job's end, from its conditions, completion time or phase."""
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        kind = condition.get("type") if isinstance(condition, dict) and condition.get("status") == "True" else None
        if isinstance(kind, str) and kind in _ENDED:
            when = _time(status.get("completionTime")) or _time(condition.get("lastTransitionTime"))
            if when is not None:
                return when, _ENDED[kind]
    phase = status.get("phase")
    finished = _time(status.get("completionTime") or status.get("finishedAt"))
    return finished, (_ENDED.get(phase, "Failed") if isinstance(phase, str) else "Complete") if finished is not None else None


def _counts(status: dict[str, Any]) -> dict[str, Any]:
    counts = {key: status.get(key) for key in ("active", "failed", "succeeded")}
    return {key: value for key, value in counts.items() if isinstance(value, int) and abs(value) < 1 << 53}
