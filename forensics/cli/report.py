"""`forensics report`: the report anew, in another language or without names."""

import tempfile
from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, examination, stdout_bytes, stdout_is_terminal
from forensics.errors import UsageError


@click.command(context_settings=CONTEXT, short_help="The report anew: in Chinese, or without names.")
@examination()
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="The language that is shown first; both are in it."
)
@click.option("--blind", is_flag=True, help="People as neutral labels, and no raw records: for reading the argument before the names.")
@click.option("--open", "opened", is_flag=True, help="Show it in the browser; else it goes to stdout.")
@common
def report(out: Path, lang: str, blind: bool, opened: bool) -> None:  # noqa: FBT001 - click's
    """Make the report of an examination anew, out of OUT and nothing else.

    Nothing in OUT is changed. The notes of `forensics note` are in it.
    """
    from forensics.telling.report import again

    if not opened and stdout_is_terminal():
        raise UsageError(
            "a report is nothing that a terminal can show",
            where="forensics report",
            hint="--open shows it; or write it to a file: ... > report.html",
        )
    page = again(out, lang, names_hidden=blind).encode()
    if not opened:
        stdout_bytes().write(page)
        return
    file = Path(tempfile.mkdtemp(prefix="forensics-")) / "report.html"
    file.write_bytes(page)
    click.launch(str(file))
    data([str(file)])
