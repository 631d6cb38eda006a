"""The words of a bundle, in English and Chinese: one folder for each language, texts with `$places` to fill in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

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

    def text(self, name: str, **filled: object) -> str:
        """Return a long text."""
        return Template((_FOLDER / self.language / name).read_text(encoding="utf-8")).safe_substitute(filled)


def words(language: str) -> Words:
    """Read the words of a language."""
    return Words(language, tomllib.loads((_FOLDER / language / "words.toml").read_text(encoding="utf-8")))
