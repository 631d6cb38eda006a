"""Takes names and values out of documents, keeps their shape, and notes every place with its reason."""

import json
import re
from collections.abc import Mapping, Sequence
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
    """Return a document as a view shows it: the same shape, with each withheld value replaced and noted.

    What differs in names alone stands in the order of the other names: the order of the ids would tell who is who.
    """
    swaps: list[Swap] = []
    return Shown(_Walk(redaction, name, swaps, {}).value(value, "")[0], tuple(swaps))


@dataclass(frozen=True, slots=True)
class _Walk:
    """One way through a document."""

    redaction: Redaction
    name: str
    swaps: list[Swap]
    forms: dict[object, int]
    """what a value is without its names -> a number for it"""

    def value(self, value: Json, pointer: str, beside: Sequence[object] = ()) -> tuple[Json, int]:
        """Return a value as it is shown, and the number of its form. `beside`: of a list, what else tells its parts apart."""
        if value and isinstance(value, Mapping):
            parts = {k: self.value(value[k], _below(pointer, k), _told_apart(value, pointer, k)) for k in sorted(value)}
            return {k: part for k, (part, _) in parts.items()}, self._form(tuple((k, form) for k, (_, form) in parts.items()))
        if value and isinstance(value, (list, tuple)):
            told = [self.value(part, f"{pointer}/{n}") for n, part in enumerate(value)]
            form = self._form(tuple(form for _, form in told))
            keys = [(form, beside[n] if beside else None) for n, (_, form) in enumerate(told)]
            fixed = self.name.endswith(".jsonl") or _BY_PLACE.fullmatch(pointer)
            return [part for part, _ in told] if fixed else _in_order([part for part, _ in told], keys), form
        return self._leaf(value, pointer)

    def _leaf(self, value: Json, pointer: str) -> tuple[Json, int]:
        names = self.redaction.names
        why = _why(self.redaction, self.name, pointer)
        other = names.text(value) if isinstance(value, str) else value
        if why is None and other == value:
            return value, self._form(repr(value))
        found = Swap(pointer, self.redaction.salts.committed(self.name, pointer, value), why or NAME)
        self.swaps.append(found)
        if why is not None:
            hidden = _hidden(value, found)
            return hidden, self._form(repr(hidden))
        return other, self._form(("named", names.pattern.sub("\0", str(value)) if names.pattern else ""))

    def _form(self, form: object) -> int:
        return self.forms.setdefault(form, len(self.forms))


_BY_PLACE = re.compile(r".*/weighings/\d+/items|.*/weighings", re.DOTALL)
"""lists whose parts are pointed at by their place"""
_WEIGHING = re.compile(r"/answers/\d+/weighings/\d+")


def _told_apart(value: Mapping[str, Json], pointer: str, key: str) -> list[object]:
    """Return for each explanation of a weighing what its items expect of it, since they point at it by its place."""
    if key != "compared" or not _WEIGHING.fullmatch(pointer):
        return []
    expected: list[list[tuple[int, str]]] = [[] for _ in value["compared"]]
    for number, item in enumerate(value["items"]):
        for word, places in sorted(item["expect"].items()):
            for place in places:
                if 0 < place <= len(expected):  # the leading one is 0
                    expected[place - 1].append((number, word))
    return [tuple(one) for one in expected]


def _in_order(parts: list[Json], keys: Sequence[object]) -> list[Json]:
    """Sort parts of a list among those of the same form, which differ in names alone."""
    places: dict[object, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    found = list(parts)
    for alike in places.values():
        if len(alike) > 1:
            texts = sorted((json.dumps(parts[place], sort_keys=True), place) for place in alike)
            for place, (_, taken) in zip(alike, texts, strict=True):
                found[place] = parts[taken]
    return found


def _below(pointer: str, key: str) -> str:
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


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
