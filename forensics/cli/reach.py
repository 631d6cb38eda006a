"""`forensics reach`: what an object reached."""

from pathlib import Path

import click

from forensics.cli.prose import case_option, columns, json_option, say, say_json
from forensics.cli.terms import CONTEXT, common, examination, instant


@click.command(context_settings=CONTEXT, short_help="What an object reached: jobs, checkpoints, models, GPU-hours.")
@examination()
@click.argument("object", metavar="OBJECT")
@click.option("--at", "moment", metavar="TIME", help="Which of its changes, where it changed more than once (a date, or ISO 8601).")
@click.option("--all", "everything", is_flag=True, help="List every job and object.")
@case_option
@json_option
@common
def reach(out: Path, object: str, moment: str | None, everything: bool, case: Path | None, as_json: bool) -> None:  # noqa: A002, FBT001 - click's
    """Follow an object forward: the jobs that ran or loaded it, what these wrote, who loaded that, where it was copied, who else read it.

    OBJECT is any reference (git:train@3f2c..., s3://bucket/key, image:name@sha256:..., file:///share/env/x.py, node:gpu/n17, pkg:pypi/x@1.2,
    slurm:gpu/1041, mlflow:..., ...), or the first digits of a commit's id. Recorded links are told from inferred ones; GPU-hours and cost are intervals:
    the low end by recorded links alone. That something was reached says nothing of harm, nor of who did it.
    """
    from forensics.case.again import again
    from forensics.reasoning.reach import reach as followed
    from forensics.telling import reach as room
    from forensics.telling.references import References

    low, high = instant("--at", moment, "UTC")
    with again(out, case) as world:
        found = followed(world, room.named(world.tables, object), None if low is None or high is None else (low, high))
        told = room.make(found, world.case, References(world.tables))
    if as_json:
        say_json(told)
    else:
        say(room.lines(told, columns(), everything=everything))
