"""`forensics timeline`: what happened, in order of time."""

from collections.abc import Callable
from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, examination, format_option, instant, stdout_bytes, stdout_is_terminal, terms, zone_option
from forensics.errors import UsageError

SHOWN = 1000
"""rows of a table, unless more are asked for"""


def _many(*names: str, help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:  # noqa: A002 - click's word
    return click.option(*names, multiple=True, metavar="TEXT", help=help)


@click.command(context_settings=CONTEXT, short_help="What happened, in order of time.")
@examination()
@click.option("--from", "since", metavar="TIME", help="No earlier than this (ISO 8601, or a date).")
@click.option("--to", "until", metavar="TIME", help="No later than this; a date means its end.")
@_many("--actor", "actors", help="This account, as authenticated or as claimed.")
@_many("--object", "objects", help="This object: acted upon, set, or replaced.")
@_many("--action", "actions", help="This action, and those that begin with it and a dot.")
@_many("--source", "sources", help="This source.")
@click.option("--limit", type=click.IntRange(0), help=f"At most so many events; 0: all.  [default: {SHOWN} in a table, else all]")
@format_option
@zone_option
@common
def timeline(
    out: Path, since: str | None, until: str | None, actors: tuple[str, ...], objects: tuple[str, ...], actions: tuple[str, ...],
    sources: tuple[str, ...], limit: int | None, form: str, zone: str,
) -> None:  # fmt: skip
    """Show the events of an examination, in order of time (as recorded, before any correction of clocks).

    `*` stands for anything; an option given twice means either. Each row ends with its reference, which `forensics show` takes.
    Formats: table and csv are for people (hidden characters are made visible; csv puts ' before what a spreadsheet would take for a formula);
    jsonl, timesketch and parquet carry text as it is, and times in UTC.
    """
    from forensics.tables import open_tables
    from forensics.telling import timeline as room
    from forensics.telling.export import load

    wanted = room.Wanted(
        instant("--from", since, zone)[0], instant("--to", until, zone)[1], actors=actors, objects=objects, actions=actions, sources=sources
    )
    export = load(form)
    if export.binary and stdout_is_terminal():
        raise UsageError(
            f"{form} is nothing that a terminal can show",
            where="--format",
            hint=f"write it to a file: ... --format {form} > timeline.{form}",
        )
    most = limit if limit is not None else SHOWN if form == "table" else 0
    with open_tables(out / "tables") as tables:
        total = room.count(tables, wanted)
        untimed = room.untimed(tables, wanted) if form == "timesketch" else 0
        export.write(room.events(tables, wanted, most or None), stdout_bytes(), zone)
    if most and total > most:
        terms().say(f"{most} of {total} events; --limit 0 shows all")
    else:
        terms().say(f"{total} event{'' if total == 1 else 's'}" + (f", {untimed} of them without a time and left out" if untimed else ""))
