"""How a name is written: its parts, its spellings in other letters, how colleagues shorten it; and what finds it in a text that is not about it."""

import os.path
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby

CJK = "\u2e80"
"""from here on a sign is a syllable, and two of them a given name"""
ANYWHERE = 5
"""letters from which a name is found inside longer words, too"""
SHORT = 2
"""letters of a part of a name (Li, Ng, Wu) that stands for it only where a name would: with a capital, in a path, before an @"""
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "o", "Ø": "O", "å": "a", "æ": "ae", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})  # fmt: skip
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "东方",
    "独孤",
    "南宫",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "宇文",
    "长孙",
    "端木",
    "申屠",
)
_BEFORE = ("老", "小", "阿")
_AFTER = ("工", "总", "哥", "姐", "某", "某某", "老师", "博士", "同学", "经理", "主管", "先生", "女士", "师兄", "师姐", "组长")
"""what stands before and after a surname where colleagues speak of somebody: 老王, 王工"""
_ENGLISH = frozenset(
    [
        "am",
        "an",
        "as",
        "at",
        "be",
        "by",
        "do",
        "go",
        "he",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "of",
        "oh",
        "ok",
        "on",
        "or",
        "so",
        "to",
        "up",
        "us",
        "we",
    ]
)
"""words that a sentence may begin with: the name An stands for a person only inside a sentence"""
_ABBREVIATIONS = frozenset(
    [
        "ai",
        "am",
        "ci",
        "cd",
        "cn",
        "cv",
        "db",
        "eu",
        "gb",
        "hr",
        "id",
        "io",
        "ip",
        "it",
        "js",
        "mb",
        "ml",
        "os",
        "pc",
        "pm",
        "pr",
        "qa",
        "tb",
        "tv",
        "uk",
        "ui",
        "us",
        "ux",
        "vm",
    ]
)
"""what is written in capitals without being a name"""
_OTHER = r"[^\W_\u2e80-\uffff]"
"""a letter or a digit that would make a longer word; beside Chinese a name stands without a blank"""
_RUN = ", | and |、|; |; and |, and "


def spellings(name: str) -> list[str]:
    """Return the ways to write a name, and those of its parts that point at somebody by themselves."""
    if not name:
        return []
    words = name.split()
    turned = [sep.join(order) for sep in (" ", "", ".", "_", "-") for order in (words, words[::-1])] if 1 < len(words) <= _FEW else []
    parts = [p for p in re.split(r"[\s,·・-]+", name) if len(p) >= SHORT]
    given = _given(name) if name[0] >= CJK and len(words) == 1 else []
    return list(dict.fromkeys(form for n in (name, *turned, *parts, *given) for form in _forms(n)))


_FEW = 3
"""words of a name that are also looked for in the other order"""


def _given(name: str) -> list[str]:
    """Return the given names within a Chinese name, and how colleagues call its bearer by the surname."""
    given = [name[n:] for n in (1, 2) if len(name) - n >= SHORT]
    if not SHORT <= len(name) <= 4:
        return given
    surname = next((c for c in _COMPOUND if name.startswith(c) and len(name) > len(c)), name[0])
    return [*given, *(before + surname for before in _BEFORE if len(surname) == 1), *(surname + after for after in _AFTER)]


def _forms(name: str) -> Iterator[str]:
    """Yield a name as it is, as two systems may keep its accents, and without them (Grünwald, Gruenwald, Grunwald)."""
    yield name
    yield unicodedata.normalize("NFC", name)
    apart = unicodedata.normalize("NFD", name)
    yield apart
    yield "".join(c for c in apart if not unicodedata.combining(c)).translate(_SPELLED)
    yield unicodedata.normalize("NFC", name).translate(_SPELLED)


def is_short(term: str) -> bool:
    """Tell whether a term is so short a part of a name that only its capital tells it from a word; a login (`li`) has none."""
    letters = unicodedata.normalize("NFC", term)
    return len(letters) == SHORT and letters.isalpha() and letters[0].isupper() and letters[0] < CJK


def ordinary(terms: Collection[str], ours: str) -> set[str]:
    """Return those terms, in small letters, that are words in our own sentences (Will, Page): were they replaced there, they could be read off."""
    found = pattern([t for t in terms if t.isalpha() and not is_short(t)])
    return {word.lower() for word in found.findall(ours)} if found and ours else set()


def pattern(terms: Collection[str], words: Collection[str] = ()) -> re.Pattern[str] | None:
    """Match long terms anywhere and short ones as words, the longest first; as trees, so that thousands of terms cost little more than ten.

    `words` (in small letters) and parts of names of two letters count where a name or an account would stand: with a capital, in a path, or in an address.
    """
    small = {t.lower() for t in terms if not is_short(t)} - set(words)
    short = {t.lower() for t in terms if is_short(t)} - small
    anywhere = {t for t in small if len(t) >= ANYWHERE or not t.isascii()}
    parts = [_tree(sorted(anywhere))] if anywhere else []
    parts += [rf"(?<!{_OTHER}){_tree(sorted(small - anywhere))}(?!{_OTHER})"] if small - anywhere else []
    named = {t.lower() for t in terms if not is_short(t)} & set(words)
    if rare := named | short:
        parts += [rf"(?<=[/:@\\~=]){_tree(sorted(rare))}(?!{_OTHER})", rf"(?<!{_OTHER}){_tree(sorted(rare))}(?=@)"]
    return re.compile("|".join([*parts, *_capital(named, short)]), re.IGNORECASE) if parts else None


def capitals(terms: Collection[str], words: Collection[str] = ()) -> re.Pattern[str] | None:
    """Match, by its capital alone, what `pattern` takes for a name by that; for searching pages that hold sentences of ours."""
    small = {t.lower() for t in terms if not is_short(t)}
    short = {t.lower() for t in terms if is_short(t)} - small - _ENGLISH
    parts = _capital(small & set(words), short)
    return re.compile("|".join(parts)) if parts else None


def _capital(named: Collection[str], short: Collection[str]) -> list[str]:
    """Return what finds words with a capital, where a name would stand by itself."""
    free = {t.capitalize() for t in {*named, *short} - (set(short) & _ENGLISH)}
    free |= {t.upper() for t in {*named, *short} - (set(short) & (_ENGLISH | _ABBREVIATIONS))}
    inside = {t.capitalize() for t in set(short) & _ENGLISH}
    parts = [rf"(?<!{_OTHER})(?-i:{_tree(sorted(free))})(?!{_OTHER})"] if free else []
    return [*parts, *([rf"(?-i:(?:(?<=[a-z0-9,;:] )|(?<=[\u2e80-\uffff])){_tree(sorted(inside))})(?!{_OTHER})"] if inside else [])]


def _tree(terms: list[str]) -> str:
    """Return a pattern for sorted terms in which every common beginning stands once."""
    start = os.path.commonprefix(terms)  # noqa: RUF071 - character by character is what is wanted
    rest = [t[len(start) :] for t in terms]
    if len(rest) == 1:
        return re.escape(start)
    groups = [_tree(list(group)) for _, group in groupby((r for r in rest if r), key=lambda r: r[0])]
    return f"{re.escape(start)}(?:{'|'.join(groups)}){'?' if '' in rest else ''}"


def chosen(labels: Mapping[str, Collection[str]], several: str) -> dict[str, str]:
    """Return for each text its label, or `several` where it could stand for several people.

    `labels`: text -> the labels of all whom it could stand for. Texts that differ in their case alone are one.
    """
    every: dict[str, set[str]] = {}
    for text, found in labels.items():
        every.setdefault(text.lower(), set()).update(found)
    return {text: next(iter(found)) if len(found := every[text.lower()]) == 1 else several for text in labels}


def in_order(text: str, label: str) -> str:
    """Sort runs of labels within a sentence (`p-x07, p-x01 and p-x03`), whose order is that of what they stand for. `label` is a pattern."""
    run = re.compile(rf"(?:{label})(?:(?:{_RUN})(?:{label}))+")
    one = re.compile(label)

    def ordered(found: re.Match[str]) -> str:
        sorted_labels = iter(sorted(one.findall(found[0]), key=lambda shown: [int(n) for n in re.findall(r"\d+", shown)]))
        return one.sub(lambda _: next(sorted_labels), found[0])

    return run.sub(ordered, text)
