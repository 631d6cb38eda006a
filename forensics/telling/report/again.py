"""Makes the page anew out of OUT, and of nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError
from forensics.tables import open_tables
from forensics.telling.report.extra import Extra, no_bytes
from forensics.telling.report.kept import kept
from forensics.telling.report.names import blind
from forensics.telling.report.page import render

NOTES = "notes.jsonl"
"""the examiner's notes in OUT, chained like the custody log"""


def again(out: Path, language: str = "en", *, names_hidden: bool = False) -> str:
    """Return the page of an examination; ForensicsError where OUT does not hold what it needs."""
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    with open_tables(out / "tables") as tables:
        told = kept(tables)
        if told is None:
            raise ForensicsError(
                "this examination does not keep what its report was told", where=str(out), hint="examine the case anew, with --force"
            )
        labels = blind(told.case) if names_hidden else {}
        return render(
            findings, tables, told.case, _extra(out, told.policy, told.unknown_kinds, names_hidden=names_hidden), language, labels
        )


def _extra(out: Path, policy: Mapping[str, Any], unknown: tuple[str, ...], *, names_hidden: bool) -> Extra:
    """Gather what stands beside the findings: the custody log up to the end of the examination, and the notes."""
    log = _lines(out / "custody.jsonl")
    ends = [number for number, entry in enumerate(log) if entry.get("action") == "examined"]
    log = log[: ends[-1]] if ends else log
    last: Mapping[str, Any] = log[-1] if log else {}
    raw = no_bytes if names_hidden else None
    return Extra(
        last.get("tool", ""), last.get("examiner", ""), last.get("time", ""), last.get("hash", ""), tuple(log), policy, unknown, raw,
        tuple(_lines(out / NOTES)), _json(out / "comparison.json"), _json(out / "rules.json"), withheld=names_hidden,
    )  # fmt: skip


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
