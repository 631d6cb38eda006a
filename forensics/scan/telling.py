"""How a scan is said: lines for people, and a value for programs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from forensics.scan.finding import Finding, Scan, Weight
from forensics.telling.evidence_text import visible

SCHEMA = "forensics/scan/1"
_SHOWN = 20
"""findings of one file that are written out"""


def lines(found: Scan, *, notes: bool) -> Iterator[str]:
    """Yield lines for people, file by file; text from files is made visible."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in found.findings:
        if notes or finding.weight is Weight.LOOK:
            by_file[finding.file].append(finding)
    for findings in by_file.values():
        for finding in findings[:_SHOWN]:
            yield from _finding(finding)
        if len(findings) > _SHOWN:
            yield f"{visible(findings[0].file)}: {len(findings) - _SHOWN} more; --json has them all"
    for unread in found.unread:
        yield f"{visible(unread.file)} byte {unread.at}: not read: {visible(unread.why)}"


def _finding(finding: Finding) -> Iterator[str]:
    opcode = f", by {finding.opcode}" if finding.opcode else ""
    yield f"{visible(finding.where)}: {visible(finding.says)}{opcode}  [{finding.rule}]"
    if finding.text:
        yield f"    {visible(finding.text)}"
    if finding.why:
        yield f"    why look: {visible(finding.why)}"
    if finding.innocent:
        yield f"    it could be: {visible('; '.join(finding.innocent))}"


def closing(found: Scan) -> str:
    """Say in one line what came of it."""
    notes = len(found.findings) - found.looks
    known = f", {found.known} known from before" if found.known else ""
    return f"{found.files} files, {found.bytes} bytes: {found.looks} to look at, {notes} notes, {len(found.unread)} not read{known}"


def value(found: Scan) -> dict[str, Any]:
    """Return the scan for programs: every finding, sorted by file and place; the same files give the same value."""
    rules = Counter(f.rule for f in found.findings)
    return {
        "schema": SCHEMA,
        "files": found.files,
        "bytes": found.bytes,
        "look": found.looks,
        "rules": dict(sorted(rules.items())),
        "known": found.known,
        "findings": [_value(f) for f in found.findings],
        "unread": [{"file": u.file, "byte": u.at, "why": u.why} for u in found.unread],
    }


def _value(f: Finding) -> dict[str, Any]:
    found = {
        "file": f.file, "member": f.member, "inside": f.inside, f.unit: f.place[0], "to": f.place[1], "rule": f.rule, "opcode": f.opcode, "weight": f.weight.value, "says": f.says,
        "text": f.text, "why": f.why, "innocent": list(f.innocent),
    }  # fmt: skip
    return {key: value for key, value in found.items() if value not in ("", [], None)}
