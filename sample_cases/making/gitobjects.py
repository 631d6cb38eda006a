"""Git objects, packs, indexes and reflogs, written without git, so that their bytes depend on no version of it.

Formats: git-scm.com/docs/gitformat-pack, gitformat-index, gitrepository-layout.
"""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from making.stored import zlib_stream

Objects = dict[str, tuple[str, bytes]]
"""Object id to kind and content."""
PACK_KIND = {"commit": 1, "tree": 2, "blob": 3}
NOTHING = "0" * 40


def put(objects: Objects, kind: str, content: bytes) -> str:
    """Add an object and return its id."""
    name = hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()
    objects[name] = (kind, content)
    return name


def put_tree(objects: Objects, files: dict[str, bytes]) -> str:
    """Add the blobs and trees of a work tree and return the id of its root."""
    here: dict[str, tuple[bytes, str]] = {}
    below: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        head, slash, rest = path.partition("/")
        if slash:
            below.setdefault(head, {})[rest] = content
        else:
            here[head] = (b"100644", put(objects, "blob", content))
    for folder, inside in below.items():
        here[folder + "/"] = (b"40000", put_tree(objects, inside))
    rows = [mode + b" " + name.rstrip("/").encode() + b"\0" + bytes.fromhex(sha) for name, (mode, sha) in sorted(here.items())]
    return put(objects, "tree", b"".join(rows))


def put_commit(objects: Objects, tree: str, parents: list[str], author: str, committer: str, message: str) -> str:
    """Add a commit; author and committer are complete lines: name, address, time, zone."""
    lines = [f"tree {tree}", *(f"parent {p}" for p in parents), f"author {author}", f"committer {committer}", "", message, ""]
    return put(objects, "commit", "\n".join(lines).encode())


def reachable(objects: Objects, tips: Iterable[str]) -> set[str]:
    """Return every object that these commits lead to."""
    seen: set[str] = set()
    todo = list(tips)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += _leads_to(objects, name)
    return seen


def _leads_to(objects: Objects, name: str) -> list[str]:
    """List the objects that one object names."""
    kind, content = objects[name]
    if kind == "commit":
        head = content.decode().split("\n\n", 1)[0].split("\n")
        return [line.split(" ")[1] for line in head if line.startswith(("tree ", "parent "))]
    return _entries(content) if kind == "tree" else []


def _entries(tree: bytes) -> list[str]:
    """List the ids in a tree."""
    found, at = [], 0
    while at < len(tree):
        end = tree.index(b"\0", at) + 1
        found.append(tree[end : end + 20].hex())
        at = end + 20
    return found


def pack(objects: Objects, names: Iterable[str]) -> dict[str, bytes]:
    """Write a pack and its index: commits first, then trees, then blobs."""
    order = sorted(names, key=lambda n: (PACK_KIND[objects[n][0]], n))
    body = bytearray(b"PACK" + (2).to_bytes(4, "big") + len(order).to_bytes(4, "big"))
    rows = []
    for name in order:
        entry = _pack_entry(*objects[name])
        rows.append((bytes.fromhex(name), zlib.crc32(entry), len(body)))
        body += entry
    body += hashlib.sha1(body).digest()
    title = "objects/pack/pack-" + hashlib.sha1(b"".join(sorted(r[0] for r in rows))).hexdigest()
    return {title + ".pack": bytes(body), title + ".idx": _pack_index(sorted(rows), bytes(body[-20:]))}


def _pack_entry(kind: str, content: bytes) -> bytes:
    """Write one object of a pack: kind and size in a variable number of bytes, then the stored stream."""
    size = len(content)
    head = [PACK_KIND[kind] << 4 | size & 15]
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + zlib_stream(content)


def _pack_index(rows: list[tuple[bytes, int, int]], checksum: bytes) -> bytes:
    """Write a version 2 index: counts by first byte, ids, checksums, offsets."""
    first = Counter(r[0][0] for r in rows)
    fanout = accumulate(first[byte] for byte in range(256))
    out = b"\xfftOc" + (2).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in fanout)
    out += b"".join(r[0] for r in rows)
    out += b"".join(r[1].to_bytes(4, "big") for r in rows)
    out += b"".join(r[2].to_bytes(4, "big") for r in rows) + checksum
    return out + hashlib.sha1(out).digest()


def loose(objects: Objects, names: Iterable[str]) -> dict[str, bytes]:
    """Write objects one file each."""
    out = {}
    for name in names:
        kind, content = objects[name]
        out[f"objects/{name[:2]}/{name[2:]}"] = zlib_stream(f"{kind} {len(content)}\0".encode() + content)
    return out


def index_file(files: dict[str, bytes]) -> bytes:
    """Write an index (version 2) of a work tree, without file system data."""
    out = b"DIRC" + (2).to_bytes(4, "big") + len(files).to_bytes(4, "big")
    for path in sorted(files):
        blob = hashlib.sha1(f"blob {len(files[path])}\0".encode() + files[path]).digest()
        entry = b"\0" * 24 + (0o100644).to_bytes(4, "big") + b"\0" * 8 + len(files[path]).to_bytes(4, "big")
        entry += blob + len(path).to_bytes(2, "big") + path.encode()
        out += entry + b"\0" * (8 - len(entry) % 8)
    return out + hashlib.sha1(out).digest()


def reflog_line(old: str | None, new: str | None, who: str, what: str) -> str:
    """Write one line of a reflog; `who` is a complete line: name, address, time, zone."""
    return f"{old or NOTHING} {new or NOTHING} {who}\t{what}\n"
