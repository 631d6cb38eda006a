"""`forensics causes`: which changes set harmed runs apart from healthy ones."""

from pathlib import Path

import click

from forensics.cli.prose import columns, findings, json_option, say, say_json, written
from forensics.cli.terms import CONTEXT, common, examination


@click.command(context_settings=CONTEXT, short_help="Which changes set harmed runs apart from healthy ones.")
@examination()
@click.option("--runs", is_flag=True, help="Name every run, with its first record.")
@json_option
@common
def causes(out: Path, runs: bool, as_json: bool) -> None:  # noqa: FBT001 - click's
    """Rank the changes that set the harmed runs apart from the healthy ones: commits, files, checkpoints, images, packages, nodes.

    Each with its score (1: it reached all harmed runs and no healthy one), how often shuffled labels do as well, under which condition it acts, when it
    arrived and when the first harm followed, the runs that it reached, and its references. Where nothing tells them apart: why, and what to collect.
    """
    from forensics.telling import causes as room

    found, compared = findings(out), written(out, "comparison", "forensics/comparison/1")
    if as_json:
        say_json(room.as_json(found, compared))
    else:
        say(room.causes(found, compared, columns(), every_run=runs))
