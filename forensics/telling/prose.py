"""Plain text in lines: indented, wrapped at spaces, with references that stay whole; what came from evidence is escaped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from forensics.telling.evidence_text import visible, width
from forensics.telling.report.citing import place

Text = tuple[int, str, str]
"""columns before it, what marks its first line (`#` makes it a heading), and the text"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of visible text."""

    text: str
    heading: bool = False


def wrapped(texts: Iterable[Text], columns: int) -> Iterator[Line]:
    """Yield texts as lines, each heading after a gap."""
    for indent, mark, text in texts:
        if mark == "#":
            yield Line("")
            yield from (Line(line, heading=True) for line in _lines(visible(text), columns))
            continue
        first, rest = " " * indent + mark, " " * (indent + len(mark))
        for number, line in enumerate(_lines(visible(text), columns - len(rest))):
            yield Line((rest if number else first) + line)


def _lines(text: str, columns: int) -> Iterator[str]:
    """Cut a visible text at its spaces; what is longer than a line, such as a reference, stays whole, to be copied."""
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) > columns:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def cited(refs: Iterable[Any], indent: int) -> Iterator[Text]:
    """Yield a line for each reference."""
    for ref in refs:
        yield indent, "", place(ref)
