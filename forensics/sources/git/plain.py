"""Reads the plain files: reflogs, refs, and the settings that were left behind."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from forensics.errors import RecordError
from forensics.model import Batch, Event, Piece, Reject
from forensics.records import each_line
from forensics.sources.git.layout import Role
from forensics.sources.git.names import ENTRY, FETCHED, LOOSE, PACKED
from forensics.sources.git.objects import as_json, nanoseconds, text
from forensics.sources.git.settings import dangers


def read_plain(piece: Piece, context: dict[str, Any]) -> Iterator[Batch]:
    """Read one plain file; refs and settings are booked as skipped, as the contract counts them."""
    role = Role(context["what"])
    if role is Role.REFLOG:
        yield from each_line(piece, partial(_entry, piece, context))
        return
    if role is Role.SETTING:
        yield _setting(piece, context)
        return
    parse = _packed if role is Role.PACKED_REFS else _ref
    for batch in each_line(piece, partial(parse, piece, context)):
        # what can't be read stays a rejected row of no bytes: the account of refs is "skipped" throughout
        lost = [Reject(r.start, r.start, r.reason) for r in batch.rejects]
        yield Batch(batch.events, lost, 0, batch.parsed + batch.skipped + sum(r.end - r.start for r in batch.rejects))


def _base(piece: Piece, context: dict[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {"role": piece.source.role} if piece.source.role else {}
    worktree = context.get("worktree") or piece.source.worktree
    if worktree:
        facts["worktree"] = worktree
    if context.get("linked"):
        facts["linked_worktree"] = context["linked"]
    return facts


def _object(piece: Piece, name: str) -> str | None:
    return f"git:{piece.source.repo}@{name}" if name.strip("0") else None


def _entry(piece: Piece, context: dict[str, Any], line: bytes, start: int, end: int) -> Iterable[Event]:
    found = ENTRY.match(line)
    if not found:
        raise RecordError("not a reflog entry")
    old, new, who, address, seconds, zone, message = found.groups()
    time, note = nanoseconds(seconds)
    facts = _base(piece, context) | {"message": text(message or b""), "name": text(who), "zone": text(zone)}
    if note:
        facts["note"] = note
    entry = Event(
        start, end, time, "ref.update",
        object=f"git:{piece.source.repo}#{context['ref']}", target=_object(piece, new.decode()), prior=_object(piece, old.decode()),
        claimed=f"email:{text(address)}" if address else None, host=piece.source.host or None, attrs=as_json(facts),
    )  # fmt: skip
    return [entry]


def _state(piece: Piece, start: int, end: int, ref: str, target: bytes, facts: dict[str, object]) -> Event:
    return Event(
        start, end, None, "ref.state",
        object=f"git:{piece.source.repo}#{ref}", target=_object(piece, target.decode()), host=piece.source.host or None, attrs=as_json(facts),
    )  # fmt: skip


def _ref(piece: Piece, context: dict[str, Any], line: bytes, start: int, end: int) -> Iterable[Event] | None:
    found, fetched = LOOSE.match(line), FETCHED.match(line)
    facts = _base(piece, context)
    if found and found.group(2):
        return [_state(piece, start, end, context["ref"], b"", facts | {"symbolic": text(found.group(2))})]
    if found:
        return [_state(piece, start, end, context["ref"], found.group(1), facts)]
    if fetched:
        return [_state(piece, start, end, context["ref"], fetched.group(1), facts | {"fetched": text(fetched.group(2))})]
    raise RecordError("not a ref: neither an object id nor the name of another ref")


def _packed(piece: Piece, context: dict[str, Any], line: bytes, start: int, end: int) -> Iterable[Event] | None:
    """Read a line of packed-refs, or of a bundle's head (https://git-scm.com/docs/git-pack-refs)."""
    if line.startswith((b"#", b"^", b"@", b"-")):
        return None
    found = PACKED.match(line)
    if not found:
        raise RecordError("not a packed ref: an object id and a name")
    return [_state(piece, start, end, text(found.group(2)), found.group(1), _base(piece, context))]


def _setting(piece: Piece, context: dict[str, Any]) -> Batch:
    data = Path(piece.file.path).read_bytes()
    batch = Batch(skipped=len(data))
    for found in dangers(context["name"], data) if data else ():
        facts: dict[str, object] = {"file": piece.file.file, "what": found.what, "why": found.why, "left_out": True}
        batch.events.append(
            Event(
                found.start,
                found.end,
                None,
                "repository.note",
                object=f"git:{piece.source.repo}",
                host=piece.source.host or None,
                attrs=as_json(facts),
            )
        )
    return batch
