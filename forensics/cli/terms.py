"""What every command has in common: its options, where words go, and how they are shown."""

import os
import pkgutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from forensics.errors import RecordError, UsageError
from forensics.telling import exports
from forensics.telling.evidence_text import visible

Command = TypeVar("Command", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
_LINE = "\n"
MADE = ("findings.json", "examination.json")
"""what tells a folder that this program made"""


@dataclass(slots=True)
class Terms:
    """How the caller wants to be spoken to; lives as long as one call."""

    quiet: bool = False

    def say(self, words: str) -> None:
        """Say on stderr how things go, unless the caller asked for quiet."""
        if not self.quiet:
            warn(words)


def _terms() -> Terms:
    found = click.get_current_context().find_root().ensure_object(Terms)
    assert isinstance(found, Terms)
    return found


def _quiet(_context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        _terms().quiet = True


def _no_color(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value or os.environ.get("NO_COLOR"):  # https://no-color.org
        context.color = context.find_root().color = False


def common(command: Command) -> Command:
    """Give a command the options that all have."""
    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_quiet, help="No progress and no remarks: data and errors alone."
    )
    color = click.option(
        "--no-color", is_flag=True, expose_value=False, callback=_no_color, help="No colours (also: NO_COLOR in the environment)."
    )
    return quiet(color(command))


def terms() -> Terms:
    """Return the terms of this call."""
    return _terms()


def zone_option(command: Command) -> Command:
    """Give a command the option in which time zone its times are read and shown."""
    return click.option(
        "--timezone", "zone", default="UTC", show_default=True, metavar="ZONE", callback=_zone, help="IANA name of the zone for times."
    )(command)


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> str:
    from forensics import times

    try:
        times.zone(name)
    except RecordError as error:
        raise UsageError(error.what, where="--timezone", hint=error.hint) from error
    return name


def instant(option: str, text: str | None, zone: str) -> tuple[int | None, int | None]:
    """Read a time of the command line as its first and last nanosecond: of a date its whole day, in the zone where it bears no offset."""
    from forensics import times

    if text is None:
        return None, None
    try:
        low, high = times.parse(text, zone)
        if len(text) == len("2024-06-12"):
            high = times.parse((date.fromisoformat(text) + timedelta(days=1)).isoformat(), zone)[0] - 1
    except (RecordError, ValueError, OverflowError) as error:
        raise UsageError(
            str(error).split("\n", maxsplit=1)[0], where=option, hint="write 2024-06-12 or 2024-06-12T09:30:00+08:00"
        ) from error
    return low, high


def format_option(command: Command) -> Command:
    """Give a command the formats that are there: the files of telling/exports/."""
    names = sorted(m.name for m in pkgutil.iter_modules(exports.__path__) if "_" not in m.name)
    return click.option("--format", "form", type=click.Choice(names), default="table", show_default=True, help="How to write it.")(command)


def examination(argument: str = "OUT") -> Callable[[Command], Command]:
    """Take the folder of an examination as argument."""
    return click.argument("out", metavar=argument, type=click.Path(exists=True, file_okay=False, path_type=Path), callback=_made)


def _made(_context: click.Context, _argument: click.Parameter, out: Path) -> Path:
    if not is_examination(out):
        raise UsageError(
            "no examination lies there", where=str(out), hint="name the folder that `forensics investigate CASE --out OUT` made"
        )
    if not (out / "findings.json").is_file():
        warn(f"note: this examination was not finished ({out} has no findings.json); what follows may lack events or links")
    return out


def is_examination(folder: Path) -> bool:
    """Tell whether this program made the folder."""
    return any((folder / name).is_file() for name in MADE)


def warn(words: str) -> None:
    """Write to stderr, with whatever came from evidence made visible."""
    click.echo(visible(words, keep=_LINE), err=True)


def fail(words: str) -> None:
    """Say on stderr what went wrong."""
    click.echo(f"{style('error', fg='red')}: {visible(words, keep=_LINE)}", err=True)


def data(lines: Iterable[str]) -> None:
    """Write lines of data to stdout; their text must be visible already. Colours go where they can be seen only."""
    for line in lines:
        click.echo(line)


def stdout_bytes() -> BinaryIO:
    """Return stdout for bytes."""
    sys.stdout.flush()
    return sys.stdout.buffer


def stdout_is_terminal() -> bool:
    """Tell whether somebody looks at stdout."""
    return sys.stdout.isatty()


def style(text: str, *, fg: str | None = None, bold: bool = False) -> str:
    """Colour a visible text."""
    return click.style(text, fg=fg, bold=bold or None)
