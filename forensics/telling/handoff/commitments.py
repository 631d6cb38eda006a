"""Salted commitments to everything that was examined, and the root over them, which a full and a redacted bundle share.

A leaf is SHA-256(salt, name, 0, hash). Salts are HMACs of a secret, so that the same case gives the same root and nobody who lacks the secret can
try names until one fits. A document (JSON) is a tree of its own: one leaf for each plain value.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""a document, or a part of one"""


@dataclass(frozen=True, slots=True)
class Swap:
    """A value of a document for which something else is shown."""

    pointer: str
    commitment: str
    """hexadecimal"""
    reason: str
    """a word of `words.REASONS`"""


def canonical(value: object) -> bytes:
    """Write a value as JSON in one way: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def tree(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaves, in order (RFC 6962, section 2.1)."""
    stack: list[bytes] = []
    for number, leaf in enumerate(leaves, 1):
        stack.append(hashlib.sha256(b"\x00" + leaf).digest())
        count = number
        while count % 2 == 0:
            stack[-2:] = [_node(stack[-2], stack[-1])]
            count //= 2
    while len(stack) > 1:
        stack[-2:] = [_node(stack[-2], stack[-1])]
    return stack[0] if stack else hashlib.sha256(b"").digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def commitment(salt: bytes, name: str, hashed: bytes) -> bytes:
    """Commit to a named hash."""
    return hashlib.sha256(salt + name.encode() + b"\x00" + hashed).digest()


def units(value: object, pointer: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield (JSON pointer, canonical bytes) of every scalar and empty container, in order of keys (RFC 6901)."""
    parts: Iterable[tuple[Any, Any]] = (
        sorted(value.items()) if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    )
    if not value or not isinstance(value, (Mapping, list, tuple)):
        yield pointer, canonical(value)
        return
    for key, part in parts:
        yield from units(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


@dataclass(frozen=True, slots=True)
class Salts:
    """Derives every salt from one secret."""

    secret: bytes

    def of_file(self, name: str) -> bytes:
        """Return the salt of a file's leaf."""
        return hmac.digest(self.secret, b"file:" + name.encode(), "sha256")

    def key_of(self, name: str) -> bytes:
        """Return the key from which the salts of a document's values are made; whoever has it has them all."""
        return hmac.digest(self.secret, b"values:" + name.encode(), "sha256")

    def of_value(self, name: str, pointer: str) -> bytes:
        """Return the salt of one value."""
        return salt_of_value(self.key_of(name), pointer)

    def of_document(self, name: str, value: object) -> bytes:
        """Return the root over a document's values."""
        key = self.key_of(name)
        return tree(commitment(salt_of_value(key, p), p, hashlib.sha256(v).digest()) for p, v in units(value))

    def committed(self, name: str, pointer: str, value: object) -> str:
        """Return the commitment to one value of a document, in hexadecimal."""
        return commitment(self.of_value(name, pointer), pointer, hashlib.sha256(canonical(value)).digest()).hex()


def salt_of_value(key: bytes, pointer: str) -> bytes:
    """Return the salt of one value of the document whose key this is."""
    return hashlib.sha256(key + pointer.encode()).digest()


def shown_file(salts: Salts, name: str, sha256: str) -> tuple[bytes, dict[str, Any]]:
    """Return the leaf of a file that the bundle holds, and its line."""
    salt = salts.of_file(name)
    return commitment(salt, name, bytes.fromhex(sha256)), {"path": name, "salt": salt.hex()}


def shown_document(salts: Salts, name: str, whole: object, swaps: Sequence[Swap]) -> tuple[bytes, dict[str, Any]]:
    """Return the leaf of a document, which is over the whole of it, and its line, which opens what is shown unchanged."""
    salt, key = salts.of_file(name), salts.key_of(name)
    leaf = commitment(salt, name, salts.of_document(name, whole))
    if not swaps:
        return leaf, {"path": name, "salt": salt.hex(), "key": key.hex()}
    swapped = {s.pointer: s for s in swaps}
    opened = [
        {"commitment": swapped[p].commitment, "reason": swapped[p].reason} if p in swapped else salt_of_value(key, p).hex()
        for p, _ in units(whole)
    ]
    return leaf, {"path": name, "salt": salt.hex(), "units": opened}


def withheld(leaf: bytes, reason: str) -> dict[str, Any]:
    """Return the line of something that the bundle does not hold: not even its name."""
    return {"leaf": leaf.hex(), "reason": reason}
