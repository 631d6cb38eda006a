"""Which commits refs and reflogs name, and how lines of these files read."""

import re
from pathlib import Path

from forensics.sources.git.layout import Role, reference_of
from forensics.sources.git.record import Record

_ID = rb"(?:[0-9a-f]{64}|[0-9a-f]{40})"
ENTRY = re.compile(rb"(" + _ID + rb") (" + _ID + rb") (.*?) ?<([^>]*)> (-?\d{1,20}) ([+-]\d{1,8})(?:\t(.*))?$", re.DOTALL)
"""a reflog's line: old, new, who, address, when, zone, message (https://git-scm.com/docs/git-reflog)"""
PACKED = re.compile(rb"(" + _ID + rb") (.+)$", re.DOTALL)
LOOSE = re.compile(rb"(" + _ID + rb")\s*$|ref:\s*(\S.*?)\s*$", re.DOTALL)
FETCHED = re.compile(rb"(" + _ID + rb")\t(.*)$", re.DOTALL)
_LASTING = re.compile(r"refs/.+|HEAD", re.DOTALL)


def named_by_refs(copy: Path, record: Record) -> set[str]:
    """Return the ids that refs and HEADs hold."""
    names: set[str] = set()
    for file in record.plain:
        if file.role not in {Role.PACKED_REFS, Role.REF} or (file.role is Role.REF and not _LASTING.fullmatch(reference_of(file.name)[0])):
            continue
        pattern = PACKED if file.role is Role.PACKED_REFS else LOOSE
        lines = (copy / "record" / file.stored).read_bytes().split(b"\n")
        names |= {found.group(1).decode() for line in lines if (found := pattern.match(line)) and found.group(1)}
    return names


def named_by_reflogs(copy: Path, record: Record) -> set[str]:
    """Return the ids that reflogs hold, old and new."""
    names: set[str] = set()
    for file in record.plain:
        if file.role is Role.REFLOG:
            with (copy / "record" / file.stored).open("rb") as stream:
                names |= {name.decode() for line in stream if (found := ENTRY.match(line.rstrip(b"\n"))) for name in found.group(1, 2)}
    return names
