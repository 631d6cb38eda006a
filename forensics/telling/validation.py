"""What was measured of this method on invented incidents, and whether it was measured on this code.

The figures are written by `make validate` (tests/incidents/validate.py). A wheel carries them beside its modules, a checkout where they were written.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import forensics

_DECIDE = (
    "*.py",
    "case/**/*.py",
    "links/**/*.py",
    "pickles/**/*.py",
    "reasoning/**/*.py",
    "reasoning/**/*.toml",
    "sources/**/*.py",
    "telling/findings.py",
)
"""what decides an answer: all but the rooms that show it"""


@dataclass(frozen=True, slots=True)
class Validation:
    """The figures, and the page that explains them."""

    figures: dict[str, Any]
    """validation.json, schema forensics/validation/1"""
    page: str
    """validation.md"""

    @property
    def method(self) -> str:
        """SHA-256 over the files that decided the answers that were measured."""
        return str(self.figures["method_sha256"])

    @property
    def current(self) -> bool:
        """Tell whether it was this code."""
        return self.method == method()


def validation() -> Validation | None:
    """Return what was measured, or None where this installation has nothing of it."""
    package = Path(str(forensics.__file__)).parent
    for folder in (package / "_validation", package.parent / "tests" / "incidents" / "validation"):
        if (folder / "validation.json").is_file() and (folder / "validation.md").is_file():
            figures = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
            return Validation(figures, (folder / "validation.md").read_text(encoding="utf-8"))
    return None


@cache
def method() -> str:
    """Return the fingerprint of what decides an answer in this code."""
    return fingerprint(Path(str(forensics.__file__)).parents[1], tuple(f"forensics/{room}" for room in _DECIDE))


def fingerprint(root: Path, patterns: Iterable[str]) -> str:
    """Return one SHA-256 over all files below `root` that match, by name and content."""
    out = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in root.glob(pattern)}):
        out.update(f"{path.relative_to(root).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return out.hexdigest()
