"""The case folder -> a frozen CaseConfig, and everything that is wrong with it, all at once."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from forensics import times
from forensics.case.problems import Problem, Reader
from forensics.case.registers import FAR, access, identifiers, people
from forensics.errors import CaseError, RecordError
from forensics.model import Acquired, CaseConfig, Identifier, Question, SourceConfig, Statement, Tier
from forensics.source import kinds, load

SCHEMA = "forensics/case/1"
_EARLIEST, _LATEST = -2_208_988_800 * times.SECOND, 7_258_118_400 * times.SECOND
"""1900 and 2200"""
TESTS = ("left-before", "not-me", "someone-else", "record-forged", "scale", "not-affected", "defect")
_TOP = {"schema", "case", "mandate", "source", "question", "symptom", "cost"}
_CASE = {"id", "title", "timezone", "from", "to", "clock"}
_SOURCE = {
    "name", "kind", "path", "host", "timezone", "year", "tier", "controllers", "acquired", "prefix", "repo", "remote", "role", "worktree", "map", "runs",
}  # fmt: skip
_MAP = {
    "time", "action", "actor", "object", "host", "ip", "device", "credential", "session", "outcome", "actions", "target", "prior", "claimed", "name", "value",
}  # fmt: skip
_QUESTION = {"id", "object", "at", "about"}
_STATEMENT = {"id", "by", "text", "test", "question", "person", "quantity", "at_least", "object"}
_MANDATE = {"authority", "purpose", "lawful_basis", "scope", "requested_by", "personal_data"}


def read(root: Path) -> tuple[CaseConfig | None, list[Problem]]:
    """Read a case folder. Returns the case (None where it can't be examined at all) and its problems, sorted."""
    case, problems = draft(root)
    return (None if any(p.fatal for p in problems) else case), problems


def draft(root: Path) -> tuple[CaseConfig | None, list[Problem]]:
    """Read as far as it goes, whatever is wrong; None where case.toml can't be read at all."""
    reader = Reader(root)
    toml = _toml(reader, "case.toml")
    if toml is None:
        return None, reader.problems
    reader.known("case.toml", toml, _TOP)
    if toml.get("schema") != SCHEMA:
        reader.wrong("case.toml", f"schema is {toml.get('schema')!r}", f'this version reads schema = "{SCHEMA}"')
    case = _case(reader, toml)
    _cross_check(reader, case)
    return case, sorted(set(reader.problems))


def open_case(root: Path) -> tuple[CaseConfig, list[Problem]]:
    """Read a case folder that is to be examined; CaseError with all that is wrong where it can't be."""
    case, problems = read(root)
    if case is None:
        fatal = [p for p in problems if p.fatal]
        words = "\n".join(f"  {p.where}: {p.what}" + (f" ({p.hint})" if p.hint else "") for p in fatal)
        raise CaseError(
            f"this case can't be examined as it is:\n{words}", where=root.name, hint="`forensics check` lists everything at once"
        )
    return case, problems


def _toml(reader: Reader, name: str) -> dict[str, Any] | None:
    path = reader.root / name
    if path.exists() and not path.is_file():
        reader.wrong(name, "is no regular file", "put the file itself there")
        return None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        reader.wrong(name, "is not there", "a case folder has case.toml, people.csv, identifiers.csv and evidence/")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        reader.wrong(name, f"can't be read: {error}", "mend the file; it is TOML in UTF-8")
    return None


def _tables(reader: Reader, toml: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = toml.get(key, [])
    if isinstance(value, list) and all(isinstance(v, dict) for v in value):
        return value
    reader.wrong("case.toml", f"{key!r} must be an array of tables", f"write [[{key}]]")
    return []


def _table(reader: Reader, toml: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = toml.get(key, {})
    if isinstance(value, dict):
        return value
    reader.wrong("case.toml", f"{key!r} must be a table", f"write [{key}]")
    return {}


def _case(reader: Reader, toml: Mapping[str, Any]) -> CaseConfig:
    head = _table(reader, toml, "case")
    reader.known("[case]", head, _CASE)
    symptom, cost, mandate = (_table(reader, toml, key) for key in ("symptom", "cost", "mandate"))
    reader.known("[mandate]", mandate, _MANDATE)
    reader.known("[symptom]", symptom, {"bad", "good"})
    reader.known("[cost]", cost, {"gpu_hour", "currency"})
    since, until = (reader.moment(f"[case] {key}", head.get(key)) for key in ("from", "to"))
    if since is not None and until is not None and not _EARLIEST <= since <= until <= _LATEST:
        reader.wrong("[case]", "`from` and `to` must lie between 1900 and 2200", "from = 2024-06-01T00:00:00+08:00")
    if since is None or until is None or since >= until:
        reader.wrong("[case]", "`from` and `to` must be times with an offset, `from` first", "from = 2024-06-01T00:00:00+08:00")
    zone = reader.text("[case]", head, "timezone", "UTC")
    _zone(reader, "[case] timezone", zone)
    return CaseConfig(
        root=str(reader.root),
        id=reader.text("[case]", head, "id"),
        title=reader.text("[case]", head, "title", ""),
        timezone=zone,
        window=(since or 0, until or 0),
        sources=tuple(replace(_source(reader, s, n), window=_month(since)) for n, s in enumerate(_tables(reader, toml, "source"), 1)),
        questions=tuple(_question(reader, q, n, zone) for n, q in enumerate(_tables(reader, toml, "question"), 1)),
        people=tuple(people(reader)),
        identifiers=tuple(sorted(identifiers(reader))),
        access=tuple(access(reader)),
        statements=tuple(_statements(reader)),
        bad=tuple(str(x) for x in symptom.get("bad", [])),
        good=tuple(str(x) for x in symptom.get("good", [])),
        gpu_hour=_number(reader, "[cost] gpu_hour", cost.get("gpu_hour")),
        currency=reader.text("[cost]", cost, "currency", ""),
        clock=reader.text("[case]", head, "clock", ""),
        mandate=tuple(sorted((k, str(v)) for k, v in mandate.items())),
    )


def _month(moment: int | None) -> tuple[int, int] | None:
    return None if moment is None or not _EARLIEST <= moment <= _LATEST else (int(times.show(moment)[:4]), int(times.show(moment)[5:7]))


def _number(reader: Reader, where: str, value: object) -> float | None:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return None if value is None else float(value)
    reader.wrong(where, f"must be a number, and is {value!r}")
    return None


def _zone(reader: Reader, where: str, name: str) -> None:
    if name:
        try:
            times.zone(name)
        except RecordError as error:
            reader.wrong(where, error.what, error.hint)


def _source(reader: Reader, table: dict[str, Any], number: int) -> SourceConfig:
    name = table.get("name")
    where = f"[[source]] {name!r}" if name else f"[[source]] number {number}"
    reader.known(where, table, _SOURCE)
    mapping, runs, acquired = (_table(reader, table, key) for key in ("map", "runs", "acquired"))
    reader.known(f"{where} map", mapping, _MAP)
    reader.known(f"{where} runs", runs, {"pattern"})
    reader.known(f"{where} acquired", acquired, {"by", "at", "how", "sha256"})
    zone = reader.text(where, table, "timezone", "")
    _zone(reader, f"{where} timezone", zone)
    year = table.get("year")
    if year is not None and (not isinstance(year, int) or not 1970 <= year <= 2200):
        reader.wrong(f"{where} year", f"must be a year, and is {year!r}")
        year = None
    return SourceConfig(
        name=reader.text(where, table, "name"),
        kind=reader.text(where, table, "kind"),
        path=reader.text(where, table, "path"),
        host=reader.text(where, table, "host", ""),
        timezone=zone,
        year=year,
        tier=_tier(reader, where, table.get("tier")),
        controllers=_controllers(reader, where, table.get("controllers")),
        repo=reader.text(where, table, "repo", ""),
        remote=reader.text(where, table, "remote", ""),
        role=reader.text(where, table, "role", ""),
        worktree=reader.text(where, table, "worktree", ""),
        prefix=reader.text(where, table, "prefix", ""),
        map=tuple((k, str(v)) for k, v in sorted(mapping.items()) if k != "actions"),
        actions=tuple(sorted((str(k), str(v)) for k, v in _table(reader, mapping, "actions").items())),
        runs_pattern=reader.text(where, runs, "pattern", ""),
        acquired=Acquired(*(str(acquired.get(k, "")) for k in ("by", "at", "how", "sha256"))) if acquired else None,
    )


def _tier(reader: Reader, where: str, value: object) -> Tier | None:
    if value is None:
        return None
    if value in set(Tier):
        return Tier(str(value))
    reader.wrong(f"{where} tier", f"no tier {value!r}", "T1, T2, T3, T4 or T5")
    return None


def _controllers(reader: Reader, where: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(sorted(value))
    reader.wrong(f"{where} controllers", "must be a list of people", 'controllers = ["p-..."]; leave it out where unknown')
    return None


def _question(reader: Reader, table: dict[str, Any], number: int, zone: str) -> Question:
    where = f"[[question]] {table.get('id') or number}"
    reader.known(where, table, _QUESTION)
    return Question(
        reader.text(where, table, "id"),
        reader.text(where, table, "object"),
        _at(reader, where, table.get("at"), zone),
        reader.text(where, table, "about", ""),
    )


def _at(reader: Reader, where: str, value: object, zone: str) -> tuple[int, int] | None:
    """Return first and last nanosecond of a date (in the case's zone) or of the minute of a time."""
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            start = times.parse(value.isoformat(), zone)[0]
            return start - start % times.MINUTE, start - start % times.MINUTE + times.MINUTE - 1
        if isinstance(value, date):
            day = datetime.combine(value, time())
            return times.parse(day.isoformat(), zone)[0], times.parse((day + timedelta(days=1)).isoformat(), zone)[0] - 1
        start = times.parse(str(value), zone)[0]
        return start - start % times.MINUTE, start - start % times.MINUTE + times.MINUTE - 1
    except RecordError as error:
        reader.wrong(f"{where} at", error.what, "a date, or a time to the minute with an offset")
        return None


def _cross_check(reader: Reader, case: CaseConfig) -> None:
    """Note what the parts of the folder say against each other."""
    _doubles(reader, "source name", [s.name for s in case.sources])
    _doubles(reader, "question id", [q.id for q in case.questions])
    _doubles(reader, "statement id", [s.id for s in case.statements])
    people = {p.id for p in case.people}
    for name, named in (("identifiers.csv", case.identifiers), ("access.csv", case.access)):
        for person in sorted({row.person for row in named} - people):
            reader.wrong(name, f"{person!r} is not in people.csv", "add the person, or correct the name")
    for source in case.sources:
        _check_source(reader, source, people)
    for statement in case.statements:
        if statement.question and statement.question not in {q.id for q in case.questions} and case.questions:
            reader.wrong(
                f"[[statement]] {statement.id}", f"is about {statement.question!r}, which is no question of this case", "correct `question`"
            )
    if case.clock and case.clock not in {s.name for s in case.sources}:
        reader.wrong("[case] clock", f"{case.clock!r} is no source of this case", "name a [[source]]")
    _repositories(reader, case)
    _overlaps(reader, case)


def _repositories(reader: Reader, case: CaseConfig) -> None:
    """Note questions about a repository that no source is."""
    known = sorted({s.repo for s in case.sources if s.repo})
    for question in case.questions:
        name = question.object.removeprefix("git:").partition("@")[0].partition("#")[0]
        if question.object.startswith("git:") and known and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean git:{near[0]}?" if near else f"repositories of this case: {', '.join(known)}"
            reader.wrong(f"[[question]] {question.id}", f"no source is the repository {name!r}", hint, fatal=False)


def _doubles(reader: Reader, what: str, names: list[str]) -> None:
    for name in sorted({n for n in names if names.count(n) > 1}):
        reader.wrong("case.toml", f"{what} {name!r} stands twice", "names are unique in a case")


def _check_source(reader: Reader, source: SourceConfig, people: set[str]) -> None:
    where = f"[[source]] {source.name!r}"
    for person in sorted(set(source.controllers or ()) - people):
        reader.wrong(where, f"controller {person!r} is not in people.csv", "add the person, or correct the name")
    if source.kind not in kinds():
        near = difflib.get_close_matches(source.kind, kinds(), 1)
        hint = (
            f"did you mean {near[0]!r}? " if near else ""
        ) + "`forensics sources` lists what can be read; --skip-unknown goes on without it"
        reader.wrong(where, f"kind {source.kind!r} is not known", hint, fatal=False)
        return
    for key in load(source.kind).needs:
        if not getattr(source, key):
            reader.wrong(where, f"{key!r} is missing", f"a source of kind {source.kind!r} can't be read without it")


def _overlaps(reader: Reader, case: CaseConfig) -> None:
    """Note personal identifiers that belong to two people at one time: the records could not tell them apart."""
    last: Identifier | None = None
    for row in sorted((i for i in case.identifiers if i.kind == "personal"), key=lambda i: (i.identifier, i.since or 0)):
        if last and last.identifier == row.identifier and last.person != row.person and (row.since or 0) < (last.until or FAR):
            reader.wrong(
                "identifiers.csv",
                f"{row.identifier!r} belongs to {last.person} and {row.person} at one time",
                "correct `from` and `to`, or make it `shared`",
                fatal=False,
            )
        last = row


def _statements(reader: Reader) -> Iterator[Statement]:
    if not (reader.root / "statements.toml").exists():
        return
    toml = _toml(reader, "statements.toml") or {}
    reader.known("statements.toml", toml, {"statement"})
    for number, table in enumerate(_tables(reader, toml, "statement"), 1):
        where = f"[[statement]] {table.get('id') or number}"
        reader.known(where, table, _STATEMENT)
        test = reader.text(where, table, "test")
        if test not in TESTS:
            reader.wrong(where, f"no test is called {test!r}", ", ".join(TESTS))
        yield Statement(
            reader.text(where, table, "id"), reader.text(where, table, "by", ""), reader.text(where, table, "text", ""), test,
            reader.text(where, table, "question", ""), reader.text(where, table, "person", ""), reader.text(where, table, "quantity", ""),
            _number(reader, f"{where} at_least", table.get("at_least")), reader.text(where, table, "object", ""),
        )  # fmt: skip
