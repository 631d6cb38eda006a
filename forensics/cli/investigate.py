"""`forensics investigate`: the main job."""

from pathlib import Path

import click

from forensics.cli import moment as clock
from forensics.cli.terms import CONTEXT, common, data, is_examination, terms, warn
from forensics.errors import UsageError


@click.command(context_settings=CONTEXT, short_help="Examine a case folder: who made each change?")
@click.argument("case", metavar="CASE", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", metavar="OUT", required=True, type=click.Path(path_type=Path), help="Where to write; a folder that is new, or empty."
)
@click.option("--force", is_flag=True, help="Replace OUT where an earlier examination lies there; never any other folder.")
@click.option(
    "--examiner", envvar="FORENSICS_EXAMINER", show_envvar=True, help="Who examines, for the custody log.  [default: the system's user]"
)
@click.option(
    "--time", "moment", metavar="TIME", help="When, for the custody log (ISO 8601, UTC unless it says otherwise).  [default: now]"
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes that read evidence. The result is the same."
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Other weights and thresholds than the built-in ones (TOML).",
)
@click.option(
    "--rules", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="Rules of your own, beside the shipped ones: ast-grep's over program text, Sigma's over commands; a file, a folder, or the rules.json "
    "of an examination. May be given several times.",
)  # fmt: skip
@click.option("--skip-unknown", is_flag=True, help="Go on without sources whose kind is not known.")
@common
def investigate(
    case: Path,
    out: Path,
    force: bool,  # noqa: FBT001 - click's
    examiner: str | None,
    moment: str | None,
    workers: int,
    policy: Path | None,
    rules: tuple[Path, ...],
    skip_unknown: bool,  # noqa: FBT001 - click's
) -> None:
    """Examine a case folder: say who made each change, and how far the records carry that.

    Writes OUT/findings.json, OUT/report.html, OUT/custody.jsonl and OUT/tables, and a summary to stdout. CASE is only read.
    """
    from forensics.case import steps
    from forensics.telling.summary import summary

    _place(case, out, force=force)
    request = steps.Request(
        examiner=examiner or clock.user(),
        time=clock.moment(moment),
        workers=workers,
        policy=policy,
        rules=rules,
        skip_unknown=skip_unknown,
        force=force,
    )
    outcome = steps.investigate(case, out, request, terms().say)
    for problem in outcome.problems:
        terms().say(f"note: {problem.where}: {problem.what}" + (f" ({problem.hint})" if problem.hint else ""))
    data(summary(outcome.findings))
    data(["", f"report: {out / 'report.html'}"])
    if outcome.exit:
        warn("some evidence could not be read: see the sources above, and the report")
    raise click.exceptions.Exit(outcome.exit)


def _place(case: Path, out: Path, *, force: bool) -> None:
    """Refuse to write into evidence, or over anything that an examination did not make."""
    inside, around = out.resolve(), case.resolve()
    if inside.is_relative_to(around):
        raise UsageError(
            "OUT lies inside the case folder, and evidence is never written to", where=str(out), hint="choose a place outside the case"
        )
    if around.is_relative_to(inside):
        raise UsageError("the case folder lies inside OUT, and evidence is never written to", where=str(out), hint="choose another OUT")
    if out.exists() and not out.is_dir():
        raise UsageError("is a file", where=str(out), hint="OUT is a folder that does not exist yet, or is empty")
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise UsageError("is not empty", where=str(out), hint="choose another OUT, or --force to replace an earlier examination")
        if not is_examination(out):
            raise UsageError("was not made by this program, and is left alone", where=str(out), hint="choose another OUT")
