"""`forensics show`: the raw bytes behind a reference."""

from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, examination, stdout_bytes, terms
from forensics.errors import UsageError


@click.command(context_settings=CONTEXT, short_help="The raw bytes behind a reference.")
@examination()
@click.argument("ref", metavar="REF")
@click.option("--raw", is_flag=True, help="The bytes themselves, to stdout (their place goes to stderr).")
@click.option("--hex", "dump", is_flag=True, help="The bytes in hexadecimal.")
@click.option(
    "--case",
    metavar="CASE",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the case folder lies now, if it was moved.",
)
@common
def show(out: Path, ref: str, raw: bool, dump: bool, case: Path | None) -> None:  # noqa: FBT001 - click's
    r"""Show the record that a reference points at, with its file, hash and place.

    REF is written as in the report and the timeline: <source>/<path>#bytes=<from>-<to> (in the text after decompression), <source>#git=<object id>, or
    <source>#table=<name>;row=<n>. The hash of what it stands in is checked first; where it is not the one noted at intake, the command ends with 4 and
    shows nothing. Control, bidi and zero-width characters are written as escapes (\x1b, \u202e).
    """
    from forensics.telling import show as room
    from forensics.telling.raw import RawReader, parse

    if raw and dump:
        raise UsageError("--raw and --hex exclude each other", hint="choose one")
    with RawReader(out, case) as reader:
        found = reader.show(parse(ref, reader.sources))
    if raw:
        for line in room.heading(found):
            terms().say(line)
        stdout_bytes().write(found.data)
        return
    data([*room.heading(found), ""])
    data(room.hexadecimal(found.data) if dump else room.text(found))
