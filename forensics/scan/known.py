"""What an earlier scan had found: it need not be looked at again, wherever in the file it stands now."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from forensics.errors import UsageError
from forensics.scan.finding import Finding, Scan
from forensics.scan.telling import SCHEMA

_Key = tuple[str, ...]


def without_known(found: Scan, file: Path) -> Scan:
    """Leave out the findings of an earlier scan (its `--json`): as many of a kind, file and text as it had."""
    try:
        earlier = json.loads(file.read_bytes())
        left = Counter(_key({str(k): v for k, v in one.items()}) for one in earlier["findings"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError("is not what `forensics scan --json` writes", where=str(file), hint="write it anew") from error
    if earlier.get("schema") != SCHEMA:
        raise UsageError(f"is no {SCHEMA}", where=str(file), hint="write it anew, with `forensics scan --json`")
    kept = []
    for finding in found.findings:
        key = _of(finding)
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(finding)
    return replace(found, findings=kept, known=len(found.findings) - len(kept))


def _key(one: dict[str, object]) -> _Key:
    return tuple(str(one.get(name, "")) for name in ("file", "member", "rule", "opcode", "says", "text"))


def _of(f: Finding) -> _Key:
    return (f.file, f.member, f.rule, f.opcode, f.says, f.text)
