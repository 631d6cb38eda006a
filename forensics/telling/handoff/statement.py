"""What is signed: which lists, which roots, which view, when, by whom, and which earlier bundle this one replaces.

An in-toto statement (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) over the two tag manifests, which reach every file.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.telling.handoff.commitments import canonical
from forensics.telling.handoff.opening import Files, opened, read

NAME = "statement.json"
PREDICATE = "forensics/handoff/1"


def statement(subjects: Mapping[str, str], told: Mapping[str, Any]) -> bytes:
    """Return the statement as canonical JSON."""
    named = [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)]
    return canonical({"_type": "https://in-toto.io/Statement/v1", "subject": named, "predicateType": PREDICATE, "predicate": dict(told)})


def predicate(files: Files) -> dict[str, Any]:
    """Return what a bundle's statement says."""
    found = json.loads(read(files, NAME))["predicate"]
    assert isinstance(found, dict)
    return found


def replaced(path: Path, sha256_of: Callable[[bytes], str]) -> dict[str, Any]:
    """Return how an earlier bundle is named in the one that replaces it; UsageError where it is no bundle."""
    try:
        with opened(path) as files:
            text = read(files, NAME)
            told = json.loads(text)["predicate"]
            return {
                "statement_sha256": sha256_of(text),
                "time": str(told["time"]),
                "view": str(told["view"]),
                "case_root": str(told["case_root"]),
            }
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError("is no bundle", where=str(path), hint="name the folder or the zip of the earlier bundle") from error
