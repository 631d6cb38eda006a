"""The page made anew from OUT alone; people's names hidden, labelled, or shown."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forensics.case.steps import Request, investigate
from forensics.model import CaseConfig, Identifier, Person
from forensics.telling.report import again, render
from forensics.telling.report.names import Names, blind

SAMPLE = Path(__file__).parents[3] / "sample_cases" / "shared-login"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An examination whose case folder is gone."""
    folder = tmp_path_factory.mktemp("again")
    shutil.copytree(SAMPLE, folder / "case")
    investigate(folder / "case", folder / "out", Request("K. Ferreira", "2024-08-01T09:00:00Z"), lambda _: None)
    shutil.rmtree(folder / "case")
    return folder / "out"


def people() -> list[dict[str, str]]:
    with (SAMPLE / "people.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_out_alone_gives_the_same_bytes(out: Path) -> None:
    assert again(out) == (out / "report.html").read_text(encoding="utf-8")


def test_the_language_that_is_shown_first_is_all_that_differs(out: Path) -> None:
    english, chinese = again(out).split("\n"), again(out, "zh").split("\n")
    assert 'lang="zh-Hans" data-first="zh"' in chinese[1]
    differs = [one for one, other in zip(english, chinese, strict=True) if one != other]
    assert len(differs) == 4  # the root, the title, and the two switches


def test_records_are_read_from_what_out_keeps(out: Path) -> None:
    page = again(out)
    assert page.count('class="raw"') == page.count('<article id="e') > 5
    assert "could not be read here" not in page


def test_nobody_is_named_where_names_are_hidden(out: Path) -> None:
    page = again(out, names_hidden=True)
    with (SAMPLE / "identifiers.csv").open(encoding="utf-8", newline="") as stream:
        own = [row["identifier"] for row in csv.DictReader(stream) if row["kind"] == "personal"]
    for text in [*own, *(row[key] for row in people() for key in ("person", "name"))]:
        assert text not in page
    assert 'class="raw"' not in page
    assert "Names are hidden in this copy" in page


def test_labels_stand_wherever_the_text_stood(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    page = render(findings, tables, case, extra, "en", {"p-014": "Person 7", "陆知微": "Person 7", "gitlab:luzw": "Account 7"})
    assert "The records tie this change to Person 7, through the account Account 7." in page
    assert "陆知微" not in page
    assert "p-014" not in page
    assert "gitlab:luzw" not in page
    assert "Matteo Brunelli" not in page  # where there are labels, no other name stands beside an id


def test_the_order_of_labels_tells_nothing(out: Path) -> None:
    from forensics.tables import open_tables
    from forensics.telling.report import kept

    with open_tables(out / "tables") as tables:
        told = kept(tables)
    assert told is not None
    labels = blind(told.case)
    assert [labels[row["person"]] for row in people()] != [f"[{n}]" for n in range(1, len(people()) + 1)]
    assert Names({}, labels).hide(f"x{people()[0]['person']}y") == f"x{people()[0]['person']}y"  # a whole word, or none


def test_logins_are_hidden_wherever_they_stand() -> None:
    people = (Person("p-1", "Mei Lin", "", None, None), Person("p-2", "Ada Berg", "", None, None))
    held = [("gitlab:meilin", "p-1", "personal"), ("email:mei.lin@lab.example", "p-1", "personal"), ("device:LT-0417", "p-2", "personal"), ("unix:team", "p-2", "shared"), ("email:bot@lab.example", "p-2", "service"), ("badge:204", "p-2", "personal")]  # fmt: skip
    identifiers = tuple(Identifier(name, person, kind, None, None) for name, person, kind in held)
    labels = blind(CaseConfig("case", "c", "c", "UTC", (0, 1), (), (), people, identifiers))
    hide = Names({}, labels).hide
    one, other = labels["p-1"], labels["p-2"]
    assert hide("/home/meilin/run_meilin-3 by Lin Mei") == "/home/X/run_X-3 by {}".replace("X", labels["meilin"]).format(one)
    assert hide("mei.lin@lab.example; MEI.LIN") == "X; X".replace("X", labels["mei.lin"])
    assert hide("lt-0417 of Ada Berg的") == f"{labels['LT-0417']} of {other}的"
    assert hide("refs/heads/mei-norm19 by Berg") == f"refs/heads/{one}-norm19 by {other}"
    assert hide("someone@home.example bot@lab.example") == "[@] [@]"
    assert hide("email:bot@lab.example, unix:team, 204, e-mail") == "email:bot@lab.example, unix:team, 204, e-mail"
    assert hide("/tmp/xmeilin2") == f"/tmp/x{labels['meilin']}2"
    assert hide("git:train@3f2c9d81 pkg@1.4.2") == "git:train@3f2c9d81 pkg@1.4.2"


DESCRIBED = (
    "Lu Zhiwei's run, by zhiwei.lu and LuZhiwei; Brunelli or Gruenwald; Grünwald said; 陆知微的改动；知微；小陆；陆工; "
    "Li pushed; ask LI; 由Li提交; /home/li/x; p-903 and zhiweilu2"
)


def test_free_descriptions_name_nobody(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    people = tuple(
        Person(f"p-90{n}", who, "", None, None)
        for n, who in enumerate(["Wei Li", "Jörg Grünwald", "陆知微", "Lu Zhiwei", "Matteo Brunelli"])
    )
    question = replace(case.questions[0], about=f"Was it them? {DESCRIBED}")
    case = replace(
        case, people=people, title=f"Title: {DESCRIBED}", id="case-陆知微", questions=(question,), mandate=(("purpose", f"Purpose: {DESCRIBED}"),),
        statements=tuple(replace(s, text=f"Statement: {DESCRIBED}") for s in case.statements),
        identifiers=(Identifier("unix:zhiweilu", "p-903", "personal", None, None),),
    )  # fmt: skip
    findings = findings | {"case": findings["case"] | {"title": case.title, "id": case.id}}
    notes = ({"examiner": "K", "time": "2024-08-02T10:00:00Z", "text": f"Note: {DESCRIBED}"},)
    page = render(findings, tables, case, replace(extra, notes=notes, withheld=True), "en", blind(case))
    assert page.count("Was it them? ") >= 1
    assert "Purpose: " in page
    assert "Note: " in page
    for word in ("zhiwei", "grünwald", "gruenwald", "grunwald", "brunelli", "知微", "小陆", "陆工", "p-90"):
        assert word not in page.lower()
    told = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"\b(Li|LI|Lu)\b|/li/|由Li", re.sub(r"</?li", "<", told))


def test_a_name_that_is_a_word_of_ours_stays_a_word_there(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    people = (Person("p-901", "Will Page", "", None, None), Person("p-902", "Kim An", "", None, None))
    findings = findings | {"case": findings["case"] | {"title": "Will and An; the page"}}
    case = replace(case, people=people)
    page = render(findings, tables, case, extra, "en", blind(case))
    assert re.search(r"<h1>.*\[[12]\] and \[[12]\]; the page", page)
    assert "This page loads nothing" in page
    assert "An account is not a person." in page


def test_the_order_of_lists_does_not_tell_who_is_who(out: Path) -> None:
    page = again(out, names_hidden=True)
    runs = [[int(n) for n in re.findall(r"\[(\d+)\]", run)] for run in re.findall(r"\[\d+\](?:(?:, |; |、|；| and )\[\d+\])+", page)]
    runs += [
        [int(n) for n in re.findall(r"<li>\[(\d+)\]</li>", part)] for part in re.findall(r'<ul class="people">.*?</ul>', page, re.DOTALL)
    ]
    assert any(len(run) > 2 for run in runs)
    assert [run for run in runs if run != sorted(run)] == []


def test_notes_are_shown_as_the_examiners_words(out: Path) -> None:
    note = {"examiner": "K. Ferreira", "time": "2024-08-02T10:00:00Z", "text": "<b>asked</b> p-001 again", "tags": ["todo"], "about": "q1"}
    (out / "notes.jsonl").write_text(json.dumps(note) + "\n", encoding="utf-8")
    page = again(out)
    (out / "notes.jsonl").unlink()
    part = page[page.index('<section id="notes">') : page.index('<section id="custody">')]
    assert "&lt;b&gt;asked&lt;/b&gt;" in part
    assert "own words, added after the examination" in part
