"""What OUT keeps so that the page can be made anew from it alone: the case's own words, the policy, and the first bytes of every cited record."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pyarrow as pa

from forensics import schema
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report import curves
from forensics.telling.report.citing import MOST, Index, cited
from forensics.telling.report.extra import Raw, Ref

FILES, LINES, LARGEST, LONGEST = 20, 300, 400_000, 6000
"""of a diff: files, lines a file, bytes of a file, lines of a file that is compared"""
_CHANGES = """
    SELECT DISTINCT ON (path) path, source, status, old_blob, new_blob FROM changes
    WHERE commit = $commit AND ($path = '' OR path = $path) ORDER BY path, source LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was told to the page beside the findings."""

    case: CaseConfig
    policy: Mapping[str, Any]
    unknown_kinds: tuple[str, ...]


def keep(findings: Mapping[str, Any], tables: Tables, kept: Kept, raw: Raw) -> None:
    """Write the tables `told`, `quoted`, `diffs` and `curves`; the same case gives the same bytes."""
    told = {"case": replace(kept.case, root=""), "policy": kept.policy, "unknown_kinds": kept.unknown_kinds}
    rows = [{"name": name, "json": msgspec.json.encode(value, order="sorted").decode()} for name, value in sorted(told.items())]
    diffs = [row for answer in findings["answers"] for row in _diff(answer["object"], tables, raw)]
    points = curves.points(tables, kept.case)
    quoted = _quoted(Index(cited(findings, tables)), raw)
    tables.write("told", [pa.Table.from_pylist(rows, schema=schema.TOLD)])
    tables.write("diffs", [pa.Table.from_pylist(diffs, schema=schema.DIFFS)])
    tables.write("curves", [pa.Table.from_pylist(points, schema=schema.CURVES)])
    tables.write("quoted", [pa.Table.from_pylist(list(quoted), schema=schema.QUOTED)])


def kept(tables: Tables) -> Kept | None:
    """Read it back; None where an examination did not keep it."""
    told = {row["name"]: row["json"] for row in tables.rows("SELECT name, json FROM told ORDER BY name")}
    if "case" not in told:
        return None
    return Kept(msgspec.json.decode(told["case"], type=CaseConfig), json.loads(told["policy"]), tuple(json.loads(told["unknown_kinds"])))


def _quoted(index: Index, raw: Raw) -> Iterator[dict[str, Any]]:
    for ref in index.refs():
        data = raw(ref)
        yield {
            "source": ref["source"], "file": ref.get("path") or "", "locator": ref["locator"],
            "size": None if data is None else len(data), "data": None if data is None else data[:MOST],
        }  # fmt: skip


def quotes(tables: Tables) -> Callable[[Ref], tuple[bytes, int] | None]:
    """Return a reader of the kept bytes: (first bytes, size of the whole), or None."""
    rows = tables.rows("SELECT source, file, locator, size, data FROM quoted WHERE data IS NOT NULL")
    found = {(row["source"], row["file"], row["locator"]): (bytes(row["data"]), int(row["size"])) for row in rows}
    return lambda ref: found.get((ref["source"], ref.get("path") or "", ref["locator"]))


# --- what a commit changed --------------------------------------------------------------------------------------------


def _diff(asked: str, tables: Tables, raw: Raw) -> Iterator[dict[str, Any]]:
    """Yield the changed files of a commit (or of one file version of it) with their lines."""
    if not asked.startswith("git:") or "@" not in asked:
        return
    commit, _, path = asked.partition("@")[2].partition(":")
    for row in tables.rows(_CHANGES, commit=commit, path=path, most=FILES):
        text, cut = _lines(*(_blob(row["source"], row[side], raw) for side in ("old_blob", "new_blob")))
        yield {key: row[key] for key in ("path", "source", "old_blob", "new_blob")} | {"object": asked, "text": text, "cut": cut}


def _blob(source: str, blob: str | None, raw: Raw) -> list[str] | None:
    """Return a blob's lines: none where there was no file; None where it is no text that can be shown, or could not be read."""
    if not blob or not blob.strip("0"):
        return []
    data = raw({"source": source, "locator": f"git={blob}", "sha256": ""})
    body = None if data is None else data.partition(b"\0")[2]
    if body is None or len(body) > LARGEST or b"\0" in body:
        return None
    lines = body.decode("utf-8", "backslashreplace").split("\n")
    return lines if len(lines) <= LONGEST else None


def _lines(old: list[str] | None, new: list[str] | None) -> tuple[str | None, int]:
    if old is None or new is None:
        return None, 0
    found = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return "\n".join(found[:LINES]), max(0, len(found) - LINES)
