"""What every command promises: data on stdout, the rest on stderr, exit codes, and a `--help` that is instant."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from forensics import cli
from forensics.cli import main
from forensics.errors import EvidenceError, Exit, ForensicsError, IntegrityError, UsageError

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [
    "investigate",
    "why",
    "causes",
    "reach",
    "diff",
    "report",
    "note",
    "check",
    "sources",
    "timeline",
    "trace",
    "show",
    "export",
    "scan",
    "compare",
    "bundle",
    "verify",
    "rerun",
]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as its own process, as people do."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORENSICS_DEBUG", "FORENSICS_EXAMINER", "COLUMNS")}
    return subprocess.run(
        [sys.executable, "-m", "forensics.cli", *map(str, arguments)],
        capture_output=True, encoding="utf-8", env=clean | {"PYTHONPATH": str(ROOT)} | environment, timeout=60, check=False,
    )  # fmt: skip


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Add a command that fails so."""

    @click.command()
    def fail() -> None:
        click.echo("data")
        raise error

    monkeypatch.setitem(main.commands, "fail", fail)


def test_help_names_every_command_in_the_order_of_use():
    text = CliRunner().invoke(main, ["--help"]).stdout
    assert re.findall(r"^  (\w+)  +[A-Z]", text.partition("Commands:")[2], re.MULTILINE) == COMMANDS
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_has_help_and_the_common_options(command: str, option: str):
    found = CliRunner().invoke(main, [command, option])
    assert found.exit_code == 0
    assert "--quiet" in found.stdout
    assert "--no-color" in found.stdout


def test_help_is_instant():
    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert min(once() for _ in range(3)) < 0.2  # seconds of processor time: what else the machine does is no fault of the program


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = "import sys, forensics.cli; print(sorted({m.split('.')[0] for m in sys.modules} & {'pyarrow', 'duckdb', 'numpy', 'rich', 'jinja2', 'networkx', 'git'}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
    )
    assert found.stdout.strip() == "[]"


def test_version():
    found = run("--version")
    assert found.stdout.startswith("forensics ")
    assert found.returncode == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ForensicsError("x"), Exit.FAILED),
        (UsageError("x"), Exit.USAGE),
        (EvidenceError("x"), Exit.UNREADABLE),
        (IntegrityError("x"), Exit.INTEGRITY),
    ],
)
def test_each_error_has_its_exit_code(monkeypatch: pytest.MonkeyPatch, error: ForensicsError, code: Exit):
    failing(monkeypatch, error)
    found = CliRunner().invoke(main, ["fail"])
    assert found.exit_code == code
    assert found.stdout == "data\n"
    assert found.stderr == "error: x\n"


def test_an_error_says_where_and_what_to_do_and_shows_hostile_names_as_text(monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, ForensicsError("is bad", where="a\x1b[2J\u202eb", hint="mend it"))
    found = CliRunner().invoke(main, ["fail"])
    assert found.stderr == "error: a\\x1b[2J\\u202eb: is bad\n  remedy: mend it\n"


def test_what_nobody_expected_becomes_words_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    failing(monkeypatch, ZeroDivisionError("oh\x1b[2J"))
    found = CliRunner().invoke(main, ["fail"])
    (trace,) = tmp_path.iterdir()
    assert found.exit_code == Exit.FAILED
    assert "oh\\x1b[2J" in found.stderr
    assert str(trace) in found.stderr
    assert "Traceback" not in found.stderr
    assert "Traceback" in trace.read_text()
    assert trace.stat().st_mode & 0o077 == 0


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORENSICS_DEBUG", "1")
    failing(monkeypatch, ZeroDivisionError("oh"))
    found = CliRunner().invoke(main, ["fail"])
    assert found.exit_code == Exit.FAILED
    assert "Traceback" in found.stderr


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError()])
def test_interruptions_are_quiet(monkeypatch: pytest.MonkeyPatch, error: BaseException):
    failing(monkeypatch, error)
    monkeypatch.setattr(cli, "_leave_stdout", lambda: None)
    found = CliRunner().invoke(main, ["fail"])
    assert found.exit_code == 128 + signal.SIGINT
    assert found.stderr == ""


def test_a_library_that_was_interrupted_is_an_interruption(monkeypatch: pytest.MonkeyPatch):
    @click.command()
    def query() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt as interrupt:
            raise RuntimeError("Query interrupted") from interrupt

    monkeypatch.setitem(main.commands, "query", query)
    monkeypatch.setattr(cli, "_leave_stdout", lambda: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
    try:
        found = CliRunner().invoke(main, ["query"])
        assert (found.exit_code, found.stderr) == (130, "")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_reader_that_goes_away_is_no_error():
    line = f"{sys.executable} -m forensics.cli sources --format json | head -c 1; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert found.returncode in (0, 130)  # 0 where it had written everything before
    assert found.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["check"], ["check", "/nowhere"], ["timeline", "/nowhere"], ["sources", "--format", "x"], ["sources", "nonsense"]],
)
def test_wrong_use_is_2_and_says_so_on_stderr(arguments: list[str]):
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == Exit.USAGE
    assert found.stdout == ""
    assert found.stderr


@pytest.mark.parametrize("command", ["timeline", "show", "trace"])
def test_a_folder_that_is_no_examination_is_wrong_use(command: str, tmp_path: Path):
    found = CliRunner().invoke(main, [command, str(tmp_path), "x"][: 2 if command == "timeline" else 3])
    assert found.exit_code == Exit.USAGE
    assert "no examination" in found.stderr


def test_text_that_the_terminal_cannot_write_is_escaped(monkeypatch: pytest.MonkeyPatch):
    found = run("sources", "--format", "json", PYTHONIOENCODING="ascii")
    assert found.returncode == 0


def test_colours_only_where_wanted():
    on = CliRunner().invoke(main, ["sources"], color=True)
    assert "\x1b[" in on.stdout
    assert "\x1b[" not in CliRunner().invoke(main, ["sources", "--no-color"], color=True).stdout
    assert "\x1b[" not in CliRunner().invoke(main, ["--no-color", "sources"], color=True).stdout
    assert "\x1b[" not in CliRunner().invoke(main, ["sources"], color=True, env={"NO_COLOR": "1"}).stdout
    assert "\x1b[" in CliRunner().invoke(main, ["sources"], color=True, env={"NO_COLOR": ""}).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str):
    found = run(_FORENSICS_COMPLETE=f"{shell}_source")
    assert "_forensics" in found.stdout
