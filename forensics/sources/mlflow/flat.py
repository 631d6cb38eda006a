"""Reads flat YAML, `key: scalar` line by line: all that MLflow writes into its meta.yaml. Anything else is refused.

No YAML library: tags, anchors, block scalars and flow collections have no place here, so nothing can be loaded and nothing expands.
A value may be folded over several lines, as YAML writers do beyond 80 columns; a key may hold one level of `key: scalar` below it.
https://yaml.org/spec/1.1/
"""

import re

from forensics.errors import RecordError

Flat = dict[str, "str | Flat | None"]

_ENTRY = re.compile(r"([\w.][\w.\-/ ]*|'[^']*')[ ]?:(?:[ \t]+(.*))?", re.DOTALL)
_SINGLE = re.compile(r"'((?:[^']++|'')*+)'[ \t]*(?:[ \t]#.*)?", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]++|\\.)*+)"[ \t]*(?:[ \t]#.*)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_NAMED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", " ": " ", '"': '"',
    "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_NULLS = frozenset(("", "~", "null", "Null", "NULL", "[]", "{}"))
_NEVER_PLAIN = frozenset("!&*|>%@`[]{},#\"'")


def parse(data: bytes) -> Flat:
    """Read a document; RecordError, with the line, where it is no flat one. Null and empty collections are None."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "backslashreplace")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return _block(lines, 1, deep=False)


def _block(lines: list[str], first: int, *, deep: bool) -> Flat:
    """Read entries that begin at the first column; `first` is the number of their first line."""
    found: Flat = {}
    at = 0
    while at < len(lines):
        line, number = lines[at], first + at
        at += 1
        if not line.strip() or line.startswith("#") or (line.rstrip() == "---" and number == 1):
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            raise RecordError(f"line {number} is no `key: value`: {line[:40]!r}")
        below = next((i for i in range(at, len(lines)) if lines[i].strip() and lines[i][0] != " "), len(lines))
        key = entry[1].strip("'")
        if key in found:
            raise RecordError(f"line {number} says {key[:40]!r} again")
        found[key] = _value((entry[2] or "").strip(), _trimmed(lines[at:below]), number, deep=deep)
        at = below
    return found


def _trimmed(lines: list[str]) -> list[str]:
    """Leave out blank lines at the end."""
    last = next((i for i in reversed(range(len(lines))) if lines[i].strip()), -1)
    return lines[: last + 1]


def _value(first: str, below: list[str], number: int, *, deep: bool) -> str | Flat | None:
    """Read what follows a key: on its line, and on indented lines below it."""
    if first.startswith(("'", '"')):
        return _quoted(first, below, number)
    if not first and below:
        if deep:
            raise RecordError(f"line {number} is nested too deep to be flat")
        margin = len(below[0]) - len(below[0].lstrip(" ")) if below[0].strip() else 1
        if any(line[:margin].strip() for line in below):
            raise RecordError(f"the lines below line {number} are not indented alike")
        return _block([line[margin:] for line in below], number + 1, deep=True)
    return _plain(" ".join([first, *(line.strip() for line in below)]), number)


def _plain(text: str, number: int) -> str | None:
    text = text.partition(" #")[0].rstrip()
    if text in _NULLS:
        return None
    if text[0] in _NEVER_PLAIN or text.startswith(("- ", "? ", ": ")) or ": " in text or text.endswith(":"):
        raise RecordError(f"line {number} holds something else than a flat value: {text[:40]!r}")
    return text


def _quoted(first: str, below: list[str], number: int) -> str:
    double = first[0] == '"'
    found = (_DOUBLE if double else _SINGLE).fullmatch(_folded(first, below, double=double))
    if found is None:
        raise RecordError(f"the quoted value of line {number} does not end as it should")
    return _ESCAPE.sub(_unescaped, found[1]) if double else found[1].replace("''", "'")


def _folded(first: str, below: list[str], *, double: bool) -> str:
    """Join the lines of a quoted value: a line end is a blank, an empty line a line end, an escaped line end nothing."""
    parts = [first]
    ends = 0
    for line in (part.strip() for part in below):
        if not line:
            ends += 1
            continue
        last = parts[-1]
        if double and (len(last) - len(last.rstrip("\\"))) % 2:
            parts[-1] = last[:-1]
            parts.append("\n" * ends)
        else:
            parts.append("\n" * ends or " ")
        parts.append(line)
        ends = 0
    return "".join(parts)


def _unescaped(found: re.Match[str]) -> str:
    short, four, eight, name = found.groups()
    if name is not None:
        if name not in _NAMED:
            raise RecordError(f"an escape that YAML does not know: {found[0]!r}")
        return _NAMED[name]
    code = int(short or four or eight, 16)
    if code > 0x10FFFF:
        raise RecordError(f"an escape beyond Unicode: {found[0]!r}")
    return found[0] if 0xD800 <= code < 0xE000 else chr(code)  # half a pair is no text, and stays as written
