"""The report's own sentences: in both languages, never of blame, and the right ones at each rung."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import forensics
from forensics.telling.report import render, showing, words
from forensics.telling.report.apart import elapsed
from forensics.telling.report.names import Names
from forensics.telling.report.page import _folder
from forensics.telling.report.said import FINDING, Voice, catalog
from tests.telling.report import catalogue

FORBIDDEN = re.compile(
    r"\bmatch(?:es|ed|ing)?\b|culprit|perpetrator|offender|\bprove[sdn]?\b|\bproof\b|\bcertain(?:ly|ty)?\b|guilt|\bonly\s+\S+\s+could\b|zero\s+error"
    r"|probability\s+that|beyond\s+doubt|\bthe\s+accused\b|作案人|匹配|证明系|确定|有罪|确凿无疑|唯一可能|零误差",
    re.IGNORECASE,
)
SCALE = re.compile(r"almost certain")
"""the scale's own words, which are exempt"""
WORDS = catalog(_folder() / "words" / "zh.po")


def blame(text: str) -> list[str]:
    return FORBIDDEN.findall(SCALE.sub("", re.sub(r"\s+", " ", text)))


@pytest.mark.parametrize("texts", [catalogue.ours, catalogue.of_reasoning, catalogue.of_methods], ids=["page", "findings", "method"])
def test_no_sentence_of_ours_speaks_of_blame(texts: Any) -> None:
    assert [(place, text) for place, text in texts() if blame(text)] == []


def test_nor_does_any_in_chinese() -> None:
    assert [str(entry.string) for entry in WORDS if blame(str(entry.string))] == []


@pytest.mark.parametrize(
    "bad",
    [
        "this proves it",
        "a match",
        "the culprit",
        "it is certain",
        "Only p-014 could",
        "the probability that he did it",
        "无法确定",
        "作案人是",
    ],
)
def test_the_lint_finds_what_it_must(bad: str) -> None:
    assert blame(bad)


def test_every_sentence_of_the_page_has_its_chinese() -> None:
    lacking = sorted({text for _, text in catalogue.ours() if not (entry := WORDS.get(text)) or not entry.string})
    assert lacking == []


def test_no_sentence_of_the_catalog_is_left_over() -> None:
    used = {text for _, text in catalogue.ours()}
    assert [entry.id for entry in WORDS if entry.id and not entry.context and entry.id not in used] == []


def test_every_sentence_that_the_reasoning_writes_has_its_pattern() -> None:
    known = [re.sub(r"\{\w+\}", "{}", str(entry.id)) for entry in WORDS if entry.context == FINDING]
    lacking = [(place, text) for place, text in sorted(set(catalogue.of_reasoning())) if not any(text.strip() in one for one in known)]
    assert [pair for pair in lacking if pair[1] not in NOT_SAID] == []


def test_every_reason_why_a_record_could_not_be_read_has_its_pattern() -> None:
    known = {re.sub(r"\{\w+\}", "{}", str(entry.id)) for entry in WORDS if entry.context == FINDING}
    found = set(catalogue.of_readers())
    assert len(found) > 100
    assert sorted(pair for pair in found if not any(pair[1].strip() in one for one in known)) == []


NOT_SAID = {
    *("almost certain", "very unlikely", "not resolved", 'Revert "', " and ", "session {}", "session ", "{}@{}"),
    # put together from parts; their wholes stand in the catalog
    "{} is recorded for {}{}, held by {}",
    "{} made it{}, by {}",
    "the records know {} of the named runs, and at least {} of each are needed{}",
    "logons and commands{} at {} (endpoint sensor, kept 7 to 90 days; else the device itself)",
    "{} holds code that runs when it is loaded ({}){}",
    "{} {} since {}, and the act came from an address inside",
    "Deploy key",
    "GitHub App server-to-server",
    *("git am", "git cherry-pick", "git commit", "git merge", "git rebase", "git revert"),
}
"""words of the scale and of the schema, and what is looked for in records"""


def test_real_findings_are_told_in_chinese_throughout() -> None:
    voice = Voice(WORDS, "UTC", Names({}))
    findings = json.loads(
        (Path(__file__).parents[2] / "cli" / "fixtures" / "why-shared-login" / "findings.json").read_text(encoding="utf-8")
    )
    for answer in findings["answers"]:
        said = [item["says"] for side in ("for", "against", "neutral") for item in answer[side]] + [
            step["why"] for step in answer["ladder"]
        ]
        said += [*answer["missing"], *answer["not_evaluated"], *(flag["says"] for flag in answer["flag_items"])]
        said += [text for flag in answer["flag_items"] for text in flag["innocent"]]
        assert len(said) > 10
        for text in said:
            voice.told(text)
    assert voice.untold() == []


def test_the_method_speaks_chinese_too(voice: Voice) -> None:
    assert [text for _, text in (*catalogue.of_methods(), *catalogue.of_rules()) if "lang=" in voice.told(text).zh] == []


def test_what_stands_in_braces_is_the_same_in_both_languages() -> None:
    holes = re.compile(r"\{\w+\}")
    assert [entry.id for entry in WORDS if entry.id and set(holes.findall(str(entry.id))) != set(holes.findall(str(entry.string)))] == []


def test_a_sentence_of_the_findings_is_told_in_both_languages() -> None:
    told = Voice(WORDS, "Asia/Shanghai", Names({"p-1": "Ada"})).told("p-1 had left on 2024-06-28T10:00:00Z, before the act")
    assert str(told.en) == "Ada (p-1) had left on 28 Jun 2024, 18:00:00, before the act"
    assert str(told.zh) == "Ada (p-1) 已于 2024年6月28日 18:00:00 离职，早于该行为"


def test_evidence_within_a_sentence_is_never_translated(voice: Voice) -> None:
    told = voice.told("the credential a jump host was used, registered to a proxy, a proxy")
    assert str(told.zh) == "使用了凭据 a jump host，据登记资料登记于 a proxy、a proxy 名下"


def test_a_sentence_without_a_pattern_stays_and_says_which_language_it_is(voice: Voice) -> None:
    told = voice.told("something <new>")
    assert str(told.zh) == '<span lang="en">something &lt;new&gt;</span>'


def test_numbers_and_plurals_go_by_language(voice: Voice) -> None:
    one, many = "{number} job", "{number} jobs"
    assert [str(voice.count(one, many, n).en) for n in (0, 1, 2, 12345)] == ["0 jobs", "1 job", "2 jobs", "12,345 jobs"]
    assert str(voice.count(one, many, 2).zh) == "2 个作业"
    assert str(voice.moment("2024-07-05T14:13:20Z").zh) == "2024年7月5日 22:13:20"


def plain(text: str) -> str:
    first = text[text.index('<section id="plain"') : text.index('<section id="answer-1"')]
    first = re.sub(r'<(span|tspan) class="zh".*?</\1>', "", first, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", first))


def test_the_first_page_says_the_answer_in_under_a_minutes_reading(rendered: Any) -> None:
    text = plain(rendered("lab"))
    one = text[text.index("Question q1") : text.index("Question q2")]
    assert "The records tie this change to 陆知微 (p-014), through the account gitlab:luzw." in one
    assert "What speaks for 陆知微 (p-014)" in one
    assert "joined a meeting sixteen minutes later" in one
    assert (
        len([word for word in one.split() if any(c.isalnum() for c in word) and not re.fullmatch(r"E\d+", word)]) < 250
    )  # read at some 250 words a minute
    assert "It is not a probability" in text


def test_odd_facts_stand_in_full_on_the_first_page_and_for_nobody(rendered: Any) -> None:
    text = plain(rendered("lab"))
    one = text[text.index("Question q1") : text.index("Question q2")]
    assert "The review came seven minutes after the push" in one[one.index("Unclear, for or against nobody") :]
    assert "nothing was supplied" in one  # of what the person named has to say


def test_where_no_explanation_leads_no_heading_speaks_of_a_leading_one(lab_report: Any, rendered: Any) -> None:
    page = rendered("lab")
    parts = re.split(r'<section id="answer-\d+"', page)[1:]
    led = ["For and against the leading explanation" in part for part in parts]
    answers = lab_report[0]["answers"]
    assert led == [a["support"] != "none" and a["mechanism"] != "unknown" for a in answers]
    assert set(led) == {True, False}


def test_below_person_nobody_is_named_but_as_one_of_those_not_excluded(rendered: Any) -> None:
    text = plain(rendered("lab"))
    two = text[text.index("Question q2") : text.index("Question q3")]
    assert "tie this change to" not in two
    assert "does not" not in two or "The records do not exclude 3 people" in two
    assert "Ines Halvorsen (p-003); Matteo Brunelli (p-022); Adaeze Obiora (p-031)" in two


def test_every_word_of_the_schema_has_its_sentence(lab_report: Any) -> None:
    from forensics.model import Mechanism, Rung, Tier

    assert set(words.SHOWS) == set(words.HOW_FAR) == set(words.NOT_SHOWN) == {rung.value for rung in Rung} == set(words.RUNGS)
    assert set(words.MECHANISMS) == {mechanism.value for mechanism in Mechanism}
    assert set(words.BRIEF) == set(words.RUNGS)
    assert set(words.FLAG_NAMES) == set(words.FLAGS)
    assert set(words.TIERS) == {tier.value for tier in Tier}
    assert all(innocent for _, innocent in words.FLAGS.values())


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.0, "0"),
        (0.05, "0.05"),
        (0.333, "0.33"),
        (1.0, "1"),
        (1.04, "1"),
        (9.2, "9.2"),
        (14.2, "14"),
        (380.4, "380"),
        (2431.0, "2,400"),
        (3e7, "3e7"),
    ],
)
def test_ratios_are_written_to_two_digits(number: float, shown: str) -> None:
    assert showing.ratio(number) == shown


def test_bands_follow_the_method() -> None:
    assert [words.band(low) for low in (0.5, 1.99, 2.0, 9.9, 10.0, 99.0, 100.0, 5e5)] == [
        "none",
        "none",
        "weak",
        "weak",
        "moderate",
        "moderate",
        "moderately strong",
        "moderately strong",
    ]


def test_names_stand_beside_ids_once() -> None:
    names = Names({"p-1": "Ada", "p-14": "Mei", "p-2": ""})
    assert names.beside("p-14 and p-1, not p-142 nor p-2") == "Mei (p-14) and Ada (p-1), not p-142 nor p-2"
    assert names.beside("Mei (p-14) left") == "Mei (p-14) left"


def test_spans_of_time_are_written_in_two_units(voice: Voice) -> None:
    second = 10**9
    assert [str(elapsed(n * second, voice)) for n in (0, 59, 61, 3600, 90061)] == ["at once", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]


def test_templates_are_found_beside_the_package() -> None:
    assert (_folder() / "report.html").is_file()
    assert _folder().parent in {Path(str(forensics.__file__)).parent, Path(str(forensics.__file__)).parent.parent}


def test_a_control_is_not_said_by_a_double_negative(voice: Voice) -> None:
    told = [str(voice.told(text).en) for text in ("most people could not write there", "the records show that it was not so")]
    assert told == ["Writing there was kept to few people", "No, by the records"]


def test_a_sentence_says_of_which_moment_it_speaks_and_evidence_in_it_stays(voice: Voice) -> None:
    said = voice.told("device:at that moment was locked or logged off at that moment")
    assert str(said.en) == "device:at that moment was locked or logged off at the time of the act"
    said = voice.told("p-1 (p-1) worked from the address ip:1 around then, and nobody else did")
    assert "no record shows anybody else doing so" in str(said.en)


def test_there_is_no_space_between_chinese_sentences(rendered: Any) -> None:
    page = rendered("lab")
    assert not re.search(r'[。；！？]</span>(?:</b>|</a>)? <span class="en"', page)
    assert re.search(r' </span><span class="zh" lang="zh-Hans">[^<]*。</span>', page)  # English has it


def test_a_statement_of_how_much_is_never_coloured_as_true_or_untrue(rendered: Any) -> None:
    page = rendered("lab")
    assert "what was lost of it is open" in words.SCALE_NAMES["supported"]
    for found in re.finditer(r'<b class="verdict ([\w-]+)">(.*?)</b>', page, re.DOTALL):
        if any(said in found[2] for said in words.SCALE_NAMES.values()):
            assert found[1] == "scale"


def test_support_is_said_only_of_an_explanation_that_leads(lab_report: Any, rendered: Any) -> None:
    text = plain(rendered("lab"))
    for answer in lab_report[0]["answers"]:
        card = text[text.index(f"Question {answer['question']}") :]
        leads = answer["support"] != "none" and answer["mechanism"] != "unknown"
        assert ("How sure: not settled" in card[:400]) is not leads


def test_what_an_honest_mistake_says_for_its_maker_stands_on_the_first_page(lab_report: Any) -> None:
    findings = json.loads(json.dumps(lab_report[0]))
    findings["answers"][0] |= {"mechanism": "defect", "against": []}
    text = plain(render(findings, *lab_report[1:]))
    speaks = text[text.index("What speaks for") : text.index("What would settle")]
    assert "nothing about it was hidden" in speaks
    assert "Nothing else in the records" in speaks
