"""The figures that were measured travel with the program, and say whether they are about its code."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import forensics
from forensics.telling import validation as room
from forensics.telling.handoff import kit
from forensics.telling.handoff.words import words
from forensics.telling.report import annex, render

ROOT = Path(__file__).parents[3]


def test_the_method_is_that_which_make_validate_writes_down() -> None:
    from tests.incidents.validate import made_by

    assert made_by()["method_sha256"] == room.method()


def test_what_shows_an_answer_is_no_part_of_the_method_and_what_decides_one_is(tmp_path: Path) -> None:
    rooms = tuple(f"forensics/{part}" for part in room._DECIDE)
    shutil.copytree(ROOT / "forensics", tmp_path / "forensics", ignore=shutil.ignore_patterns("__pycache__"))
    assert room.fingerprint(tmp_path, rooms) == room.method()
    (tmp_path / "forensics" / "telling" / "why.py").write_text("", encoding="utf-8")
    assert room.fingerprint(tmp_path, rooms) == room.method()
    policy = tmp_path / "forensics" / "reasoning" / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("lowest = 10 ", "lowest = 11 "), encoding="utf-8")
    assert room.fingerprint(tmp_path, rooms) != room.method()


def test_an_installed_package_finds_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert told["wheel"]["sources"]["tests/incidents/validation"] == "forensics/_validation"
    assert all("tests/incidents/validation" in told[kind]["only-include"] for kind in ("wheel", "sdist"))
    package = tmp_path / "site-packages" / "forensics"
    shutil.copytree(ROOT / "tests" / "incidents" / "validation", package / "_validation")
    monkeypatch.setattr(forensics, "__file__", str(package / "__init__.py"))
    found = room.validation()
    assert found is not None
    assert found.page.startswith("# Validation on planted incidents")
    shutil.rmtree(package / "_validation")
    assert room.validation() is None


@pytest.mark.parametrize(("method", "says", "bundled"), [("same", "the very code that wrote this page", "the very code"), ("ab" * 32, "on other code (method abababababababab)", "on method abab")])  # fmt: skip
def test_report_and_bundle_print_the_figures_and_whose_they_are(
    lab_report: Any, monkeypatch: pytest.MonkeyPatch, method: str, says: str, bundled: str
) -> None:
    known = room.validation()
    assert known is not None
    method = room.method() if method == "same" else method
    monkeypatch.setattr(annex, "validation", lambda: room.Validation(known.figures | {"method_sha256": method}, known.page))
    monkeypatch.setattr(kit, "validation", annex.validation)
    findings, tables, case, extra = lab_report
    page = re.sub(r"<[^>]*>", " ", render(findings, tables, case, extra))
    assert says in page
    wrong = known.figures["overall"]["false_person"]
    assert f"{known.figures['cases']} invented incidents whose truth is known, somebody was named wrongly {wrong['count']} times" in page
    assert "an error rate of" not in page
    for language in ("en", "zh"):
        text = kit._validation(words(language))
        assert text is not None
        assert known.page in text
    assert bundled in (kit._validation(words("en")) or "")


def test_a_program_without_figures_says_so(lab_report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annex, "validation", lambda: None)
    findings, tables, case, extra = lab_report
    page = render(findings, tables, case, extra)
    assert "did not come with this installation" in page
    assert "class by class" not in page
