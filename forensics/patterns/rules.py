"""Reads the shipped rule files, and makes rules of documents of that form.

Format: https://ast-grep.github.io/reference/yaml.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from forensics.errors import ForensicsError, UsageError
from forensics.patterns.words import needed

SHIPPED = Path(__file__).parent / "shipped"
LANGUAGES = ("python", "bash", "yaml")
"""those that rules may be about; ast-grep ends the process at the name of one that it does not know"""
_PARTS = ("rule", "constraints", "utils")
_KEYS = {"id", "language", "severity", "message", "note", "metadata", "url", *_PARTS}


class Severity(StrEnum):
    """How ordinary what a rule finds is."""

    INFO = "info"
    """any training code has it: of interest where a change brought it, or took it out"""
    WARNING = "warning"
    """a reason to look wherever it stands"""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for, and why."""

    id: str
    language: str
    severity: Severity
    says: str
    why: str
    innocent: tuple[str, ...]
    group: str
    config: dict[str, Any] = field(hash=False)
    """what ast-grep is asked"""
    words: frozenset[str] | None = None
    """one of which a text needs, in small letters; None where none can be told"""
    own: str = ""
    """the name of the file of one's own that it stands in; empty: shipped"""


NOT_INSTALLED = "the rules over code are not installed (training-forensics[code])"


def installed() -> bool:
    """Tell whether what the rules need is installed (extra `code`)."""
    return find_spec("ast_grep_py") is not None and find_spec("yaml") is not None


def read_rules() -> tuple[Rule, ...]:
    """Read the shipped rules, by language and name."""
    if not installed():
        raise ForensicsError("the rules over code need ast-grep-py and PyYAML", hint="install training-forensics[code]")
    found = {(rule.language, rule.id): rule for file in sorted(SHIPPED.glob("*.yml")) for rule in _of_file(file)}
    return tuple(found[key] for key in sorted(found))


def _of_file(file: Path) -> Iterable[Rule]:
    import yaml  # noqa: PLC0415 - an extra that may be missing

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where PyYAML was built with it
    for number, document in enumerate(yaml.load_all(file.read_text(encoding="utf-8"), loader), 1):
        yield rule_of(document, f"{file}, rule {number}")


def rule_of(document: object, where: str, own: str = "") -> Rule:
    """Make a rule of a document; UsageError where it has not the form of one. Whether ast-grep understands it is not tried here."""
    if not isinstance(document, dict) or not isinstance(document.get("rule"), dict) or not isinstance(document.get("id"), str):
        raise UsageError(
            "a rule over program text is a table with `id`, `language`, `message` and `rule`", where=where, hint="write it as ast-grep does"
        )
    unknown = sorted(str(k) for k in set(document) - _KEYS)
    if unknown:
        raise UsageError(f"unknown keys: {', '.join(unknown)}", where=where, hint=f"known are {', '.join(sorted(_KEYS))}")
    language = str(document.get("language", "")).lower()
    if language not in LANGUAGES:
        raise UsageError(f"no language that is read: {language!r}", where=where, hint=f"one of {', '.join(LANGUAGES)}")
    metadata = document.get("metadata") or {}
    config = {key: document[key] for key in _PARTS if key in document}
    _plain(config, where)
    return Rule(
        document["id"], language, _severity(document.get("severity", "warning"), where), _words(document.get("message")), _words(document.get("note")),
        tuple(_words(w) for w in _list(metadata, "innocent")), str(metadata.get("group", "") if isinstance(metadata, Mapping) else ""), config,
        needed(document["rule"]), own,
    )  # fmt: skip


def _plain(config: dict[str, Any], where: str) -> None:
    """Refuse what YAML can hold and ast-grep is never asked: dates, sets, bytes, numbers that are none."""
    try:
        json.dumps(config, allow_nan=False)
        msgspec.json.encode(config)  # as it goes to the worker
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"holds what is neither text, number, list nor table: {error}", where=where, hint="put it into quotes") from error


def _severity(value: object, where: str) -> Severity:
    """Read ast-grep's severities: hint and info are one here, and so are warning and error."""
    known = {"hint": Severity.INFO, "info": Severity.INFO, "warning": Severity.WARNING, "error": Severity.WARNING}
    if value not in known:
        raise UsageError(f"no severity: {value!r}", where=where, hint=f"one of {', '.join(known)}")
    return known[str(value)]


def _list(metadata: object, key: str) -> list[object]:
    found = metadata.get(key, []) if isinstance(metadata, Mapping) else []
    return found if isinstance(found, list) else [found]


def _words(value: object) -> str:
    return " ".join(str(value or "").split())
