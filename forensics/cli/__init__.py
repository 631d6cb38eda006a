"""Words in, words out: the one place where an error becomes words and an exit code. One file a command; what is heavy is imported when it runs."""

import io
import os
import signal
import sys
import tempfile
import threading
import traceback
from typing import Any

import click

from forensics import __version__
from forensics.cli.bundle import bundle
from forensics.cli.causes import causes
from forensics.cli.check import check
from forensics.cli.compare import compare
from forensics.cli.diff import diff
from forensics.cli.export import export
from forensics.cli.investigate import investigate
from forensics.cli.note import note
from forensics.cli.reach import reach
from forensics.cli.report import report
from forensics.cli.rerun import rerun
from forensics.cli.scan import scan
from forensics.cli.show import show
from forensics.cli.sources import sources
from forensics.cli.terms import CONTEXT, common, fail, warn
from forensics.cli.timeline import timeline
from forensics.cli.trace import trace
from forensics.cli.verify import verify
from forensics.cli.why import why
from forensics.errors import Exit, ForensicsError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it; also where whoever read stdout went away"""


class Forensics(click.Group):
    """The commands, in the order in which they are used, with the one catch around them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order in which they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn what went wrong into words and an exit code."""
        _say_what_can_be_said()
        interrupts = _Interrupts()
        try:
            with interrupts:
                result = super().invoke(ctx)
            sys.stdout.flush()
        except ForensicsError as error:
            fail(str(error))
            ctx.exit(error.code)
        except (KeyboardInterrupt, BrokenPipeError):
            _leave_stdout()
            ctx.exit(INTERRUPTED)
        except (click.exceptions.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the last place where it can become words
            if interrupts.seen:
                _leave_stdout()
                ctx.exit(INTERRUPTED)
            _unexpected(error)
            ctx.exit(Exit.FAILED)
        return result


class _Interrupts:
    """Remembers a Ctrl-C: a library that is interrupted in the middle (DuckDB) says so with an error of its own."""

    def __init__(self) -> None:
        self.seen = False
        self._before: Any = None

    def __enter__(self) -> None:
        reached = threading.current_thread() is threading.main_thread()  # signals reach no other
        if reached and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as under nohup
            self._before = signal.signal(signal.SIGINT, self._interrupt)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, _number: int, _frame: object) -> None:
        self.seen = True
        raise KeyboardInterrupt


def _say_what_can_be_said() -> None:
    """Write as escapes what the terminal's encoding does not have, rather than fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _leave_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain at its end.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no file: nothing is buffered
        return


def _unexpected(error: Exception) -> None:
    """Say in words that the program failed, and keep the traceback for whoever mends it."""
    trace = "".join(traceback.format_exception(error))
    if os.environ.get("FORENSICS_DEBUG"):
        warn(trace.rstrip())
        return
    handle, path = tempfile.mkstemp(prefix="forensics-", suffix=".txt", text=True)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(trace)
    fail(f"this is a fault of the program, not of the case: {type(error).__name__}: {error}")
    warn(f"  The traceback is in {path} (it may quote evidence); FORENSICS_DEBUG=1 shows it at once.")


@click.group(cls=Forensics, context_settings=CONTEXT)
@common
@click.version_option(__version__, message="forensics %(version)s")
def main() -> None:
    """Who changed what in a training system, told from its records, as far as they carry.

    Give it a folder with the records (git, forge, scheduler, object store, hosts) and a question; it says who made the change, what shows it, what else
    could explain it, and what is missing. Evidence is only read, nothing in it is executed, and no network connection is opened.

    Data goes to stdout, everything else to stderr. Exit codes: 0 done; 1 failed, in words; 2 wrong use; 3 done, but some evidence was unreadable;
    4 an integrity check failed; 5 `scan` found something to look at; 130 interrupted.
    """


for _command in (
    investigate,
    why,
    causes,
    reach,
    diff,
    report,
    note,
    check,
    sources,
    timeline,
    trace,
    show,
    export,
    scan,
    compare,
    bundle,
    verify,
    rerun,
):
    main.add_command(_command)
