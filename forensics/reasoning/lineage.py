"""What is new in a checkpoint against those of its own run: callables, the opcodes that name them, format, tensors, metadata. A fact, and no accusation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

_FAR = 3
"""jobs back along what was loaded"""
_ROOT = 2
"""parts of a place (a bucket or host, and a folder) above which files have nothing in common"""
_MOST = 200
"""checkpoints that are compared with"""
_HONEST = {
    "callable": ("a new version of a library", "an optimizer or a schedule that was changed"),
    "opcode": ("another version of pickle's protocol", "a file written by another program"),
    "format": ("a file that was converted", "a new version of the framework"),
    "tensors": ("layers that were added, frozen or left out", "a state of the optimizer that was saved, too"),
    "metadata": ("a tool that writes more about its files",),
}


@dataclass(frozen=True, slots=True)
class New:
    """Something that this checkpoint has and none of its lineage had."""

    kind: str
    """callable, opcode, format, tensors or metadata"""
    what: str
    says: str
    innocent: tuple[str, ...]
    refs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """A checkpoint, those that it was compared with, and what is new in it."""

    object: str = ""
    """empty where the answer is about no collected checkpoint"""
    compared: tuple[str, ...] = ()
    by: str = ""
    """`records`: the same job wrote them, one before it, or one that loaded it; `name`: they lie in the same folder, or in the one around it"""
    new: tuple[New, ...] = ()
    refs: tuple[int, ...] = ()
    """records of the contents that were compared with"""


def lineage(world: World, dossier: Dossier) -> Lineage:
    """Compare the checkpoint that an answer is about, or that planted code lay in, with its run's own."""
    reference = dossier.planted.object if dossier.planted else dossier.objects[0]
    if not reference.startswith(("s3:", "hdfs:", "file:")):
        return Lineage()
    bare = _bare(reference)
    own = _contents(world, [reference]) or [r for r in _contents(world, [bare]) if "?" not in r["object"]]
    if not own:
        return Lineage()
    by, others = "records", _alike(own[-1], _contents(world, _by_records(world, bare) - {bare}))
    if not others:
        by, others = "name", next((alike for rows in _near(world, bare) if (alike := _alike(own[-1], rows))), [])
    names = tuple(dict.fromkeys(r["object"] for r in others))
    if not others:
        return Lineage(own[-1]["object"])
    new = tuple(_new(world, own[-1], others))
    return Lineage(own[-1]["object"], names, by, new, tuple(r["id"] for r in others))


def _bare(reference: str) -> str:
    return reference.partition("?versionId=")[0]


def _contents(world: World, objects: list[str] | set[str]) -> list[Row]:
    """Return what is known of collected files, under any of these names, with whatever version."""
    rows = world.tables.rows(
        """
        SELECT id, object, attrs FROM events WHERE action = 'object.content'
          AND (list_contains($o, object) OR list_contains($o, split_part(object, '?versionId=', 1))) ORDER BY object, id LIMIT $most
        """,
        o=sorted(objects), most=_MOST,
    )  # fmt: skip
    return [r | {"attrs": json.loads(r["attrs"] or "{}")} for r in rows]


def _alike(own: Row, others: list[Row]) -> list[Row]:
    """Return the files of the same kind: a tokenizer beside a model has nothing to compare."""
    kind = bool(own["attrs"].get("pickles"))
    return [o for o in others if bool(o["attrs"].get("pickles")) == kind]


def _near(world: World, bare: str) -> Iterator[list[Row]]:
    """Yield the collected files of its folder, and then those of the folder around it."""
    scheme, _, place = bare.partition("://")
    for steps in (1, 2):
        parts = place.split("/")[:-steps]
        if len(parts) < _ROOT:
            return
        rows = world.tables.rows(
            "SELECT id, object, attrs FROM events WHERE action = 'object.content' AND starts_with(object, $f) AND NOT (object = $b OR starts_with(object, $b || '?')) ORDER BY object, id LIMIT $most",
            f=f"{scheme}://{'/'.join(parts)}/", b=bare, most=_MOST,
        )  # fmt: skip
        yield [r | {"attrs": json.loads(r["attrs"] or "{}")} for r in rows]


def _by_records(world: World, bare: str) -> set[str]:
    """Return the names of what the writing jobs wrote and loaded, and so on backward; and of what the jobs wrote that loaded it."""
    readers = {r["job"] for r in _edges(world, "split_part(src, '?versionId=', 1)", "dst", {bare})}
    found = {r["job"] for r in _edges(world, "src", "split_part(dst, '?versionId=', 1)", readers)}
    objects, jobs = {bare}, set[str]()
    for _ in range(_FAR):
        writers = {r["job"] for r in _edges(world, "split_part(dst, '?versionId=', 1)", "src", objects)} - jobs
        if not writers:
            break
        jobs |= writers
        written = {r["job"] for r in _edges(world, "src", "split_part(dst, '?versionId=', 1)", writers)}
        objects = {r["job"] for r in _edges(world, "dst", "split_part(src, '?versionId=', 1)", writers)}
        found |= written | objects
    return found


def _edges(world: World, asked: str, wanted: str, names: set[str]) -> list[Row]:
    return world.tables.rows(
        f"SELECT DISTINCT {wanted} AS job FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND list_contains($n, {asked}) ORDER BY 1",  # noqa: S608 - columns of our own; names are parameters
        n=sorted(names),
    )


# --- what is new ------------------------------------------------------------------------------------------------------


def _new(world: World, own: Row, others: list[Row]) -> Iterator[New]:
    codes = _codes(world, [own, *others])
    mine = codes[own["object"]]
    theirs = [row for other in others for row in codes[other["object"]]]
    for name in sorted({r["name"] for r in mine} - {r["name"] for r in theirs}):
        yield _callable(name, [r for r in mine if r["name"] == name])
    opcodes = {r["opcode"] for r in theirs}
    for opcode in sorted({r["opcode"] for r in mine} - opcodes) if theirs else ():
        refs = tuple(r["id"] for r in mine if r["opcode"] == opcode)[:6]
        yield New("opcode", opcode, f"callables are named by {opcode}, which is not so in its lineage", _HONEST["opcode"], refs)
    yield from _facts(own, others)


def _callable(name: str, rows: list[Row]) -> New:
    says = f"{name} is new here; no checkpoint of its lineage names it"
    if any(r["kind"] == "dangerous" for r in rows):
        says = f"{name} is new here, a callable that is known to run code; no checkpoint of its lineage names it"
    return New("callable", name, says, _HONEST["callable"], tuple(r["id"] for r in rows)[:6])


def _facts(own: Row, others: list[Row]) -> Iterator[New]:
    """Yield what differs in format, number of tensors and metadata from every one of its lineage."""
    refs = (own["id"], *(o["id"] for o in others[:3]))
    facts = own["attrs"]
    formats = {o["attrs"].get("format") for o in others}
    if facts.get("format") not in formats:
        shown = ", ".join(sorted(map(str, formats)))
        yield New(
            "format",
            str(facts.get("format")),
            f"its format is {facts.get('format')}; in its lineage it is {shown}",
            _HONEST["format"],
            refs,
        )
    counts = {int(o["attrs"].get("tensors") or 0) for o in others}
    count = int(facts.get("tensors") or 0)
    if count not in counts:
        shown = str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
        yield New("tensors", str(count), f"it holds {count} tensors; in its lineage they are {shown}", _HONEST["tensors"], refs)
    keys: set[str] = {k for o in others for k in o["attrs"].get("metadata", {})}
    for key in sorted(set(facts.get("metadata", {})) - keys):
        yield New("metadata", key, f"its metadata says {key}, which no checkpoint of its lineage does", _HONEST["metadata"], refs)


def _codes(world: World, contents: list[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return the callables that files name and that are not known to be harmless, by file."""
    rows = world.tables.rows(
        """
        SELECT id, object, name, json_extract_string(attrs, '$.opcode') AS opcode, json_extract_string(attrs, '$.kind') AS kind
        FROM events WHERE action = 'object.code' AND list_contains($o, object) ORDER BY id
        """,
        o=sorted({c["object"] for c in contents}),
    )
    found: dict[str, list[dict[str, Any]]] = {c["object"]: [] for c in contents}
    for row in rows:
        found[row["object"]].append(row)
    return found
