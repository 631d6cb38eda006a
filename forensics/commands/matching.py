"""Which commands are as a rule says. pySigma turns a rule into SQL, which a table in memory is asked; commands go in as values, and nothing of them is run.

Rules: https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html, category process_creation: CommandLine, Image, User.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "shipped"
NOT_INSTALLED = "the rules over commands are not installed (training-forensics[code])"
LONGEST = 4096
"""characters of a command that are looked at"""
_BLOCK = 20_000


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """What is looked for, and why."""

    id: str
    says: str
    why: str
    innocent: tuple[str, ...]
    query: str
    """SQL of pySigma's making, over the table `logs`"""


def installed() -> bool:
    """Tell whether what the rules need is installed (extra `code`)."""
    return find_spec("sigma") is not None and find_spec("sigma.backends.sqlite") is not None


@cache
def read_rules(folder: Path = SHIPPED) -> tuple[Rule, ...]:
    """Read all rules of a folder, by their ids."""
    from sigma.collection import SigmaCollection  # noqa: PLC0415 - an extra that may be missing
    from sigma.rule import SigmaRule  # noqa: PLC0415

    backend: Any = import_module("sigma.backends.sqlite").sqliteBackend()
    found = []
    for file in sorted(folder.glob("*.yml")):
        for rule in SigmaCollection.from_yaml(file.read_text(encoding="utf-8")).rules:
            assert isinstance(rule, SigmaRule)
            (query,) = backend.convert_rule(rule)
            found.append(Rule(str(rule.id), str(rule.title), str(rule.description), tuple(map(str, rule.falsepositives)), str(query)))
    return tuple(sorted(found))


def hits(commands: Iterable[tuple[int, str, str, str]], rules: Iterable[Rule]) -> Iterator[tuple[Rule, int]]:
    """Yield (rule, number) of each command that is as a rule says; commands: number, command line, program's path, account's name."""
    asked, rows = list(rules), iter(commands)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE logs (id INTEGER, CommandLine TEXT, Image TEXT, User TEXT)")
        while block := list(islice(rows, _BLOCK)):
            connection.execute("DELETE FROM logs")
            connection.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?)", [(n, line[:LONGEST], image[:LONGEST], user) for n, line, image, user in block]
            )
            for rule in asked:
                yield from ((rule, row[0]) for row in connection.execute(rule.query).fetchall())
