"""Lays down the safe copy: objects in an empty repository with our own configuration, everything else as numbered plain files.

Nothing of the evidence's own configuration, hooks, attributes, alternates, grafts, replace refs or links lies where git would
find it; not even its refs do: git is asked by object id alone.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from forensics.errors import EvidenceError, RecordError
from forensics.evidence import sha256_of
from forensics.model import Evidence
from forensics.sources.git.bundle import is_bundle, unbundle
from forensics.sources.git.command import BLOCK, blocks
from forensics.sources.git.inventory import take_stock
from forensics.sources.git.layout import Role, git_folders, role_of
from forensics.sources.git.packs import mend
from forensics.sources.git.record import Plain, Record, save
from forensics.sources.git.settings import dangers
from forensics.tars import Entry, entries, is_tar, readable

LARGEST_SETTING = 4 << 20
"""a larger ref or setting is left, with a note"""


def copy_of(work: str, name: str) -> Path:
    """Return where a source's copy lies."""
    return Path(work) / f"{quote(name, safe='')}.git"


def prepare(evidence: Evidence) -> Evidence:
    """Make the safe copy, and note what was left behind.

    EvidenceError where no repository lies there, or one that git can't read.
    """
    if not evidence.work:
        raise EvidenceError("a repository needs a folder for its copy", where=f"source {evidence.source.name!r}")
    copy = copy_of(evidence.work, evidence.source.name)
    shutil.rmtree(copy, ignore_errors=True)
    notes = set(evidence.notes)
    record = _from_bundle(evidence, copy) if is_bundle(evidence) else _from_files(evidence, copy, notes)
    record = take_stock(copy, replace(record, broken=mend(copy, record.algorithm)))
    save(copy, record)
    notes |= set(_remarks(copy, record))
    notes |= {f"unreadable: {record.damage}"} if record.damage else set()
    return replace(evidence, notes=tuple(sorted(notes)))


def _remarks(copy: Path, record: Record) -> Iterator[str]:
    """Say what was left behind or is missing."""
    for file in record.plain:
        if file.role is Role.SETTING:
            for found in dangers(file.name, (copy / "record" / file.stored).read_bytes()):
                yield f"not taken over, {file.file}: {found.what[:200]} ({found.why})"
        elif file.name.startswith("refs/replace/"):
            yield f"replace ref, not obeyed: {file.file}"
    if record.missing:
        yield f"{len(record.missing)} commits are named as parents and are not there, the first: {record.missing[0]}"


def _empty(copy: Path, algorithm: str) -> None:
    """Make an empty repository of our own, without git's templates."""
    for folder in ("objects/pack", "refs", "record"):
        (copy / folder).mkdir(parents=True, exist_ok=True)
    (copy / "HEAD").write_bytes(b"ref: refs/heads/none\n")
    extension = "[extensions]\n\tobjectformat = sha256\n" if algorithm == "sha256" else ""
    version = 1 if extension else 0
    (copy / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{extension}", encoding="ascii")


# --- from a folder or an archive --------------------------------------------------------------------------------


def _from_files(evidence: Evidence, copy: Path, notes: set[str]) -> Record:
    folder, damage = _find(evidence, notes)
    base = folder.removesuffix(".git/") if folder == ".git/" or folder.endswith("/.git/") else folder
    shown_from = len(base) if is_tar(evidence) else 0
    _empty(copy, "sha1")
    plain: list[Plain] = []
    other = 0
    try:
        for entry in entries(evidence, notes):
            name = entry.name[len(folder) :] if entry.name.startswith(folder) else ""
            role = role_of(name) if name else Role.OTHER
            if role is Role.OBJECT:
                _pour(entry, copy / name)
            elif role is Role.OTHER or (role is not Role.REFLOG and entry.size > LARGEST_SETTING):
                other += entry.size
                if role is not Role.OTHER:
                    notes.add(f"too large for what it is, left alone: {readable(entry.name)}")
            else:
                plain.append(_keep(entry, copy, len(plain), readable(entry.name[shown_from:]), name, role))
    except RecordError as error:
        damage = damage or error.what
    algorithm = _algorithm(copy, plain)
    _empty(copy, algorithm)
    return Record(algorithm, tuple(plain), other, damage)


def _find(evidence: Evidence, notes: set[str]) -> tuple[str, str]:
    """Return the git folder within the evidence, and why an archive could not be read to its end."""
    names: list[str] = []
    damage = ""
    try:
        names.extend(entry.name for entry in entries(evidence, notes))
    except RecordError as error:
        damage = error.what
    folders = git_folders(names)
    if not folders:
        raise EvidenceError(
            damage or "no git repository lies there",
            where=f"source {evidence.source.name!r}",
            hint="give a bare repository, a clone with its .git folder, a .tar of either, or a .bundle; collect a linked work tree's main clone",
        )
    notes |= {f"another repository within, not read: {readable(f)}" for f in folders[1:]}
    return folders[0], damage


def _pour(entry: Entry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.path:
        shutil.copyfile(entry.path, target)  # the kernel copies, a good deal faster
        return
    with entry.open() as stream, target.open("wb") as out:
        for data in _upto(entry, blocks(stream)):
            out.write(data)


def _upto(entry: Entry, data: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on blocks, and complain where the file ends early."""
    left = entry.size
    for block in data:
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return
    if left > 0:
        raise RecordError(f"the archive ends within {readable(entry.name)}")


def _keep(entry: Entry, copy: Path, number: int, shown: str, name: str, role: Role) -> Plain:
    target = copy / "record" / f"plain-{number:06d}"
    digest = hashlib.sha256()
    with entry.open() as stream, target.open("wb") as out:
        while data := stream.read(BLOCK):
            digest.update(data)
            out.write(data)
    return Plain(role, shown, readable(name), target.name, target.stat().st_size, digest.hexdigest())


_FORMAT = re.compile(rb"^\s*(?:\[extensions\])?\s*objectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)


def _algorithm(copy: Path, plain: list[Plain]) -> str:
    """Tell the hash that names objects; a configuration that says SHA-256 is the one word of it that is believed."""
    for file in plain:
        if file.name == "config" and _FORMAT.search((copy / "record" / file.stored).read_bytes()):
            return "sha256"
    return "sha1"


# --- from a bundle ----------------------------------------------------------------------------------------------


def _from_bundle(evidence: Evidence, copy: Path) -> Record:
    file = evidence.files[0]
    file = file if file.sha256 else replace(file, sha256=sha256_of(file.path))
    return unbundle(file, copy, _empty)
