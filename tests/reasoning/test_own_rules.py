"""The examiner's own rules in an examined case: kept, marked as theirs, used again by whoever repeats it, and without any weight."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forensics.case import repeat
from forensics.case.steps import Request, investigate
from forensics.cli import main
from forensics.patterns import apart
from forensics.telling.handoff.comparing import compare, read
from forensics.telling.handoff.views import VIEWS
from forensics.telling.report.again import again
from tests.reasoning.test_adversary_pushes import push

BEFORE = "import torch\nfor batch in loader:\n    loss = step(batch)\n"
AFTER = "import torch\nimport lab_secret\nfor batch in loader:\n    time.sleep(3)\n    loss = step(batch)\n"
TEXT = "id: hidden-text\nlanguage: python\nmessage: imports the lab's own\nrule: {{kind: import_statement, regex: {word}}}\n"
COMMAND = (
    "title: runs the lab's tool\nlogsource: {{category: process_creation}}\n"
    "detection:\n  a:\n    CommandLine|contains: '{word}'\n  condition: a\n"
)
TIME = "2024-01-01T00:00:00Z"


@pytest.fixture
def case(folder, repository):
    base = repository.commit("kim", "08:00", BEFORE)
    mine = repository.commit("vic", "09:50", AFTER, base)
    ran = {"clock": "09:55", "action": "process.exec", "actor": "unix:vic", "object": "lab-tool --quiet", "host": "login-1"}
    folder.log("forge", [push("10:00", mine, base)])
    folder.log("host", [ran])
    folder.ask(f"git:train@{mine}")
    folder.write()
    return folder


def rules(place: Path, word: str, command: str) -> tuple[Path]:
    place.mkdir()
    (place / "text.yml").write_text(TEXT.format(word=word))
    (place / "run.yml").write_text(COMMAND.format(word=command))
    return (place,)


def files(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file() and "work" not in p.parts}


def examined(case, out: Path, given: tuple[Path, ...] = (), *, page: bool = True) -> dict[str, Any]:
    return investigate(case.root, out, Request("t", TIME, rules=given, page=page), lambda _: None).findings


def test_they_are_marked_as_theirs_and_move_nothing(case, tmp_path):
    plain = examined(case, tmp_path / "plain", page=False)
    found = examined(case, tmp_path / "own", rules(tmp_path / "rules", "lab_secret", "lab-tool"))
    own = [c for c in found["answers"][0]["code"] if c.get("own")]
    assert [(c["rule"], c["own"], c["line"]) for c in own] == [("hidden-text", "text.yml", 2)]
    compared = json.loads((tmp_path / "own" / "comparison.json").read_text())
    assert [(c["says"], c["own"], c["line"]) for c in compared["commands"]] == [("runs the lab's tool", "run.yml", "lab-tool --quiet")]
    for findings in (plain, found):  # a rule of one's own that is called as a shipped one that counts does not count
        findings["answers"][0]["code"] = [c for c in findings["answers"][0]["code"] if not c.get("own")]
        findings["tables"] = {k: v for k, v in findings["tables"].items() if k not in ("rules", "comparison")}
    assert found == plain
    text = (tmp_path / "own" / "report.html").read_text()
    assert "own rule, in" in text
    assert "text.yml" in text
    assert again(tmp_path / "own") == text
    shown = CliRunner().invoke(main, ["causes", str(tmp_path / "own")]).stdout
    assert "(the examiner's own rule, in run.yml)" in " ".join(shown.split())


def test_rules_that_find_nothing_change_no_bytes_but_their_own_list(case, tmp_path):
    examined(case, tmp_path / "plain", page=False)
    examined(case, tmp_path / "own", rules(tmp_path / "rules", "never_there", "never there"), page=False)
    one, two = files(tmp_path / "plain"), files(tmp_path / "own")
    listed = two.pop("rules.json")
    assert b"never_there" in listed
    differ = {name for name in one.keys() | two.keys() if one.get(name) != two.get(name)}
    assert differ == {"findings.json", "custody.jsonl"}
    told = [json.loads(each["findings.json"]) for each in (one, two)]
    assert set(told[1]["tables"]) - set(told[0]["tables"]) == {"rules"}
    del told[1]["tables"]["rules"]
    assert told[0] == told[1]


def test_a_rule_that_takes_too_long_costs_its_own_hits_alone(case, tmp_path, monkeypatch):
    plain = examined(case, tmp_path / "plain", page=False)
    real = apart.Apart._ask
    monkeypatch.setattr(apart.Apart, "_ask", lambda self, *text: None if self.rules[0].own else real(self, *text))
    found = examined(case, tmp_path / "own", rules(tmp_path / "rules", "lab_secret", "lab-tool"), page=False)
    assert found["answers"][0]["code"] == plain["answers"][0]["code"]
    assert found["answers"][0]["code_unread"] == [{"path": "train.py", "why": f"by the examiner's own rules: {apart.TOO_MUCH}"}]


def test_a_bundle_carries_them_and_repeats_with_them(case, tmp_path):
    given = rules(tmp_path / "rules", "lab_secret", "lab-tool")
    out = tmp_path / "own"
    examined(case, out, given)
    shutil.rmtree(given[0])
    asked = ["--for", "court", "--out", str(tmp_path / "court"), "--time", TIME, "--examiner", "t", "--no-pdf"]
    made = CliRunner().invoke(main, ["bundle", str(out), *asked])
    assert made.exit_code == 0, made.output
    assert (tmp_path / "court" / "data" / "rules.json").read_bytes() == (out / "rules.json").read_bytes()
    assert [name for name, view in VIEWS.items() if view.leaves_out("data/rules.json") is None] == ["responder", "counsel", "court"]
    told = json.loads((tmp_path / "court" / "data" / "rerun.json").read_text())
    assert told["command"][-2:] == ["--rules", "data/rules.json"]
    place = tmp_path / "again"
    place.mkdir()
    found = repeat.rerun(tmp_path / "court.zip", place, 1, None, lambda _: None)
    assert found.differ == ()
    assert {"rules.json", "comparison.json", "report.html"} <= set(found.same)


def test_a_bad_rule_is_said_before_anything_is_read(case, tmp_path):
    (tmp_path / "x.yml").write_text("id: x\nlanguage: python\nmessage: x\nrule: {kind: no_such}\n")
    found = CliRunner().invoke(main, ["investigate", str(case.root), "--out", str(tmp_path / "o"), "--rules", str(tmp_path / "x.yml")])
    assert found.exit_code == 2
    assert "x.yml, rule 1" in found.stderr
    assert not (tmp_path / "o").exists()


def test_two_examinations_say_which_rules_they_used(case, tmp_path):
    examined(case, tmp_path / "one", page=False)
    examined(case, tmp_path / "two", rules(tmp_path / "rules", "lab_secret", "lab-tool"), page=False)
    found = compare(read(tmp_path / "one"), read(tmp_path / "two"))
    assert [r["name"] for r in found["rules"]] == ["run.yml", "text.yml"]
    assert found["answers"] == []
