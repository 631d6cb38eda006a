"""`forensics why`: the argument behind an answer."""

import json
import shutil
from pathlib import Path
from typing import Any

import click

from forensics.cli.terms import CONTEXT, common, data, examination, stdout_is_terminal, style
from forensics.errors import ForensicsError, UsageError

_COLUMNS, _NARROWEST, _WIDEST = 100, 40, 120
"""where nobody looks; and what can be read"""


@click.command(context_settings=CONTEXT, short_help="The argument behind an answer, for and against.")
@examination()
@click.argument("question", metavar="QUESTION")
@common
def why(out: Path, question: str) -> None:
    """Lay out the argument behind the answer to a question.

    QUESTION is its id, as in case.toml and in the summary. Rung by rung: what was reached, and by which records; who could have; what speaks for and against,
    how hard each record is to falsify, how much it weighs, and its reference, for `show`; what else could be; what is odd; what would change the answer.
    """
    from forensics.telling import why as room

    answers = {answer["question"]: answer for answer in _findings(out)["answers"]}
    if question not in answers:
        raise UsageError(
            f"{question!r} is no question of this examination", where="QUESTION", hint=f"one of: {', '.join(answers) or '(none was asked)'}"
        )
    lines = list(room.why(answers[question], _columns()))
    data(style(line.text, bold=True) if line.heading else line.text for line in lines[1:])  # the first is the gap before a heading


def _findings(out: Path) -> dict[str, Any]:
    path = out / "findings.json"
    if not path.is_file():
        raise UsageError("this examination has no findings", where=str(out), hint="run `forensics investigate` to its end")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ForensicsError(f"is no JSON: {error}", where=str(path), hint="examine the case anew, with --force") from error
    if not isinstance(found, dict) or found.get("schema") != "forensics/findings/1":
        raise ForensicsError("is no forensics/findings/1", where=str(path), hint="examine the case anew, with --force")
    return found


def _columns() -> int:
    """Return how wide the text may be: as the terminal is, within what can be read; the same everywhere where there is none."""
    if not stdout_is_terminal():
        return _COLUMNS
    return min(max(shutil.get_terminal_size((_COLUMNS, 0)).columns, _NARROWEST), _WIDEST)
