"""`forensics why`: the argument behind an answer."""

from pathlib import Path

import click

from forensics.cli.prose import columns, findings, say
from forensics.cli.terms import CONTEXT, common, examination
from forensics.errors import UsageError


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

    answers = {answer["question"]: answer for answer in findings(out)["answers"]}
    if question not in answers:
        raise UsageError(
            f"{question!r} is no question of this examination", where="QUESTION", hint=f"one of: {', '.join(answers) or '(none was asked)'}"
        )
    say(room.why(answers[question], columns()))
