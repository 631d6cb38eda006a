"""The promise that every file in reasoning/indicators/ keeps: one kind of reasoning over one act."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from forensics.model import Mechanism


@dataclass(frozen=True, slots=True, order=True)
class Hypothesis:
    """One person did it by one mechanism."""

    person: str
    mechanism: Mechanism


@dataclass(frozen=True, slots=True)
class Item:
    """One fact, and how well each hypothesis would explain it."""

    kind: str
    """the indicator that yields it"""
    says: str
    """the fact in a sentence"""
    sources: tuple[str, ...]
    """sources whose records it rests on, the one that could be falsified alone first"""
    refs: tuple[int, ...]
    """ids of events"""
    rung: str
    """the step of the ladder that it speaks to: change, account, session or person"""
    expect: dict[Hypothesis, str] = field(hash=False)
    """hypothesis -> a word of the policy's scale"""
    otherwise: str = "even"
    """the word for every other hypothesis"""
    keepers: frozenset[str] = frozenset()
    """people who could have made up the records that lead from the act to what this item tells of"""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One kind of reasoning."""

    name: str
    why: str
    """why this tells hypotheses apart"""
    errs: str
    """known ways in which it misleads"""
    find: Callable[..., Iterator[Item]]
    """(world, dossier, hypotheses) -> items"""


def indicators() -> list[Indicator]:
    """Return every indicator of reasoning/indicators/, in the order of their files' names."""
    folder = importlib.import_module("forensics.reasoning.indicators")
    names = sorted(m.name for m in pkgutil.iter_modules(folder.__path__) if not m.name.startswith("_"))
    found: list[Indicator] = [importlib.import_module(f"forensics.reasoning.indicators.{name}").INDICATOR for name in names]
    return found
