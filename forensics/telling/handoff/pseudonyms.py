"""Other words for people: one for each, everywhere the same, chosen so that nothing about the person can be told from it."""

import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace

from forensics.model import CaseConfig, Identifier
from forensics.telling import spellings
from forensics.telling.handoff.commitments import Json

_SHORTEST = 2
OTHER = "Person "
"""what a number stands after in place of a name"""
SEVERAL = f"{OTHER}x??"
"""what stands for a name, or a part of one, that several people bear"""
_LABEL = rf"(?:[a-z0-9-]+:)?(?:p-|{OTHER})?x\d\d+(?:-\d+)?"
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}", re.ASCII)
_BARE_NUMBER = re.compile(r"#?\d{1,9}")
"""too short to be told from a byte range or a port: only taken out with its namespace"""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names and identifiers -> what stands for them."""

    terms: Mapping[str, str]
    """in small letters"""
    ids: Mapping[str, str]
    """people's ids"""
    pattern: re.Pattern[str] | None
    capitals: re.Pattern[str] | None = None
    """finds what only its capital tells from a word"""
    kept: frozenset[str] = frozenset()
    """names, in small letters, that stay as they are, though parts of them are somebody else's, too"""

    def text(self, text: str) -> str:
        """Return a text without the names; where several stand in a row, in the order of their labels."""
        other = self.pattern.sub(self._other, text) if self.pattern else text
        return text if other == text else spellings.in_order(other, _LABEL)

    def left(self, text: str) -> set[str]:
        """Return the names that a text still holds, in small letters."""
        if self.pattern is None:
            return set()
        small = re.compile(self.pattern.pattern)  # on small letters: three times as fast as without regard to case
        found = {found.group() for found in small.finditer(text.lower())}
        return (found | {found.group().lower() for found in (self.capitals.finditer(text) if self.capitals else ())}) - self.kept

    def _other(self, found: re.Match[str]) -> str:
        if found.group().lower() in self.kept:
            return found.group()
        return self.terms.get(found.group().lower(), "withheld")  # a long s, a dotless i: the same letter in another dress

    def value(self, value: Json) -> Json:
        """Return a document or a frozen dataclass without the names, in the same shape."""
        if isinstance(value, str):
            return type(value)(self.text(value)) if type(value) is str else value
        if isinstance(value, Mapping):
            return {key: self.value(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.value(part) for part in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self.value(getattr(value, f.name)) for f in fields(value)})
        return value


def pseudonyms(
    case: CaseConfig,
    keep: Collection[str],
    secret: bytes,
    *,
    everything: bool = False,
    further: Iterable[str] = (),
    texts: str = "",
    ours: str = "",
) -> Pseudonyms:
    """Choose other words for everybody but `keep`, and for what is theirs alone; with `everything`, for shared accounts and hosts, too.

    The order of the numbers comes from the secret, so that it tells nothing about the order of names. `texts` is what will be shown: addresses of e-mail in it
    that no register knows are replaced, too. `ours` is what this program writes by itself: a name that is a word there (Will, Page) is replaced where it stands
    as a name; were it replaced in our sentences, too, whoever knows them could read it off.
    """
    order = sorted(case.people, key=lambda p: _rank(secret, p.id))
    numbers = {p.id: f"x{n:02d}" for n, p in enumerate(order, 1)}
    others = [p for p in case.people if p.id not in keep]
    names, kept = _names(case, numbers, keep)
    terms = {p.id: f"p-{numbers[p.id]}" for p in others}
    for name, other in names.items():
        terms.setdefault(name, other)
    _identifiers(case, {p.id: numbers[p.id] for p in others}, terms, secret, everything=everything)
    for n, address in enumerate(_addresses(case, texts), 1):
        terms.setdefault(address, f"address-{n}")
    if everything:
        _hosts(case, terms, secret)
    asked = sorted(further)
    for n, word in enumerate(asked, 1):
        terms.setdefault(word, f"withheld-{n}")
    terms = {term: other for term, other in terms.items() if len(term) >= _SHORTEST}
    words = spellings.ordinary(terms, ours) - {word.lower() for word in asked}
    every = [*terms, *kept]
    small = {term.lower(): other for term, other in reversed(terms.items())}
    found, shown = spellings.pattern(every, words), spellings.capitals(every, words)
    return Pseudonyms(
        small, {p.id: f"p-{numbers[p.id]}" for p in others}, found if terms else None, shown, frozenset(k.lower() for k in kept)
    )


def _names(case: CaseConfig, numbers: Mapping[str, str], keep: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Return what stands for each spelling of a name that is taken out, and the whole names of those who stay.

    What several people bear, whether they stay or not, says that it is one of several: it must not be put down to one of them.
    """
    found: dict[str, set[str]] = {}
    for p in case.people:
        for form in spellings.spellings(p.name):
            found.setdefault(form, set()).add(f"{OTHER}{numbers[p.id]}")
    hidden = {form.lower() for p in case.people if p.id not in keep for form in spellings.spellings(p.name)}
    chosen = {form: other for form, other in spellings.chosen(found, SEVERAL).items() if form.lower() in hidden}
    return chosen, sorted({text for text in _whole(case, keep) if text.lower() not in hidden})


def _whole(case: CaseConfig, keep: Collection[str]) -> Iterator[str]:
    """Yield what names somebody who stays, and may hold a part that is somebody else's, too: Li Wei beside Li Na."""
    for p in case.people:
        if p.id in keep:
            yield from (form for form in spellings.spellings(p.name) if len(form) >= len("".join(p.name.split())) > spellings.SHORT)
    own = {i.identifier for i in case.identifiers if i.person in keep}
    shared = {i.identifier for i in case.identifiers if i.person not in keep and i.kind == "personal"}
    for identifier in own - shared:
        value = identifier.partition(":")[2]
        yield identifier
        yield from (
            text for text in (value, value.partition("@")[0]) if len(text) >= spellings.ANYWHERE and not _BARE_NUMBER.fullmatch(text)
        )


def _addresses(case: CaseConfig, texts: str) -> list[str]:
    """List the addresses of e-mail in what is shown that no register knows: whose they are cannot be told, so they are taken out."""
    known = {i.identifier.removeprefix("email:").lower() for i in case.identifiers}
    return sorted({found for found in _ADDRESS.findall(texts) if found.lower() not in known and not found.startswith("git@")})


def _rank(secret: bytes, name: str) -> bytes:
    return hmac.digest(secret, b"order:" + name.encode(), "sha256")


def _identifiers(case: CaseConfig, numbers: Mapping[str, str], terms: dict[str, str], secret: bytes, *, everything: bool) -> None:
    """Add what is somebody's alone, with and without its namespace; of addresses also what stands before the @."""
    count: dict[str, int] = {}
    chosen: dict[str, str] = {}
    spelled: dict[str, list[str]] = {}
    for term, stands in terms.items():
        if stands.startswith(OTHER):
            spelled.setdefault(term.lower(), []).append(term)
    for row in sorted(case.identifiers, key=lambda i: (_rank(secret, i.identifier), i.person)):
        if row.identifier in chosen or not _hidden(case, row, numbers, everything=everything):
            continue
        owner = numbers.get(row.person, "s") if row.kind == "personal" else "s"
        count[owner] = count.get(owner, 0) + 1
        space, _, value = row.identifier.partition(":")
        other = chosen[row.identifier] = f"{owner}-{count[owner]}"
        terms[row.identifier] = f"{space}:{other}"
        for login in (value, *([value.partition("@")[0]] if space == "email" else [])):
            if not _BARE_NUMBER.fullmatch(login):
                _login(terms, spelled.get(login.lower(), ()), login, other)


def _login(terms: dict[str, str], names: Collection[str], login: str, other: str) -> None:
    """Add a login; where it is somebody else's name, too, both say that it could be one of several."""
    if any(terms[name] not in (SEVERAL, f"{OTHER}{other.partition('-')[0]}") for name in names):
        terms.update(dict.fromkeys((*names, login), SEVERAL))
    terms.setdefault(login, other)


def _hidden(case: CaseConfig, row: Identifier, numbers: Mapping[str, str], *, everything: bool) -> bool:
    """Tell whether an identifier is to be replaced: where each of its holders is, and it is theirs alone."""
    holders = {i.person for i in case.identifiers if i.identifier == row.identifier}
    return everything or (row.kind == "personal" and holders <= set(numbers))


def _hosts(case: CaseConfig, terms: dict[str, str], secret: bytes) -> None:
    hosts = sorted({s.host for s in case.sources if s.host}, key=lambda h: _rank(secret, h))
    for n, host in enumerate(hosts, 1):
        terms.setdefault(host, f"h{n:02d}")
        terms.setdefault(f"host:{host.partition('.')[0]}", f"host:h{n:02d}")
