"""What each shipped rule finds, line by line: the comment at a line's end names the rules that find it."""

from pathlib import Path

import pytest

from forensics.patterns.matching import hits, language_of
from forensics.patterns.rules import Severity, read_rules

FIXTURES = Path(__file__).parent / "fixtures"
RULES = read_rules()
FILES = sorted(FIXTURES.iterdir())


def expected(file: Path) -> dict[int, set[str]]:
    lines = file.read_text().splitlines()
    return {n: set(line.rpartition("  # ")[2].split()) - {"nothing"} for n, line in enumerate(lines, 1)}


def found(file: Path) -> dict[int, set[str]]:
    content = file.read_bytes()
    lines: dict[int, set[str]] = {n: set() for n in expected(file)}
    for hit in hits(content, language_of(file.name, content) or "", RULES):
        lines[hit.first].add(hit.rule.id)
    return lines


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_line_is_found_by_the_rules_that_it_names(file: Path):
    assert found(file) == expected(file)


def test_every_rule_has_a_line_that_it_finds():
    named = {rule for file in FILES for rules in expected(file).values() for rule in rules}
    assert named == {rule.id for rule in RULES}


def test_every_rule_says_what_why_and_what_else_it_could_be():
    for rule in RULES:
        assert rule.says, rule.id
        assert rule.why, rule.id
        assert rule.innocent, rule.id
        assert rule.group, rule.id
        assert rule.severity in Severity


def test_a_text_is_never_run(tmp_path: Path):
    mark = tmp_path / "mark"
    hits(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\neval('1')\n".encode(), "python", RULES)
    assert not mark.exists()
