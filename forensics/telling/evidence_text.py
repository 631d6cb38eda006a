"""Makes text from evidence safe to show: on terminals, in spreadsheets, in JSON that somebody prints. Evidence is hostile."""

import re
import unicodedata

# What moves the cursor, changes the direction of reading, or can't be seen (Unicode TR36 and TR39; CVE-2021-42574): all controls,
# formats, surrogates, separators of lines, private and unassigned code points, and the blank marks that count as letters or accents.
_UNSEEN = re.compile(
    r"[^ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u03ff\u0400-\u052f\u3001-\u303e\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uff01-\uff5e]"
)
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = frozenset("\u00a0\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(c) for c in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def hidden(char: str) -> bool:
    """Tell whether a character could not be seen for what it is."""
    return unicodedata.category(char) in _HIDDEN or char in _BLANK


def visible(text: str, *, keep: str = "") -> str:
    r"""Write a text so that it only says what it says: control, bidi and zero-width characters as `\x1b`, `\u202e`.

    `keep` names characters that stay as they are, such as the line ends of a text of several lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: _shown(found.group(), keep), text)


def _shown(char: str, keep: str) -> str:
    if char in keep or not hidden(char):
        return char
    return char.encode("unicode_escape").decode("ascii")


def decoded(data: bytes) -> str:
    r"""Read bytes as UTF-8; those that are none stand as `\xff`."""
    return data.decode("utf-8", "backslashreplace")


def cell(text: str) -> str:
    """Write a text for a spreadsheet's cell: visible, and with ' before what would be taken for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return ("'" if text.startswith(_FORMULA) else "") + visible(text)


def in_json(encoded: bytes) -> bytes:
    """Escape, in JSON text, the characters that could not be seen. Whoever parses it gets the same text as before."""
    if encoded.isascii() and b"\x7f" not in encoded:  # lower controls are escaped already, as JSON demands
        return encoded
    return _UNSEEN.sub(lambda found: _unit(found.group()) if hidden(found.group()) else found.group(), encoded.decode()).encode()


def _unit(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def width(text: str) -> int:
    """Return how many columns of a terminal a visible text takes (wide East Asian characters take two, accents none)."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, columns: int) -> str:
    """Cut a visible text in the middle to so many columns: its beginning says what it is, its end which one."""
    if width(text) <= columns:
        return text
    head, tail = "", ""
    for left, right in zip(text, reversed(text), strict=True):
        if width(head + left) + width(tail) > columns - 1:
            break
        head += left
        if width(head) + width(right + tail) > columns - 1:
            break
        tail = right + tail
    return f"{head}…{tail}"


def columns(rows: list[list[str]], *, gap: str = "  ") -> list[str]:
    """Lay out rows of visible text in columns, the first row being the heading."""
    if not rows:
        return []
    widths = [max(width(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    lines = [gap.join(text + " " * (size - width(text)) for text, size in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    return [lines[0], gap.join("-" * size for size in widths), *lines[1:]]
