"""How people are shown: by name beside their id, under a label, or not at all."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from forensics.model import CaseConfig

ADDRESS, SHARED = "[@]", "[?]"
"""what stands for an address of mail that no register has, and for a login that several people have"""
_ADDRESS = r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}(?![\w@])"
"""an address of mail, which names somebody even where no register has it"""
SHORTEST = 3
"""characters of a login, or of one part of a name, that is hidden wherever it stands alone, as in a path or the name of a branch"""


def _any(texts: Iterable[str], neighbours: str) -> str:
    """Return what finds any of these texts where it is no part of a longer word, the longest first."""
    begins: dict[str, list[str]] = {}
    for text in sorted((text for text in texts if text), key=lambda text: (-len(text), text)):
        begins.setdefault(text[:2].lower(), []).append(re.escape(text))
    # behind a glance at what follows, so that at most places nothing is tried
    found = "|".join(f"(?={re.escape(begin)})(?:{'|'.join(rest)})" for begin, rest in sorted(begins.items()))
    return rf"(?<!{neighbours})(?:{found})(?!{neighbours})" if found else ""


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
        found = _any(self._known, r"[\w-]")
        return re.compile(found) if found else None

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {text.lower(): label for text, label in self.labels.items()}

    @cached_property
    def _hidden(self) -> re.Pattern[str] | None:
        found = _any(self.labels, "[A-Za-z0-9]")
        return re.compile(f"{found}|{_ADDRESS}", re.IGNORECASE) if found else None

    def hide(self, text: str) -> str:
        """Put labels in the place of what is not to be seen, in whatever case it is written."""
        return text if self._hidden is None else self._hidden.sub(lambda found: self._labels.get(found.group().lower(), ADDRESS), text)

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
    """Return neutral labels for people, their names and the parts of those, their own accounts and logins. Their order tells nothing: it is that of a hash."""
    order = sorted(case.people, key=lambda p: hashlib.sha256(f"{case.id}\0{p.id}".encode()).digest())
    labels = {i.identifier: i.identifier for i in case.identifiers if i.kind != "personal"}
    bare: dict[str, str] = {}
    for number, person in enumerate(order, 1):
        label = f"[{number}]"
        labels |= {text: label for text in (person.id, person.name, " ".join(reversed(person.name.split()))) if text}
        own = [i for i in case.identifiers if i.person == person.id and i.kind == "personal"]
        parts = {part: label for part in person.name.split() if len(part) >= SHORTEST}
        for place, identifier in enumerate(dict.fromkeys(i.identifier for i in own), 1):
            labels[identifier] = f"[{number}.{place}]"
            parts |= dict.fromkeys(_logins(identifier), labels[identifier])
        bare |= {text: label if bare.get(text, label) == label else SHARED for text, label in parts.items()}
    return bare | labels


def _logins(identifier: str) -> set[str]:
    """Return what of an identifier would tell whose it is without its kind: in a path, a command, the name of a run."""
    login = identifier.partition(":")[2]
    return {text for text in (login, login.partition("@")[0]) if len(text) >= SHORTEST and not text.isdigit()}
