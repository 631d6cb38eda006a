"""A bundle from beginning to end: what there is, what this view shows of it, the bag, the signature, the zip."""

import contextlib
import html
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError, UsageError
from forensics.evidence import sha256_of
from forensics.telling.handoff import bag, commitments, kit, material, reading_view, sbom, signing
from forensics.telling.handoff import statement as statements
from forensics.telling.handoff.commitments import Salts, Swap
from forensics.telling.handoff.drafts import drafts
from forensics.telling.handoff.material import Material
from forensics.telling.handoff.memo import memo
from forensics.telling.handoff.pseudonyms import Pseudonyms, pseudonyms
from forensics.telling.handoff.redaction import HASH, Redaction, check_asked, shown
from forensics.telling.handoff.views import NOTHING, Asked, View
from forensics.telling.handoff.words import Words, words
from forensics.telling.handoff.zipped import zip_bytes

_INSIDE = Path(__file__).parent / "inside" / "verify.py"
_SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
"""the report's own program; what comes from evidence is escaped, and opens none"""
Stamp = Callable[[bytes], bytes]
"""a statement's bytes -> the answer of a time stamp authority (RFC 3161)"""


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks for; nothing here asks the clock or the network by itself."""

    view: View
    time: str
    """ISO 8601, UTC"""
    examiner: str
    tool: str
    language: str = "en"
    people: tuple[str, ...] = ()
    """whose names stay in views that replace names"""
    secret: bytes = b""
    signer: signing.Signer | None = None
    replaces: dict[str, Any] | None = None
    asked: Asked = NOTHING
    originals: bool = True
    """False: their hashes alone"""
    stamp: Stamp | None = None
    pdf: bool = True
    answer_by: str = ""
    """the date until which the accused was asked to answer"""


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it."""

    folder: Path
    zip: Path
    case_root: str
    statement_sha256: str
    withheld: int
    files: int


@dataclass(frozen=True, slots=True)
class Core:
    """What was examined, as this view shows it, with a leaf and a line for each part of the whole."""

    documents: dict[str, Any]
    payload: dict[str, bag.Content]
    lines: tuple[dict[str, Any], ...]
    root: bytes
    swaps: dict[str, tuple[Swap, ...]]
    left_out: tuple[tuple[str, str], ...]
    """(kind of file, reason)"""


def build(found: Material, request: Request, target: Path) -> Built:
    """Write a bundle to `target`, and the same as one zip beside it; nothing is left where that fails."""
    zipped = target.with_name(target.name + ".zip")
    for path in (target, zipped):
        if path.exists() and (path.is_file() or any(path.iterdir())):
            raise UsageError("is there already", where=str(path), hint="choose another --out: a bundle is never written over")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _begun(target) as folder:
        built = _bag(found, request, folder)
        with (folder.parent / "bundle.zip").open("wb") as stream:
            top = f"{kit.plain(found.case.id) if request.view.whole else 'bundle'}-{request.view.name}"
            names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
            for piece in zip_bytes(top, names, lambda name: bag.blocks(folder / name)):
                stream.write(piece)
        if target.exists():
            target.rmdir()
        folder.replace(target)
        (folder.parent / "bundle.zip").replace(zipped)
    return replace(built, folder=target, zip=zipped)


@contextlib.contextmanager
def _begun(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, which goes away with everything in it."""
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=target.parent) as place:
        folder = Path(place) / "bag"
        folder.mkdir()
        yield folder


def _bag(found: Material, request: Request, folder: Path) -> Built:
    view = request.view
    if not view.whole and len(request.secret) < 16:
        raise UsageError(
            "a view that withholds needs a secret of 16 bytes or more", where="--secret", hint="head -c 32 /dev/urandom > secret; keep it, and use it for every bundle of the case"
        )  # fmt: skip
    names = _names(found, request)
    if names.text(request.examiner) != request.examiner:
        raise UsageError(
            "is a name that this view replaces", where="--examiner", hint="name a role or somebody else, or keep that name: --person"
        )
    redaction = Redaction(view, names, Salts(request.secret), request.asked)
    core = _core(found, request, redaction)
    spoken = words(request.language)
    payload = core.payload | _made(found, request, redaction, core, spoken)
    hashed = bag.write_payload(folder, payload)
    told = _predicate(found, request, core, hashed, names)
    tags = {
        "commitments.jsonl": b"".join(commitments.canonical(line) + b"\n" for line in core.lines),
        "README.txt": kit.readme(spoken, told, view, payload),
        "verify.py": _INSIDE.read_bytes(),
    }
    if request.signer:
        tags["signer.pem"] = request.signer.pem
    info = {
        "Bag-Software-Agent": request.tool,
        "Bagging-Date": request.time[:10],
        "External-Identifier": told["case"],
        "External-Description": f"Handoff bundle, view {view.name}",
    }
    text = statements.statement(bag.write_tags(folder, hashed, info, tags), told)
    (folder / statements.NAME).write_bytes(text)
    if not view.whole:
        _sweep(folder, names)
    if request.signer:
        (folder / "signature.dsse.json").write_bytes(signing.envelope(request.signer, text))
    if request.stamp:
        token = request.stamp(text)
        (folder / "timestamp.tsr").write_bytes(token)
        (folder / "timestamp.tsr.sha256").write_text(f"{material.sha256(token)}  timestamp.tsr\n", encoding="ascii")
    count = sum(len(s) for s in core.swaps.values()) + len(core.left_out)
    return Built(folder, folder, core.root.hex(), material.sha256(text), count, len(hashed))


def _names(found: Material, request: Request) -> Pseudonyms:
    """Return the other words of this view; in a whole one only those that the caller asked for."""
    view = request.view
    known = {p.id for p in found.case.people}
    for person in request.people:
        if person not in known:
            raise UsageError(f"{person!r} is nobody of people.csv", where="--person", hint=f"one of: {', '.join(sorted(known))}")
    if view.whole:
        if request.asked.words or request.asked.values:
            raise UsageError("this view withholds nothing", where="--redact", hint="withhold in the views hr, subject and partner")
        return Pseudonyms({}, {}, None)
    if view.keeps == "asked" and not request.people:
        raise UsageError("whom this bundle is for is not said", where="--person", hint="--person p-..., as in people.csv")
    named = {a["person"] for a in found.findings["answers"] if a["person"]} if view.keeps == "named" else set()
    keep = set() if view.keeps == "none" else named | set(request.people)
    if view.keeps == "asked":
        keep = set(request.people)
    further = [word for word, _ in request.asked.words]
    return pseudonyms(
        found.case, keep, request.secret, everything=view.everything, further=further, texts=_shown_texts(found), ours=_own_text()
    )


def _shown_texts(found: Material) -> str:
    """Return every text that a view may show."""
    shown_names = ("data/findings.json", "data/mandate.json", "data/acquisition.json")
    documents = material.documents(found)
    return "\n".join(text.decode() for name in shown_names for _, text in commitments.units(documents[name]))


# --- what was examined -------------------------------------------------------------------------------------------------


def _core(found: Material, request: Request, redaction: Redaction) -> Core:
    documents = material.documents(found) | kit.documents(found)
    check_asked(request.asked, documents)
    files = _files(found)
    leaves, lines, payload, shown_documents = [], [], dict[str, bag.Content](), dict[str, Any]()
    swaps: dict[str, tuple[Swap, ...]] = {}
    left_out = []
    for name in sorted({**documents, **files}):
        if name in documents:
            told = shown(redaction, name, documents[name]) if not request.view.whole else None
            leaf, line = commitments.shown_document(redaction.salts, name, documents[name], told.swaps if told else ())
        else:
            told = None
            leaf, line = commitments.shown_file(redaction.salts, name, files[name][1])
        why = request.view.leaves_out(name)
        gone = not request.originals and name.startswith(("data/case/", "data/case-renamed/"))
        if why is None and not gone:
            if name in documents:
                shown_documents[name] = told.value if told else documents[name]
                swaps[name] = told.swaps if told else ()
                payload[name] = material.written(name, shown_documents[name])
            else:
                payload[name] = files[name][0]
        else:
            line = commitments.withheld(leaf, why or "hashes-alone")
            left_out.append((name.split("/")[1], why or "hashes-alone"))
        leaves.append(leaf)
        lines.append(line)
    return Core(shown_documents, payload, tuple(lines), commitments.tree(leaves), swaps, tuple(left_out))


def _files(found: Material) -> dict[str, tuple[bag.Content, str]]:
    """Return the files that are committed to as a whole, by name, with their hashes."""
    files: dict[str, tuple[bag.Content, str]] = {o.bag: (o.path, o.sha256) for o in found.originals}
    noted = found.findings["tables"]
    for name in found.tables:
        files[f"data/tables/{name}"] = (
            found.out / "tables" / name,
            noted.get(name.removesuffix(".parquet")) or sha256_of(str(found.out / "tables" / name)),
        )
    for name in ("report.html", "policy.toml", *(n for n in ("comparison.json", "notes.jsonl", "rules.json") if (found.out / n).is_file())):
        files[f"data/{name}"] = (found.out / name, sha256_of(str(found.out / name)))
    lock = str(found.examination["lock"]).encode() if "lock" in found.examination else sbom.lock()
    files["data/requirements.lock"] = (lock, material.sha256(lock))
    return files


def _predicate(found: Material, request: Request, core: Core, hashed: dict[str, bag.Hashed], names: Pseudonyms) -> dict[str, Any]:
    every = (commitments.commitment(b"", name, bytes.fromhex(hashed[name].sha256)) for name in sorted(hashed))
    open_chain = not any(s.reason == HASH for s in core.swaps.get("data/custody.jsonl", ()))
    return {
        "case": names.text(found.case.id),
        "view": request.view.name,
        "language": request.language,
        "time": request.time,
        "examiner": request.examiner,
        "tool": request.tool,
        "case_root": core.root.hex(),
        "content_root": commitments.tree(every).hex(),
        "custody_head": found.head if open_chain else None,
        "custody_entries": len(found.custody),
        "salted": bool(request.secret),
        "key": request.signer.fingerprint if request.signer else None,
        "replaces": request.replaces,
        "originals": request.originals and request.view.whole,
        "stamped": bool(request.stamp),
    }


# --- what is made for this view ----------------------------------------------------------------------------------------


def _made(found: Material, request: Request, redaction: Redaction, core: Core, spoken: Words) -> dict[str, bag.Content]:
    made: dict[str, bag.Content] = {"data/sbom.cdx.json": material.written("", sbom.sbom())}
    view = request.view
    if not view.whole:
        made["data/report.html"] = reading_view.report(found, redaction, core.documents, request.language)
        made["data/redactions.json"] = material.written("", kit.redactions(core.swaps, core.left_out, request.asked, spoken))
    for name, text in kit.pages(core.documents, spoken).items():
        made[f"data/{name}"] = text.encode()
    for name, text in drafts(core.documents, request, spoken, found.head if view.whole else None, core.root.hex()).items():
        made[f"data/statements/{name}"] = text.encode()
    page = memo(core.documents, request, spoken, core.root.hex())
    made["data/memo.html"] = page.encode()
    if request.pdf:
        made["data/memo.pdf"] = kit.pdf(page, request.language)
    return made


def _sweep(folder: Path, names: Pseudonyms) -> None:
    """Search the whole bag for every name that was taken out; ForensicsError where one is left, and no bundle then."""
    ours = names.left(_own_text())
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        texts = [name]
        if path.is_file() and path.suffix not in (".pdf", ".pem"):
            text = path.read_text(encoding="utf-8")
            texts.append(html.unescape(_SCRIPT.sub("", text)) if path.suffix == ".html" else text)
        if any(names.left(text) - ours for text in texts):
            raise ForensicsError(
                "a name that this view withholds is still in it: nothing was written", where=name, hint="report this as a fault"
            )


@lru_cache(maxsize=1)
def _own_text() -> str:
    """Return the words that this program itself may write on a page: they name nobody."""
    package = Path(__file__).parents[2]
    places = (
        _INSIDE.parent,
        _INSIDE.parents[1] / "text",
        package / "telling" / "report",
        package / "_templates",
        package.parent / "templates",
    )
    kinds = (".py", ".md", ".txt", ".toml", ".html", ".css", ".po")
    files = (p for place in places for p in sorted(place.rglob("*")) if p.suffix in kinds and "timeline" not in p.parts)
    return "\n".join(sorted({word for p in files for word in p.read_text(encoding="utf-8").split()}))
