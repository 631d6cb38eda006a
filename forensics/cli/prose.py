"""What commands say in prose: from which file of an examination, how wide, and as JSON for programs."""

import json
import shutil
from collections.abc import Callable, Iterable
from itertools import dropwhile
from pathlib import Path
from typing import Any

import click

from forensics.cli.terms import data, stdout_is_terminal, style
from forensics.errors import ForensicsError, UsageError

_COLUMNS, _NARROWEST, _WIDEST = 100, 40, 120
"""where nobody looks; and what can be read"""


def findings(out: Path) -> dict[str, Any]:
    """Return findings.json of an examination."""
    return written(out, "findings", "forensics/findings/1")


def written(out: Path, name: str, schema: str) -> dict[str, Any]:
    """Return a JSON file of an examination, of that schema."""
    path = out / f"{name}.json"
    if not path.is_file():
        raise UsageError(f"this examination has no {path.name}", where=str(out), hint="run `forensics investigate` to its end")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ForensicsError(f"is no JSON: {error}", where=str(path), hint="examine the case anew, with --force") from error
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise ForensicsError(f"is no {schema}", where=str(path), hint="examine the case anew, with --force")
    return found


def columns() -> int:
    """Return how wide the text may be: as the terminal is, within what can be read; the same everywhere where there is none."""
    if not stdout_is_terminal():
        return _COLUMNS
    return min(max(shutil.get_terminal_size((_COLUMNS, 0)).columns, _NARROWEST), _WIDEST)


def say(lines: Iterable[Any]) -> None:
    """Write lines to stdout, headings in bold; `lines`: of telling/prose.py."""
    shown = dropwhile(lambda line: not line.text, lines)  # the first is the gap before a heading
    data(style(line.text, bold=True) if line.heading else line.text for line in shown)


def say_json(value: object) -> None:
    """Write a value as JSON, with what could not be seen as JSON's own escapes."""
    from forensics.telling.evidence_text import in_json

    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    data(in_json(line.encode("utf-8", "backslashreplace")).decode() for line in text.split("\n"))


def json_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option to speak to programs."""
    return click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object, times in UTC.")(command)


def case_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option to say where the case folder lies now."""
    return click.option(
        "--case",
        metavar="CASE",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Where the case folder lies now, if it was moved.",
    )(command)
