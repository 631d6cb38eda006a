"""GitHub's list of a repository's activities: who moved which branch from which commit to which, as JSON pages or an activity a line."""

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


class _Actor(msgspec.Struct, gc=False):
    id: int | None = None
    login: str | None = None
    type: str | None = None


class _Repository(msgspec.Struct, gc=False):
    full_name: str | None = None


class _Activity(msgspec.Struct, gc=False):
    """An activity: https://docs.github.com/en/rest/repos/repos#list-repository-activities ; zeros stand for no commit."""

    id: int | None = None
    node_id: str | None = None
    before: str | None = None
    after: str | None = None
    ref: str | None = None
    timestamp: str | None = None
    activity_type: str | None = None
    actor: _Actor | None = None
    """null where the account is no more"""
    repository: _Repository | None = None
    """added by some exports; the format itself has none"""


_DECODER = msgspec.json.Decoder(_Activity)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ENDING = re.compile(r"\.(?:gz|zst|json|jsonl|ndjson)$")
_PAGE = re.compile(r"(?:^|[-_.])(?:page[-_.]?\d{1,6}|0\d{1,5})$", re.ASCII)
"""what tells a page: `page` with its number, or a number written with zeros, for other numbers belong to names"""
_FOREIGN = re.compile(r"[^\w.-]", re.ASCII)
"""what no repository's name has on GitHub, and what would break a reference"""


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a page or lines of activities into rows."""
    return each_json(piece, partial(_parse, piece.source, piece.source.repo or f"?{_named_by(f'{piece.source.path}/{piece.file.file}')}"))


def _named_by(path: str) -> str:
    """Return the repository that a file is named after, or its folder where the file's name is but a page's."""
    for part in reversed(path.split("/")):
        name = part
        while found := _ENDING.search(name):
            name = name[: found.start()]
        name = _PAGE.sub("", name)
        if name:
            return _FOREIGN.sub("_", name)
    return ""


def _parse(source: SourceConfig, repo: str, data: bytes, start: int, end: int) -> tuple[Event]:
    activity = decode(_DECODER, data)
    if activity.activity_type is None or activity.timestamp is None:
        raise RecordError("no GitHub activity: it has no " + ("activity_type" if activity.activity_type is None else "timestamp"))
    time, latest = instant(activity.timestamp, source.timezone)
    actor = activity.actor or _Actor()
    repo, ref = _repository(activity) or repo, activity.ref
    if ref and not ref.startswith("refs/"):
        ref = f"refs/heads/{ref}"
    return (
        Event(
            start,
            end,
            time,
            "code.push",
            actor=f"github:{actor.login}" if actor.login else None,
            object=f"git:{repo}#{ref}" if ref else f"git:{repo}",
            target=_commit(repo, activity.after),
            prior=_commit(repo, activity.before),
            host=source.host or None,
            time_hi=latest,
            attrs=attrs(_facts(activity, actor)),
        ),
    )


def _repository(activity: _Activity) -> str | None:
    """Return the name behind the last slash, as references have it."""
    full = (activity.repository.full_name if activity.repository else None) or ""
    return full.rstrip("/").rpartition("/")[2].removesuffix(".git") or None


def _commit(repo: str, sha: str | None) -> str | None:
    """Return the commit's reference; None where zeros, or what is no commit id, stand in its place."""
    return f"git:{repo}@{sha}" if sha and _SHA.fullmatch(sha) and sha.strip("0") else None


def _facts(activity: _Activity, actor: _Actor) -> dict[str, object]:
    return {
        "action": activity.activity_type,
        "actor_id": actor.id,
        "actor_type": actor.type,
        "id": activity.id,
        "node_id": activity.node_id,
        "project": activity.repository.full_name if activity.repository else None,
    }


SOURCE = Source(
    name="github_activity",
    reads="GitHub's list of a repository's activities: pushes, force pushes, merges, branches made and deleted, by account and commit",
    collect=(
        'gh api --paginate "/repos/$ORG/$REPO/activity?direction=asc&per_page=100" > "evidence/github/activity/$REPO.json"',
        "one file a repository, named after it: the records do not say which repository they are of",
    ),
    reference="https://docs.github.com/en/rest/repos/repos#list-repository-activities",
    tier=Tier.T3,
    keeps="GitHub keeps it beside the repository, for a term that it does not lay down",
    split=split_json,
    read=read,
)
