"""The argument behind an answer: its text, what it escapes, and what it does not answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forensics.cli import main, prose
from forensics.errors import Exit
from forensics.telling import why as room

FIXTURE = Path(__file__).parent / "fixtures" / "why-shared-login"
SAMPLE = Path(__file__).parents[2] / "sample_cases" / "shared-login"
HOSTILE = "\x1b[31mred\u202egpj.exe\u200b\x9b\nnext"
SHOWN = "\\x1b[31mred\\u202egpj.exe\\u200b\\x9b\\nnext"


@pytest.fixture
def findings() -> Any:
    return json.loads((FIXTURE / "findings.json").read_text(encoding="utf-8"))


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Result]:
    """Lay findings down as an examination would, and ask why."""

    def run(found: object, *arguments: str) -> Result:
        text = found if isinstance(found, str) else json.dumps(found)
        (tmp_path / "findings.json").write_text(text, encoding="utf-8")
        return CliRunner().invoke(main, ["why", str(tmp_path), *arguments])

    return run


def spoiled(value: Any) -> Any:
    """Return the value with hostile text at the end of every free text, and of every name that comes from evidence."""
    kept = {"question", "rung", "mechanism", "support", "tier", "kind", "flags", "from", "to", "schema"}
    if isinstance(value, dict):
        return {k: v if k in kept else spoiled(v) for k, v in value.items()}
    if isinstance(value, list):
        return [spoiled(v) for v in value]
    return value + HOSTILE if isinstance(value, str) else value


def test_the_argument_of_a_sample_case(ask, findings, update_goldens: bool):
    golden, found = FIXTURE / "golden.txt", ask(findings, "q1")
    assert (found.exit_code, found.stderr) == (0, "")
    if update_goldens:
        golden.write_text(found.stdout, encoding="utf-8")
    assert found.stdout == golden.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_sample_case_as_it_is_examined(tmp_path: Path):
    out = tmp_path / "out"
    assert CliRunner().invoke(main, ["investigate", str(SAMPLE), "--out", str(out), "--quiet"]).exit_code == 0
    found = CliRunner().invoke(main, ["why", str(out), "q1"])
    assert found.exit_code == 0
    assert "[x] account: gitlab:deploy-bot2" in found.stdout
    assert "[ ] person: " in found.stdout


def test_hostile_text_is_escaped(ask, findings):
    found = ask(spoiled(findings) | {"schema": findings["schema"]}, "q1")
    assert found.exit_code == 0, found.stderr
    assert SHOWN in found.stdout
    assert not set("\x1b\u202e\u200b\x9b") & set(found.stdout)
    assert "\nnext" not in found.stdout


def test_both_sides_are_told_by_rung_and_group_with_their_weight(ask, findings):
    (answer,) = findings["answers"]
    (item,) = answer["neutral"]
    answer["for"] = [
        item | {"rung": rung, "group": "source:edr", "lr": lr, "says": rung} for rung, lr in (("person", 14.75), ("session", 1.8))
    ]
    answer["against"] = [item | {"lr": 0.25, "says": "somebody else held it"}]
    text = ask(findings, "q1").stdout
    assert "No record that was supplied" not in text
    assert text.index("  session, source:edr\n    + session\n") < text.index("  person, source:edr\n    + person\n")
    assert "; 15 to 1, moderate\n" in text
    assert "    - somebody else held it\n" in text
    assert "; 1 to 4, weak, for the alternative\n" in text


def test_alternatives_come_closest_first_and_the_group_it_stands_on_is_named(ask, findings):
    (answer,) = findings["answers"]
    near = {
        "person": "p-9",
        "mechanism": "forged-record",
        "lr": {"low": 0.5, "point": 1.5, "high": 4},
        "left_out": {"low": 0.2, "group": "source:b"},
    }
    far = {"person": None, "mechanism": "defect", "lr": {"low": 20, "point": 40, "high": 90}, "left_out": {"low": 3, "group": "source:a"}}
    answer["alternatives"] = [far, near]
    text = " ".join(ask(findings, "q1").stdout.split())
    assert text.index("p-9: by way of a record") < text.index("nobody in particular: as an honest change")
    assert "from 2 times better to 4 times worse; without source:b, it fits 5 times better" in text
    assert "from 20 times worse to 90 times worse (about 40); without source:a, it still fits at least 3 times worse" in text
    assert text.index("leans on source:b: without it, the closest alternative fits 5 times better") < text.index("leans on source:a")


@pytest.mark.parametrize("columns", [40, 72, 120])
def test_lines_keep_to_the_width_and_references_stay_whole(findings, columns: int):
    (answer,) = findings["answers"]
    lines = list(room.why(answer, columns))
    assert all(len(line.text) <= columns or " " not in line.text.strip().removeprefix("[x] ") for line in lines)
    assert "deploy-server#git=de74a54ed35bddb0ea7b485709fcb36620aa0f2d" in [line.text.strip() for line in lines]


def test_the_terminal_sets_the_width_within_what_can_be_read(monkeypatch: pytest.MonkeyPatch):
    module = prose
    monkeypatch.setattr(module, "stdout_is_terminal", lambda: True)
    for columns, used in (("10", 40), ("90", 90), ("400", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        assert module.columns() == used


def test_a_question_that_does_not_exist_is_wrong_use_and_those_that_do_are_named(ask, findings):
    found = ask(findings, "q9")
    assert (found.exit_code, found.stdout) == (Exit.USAGE, "")
    assert "one of: q1" in found.stderr
    findings["answers"] = []
    assert "none was asked" in ask(findings, "q1").stderr


def test_a_folder_that_is_no_examination_or_is_unfinished(tmp_path: Path):
    found = CliRunner().invoke(main, ["why", str(tmp_path), "q1"])
    assert (found.exit_code, found.stdout) == (Exit.USAGE, "")
    assert "no examination lies there" in found.stderr
    (tmp_path / "examination.json").write_text("{}")
    found = CliRunner().invoke(main, ["why", str(tmp_path), "q1"])
    assert (found.exit_code, found.stdout) == (Exit.USAGE, "")
    assert "was not finished" in found.stderr


@pytest.mark.parametrize("text", ["{", "[]", "{}", "[" * 100_000, '{"schema": "forensics/findings/9"}'])
def test_findings_that_are_none_fail_in_words(ask, text: str):
    found = ask(text, "q1")
    assert (found.exit_code, found.stdout) == (Exit.FAILED, "")
    assert "examine the case anew" in found.stderr
