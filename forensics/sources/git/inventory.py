"""Which objects there are: lists them all, lays the commits' bytes beside the copy, and tells what reaches each commit."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from forensics.errors import EvidenceError
from forensics.sources.git.command import Running, blocks, objects, run
from forensics.sources.git.names import named_by_reflogs, named_by_refs
from forensics.sources.git.record import Broken, Record

LARGEST_COMMIT = 8 << 20
"""a larger commit or tag is rejected"""
LIST, COMMITS, TABLE, TREES, TAGS, ORDER = (f"record/{n}" for n in ("list", "commits", "commits.npy", "trees", "tags", "order"))

ROW = np.dtype([("id", "S64"), ("parent", "S64"), ("offset", "i8"), ("size", "i8"), ("reach", "S1"), ("whole", "?"), ("merge", "?")])
"""a commit: its first parent, the place of its bytes, named by a Ref, a Log or Nothing; whether its first parent is there; more than one"""

_LINE = re.compile(rb" (commit|tag|missing)(?: (\d+))?(?=\n)")
"""behind an object's id; looked for by its first letters, which is ten times faster than from the line's beginning"""
_LINKS = re.compile(rb"tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)")
_TAGGED = re.compile(rb"object ([0-9a-f]+)\n")
_WHEN = re.compile(rb"\ncommitter [^\n]*> (-?\d{1,18}) ")


def canonical_size(kind: str, size: int) -> int:
    """Return the length of the bytes that an object's id is the hash of."""
    return len(f"{kind} {size}") + 1 + size


def take_stock(copy: Path, record: Record) -> Record:
    """List all objects and the commits, oldest first; return the record with their number, bytes and what is damaged."""
    listed = _list(copy, record.algorithm)
    known = {b.id for b in record.broken}
    broken = [b for b in record.broken if not b.id or b.id in listed.damaged or not _readable(copy, b.id)]
    broken += [Broken(name, "a damaged object", _stored(copy, name)) for name in listed.damaged if name not in known]
    found, lost = _commits(copy, record.algorithm)
    broken += lost + listed.large
    absent = _order(copy, record, found)
    return replace(record, broken=tuple(sorted(broken)), commits=len(found.ids), canonical=listed.total, missing=tuple(absent))


@dataclass(slots=True)
class _Listed:
    """What the list of all objects says."""

    total: int = 0
    """canonical bytes"""
    tags: list[bytes] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    large: list[Broken] = field(default_factory=list)

    def take(self, lines: bytes, width: int) -> Iterator[bytes]:
        """Read some lines; yield the ids of commits."""
        self.total += _sum(lines)
        for found in _LINE.finditer(lines):
            name, kind, size = lines[found.start() - width : found.start()], found.group(1), int(found.group(2) or 0)
            if kind == b"missing":
                self.damaged.append(name.decode())
            elif size > LARGEST_COMMIT:
                what = kind.decode()
                self.large.append(Broken(name.decode(), f"a {what} of more than {LARGEST_COMMIT} bytes", canonical_size(what, size)))
            elif kind == b"commit":
                yield name
            else:
                self.tags.append(name)


def _list(copy: Path, algorithm: str) -> _Listed:
    """Have git list every object with type and size, and keep the list."""
    listed = _Listed()
    width, rest = 64 if algorithm == "sha256" else 40, b""
    asked = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer")
    with Running(copy, *asked) as command, (copy / LIST).open("wb") as out, (copy / ORDER).open("wb") as ids:
        for data in blocks(command.stdout):
            out.write(data)
            whole, cut, rest = (rest + data).rpartition(b"\n")
            ids.writelines(name + b"\n" for name in listed.take(whole + cut, width))
        if not command.finish():
            raise EvidenceError(f"git can't list the objects: {command.complaint}", hint="check with `git fsck` on a copy")
    (copy / TAGS).write_bytes(b"".join(name + b"\n" for name in sorted(listed.tags)))
    return listed


def _sum(lines: bytes) -> int:
    """Return the canonical bytes of listed objects: content, and a header of type, blank, size and NUL."""
    if b" missing" in lines:
        lines = re.sub(rb"[0-9a-f]+ missing\n", b"", lines)
    words = lines.split()
    sizes = words[2::3]
    return sum(map(int, sizes)) + sum(map(len, words[1::3])) + sum(map(len, sizes)) + 2 * len(sizes)


def _stored(copy: Path, name: str) -> int:
    loose = copy / "objects" / name[:2] / name[2:]
    return loose.stat().st_size if loose.exists() else 0


def _readable(copy: Path, name: str) -> bool:
    return run(copy, "cat-file", "-e", "--end-of-options", name)[0]


class _Found:
    """Commits in the order in which they are stored, column by column."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.parents: list[list[str]] = []
        self.offsets: list[int] = []
        self.sizes: list[int] = []
        self.times: list[int] = []
        self.trees: list[bytes] = []


def _commits(copy: Path, algorithm: str) -> tuple[_Found, list[Broken]]:
    """Lay the commits' contents one behind the other into a file; those whose bytes are not what their id says are damaged."""
    found, lost = _Found(), []
    place = 0
    with (copy / COMMITS).open("wb") as out:
        for name, kind, content in objects(copy, copy / ORDER):
            reason = _unsound(name, kind, content, algorithm)
            links = _LINKS.match(content)
            if reason or links is None:
                size = canonical_size("commit", len(content)) if kind else _size_listed(copy, name)
                lost.append(Broken(name, reason or "a commit without a tree", size))
                continue
            found.ids.append(name)
            found.parents.append([p.decode() for p in links.group(2).split()[1::2]] if links.group(2) else [])
            found.offsets.append(place)
            found.sizes.append(len(content))
            when = _WHEN.search(content)
            found.times.append(int(when.group(1)) if when else 0)
            found.trees.append(links.group(1))
            place += out.write(content)
    return found, lost


def _unsound(name: str, kind: str, content: bytes, algorithm: str) -> str:
    if not kind:
        return "a damaged object"
    if object_id(kind, content, algorithm) != name:
        return "the bytes are not those that the object's id stands for"
    return ""


def object_id(kind: str, content: bytes, algorithm: str) -> str:
    """Return the id of an object with that content."""
    digest = hashlib.new(algorithm, b"%s %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _size_listed(copy: Path, name: str) -> int:
    """Return the canonical size of an object whose header could be read, though not its content."""
    with (copy / LIST).open("rb") as stream:
        for line in stream:
            if line.startswith(name.encode()):
                words = line.split()
                return canonical_size(words[1].decode(), int(words[2])) if len(words) == 3 else 0
    return 0


def _order(copy: Path, record: Record, found: _Found) -> list[str]:
    """Write the table of commits, by date and then by id (neighbours share files, so git finds them in its cache)."""
    links = dict(zip(found.ids, found.parents, strict=True))
    whole = set(links)
    absent = sorted({p for parents in found.parents for p in parents} - whole)
    links |= _tags(copy)
    by_ref = _reached(links, named_by_refs(copy, record))
    by_log = _reached(links, named_by_reflogs(copy, record))
    order = sorted(range(len(found.ids)), key=lambda i: (found.times[i], found.ids[i]))
    ids, parents = [found.ids[i] for i in order], [found.parents[i] for i in order]
    table = np.zeros(len(order), ROW)
    table["id"] = np.array(ids, "S64")
    table["parent"] = np.array([p[0] if p else "" for p in parents], "S64")
    table["offset"], table["size"] = ([column[i] for i in order] for column in (found.offsets, found.sizes))
    table["reach"] = np.array(["r" if name in by_ref else "l" if name in by_log else "n" for name in ids], "S1")
    table["whole"] = [not p or p[0] in whole for p in parents]
    table["merge"] = [len(p) > 1 for p in parents]
    (copy / TREES).write_bytes(b"".join(found.trees[i] + b"\n" for i in order))
    np.save(copy / TABLE, table, allow_pickle=False)
    return absent


def _tags(copy: Path) -> dict[str, list[str]]:
    """Return what each annotated tag stands for."""
    found = ((name, _TAGGED.match(content)) for name, _, content in objects(copy, copy / TAGS))
    return {name: [target.group(1).decode()] for name, target in found if target}


def _reached(links: dict[str, list[str]], tips: set[str]) -> set[str]:
    seen = tips & links.keys()
    waiting = list(seen)
    while waiting:
        for parent in links[waiting.pop()]:
            if parent in links and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def rows_of(copy: Path, first: int, last: int) -> npt.NDArray[Any]:
    """Return rows of the table of commits."""
    table: npt.NDArray[Any] = np.load(copy / TABLE, mmap_mode="r", allow_pickle=False)
    return table[first:last]


def contents(stream: BinaryIO, rows: npt.NDArray[Any]) -> Iterator[bytes]:
    """Yield the content of each commit of these rows."""
    for offset, size in zip(rows["offset"].tolist(), rows["size"].tolist(), strict=True):
        stream.seek(offset)
        yield stream.read(size)


def read_object(copy: Path, name: str) -> bytes:
    """Return an object's canonical bytes (header and content); EvidenceError where it is not there, damaged or not what its id says."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", name):
        raise EvidenceError("is no full object id", where=name[:80], hint="give all 40 or 64 digits")
    wanted = copy / "record" / "wanted"
    wanted.write_bytes(name.encode() + b"\n")
    _, kind, content = next(objects(copy, wanted), ("", "", b""))
    if not kind or object_id(kind, content, "sha256" if len(name) == 64 else "sha1") != name:
        raise EvidenceError("the repository holds no sound object of that id", where=name, hint="see the rejected rows of this source")
    return b"%s %d\0" % (kind.encode(), len(content)) + content
