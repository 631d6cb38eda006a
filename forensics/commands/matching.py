"""Which commands are as a rule says. pySigma turns a rule into SQL, which a table in memory is asked; commands go in as values, and nothing of them is run.

Rules: https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html, category process_creation: CommandLine, Image, User.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from forensics.errors import UsageError

SHIPPED = Path(__file__).parent / "shipped"
NOT_INSTALLED = "the rules over commands are not installed (training-forensics[code])"
LONGEST = 4096
"""characters of a command that are looked at"""
SECONDS = 20.0
"""of computing that one of a user's own rules may take, over all commands"""
MOST = 5000
"""different commands that one of a user's own rules tells"""
TOO_LONG = "limit: asking it takes too long"
TOO_MANY = f"limit: it finds more than {MOST} different commands"
FIELDS = ("CommandLine", "Image", "User")
_LONGEST_PATTERN = 1000
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
    own: str = ""
    """the name of the file of one's own that it stands in; empty: shipped"""


def installed() -> bool:
    """Tell whether what the rules need is installed (extra `code`)."""
    return find_spec("sigma") is not None and find_spec("sigma.backends.sqlite") is not None


@cache
def read_rules(folder: Path = SHIPPED) -> tuple[Rule, ...]:
    """Read all rules of a folder, by their ids."""
    from sigma.collection import SigmaCollection  # noqa: PLC0415 - an extra that may be missing
    from sigma.rule import SigmaRule  # noqa: PLC0415

    backend = _backend()
    found = []
    for file in sorted(folder.glob("*.yml")):
        for rule in SigmaCollection.from_yaml(file.read_text(encoding="utf-8")).rules:
            assert isinstance(rule, SigmaRule)
            (query,) = backend.convert_rule(rule)
            found.append(Rule(str(rule.id), str(rule.title), str(rule.description), tuple(map(str, rule.falsepositives)), str(query)))
    return tuple(sorted(found))


def rule_of(document: object, where: str, own: str) -> Rule:
    """Make a rule of one's own of a Sigma document; UsageError where it can't be asked of commands."""
    from sigma.exceptions import SigmaError  # noqa: PLC0415 - an extra that may be missing
    from sigma.rule import SigmaRule  # noqa: PLC0415

    hint = f"a Sigma rule here is of the category process_creation, and asks for {', '.join(FIELDS)}"
    try:
        rule = SigmaRule.from_dict(document)  # type: ignore[arg-type]
        if rule.logsource.category != "process_creation":
            raise UsageError(f"is about other records than commands: category {rule.logsource.category}", where=where, hint=hint)
        backend = _backend()
        if unknown := sorted(set(backend.required_fields(rule)) - set(FIELDS)):
            raise UsageError(f"asks for what no command here has: {', '.join(unknown)}", where=where, hint=hint)
        queries = backend.convert_rule(rule)
    except (SigmaError, RecursionError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"pySigma does not understand this rule: {' '.join(str(error).split())[:300]}", where=where, hint=hint) from error
    if len(queries) != 1:
        raise UsageError(f"has {len(queries)} conditions", where=where, hint="give it one; join several by `or`")
    made = Rule(
        str(rule.id or rule.title), str(rule.title), str(rule.description or ""), tuple(map(str, rule.falsepositives)), str(queries[0]), own
    )
    _try(made, where, hint)
    return made


def _backend() -> Any:  # noqa: ANN401 - pySigma's backends are not typed
    return import_module("sigma.backends.sqlite").sqliteBackend(collate_nocase=True)


def _try(rule: Rule, where: str, hint: str) -> None:
    try:
        for connection in _blocks([(0, "python train.py", "/usr/bin/python", "root")]):
            connection.execute(rule.query).fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise UsageError(
            f"can't be asked: {error}", where=where, hint=f"{hint}; words to look for have {_LONGEST_PATTERN} characters at most"
        ) from error


def hits(commands: Iterable[tuple[int, str, str, str]], rules: Iterable[Rule]) -> Iterator[tuple[Rule, int]]:
    """Yield (rule, number) of each command that is as a rule says; commands: number, command line, program's path, account's name."""
    asked = list(rules)
    for connection in _blocks(commands):
        for rule in asked:
            yield from ((rule, row[0]) for row in connection.execute(rule.query).fetchall())


def bounded_hits(
    commands: Iterable[tuple[int, str, str, str]], rules: Sequence[Rule], seconds: float = SECONDS
) -> tuple[list[tuple[Rule, int]], list[tuple[Rule, str]]]:
    """Return (rule, number) by rules of one's own, and (rule, why) of those that were given up: of these nothing is told."""
    found: dict[Rule, list[int]] = {rule: [] for rule in rules}
    left: dict[Rule, str] = {}
    spent = dict.fromkeys(rules, 0.0)
    for connection in _blocks(commands):
        for rule in (r for r in rules if r not in left):
            begun = time.process_time()
            connection.set_progress_handler(_alarm(begun + seconds - spent[rule]), 1000)
            try:
                found[rule] += [row[0] for row in connection.execute(rule.query).fetchmany(MOST + 1)]
            except sqlite3.Error:  # interrupted by the alarm
                left[rule] = TOO_LONG
            spent[rule] += time.process_time() - begun
            if len(found[rule]) > MOST:
                left[rule] = TOO_MANY
    return [(rule, n) for rule, numbers in found.items() if rule not in left for n in numbers], sorted(left.items())


def _alarm(end: float) -> Callable[[], bool]:
    return lambda: time.process_time() > end


def _blocks(commands: Iterable[tuple[int, str, str, str]]) -> Iterator[sqlite3.Connection]:
    """Yield a table of some commands after the other. Rules may be anybody's: they can read it, and nothing else."""
    rows = iter(commands)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE logs (id INTEGER, CommandLine TEXT, Image TEXT, User TEXT)")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
        connection.create_function("regexp", 2, _searching(), deterministic=True)
        while block := list(islice(rows, _BLOCK)):
            connection.set_progress_handler(None, 0)
            connection.set_authorizer(None)
            connection.execute("DELETE FROM logs")
            connection.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?)", [(n, line[:LONGEST], image[:LONGEST], user) for n, line, image, user in block]
            )
            connection.set_authorizer(_reads_alone)
            yield connection


def _reads_alone(act: int, *_: object) -> int:
    allowed = act in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _searching() -> Callable[[str, str | None], bool]:
    """Return how a text is searched for an expression: by RE2, in linear time (https://github.com/google/re2)."""

    @cache
    def compiled(pattern: str) -> Any:  # noqa: ANN401 - RE2 is not typed
        return import_module("re2").compile(pattern)

    return lambda pattern, text: text is not None and bool(compiled(pattern).search(text))
