"""Sentences in both languages of the page: said once in English, told in Chinese out of the catalog, and carried side by side.

English stands in the code, the templates and the findings; Chinese in `templates/words/zh.po` (https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html).
Entries of the context `finding` are patterns for the sentences of findings.json: what stands in braces stands for anything.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from forensics import times
from forensics.errors import RecordError
from forensics.telling.report import showing
from forensics.telling.report.names import Names
from forensics.telling.report.words import RESAID, RETOLD

LANGUAGES = ("en", "zh")
TAGS = {"en": "en", "zh": "zh-Hans"}
LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
FINDING = "finding"
"""the context of patterns for sentences of the findings"""
_HOLE = re.compile(r"\{(\w+)\}")
_SPACED = re.compile(r"( ?)\{(\w+)\}( ?)")
_HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_OPENS = re.compile(r"[a-z]+(?:'s)? ", re.ASCII)
"""a sentence that begins with a word, and not with the name of an act, an account or a person"""
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?) (gpu_hours|GPU 小时|gpus)(?!\w)", re.ASCII)
_UNITS = {"gpu_hours": "GPU hours", "gpus": "GPUs"}
_STAMPS = {"en": "d MMM yyyy, HH:mm:ss", "zh": "y年M月d日 HH:mm:ss"}


@dataclass(frozen=True, slots=True)
class Said:
    """One text in both languages, each ready to be printed."""

    en: Markup
    zh: Markup

    def __html__(self) -> str:
        """Print both, each marked as what it is; once where they are the same."""
        return str(self.en) if self.en == self.zh else self.within("span")

    def within(self, tag: str) -> Markup:
        """Print both, each in an element of its own; drawings take `tspan`."""
        return Markup('<{0} class="en" lang="en">{1}</{0}><{0} class="zh" lang="zh-Hans">{2}</{0}>').format(tag, self.en, self.zh)

    def __str__(self) -> str:
        return str(self.en)

    def __bool__(self) -> bool:
        return bool(self.en)


@cache
def catalog(path: Path) -> Catalog:
    """Read a catalog."""
    with path.open("rb") as stream:
        return pofile.read_po(stream, locale="zh_Hans_CN", abort_invalid=True)


class Voice:
    """Says things in both languages. `zone` is where times are shown, `names` whose names are shown how."""

    def __init__(self, words: Catalog, zone: str, names: Names) -> None:
        self._words, self._zone, self._names = words, zone, names
        self._told: dict[str, Said] = {}

    # --- our own sentences ------------------------------------------------------------------------------------------

    def say(self, text: str, /, **parts: object) -> Said:
        """Say a sentence of the catalog; KeyError where it has no Chinese."""
        return self._filled(text, self._chinese(text), parts)

    def count(self, one: str, many: str, number: int, /, **parts: object) -> Said:
        """Say a sentence that counts, with `{number}`, in the plural that the language has for it."""
        english = one if number == 1 else many
        return self._filled(english, self._chinese(one), parts | {"number": number})

    def plain(self, value: object) -> Said:
        """Carry evidence, a number or a name into a sentence."""
        return self._part(value)

    def sentences(self, texts: Iterable[Said]) -> Said:
        """Put sentences in a row: Chinese has no space between them."""
        both = list(texts)
        return Said(Markup(" ").join(b.en for b in both), Markup().join(b.zh for b in both))

    def joined(self, texts: Iterable[object], last: str = "") -> Said:
        """List texts: with commas in English, with enumeration marks in Chinese."""
        both = [self._part(text) for text in texts]
        comma = {"en": escape("; " if last == ";" else ", "), "zh": escape("；" if last == ";" else "、")}
        return Said(comma["en"].join(b.en for b in both), comma["zh"].join(b.zh for b in both))

    def _chinese(self, text: str) -> str:
        found = self._words.get(text)
        if found is None or not found.string:
            raise KeyError(f"zh.po lacks {text!r}")
        return str(found.string if isinstance(found.string, str) else found.string[0])

    def _filled(self, english: str, chinese: str, parts: Mapping[str, object]) -> Said:
        both = {name: self._part(value) for name, value in parts.items()}
        en = escape(english).format(**{name: value.en for name, value in both.items()})
        closed = _SPACED.sub(lambda hole: _unspaced(hole, both), chinese)
        return Said(en, escape(closed).format(**{name: value.zh for name, value in both.items()}))

    def _part(self, value: object) -> Said:
        if isinstance(value, Said):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            shown = value if isinstance(value, Markup) else escape(self.shown(value))
            return Said(shown, shown)
        number = {language: escape(format_decimal(value, locale=LOCALES[language])) for language in LANGUAGES}
        return Said(**number)

    # --- evidence, times, findings ----------------------------------------------------------------------------------

    def hidden(self, text: str) -> str:
        """Put labels in the place of people who are not to be seen."""
        return self._names.hide(text)

    def shown(self, value: object, limit: int = showing.LONGEST) -> showing.Shown:
        """Make evidence text visible, with people shown as they are to be shown."""
        if isinstance(value, showing.Shown):
            return value
        return showing.visible(self.hidden("" if value is None else str(value)), limit)

    def moment(self, time: int | str) -> Said:
        """Say when, in the case's zone, to the second."""
        nanoseconds = times.parse(time)[0] if isinstance(time, str) else time
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=nanoseconds // times.SECOND)).astimezone(times.zone(self._zone))
        text = {code: escape(format_datetime(local, _STAMPS[code], locale=LOCALES[code])) for code in LANGUAGES}
        return Said(**text)

    def stamp(self, text: object) -> Said:
        """Say when by a time that somebody gave; as it stands where it cannot be read."""
        try:
            return self.moment(str(text))
        except RecordError:
            return self.plain(text)

    def day(self, time: int) -> Said:
        """Say which day, in the case's zone."""
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time // times.SECOND)).astimezone(times.zone(self._zone))
        text = {code: escape(format_date(local, {"en": "d MMM", "zh": "M月d日"}[code], locale=LOCALES[code])) for code in LANGUAGES}
        return Said(**text)

    def clauses(self, sentence: object) -> Said:
        """Tell a sentence of the findings whose parts, set off by `; `, are patterns of their own, unless there is a pattern for the whole of it."""
        if self._matched(str(sentence or ""), "; ") is not None:
            return self.told(sentence)
        first, *others = str(sentence or "").split("; ")
        return self.joined([self.told(first), *(self._clause(text) for text in others)], ";")

    def _clause(self, text: str) -> Said:
        told = self.told(text)
        return Said(self._dressed(text, "en", opens=False), told.zh)

    def told(self, sentence: object) -> Said:
        """Tell a sentence of the findings: people by name, times as people read them, in Chinese where the catalog has its pattern."""
        text = "" if sentence is None else str(sentence)
        if text not in self._told:
            chinese = self._matched(text)
            self._told[text] = Said(
                self._dressed(_retold(self._resaid(text)), "en"),
                self._dressed(text if chinese is None else chinese, "zh", foreign=chinese is None),
            )
        return self._told[text]

    def untold(self) -> list[str]:
        """List the sentences that were told and that the catalog has no pattern for."""
        return sorted(text for text in self._told if text and self._matched(text) is None)

    def chinese(self, sentence: str) -> str | None:
        """Return a sentence of the findings in Chinese, as plain text with times as they are; None where the catalog has no pattern."""
        return self._matched(sentence)

    def _dressed(self, text: str, language: str, *, foreign: bool = False, opens: bool = True) -> Markup:
        shown = _QUANTITY.sub(_quantity, self._names.beside(text))
        opened = shown[:1].upper() + shown[1:] if opens and language == "en" and _OPENS.match(text) else shown
        plain = showing.visible(opened, showing.SENTENCE)
        dressed = Markup(_ISO.sub(lambda found: getattr(self.moment(found.group()), language), str(escape(plain))))  # noqa: S704 - escaped just before
        return Markup('<span lang="en">{0}</span>').format(dressed) if foreign and dressed else dressed

    def _matched(self, text: str, within: str = "") -> str | None:
        """Return the Chinese of the first pattern that fits, of those that have `within` among their own words."""
        for pattern, chinese, english in self._patterns:
            if within in english and (found := pattern.fullmatch(text)):
                parts = {name: self._inner(name, part) for name, part in found.groupdict(default="").items()}
                return _HOLE.sub(lambda hole, parts=parts: parts.get(hole.group(1), ""), chinese)  # type: ignore[misc]
        return None

    def _resaid(self, text: str) -> str:
        """Say in plainer English what the pattern of a sentence says itself; what stands in its holes is evidence, and stays."""
        if not any(ours in text for ours, _ in RESAID):
            return text
        for pattern, _, english in self._patterns:
            if found := pattern.fullmatch(text):
                plainer = english
                for ours, said in RESAID:
                    plainer = plainer.replace(ours, said)
                parts = found.groupdict(default="")
                return text if plainer == english else _HOLE.sub(lambda hole, parts=parts: parts[hole.group(1)], plainer)  # type: ignore[misc]
        return text

    def _inner(self, name: str, text: str) -> str:
        """Translate what stands in a hole whose name ends in `_t`, a phrase of ours, or `_l`, a list of them; anything else is evidence and stays."""
        if name.endswith("_l"):
            return "、".join(self._inner("_t", part) for part in text.split(", "))
        if not name.endswith("_t"):
            return text.replace(", ", "、") if name.endswith("_s") else text
        found = self._matched(text)
        return text if found is None else found

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str, str]]:
        """Return the patterns, those with most words of their own first."""
        return _compiled(self._words)


@cache
def _compiled(words: Catalog) -> list[tuple[re.Pattern[str], str, str]]:
    found = [(str(m.id), str(m.string)) for m in words if m.context == FINDING and m.string]
    found.sort(key=lambda pair: (-len(_HOLE.sub("", pair[0])), pair[0]))
    return [(re.compile(_pattern(english), re.DOTALL), chinese, english) for english, chinese in found]


def _unspaced(hole: re.Match[str], parts: Mapping[str, Said]) -> str:
    """Leave out the space between Chinese and what fills a hole, where that is Chinese too."""
    value = parts[hole[2]].zh.striptags() if hole[2] in parts else ""
    before = "" if _HAN.match(value[:1]) else hole[1]
    after = "" if _HAN.match(value[-1:]) else hole[3]
    return f"{before}{{{hole[2]}}}{after}"


def _retold(text: str) -> str:
    return next((said + text[len(begins) :] for begins, said in RETOLD if text.startswith(begins)), text)


def _quantity(found: re.Match[str]) -> str:
    return f"{showing.amount(float(found[1]))} {_UNITS.get(found[2], found[2])}"


def _pattern(text: str) -> str:
    seen: set[str] = set()

    def hole(found: re.Match[str]) -> str:
        name = found.group(1)
        again = name in seen
        seen.add(name)
        return f"(?P={name})" if again else f"(?P<{name}>.*)" if name.endswith("_t") else f"(?P<{name}>.+?)"

    parts = _HOLE.split(text)
    return "".join(hole(re.fullmatch(r"\{(\w+)\}", f"{{{part}}}")) if n % 2 else re.escape(part) for n, part in enumerate(parts))  # type: ignore[arg-type]


Say = Callable[..., Said]
