"""Compressed and archived files whose bytes depend on nothing but their content.

Deflate allows blocks that are stored as they are (RFC 1951, 3.2.4), so no compression library's version shows in the result.
"""

import io
import tarfile
import zlib

BLOCK = 0xFFFF


def stored_blocks(data: bytes) -> bytes:
    """Write data as a deflate stream of stored blocks."""
    out = bytearray()
    for start in range(0, max(len(data), 1), BLOCK):
        piece = data[start : start + BLOCK]
        last = start + BLOCK >= len(data)
        out += bytes([last]) + len(piece).to_bytes(2, "little") + (len(piece) ^ 0xFFFF).to_bytes(2, "little") + piece
    return bytes(out)


def zlib_stream(data: bytes) -> bytes:
    """Wrap data as a zlib stream (RFC 1950)."""
    return b"\x78\x01" + stored_blocks(data) + zlib.adler32(data).to_bytes(4, "big")


def gzip_file(data: bytes) -> bytes:
    """Wrap data as a gzip file without a name or a time (RFC 1952)."""
    tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + stored_blocks(data) + tail


def tar_file(files: dict[str, bytes], when: int) -> bytes:
    """Archive files (path to content) and their folders; every member bears the moment of collection."""
    buffer = io.BytesIO()
    folders = {path[:i] for path in files for i, c in enumerate(path) if c == "/"}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(folders | set(files)):
            archive.addfile(_member(name, files.get(name), when), io.BytesIO(files.get(name, b"")))
    return buffer.getvalue()


def _member(name: str, content: bytes | None, when: int) -> tarfile.TarInfo:
    """Describe one member: a folder where there is no content."""
    member = tarfile.TarInfo(name)
    member.mtime = when
    member.mode = 0o755 if content is None else 0o644
    member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    member.size = 0 if content is None else len(content)
    return member
