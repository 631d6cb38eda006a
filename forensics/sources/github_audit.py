"""GitHub's audit log of an organisation or enterprise: git over the wire, pull requests, workflow runs, access, keys and tokens."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from forensics.errors import RecordError
from forensics.fields import address, attrs, loose, text
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_json, split_json
from forensics.source import Source
from forensics.times import epoch, instant

Facts = dict[str, Any]
"""what a record says and no column holds yet; what is left of it goes to attrs"""

_BRACKETS = 200
"""a record with no more of them can't be nested too deep, and is read the fast way"""

_ACTIONS = {
    "git.push": "code.push",
    "git.clone": "code.fetch",
    "git.fetch": "code.fetch",
    "pull_request.merge": "code.merge",
    "pull_request.create": "code.request",
    "pull_request_review.submit": "code.review",
    "workflows.created_workflow_run": "automation.trigger",
    "workflows.rerun_workflow_run": "automation.trigger",
    "workflows.completed_workflow_run": "automation.end",
}
_MEMBERS = frozenset({"business", "enterprise_team", "org", "organization_moderators", "repo", "team"})
_KEYS = frozenset({"deploy_key", "public_key"})
_TOKENS = frozenset({"oauth_access", "oauth_authorization", "org_credential_authorization", "personal_access_token"})
_CREDENTIALS = _KEYS | _TOKENS | {"integration_installation"}
"""an app that is installed draws tokens of its own, which the log does not show"""
_GRANTED = frozenset({
    "add_admin", "add_billing_manager", "add_member", "add_outside_collaborator", "add_repository", "add_team", "add_user",
    "promote_maintainer", "update_member", "update_repository_permission",
})  # fmt: skip
_LOST = frozenset({
    "demote_maintainer", "remove_admin", "remove_billing_manager", "remove_member", "remove_outside_collaborator", "remove_repository",
    "remove_team", "remove_user",
})  # fmt: skip
_ISSUED = frozenset({"access_granted", "create", "credential_regenerated", "grant", "unsuspend"})
_REVOKED = frozenset({"access_revoked", "credential_revoked", "delete", "destroy", "revoke", "suspend"})

_OURS = frozenset({
    "access", "automation", "code", "credential", "device", "file", "identity", "job", "log", "meeting", "metric", "object", "person",
    "process", "ref", "repository", "session",
})  # fmt: skip
"""first words of the contract's actions: links take them at their word, so none may come out of a log's own words"""
_SPINE = frozenset({"@timestamp", "action", "actor", "actor_ip", "created_at", "hashed_token"})
"""who, when and what: these stand at a record's top, and are never taken from within"""

_RENAMED = {
    "_document_id": "document_id", "head_branch": "branch", "programmatic_access_type": "access", "pull_request_title": "title",
    "transport_protocol_name": "transport",
}  # fmt: skip
_PULL = re.compile(r"https?://[^/]+/([^/]+/[^/]+)/pull/(\d{1,19})(?!\d)", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def read(piece: Piece) -> Iterator[Batch]:
    """Turn the log's JSON lines, or its pages, into rows."""
    return each_json(piece, partial(_parse, piece.source))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> tuple[Event]:
    facts = _record(data)
    _lift(facts)
    own = _take(facts, "action")
    if own is None:
        raise RecordError("no GitHub audit event: it has no action")
    time, latest = _time(source, facts)
    event = Event(start, end, time, _action(own), host=source.host or None, time_hi=latest)
    event = _mapped(own, _who(event, facts), facts)
    if event.action != own:
        facts["action"] = own
    return (event._replace(attrs=attrs(_named(facts))),)


def _record(data: bytes) -> Facts:
    """Read a record whole, since GitHub adds fields of its own to every kind of event. RecordError where it is no object."""
    try:
        plain = msgspec.json.decode(data) if data.count(b"{") + data.count(b"[") <= _BRACKETS else loose(data)
    except ValueError:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        plain = loose(data)
    if not isinstance(plain, dict):
        raise RecordError("no GitHub audit event: it is no JSON object")
    return plain


def _peek(facts: Facts, key: str) -> str | None:
    """Return a field as text; None where it is missing, empty, or no scalar (`repo` and `org` may be lists)."""
    value = facts.get(key)
    return None if value is None or isinstance(value, (dict, list)) else text(value) or None


def _take(facts: Facts, key: str) -> str | None:
    """Return a field as text, and strike it from what is left for attrs."""
    value = _peek(facts, key)
    if value is not None:
        del facts[key]
    return value


def _time(source: SourceConfig, facts: Facts) -> tuple[int, int | None]:
    """Return when it happened (`@timestamp`); when it was recorded (`created_at`) stands in, or stays among the facts if it differs.

    Both are milliseconds: https://docs.github.com/en/rest/orgs/orgs#get-the-audit-log-for-an-organization .
    """
    happened, recorded = _take(facts, "@timestamp"), _peek(facts, "created_at")
    written = happened or recorded
    if written is None:
        raise RecordError("no GitHub audit event: it has neither @timestamp nor created_at")
    if written == recorded:
        del facts["created_at"]
    found = epoch(written)
    return (found, None) if found is not None else instant(written, source.timezone)


def _action(own: str) -> str:
    """Return the contract's word for what the log calls it, or the log's own word."""
    category, _, word = own.rpartition(".")
    if own in _ACTIONS:
        return _ACTIONS[own]
    if category in _MEMBERS and word in _GRANTED | _LOST:
        return "access.grant" if word in _GRANTED else "access.revoke"
    if category in _CREDENTIALS and word in _ISSUED | _REVOKED:
        return "credential.issue" if word in _ISSUED else "credential.revoke"
    return f"github.{own}" if own.partition(".")[0] in _OURS else own


def _lift(facts: Facts) -> None:
    """Lift the details that older exports keep in `data` to the top, where nothing else stands; say a repository once."""
    data = facts.get("data")
    if isinstance(data, dict):
        lifted = {key: value for key, value in data.items() if key not in facts and key not in _SPINE}
        facts["data"] = {key: value for key, value in data.items() if key not in lifted}
        facts.update(lifted)
    if not facts.get("repo") and _peek(facts, "repository") is not None:
        facts["repo"] = facts["repository"]
    if facts.get("repository") == facts.get("repo"):
        facts.pop("repository", None)


def _who(event: Event, facts: Facts) -> Event:
    """Add the account that acted, and the address and token that it acted from; of keys and tokens themselves, see `_credential`."""
    actor, ip = _take(facts, "actor"), address(_peek(facts, "actor_ip") or "")
    if ip:
        del facts["actor_ip"]
    token = None if event.action.startswith("credential.") else _take(facts, "hashed_token")
    return event._replace(
        actor=f"github:{actor}" if actor else None, ip=ip, credential=f"token:{token}" if token else None, object=_repository(facts)
    )


def _repository(facts: Facts) -> str | None:
    """Return `git:<repo>` of `<organisation>/<repo>`."""
    name = (_peek(facts, "repo") or "").rstrip("/").rpartition("/")[2].removesuffix(".git")
    return f"git:{name}" if name else None


def _mapped(own: str, event: Event, facts: Facts) -> Event:
    """Fill the columns that this kind of event has."""
    category = own.partition(".")[0]
    if own in _ACTIONS and category.startswith("pull_request"):
        return _pull_request(event, facts)
    if own in _ACTIONS and category == "workflows":
        return _run(own, event, facts)
    if event.action.startswith("access."):
        org = _peek(facts, "org")
        return event._replace(object=event.object or (f"github:{org}" if org else None), target=_user(facts))
    if event.action.startswith("credential."):
        return event._replace(credential=_credential(category, facts), target=_user(facts))
    return event


def _pull_request(event: Event, facts: Facts) -> Event:
    """Name the pull request by its number, which only its address bears; `user` is whose it is, not who acted."""
    found = _PULL.match(_peek(facts, "pull_request_url") or "")
    opened_by = _take(facts, "user")
    if opened_by:
        facts["opened_by"] = opened_by
    return event._replace(object=f"github:{_peek(facts, 'repo') or found[1]}!{found[2]}" if found else None)


def _run(own: str, event: Event, facts: Facts) -> Event:
    """Name the run of a workflow. One that a timetable set off was set off by no account.

    GitHub shows whoever last changed or enabled the timetable as its actor: https://github.com/orgs/community/discussions/25067 .
    """
    run, sha = _take(facts, "workflow_run_id"), _peek(facts, "head_sha") or ""
    if _SHA.fullmatch(sha):
        del facts["head_sha"]
    event = event._replace(
        object=f"pipeline:{run}" if run else None, session=sha if _SHA.fullmatch(sha) else None, outcome=_take(facts, "conclusion")
    )
    if facts.get("event") != "schedule" or own == "workflows.rerun_workflow_run":
        return event
    facts["actor"] = event.actor
    return event._replace(actor=None, action=own if event.action == "automation.trigger" else event.action)


def _user(facts: Facts) -> str | None:
    """Return the account that was given or lost something."""
    user = _take(facts, "user") or _take(facts, "requester")
    return f"github:{user}" if user else None


def _credential(category: str, facts: Facts) -> str | None:
    """Return the key or token that an event is about; beside a key or an app, the hash is of the token that was used to add it."""
    fingerprint = _take(facts, "fingerprint")
    if fingerprint:
        return f"ssh-key:{fingerprint}"
    token = _take(facts, "hashed_token") if category in _TOKENS else None
    return f"token:{token}" if token else None


def _named(facts: Facts) -> Facts:
    """Give fields the names that sources share, where nothing else bears them."""
    return {new if (new := _RENAMED.get(key, key)) not in facts else key: value for key, value in facts.items()}


SOURCE = Source(
    name="github_audit",
    reads="GitHub's audit log of an organisation or enterprise: pushes, fetches, merges, reviews, workflow runs, access, keys and tokens",
    collect=(
        'gh api --paginate "/orgs/$ORG/audit-log?include=all&order=asc&per_page=100&phrase=created:$FROM..$TO" > evidence/github/audit-log.json',
        "git events (`include=git`) are kept for seven days: where the log is streamed to a bucket, collect its objects, too",
        "an enterprise's: /enterprises/$ENTERPRISE/audit-log; the address that somebody acted from is in it only where the owner has it disclosed",
    ),
    reference="https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/"
    "managing-security-settings-for-your-organization/audit-log-events-for-your-organization",
    tier=Tier.T3,
    keeps="GitHub keeps audit events 180 days and git events 7 days; a stream to the owner's own bucket keeps them as long as the bucket does",
    split=split_json,
    read=read,
)
