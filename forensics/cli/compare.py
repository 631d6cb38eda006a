"""`forensics compare`: what changed between two examinations, and why."""

import json
from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data
from forensics.telling.evidence_text import in_json, visible


@click.command(context_settings=CONTEXT, short_help="What changed between two examinations, and why.")
@click.argument("before", metavar="OUT", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", metavar="OUT", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people, or JSON.")
@common
def compare(before: Path, after: Path, form: str) -> None:
    """Compare two examinations: evidence, policy, version, and each answer with what its change can be put down to.

    The first is the earlier one. Ends with 0 whether or not anything differs.
    """
    from forensics.telling.handoff import comparing as room

    found = room.compare(room.read(before), room.read(after))
    if form == "json":
        data([in_json(json.dumps(found, indent=1, ensure_ascii=False).encode()).decode()])
        return
    data(visible(line) for line in room.text(found))
