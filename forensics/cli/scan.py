"""`forensics scan`: what somebody should look at in checkpoints, packages, repositories and source trees."""

import json
from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, terms, warn
from forensics.errors import Exit


@click.command(context_settings=CONTEXT, short_help="What to look at in checkpoints, packages and code.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON object, for programs; it has the notes, too.")
@click.option("--notes", is_flag=True, help="Show also what ordinary files have: it is a reason to look only where something else is odd.")
@click.option(
    "--rules", "folders", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="Rules of your own over program text (ast-grep's), beside the shipped ones: a file, or a folder, in which Sigma's over commands may lie "
    "for `investigate`. May be given several times.",
)  # fmt: skip
@click.option(
    "--known", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The --json of an earlier scan: leave out what it found."
)
@common
def scan(
    paths: tuple[Path, ...],
    as_json: bool,  # noqa: FBT001 - click's
    notes: bool,  # noqa: FBT001 - click's
    folders: tuple[Path, ...],
    known: Path | None,
) -> None:
    """Say what somebody should look at in checkpoints, packages, repositories and source trees.

    Checkpoints are read opcode by opcode and never loaded, however they are wrapped (zip, 7z, gzip, legacy torch, numpy, joblib, one pickle behind or inside
    another); their tensors are passed over. Packages, installed or as wheels, are compared with their own lists of hashes. Program text is matched by rules;
    of repositories, settings and hooks that would run programs are shown, and a bare one is read at its HEAD.
    Nothing is run, nothing is written, and what is found is a reason to look, never a verdict: beside each finding stands what honest work it could be.

    Ends with 0 where there is nothing to look at, with 5 where there is, and with 3 where there is nothing but something could not be read.
    """
    from forensics.scan import looking, telling
    from forensics.scan.known import without_known

    if not looking.reads_code():
        warn("note: program text is not looked at: the rules need ast-grep-py and PyYAML (install training-forensics[code])")
    found = looking.scan(paths, folders, terms().say)
    if known is not None:
        found = without_known(found, known)
    data([json.dumps(telling.value(found), indent=1, sort_keys=True)] if as_json else telling.lines(found, notes=notes))
    terms().say(telling.closing(found))
    if found.looks:
        raise click.exceptions.Exit(Exit.LOOK)
    if found.unread:
        raise click.exceptions.Exit(Exit.UNREADABLE)
