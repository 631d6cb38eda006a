"""`forensics rerun`: from a bundle's originals to the same bytes."""

import tempfile
from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, terms
from forensics.errors import UsageError


@click.command(context_settings=CONTEXT, short_help="Do a bundle's examination again, and compare.")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path), help="Keep the case folder and the new examination there; new, or empty."
)
@click.option(
    "--case",
    metavar="CASE",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The case folder, where the bundle holds hashes alone.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes that read evidence.")
@common
def rerun(bundle: Path, keep: Path | None, case: Path | None, workers: int) -> None:
    """Examine the originals of a bundle again, as it says, and compare every byte.

    The bundle is checked first. Ends with 0 where everything comes out the same, and with 4 where anything does not.
    """
    from forensics.case import repeat
    from forensics.case.steps import TOOL

    if keep and keep.exists() and (keep.is_file() or any(keep.iterdir())):
        raise UsageError("is not empty", where=str(keep), hint="choose another --keep")
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        found = repeat.rerun(bundle, keep, workers, case, terms().say)
    else:
        with tempfile.TemporaryDirectory(prefix="forensics-rerun-") as place:
            found = repeat.rerun(bundle, Path(place), workers, case, terms().say)
    data(f"{'same' if name in found.same else 'DIFFERS'}  {name}" for name in sorted((*found.same, *found.differ)))
    repeat.refuse(found, TOOL)
    data([f"all {len(found.same)} files came out the same"])
