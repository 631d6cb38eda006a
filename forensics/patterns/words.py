"""Which words a text must have for a rule to find anything in it: asked before the text is matched, since most rules find nothing in most texts.

Words are told from the rule's own regular expressions. Where none can be told, the answer is None, and the rule is always tried.
"""

from collections.abc import Mapping

Words = frozenset[str]
"""one of them has to be there, in small letters"""
_SHORTEST = 3
_SINGLE = frozenset("sSdDwW")
_PLACES = frozenset("bBAz")


def needed(rule: object) -> Words | None:
    """Return the words one of which every text has in which a rule (a table, as ast-grep has it) finds something."""
    if not isinstance(rule, Mapping):
        return None
    sets = [_part(str(key), value) for key, value in rule.items()]
    return _best([words for words in sets if words])


def _part(key: str, value: object) -> Words | None:
    if key == "regex" and isinstance(value, str):
        return of_regex(value)
    if key in ("has", "inside", "follows", "precedes"):
        return needed(value)
    if key == "all" and isinstance(value, list):
        return _best([words for words in map(needed, value) if words])
    if key == "any" and isinstance(value, list):
        return _union([needed(one) for one in value])
    return None


def _best(sets: list[Words]) -> Words | None:
    """Of several conditions that all have to hold, choose the one that leaves out most."""
    return max(sets, key=lambda words: (min(map(len, words)), -len(words), sorted(words)), default=None)


def _union(sets: list[Words | None]) -> Words | None:
    whole: set[str] = set()
    for words in sets:
        if not words:
            return None
        whole |= words
    return frozenset(whole) or None


def of_regex(text: str) -> Words | None:
    """Return the words one of which whatever matches a regular expression has; None where that can't be told."""
    try:
        words, end = _alternatives(text, 0)
    except (ValueError, IndexError, RecursionError):
        return None
    return words if end == len(text) and words and min(map(len, words)) >= _SHORTEST else None


def _alternatives(text: str, at: int) -> tuple[Words | None, int]:
    sets = []
    while True:
        words, at = _sequence(text, at)
        sets.append(words)
        if at >= len(text) or text[at] != "|":
            return _union(sets), at
        at += 1


def _sequence(text: str, at: int) -> tuple[Words | None, int]:
    """Read up to `|`, `)` or the end: runs of letters that have to stand there, and groups."""
    sets: list[Words] = []
    run = ""
    while at < len(text) and text[at] not in "|)":
        letter, words, at = _atom(text, at)
        optional, repeated, at = _quantifier(text, at)
        if letter and not optional:
            run += letter
        if not letter or optional or repeated:
            sets += [frozenset({run})] if run else []
            run = ""
        if words and not optional:
            sets.append(words)
    sets += [frozenset({run})] if run else []
    return _best(sets), at


def _atom(text: str, at: int) -> tuple[str, Words | None, int]:
    """Read one part: (the letter that it is, or the words of a group, where it ends)."""
    mark = text[at]
    if mark == "(":
        return _group(text, at)
    if mark == "[":
        return "", None, _class_end(text, at)
    if mark == "\\":
        code = text[at + 1]
        if code.isalnum() and code not in _SINGLE | _PLACES:
            raise ValueError(code)
        return "" if code.isalnum() else code, None, at + 2
    return ("" if mark in ".^$" else mark.lower()), None, at + 1


def _group(text: str, at: int) -> tuple[str, Words | None, int]:
    start = at + 1
    if text.startswith("(?", at):
        if text.startswith("(?i)", at):
            return "", None, at + 4
        if not text.startswith("(?:", at):
            raise ValueError(text[at : at + 3])
        start = at + 3
    words, end = _alternatives(text, start)
    if text[end] != ")":
        raise ValueError(text)
    return "", words, end + 1


def _class_end(text: str, at: int) -> int:
    at += 2 if text[at + 1] in "]^" else 1
    while text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _quantifier(text: str, at: int) -> tuple[bool, bool, int]:
    """Read `?`, `*`, `+` or `{...}`: (whether it may be missing, whether it may stand there more often, where it ends)."""
    if at >= len(text) or text[at] not in "?*+{":
        return False, False, at
    if text[at] == "{":
        end = text.index("}", at) + 1
        return text[at + 1] in "0,", True, end + text.startswith("?", end)
    return text[at] in "?*", text[at] != "?", at + 1 + text.startswith("?", at + 1)
