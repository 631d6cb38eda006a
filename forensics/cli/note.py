"""`forensics note`: what the examiner has to say, kept beside the findings and never among them."""

from pathlib import Path

import click

from forensics.cli import moment as clock
from forensics.cli.terms import CONTEXT, common, data, examination, terms
from forensics.errors import UsageError

LONGEST = 4000
"""characters of a note"""


@click.command(context_settings=CONTEXT, short_help="Add the examiner's own words; without any, list them.")
@examination()
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--about", metavar="WHAT", default="", help="What it is about: a question, a record's reference, an object.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="A tag; may be given several times.")
@click.option("--examiner", envvar="FORENSICS_EXAMINER", show_envvar=True, help="Who writes.  [default: the system's user]")
@click.option("--time", "moment", metavar="TIME", help="When (ISO 8601, UTC unless it says otherwise).  [default: now]")
@common
def note(out: Path, text: str | None, about: str, tags: tuple[str, ...], examiner: str | None, moment: str | None) -> None:
    """Add a note to an examination: the examiner's words, with time and author, and never a finding.

    Notes are kept in OUT/notes.jsonl, each entry's hash covering the one before, and are only ever added. OUT/report.html is made anew, and shows them
    as what they are. Findings stay as they were.
    """
    from forensics.telling import notes as room

    if text is None:
        data(room.listed(out))
        return
    if not text.strip() or len(text) > LONGEST:
        raise UsageError(f"a note has 1 to {LONGEST} characters", where="TEXT", hint="write several")
    room.add(out, room.Note(text, about, tags), examiner or clock.user(), clock.moment(moment))
    terms().say(f"noted; {out / 'report.html'} shows it")
