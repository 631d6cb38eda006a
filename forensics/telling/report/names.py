"""How people are shown: by name beside their id, under a label, or not at all."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from forensics.model import CaseConfig
from forensics.telling import spellings

ADDRESS, SHARED = "[@]", "[?]"
"""what stands for an address of mail that no register has, and for a name or login that several people have"""
_ADDRESS = r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}(?![\w@])"
"""an address of mail, which names somebody even where no register has it"""
_LABEL = r"\[\d+(?:\.\d+)?\]"
_NUMBERED = re.compile(_LABEL)
SHORTEST = 2
"""letters of a login that is hidden wherever it stands alone, as in a path or the name of a branch"""


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
    ours: str = ""
    """what this program itself says on a page: a name that is a word there (Will, Page) is hidden only where it stands as a name"""

    @cached_property
    def _known(self) -> dict[str, str]:
        return {person: name for person, name in self.people.items() if name}

    @cached_property
    def _ids(self) -> re.Pattern[str] | None:
        found = _any(self._known, r"[\w-]")
        return re.compile(found) if found else None

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {text.lower(): label for text, label in reversed(list(self.labels.items()))}

    @cached_property
    def _hidden(self) -> re.Pattern[str] | None:
        whole = [text for text in self.labels if ":" in text or text in self.people or not text.replace("-", "").isalpha()]
        words = set(self.labels) - set(whole)
        spelled = spellings.pattern(words, spellings.ordinary(words, self.ours))
        parts = [found for found in (_any(whole, "[A-Za-z0-9]"), spelled.pattern if spelled else "") if found]
        return re.compile("|".join([*parts, _ADDRESS]), re.IGNORECASE) if parts else None

    def hide(self, text: str) -> str:
        """Put labels in the place of what is not to be seen, in whatever case it is written; several in a row in the order of the labels."""
        if self._hidden is None:
            return text
        other = self._hidden.sub(lambda found: self._labels.get(found.group().lower(), ADDRESS), text)
        return text if other == text else spellings.in_order(other, _LABEL)

    def who(self, person: str) -> str:
        """Write a person as `name (id)`, or by the label."""
        if self.labels:
            return self.hide(person)
        name = self._known.get(person)
        return f"{name} ({person})" if name else person

    def rank(self, person: str) -> tuple[int, str]:
        """Return what people are sorted by: their ids, or their labels where those stand instead, since the order of ids would tell who is who."""
        shown = self.hide(person) if self.labels else person
        return (int(shown[1:-1]) if _NUMBERED.fullmatch(shown) and "." not in shown else 0, shown)

    def beside(self, text: str) -> str:
        """Write names beside the ids in a sentence, or labels in their place."""
        if self.labels or self._ids is None:
            return self.hide(text)
        return self._ids.sub(lambda found: found.group() if self._known[found.group()] in text else self.who(found.group()), text)


def blind(case: CaseConfig) -> dict[str, str]:
    """Return neutral labels for people, their names in every spelling and the parts of those, their own accounts and logins.

    Their order tells nothing: it is that of a hash.
    """
    order = sorted(case.people, key=lambda p: hashlib.sha256(f"{case.id}\0{p.id}".encode()).digest())
    labels = {i.identifier: i.identifier for i in case.identifiers if i.kind != "personal"}
    bare: dict[str, set[str]] = {}
    for number, person in enumerate(order, 1):
        label = f"[{number}]"
        labels[person.id] = label
        own = [i for i in case.identifiers if i.person == person.id and i.kind == "personal"]
        logins: dict[str, str] = {}
        for place, identifier in enumerate(dict.fromkeys(i.identifier for i in own), 1):
            labels[identifier] = f"[{number}.{place}]"
            logins |= dict.fromkeys(_logins(identifier), labels[identifier])
        taken = {text.lower() for text in logins}
        for text, found in sorted(
            logins.items() | {(text, label) for text in spellings.spellings(person.name) if text.lower() not in taken}
        ):
            bare.setdefault(text, set()).add(found)
    return spellings.chosen(bare, SHARED) | labels


def _logins(identifier: str) -> set[str]:
    """Return what of an identifier would tell whose it is without its kind: in a path, a command, the name of a run."""
    login = identifier.partition(":")[2]
    return {text for text in (login, login.partition("@")[0]) if len(text) >= SHORTEST and not text.isdigit()}
