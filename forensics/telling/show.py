"""A record for people: its place and hash, and its bytes as text that only says what it says, or in hexadecimal."""

from collections.abc import Iterator

from forensics.telling.evidence_text import decoded, visible
from forensics.telling.raw import Found

_WIDE = 16


def heading(found: Found) -> list[str]:
    """Say where the bytes lie and what was checked."""
    what = f"git {found.kind}, canonical bytes (header and content)" if found.kind else "as it was at intake"
    return [
        f"reference: {visible(str(found.place))}",
        f"file:      {visible(found.file)}",
        f"sha256:    {found.sha256} ({what})",
        f"bytes:     {len(found.data)}",
    ]


def text(found: Found) -> list[str]:
    """Return the record's lines, hidden characters made visible; of a git object without its header."""
    data = found.data
    if found.kind:
        data = data.partition(b"\x00")[2]
    if found.kind == "tree":
        return [visible(line) for line in _tree(data, (len(found.place.locator) - len("git=")) // 2)]
    shown = visible(decoded(data.removesuffix(b"\n")), keep="\n\t")
    return shown.split("\n") if data else []


def hexadecimal(data: bytes) -> Iterator[str]:
    """Yield lines of place, bytes, and their ASCII."""
    for place in range(0, len(data), _WIDE):
        part = data[place : place + _WIDE]
        signs = "".join(chr(b) if chr(b).isascii() and chr(b).isprintable() else "." for b in part)
        yield f"{place:08x}  {part.hex(' '):<{3 * _WIDE}} |{signs}|"


def _tree(data: bytes, size: int) -> Iterator[str]:
    """Yield a tree's entries: mode, id, name.

    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    place = 0
    while place < len(data):
        end = data.find(b"\x00", place)
        if end < 0:
            yield decoded(data[place:])
            return
        mode, _, name = data[place:end].partition(b" ")
        yield f"{decoded(mode):>6} {data[end + 1 : end + 1 + size].hex()} {decoded(name)}"
        place = end + 1 + size
