"""Unpacks the beginning of what was compressed as a whole: gzip, bzip2, xz, zlib, zstd. In bounded memory, and never further than asked."""

import bz2
import lzma
import zlib
from typing import Protocol

import zstandard

from forensics.containers import View

_STEP = 1 << 16
_WINDOW = 1 << 27
"""bytes that an engine may hold"""
_BEGINNINGS = ((b"\x1f\x8b\x08", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"]\x00\x00", "lzma"))
_ZLIB = 0x78


class _Engine(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...


def kind_of(head: bytes) -> str:
    """Tell by its first bytes how something was compressed; empty where it was not. joblib writes zlib, gzip, bzip2, xz and lzma."""
    if head[:1] == bytes([_ZLIB]) and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0:  # RFC 1950, FCHECK
        return "zlib"
    return next((kind for mark, kind in _BEGINNINGS if head.startswith(mark)), "")


def unpacked(view: View, kind: str, limit: int) -> tuple[bytes, str]:
    """Return the beginning of what was compressed, and why it ends early; empty where it does not."""
    engine = _engine(kind)
    out, place = bytearray(), 0
    while len(out) <= limit and not engine.eof:
        data = view.read(
            place, _STEP >> 6 if kind in ("bzip2", "xz", "lzma", "zstd") else _STEP
        )  # a little of these may become a great deal
        place += len(data)
        if not data:
            return bytes(out), "it ends in the middle"
        try:
            out += engine.decompress(data)
        except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError):
            return bytes(out[:limit]), "its packed bytes are damaged"
    return bytes(out[:limit]), f"limit: more than {limit} bytes" if len(out) > limit else ""


class _Zstd:
    """zstandard's engine, called as the others are."""

    def __init__(self) -> None:
        self._engine = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return self._engine.eof

    def decompress(self, data: bytes, /) -> bytes:
        return self._engine.decompress(data)


def _engine(kind: str) -> _Engine:
    if kind in ("zlib", "gzip"):
        return zlib.decompressobj(15 if kind == "zlib" else 31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    if kind == "zstd":
        return _Zstd()
    return lzma.LZMADecompressor(memlimit=_WINDOW)
