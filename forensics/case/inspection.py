"""Everything that is wrong with a case folder, its evidence's places included, without reading the evidence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from forensics.case.folder import draft
from forensics.case.problems import Problem
from forensics.errors import CaseError
from forensics.evidence import collect
from forensics.model import CaseConfig, SourceConfig
from forensics.source import kinds


def inspect(root: Path, *, skip_unknown: bool = False) -> list[Problem]:
    """Return all problems of a case folder, the fatal ones first. A kind that is not known is fatal unless it is to be skipped."""
    case, problems = draft(root)
    sources = case.sources if case else ()
    unknown = set() if skip_unknown else {f"[[source]] {s.name!r}" for s in sources if s.kind not in kinds()}
    found = {replace(p, fatal=True) if p.where in unknown else p for p in problems}
    for source in sources:
        if case and source.path:
            found |= set(_places(case, source))
    return sorted(found, key=lambda p: (not p.fatal, p))


def _places(case: CaseConfig, source: SourceConfig) -> Iterator[Problem]:
    """Yield what is wrong with where a source's files lie."""
    where = f"[[source]] {source.name!r}"
    try:
        evidence = collect(case, source)
    except CaseError as error:
        yield Problem(where, f"{error.where}: {error.what}", error.hint)
        return
    except (OSError, ValueError) as error:
        yield Problem(where, f"{source.path!r} can't be looked into: {error}", "correct `path` in case.toml, or make the folder readable")
        return
    for note in evidence.notes:
        yield Problem(where, note, "collect the file itself, if it matters", fatal=False)
    for file in evidence.files:
        if not file.size:
            yield Problem(where, f"{file.file or source.path} is empty", "collect it again, if it should not be", fatal=False)
