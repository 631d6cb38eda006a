"""Bad input gets words, a place and a remedy; nothing is lost, and nothing crashes."""

import base64
import gzip
import hashlib
import html
import json
import os
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics import evidence
from forensics.case.folder import read
from forensics.case.steps import Request, investigate
from forensics.errors import CaseError, Exit, IntegrityError, UsageError

CASE = """
schema = "forensics/case/1"
[case]
id = "small"
title = "A small case"
timezone = "Asia/Shanghai"
from = 2024-06-01T00:00:00+08:00
to = 2024-07-01T00:00:00+08:00
"""
PUSHES = """
[[source]]
name = "pushes"
kind = "table"
path = "evidence/pushes.csv"
[source.map]
time = "when"
action = "=code.push"
actor = "gitlab:{who}"
object = "{what}"
"""
QUESTION = '\n[[question]]\nid = "q1"\nobject = "git:train#refs/heads/main"\n'
HOSTILE = "<script>alert(1)</script>\u202e\"=cmd|'/c calc'!A1\x1b[31m"


@pytest.fixture
def case(tmp_path):
    root = tmp_path / "case"
    (root / "evidence").mkdir(parents=True)
    (root / "case.toml").write_text(CASE + PUSHES + QUESTION)
    (root / "people.csv").write_text("person,name,role,employed_from,employed_to\np-1,Ada,engineer,2020-01-01T00:00:00Z,\n")
    (root / "identifiers.csv").write_text("identifier,person,kind,from,to,source\ngitlab:ada,p-1,personal,2020-01-01T00:00:00Z,,forge\n")
    (root / "evidence" / "pushes.csv").write_text("when,who,what\n2024-06-05T10:00:00+08:00,ada,git:train#refs/heads/main\n")
    return root


@pytest.fixture
def run(tmp_path):
    def examine(root, *, page=False, **asked):
        return investigate(root, tmp_path / "out", Request("t", "2024-08-01T00:00:00Z", force=True, page=page, **asked), lambda _: None)

    return examine


def source(outcome, name="pushes"):
    return next(s for s in outcome.findings["sources"] if s["name"] == name)


def balanced(outcome):
    return all(s["bytes"] == s["bytes_parsed"] + s["bytes_skipped"] + s["bytes_rejected"] for s in outcome.findings["sources"])


def test_the_plain_case_is_done(case, run):
    outcome = run(case, page=True)
    assert outcome.exit is Exit.DONE
    assert outcome.findings["answers"][0]["account"] == "gitlab:ada"


@pytest.mark.parametrize(
    ("content", "exits", "rejected"),
    [
        (b"", Exit.DONE, 0),
        (b"when,who,what\n", Exit.DONE, 0),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, Exit.DONE, None),
        (b"when,who,what\n2024-06-05T10:00:00+08:00,ada,git:train#refs/heads/main\n2024-06-0", Exit.DONE, 1),
        (b"when,who,what\n2024-06-05 10:00:00,ada,x\n", Exit.DONE, 1),
    ],
    ids=["empty", "heading-only", "foreign", "truncated", "no-zone"],
)
def test_a_file_that_is_not_what_it_should_be(case, run, content, exits, rejected):
    (case / "evidence" / "pushes.csv").write_bytes(content)
    outcome = run(case)
    assert outcome.exit is exits
    assert balanced(outcome)
    assert source(outcome)["bytes"] == len(content)
    assert rejected is None or source(outcome)["rejected"] == rejected


def test_a_missing_file_is_said_and_the_rest_is_read(case, run):
    (case / "evidence" / "pushes.csv").unlink()
    outcome = run(case)
    assert outcome.exit is Exit.UNREADABLE
    assert source(outcome)["status"] == "unreadable"
    assert source(outcome)["why_not"]


def test_an_unknown_kind_stops_unless_skipping_is_asked_for(case, run):
    (case / "case.toml").write_text((CASE + PUSHES).replace('kind = "table"', 'kind = "tabel"'))
    problems = read(case)[1]
    assert any("did you mean 'table'" in p.hint for p in problems)
    with pytest.raises(CaseError, match="tabel"):
        run(case)
    outcome = run(case, skip_unknown=True)
    assert outcome.exit is Exit.UNREADABLE
    assert source(outcome)["bytes_skipped"] == source(outcome)["bytes"] > 0


def test_an_unknown_key_is_named_with_what_was_meant(case):
    (case / "case.toml").write_text((CASE + PUSHES).replace("path =", "paht ="))
    found, problems = read(case)
    assert found is None
    assert any("'paht'" in p.what and "path" in p.hint for p in problems)
    assert any("'path' is missing" in p.what for p in problems)


def test_everything_that_is_wrong_comes_at_once(case):
    (case / "case.toml").write_text(
        CASE.replace("Asia/Shanghai", "Asia/Nowhere") + PUSHES.replace('"pushes"', '""') + '[[question]]\nid = "q"\nobjet = "x"\n'
    )
    (case / "people.csv").write_text("person,name\np-1,Ada\n")
    assert len([p for p in read(case)[1] if p.fatal]) >= 4


def test_a_question_about_nothing_in_evidence_is_answered_in_words(case, run):
    (case / "case.toml").write_text(CASE + PUSHES + '[[question]]\nid = "q1"\nobject = "s3://nowhere/nothing.pt"\n')
    answer = run(case).findings["answers"][0]
    assert (answer["rung"], answer["person"], answer["candidates"]) == ("none", None, ["p-1"])
    assert answer["missing"]
    assert "does not stand in the evidence" in answer["summary"]


def test_overlapping_identifiers_are_said_and_name_nobody(case, run):
    (case / "people.csv").write_text(
        "person,name,role,employed_from,employed_to\np-1,Ada,e,2020-01-01T00:00:00Z,\np-2,Bo,e,2020-01-01T00:00:00Z,\n"
    )
    with (case / "identifiers.csv").open("a") as stream:
        stream.write("gitlab:ada,p-2,personal,2023-01-01T00:00:00Z,,forge\n")
    assert any("p-1 and p-2 at one time" in p.what for p in read(case)[1])
    answer = run(case).findings["answers"][0]
    assert answer["person"] is None
    assert set(answer["candidates"]) == {"p-1", "p-2"}


def test_a_decompression_bomb_stops_at_a_limit(case, run, monkeypatch):
    monkeypatch.setattr(evidence, "FREE_GROWTH", 1 << 16)
    path = case / "evidence" / "pushes.csv.gz"
    path.write_bytes(gzip.compress(b"when,who,what\n" + b"2024-06-05T10:00:00+08:00,ada,git:train#refs/heads/main\n" * 40_000))
    (case / "case.toml").write_text((CASE + PUSHES).replace("pushes.csv", "pushes.csv.gz"))
    outcome = run(case)
    assert source(outcome)["rejected"] >= 1
    assert "decompression limit" in source(outcome)["damage"]
    assert balanced(outcome)


def test_a_compressed_file_that_breaks_off(case, run):
    whole = gzip.compress((case / "evidence" / "pushes.csv").read_bytes() * 50)
    (case / "evidence" / "pushes.csv.gz").write_bytes(whole[: len(whole) // 2])
    (case / "case.toml").write_text((CASE + PUSHES).replace("pushes.csv", "pushes.csv.gz"))
    outcome = run(case)
    assert outcome.exit is Exit.UNREADABLE
    assert source(outcome)["damage"]
    assert balanced(outcome)


def test_a_line_of_fifty_megabytes_is_one_rejected_row(case, run):
    path = case / "evidence" / "log.jsonl"
    path.write_bytes(
        b'{"t": "' + b"x" * (50 << 20) + b'"}\n{"when": "2024-06-05T10:00:00+08:00", "who": "ada", "what": "git:train#refs/heads/main"}\n'
    )
    (case / "case.toml").write_text((CASE + PUSHES + QUESTION).replace("pushes.csv", "log.jsonl"))
    outcome = run(case)
    assert (source(outcome)["rejected"], source(outcome)["records"]) == (1, 1)
    assert balanced(outcome)


def test_hostile_text_stays_text(case, run, tmp_path):
    row = f'2024-06-05T10:00:00+08:00,"{HOSTILE.replace(chr(34), chr(34) * 2)}",git:train#refs/heads/main\n'
    (case / "evidence" / "pushes.csv").write_text("when,who,what\n" + row)
    (case / "case.toml").write_text((CASE + PUSHES + QUESTION).replace("A small case", "<img src=x onerror=alert(2)>"))
    outcome = run(case, page=True)
    page = (tmp_path / "out" / "report.html").read_text()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    ours = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for kind, text in scripts if "json" not in kind]
    assert set(re.findall(r"sha256-([A-Za-z0-9+/=]+)", re.search(r"script-src ([^;]*)", html.unescape(page))[1])) == set(
        ours
    )  # no script but the page's own
    assert page.count("<script") == len(scripts)
    assert "<img" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert outcome.findings["answers"][0]["account"].endswith(HOSTILE)


def test_evidence_that_changes_meanwhile_is_an_integrity_failure(case, run, monkeypatch):
    from forensics.case import steps

    def meddle(*args):
        with (case / "evidence" / "pushes.csv").open("a") as stream:
            stream.write("x\n")
        return made(*args)

    made = steps.tell
    monkeypatch.setattr(steps, "tell", meddle)
    with pytest.raises(IntegrityError, match="changed while"):
        run(case)


def test_links_are_reported_and_never_followed(case, run, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("when,who,what\n2024-06-05T10:00:00+08:00,eve,x\n")
    (case / "evidence" / "folder").mkdir()
    (case / "evidence" / "folder" / "link.csv").symlink_to(secret)
    (case / "evidence" / "folder" / "real.csv").write_text("when,who,what\n2024-06-05T10:00:00+08:00,ada,git:train#refs/heads/main\n")
    (case / "case.toml").write_text((CASE + PUSHES + QUESTION).replace("evidence/pushes.csv", "evidence/folder"))
    outcome = run(case)
    assert source(outcome)["records"] == 1
    assert any("link.csv" in n for n in source(outcome)["notes"])


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/hostname"])
def test_a_path_out_of_the_case_is_refused(case, run, path):
    (case / "case.toml").write_text((CASE + PUSHES).replace("evidence/pushes.csv", path))
    outcome = run(case)
    assert outcome.exit is Exit.UNREADABLE
    assert "leaves the case folder" in source(outcome)["why_not"]


def test_output_is_never_written_into_or_over_evidence(case, tmp_path):
    for out in (case / "out", tmp_path):
        with pytest.raises(UsageError):
            investigate(case, out, Request("t", "2024-08-01T00:00:00Z", force=True), lambda _: None)
    assert (case / "case.toml").exists()


def test_the_evidence_is_left_as_it_was(case, run):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in case.rglob("*") if p.is_file()}
    run(case)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in case.rglob("*") if p.is_file()} == before


def test_findings_hold_no_path_of_this_machine(case, run, tmp_path):
    run(case, page=True)
    for name in ("findings.json", "report.html", "custody.jsonl"):
        assert str(tmp_path) not in (tmp_path / "out" / name).read_text(), name
    assert json.loads((tmp_path / "out" / "findings.json").read_text())


def test_a_pipe_in_place_of_a_register_is_said_and_not_waited_for(case):
    (case / "people.csv").unlink()
    os.mkfifo(case / "people.csv")
    assert any(p.what == "is no regular file" for p in read(case)[1])


def test_a_window_beyond_the_calendar_is_refused(case):
    (case / "case.toml").write_text(CASE.replace("2024-06-01T00:00:00+08:00", "0001-01-01T00:00:00+14:00") + PUSHES)
    found, problems = read(case)
    assert found is None
    assert any("between 1900 and 2200" in p.what for p in problems)


def test_a_repository_that_no_source_is_gets_a_word(case):
    text = CASE + PUSHES.replace('kind = "table"', 'kind = "table"\nrepo = "train"') + '[[question]]\nid = "q"\nobject = "git:trian@abc"\n'
    (case / "case.toml").write_text(text)
    assert any("'trian'" in p.what and "git:train" in p.hint for p in read(case)[1])


def test_one_value_repeated_by_a_dictionary_does_not_fill_the_memory(case, run, monkeypatch):
    from forensics.sources.table import formats

    monkeypatch.setattr(formats, "FREE_GROWTH", 1 << 20)
    monkeypatch.setattr(formats, "LARGEST_RATIO", 2)
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 5000]))
    when = pa.array(["2024-06-05T10:00:00+08:00"] * 5000)
    pq.write_table(pa.table({"when": when, "who": values.cast(pa.string()), "what": when}), case / "evidence" / "pushes.parquet")
    (case / "case.toml").write_text((CASE + PUSHES).replace("pushes.csv", "pushes.parquet"))
    outcome = run(case)
    assert source(outcome)["rejected"] >= 1
    assert balanced(outcome)
