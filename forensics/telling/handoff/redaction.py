"""Takes names and values out of documents, keeps their shape, and notes every place with its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forensics.errors import ForensicsError, UsageError
from forensics.telling.handoff.commitments import Json, Salts, Swap
from forensics.telling.handoff.exculpatory import protected, refuse
from forensics.telling.handoff.pseudonyms import Pseudonyms
from forensics.telling.handoff.views import NOTHING, Asked, View

NAME, HASH, CALLER = "third-party", "hash", "asked"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out of one bundle."""

    view: View
    names: Pseudonyms
    salts: Salts
    asked: Asked = NOTHING


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as it is shown, and where it differs from the whole one."""

    value: Json
    swaps: tuple[Swap, ...]


def shown(redaction: Redaction, name: str, value: Json) -> Shown:
    """Return a document as a view shows it: the same shape, with each withheld value replaced and noted."""
    swaps: list[Swap] = []
    return Shown(_walk(redaction, name, value, "", swaps), tuple(swaps))


def _walk(redaction: Redaction, name: str, value: Json, pointer: str, swaps: list[Swap]) -> Json:
    if value and isinstance(value, Mapping):
        parts = {k: f"{pointer}/{k.replace('~', '~0').replace('/', '~1')}" for k in sorted(value)}
        return {k: _walk(redaction, name, value[k], place, swaps) for k, place in parts.items()}
    if value and isinstance(value, (list, tuple)):
        return [_walk(redaction, name, part, f"{pointer}/{n}", swaps) for n, part in enumerate(value)]
    why = _why(redaction, name, pointer)
    other = redaction.names.text(value) if isinstance(value, str) else value
    if why is None and other == value:
        return value
    found = Swap(pointer, redaction.salts.committed(name, pointer, value), why or NAME)
    swaps.append(found)
    return other if why is None else _hidden(value, found)


def _why(redaction: Redaction, name: str, pointer: str) -> str | None:
    why = redaction.view.hides(name, pointer)
    if why is not None and why != HASH and protected(name, pointer):
        raise ForensicsError(f"the view {redaction.view.name!r} would withhold what may speak for the accused", where=f"{name}#{pointer}")
    return CALLER if any((document, place) == (name, pointer) for document, place, _ in redaction.asked.values) else why


def _hidden(value: Json, swap: Swap) -> Json:
    """Return what stands for a value: of a hash the commitment, which has its form and can't be guessed."""
    if not isinstance(value, str):
        return None
    return swap.commitment if _SHA256.fullmatch(value) else f"withheld: {swap.reason}"


def check_asked(asked: Asked, documents: Mapping[str, Any]) -> None:
    """Refuse what can't be withheld: what is not there, and what may speak for the accused."""
    for document, pointer, why in asked.values:
        if document not in documents:
            raise UsageError("is no document of a bundle", where=document, hint=f"one of: {', '.join(sorted(documents))}")
        if not why.strip():
            raise UsageError("is withheld without a reason", where=f"{document}#{pointer}", hint='reason = "..."')
        refuse(document, pointer)
    for word, why in asked.words:
        if not why.strip() or not word.strip():
            raise UsageError("is withheld without a reason, or is empty", where=repr(word), hint='reason = "..."')
