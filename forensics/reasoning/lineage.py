"""What is new in a checkpoint against those of its own run: callables, the opcodes that name them, format, tensors, metadata. A fact, and no accusation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.kin import collected, kin
from forensics.reasoning.new import New
from forensics.reasoning.weights import altered_tensors
from forensics.reasoning.world import World

_HONEST = {
    "callable": ("a new version of a library", "an optimizer or a schedule that was changed"),
    "opcode": ("another version of pickle's protocol", "a file written by another program"),
    "format": ("a file that was converted", "a new version of the framework"),
    "tensors": ("layers that were added, frozen or left out", "a state of the optimizer that was saved, too"),
    "metadata": ("a tool that writes more about its files",),
}


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
    reference = dossier.planted[0].object if dossier.planted else dossier.objects[0]
    if not reference.startswith(("s3:", "hdfs:", "file:")):
        return Lineage()
    own = collected(world, reference)
    if own is None:
        return Lineage()
    by, others = next(((by, rows) for by, rows in kin(world, own) if rows), ("name", []))
    names = tuple(dict.fromkeys(r["object"] for r in others))
    if not others:
        return Lineage(own["object"])
    new = tuple(_new(world, own, others))
    return Lineage(own["object"], names, by, new, tuple(r["id"] for r in others))


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
    yield from altered_tensors(world, own, others)


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
