"""Says what a signature says about itself. Nothing is checked here: no keys are held, so the verdict is `not checked`.

SSH: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig; OpenPGP: https://www.rfc-editor.org/rfc/rfc9580#section-5.2
"""

import base64
import binascii
import hashlib
import re
from typing import Any

_ARMOR = re.compile(rb"-----BEGIN ([A-Z ]+)-----\r?\n(.*?)(?:\n-----END|$)", re.DOTALL)
_KINDS = {b"PGP SIGNATURE": "PGP", b"PGP MESSAGE": "PGP", b"SSH SIGNATURE": "SSH", b"SIGNED MESSAGE": "X509"}


def signature_of(armored: bytes) -> dict[str, Any] | None:
    """Return kind, key and verdict of an armored signature; nothing where there is none."""
    if not armored.strip():
        return None
    found = _ARMOR.search(armored)
    kind = _KINDS.get(found.group(1), "") if found else ""
    facts: dict[str, Any] = {"kind": kind or "unknown", "key": None, "verdict": "not checked"}
    if found and kind in {"SSH", "PGP"}:
        raw = _raw(found.group(2))
        facts |= _ssh(raw) if kind == "SSH" else _pgp(raw)
    return facts


def _raw(body: bytes) -> bytes:
    """Return the bytes of an armor: behind its headers, without its checksum line."""
    lines = [line.strip() for line in body.split(b"\n")]
    if any(b":" in line for line in lines[:8]) and b"" in lines:
        lines = lines[lines.index(b"") + 1 :]
    kept = b"".join(line for line in lines if not line.startswith(b"="))
    try:
        return base64.b64decode(kept, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _ssh(raw: bytes) -> dict[str, Any]:
    """Read the public key within an SSH signature."""
    key = _string(raw, 10) if raw[:6] == b"SSHSIG" else b""
    if not key:
        return {}
    sum_ = base64.b64encode(hashlib.sha256(key).digest()).rstrip(b"=").decode()
    return {"key": f"ssh-key:SHA256:{sum_}", "algorithm": _string(key, 0).decode("ascii", "backslashreplace")}


def _string(data: bytes, place: int) -> bytes:
    size = int.from_bytes(data[place : place + 4], "big")
    found = data[place + 4 : place + 4 + size]
    return found if len(found) == size else b""


def _pgp(raw: bytes) -> dict[str, Any]:
    """Read issuer and date of the first signature packet, version 4 to 6."""
    body = _packet(raw)
    if len(body) < 6 or body[0] not in {4, 5, 6}:
        return {}
    width = 4 if body[0] == 6 else 2  # version 6 counts its subpackets in four bytes
    hashed = int.from_bytes(body[4 : 4 + width], "big")
    behind = 4 + width + hashed
    unhashed = int.from_bytes(body[behind : behind + width], "big")
    facts: dict[str, Any] = {}
    for data in (body[behind + width : behind + width + unhashed], body[4 + width : behind]):
        facts |= _subpackets(data)
    return facts


def _packet(raw: bytes) -> bytes:
    """Return the first packet's body where it is a signature (type 2)."""
    if len(raw) < 3 or not raw[0] & 0x80:
        return b""
    if raw[0] & 0x40:
        size, place = _length(raw, 1)
        return raw[place : place + size] if raw[0] & 0x3F == 2 else b""  # the type's number
    width = (1, 2, 4, 0)[raw[0] & 3]
    size = int.from_bytes(raw[1 : 1 + width], "big") if width else len(raw)
    return raw[1 + width : 1 + width + size] if raw[0] >> 2 & 0xF == 2 else b""  # the type's number


def _length(data: bytes, place: int) -> tuple[int, int]:
    """Return (length, first byte behind it): RFC 9580, 4.2.1."""
    first = data[place] if place < len(data) else 0
    if first < 192:
        return first, place + 1
    if first < 255:
        second = data[place + 1] if place + 1 < len(data) else 0
        return (first - 192 << 8) + second + 192, place + 2
    return int.from_bytes(data[place + 1 : place + 5], "big"), place + 5


def _subpackets(data: bytes) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    place = 0
    while place < len(data):
        size, place = _length(data, place)
        kind, value = (data[place] & 0x7F if place < len(data) else 0), data[place + 1 : place + size]
        place += max(size, 1)
        if kind == 33 and len(value) > 1:  # issuer's fingerprint, behind its version
            facts["key"] = f"pgp:{value[1:].hex().upper()}"
        elif kind == 16 and len(value) == 8 and "key" not in facts:  # issuer's key id
            facts["key"] = f"pgp:{value.hex().upper()}"
        elif kind == 2 and len(value) == 4:  # when it was made
            facts["signed"] = int.from_bytes(value, "big") * 1_000_000_000
    return facts
