"""Rules of the examiner's own: what is taken, what is refused in which words, and what none of them can do."""

import json
import os
import socket
from pathlib import Path

import pytest

from forensics import rulebook
from forensics.commands import matching
from forensics.errors import UsageError
from forensics.patterns.apart import Apart

TEXT = "id: lab-import\nlanguage: python\nmessage: imports the lab's own\nrule: {kind: import_statement, regex: lab_secret}\n"
COMMAND = (
    "title: moves the lab's data\nlogsource: {category: process_creation, product: linux}\n"
    "detection:\n  a:\n    CommandLine|contains: 'rsync'\n    User: eve\n  condition: a\n"
)


@pytest.fixture
def put(tmp_path: Path):
    def write(name: str, text: str | bytes) -> Path:
        path = tmp_path / "rules" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_both_forms_are_told_apart_by_what_they_hold(put, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    folder = put("sigma.yml", TEXT + "---\n" + COMMAND).parent
    put("b.yaml", TEXT.replace("lab-import", "other"))
    put("readme.txt", "no rule")
    book = rulebook.read([folder])
    assert [(r.id, r.own) for r in book.text] == [("lab-import", "sigma.yml"), ("other", "b.yaml")]
    assert [(r.id, r.own) for r in book.commands] == [("moves the lab's data", "sigma.yml")]
    with Apart(book.text) as apart:
        hits = apart.hits(b"import os\nimport lab_secret\n", "python")
        assert [(h.rule.id, h.rule.own, h.first) for h in hits] == [("lab-import", "sigma.yml", 2), ("other", "b.yaml", 2)]
    commands = [(1, "rsync -a /data x:", "/usr/bin/rsync", "EVE"), (2, "rsync -a", "/usr/bin/rsync", "bob")]
    assert matching.bounded_hits(commands, book.commands) == ([(book.commands[0], 1)], [])


def test_the_same_rules_give_the_same_bytes_wherever_they_lie_and_can_be_handed_in_again(put, tmp_path):
    one, two = put("a.yml", TEXT), put("b.yml", COMMAND)
    rulebook.write(rulebook.read([two, one]), tmp_path / "rules.json")
    written = (tmp_path / "rules.json").read_bytes()
    assert str(tmp_path).encode() not in written
    assert rulebook.read([one.parent]) == rulebook.read([two, one, one]) == rulebook.read([tmp_path / "rules.json"])
    rulebook.write(rulebook.read([tmp_path / "rules.json"]), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == written
    assert [f["text"] for f in json.loads(written)["files"]] == [TEXT, COMMAND]


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("id: x\nlanguage: python\n", "neither", "rule 1"),
        ("- 1", "neither", "rule 1"),
        ("\n", "holds no rule", "x.yml"),
        ("{", "no YAML", "line"),
        (TEXT + "---\n" + TEXT.replace("import_statement", "no_such"), "there already", "rule 2"),
        (TEXT + "---\n" + TEXT.replace("lab-import", "two").replace("import_statement", "no_such"), "Invalid Kind", "rule 2"),
        (TEXT.replace("python", "klingon"), "no language", "rule 1"),
        (TEXT.replace("lab_secret", "2024-06-12"), "neither text, number", "rule 1"),
        ("a: &a [1]\nid: *a\n", "YAML alias", "line 2"),
        ("rule: " + "[" * 60 + "]" * 60, "within each other", "line 1"),
        ("rule: " + "[" * 99_999, "no YAML", "line 1"),
        ("rule: " + "x" * rulebook.LARGEST, "larger than", "x.yml"),
        (b"rule: \xff", "no UTF-8 at byte 6", "x.yml"),
        (COMMAND.replace("process_creation", "dns_query"), "dns_query", "rule 1"),
        (COMMAND.replace("User:", "ParentImage:"), "ParentImage", "rule 1"),
        (COMMAND.replace("condition: a", "condition: b"), "'b' not defined", "rule 1"),
        (COMMAND.replace("condition: a", "condition: [a, not a]"), "2 conditions", "rule 1"),
        (COMMAND.replace("contains: 'rsync'", "re: 'x(?=y)'"), "(?=", "rule 1"),
        (COMMAND.replace("rsync", "r" * 1001), "pattern too complex", "rule 1"),
        (COMMAND.replace("condition: a", "condition: " + "not " * 3000 + "a"), "does not understand", "rule 1"),
        (COMMAND.replace("title", "name"), "title", "rule 1"),
        (COMMAND.replace("'rsync'", '"a\\0b"'), "null", "rule 1"),
        (TEXT.replace("{kind", "{nthChild: 99999999999999999999, kind"), "does not understand", "rule 1"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_its_place_and_a_remedy(put, text, says, place):
    with pytest.raises(UsageError) as error:
        rulebook.read([put("x.yml", text)])
    assert says in error.value.what
    assert "x.yml" in error.value.where
    assert place in error.value.where
    assert error.value.hint


def test_more_rules_than_are_kept_are_refused(put, monkeypatch):
    monkeypatch.setattr(rulebook, "LARGEST_ALL", 100)
    with pytest.raises(UsageError, match="more than 100 bytes"):
        rulebook.read([put("a.yml", TEXT).parent])


def test_nothing_but_files_of_the_folder_is_read(put, tmp_path):
    outside = tmp_path / "outside.yml"
    outside.write_text(TEXT)
    (put("a.yml", TEXT).parent / "b.yml").symlink_to(outside)
    with pytest.raises(UsageError, match="can't be read"):
        rulebook.read([tmp_path / "rules"])
    (tmp_path / "rules" / "b.yml").unlink()
    os.mkfifo(tmp_path / "rules" / "b.yml")
    with pytest.raises(UsageError, match="is no file"):
        rulebook.read([tmp_path / "rules"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no rule file"):
        rulebook.read([tmp_path / "empty"])
    (tmp_path / "rules.json").write_text('{"schema": "forensics/rules/1", "files": []}')
    with pytest.raises(UsageError, match="holds no rule"):
        rulebook.read([tmp_path / "rules.json"])
    (tmp_path / "rules.json").write_text('{"schema": "forensics/rules/1", "files": [{"name": "a", "text": "x", "sha256": "0"}]}')
    with pytest.raises(UsageError, match="not the text of its hash"):
        rulebook.read([tmp_path / "rules.json"])


def test_a_rule_that_takes_too_long_or_finds_everything_is_left_out_whole_and_said(put):
    slow = COMMAND.replace("'rsync'", "'" + "a" * 900 + "b'").replace("    User: eve\n", "")
    wide = COMMAND.replace("rsync", "a").replace("    User: eve\n", "").replace("moves", "has")
    book = rulebook.read([put("a.yml", slow), put("b.yml", wide)])
    commands = [(n, "a" * 4000, "", "") for n in range(6000)]
    found, left = matching.bounded_hits(commands, book.commands, seconds=0.3)
    assert found == []
    assert {(rule.own, why) for rule, why in left} == {("a.yml", matching.TOO_LONG), ("b.yml", matching.TOO_MANY)}


def test_a_query_can_read_its_table_and_nothing_else(tmp_path):
    for query in (f"ATTACH '{tmp_path}/x.db' AS x", "DELETE FROM logs", "PRAGMA user_version = 3", "SELECT load_extension('x')"):
        evil = matching.Rule("x", "x", "", (), query, "x.yml")
        found, left = matching.bounded_hits([(1, "ls", "", "")], [evil])
        assert (found, len(left)) == ([], 1), query
    assert not list(tmp_path.iterdir())
