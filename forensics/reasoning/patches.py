"""What a change did to the lines of a file, and whether another content of that file still holds it."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

Lines = Counter[bytes]
_BINARY = 8000
"""bytes at a file's begin among which git looks for a NUL, too (https://git-scm.com/docs/gitattributes, diff)"""
_WORDLESS = re.compile(rb"[\W_]*", re.ASCII)
_ORDINARY = frozenset(b"begin break case continue default do done elif else end esac except fi finally pass return then try".split())
"""words that stand alone on a line in any code"""


@dataclass(frozen=True, slots=True)
class Patch:
    """How many copies of its distinctive lines the file had before the change: of those that it added, and of those that it took out."""

    added: dict[bytes, int]
    removed: dict[bytes, int]

    def remains(self, lines: Lines) -> bool:
        """Tell whether some of what was added is still there; of a change that only took lines out: whether some are still gone."""
        if self.added:
            return any(lines[line] > before for line, before in self.added.items())
        return any(lines[line] < before for line, before in self.removed.items())

    def whole(self, lines: Lines) -> bool:
        """Tell whether all that was added is there, and all that was taken out is gone."""
        return all(lines[line] > n for line, n in self.added.items()) and all(lines[line] < n for line, n in self.removed.items())

    def within(self, old: Lines, new: Lines) -> bool:
        """Tell whether another change of the file, from `old` to `new`, made this one, too."""
        return all(new[line] > old[line] for line in self.added) and all(new[line] < old[line] for line in self.removed)


def lines_of(content: bytes, about: frozenset[bytes] | None = None) -> Lines | None:
    """Count the lines of a text that say something, without what stands after their last letter; None where it is no text.

    `about`: count these alone, which say something.
    """
    if b"\0" in content[:_BINARY]:
        return None
    lines = map(bytes.rstrip, content.split(b"\n"))
    return Counter(filter(_says_something, lines) if about is None else filter(about.__contains__, lines))


def patch_of(old: Lines | None, new: Lines | None) -> Patch | None:
    """Compare two contents of a file; None where no line tells them apart."""
    if old is None or new is None:
        return None
    added, removed = _of(new - old, old), _of(old - new, old)
    return Patch(added, removed) if added or removed else None


def _of(lines: Iterable[bytes], counts: Lines) -> dict[bytes, int]:
    return {line: counts[line] for line in lines}


def _says_something(line: bytes) -> bool:
    """Tell whether a line is more than space, brackets, or one word that any code has."""
    bare = line.strip(b" \t\r(){}[];:,")
    return not _WORDLESS.fullmatch(bare) and bare not in _ORDINARY
