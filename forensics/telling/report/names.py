"""How people are shown: by name beside their id, under a label, or not at all."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from forensics.model import CaseConfig


def _any(texts: Mapping[str, str]) -> re.Pattern[str] | None:
    """Return what finds any of these texts as a whole word, the longest first."""
    ordered = sorted((text for text in texts if text), key=lambda text: (-len(text), text))
    return re.compile("|".join(rf"(?<![\w-]){re.escape(text)}(?![\w-])" for text in ordered)) if ordered else None


@dataclass(frozen=True)
class Names:
    """People's names by id, and the labels that stand instead of ids, names and accounts where those are not to be seen."""

    people: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    """text -> what is shown instead, wherever it stands"""

    @cached_property
    def _known(self) -> dict[str, str]:
        return {person: name for person, name in self.people.items() if name}

    @cached_property
    def _ids(self) -> re.Pattern[str] | None:
        return _any(self._known)

    @cached_property
    def _hidden(self) -> re.Pattern[str] | None:
        return _any(self.labels)

    def hide(self, text: str) -> str:
        """Put labels in the place of what is not to be seen."""
        return text if self._hidden is None else self._hidden.sub(lambda found: self.labels[found.group()], text)

    def who(self, person: str) -> str:
        """Write a person as `name (id)`, or by the label."""
        if self.labels:
            return self.hide(person)
        name = self._known.get(person)
        return f"{name} ({person})" if name else person

    def beside(self, text: str) -> str:
        """Write names beside the ids in a sentence, or labels in their place."""
        if self.labels or self._ids is None:
            return self.hide(text)
        return self._ids.sub(lambda found: found.group() if self._known[found.group()] in text else self.who(found.group()), text)


def blind(case: CaseConfig) -> dict[str, str]:
    """Return neutral labels for people, their names and their own accounts. Their order tells nothing: it is that of a hash."""
    order = sorted(case.people, key=lambda p: hashlib.sha256(f"{case.id}\0{p.id}".encode()).digest())
    labels: dict[str, str] = {}
    for number, person in enumerate(order, 1):
        label = f"[{number}]"
        labels |= {text: label for text in (person.id, person.name) if text}
        own = [i for i in case.identifiers if i.person == person.id and i.kind == "personal"]
        for place, identifier in enumerate(dict.fromkeys(i.identifier for i in own), 1):
            labels[identifier] = f"[{number}.{place}]"
    return labels
