"""The promise that every file in links/ keeps: a rule over tables that yields edges."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from forensics.tables import Tables


@dataclass(frozen=True, slots=True)
class Link:
    """A rule that says what led to what."""

    name: str
    """the rule's name, as it stands on every edge"""
    says: str
    """what an edge of this rule means, in one sentence"""
    errs: str
    """known ways in which it can be wrong"""
    run: Callable[[Tables], Iterator[pa.Table]]
    """tables in, edges out (schema.EDGES without `rule`)"""


def rules() -> list[Link]:
    """Return every rule of links/, in the order of their files' names."""
    folder = importlib.import_module("forensics.links")
    names = sorted(m.name for m in pkgutil.iter_modules(folder.__path__) if not m.name.startswith("_"))
    found: list[Link] = [importlib.import_module(f"forensics.links.{name}").LINK for name in names]
    return found
