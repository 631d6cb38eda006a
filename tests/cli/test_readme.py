"""What README.md shows is what the program does."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics.cli import main
from forensics.telling.export import names, wholes

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
_HELP = re.compile(r"<!-- help: forensics ?(\w*) -->\n(?:```\n.*?```\n)?", re.DOTALL)
_SESSION = re.compile(r"(?<=<!-- session).*?(?=<!-- end of session -->)", re.DOTALL)
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def with_help(text: str) -> str:
    """Return the text with each command's help as it is now."""
    return _HELP.sub(lambda found: f"<!-- help: forensics{found[1] and ' '}{found[1]} -->\n```\n{help_of(found[1])}```\n", text)


def help_of(command: str) -> str:
    found = CliRunner().invoke(main, [*command.split(), "--help"], prog_name="forensics")
    return f"$ forensics {command} --help\n".replace("  ", " ") + found.stdout


def check(new: str, *, update: bool) -> None:
    if update:
        README.write_text(new, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == new


def test_the_help_of_every_command(update_goldens: bool):
    text = README.read_text(encoding="utf-8")
    assert [found[1] for found in _HELP.finditer(text)] == ["", *main.commands]
    check(with_help(text), update=update_goldens)


def test_every_format_is_described():
    described = README.read_text(encoding="utf-8").partition("### Formats")[2]
    assert sorted(re.findall(r"^\| `(\w[\w-]*)` \|", described, re.MULTILINE)) == sorted([*names(), *wholes()])


def test_the_smallest_case_is_a_case(tmp_path: Path):
    (toml,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "case.toml").write_text(toml)
    for place in re.findall(r'path = "(.*)"', toml):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("x")
    for name, heading in re.findall(r"^ +(people\.csv|identifiers\.csv) +([\w,]+)", README.read_text(encoding="utf-8"), re.MULTILINE):
        with (tmp_path / name).open("w") as stream:
            csv.writer(stream).writerow(heading.split(","))
    found = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert (found.exit_code, found.stdout) == (0, "")


@pytest.mark.slow
def test_the_session_with_the_sample_case(tmp_path: Path, update_goldens: bool):
    (tmp_path / "sample_cases").symlink_to(ROOT / "sample_cases")
    program = tmp_path / "bin" / "forensics"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m forensics.cli "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}

    def told(block: re.Match[str]) -> str:
        return (
            "```console\n"
            + "".join(f"$ {command}\n{answer(command)}" for command in re.findall(r"^\$ (.*)$", block[1], re.MULTILINE))
            + "```"
        )

    def answer(command: str) -> str:
        found = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert found.returncode in (0, 3), found.stdout
        return found.stdout

    text = README.read_text(encoding="utf-8")
    check(_SESSION.sub(lambda session: _CONSOLE.sub(told, session[0]), text), update=update_goldens)
