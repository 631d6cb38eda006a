"""What is looked at, what is said, and the command."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics.cli import main

QUIET, KILL, SEED = b"x = 1\n", b"import os\n\nos.kill(1, 9)\n", b"torch.manual_seed(3)\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["scan", *words])


def test_exit_codes(run, tmp_path: Path):
    (tmp_path / "quiet.py").write_bytes(SEED)
    (tmp_path / "kill.py").write_bytes(KILL)
    (tmp_path / "model.rar").write_bytes(b"Rar!\x1a\x07\x01\x00")
    assert run("quiet.py").exit_code == 0
    assert run("model.rar").exit_code == 3
    assert run("model.rar", "kill.py").exit_code == 5
    assert run("gone").exit_code == 2


def test_what_is_said_of_a_finding(run, tmp_path: Path):
    (tmp_path / "kill.py").write_bytes(KILL)
    assert run("kill.py").stdout.splitlines() == [
        "kill.py:3: ends a process at once, its own or another  [kill]",
        "    os.kill(1, 9)",
        "    why look: a run that ends so leaves no traceback",
        "    it could be: a watchdog; a launcher that cleans up after its workers",
    ]


def test_notes_are_shown_when_asked_for(run, tmp_path: Path):
    (tmp_path / "seed.py").write_bytes(SEED)
    assert run("seed.py").stdout == ""
    assert "[seed-call]" in run("seed.py", "--notes").stdout
    assert run("seed.py", "--notes").exit_code == 0


def test_json_has_everything_and_is_the_same_every_time(run, tmp_path: Path):
    (tmp_path / "a.py").write_bytes(KILL + SEED)
    found = json.loads(run("--json", ".").stdout)
    assert [(f["rule"], f["file"], f["line"], f["weight"]) for f in found["findings"]] == [
        ("kill", "a.py", 3, "look"),
        ("seed-call", "a.py", 4, "note"),
    ]
    assert found["schema"] == "forensics/scan/1"
    assert run("--json", ".").stdout == run("--json", ".").stdout


def test_what_is_known_need_not_be_looked_at_again(run, tmp_path: Path):
    (tmp_path / "a.py").write_bytes(KILL)
    (tmp_path / "known.json").write_text(run("-q", "--json", "a.py").stdout)
    (tmp_path / "a.py").write_bytes(b"# moved\n" + KILL)
    assert run("a.py", "--known", "known.json").exit_code == 0
    (tmp_path / "a.py").write_bytes(KILL + b"os.kill(1, 9)\n")
    assert run("a.py", "--known", "known.json").exit_code == 5
    (tmp_path / "known.json").write_text("[]")
    assert run("a.py", "--known", "known.json").exit_code == 2


def test_rules_of_ones_own(run, tmp_path: Path):
    (tmp_path / "a.py").write_bytes(b"import lab_secret\n")
    rule = "id: own\nlanguage: python\nmessage: imports it\nrule: {kind: import_statement, regex: lab_secret}\n"
    (tmp_path / "own.yml").write_text(rule)
    assert "a.py:1: imports it  [own]" in run("a.py", "--rules", "own.yml").stdout
    for broken in ("id: own", rule.replace("import_statement", "no_such"), rule.replace("python", "klingon"), "{", "- 1"):
        (tmp_path / "own.yml").write_text(broken)
        assert run("a.py", "--rules", "own.yml").exit_code == 2


def test_links_are_not_followed_and_pipes_not_opened(look, tmp_path: Path):
    (tmp_path / "kill.py").write_bytes(KILL)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.py").symlink_to(tmp_path / "kill.py")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe.py")
    found = look("in")
    assert (found.files, found.findings, found.unread) == (0, [], [])


def test_names_that_would_move_the_cursor_are_written_out(run, tmp_path: Path):
    (tmp_path / "\x1b[2J\u202e.py").write_bytes(KILL.replace(b"9", b"'\x1b[2J'"))
    shown = run(".").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_file_that_can_not_be_read_is_said(look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.py").write_bytes(KILL)

    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert [(u.file, u.why) for u in look().unread] == [("a.py", "Permission denied")]


def test_without_the_extra_program_text_is_left_and_that_is_said(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.py").write_bytes(KILL)
    monkeypatch.setattr("forensics.scan.looking.installed", lambda: False)
    done = run("a.py")
    assert done.exit_code == 0
    assert "training-forensics[code]" in done.stderr
