"""An examination and its case folder -> what may go into a bundle, every hash checked once more."""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics import custody, times
from forensics.errors import EvidenceError, ForensicsError, IntegrityError
from forensics.evidence import sha256_of
from forensics.model import CaseConfig, Evidence, SourceConfig

_PLAIN = re.compile(r"[A-Za-z0-9 _+,=@()#~^&'!.-]{1,100}", re.ASCII)
_LONGEST = 200
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True, slots=True)
class Original:
    """A file of the case folder."""

    name: str
    """below the case folder; bytes that are not UTF-8 stand as surrogates"""
    path: Path
    sha256: str
    size: int
    sources: tuple[str, ...]
    bag: str
    """where it lies in a bundle: its own name, or a number where that name would be trouble on some system"""


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Something in the case folder that intake saw and did not follow; the findings note it, so that doing it again needs it."""

    name: str
    """below the case folder; bytes that are not UTF-8 stand as surrogates"""
    target: str | None
    """of a link, where it leads; None for pipes, sockets and devices"""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a bundle is made from."""

    out: Path
    case: CaseConfig
    findings: dict[str, Any]
    custody: tuple[dict[str, Any], ...]
    originals: tuple[Original, ...]
    left_alone: tuple[LeftAlone, ...]
    tables: tuple[str, ...]
    """names below OUT/tables"""
    examination: dict[str, Any]

    @property
    def policy(self) -> dict[str, Any]:
        """The policy that was used."""
        return tomllib.loads((self.out / "policy.toml").read_text(encoding="utf-8"))

    @property
    def head(self) -> str:
        """The end of the custody chain."""
        return str(self.custody[-1]["hash"])


def gather(out: Path, case: CaseConfig, evidences: Iterable[Evidence]) -> Material:
    """Read an examination and find its originals; IntegrityError where any hash is not the one that was noted."""
    examination, findings = _json(out / "examination.json"), _json(out / "findings.json")
    log = out / "custody.jsonl"
    custody.verify(log)
    entries = tuple(json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    noted = {e["subject"]: e["sha256"] for e in entries if e["action"] == "received"}
    _examined(out, entries, findings)
    tables = tuple(sorted(p.relative_to(out / "tables").as_posix() for p in (out / "tables").rglob("*.parquet")))
    evidences = tuple(evidences)
    originals = tuple(_originals(case, evidences, noted))
    odd = any(e.notes for e in evidences) or len(evidences) <= len(case.sources)  # a source that is a link itself was not taken in
    left_alone = tuple(sorted(_left_alone(Path(case.root)), key=lambda one: one.name)) if odd else ()
    return Material(out, case, findings, entries, originals, left_alone, tables, examination)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ForensicsError("is not there", where=str(path), hint="run `forensics investigate` to its end") from None
    except (ValueError, RecursionError) as error:
        raise ForensicsError(f"is no JSON: {error}", where=str(path), hint="examine the case anew, with --force") from error
    if not isinstance(found, dict):
        raise ForensicsError("is no object", where=str(path), hint="examine the case anew, with --force")
    return found


def _examined(out: Path, entries: Iterable[Mapping[str, Any]], findings: Mapping[str, Any]) -> None:
    """Check what the examination wrote against the hashes that it noted of it."""
    wanted = {e["subject"]: e["sha256"] for e in entries if e["action"] == "examined"}
    for name, sha256 in findings["tables"].items():
        wanted[_place(name)] = sha256
    for name in ("findings.json", "policy.toml"):
        if name not in wanted:
            raise ForensicsError("this examination did not note its hash", where=name, hint="examine the case anew, with --force")
    for name, sha256 in sorted(wanted.items()):
        if not (out / name).is_file() or sha256_of(str(out / name)) != sha256:
            raise IntegrityError("is not what the examination wrote", where=str(out / name), hint="examine the case anew, with --force")


def _place(name: str) -> str:
    """Return the file in OUT that a name of the findings' tables stands for."""
    return f"tables/{name}.parquet" if "/" in name else "policy.toml" if name == "policy" else f"{name}.json"


def _originals(case: CaseConfig, evidences: Iterable[Evidence], noted: Mapping[str, str]) -> Iterator[Original]:
    """Yield each file of the case folder once, in the order of names; its hash has to be the one of intake."""
    root = Path(case.root)
    found: dict[str, tuple[Path, str, int, tuple[str, ...]]] = {}
    for evidence in evidences:
        for file in evidence.files:
            subject = f"{evidence.source.name}/{file.file}" if file.file else evidence.source.name
            name = Path(file.path).relative_to(root).as_posix()
            now = found[name][1] if name in found else sha256_of(file.path)
            if subject not in noted:
                raise EvidenceError(
                    "was not there when the case was examined",
                    where=file.path,
                    hint="examine the case anew, or take the file out of the folder",
                )
            if noted[subject] != now:
                raise IntegrityError(
                    f"changed since it was examined: SHA-256 was {noted[subject]}, is {now}",
                    where=file.path,
                    hint="compare with another copy",
                )
            found[name] = (Path(file.path), now, file.size, (*(found[name][3] if name in found else ()), evidence.source.name))
    missing = set(noted) - {f"{e.source.name}/{f.file}" if f.file else e.source.name for e in evidences for f in e.files}
    if missing:
        raise EvidenceError("was examined, and is not there any more", where=min(missing), hint="--case names the folder, if it was moved")
    taken: set[str] = set()
    for number, name in enumerate(sorted(found)):
        path, sha256, size, sources = found[name]
        bag = f"data/case/{name}" if _plain(name) and name.lower() not in taken else f"data/case-renamed/{number:06d}"
        taken.add(name.lower())
        yield Original(name, path, sha256, size, sources, bag)


def _left_alone(root: Path) -> Iterator[LeftAlone]:
    for where, folders, names in os.walk(root):
        for path in (Path(where) / name for name in folders + names):
            name = path.relative_to(root).as_posix()
            if path.is_symlink():
                yield LeftAlone(name, str(path.readlink()))
            elif path.name in names and not path.is_file():
                yield LeftAlone(name, None)


def _plain(name: str) -> bool:
    """Tell whether every system can keep a file of that name, and no reader is hurt by it."""
    parts = name.split("/")
    return len(name) <= _LONGEST and all(
        _PLAIN.fullmatch(p) and p[-1] not in " ." and p[0] != " " and p not in ("..", ".") and not _RESERVED.fullmatch(p) for p in parts
    )


# --- the documents ------------------------------------------------------------------------------------------------------


def documents(material: Material) -> dict[str, Any]:
    """Return the bundle's documents by name, whole: what is withheld is taken out later."""
    left_alone = {"data/left-alone.json": [_left(one) for one in material.left_alone]} if material.left_alone else {}
    return left_alone | {
        "data/findings.json": material.findings,
        "data/custody.jsonl": list(material.custody),
        "data/mandate.json": _mandate(material),
        "data/people.json": [{"id": p.id, "name": p.name, "role": p.role} for p in material.case.people],
        "data/acquisition.json": [_acquired(material, s) for s in material.case.sources],
        "data/originals.json": [_original(o) for o in material.originals],
        "data/weights.json": {
            "words": material.policy["words"],
            "tiers": material.policy["tiers"],
            "factors": material.policy["sensitivity"]["factors"],
        },
    }


def _mandate(material: Material) -> dict[str, Any]:
    case = material.case
    return {
        "case": case.id,
        "title": case.title,
        "from": times.show(case.window[0]),
        "to": times.show(case.window[1]),
        "timezone": case.timezone,
        "mandate": dict(case.mandate),
        "questions": [{"id": q.id, "object": q.object, "about": q.about} for q in case.questions],
        "statements": [{"id": s.id, "by": s.by, "text": s.text, "test": s.test, "question": s.question} for s in case.statements],
        "harmed": list(case.bad),
        "healthy": list(case.good),
    }


def _acquired(material: Material, source: SourceConfig) -> dict[str, Any]:
    """Return the acquisition record of a source; empty where the case names none."""
    mine = [o for o in material.originals if source.name in o.sources]
    a = source.acquired
    return {
        "source": source.name,
        "kind": source.kind,
        "host": source.host,
        "path": source.path,
        "files": len(mine),
        "bytes": sum(o.size for o in mine),
        "by": a.by if a else "",
        "at": a.at if a else "",
        "how": a.how if a else "",
        "sha256": a.sha256 if a else "",
    }


def _original(o: Original) -> dict[str, Any]:
    told = {"file": _text(o.name), "sha256": o.sha256, "bytes": o.size, "sources": list(o.sources), "bag": o.bag}
    return told if o.bag == f"data/case/{o.name}" else told | {"name_hex": o.name.encode("utf-8", "surrogateescape").hex()}


def _left(one: LeftAlone) -> dict[str, Any]:
    what = {"what": "link", "target": _text(one.target)} if one.target is not None else {"what": "no regular file"}
    return {"file": _text(one.name), "name_hex": one.name.encode("utf-8", "surrogateescape").hex()} | what


def _text(name: str) -> str:
    r"""Return a file name as valid text: bytes that are not UTF-8 stand as `\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def written(name: str, value: object) -> bytes:
    """Write a document: the findings and the log exactly as the examination wrote them."""
    if name.endswith(".jsonl"):
        assert isinstance(value, list)
        return b"".join(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode() + b"\n" for entry in value)
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def sha256(data: bytes) -> str:
    """Return a hash in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
