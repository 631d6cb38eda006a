"""Which lines of a text a change added, and which it took out."""

from collections import Counter
from difflib import SequenceMatcher

_PAIRS = 4_000_000
"""lines times lines that are compared in their order; beyond, a line counts as new where the other text has fewer of it"""


def changed_lines(old: bytes, new: bytes) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers, from 1 on, of the lines of `old` that are gone, and of those of `new` that came."""
    before, after = _lines(old), _lines(new)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old_part, new_part = before[head : len(before) - tail], after[head : len(after) - tail]
    gone, came = (
        _ordered(old_part, new_part)
        if len(old_part) * len(new_part) <= _PAIRS
        else (_extra(old_part, new_part), _extra(new_part, old_part))
    )
    return frozenset(head + 1 + i for i in gone), frozenset(head + 1 + i for i in came)


def _lines(text: bytes) -> list[bytes]:
    return [line.rstrip() for line in text.split(b"\n")]


def _ordered(old: list[bytes], new: list[bytes]) -> tuple[set[int], set[int]]:
    gone: set[int] = set()
    came: set[int] = set()
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone.update(range(i, j))
            came.update(range(k, m))
    return gone, came


def _extra(lines: list[bytes], other: list[bytes]) -> set[int]:
    """Return the places of the lines of which the other text has fewer."""
    fewer = Counter(lines) - Counter(other)
    return {i for i, line in enumerate(lines) if line in fewer}
