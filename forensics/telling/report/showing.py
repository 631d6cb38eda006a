"""How text and numbers are shown on the page: what is invisible is written out; what is long is cut, with the count said."""

import re
from collections.abc import Callable

from forensics.telling import evidence_text

LONGEST = 300
"""characters of a piece of evidence text that are shown"""
SENTENCE = 1500
"""characters of a sentence of our own, which may quote evidence"""

# Towers of combining marks hide the lines above and below; three on one letter are more than any living script needs here.
_TOWER = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}")


class Shown(str):
    """Text that has been made visible already."""

    __slots__ = ()


def written_out(text: str, keep: str = "") -> str:
    """Write out what could not be seen, and what would hide its neighbours."""
    plain = evidence_text.visible(text, keep=keep)
    return plain if plain.isascii() else _TOWER.sub(lambda found: "".join(f"\\u{ord(mark):04x}" for mark in found.group()), plain)


def visible(value: object, limit: int = LONGEST) -> Shown:
    """Return text that shows all it holds, up to `limit` characters; the rest is counted."""
    if isinstance(value, Shown):
        return value
    text = "" if value is None else str(value)
    over = len(text) - limit
    shown = written_out(text[:limit])
    return Shown(f"{shown}… ({over:,} more characters)" if over > 0 else shown)


def raw_text(data: bytes, hide: Callable[[str], str] = str) -> Shown:
    r"""Decode a record for showing: broken UTF-8 as `\xNN`, line ends kept, everything else that is invisible written out."""
    return Shown(written_out(hide(evidence_text.decoded(data)), keep="\n"))


def fitted(value: object, columns: int) -> Shown:
    """Cut a text in its middle so that it fits a box of a drawing."""
    text = "" if value is None else str(value)
    ends = text if len(text) <= 4 * columns else f"{text[:columns]}…{text[-columns:]}"
    return Shown(evidence_text.shorten(written_out(ends), columns))


_SMALL, _TEN, _MILLION, _TINY = 100, 10, 1e6, 1e-4


def count(number: float) -> str:
    """Write a whole number with separators, as in `12,345`."""
    return f"{number:,.0f}"


def amount(number: float) -> str:
    """Write an amount: with a decimal where it is small."""
    return f"{number:,.0f}" if abs(number) >= _SMALL or number == int(number) else f"{number:,.1f}"


def ratio(number: float) -> str:
    """Write a likelihood ratio to two digits that count."""
    if number >= _MILLION or 0 < number < _TINY:
        return f"{number:.0e}".replace("e+0", "e").replace("e-0", "e-")
    if number >= _TEN:
        return f"{round(number, 2 - len(str(int(number)))):,.0f}"
    text = f"{number:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text else text
