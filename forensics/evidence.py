"""Intake: which files a source has, their hashes, and their bytes as a stream. Evidence is only ever read."""

import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from forensics.errors import CaseError, EvidenceError, IntegrityError
from forensics.model import CaseConfig, Evidence, EvidenceFile, SourceConfig

_CHUNK = 1 << 20
LARGEST_RATIO = 250
"""a compressed file may grow this many times..."""
FREE_GROWTH = 256 << 20
"""...or to this many bytes, whichever is more; what lies beyond is rejected (decompression bombs)"""


def sha256_of(path: str) -> str:
    """Hash a file by blocks; EvidenceError where it can't be read."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EvidenceError(f"can't be read: {error.strerror}", where=path, hint="check that it is there and may be read") from error


def collect(case: CaseConfig, source: SourceConfig, work: str = "") -> Evidence:
    """Find the files of a source, sorted by name; links are noted and never followed.

    CaseError where the path leaves the case folder or nothing lies there.
    """
    root = Path(case.root)
    if Path(source.path).is_absolute() or ".." in Path(source.path).parts:
        raise CaseError(
            f"the path {source.path!r} leaves the case folder",
            where=f"source {source.name!r}",
            hint="copy the material below the case folder",
        )
    notes: list[str] = []
    base = root / source.path
    if _linked(root, base):
        raise CaseError("is a symbolic link, and links are never followed", where=source.path, hint="collect the file itself")
    files = [_file(base, "")] if base.is_file() else list(_several(root, source.path, notes))
    if not files:
        raise CaseError(
            "no file lies there",
            where=f"source {source.name!r}, {source.path}",
            hint="correct `path` in case.toml, or leave the source out",
        )
    return Evidence(source, tuple(sorted(files, key=lambda f: f.file)), work, tuple(sorted(map(_valid, notes))))


def _linked(root: Path, path: Path) -> bool:
    return any(p.is_symlink() for p in (path, *path.parents) if p != root and root in p.parents)


def _file(path: Path, name: str) -> EvidenceFile:
    return EvidenceFile(_valid(name), str(path), path.stat().st_size)


def _valid(name: str) -> str:
    r"""Return a file name as valid text: bytes that are not UTF-8 stand as `\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _several(root: Path, pattern: str, notes: list[str]) -> Iterator[EvidenceFile]:
    """Walk a folder, or the files of a glob. Names are taken below the folder, or below the glob's fixed part."""
    folder = root / pattern
    if folder.is_dir():
        yield from _walk(folder, folder, notes)
        return
    fixed = Path(*_before_wildcard(pattern))
    for path in sorted(root.glob(pattern)):
        if _linked(root, path):
            notes.append(f"symbolic link not followed: {path.relative_to(root).as_posix()}")
        elif path.is_dir():
            yield from _walk(root / fixed, path, notes)
        elif path.is_file():
            yield _file(path, path.relative_to(root / fixed).as_posix())


def _before_wildcard(pattern: str) -> list[str]:
    parts: list[str] = []
    for part in Path(pattern).parts:
        if any(c in part for c in "*?["):
            break
        parts.append(part)
    return parts


def _walk(base: Path, folder: Path, notes: list[str]) -> Iterator[EvidenceFile]:
    for where, folders, names in os.walk(folder):
        here = Path(where)
        for name in sorted(folders + names):
            path = here / name
            if path.is_symlink():
                notes.append(f"symbolic link not followed: {path.relative_to(base).as_posix()}")
            elif name in names and path.is_file():
                yield _file(path, path.relative_to(base).as_posix())
            elif name in names:
                notes.append(f"not a regular file, left alone: {path.relative_to(base).as_posix()}")
        folders.sort()


def hash_all(evidence: Evidence, pool: ThreadPoolExecutor) -> Evidence:
    """Return the evidence with every file's SHA-256."""
    sums = pool.map(sha256_of, (f.path for f in evidence.files))
    return replace(evidence, files=tuple(replace(f, sha256=s) for f, s in zip(evidence.files, sums, strict=True)))


def check_unchanged(evidence: Evidence, pool: ThreadPoolExecutor) -> None:
    """Hash every file again; IntegrityError at the first that is not what it was at intake."""
    for file, now in zip(evidence.files, pool.map(sha256_of, (f.path for f in evidence.files)), strict=True):
        if now != file.sha256:
            raise IntegrityError(
                f"changed while it was examined: SHA-256 was {file.sha256}, is {now}",
                where=f"source {evidence.source.name!r}, {file.file or evidence.source.path}",
                hint="work on a copy that nothing writes to, and start again",
            )


class _Decompressor(Protocol):
    @property
    def unused_data(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class Unpacked(io.RawIOBase):
    """Bytes of a .gz or .zst file after decompression, member after member; damage ends the stream, in words.

    `consumed` counts the stored bytes that became text; `damage` says why the rest did not.
    """

    def __init__(self, raw: BinaryIO, kind: str, size: int) -> None:
        super().__init__()
        self._raw, self._kind = raw, kind
        self._limit = max(FREE_GROWTH, size * LARGEST_RATIO)
        self._engine: _Decompressor | None = None
        self._pending, self._out = b"", b""
        self._step = 1 << 14 if kind == "gz" else 1 << 10  # a zstd block of 4 bytes may become 128 KiB of text, a gzip byte 1 KiB
        self.text = self.consumed = 0
        self._fed = 0
        self.damage = ""

    def readable(self) -> bool:
        """Say that it can be read (RawIOBase's promise)."""
        return True

    def close(self) -> None:
        """Close the stored file along with its text."""
        self._raw.close()
        super().close()

    def _new(self) -> _Decompressor:
        if self._kind == "gz":
            return zlib.decompressobj(31)
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def _more(self) -> bytes:
        """Decompress the next chunk; empty at the end or at damage."""
        while not self.damage:
            data = self._pending or self._raw.read(1 << 16)
            data, self._pending = data[: self._step], data[self._step :]
            if not data:
                if self._engine is not None:
                    self.damage = "the compressed stream ends in the middle"
                return b""
            text = self._feed(data)
            if text:
                self.text += len(text)
                if self.text > self._limit:
                    self.damage = f"decompression limit: more than {self._limit} bytes of text"
                return text
        return b""

    def _feed(self, data: bytes) -> bytes:
        self._engine = self._engine or self._new()
        try:
            text = self._engine.decompress(data)
        except (zlib.error, zstandard.ZstdError) as error:
            self.damage = f"damaged compressed stream: {error}"
            return b""
        left = self._engine.unused_data
        self._pending = left + self._pending
        self._fed += len(data) - len(left)
        self.consumed = self._fed
        if self._engine.eof:
            self._engine = None
        return text

    def readinto(self, buffer: object) -> int:
        """Fill a buffer (RawIOBase's promise)."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        if not self._out:
            self._out = self._more()
        part = self._out[: len(view)]
        view[: len(part)] = part
        self._out = self._out[len(part) :]
        return len(part)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes of text, at most `size` (a whole decompressed chunk where negative)."""
        if not self._out:
            self._out = self._more()
        if size < 0 or len(self._out) <= size:
            part, self._out = self._out, b""
        else:
            part, self._out = self._out[:size], self._out[size:]
        return part


def compression(name: str) -> str:
    """Return `gz`, `zst` or nothing, by a file's name."""
    return {".gz": "gz", ".zst": "zst"}.get(Path(name).suffix, "")


def open_text(file: EvidenceFile) -> BinaryIO:
    """Open a file's bytes after decompression (by its name's ending). Read-only."""
    raw = Path(file.path).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    kind = compression(file.path)
    return Unpacked(raw, kind, file.size) if kind else raw  # type: ignore[return-value]


def share_out(total: int, parts: list[int]) -> list[int]:
    """Share `total` stored bytes in proportion to `parts` of text, remainders to the largest fraction."""
    weight = sum(parts)
    if not weight:
        return [0] * len(parts) if parts else []
    whole = [total * p // weight for p in parts]
    fractions = sorted(range(len(parts)), key=lambda i: (-(total * parts[i] % weight), i))
    for i in fractions[: total - sum(whole)]:
        whole[i] += 1
    return whole
