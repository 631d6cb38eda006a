"""The first thing that is wrong with a bundle; the same checks as `inside/verify.py`, written apart from it, on well-kept libraries."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import IntegrityError
from forensics.telling.handoff import arithmetic, bag, signing
from forensics.telling.handoff.commitments import Json, canonical, commitment, salt_of_value, tree, units
from forensics.telling.handoff.opening import Files, blocks, document, opened, read, wrong
from forensics.telling.handoff.timestamp import hashed_text
from forensics.telling.handoff.zipped import zip_bytes

OUTSIDE = (*bag.TAGMANIFESTS, "statement.json", "signature.dsse.json", "timestamp.tsr", "timestamp.tsr.sha256")
"""files that no manifest can list"""
_NAME = r"[^%\\\r\n]+"


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds."""

    files: int
    told: dict[str, Any]
    """the statement's predicate"""
    ratios: int
    withheld: int
    stamped: bool
    notes: tuple[str, ...]
    """what could not be told"""


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the caller knows by another way."""

    key: str | None = None
    """fingerprint"""
    head: str | None = None
    """of the custody log"""
    authority: Path | None = None
    """certificates of the time stamp authority (PEM)"""


def check(path: Path, pinned: Pinned) -> Checked:
    """Check a bundle; IntegrityError with the first thing that is wrong, whatever it does."""
    try:
        with opened(path) as files:
            return _check(path, files, pinned)
    except IntegrityError:
        raise
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
        EOFError,
        OSError,
        RuntimeError,
    ) as error:
        raise wrong(path.name, f"is no whole bundle: {type(error).__name__}: {error}") from error


def _check(path: Path, files: Files, pinned: Pinned) -> Checked:
    if files.top:
        _one_zip(path, files)
    payload = _lists(files)
    told = _statement(files, pinned.key)
    stamped = _stamp(files, told, pinned.authority)
    withheld = _roots(files, told, payload)
    _custody(files, told, pinned.head)
    ratios = arithmetic.check(document(files, "data/findings.json"), document(files, "data/weights.json"))
    return Checked(len(files.sizes), told, ratios, withheld, stamped, tuple(_untold(told, pinned, stamped=stamped)))


def _untold(told: Mapping[str, Any], pinned: Pinned, *, stamped: bool) -> Iterator[str]:
    if not told["key"]:
        yield "it is not signed: whoever could write this could have written all of it anew"
    elif not pinned.key:
        yield f"whose key it is, is not known here: compare {told['key']} with one that came to you by another way (--key)"
    if told["custody_head"] is None:
        yield "the custody log's hashes are withheld in this view; a full bundle shows them, under the same root"
    elif not told["key"] and not pinned.head:
        yield "a custody log that was cut short, with all else made to fit, could not be told: nothing outside holds its head (--head)"
    if stamped and not pinned.authority:
        yield "there is a time stamp, about this very statement; whose it is, is not checked without the authority's certificate (--authority)"


# --- the zip ------------------------------------------------------------------------------------------------------------


def _one_zip(path: Path, files: Files) -> None:
    """Check that a zip is the very one that its files make: no byte in its headers is free."""
    with path.open("rb") as found:
        for piece in zip_bytes(files.top, files.sizes, lambda name: blocks(files, name)):
            if found.read(len(piece)) != piece:
                raise wrong(path.name, "is not, byte for byte, the zip that its files make")
        if found.read(1):
            raise wrong(path.name, "goes on after its end")


# --- lists and hashes -----------------------------------------------------------------------------------------------------


def _lists(files: Files) -> dict[str, str]:
    """Check every list and hash; return the payload's SHA-256 by name."""
    payload = {name for name in files.sizes if name.startswith("data/")}
    tags = set(files.sizes) - payload - set(OUTSIDE)
    found: dict[str, dict[str, str]] = {}
    wanted = {kind: _listed(files, f"tagmanifest-{kind}.txt", kind, tags) for kind in bag.KINDS}
    for name in sorted(tags):
        found[name] = _hashes(files, name)
        _compare(name, found[name], wanted)
    wanted = {kind: _listed(files, f"manifest-{kind}.txt", kind, payload) for kind in bag.KINDS}
    for name in sorted(payload):
        found[name] = _hashes(files, name)
        _compare(name, found[name], wanted)
    return {name: found[name]["sha256"] for name in payload}


def _listed(files: Files, manifest: str, kind: str, names: set[str]) -> dict[str, str]:
    text = read(files, manifest).decode("utf-8")
    line = rf"([0-9a-f]{{{hashlib.new(kind).digest_size * 2}}})  ({_NAME})\n"
    if not re.fullmatch(f"(?:{line})*", text):
        raise wrong(manifest, "has a line that is none")
    pairs = re.findall(line, text)
    listed = [name for _, name in pairs]
    if listed != sorted(set(listed)):
        raise wrong(manifest, "is not in order, or lists a name twice")
    if gone := sorted(set(listed) - names):
        raise wrong(gone[0], f"is listed in {manifest}, and is not there")
    if added := sorted(names - set(listed)):
        raise wrong(added[0], f"is there, and is not listed in {manifest}")
    return {name: value for value, name in pairs}


def _hashes(files: Files, name: str) -> dict[str, str]:
    running = {kind: hashlib.new(kind) for kind in bag.KINDS}
    for block in blocks(files, name):
        for one in running.values():
            one.update(block)
    return {kind: one.hexdigest() for kind, one in running.items()}


def _compare(name: str, found: Mapping[str, str], wanted: Mapping[str, Mapping[str, str]]) -> None:
    for kind in bag.KINDS:
        if found[kind] != wanted[kind][name]:
            raise wrong(name, f"its {kind} is not the one that is listed: it was changed")


# --- statement, signature, time stamp -----------------------------------------------------------------------------------


def _statement(files: Files, key: str | None) -> dict[str, Any]:
    text = read(files, "statement.json")
    statement = document(files, "statement.json")
    if canonical(statement) != text:
        raise wrong("statement.json", "is not in its canonical form: it was changed")
    if [s["name"] for s in statement["subject"]] != list(bag.TAGMANIFESTS):
        raise wrong("statement.json", "is about other files")
    for subject in statement["subject"]:
        if hashlib.sha256(read(files, subject["name"])).hexdigest() != subject["digest"]["sha256"]:
            raise wrong(subject["name"], "is not the list that the statement is about")
    told: dict[str, Any] = statement["predicate"]
    held = {name for name in ("signature.dsse.json", "signer.pem") if name in files.sizes}
    if len(held) != (2 if told["key"] else 0):
        raise wrong("signature.dsse.json", "signature and key do not go with the statement: one is missing, or was added")
    if key and told["key"] != key:
        raise wrong("signer.pem", f"it is signed by {told['key'] or 'nobody'}, and not by {key}")
    if told["key"]:
        _signature(files, text, str(told["key"]))
    return told


def _signature(files: Files, text: bytes, fingerprint: str) -> None:
    pem = read(files, "signer.pem")
    if signing.public_fingerprint(pem) != fingerprint:
        raise wrong("signer.pem", "is not the key that the statement names")
    envelope = document(files, "signature.dsse.json")
    signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
    if not signing.holds(pem, text, signature):
        raise wrong("signature.dsse.json", "the signature does not hold")
    if read(files, "signature.dsse.json") != signing.enveloped(fingerprint, text, signature):
        raise wrong("signature.dsse.json", "is not in its canonical form: it was changed")


def _stamp(files: Files, told: Mapping[str, Any], authority: Path | None) -> bool:
    """Check a time stamp as far as that goes without the authority, and with it altogether; the statement says whether one was asked for."""
    name = "timestamp.tsr"
    if told.get("stamped", name in files.sizes) != (name in files.sizes):
        raise wrong(name, "was added" if name in files.sizes else "is missing")
    if name not in files.sizes:
        if f"{name}.sha256" in files.sizes or authority:
            raise wrong(name, "is missing")
        return False
    token = read(files, name)
    if read(files, f"{name}.sha256") != f"{hashlib.sha256(token).hexdigest()}  {name}\n".encode():
        raise wrong(name, "its sha256 is not the one beside it")
    hashed_text(token, read(files, "statement.json"), authority)
    return True


# --- roots --------------------------------------------------------------------------------------------------------------


def _roots(files: Files, told: Mapping[str, Any], payload: Mapping[str, str]) -> int:
    """Check both roots; return how many places are withheld."""
    leaves, seen, hidden = [], set(), 0
    for line in document(files, "commitments.jsonl"):
        if "leaf" in line:
            leaves.append(bytes.fromhex(line["leaf"]))
            hidden += 1
            continue
        name = line["path"]
        if name not in payload or name in seen:
            raise wrong(name, "was committed to, and is not there, or twice")
        seen.add(name)
        if "key" in line or "units" in line:
            whole, swapped = _document_root(document(files, name), name, line)
            hidden += swapped
        else:
            whole = bytes.fromhex(payload[name])
        leaves.append(commitment(bytes.fromhex(line["salt"]), name, whole))
    if tree(leaves).hex() != told["case_root"]:
        raise wrong("commitments.jsonl", "gives another root over what was examined than the statement")
    if tree(commitment(b"", name, bytes.fromhex(payload[name])) for name in sorted(payload)).hex() != told["content_root"]:
        raise wrong("statement.json", "has another root over all files than they give")
    return hidden


def _document_root(value: Json, name: str, line: Mapping[str, Any]) -> tuple[bytes, int]:
    found = list(units(value))
    if "key" in line:
        key = bytes.fromhex(line["key"])
        return tree(_leaf(salt_of_value(key, pointer), pointer, text) for pointer, text in found), 0
    opened_units: Sequence[Any] = line["units"]
    if len(opened_units) != len(found):
        raise wrong(name, "has more or fewer values than were committed to")
    hidden = sum(isinstance(u, Mapping) for u in opened_units)
    return tree(_unit_leaves(found, opened_units)), hidden


def _unit_leaves(found: Iterable[tuple[str, bytes]], opened_units: Iterable[Any]) -> Iterator[bytes]:
    for (pointer, text), unit in zip(found, opened_units, strict=True):
        yield bytes.fromhex(unit["commitment"]) if isinstance(unit, Mapping) else _leaf(bytes.fromhex(unit), pointer, text)


def _leaf(salt: bytes, pointer: str, text: bytes) -> bytes:
    return commitment(salt, pointer, hashlib.sha256(text).digest())


# --- custody ------------------------------------------------------------------------------------------------------------


def _custody(files: Files, told: Mapping[str, Any], pinned: str | None) -> None:
    name, head = "data/custody.jsonl", "0" * 64
    entries = document(files, name)
    if len(entries) != told["custody_entries"]:
        raise wrong(name, f"has {len(entries)} entries, and the statement says {told['custody_entries']}")
    if told["custody_head"] is None:
        if pinned:
            raise wrong(name, "its hashes are withheld in this view: ask for a full bundle to compare the head")
        return
    for number, entry in enumerate(entries):
        body = canonical({key: value for key, value in entry.items() if key != "hash"})
        if entry["seq"] != number or entry["prev"] != head or entry["hash"] != hashlib.sha256(body).hexdigest():
            raise wrong(name, f"the chain is broken at entry {number}")
        head = entry["hash"]
    if head != told["custody_head"] or (pinned and head != pinned):
        raise wrong(name, f"ends with {head}, and not with {pinned or told['custody_head']}: entries are missing, or were added")
