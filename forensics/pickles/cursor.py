"""Bytes in order out of anything that can be read at a place, in bounded memory. RecordError where they end too early."""

from collections.abc import Callable

from forensics.errors import RecordError

Read = Callable[[int, int], bytes]
"""(place, how many) -> the bytes there; fewer where they end"""

_BLOCK = 1 << 16


class Cursor:
    """A place that moves through bytes. Long values are passed over, and only their beginning is kept."""

    def __init__(self, read: Read, size: int, at: int = 0) -> None:
        self._read, self.size, self.at = read, size, at
        self._block, self._base = b"", at

    def again(self, at: int) -> "Cursor":
        """Return another cursor over the same bytes."""
        return Cursor(self._read, self.size, at)

    def _fill(self, count: int) -> int:
        """Have the next bytes at hand, and return where they begin in the block."""
        start = self.at - self._base
        if start < 0 or start + count > len(self._block):
            self._block, self._base, start = self._read(self.at, min(max(count, _BLOCK), self.size - self.at)), self.at, 0
        return start

    def byte(self) -> int:
        """Return the next byte."""
        start = self.at - self._base
        if not 0 <= start < len(self._block):
            start = self._fill(1)
            if start >= len(self._block):
                raise RecordError("breaks off before its end")
        self.at += 1
        return self._block[start]

    def take(self, count: int, keep: int | None = None) -> bytes:
        """Pass over that many bytes, and return as many of them as are to be kept."""
        if count > self.size - self.at:
            raise RecordError(f"breaks off: {count} bytes are announced, {self.size - self.at} are there")
        kept = count if keep is None else min(count, keep)
        start = self._fill(kept)
        data = self._block[start : start + kept]
        if len(data) < kept:
            raise RecordError("breaks off before its end")
        self.at += count
        return data

    def line(self, keep: int) -> bytes:
        """Pass over the rest of a line with its end, and return its beginning."""
        kept = b""
        while True:
            start = self._fill(1)
            if start >= len(self._block):
                raise RecordError("breaks off within a line")
            end = self._block.find(b"\n", start)
            part = self._block[start : end if end >= 0 else len(self._block)]
            if len(kept) < keep:
                kept += part[: keep - len(kept)]
            self.at += len(part) + (end >= 0)
            if end >= 0:
                return kept
