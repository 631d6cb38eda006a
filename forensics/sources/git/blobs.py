"""Reads the contents of a few files, or of folders as git keeps them, out of the safe copies, bounded in number and size: what is too large, damaged or missing is left out."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from forensics.sources.git import command

LARGEST = 1 << 20
"""bytes of one file; larger ones are seldom written by hand"""
MOST = 64 << 20
"""bytes of all files of one question"""
COUNT = 5000
"""files of one question"""
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA1 = 40
_KINDS = ("blob", "tree")


def read_blobs(copies: Sequence[Path], ids: Collection[str]) -> dict[str, bytes]:
    """Return id -> content, from whichever copy holds it; the same ids give the same answer."""
    wanted = sorted(i for i in set(ids) if _ID.fullmatch(i))[:COUNT]
    found: dict[str, bytes] = {}
    room = MOST
    for copy in copies:
        for length in sorted({len(i) for i in wanted}):
            for name, content in _from(copy, [i for i in wanted if len(i) == length and i not in found], room):
                found[name] = content
                room -= len(content)
    return found


def reader(copies: Sequence[Path]) -> Callable[[Collection[str]], dict[str, bytes]]:
    """Return `read_blobs` over these copies that remembers what it read, as far as one question's room goes: causes ask for the same files again."""
    known: dict[str, bytes | None] = {}
    used = 0

    def read(ids: Collection[str]) -> dict[str, bytes]:
        nonlocal used
        new = {i for i in ids if i not in known and i.strip("0")}
        fresh = read_blobs(copies, new)
        size = sum(map(len, fresh.values()))
        if len(new) <= COUNT and used + size <= MOST:
            used += size
            known.update({i: fresh.get(i) for i in new})
        held = {i: content for i in ids if (content := known.get(i)) is not None}
        return dict(sorted((held | fresh).items()))

    return read


def _from(copy: Path, ids: list[str], room: int) -> Iterator[tuple[str, bytes]]:
    """Yield (id, content) of the files that a copy holds, as far as there is room for them."""
    if not ids or not copy.is_dir():
        return
    chosen = []
    for name, size in _sizes(copy, ids):
        if size <= min(LARGEST, room):
            chosen.append(name)
            room -= size
    if not chosen:
        return
    with tempfile.NamedTemporaryFile(dir=copy) as names:
        names.write("".join(f"{name}\n" for name in chosen).encode())
        names.flush()
        for name, kind, content in command.objects(copy, Path(names.name)):
            if kind in _KINDS and _is(name, kind, content):
                yield name, content


def _sizes(copy: Path, ids: list[str]) -> Iterator[tuple[str, int]]:
    """Yield (id, bytes) of those that are files or folders, without unpacking them."""
    with tempfile.TemporaryFile(dir=copy) as feed:
        feed.write("".join(f"{name}\n" for name in ids).encode())
        feed.seek(0)
        _, answer, _ = command.run(copy, "cat-file", "--batch-check", feed=feed)
    for line in answer.decode("ascii", "replace").splitlines():
        name, _, rest = line.partition(" ")
        kind, _, size = rest.partition(" ")
        if kind in _KINDS and size.isascii() and size.isdigit():
            yield name, int(size)


def _is(name: str, kind: str, content: bytes) -> bool:
    """Tell whether a content is the one that its id is the hash of."""
    head = b"%s %d\x00" % (kind.encode(), len(content))
    return hashlib.new("sha1" if len(name) == _SHA1 else "sha256", head + content, usedforsecurity=False).hexdigest() == name
