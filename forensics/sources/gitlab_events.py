"""GitLab's Events API: pushes, merges, approvals and what else a forge's users did, as JSON pages or an event a line."""

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from forensics.errors import RecordError
from forensics.fields import attrs, decode
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_json, split_json
from forensics.source import Source
from forensics.times import instant


class _Author(msgspec.Struct, gc=False):
    username: str | None = None


class _Project(msgspec.Struct, gc=False):
    path_with_namespace: str | None = None


class _Note(msgspec.Struct, gc=False):
    noteable_type: str | None = None
    noteable_iid: int | None = None


class _Push(msgspec.Struct, gc=False):
    """What was pushed (https://docs.gitlab.com/api/events/): `commit_from` is null for a new ref, `commit_to` for a deleted one."""

    action: str | None = None
    commit_count: int | None = None
    commit_from: str | None = None
    commit_to: str | None = None
    commit_title: str | None = None
    ref: str | None = None
    ref_type: str | None = None
    ref_count: int | None = None
    """refs that were pushed at once; `ref` is null then"""


class _Entry(msgspec.Struct, gc=False):
    id: int | None = None
    project_id: int | None = None
    project: _Project | None = None
    project_path: str | None = None
    action_name: str | None = None
    target_type: str | None = None
    target_id: int | None = None
    target_iid: int | None = None
    target_title: str | None = None
    created_at: str | None = None
    author: _Author | None = None
    author_username: str | None = None
    author_id: int | None = None
    note: _Note | None = None
    push_data: _Push | None = None

    def path(self) -> str | None:
        """Return `<group>/<project>`, which some exports carry."""
        return self.project_path or (self.project.path_with_namespace if self.project else None)


_DECODER = msgspec.json.Decoder(_Entry)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MERGE_REQUEST = {"accepted": "code.merge", "approved": "code.review", "opened": "code.request"}


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a page or lines of events into rows."""
    return each_json(piece, partial(_parse, piece.source))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> tuple[Event]:
    entry = decode(_DECODER, data)
    if entry.action_name is None or entry.created_at is None:
        raise RecordError("no GitLab event: it has no " + ("action_name" if entry.action_name is None else "created_at"))
    time, latest = instant(entry.created_at, source.timezone)
    user = entry.author_username or (entry.author.username if entry.author else None)
    event = Event(start, end, time, "log.message", f"gitlab:{user}" if user else None, time_hi=latest, host=source.host or None)
    return (_push(source, entry, entry.push_data, event) if entry.push_data else _other(entry, event),)


def _push(source: SourceConfig, entry: _Entry, push: _Push, event: Event) -> Event:
    """`pushed to`, `pushed new` and `deleted`: a ref went from one commit to another."""
    repo = _repository(source, entry)
    folder = "tags" if push.ref_type == "tag" else "heads"
    ref = push.ref if push.ref is None or push.ref.startswith("refs/") else f"refs/{folder}/{push.ref}"
    facts = {
        "action": push.action or entry.action_name, "commits": push.commit_count, "title": push.commit_title, "refs": push.ref_count,
    } | _facts(entry)  # fmt: skip
    return event._replace(
        action="code.push",
        object=f"git:{repo}#{ref}" if ref else f"git:{repo}",
        target=_commit(repo, push.commit_to),
        prior=_commit(repo, push.commit_from),
        attrs=attrs(facts),
    )


def _repository(source: SourceConfig, entry: _Entry) -> str:
    """Name the repository as the contract does; `?<project id>` where the event tells no more, which commit ids resolve later."""
    path = entry.path()
    if path:
        return path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return source.repo or f"?{'' if entry.project_id is None else entry.project_id}"


def _commit(repo: str, sha: str | None) -> str | None:
    """Return the commit's reference; GitLab writes null, and older versions zeros, where there is none."""
    return f"git:{repo}@{sha}" if sha and _SHA.fullmatch(sha) and sha.strip("0") else None


def _other(entry: _Entry, event: Event) -> Event:
    """Whatever is no push: of a merge request, its acceptance, approval and opening are acts of their own."""
    kind, number = entry.target_type, entry.target_iid
    if entry.note is not None and entry.note.noteable_type == "MergeRequest":
        number = entry.note.noteable_iid
    elif kind != "MergeRequest":
        number = None
    action = _MERGE_REQUEST.get(entry.action_name or "", event.action) if kind == "MergeRequest" else event.action
    facts = {"action": entry.action_name, "target_type": kind, "target_id": entry.target_id, "title": entry.target_title} | _facts(entry)
    place = f"gitlab:{'' if entry.project_id is None else entry.project_id}!{number}" if number is not None else None
    return event._replace(action=action, object=place, attrs=attrs(facts))


def _facts(entry: _Entry) -> dict[str, object]:
    return {"event_id": entry.id, "project_id": entry.project_id, "project": entry.path(), "author_id": entry.author_id}


SOURCE = Source(
    name="gitlab_events",
    reads="GitLab's Events API: pushes, merge requests, approvals, comments",
    collect=(
        'curl --fail --header "PRIVATE-TOKEN: $TOKEN" "https://$HOST/api/v4/projects/$ID/events?per_page=100&page=1" -o events-001.json',
        "repeat with the next page until it is `[]`; keep the pages as they came",
    ),
    reference="https://docs.gitlab.com/api/events/",
    tier=Tier.T3,
    keeps="GitLab keeps push and other events for three years, on the server",
    split=split_json,
    read=read,
)
