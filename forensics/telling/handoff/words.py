"""The words of a bundle, in English and Chinese: one folder for each language, texts with `$places` to fill in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import forensics
from forensics.telling.report.names import Names
from forensics.telling.report.said import Voice, catalog

LANGUAGES = ("en", "zh")
_FOLDER = files("forensics.telling.handoff") / "text"


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: str
    table: Mapping[str, Any]

    def word(self, section: str, key: str, **filled: object) -> str:
        """Return a short text; an unknown key stands for itself, as evidence may hold any."""
        return Template(str(self.table[section].get(key, key))).safe_substitute(filled)

    def told(self, sentence: str) -> str:
        """Return a sentence of the findings in this language, where the report's catalog has it; else as it is."""
        return (_voice().chinese(sentence) if self.language == "zh" else None) or sentence

    def text(self, name: str, **filled: object) -> str:
        """Return a long text."""
        return Template((_FOLDER / self.language / name).read_text(encoding="utf-8")).safe_substitute(filled)


@cache
def _voice() -> Voice:
    """Return the report's own voice; names were put in or taken out before it speaks."""
    package = Path(str(forensics.__file__)).parent
    folder = next(f for f in (package / "_templates", package.parent / "templates") if f.is_dir())
    return Voice(catalog(folder / "words" / "zh.po"), "UTC", Names({}))


def words(language: str) -> Words:
    """Read the words of a language."""
    return Words(language, tomllib.loads((_FOLDER / language / "words.toml").read_text(encoding="utf-8")))
