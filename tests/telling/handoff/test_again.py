"""From a bundle's originals to the same bytes; and what changed between two examinations."""

import io
import json
import os
import re
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from forensics.case import repeat, steps
from forensics.cli import main
from forensics.errors import IntegrityError, UsageError
from forensics.evidence import collect
from forensics.model import CaseConfig, SourceConfig
from forensics.telling.handoff.comparing import compare, read, text
from forensics.telling.handoff.material import LeftAlone, _left, _left_alone
from forensics.telling.handoff.opening import Files


def quiet(_: str) -> None:
    pass


def test_a_full_bundle_gives_the_same_bytes_again(bundles, tmp_path):
    found = repeat.rerun(bundles["court"].zip, tmp_path, 1, None, quiet)
    assert not found.differ
    assert {"findings.json", "report.html", "custody.jsonl", "tables/events/part-00000.parquet"} <= set(found.same)


def test_a_view_without_originals_says_so(bundles, make, tmp_path):
    with pytest.raises(UsageError, match="can't be done again"):
        repeat.rerun(bundles["hr"].folder, tmp_path, 1, None, quiet)
    with pytest.raises(UsageError, match="hashes alone"):
        repeat.rerun(make("court", originals=False).folder, tmp_path, 1, None, quiet)


def test_a_bundle_that_does_not_hold_is_not_examined(bundles, tmp_path):
    folder = tmp_path / "bag"
    shutil.copytree(bundles["court"].folder, folder)
    (folder / "data" / "case" / "evidence" / "badge.csv").write_text("x")
    found = CliRunner().invoke(main, ["rerun", str(folder)])
    assert (found.exit_code, "badge.csv" in found.stderr) == (4, True)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "", "a//b", "."])
def test_no_original_is_laid_out_elsewhere(name):
    with pytest.raises(IntegrityError, match="leads elsewhere"):
        repeat._name({"file": name})
    with pytest.raises(IntegrityError, match="leads elsewhere"):
        repeat._name({"file": "harmless", "name_hex": name.encode().hex()})


def test_a_policy_of_a_version_that_knew_less_is_refused(material, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "".join(row for row in (material.out / "policy.toml").read_text().splitlines(keepends=True) if not row.startswith("T3 "))
    )
    with pytest.raises(UsageError, match=r"needs a number that it does not have: tiers\.T3"):
        repeat._sufficient(policy, "training-forensics 0.0.9")


def laid(left, root):
    """Lay down again what a case folder held and intake left alone, as a bundle tells of it."""
    told = json.dumps([_left(one) for one in left]).encode()
    name = "data/left-alone.json"
    repeat._leave_alone(Files("bag", {name: len(told)}, lambda _: io.BytesIO(told)), root)


def test_links_and_pipes_are_laid_down_as_such_and_lead_nowhere(tmp_path):
    logs = tmp_path / "one" / "logs"
    logs.mkdir(parents=True)
    (logs / "out").symlink_to("/etc")
    (logs / "in\n\udcff").symlink_to("a.log")
    os.mkfifo(logs / "pipe")
    left = tuple(_left_alone(tmp_path / "one"))
    assert {one.target for one in left} == {"/etc", "a.log", None}
    again = tmp_path / "two"
    laid(left, again)
    notes = []
    for root in (tmp_path / "one", again):
        (root / "logs" / "a.log").write_text("x")
        case = CaseConfig(str(root), "c", "", "UTC", (0, 1), (SourceConfig("s", "table", "logs"),))
        notes.append(collect(case, case.sources[0]).notes)
    assert notes[0] == notes[1] != ()
    assert not any((again / "logs" / name).exists() for name in ("out", "in\n\udcff"))
    with pytest.raises(IntegrityError, match="names a place twice"):
        laid(left, again)
    with pytest.raises(IntegrityError, match="names a place twice"):
        laid([LeftAlone("a", "b"), LeftAlone("a/b", "c")], tmp_path / "three")


def test_what_came_out_otherwise_ends_with_4():
    with pytest.raises(IntegrityError, match="1 of 3 files came out otherwise") as found:
        repeat.refuse(repeat.Again(("a", "b"), ("c",), "training-forensics 0.0.9"), "training-forensics 0.1.0")
    assert "0.0.9, of other code" in str(found.value)


def test_another_version_of_the_program_is_named_as_a_reason(material):
    one = read(material.out)
    found = compare(
        one, replace(one, code="0" * 64, findings=one.findings | {"answers": [one.findings["answers"][0] | {"rung": "session"}]})
    )
    assert [c["name"] for c in found["program"]] == ["code"]
    assert found["answers"][0]["rung"] == {"before": "account", "after": "session"}
    assert found["answers"][0]["why"] == ["another version of the program"]
    same = compare(one, replace(one, findings=one.findings | {"answers": [one.findings["answers"][0] | {"rung": "session"}]}))
    assert "report this" in same["answers"][0]["why"][0]


@pytest.fixture(scope="module")
def other(material, tmp_path_factory):
    """The same case with a log less, another weight, and another tier."""
    place = tmp_path_factory.mktemp("other")
    shutil.copytree(material.case.root, place / "case")
    toml = place / "case" / "case.toml"
    toml.write_text(toml.read_text().replace('path = "evidence/vpn.jsonl"\ntier = "T3"', 'path = "evidence/vpn.jsonl"\ntier = "T2"'))
    (place / "case" / "evidence" / "gitlab-shell.log").write_text("")
    policy = place / "policy.toml"
    policy.write_text((material.out / "policy.toml").read_text().replace("T3 = 0.1\n", "T3 = 0.2\n"))
    steps.investigate(place / "case", place / "out", steps.Request("examiner", "2024-10-03T00:00:00Z", policy=policy), quiet)
    return place / "out"


def test_what_changed_and_why(material, other):
    found = compare(read(material.out), read(other))
    assert [c["name"] for c in found["evidence"]] == ["case/case.toml", "gitlab-shell"]
    assert {"name": "tiers.T3", "before": "0.1", "after": "0.2"} in found["policy"]
    assert {c["name"] for c in found["sources"]} >= {"vpn tier", "gitlab-shell records"}
    assert found["program"] == []
    (answer,) = found["answers"]
    assert any(c["before"] != c["after"] for c in answer["ratios"])
    assert any("policy: tiers.T3" in why for why in answer["why"])
    assert any(why.startswith("evidence that the answer cites: ") and "gitlab-shell" in why for why in answer["why"])


def test_what_changed_is_told_in_words(material, other):
    one, two = read(material.out), read(other)
    told = "\n".join(text(compare(one, two)))
    for line in (
        "  tiers.T3: 0.1, now 0.2",
        "  vpn tier: T3, now T2",
        "program: nothing changed",
        "    can be put down to: policy: tiers.T3",
    ):
        assert line in told.splitlines()
    assert not {"None", "null", '"T2"', "->"} & set(re.split(r"[\s,]+", told))
    assert re.search(r"against p-\d\d\d, p-\d\d\d.* \(credential-misuse\): 1\.63 to 1\.87, now ", told)
    gone = replace(two, findings=two.findings | {"sources": two.findings["sources"][1:], "case": {"id": "another"}})
    lost = two.findings["answers"][0] | {"person": "p-001", "missing": [], "candidates": []}
    told = "\n".join(text(compare(replace(two, findings=two.findings | {"answers": [lost]}), gone)))
    assert f"  {two.findings['sources'][0]['name']}: gone: controllers not stated, host git.ops.example, kind git, " in told
    assert "examinations of two cases, 2024-09-shared-login and another" in told
    assert "    who: p-001, now nobody is named" in told
    assert "    records that would tell more, newly: " in told
    assert "    who could have, newly: p-001, p-002" in told


def test_long_lists_are_cut_for_people_and_whole_for_programs(material):
    one = read(material.out)
    found = compare(one, replace(one, received=one.received | {f"many/{n}": "0" * 64 for n in range(100)}))
    assert len(found["evidence"]) == 100
    assert "  and 75 more (--format json has them all)" in list(text(found))


def test_an_examination_does_not_differ_from_itself(material):
    found = compare(read(material.out), read(material.out))
    assert all(found[part] == [] for part in ("evidence", "sources", "policy", "program", "answers", "statements", "causes"))


def test_the_command(material, other):
    told = CliRunner().invoke(main, ["compare", str(material.out), str(other), "--format", "json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["answers"][0]["question"] == "q1"
    told = CliRunner().invoke(main, ["compare", str(material.out), str(other)])
    assert "answers: 1 changed" in told.stdout
    assert CliRunner().invoke(main, ["compare", str(other), str(other.parent)]).exit_code == 1
