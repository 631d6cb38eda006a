"""Where a text is as a rule says."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from forensics.patterns.rules import NOT_INSTALLED, Rule

Matching = Callable[[bytes, str], "list[Hit] | str"]
"""(text, language) -> where it is as the rules say; where it can't be read, why"""
LARGEST = 1 << 20
"""bytes of a text that is parsed; larger ones are seldom written by hand"""
MOST = 200
"""hits of one rule in one text"""
_SHOWN = 300
_ENDINGS = {
    ".py": "python", ".pyw": "python", ".pth": "python", ".sh": "bash", ".bash": "bash", ".sbatch": "bash", ".slurm": "bash", ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip
_SHEBANG = re.compile(rb"#![^\n]{0,200}?\b(python|bash|sh|zsh)[\d.]*\b")
_BINARY = 8000


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in a text that is as a rule says."""

    rule: Rule
    first: int
    """line, from 1 on"""
    last: int
    text: str
    """what stands there, shortened"""


def language_of(name: str, content: bytes) -> str | None:
    """Tell a text's language by its name's ending, else by its first line; None where it is none that rules are about."""
    if b"\0" in content[:_BINARY]:
        return None
    dot = name.rpartition("/")[2].rpartition(".")
    ending = f".{dot[2].lower()}" if dot[1] else ""
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    found = _SHEBANG.match(content)
    return None if found is None else "python" if found[1] == b"python" else "bash"


def hits(content: bytes, language: str, rules: Iterable[Rule]) -> list[Hit]:
    """Return every place that is as one of the rules says, in the order of lines."""
    import ast_grep_py  # noqa: PLC0415 - an extra that may be missing

    text = content.decode("utf-8", "backslashreplace")
    small = text.lower()
    asked = [r for r in rules if r.language == language and (r.words is None or any(word in small for word in r.words))]
    if not asked:
        return []
    root = ast_grep_py.SgRoot(text, language).root()
    found = [hit for rule in asked for hit in _of_rule(root.find_all(cast("ast_grep_py.Config", rule.config)), rule)]
    return sorted(found, key=lambda h: (h.first, h.last, h.rule.id))


def _of_rule(nodes: Iterable[Any], rule: Rule) -> Iterator[Hit]:
    seen: set[tuple[int, int]] = set()
    for node in nodes:
        span = node.range()
        place = (span.start.line + 1, span.end.line + 1)
        if place not in seen and len(seen) < MOST:
            seen.add(place)
            yield Hit(rule, *place, _short(node.text()))


def _short(text: str) -> str:
    lines = text.split("\n", 1)
    return lines[0][:_SHOWN] + ("…" if len(lines) > 1 or len(lines[0]) > _SHOWN else "")


def unmatched(_content: bytes, _language: str) -> str:
    """Match nothing: where the rules are not installed."""
    return NOT_INSTALLED
