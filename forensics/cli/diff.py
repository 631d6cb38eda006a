"""`forensics diff`: what one run had that another had not."""

from pathlib import Path

import click

from forensics.cli.prose import case_option, columns, json_option, say, say_json
from forensics.cli.terms import CONTEXT, common, examination


@click.command(context_settings=CONTEXT, short_help="What one run had that another had not.")
@examination()
@click.argument("one", metavar="RUN")
@click.argument("other", metavar="RUN")
@click.option("--all", "everything", is_flag=True, help="List everything.")
@case_option
@json_option
@common
def diff(out: Path, one: str, other: str, everything: bool, case: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's
    """Compare two runs by what reached them.

    RUN is a job (slurm:gpu/1041, k8s:...), or a tracked run (mlflow:..., wandb:..., tensorboard:...) that a job belongs to. Told are: how they were launched
    (account, queue, GPUs, arguments, environment); and for each what it alone had: commits and the files that these changed, checkpoints and data, also
    through what earlier jobs wrote, changes of files in folders that it named, packages, image, nodes.
    """
    from forensics.case.again import again
    from forensics.reasoning.difference import difference
    from forensics.telling import difference as room
    from forensics.telling.references import References

    with again(out, case) as world:
        told = room.make(difference(world, one, other), References(world.tables))
    if as_json:
        say_json(told)
    else:
        say(room.lines(told, columns(), everything=everything))
