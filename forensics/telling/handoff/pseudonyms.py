"""Other words for people: one for each, everywhere the same, chosen so that nothing about the person can be told from it."""

import hmac
import os.path
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import groupby

from forensics.model import CaseConfig, Identifier
from forensics.telling.handoff.commitments import Json

_ANYWHERE = 5
"""characters from which a name is taken out inside longer words, too"""
_SHORTEST = 2
OTHER = "Person "
"""what a number stands after in place of a name"""
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}", re.ASCII)
_BARE_NUMBER = re.compile(r"#?\d{1,9}")
"""too short to be told from a byte range or a port: only taken out with its namespace"""
_CJK = "\u2e80"
"""from here on a sign is a syllable, and two of them a given name"""
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "o", "Ø": "O", "å": "a", "æ": "ae", "ł": "l", "Ł": "L", "đ": "d"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names and identifiers -> what stands for them."""

    terms: Mapping[str, str]
    """in small letters"""
    ids: Mapping[str, str]
    """people's ids"""
    pattern: re.Pattern[str] | None

    def text(self, text: str) -> str:
        """Return a text without the names."""
        return self.pattern.sub(self._other, text) if self.pattern else text

    def left(self, text: str) -> set[str]:
        """Return the names that a text still holds, in small letters."""
        if self.pattern is None:
            return set()
        small = re.compile(self.pattern.pattern)  # on small letters: three times as fast as without regard to case
        return {found.group() for found in small.finditer(text.lower())}

    def _other(self, found: re.Match[str]) -> str:
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
    terms: dict[str, str] = {}
    for p in others:
        terms[p.id] = f"p-{numbers[p.id]}"
        for name in _names(p.name):
            terms.setdefault(name, f"{OTHER}{numbers[p.id]}")
    _identifiers(case, {p.id: numbers[p.id] for p in others}, terms, secret, everything=everything)
    for n, address in enumerate(_addresses(case, texts), 1):
        terms.setdefault(address, f"address-{n}")
    if everything:
        _hosts(case, terms, secret)
    asked = sorted(further)
    for n, word in enumerate(asked, 1):
        terms.setdefault(word, f"withheld-{n}")
    small = {term.lower(): other for term, other in terms.items() if len(term) >= _SHORTEST}
    found = _pattern([t for t in small if t.isalpha()])
    ordinary = set(found.findall(ours)) - {word.lower() for word in asked} if found and ours else set()
    return Pseudonyms(small, {p.id: f"p-{numbers[p.id]}" for p in others}, _pattern(small, ordinary))


def _addresses(case: CaseConfig, texts: str) -> list[str]:
    """List the addresses of e-mail in what is shown that no register knows: whose they are cannot be told, so they are taken out."""
    known = {i.identifier.removeprefix("email:").lower() for i in case.identifiers}
    return sorted({found for found in _ADDRESS.findall(texts) if found.lower() not in known and not found.startswith("git@")})


def _rank(secret: bytes, name: str) -> bytes:
    return hmac.digest(secret, b"order:" + name.encode(), "sha256")


def _names(name: str) -> list[str]:
    """Return a name and those of its parts that point at somebody by themselves."""
    parts = [p for p in re.split(r"[\s,·・-]+", name) if len(p) >= (3 if p[0] < _CJK else 2)]
    turned = [" ".join(reversed(name.split())), "".join(name.split())] if " " in name else []
    given = [name[n:] for n in (1, 2) if name[0] >= _CJK and len(name) - n >= 2] if name and " " not in name else []
    return list(dict.fromkeys(form for n in (name, *turned, *parts, *given) if n for form in _forms(n)))


def _forms(name: str) -> Iterator[str]:
    """Yield a name as it is, as two systems may keep its accents, and without them (Grünwald, Gruenwald, Grunwald)."""
    yield name
    yield unicodedata.normalize("NFC", name)
    apart = unicodedata.normalize("NFD", name)
    yield apart
    yield "".join(c for c in apart if not unicodedata.combining(c)).translate(_SPELLED)
    yield unicodedata.normalize("NFC", name).translate(_SPELLED)


def _identifiers(case: CaseConfig, numbers: Mapping[str, str], terms: dict[str, str], secret: bytes, *, everything: bool) -> None:
    """Add what is somebody's alone, with and without its namespace; of addresses also what stands before the @."""
    count: dict[str, int] = {}
    chosen: dict[str, str] = {}
    for row in sorted(case.identifiers, key=lambda i: (_rank(secret, i.identifier), i.person)):
        if row.identifier in chosen or not _hidden(case, row, numbers, everything=everything):
            continue
        owner = numbers.get(row.person, "s") if row.kind == "personal" else "s"
        count[owner] = count.get(owner, 0) + 1
        space, _, value = row.identifier.partition(":")
        other = chosen[row.identifier] = f"{owner}-{count[owner]}"
        terms[row.identifier] = f"{space}:{other}"
        if not _BARE_NUMBER.fullmatch(value):
            terms.setdefault(value, other)
        if space == "email":
            terms.setdefault(value.partition("@")[0], other)


def _hidden(case: CaseConfig, row: Identifier, numbers: Mapping[str, str], *, everything: bool) -> bool:
    """Tell whether an identifier is to be replaced: where each of its holders is, and it is theirs alone."""
    holders = {i.person for i in case.identifiers if i.identifier == row.identifier}
    return everything or (row.kind == "personal" and holders <= set(numbers))


def _hosts(case: CaseConfig, terms: dict[str, str], secret: bytes) -> None:
    hosts = sorted({s.host for s in case.sources if s.host}, key=lambda h: _rank(secret, h))
    for n, host in enumerate(hosts, 1):
        terms.setdefault(host, f"h{n:02d}")
        terms.setdefault(f"host:{host.partition('.')[0]}", f"host:h{n:02d}")


def _pattern(terms: Collection[str], ordinary: Collection[str] = ()) -> re.Pattern[str] | None:
    """Match long terms anywhere and short ones as words, the longest first; as trees, so that thousands of terms cost little more than ten.

    Ordinary words count where a name or an account would stand: with a capital, in a path, or in an address.
    """
    anywhere = [t for t in terms if t not in ordinary and (len(t) >= _ANYWHERE or not t.isascii())]
    words = sorted(set(terms) - set(anywhere) - set(ordinary))
    parts = [_tree(sorted(anywhere))] if anywhere else []
    parts += [rf"(?<![^\W_]){_tree(words)}(?![^\W_])"] if words else []
    if ordinary:
        tree, capital = _tree(sorted(ordinary)), _tree(sorted({t.capitalize() for t in ordinary} | {t.upper() for t in ordinary}))
        parts += [rf"(?<=[/:@\\~=]){tree}(?![^\W_])", rf"(?<![^\W_]){tree}(?=@)", rf"(?<![^\W_])(?-i:{capital})(?![^\W_])"]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _tree(terms: list[str]) -> str:
    """Return a pattern for sorted terms in which every common beginning stands once."""
    start = os.path.commonprefix(terms)  # noqa: RUF071 - character by character is what is wanted
    rest = [t[len(start) :] for t in terms]
    if len(rest) == 1:
        return re.escape(start)
    groups = [_tree(list(group)) for _, group in groupby((r for r in rest if r), key=lambda r: r[0])]
    return f"{re.escape(start)}(?:{'|'.join(groups)}){'?' if '' in rest else ''}"
