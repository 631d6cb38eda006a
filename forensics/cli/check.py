"""`forensics check`: everything that is wrong with a case folder, without examining it."""

from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, style, terms
from forensics.errors import Exit
from forensics.telling.evidence_text import visible


@click.command(context_settings=CONTEXT, short_help="Everything that is wrong with a case folder.")
@click.argument("case", metavar="CASE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--skip-unknown", is_flag=True, help="Sources whose kind is not known are no error (see `investigate`).")
@common
def check(case: Path, skip_unknown: bool) -> None:  # noqa: FBT001 - click's
    """List everything that is wrong with a case folder, all at once.

    Checks keys, kinds, people, identifiers, times, and whether the evidence lies where case.toml says; reads no evidence. Ends with 1 where an
    examination could not begin, or would be without a source; with 0 where there is nothing, or only something to know.
    """
    from forensics.case.inspection import inspect

    problems = inspect(case, skip_unknown=skip_unknown)
    for problem in problems:
        label = style("error", fg="red") if problem.fatal else style("note", fg="yellow")
        hint = f"\n    remedy: {visible(problem.hint)}" if problem.hint else ""
        data([f"{label}: {visible(problem.where)}: {visible(problem.what)}{hint}"])
    fatal = sum(p.fatal for p in problems)
    terms().say(f"{fatal} to mend, {len(problems) - fatal} to know" if problems else "nothing is wrong with this case folder")
    if fatal:
        raise click.exceptions.Exit(Exit.FAILED)
