"""Reads the bytes of commits and annotated tags (https://git-scm.com/docs/git-commit-tree, https://git-scm.com/docs/gitformat-signature)."""

import codecs
import re
from typing import Any

import msgspec

from forensics.sources.git.signatures import signature_of

LONGEST_BODY = 4096
"""characters of a message's body that an event carries"""
_FARTHEST = (1 << 63) // 1_000_000_000

_WHO = re.compile(rb"(.*?) ?<([^>\n]*)>(?: (-?\d+))?(?: ([+-]\d+))?\s*$", re.DOTALL)
_SAFE_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|(?:us-)?ascii|gbk|gb2312|gb18030|cp936|big5(?:-?hkscs)?|euc-?(?:jp|kr|cn|tw)|shift[-_]?jis|sjis|iso-?2022-?jp|iso-?8859-?\d{1,2}|latin-?1|(?:windows-|cp)125\d|koi8-?[ru]",
    re.IGNORECASE,
)
_ENCODER = msgspec.json.Encoder(order="sorted")


def as_json(facts: dict[str, Any]) -> str:
    """Write facts as JSON with sorted keys."""
    return _ENCODER.encode(facts).decode()


def text(data: bytes) -> str:
    r"""Decode UTF-8; bytes that are none stand as `\xNN`."""
    return data.decode("utf-8", "backslashreplace")


def nanoseconds(seconds: bytes | None) -> tuple[int | None, str]:
    """Return (nanoseconds since 1970, nothing), or (None, why there are none)."""
    if seconds is None:
        return None, "no date"
    if len(seconds) > 19 or abs(int(seconds)) >= _FARTHEST:
        return None, f"a date out of range: {seconds[:40].decode()}"
    return int(seconds) * 1_000_000_000, ""


def headers(content: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """Return (first value of each header with its continuation lines, message)."""
    head, _, message = content.partition(b"\n\n")
    found: dict[bytes, bytes] = {}
    lines = head.split(b"\n")
    last = b""
    for line in lines:
        if line[:1] == b" " and last:
            found[last] += b"\n" + line[1:]
            continue
        key, _, value = line.partition(b" ")
        last = b"" if key in found else key
        found.setdefault(key, value)
    return found, message


def identity(data: bytes | None, prefix: str, decode: "Decode") -> tuple[dict[str, Any], str, int | None]:
    """Return (facts, address, nanoseconds) of an author, committer or tagger line."""
    facts: dict[str, Any] = {prefix: None, f"{prefix}_email": None, f"{prefix}_time": None, f"{prefix}_zone": None}
    found = _WHO.match(data) if data is not None else None
    if not found:
        return facts | {f"{prefix}_note": f"no {prefix}" if data is None else f"not readable: {text(data)[:200]}"}, "", None
    name, address, seconds, zone = found.groups()
    time, note = nanoseconds(seconds)
    mail = decode(address)
    facts = {prefix: decode(name), f"{prefix}_email": mail, f"{prefix}_time": time, f"{prefix}_zone": zone.decode() if zone else None}
    return facts | ({f"{prefix}_note": note} if note else {}), mail, time


class Decode:
    """Decodes text of one object by the encoding that it declares, where that is a known text encoding; else as UTF-8."""

    def __init__(self, declared: bytes | None) -> None:
        name = text(declared) if declared else ""
        self.codec = codecs.lookup(name).name if _SAFE_ENCODINGS.fullmatch(name) and _known(name) else "utf-8"

    def __call__(self, data: bytes) -> str:
        """Return the text."""
        try:
            return data.decode("utf-8") if self.codec == "utf-8" else data.decode(self.codec)
        except UnicodeDecodeError:
            return text(data)


def _known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


_PLAIN = Decode(None)


def commit_facts(content: bytes) -> tuple[dict[str, Any], str, int | None]:
    """Return (facts, author's address, committer's date in nanoseconds) of a commit's content."""
    found, message = headers(content)
    declared = found.get(b"encoding")
    decode = Decode(declared) if declared else _PLAIN
    author, mail, _ = identity(found.get(b"author"), "author", decode)
    committer, _, time = identity(found.get(b"committer"), "committer", decode)
    facts = author | committer | _words(message, decode)
    facts["tree"] = text(found.get(b"tree", b""))
    if declared:
        facts["encoding"] = text(declared)
    facts["signature"] = signature_of(found.get(b"gpgsig") or found.get(b"gpgsig-sha256") or b"")
    return facts, mail, time


def tag_facts(content: bytes) -> tuple[dict[str, Any], str, int | None]:
    """Return (facts, tagger's address, date in nanoseconds) of an annotated tag's content."""
    found, message = headers(content)
    decode = _PLAIN
    tagger, mail, time = identity(found.get(b"tagger"), "tagger", decode)
    start = next((i for i in (message.find(b"-----BEGIN " + kind) for kind in (b"PGP", b"SSH", b"SIGNED")) if i >= 0), len(message))
    facts = tagger | _words(message[:start], decode)
    facts |= {"tag": text(found.get(b"tag", b"")), "type": text(found.get(b"type", b"")), "object": text(found.get(b"object", b""))}
    return facts | {"signature": signature_of(message[start:])}, mail, time


def _words(message: bytes, decode: Decode) -> dict[str, Any]:
    subject, _, body = decode(message).strip("\n").partition("\n")
    body = body.strip("\n")
    facts: dict[str, Any] = {"subject": subject[:LONGEST_BODY]}
    if body:
        facts["body"] = body[:LONGEST_BODY]
    if len(body) > LONGEST_BODY or len(subject) > LONGEST_BODY:
        facts["message_cut"] = True
    return facts
