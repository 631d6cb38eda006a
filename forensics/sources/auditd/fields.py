"""A record's fields, raw or enriched, hex or quoted.

https://github.com/linux-audit/audit-documentation/wiki/SPEC-Writing-Good-Events and .../SPEC-Audit-Event-Enrichment
"""

import re
from functools import lru_cache

_FIELD = re.compile(rb"([A-Za-z][\w-]*(?:\[\d+\])?)=(\"[^\"]*\"|[^\s\x1d]+)")
_MESSAGE_END = re.compile(rb"'(?=[A-Z][A-Z-]*=\"|\s*$)")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
UNSET = frozenset((b"4294967295", b"-1", b"unset", b"", b"?"))

Fields = dict[bytes, bytes]


def fields(body: bytes) -> Fields:
    """Return a record's fields as they stand, quotes and all.

    The kernel's own come before those inside msg='...', which a program wrote, and those of the enrichment after both.
    """
    raw, _, names = body.partition(b"\x1d")
    at = raw.find(b"msg='")
    if at < 0:
        found = dict(_FIELD.findall(raw))
        found |= dict(_FIELD.findall(names.partition(b" GID=")[0]))  # a system call's groups, and its other user ids, are not asked for
        return found
    ends = _MESSAGE_END.search(raw, at + 5)
    end = ends.start() if ends else len(raw)
    found = {key: value.rstrip(b",)") for key, value in _FIELD.findall(raw[at + 5 : end])}
    found |= dict(_FIELD.findall(raw[:at]))
    found |= dict(_FIELD.findall(raw[end:]))
    return found | dict(_FIELD.findall(names)) if names else found


def argument(value: bytes) -> str:
    """Return an argument of an execution: quoted as it is, unquoted in hex."""
    if value[:1] == b'"':
        return plain(value[1:-1])
    return plain(bytes.fromhex(value.decode())) if _HEX.fullmatch(value) else plain(value)


def text(value: bytes | None) -> str | None:
    """Return a field that others may have chosen: quoted as it is, unquoted in hex; None where it is absent or (null)."""
    if not value or value in (b"(null)", b"?", b"(none)"):
        return None
    if value[:1] == b'"':
        return plain(value[1:-1] if value[-1:] == b'"' and len(value) > 1 else value[1:])
    return plain(bytes.fromhex(value.decode())) if _HEX.fullmatch(value) else plain(value)


def plain(value: bytes) -> str:
    r"""Return bytes as text, with what is no UTF-8 written as its hex digits behind a backslash."""
    return value.decode("utf-8", "backslashreplace")


def word(value: bytes | None) -> str | None:
    """Return a field that the system chose itself."""
    if not value or value in (b"(null)", b"?", b"(none)"):
        return None
    return plain(value.strip(b"\"'"))


@lru_cache(maxsize=8192)
def account(number: bytes | None, name: bytes | None) -> str | None:
    """Return the account of a user id, by its name where the record was enriched; None where it is not set."""
    if number is None or number in UNSET:
        return None
    known = plain(name.strip(b'"')) if name else ""
    if known and known != "unset" and not known.startswith("unknown("):
        return f"unix:{known}"
    return f"unix:#{plain(number)}" if number.isdigit() else f"unix:{plain(number)}"
