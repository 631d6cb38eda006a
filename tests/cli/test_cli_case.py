"""The commands that take a case: check, sources, investigate."""

import json
import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics.case.problems import Problem
from forensics.cli import main
from forensics.errors import Exit, IntegrityError
from forensics.source import kinds, load

CASE = """schema = "forensics/case/1"
[case]
id = "c"
title = "A case"
timezone = "UTC"
from = 2024-06-01T00:00:00Z
to = 2024-07-01T00:00:00Z
[[source]]
name = "log"
kind = "{kind}"
path = "evidence/log.txt"
"""
FINDINGS = {
    "case": {"id": "c", "title": "A \x1b[2Jcase"},
    "answers": [
        {"question": "q1", "object": "git:train@" + "3f2c" * 10, "rung": "person", "person": "p-1", "mechanism": "own-account", "support": "moderate",
         "candidates": ["p-1"], "flags": ["backdated"]},
        {"question": "q2", "object": "s3://b/k", "rung": "none", "person": None, "mechanism": "unknown", "support": "none", "candidates": ["p-1", "p-2"], "flags": []},
    ],
    "statements": [{"id": "s1", "verdict": "contradicted"}],
    "sources": [{"name": "log", "kind": "syslog", "records": 3, "rejected": 1, "gaps": [], "status": "read", "damage": ""}],
}  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Path:
    root = tmp_path / "case"
    (root / "evidence").mkdir(parents=True)
    (root / "case.toml").write_text(CASE.format(kind=next(k for k in kinds() if not load(k).needs)))
    (root / "people.csv").write_text("person,name,role,employed_from,employed_to\np-1,Mei,dev,2024-01-01T00:00:00Z,\n")
    (root / "identifiers.csv").write_text("identifier,person,kind,from,to,source\nunix:mei,p-1,personal,2024-01-01T00:00:00Z,,hr\n")
    (root / "evidence" / "log.txt").write_text("x\n")
    return root


# --- check ------------------------------------------------------------------------------------------------------


def test_a_sound_case_is_0_with_nothing_on_stdout(case: Path):
    found = CliRunner().invoke(main, ["check", str(case)])
    assert (found.exit_code, found.stdout) == (0, "")
    assert "nothing is wrong" in found.stderr
    assert CliRunner().invoke(main, ["check", "-q", str(case)]).stderr == ""


def test_check_lists_everything_at_once(case: Path):
    toml = (case / "case.toml").read_text().replace('title = "A case"', 'titel = "A case"')
    toml += (
        '[[source]]\nname = "gone"\nkind = "sylsog"\npath = "evidence/gone"\n[[source]]\nname = "out"\nkind = "nonsense"\npath = "../out"\n'
    )
    (case / "case.toml").write_text(toml)
    with (case / "identifiers.csv").open("a") as rows:
        rows.write("unix:mei,p-2,personal,2024-02-01T00:00:00Z,,hr\n")
    found = CliRunner().invoke(main, ["check", str(case)])
    assert found.exit_code == Exit.FAILED
    for words in (
        "'titel'",
        "did you mean 'title'?",
        "'sylsog' is not known",
        "no file lies there",
        "leaves the case folder",
        "'p-2' is not in people.csv",
        "belongs to",
    ):
        assert words in found.stdout, words
    assert "error" in found.stdout


def test_what_one_only_has_to_know_is_0(case: Path):
    (case / "evidence" / "log.txt").write_text("")
    found = CliRunner().invoke(main, ["check", str(case)])
    assert found.exit_code == 0
    assert found.stdout.startswith("note: ")


def test_a_kind_that_is_not_known_may_be_skipped(case: Path):
    (case / "case.toml").write_text(CASE.format(kind="nonsense"))
    assert CliRunner().invoke(main, ["check", str(case)]).exit_code == Exit.FAILED
    assert CliRunner().invoke(main, ["check", "--skip-unknown", str(case)]).exit_code == 0


def test_links_are_reported_and_hostile_names_shown_as_text(case: Path):
    folder = case / "evidence" / "logs"
    folder.mkdir()
    (folder / "ok").write_text("x")
    (folder / "a\x1b[2J").symlink_to("/etc/passwd")
    (case / "case.toml").write_text(CASE.format(kind=kinds()[0]).replace("log.txt", "logs"))
    found = CliRunner().invoke(main, ["check", str(case)])
    assert "symbolic link not followed: a\\x1b[2J" in found.stdout


@pytest.mark.parametrize(
    "content", ["", "not toml [", "schema = 1", "[case]\nid = 3\n[[source]]\nname = 1\nkind = []\npath = {}\n", "source = 3"]
)
def test_no_case_folder_breaks_check(case: Path, content: str):
    (case / "case.toml").write_text(content)
    found = CliRunner().invoke(main, ["check", str(case)])
    assert found.exit_code == Exit.FAILED
    assert found.stdout.startswith("error: ")


# --- sources ----------------------------------------------------------------------------------------------------


def test_sources_names_every_kind_with_its_commands():
    found = CliRunner().invoke(main, ["sources"])
    assert found.exit_code == 0
    for kind in kinds():
        assert f"\n{kind} " in found.stdout
        for line in load(kind).collect:
            assert line in found.stdout


def test_sources_as_json_and_one_alone():
    found = json.loads(CliRunner().invoke(main, ["sources", "--format", "json"]).stdout)
    assert [source["name"] for source in found] == kinds()
    one = json.loads(CliRunner().invoke(main, ["sources", kinds()[0], "--format", "json"]).stdout)
    assert [source["name"] for source in one] == kinds()[:1]


# --- investigate ------------------------------------------------------------------------------------------------


class Steps(types.ModuleType):
    """Stands in for the four steps: says what it was asked, and writes what an examination would."""

    def __init__(self) -> None:
        super().__init__("forensics.case.steps")
        self.Request = types.SimpleNamespace
        self.asked: types.SimpleNamespace | None = None
        self.exit, self.error = Exit.DONE, None

    def investigate(self, root, out, request, progress):
        self.asked = request
        if self.error:
            raise self.error
        progress("reading")
        out.mkdir(exist_ok=True)
        (out / "findings.json").write_text("{}")
        return types.SimpleNamespace(findings=FINDINGS, exit=self.exit, problems=(Problem("here", "odd", "mend", fatal=False),))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    stand_in = Steps()
    monkeypatch.setitem(sys.modules, "forensics.case.steps", stand_in)
    monkeypatch.setattr("forensics.case.steps", stand_in, raising=False)
    return stand_in


def invoke(case: Path, out: Path, *options: str, **environment: str):
    return CliRunner().invoke(main, ["investigate", str(case), "--out", str(out), *options], env=environment)


def test_the_summary_goes_to_stdout_and_progress_to_stderr(case: Path, steps: Steps, tmp_path: Path):
    found = invoke(case, tmp_path / "out")
    assert found.exit_code == 0
    assert "A \\x1b[2Jcase" in found.stdout
    for words in ("q1", "p-1", "own-account", "backdated", "2 candidates", "contradicted", "syslog", "report.html"):
        assert words in found.stdout, words
    assert "git:train@3f2c" in found.stdout
    assert "reading" in found.stderr
    assert "reading" not in found.stdout
    assert "note: here: odd (mend)" in found.stderr


def test_quiet_leaves_the_data_alone(case: Path, steps: Steps, tmp_path: Path):
    found = invoke(case, tmp_path / "out", "--quiet")
    assert found.stderr == ""
    assert "q1" in found.stdout


def test_unreadable_evidence_is_3(case: Path, steps: Steps, tmp_path: Path):
    steps.exit = Exit.UNREADABLE
    found = invoke(case, tmp_path / "out")
    assert found.exit_code == Exit.UNREADABLE
    assert "could not be read" in found.stderr
    assert "q1" in found.stdout


def test_changed_evidence_is_4(case: Path, steps: Steps, tmp_path: Path):
    steps.error = IntegrityError("changed", where="log")
    found = invoke(case, tmp_path / "out")
    assert (found.exit_code, found.stdout) == (Exit.INTEGRITY, "")


def test_who_and_when_come_from_the_caller(case: Path, steps: Steps, tmp_path: Path):
    invoke(case, tmp_path / "a", "--time", "2024-08-01T09:00:00+08:00", "--examiner", "mei", "--workers", "3", "--skip-unknown")
    assert steps.asked == types.SimpleNamespace(
        examiner="mei", time="2024-08-01T01:00:00Z", workers=3, policy=None, rules=(), skip_unknown=True, force=False
    )
    invoke(case, tmp_path / "b", FORENSICS_EXAMINER="lin")
    assert steps.asked.examiner == "lin"
    assert steps.asked.time.endswith("Z")
    assert invoke(case, tmp_path / "c", "--time", "yesterday").exit_code == Exit.USAGE


@pytest.mark.parametrize("place", ["case", "case/evidence/out", "."])
def test_evidence_is_never_written_to(case: Path, steps: Steps, tmp_path: Path, place: str):
    found = invoke(case, tmp_path / place, "--force")
    assert found.exit_code == Exit.USAGE
    assert steps.asked is None


def test_a_link_into_the_case_is_seen_through(case: Path, steps: Steps, tmp_path: Path):
    (tmp_path / "link").symlink_to(case / "evidence")
    assert invoke(case, tmp_path / "link" / "out", "--force").exit_code == Exit.USAGE


def test_nothing_is_overwritten_without_force_and_nothing_but_an_examination_with_it(case: Path, steps: Steps, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    assert invoke(case, out).exit_code == 0
    assert invoke(case, out).exit_code == Exit.USAGE
    assert invoke(case, out, "--force").exit_code == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    found = invoke(case, other, "--force")
    assert found.exit_code == Exit.USAGE
    assert "left alone" in found.stderr
    assert (other / "thesis.tex").exists()
    assert invoke(case, other / "thesis.tex").exit_code == Exit.USAGE
