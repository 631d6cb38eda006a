"""`forensics note` and `forensics report`, as somebody would use them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import custody
from forensics.cli import main

SAMPLE = Path(__file__).parents[2] / "sample_cases" / "shared-login"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("note") / "out"
    found = CliRunner().invoke(main, ["investigate", str(SAMPLE), "--out", str(out), "--examiner", "K.", "--time", "2024-08-01T09:00:00Z"])
    assert found.exit_code == 0, found.stderr
    return out


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def run(*words: str) -> str:
    found = CliRunner().invoke(main, list(words))
    assert found.exit_code == 0, found.stderr
    return found.stdout


def test_notes_are_added_listed_and_shown_and_findings_stay(out: Path) -> None:
    before = (out / "findings.json").read_bytes()
    run("note", str(out), "asked the admin\u202e", "--about", "q1", "--tag", "todo", "--examiner", "K.", "--time", "2024-08-02T10:00:00Z")
    run("note", str(out), "no answer yet", "--examiner", "L.", "--time", "2024-08-03T10:00:00Z")
    assert run("note", str(out)).splitlines() == [
        "2024-08-02T10:00:00Z K.: asked the admin\\u202e #todo (q1)",
        "2024-08-03T10:00:00Z L.: no answer yet",
    ]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert (
        page.index('<section id="notes">')
        < page.index("asked the admin")
        < page.index("no answer yet")
        < page.index('<section id="custody">')
    )
    assert (out / "findings.json").read_bytes() == before
    assert custody.verify(out / "notes.jsonl")


def test_no_note_is_added_to_notes_that_are_not_what_they_were(out: Path) -> None:
    run("note", str(out), "one", "--time", "2024-08-02T10:00:00Z")
    log = out / "notes.jsonl"
    entry = json.loads(log.read_text(encoding="utf-8"))
    log.write_text(json.dumps(entry | {"text": "another"}) + "\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["note", str(out), "two"]).exit_code == 4


def test_an_empty_note_is_none(out: Path) -> None:
    assert CliRunner().invoke(main, ["note", str(out), " "]).exit_code == 2
    assert not (out / "notes.jsonl").exists()


def test_the_report_goes_to_stdout_and_changes_nothing(out: Path) -> None:
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    assert run("report", str(out)) == (out / "report.html").read_text(encoding="utf-8")
    assert 'data-first="zh"' in run("report", str(out), "--lang", "zh")
    assert "Names are hidden in this copy" in run("report", str(out), "--blind")
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("form", ["prov-json", "case-uco", "timesketch", "csv", "jsonl"])
def test_every_format_is_written(out: Path, form: str) -> None:
    text = run("export", str(out), "--format", form)
    assert len(text) > 1000
    if form in ("prov-json", "case-uco"):
        assert json.loads(text)
