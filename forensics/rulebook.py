"""The examiner's own rules, as handed in with `--rules`: over program text (ast-grep) and over commands (Sigma), told apart by what a document holds.

They are read as warily as evidence is: bounded, no links, no YAML that refers to itself, and each rule is tried in another process before anything else is read.
An examination keeps their texts in OUT/rules.json (findings.json bears its hash under `tables`); that file can be handed in again.

- `schema`: forensics/rules/1
- `files`: name, sha256, text: every file as it was handed in, by name
- `rules`: file, form (ast-grep, sigma), language (of ast-grep's), id, says
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from forensics import commands
from forensics.commands import matching as over_commands
from forensics.errors import UsageError
from forensics.patterns import rules as over_text
from forensics.patterns.apart import complaints

SCHEMA = "forensics/rules/1"
NAME = "rules"
LARGEST = 256 << 10
"""bytes of a rule file"""
MOST_FILES = 1000
MOST_RULES = 2000
LARGEST_ALL = 4 << 20
"""bytes of all rule files together: rules.json keeps their texts"""
_LARGEST_KEPT = 6 * LARGEST_ALL + (8 << 20)
"""bytes of a rules.json: what JSON writes for a character may be six"""
_DEEPEST = 50
"""tables and lists within each other"""
_ENDINGS = (".yml", ".yaml")
_FORMS = "a rule over program text has `rule` (ast-grep), one over commands has `detection` (Sigma)"


@dataclass(frozen=True, slots=True, order=True)
class RuleFile:
    """A file of rules, as it was handed in."""

    name: str
    """without its folder: the same rules give the same bytes wherever they lie"""
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules that were handed in."""

    files: tuple[RuleFile, ...] = ()
    text: tuple[over_text.Rule, ...] = ()
    """over program text"""
    commands: tuple[over_commands.Rule, ...] = ()


def read(paths: Iterable[Path]) -> Rulebook:
    """Read files, folders, or a rules.json; UsageError, with file, place and remedy, where a rule can't be used."""
    found: dict[tuple[str, str], tuple[str, RuleFile]] = {}
    for path in paths:
        for where, file in _files(path):
            found.setdefault((file.name, file.text), (where, file))
    if len(found) > MOST_FILES:
        hint = f"{MOST_FILES} at most; put several rules into one file"
        raise UsageError(f"{len(found)} rule files are too many", where="--rules", hint=hint)
    if sum(len(file.text.encode()) for _, file in found.values()) > LARGEST_ALL:
        raise UsageError(
            f"the rule files have more than {LARGEST_ALL} bytes", where="--rules", hint="hand in the rules that this case needs"
        )
    placed = _placed(found[key] for key in sorted(found))
    text = sorted((r for r in placed if isinstance(r, over_text.Rule)), key=lambda r: (r.language, r.id))
    for rule, complaint in zip(text, complaints(text), strict=True):
        if complaint:
            hint = "try it with `ast-grep scan --rule FILE`"
            raise UsageError(f"ast-grep does not understand this rule: {complaint}", where=placed[rule], hint=hint)
    asked = sorted(r for r in placed if isinstance(r, over_commands.Rule))
    return Rulebook(tuple(sorted(file for _, file in found.values())), tuple(text), tuple(asked))


def _placed(files: Iterable[tuple[str, RuleFile]]) -> dict[over_text.Rule | over_commands.Rule, str]:
    """Return every rule with its place; no name may be there twice."""
    places: dict[tuple[str, str], str] = {}
    found: dict[over_text.Rule | over_commands.Rule, str] = {}
    for where, file in files:
        for rule, place in _rules(file, where):
            name = (rule.language if isinstance(rule, over_text.Rule) else "", rule.id)
            if name in places:
                hint = "give each rule a name of its own, and each file once"
                raise UsageError(f"{rule.id!r} is there already: {places[name]}", where=place, hint=hint)
            places[name] = found[rule] = place
            if len(found) > MOST_RULES:
                raise UsageError("too many rules", where=place, hint=f"{MOST_RULES} at most")
    return found


def value(book: Rulebook) -> dict[str, Any]:
    """Return rules.json as a value."""
    told = [{"file": r.own, "form": "ast-grep", "language": r.language, "id": r.id, "says": r.says} for r in book.text]
    told += [{"file": r.own, "form": "sigma", "language": "", "id": r.id, "says": r.says} for r in book.commands]
    return {
        "schema": SCHEMA,
        "files": [{"name": f.name, "sha256": f.sha256, "text": f.text} for f in book.files],
        "rules": sorted(told, key=lambda r: (r["file"], r["form"], r["language"], r["id"])),
    }


def write(book: Rulebook, path: Path) -> None:
    """Write rules.json: UTF-8, sorted keys, one space of indent, a line end at the end."""
    path.write_text(json.dumps(value(book), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


# --- files --------------------------------------------------------------------------------------------------------------


def _files(path: Path) -> Iterator[tuple[str, RuleFile]]:
    """Yield each rule file with where it lies."""
    if path.is_dir():
        names = sorted(entry.name for entry in os.scandir(path) if entry.name.endswith(_ENDINGS))
        if not names:
            raise UsageError(
                "holds no rule file",
                where=str(path),
                hint="name a folder in which *.yml or *.yaml lie, or a file; folders below it are not read",
            )
        for name in names[: MOST_FILES + 1]:
            yield str(path / name), _file(name, _bytes(path / name, LARGEST), str(path / name))
    elif path.suffix == ".json":
        yield from _kept(path)
    else:
        yield str(path), _file(path.name, _bytes(path.resolve(), LARGEST), str(path))


def _bytes(path: Path, most: int) -> bytes:
    """Read a regular file, no link and no pipe, and no more of it than is taken."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError("is no file", where=str(path), hint="put a copy of the rules there")
            data = stream.read(most + 1)
    except OSError as error:
        hint = "put the file itself there, where it can be read: links are not followed"
        raise UsageError(f"can't be read: {error.strerror}", where=str(path), hint=hint) from error
    if len(data) > most:
        raise UsageError(f"is larger than {most} bytes", where=str(path), hint="a rule file is a few lines; split it up")
    return data


def _file(name: str, data: bytes, where: str) -> RuleFile:
    try:
        return RuleFile(
            name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), data.decode(), hashlib.sha256(data).hexdigest()
        )
    except UnicodeDecodeError as error:
        raise UsageError(f"is no UTF-8 at byte {error.start}", where=where, hint="save it as UTF-8") from error


def _kept(path: Path) -> Iterator[tuple[str, RuleFile]]:
    """Yield the files that an earlier examination kept."""
    hint = "name the rules.json of an examination, or YAML files"
    try:
        told = json.loads(_bytes(path.resolve(), _LARGEST_KEPT))
        if told["schema"] != SCHEMA:
            raise UsageError(f"is no {SCHEMA}", where=str(path), hint=hint)
        files = [(one["name"], one["text"], one["sha256"]) for one in told["files"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError("is no list of rules", where=str(path), hint=hint) from error
    if not files:
        raise UsageError("holds no rule", where=str(path), hint=hint)
    for name, text, sha256 in files:
        if (
            not isinstance(name, str)
            or not isinstance(text, str)
            or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != sha256
        ):
            raise UsageError(
                f"{str(name)[:100]!r} is not the text of its hash", where=str(path), hint="take the file as the examination wrote it"
            )
        if len(text) > LARGEST:
            raise UsageError(f"{name[:100]!r} is larger than {LARGEST} bytes", where=str(path), hint="a rule file is a few lines")
        yield f"{path}, {name[:100]}", RuleFile(name, text, sha256)


# --- rules --------------------------------------------------------------------------------------------------------------


def _rules(file: RuleFile, where: str) -> Iterator[tuple[over_text.Rule | over_commands.Rule, str]]:
    count = 0
    for number, document in enumerate(_documents(file.text, where), 1):
        if document is not None:
            count += 1
            place = f"{where}, rule {number}"
            yield _rule(document, place, file.name), place
    if not count:
        raise UsageError("holds no rule", where=where, hint=_FORMS)


def _rule(document: object, where: str, name: str) -> over_text.Rule | over_commands.Rule:
    forms = {"rule", "detection"} & set(document) if isinstance(document, Mapping) else set()
    if len(forms) != 1:
        raise UsageError("is neither a rule of ast-grep nor one of Sigma", where=where, hint=_FORMS)
    if "detection" in forms:
        if not commands.installed():
            raise UsageError(over_commands.NOT_INSTALLED, where=where, hint="install training-forensics[code]")
        return over_commands.rule_of(document, where, name)
    if not over_text.installed():
        raise UsageError(over_text.NOT_INSTALLED, where=where, hint="install training-forensics[code]")
    return over_text.rule_of(document, where, name)


def _documents(text: str, where: str) -> Sequence[object]:
    """Read YAML; what refers to itself, or lies too deep, is refused before it is put together."""
    if find_spec("yaml") is None:
        raise UsageError(over_text.NOT_INSTALLED, where=where, hint="install training-forensics[code]")
    import yaml  # noqa: PLC0415 - an extra that may be missing

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where PyYAML was built with it
    try:
        deep = 0
        for event in yaml.parse(text, loader):
            place = f"{where}, line {event.start_mark.line + 1}" if event.start_mark else where
            if isinstance(event, yaml.AliasEvent):
                raise UsageError("refers to itself (a YAML alias)", where=place, hint="write out what `*name` stands for")
            deep += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if deep > _DEEPEST:
                raise UsageError(f"more than {_DEEPEST} tables within each other", where=place, hint="split the rule up")
        return list(yaml.load_all(text, loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark else where
        raise UsageError(f"is no YAML: {' '.join(str(error).split())[:300]}", where=place, hint=_FORMS) from error
