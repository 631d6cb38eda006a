"""Cuts a prepared copy into pieces."""

import json
from collections.abc import Iterator
from pathlib import Path

from forensics.model import Evidence, EvidenceFile, Piece
from forensics.sources.git.layout import Role, reference_of
from forensics.sources.git.record import Plain, Record, load

COMMITS = 7500
"""commits of a piece: enough that git's cache of deltas gets warm, few enough to share them out evenly"""
BYTES = 256 << 20
"""of objects; pieces hold fewer commits where their files are large"""
FEWEST = 50


def pieces_of(evidence: Evidence, copy: Path) -> Iterator[Piece]:
    """Yield ranges of commits, then all other objects, then the plain files."""
    record = load(copy)
    objects = EvidenceFile("objects", str(copy), record.canonical)
    number = _number(record)
    for i in range(number):
        first, last = (record.commits * k // number for k in (i, i + 1))
        start, end = (record.canonical * k // number for k in (i, i + 1))
        yield _piece(evidence, objects, {"what": "commits", "first": first, "last": last}, start, end)
    yield _piece(evidence, objects, {"what": "stock"}, 0, record.canonical // 8)
    for plain in record.plain:
        yield _piece(
            evidence, EvidenceFile(plain.file, str(copy / "record" / plain.stored), plain.size, plain.sha256), _context(copy, record, plain)
        )
    yield _piece(evidence, EvidenceFile("other", str(copy), record.other), {"what": "other", "damage": record.damage})


def _piece(evidence: Evidence, file: EvidenceFile, context: dict[str, object], start: int = 0, end: int = -1) -> Piece:
    return Piece(evidence.source, file, start, end, json.dumps(context, sort_keys=True), evidence.work)


def _number(record: Record) -> int:
    if not record.commits:
        return 0
    by_bytes = min(record.canonical // BYTES, record.commits // FEWEST)
    return max(1, -(-record.commits // COMMITS), by_bytes)


def _context(copy: Path, record: Record, plain: Plain) -> dict[str, object]:
    context: dict[str, object] = {"what": plain.role.value, "name": plain.name}
    if plain.role in {Role.REFLOG, Role.REF}:
        context["ref"], linked = reference_of(plain.name)
        if linked:
            context |= {"linked": linked, "worktree": _where(copy, record, linked)}
    return context


def _where(copy: Path, record: Record, linked: str) -> str:
    """Return the folder of a linked work tree, as its `gitdir` file says."""
    for plain in record.plain:
        if plain.name == f"worktrees/{linked}/gitdir":
            data = (copy / "record" / plain.stored).read_bytes()[:4096]
            return data.decode("utf-8", "backslashreplace").strip().removesuffix("/.git")
    return ""
