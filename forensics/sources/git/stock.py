"""Accounts for every object that is no commit: trees, tags, files, what is damaged; and reads tags and LFS pointers."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.model import Batch, Event, Piece, Reject
from forensics.sources.git.command import BLOCK, Running, blocks, objects
from forensics.sources.git.inventory import LIST, TAGS, TREES, canonical_size, object_id
from forensics.sources.git.objects import as_json, tag_facts, text
from forensics.sources.git.record import Record, load

POINTER = 1024
"""an LFS pointer is smaller: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""
_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n(?:.*\n)*?size (\d{1,18})\n?"
)
_FILES = re.compile(rb"^([0-9a-f]+) blob (\d+)$", re.MULTILINE)
_ENTRIES = rb"(?s)(\d{5,6}) [^\0]+\0(.{%d})"

Ids = npt.NDArray[np.uint64]
"""the first 64 bits of object ids: enough to count bytes by, and a tenth of the memory"""


def read_stock(piece: Piece, copy: Path) -> Iterator[Batch]:
    """Yield the account of trees, tags, files and damaged objects, with the events of tags and pointers."""
    record = load(copy)
    batch = Batch()
    for lost in record.broken:
        batch.rejects.append(Reject(0, lost.size, lost.reason, f"git={lost.id}" if lost.id else None))
    _tags(piece, copy, record, batch)
    small = _count(copy, record, batch)
    yield batch
    yield _pointers(copy, small)


# --- tags -------------------------------------------------------------------------------------------------------


def _tags(piece: Piece, copy: Path, record: Record, batch: Batch) -> None:
    for name, kind, content in objects(copy, copy / TAGS):
        size = canonical_size("tag", len(content))
        if not kind or object_id(kind, content, record.algorithm) != name:
            batch.rejects.append(Reject(0, size if kind else 0, "a damaged tag", f"git={name}"))
            continue
        facts, mail, time = tag_facts(content)
        target = facts.pop("object")
        canonical = b"tag %d\0" % len(content) + content
        batch.parsed += size
        event = Event(
            -1, -1, time, "code.tag",
            object=f"git:{piece.source.repo}#refs/tags/{facts['tag']}", target=f"git:{piece.source.repo}@{target}" if target else None,
            claimed=f"email:{mail}" if mail else None, locator=f"git={name}", sha256=hashlib.sha256(canonical).hexdigest(), attrs=as_json(facts),
        )  # fmt: skip
        batch.events.append(event)


# --- the account ------------------------------------------------------------------------------------------------


def _count(copy: Path, record: Record, batch: Batch) -> list[str]:
    """Book trees as parsed, files that changes name as parsed, other files as skipped; return files that may be pointers."""
    named = _named(copy, record)
    small: list[str] = []
    for lines in _lines(copy):
        for size in re.findall(rb" tree (\d+)$", lines, re.MULTILINE):
            batch.parsed += canonical_size("tree", int(size))
        files = _FILES.findall(lines)
        if files:
            sizes = np.array([canonical_size("blob", int(size)) for _, size in files], np.int64)
            seen = _among(_short([name for name, _ in files]), named)
            batch.parsed += int(sizes[seen].sum())
            batch.skipped += int(sizes[~seen].sum())
            small += [name.decode() for name, size in files if len(_SHORTEST) < int(size) < POINTER]
    return sorted(small)


def _among(ids: Ids, known: Ids) -> npt.NDArray[np.bool_]:
    """Tell for each id whether it is among known ones, which are sorted (thirty times faster than numpy's own `isin`)."""
    if not known.size:
        return np.zeros(ids.size, np.bool_)
    places = np.minimum(np.searchsorted(known, ids), known.size - 1)
    among: npt.NDArray[np.bool_] = known[places] == ids
    return among


_SHORTEST = "version https://git-lfs.github.com/spec/v1\noid sha256:"


def _lines(copy: Path) -> Iterator[bytes]:
    rest = b""
    with (copy / LIST).open("rb") as stream:
        for data in blocks(stream):
            whole, _, rest = (rest + data).rpartition(b"\n")
            yield whole


def _short(names: list[bytes]) -> Ids:
    return np.frombuffer(bytes.fromhex(b"".join(n[:16] for n in names).decode()), ">u8").astype(np.uint64)


def _named(copy: Path, record: Record) -> Ids:
    """Return the files that the commits' trees hold: each was named by the change that brought it."""
    parts: list[Ids] = []
    width = 65 if record.algorithm == "sha256" else 41
    asked = ("rev-list", "--objects", "--no-object-names", "--missing=allow-any", "--stdin")
    with (copy / TREES).open("rb", buffering=0) as feed, Running(copy, *asked, feed=feed) as command:
        rest = b""
        for data in blocks(command.stdout, width * (BLOCK // width)):
            lines, rest = (rest + data)[: len(rest + data) // width * width], (rest + data)[len(rest + data) // width * width :]
            hexes = np.frombuffer(lines, np.uint8).reshape(-1, width)[:, :16]
            parts.append(np.frombuffer(bytes.fromhex(hexes.tobytes().decode()), ">u8").astype(np.uint64))
        done = command.finish()
    return np.sort(np.concatenate(parts)) if done and parts else _named_by_trees(copy, record)


def _named_by_trees(copy: Path, record: Record) -> Ids:
    """Return the files that any readable tree holds, where git stumbles over a damaged one."""
    trees = copy / "record" / "all-trees"
    with trees.open("wb") as out:
        for lines in _lines(copy):
            out.write(b"".join(name + b"\n" for name in re.findall(rb"^([0-9a-f]+) tree \d+$", lines, re.MULTILINE)))
    pattern = re.compile(_ENTRIES % (32 if record.algorithm == "sha256" else 20))
    found: set[bytes] = set()
    for _, kind, content in objects(copy, trees):
        if kind == "tree":
            found |= {name[:8] for _, name in pattern.findall(content)}
    return np.frombuffer(b"".join(sorted(found)), ">u8").astype(np.uint64)


# --- LFS pointers -----------------------------------------------------------------------------------------------


def _pointers(copy: Path, small: list[str]) -> Batch:
    """Read files that stand for a larger one elsewhere. Their bytes are booked with the other files."""
    batch = Batch()
    if not small:
        return batch
    wanted = copy / "record" / "small"
    wanted.write_text("".join(f"{name}\n" for name in small), encoding="ascii")
    for name, kind, content in objects(copy, wanted):
        found = _POINTER.match(content) if kind == "blob" else None
        if not found:
            continue
        canonical = b"blob %d\0" % len(content) + content
        event = Event(
            -1, -1, None, "object.pointer",
            object=f"sha256:{found.group(1).decode()}", locator=f"git={name}", sha256=hashlib.sha256(canonical).hexdigest(),
            attrs=as_json({"blob": name, "size": int(found.group(2)), "pointer": text(content)}),
        )  # fmt: skip
        batch.events.append(event)
    return batch
