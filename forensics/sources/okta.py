"""Okta's System Log: who signed in to what, from which device and address, with which factor; and who was given access.

https://developer.okta.com/docs/reference/api/event-types/ names the event types, the record's fields are in `SOURCE.reference`.
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from forensics.errors import RecordError
from forensics.fields import ABSENT, address, decode, fit, loose, present
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_json, split_json
from forensics.source import Source
from forensics.times import instant


class _Entity(msgspec.Struct, gc=False, rename="camel"):
    """Who acted, or what was acted upon."""

    id: str | None = None
    type: str | None = None
    alternate_id: str | None = None
    display_name: str | None = None


class _Agent(msgspec.Struct, gc=False, rename="camel"):
    raw_user_agent: str | None = None
    os: str | None = None
    browser: str | None = None


class _Geography(msgspec.Struct, gc=False):
    country: str | None = None


class _Client(msgspec.Struct, gc=False, rename="camel"):
    user_agent: _Agent | None = None
    zone: str | None = None
    device: str | None = None
    """a word such as Computer or Mobile"""
    ip_address: str | None = None
    geographical_context: _Geography | None = None


class _Device(msgspec.Struct, gc=False):
    """A device that Okta knows; `name` is what its owner or the asset register calls it, or no more than its model."""

    id: str | None = None
    name: str | None = None
    managed: bool | None = None
    registered: bool | None = None


class _Authentication(msgspec.Struct, gc=False, rename="camel"):
    external_session_id: str | None = None
    credential_type: str | None = None


class _DebugData(msgspec.Struct, gc=False, rename="camel"):
    factor: str | None = None
    device_fingerprint: str | None = None
    request_uri: str | None = None
    privilege_granted: str | None = None
    privilege_revoked: str | None = None


class _Debug(msgspec.Struct, gc=False, rename="camel"):
    debug_data: _DebugData | None = None


class _Outcome(msgspec.Struct, gc=False):
    result: str | None = None
    reason: str | None = None


class _Security(msgspec.Struct, gc=False, rename="camel"):
    is_proxy: bool | None = None


class _Transaction(msgspec.Struct, gc=False):
    id: str | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    published: str | None = None
    event_type: str | None = None
    uuid: str | None = None
    actor: _Entity | None = None
    client: _Client | None = None
    device: _Device | None = None
    authentication_context: _Authentication | None = None
    security_context: _Security | None = None
    debug_context: _Debug | None = None
    outcome: _Outcome | None = None
    transaction: _Transaction | None = None
    target: msgspec.Raw = ABSENT


class _Facts(msgspec.Struct, gc=False, omit_defaults=True):
    """Goes into attrs as it stands; the fields are in the order of their names."""

    actor_id: str | None = None
    actor_session: str | None = None
    """of whoever ended another's session"""
    actor_type: str | None = None
    browser: str | None = None
    client: str | None = None
    country: str | None = None
    credential_type: str | None = None
    device_id: str | None = None
    event: str | None = None
    """the log's own word, where the action is another"""
    event_id: str | None = None
    factor: str | None = None
    fingerprint: str | None = None
    managed: bool | None = None
    os: str | None = None
    privilege: str | None = None
    proxy: bool | None = None
    reason: str | None = None
    registered: bool | None = None
    request: str | None = None
    source_address: str | None = None
    targets: list[str] | None = None
    """what no column names"""
    transaction: str | None = None
    user_agent: str | None = None
    zone: str | None = None


_DECODER = msgspec.json.Decoder(_Record)
_TARGETS = msgspec.json.Decoder(list[_Entity])
_ENCODE = msgspec.json.Encoder().encode
_NOBODY, _NO_CLIENT, _NO_AGENT, _NO_DEVICE, _NO_DEBUG = _Entity(), _Client(), _Agent(), _Device(), _DebugData()
_NO_AUTHENTICATION, _NO_OUTCOME = _Authentication(), _Outcome()
MOST_TARGETS = 100
_LONGEST_ADDRESS = 100
_MILLI = len("2024-06-12T01:10:42.123Z")

_ACTIONS = {
    "user.session.start": "session.okta.open",
    "user.session.end": "session.okta.close",
    "user.session.clear": "session.okta.close",
    "user.authentication.sso": "session.sso.open",
    "user.mfa.factor.activate": "credential.issue",
    "user.mfa.factor.enroll": "credential.issue",
    "user.mfa.factor.deactivate": "credential.revoke",
    "user.mfa.factor.reset_all": "credential.revoke",
    "group.user_membership.add": "access.grant",
    "application.user_membership.add": "access.grant",
    "user.account.privilege.grant": "access.grant",
    "group.user_membership.remove": "access.revoke",
    "application.user_membership.remove": "access.revoke",
    "user.account.privilege.revoke": "access.revoke",
}
_USES = ("user.authentication.auth_via_", "user.mfa.okta_verify")
_NO_USE = "user.mfa.okta_verify.deny_push"
"""the owner refused: a request came, and no factor was used"""


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a page or lines of records into rows."""
    return each_json(piece, partial(_parse, piece.source))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> tuple[Event]:
    record = decode(_DECODER, data)
    if not record.event_type or not record.published:
        raise RecordError("no record of Okta's System Log: it has no " + ("published" if record.event_type else "eventType"))
    time, latest = _when(record.published, source.timezone)
    client, device = record.client or _NO_CLIENT, record.device or _NO_DEVICE
    written = _said(client.ip_address)
    ip = address(written) if written and len(written) <= _LONGEST_ADDRESS else None
    facts = _facts(record, client, device)
    facts.source_address = written if ip is None else None
    outcome = _outcome((record.outcome or _NO_OUTCOME).result)
    action = _action(record.event_type, outcome)
    facts.event = record.event_type if action != record.event_type else None
    account = _account(record.actor)
    name = _said(device.name)
    event = Event(
        start, end, time, action, account, session=_session(record), device=f"device:{name}" if name else None, ip=ip,
        host=source.host or None, outcome=outcome, time_hi=latest,
    )  # fmt: skip
    if action == "session.okta.fail":  # whoever failed typed that name, and Okta authenticated nobody
        event = event._replace(actor=None, claimed=account)
    return (_aimed(event, record, facts),)


def _when(published: str, zone: str) -> tuple[int, int | None]:
    """Read the time; Okta writes milliseconds, which as microseconds are read faster."""
    if len(published) == _MILLI and published[-1] == "Z" and published[19] == ".":
        return instant(published[:-1] + "000Z", zone)
    return instant(published, zone)


def _said(text: str | None) -> str | None:
    """Return a text that says something: Okta writes null, empty, `null` and `unknown` where it knows nothing."""
    return text if text and text.lower() not in {"null", "unknown"} else None


def _account(entity: _Entity | None) -> str | None:
    name = _said(entity.alternate_id) if entity else None
    return f"okta:{name.lower()}" if name else None


def _session(record: _Record) -> str | None:
    number = _said((record.authentication_context or _NO_AUTHENTICATION).external_session_id)
    return f"okta:{number}" if number else None


def _outcome(result: str | None) -> str | None:
    return "ok" if result in {"SUCCESS", "ALLOW"} else result.lower() if result else None


def _action(event_type: str, outcome: str | None) -> str:
    """Return the contract's word for an event type; the log's own where there is none."""
    if event_type.startswith(_USES):
        return event_type if event_type.startswith(_NO_USE) else "credential.use"
    action = _ACTIONS.get(event_type, event_type)
    if action in {"session.okta.open", "session.sso.open"} and outcome not in {"ok", None}:
        return action.removesuffix("open") + "fail"
    return action


def _facts(record: _Record, client: _Client, device: _Device) -> _Facts:
    actor, agent = record.actor or _NOBODY, client.user_agent or _NO_AGENT
    debug = (record.debug_context.debug_data if record.debug_context else None) or _NO_DEBUG
    place, security, transaction = client.geographical_context, record.security_context, record.transaction
    return _Facts(
        actor_id=_said(actor.id),
        actor_type=_said(actor.type) if actor.type != "User" else None,
        browser=_said(agent.browser),
        client=_said(client.device),
        country=_said(place.country) if place else None,
        credential_type=_said((record.authentication_context or _NO_AUTHENTICATION).credential_type),
        device_id=_said(device.id),
        event_id=_said(record.uuid),
        factor=_said(debug.factor),
        fingerprint=_said(debug.device_fingerprint),
        managed=device.managed,
        os=_said(agent.os),
        privilege=_said(debug.privilege_granted or debug.privilege_revoked),
        proxy=security.is_proxy if security else None,
        reason=_said((record.outcome or _NO_OUTCOME).reason),
        registered=device.registered,
        request=_said(debug.request_uri),
        transaction=_said(transaction.id) if transaction else None,
        user_agent=_said(agent.raw_user_agent),
        zone=_said(client.zone),
    )


# --- what it was done to ------------------------------------------------------------------------------------------


def _aimed(event: Event, record: _Record, facts: _Facts) -> Event:
    """Add whom and what the record is about: the account that is its target, and the app or else the group as its object."""
    targets = _targets(record.target)
    named: dict[str, str] = {}
    others: list[str] = []
    for entity in targets:
        kind = entity.type or ""
        found = _reference(kind, entity)
        if found and kind not in named:
            named[kind] = found
            continue
        said = _said(entity.alternate_id) or entity.display_name or entity.id
        if said and len(others) < MOST_TARGETS:
            others.append(f"{kind}:{said}")
    place = named.get("AppInstance") or named.get("UserGroup")
    if facts.event and facts.event.startswith("group.") and "UserGroup" in named:
        place = named["UserGroup"]
    facts.targets = others or None
    event = event._replace(object=place, target=named.get("User"))
    if facts.event == "user.session.clear" and event.target and event.target != event.actor:
        facts.actor_session = event.session
        event = event._replace(session=None)  # not the administrator's own session ended
    written = _ENCODE(facts).decode()
    return event._replace(attrs=written if written != "{}" else None)


def _reference(kind: str, entity: _Entity) -> str | None:
    if kind == "User":
        return _account(entity)
    name = entity.display_name or entity.alternate_id
    prefix = {"AppInstance": "app", "UserGroup": "group"}.get(kind)
    return f"{prefix}:{name}" if prefix and name else None


def _targets(raw: msgspec.Raw) -> list[_Entity]:
    """Read the list of targets; those of another type than the format's are left out."""
    if not present(raw):
        return []
    try:
        return _TARGETS.decode(raw)
    except (ValueError, RecursionError):
        found = loose(bytes(raw))
    return [fit(_Entity, item) for item in found if isinstance(item, dict)] if isinstance(found, list) else []


SOURCE = Source(
    name="okta",
    reads="Okta's System Log: sign-ins, single sign-on, factors and memberships, by account, device, address and session",
    collect=(
        (
            'curl --fail -H "Authorization: SSWS $TOKEN" -D headers-001.txt -o evidence/okta/system-log-001.json '
            '"https://$ORG/api/v1/logs?since=$FROM&until=$TO&sortOrder=ASCENDING&limit=1000"'
        ),
        'repeat with the link in headers-001.txt that is marked rel="next", counting up, until a page is `[]` or no link follows; keep the pages as they came',
        "at once: nobody can ask for records older than 90 days",
    ),
    reference="https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/",
    tier=Tier.T4,
    keeps="Okta keeps them for 90 days; its customers can neither change nor delete them",
    split=split_json,
    read=read,
)
