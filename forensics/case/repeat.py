"""An examination done again from a bundle's originals, and compared with what the bundle says came of it."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from forensics.case import steps
from forensics.errors import IntegrityError, UsageError
from forensics.evidence import sha256_of
from forensics.reasoning.policy import read_policy
from forensics.telling.handoff import sbom
from forensics.telling.handoff.checking import Pinned, check
from forensics.telling.handoff.comparing import flat
from forensics.telling.handoff.opening import Files, blocks, document, opened, read, wrong


@dataclass(frozen=True, slots=True)
class Again:
    """What came of it."""

    same: tuple[str, ...]
    differ: tuple[str, ...]
    """files whose bytes came out otherwise, or that only one of the two has"""
    tool: str
    """the version that the bundle names"""
    code: str = ""
    """SHA-256 over the program's files, as the bundle names it"""


def rerun(bundle: Path, place: Path, workers: int, case: Path | None, progress: Callable[[str], None]) -> Again:
    """Check a bundle, lay its originals out below `place`, examine them as it says, and compare; IntegrityError where the bundle does not hold."""
    progress("checking the bundle")
    check(bundle, Pinned())
    with opened(bundle) as files:
        if "data/rerun.json" not in files.sizes:
            raise UsageError("this view can't be done again: it holds no originals", where=bundle.name, hint="ask for the view `court`")
        told = document(files, "data/rerun.json")
        policy = place / "policy.toml"
        policy.write_bytes(read(files, "data/policy.toml"))
        _sufficient(policy, str(told["tool"]))
        rules = _rules(files, place / "rules.json")
        root = case or _lay_out(files, place / "case", progress)
    request = steps.Request(str(told["examiner"]), str(told["time"]), workers, policy, rules, bool(told["skip_unknown"]))
    steps.investigate(root, place / "out", request, progress)
    progress("comparing")
    return replace(_compared(place / "out", told["expected"], str(told["tool"])), code=str(told.get("code", "")))


def _rules(files: Files, target: Path) -> tuple[Path, ...]:
    """Lay out the examiner's own rules, where there were any."""
    if "data/rules.json" not in files.sizes:
        return ()
    target.write_bytes(read(files, "data/rules.json"))
    return (target,)


def _sufficient(policy: Path, tool: str) -> None:
    """Refuse a policy that lacks a number which this version examines by."""
    theirs = dict(flat(tomllib.loads(policy.read_text(encoding="utf-8"))))
    if lacking := sorted(name for name, _ in flat(read_policy(None).as_printed()) if name not in theirs):
        hint = f"take the version that made the bundle ({tool}), with the libraries in data/requirements.lock"
        raise UsageError(f"this version needs a number that it does not have: {lacking[0]}", where="data/policy.toml", hint=hint)


def _lay_out(files: Files, root: Path, progress: Callable[[str], None]) -> Path:
    """Copy the originals to their own names; nothing leaves `root`, whatever the bundle says."""
    listed = document(files, "data/originals.json")
    if any(o["bag"] not in files.sizes for o in listed):
        raise UsageError("this bundle holds the originals' hashes alone", where=files.where, hint="--case names the case folder")
    progress(f"laying out {len(listed)} originals")
    for original in listed:
        target = root / _name(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            for block in blocks(files, original["bag"]):
                stream.write(block)
        if sha256_of(str(target)) != original["sha256"]:
            raise wrong(original["bag"], "is not the file that originals.json lists")
    _leave_alone(files, root)
    return root


def _leave_alone(files: Files, root: Path) -> None:
    """Lay down what the examination saw and did not follow, since it noted that: a link leads to nowhere, anything else is a pipe."""
    for one in document(files, "data/left-alone.json") if "data/left-alone.json" in files.sizes else ():
        target = root / _name(one)
        if any(p.is_symlink() for p in (target, *target.parents) if root in p.parents) or target.exists():
            raise wrong("data/left-alone.json", f"names a place twice: {str(one['file'])[:200]!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if one["what"] == "link":
            target.symlink_to("left-alone")
        else:
            os.mkfifo(target)


def _name(original: Mapping[str, Any]) -> Path:
    name = bytes.fromhex(original["name_hex"]).decode("utf-8", "surrogateescape") if "name_hex" in original else str(original["file"])
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\0" in name or {"..", "."} & set(name.split("/")) or "" in name.split("/"):
        raise wrong("data/originals.json", f"holds a name that leads elsewhere: {name[:200]!r}")
    return Path(*parts)


def _compared(out: Path, expected: Mapping[str, str], tool: str) -> Again:
    made = set(_made(out))
    same = {name for name in made & set(expected) if sha256_of(str(out / name)) == expected[name]}
    return Again(tuple(sorted(same)), tuple(sorted((made | set(expected)) - same)), tool)


def _made(out: Path) -> Iterator[str]:
    names = ("findings.json", "custody.jsonl", "report.html", "policy.toml", "rules.json", "comparison.json")
    yield from (name for name in names if (out / name).is_file())
    yield from (p.relative_to(out).as_posix() for p in (out / "tables").rglob("*.parquet"))


def refuse(found: Again, versions: str) -> None:
    """Raise IntegrityError where anything came out otherwise, with what may be the reason."""
    if found.differ:
        other = "" if found.code == sbom.code() else ", of other code"
        hint = f"the bundle was made by {found.tool}{other}, and this is {versions}: take that version, and those of data/requirements.lock, and try again"
        raise IntegrityError(
            f"{len(found.differ)} of {len(found.same) + len(found.differ)} files came out otherwise", where=found.differ[0], hint=hint
        )
