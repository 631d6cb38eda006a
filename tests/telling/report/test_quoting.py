"""What the case itself says is quoted as it is, in its own language, and the reader of another language is told so once."""

import re
from dataclasses import replace
from typing import Any

import pytest

from forensics.model import Statement
from forensics.telling.report import render
from forensics.telling.report.quoting import abroad, original, titled, tongue
from forensics.telling.report.said import Voice

NOTE = {"en": "own wording, quoted as it is and not translated", "zh": "引号内是案件材料的原文，照录，未经翻译。"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("I had left.", "en"),
        ("我已离职。", "zh-Hans"),
        ("辞めました", "ja"),
        ("그만두었다", "ko"),
        ("Ich war längst weg.", ""),
        ("8,000", ""),
        ("", ""),
    ],
)
def test_a_text_is_marked_with_the_language_that_its_script_tells(text: str, tag: str) -> None:
    assert tongue(text) == tag


def test_what_is_quoted_stays_as_it_is_and_stays_text(voice: Voice) -> None:
    assert original("<b>I left", voice) == '<q class="ev" lang="en">&lt;b&gt;I left</q>'
    assert original("\u202eI left", voice, tag="span") == '<span class="ev" lang="">\\u202eI left</span>'


def test_a_title_stands_in_quotation_marks_for_readers_of_another_language(voice: Voice) -> None:
    said = titled("The loss swings", voice)
    assert (said.en.striptags(), said.zh.striptags()) == ("The loss swings", "“The loss swings”")
    said = titled("损失震荡", voice)
    assert (said.en.striptags(), said.zh.striptags()) == ("“损失震荡”", "损失震荡")


def test_readers_of_the_language_of_all_texts_are_told_nothing(voice: Voice) -> None:
    note = voice.say("not applicable")
    assert abroad(note, ["I left", "So did I"]) == '<span class="zh" lang="zh-Hans">不适用</span>'
    assert abroad(note, ["我已离职"]) == '<span class="en" lang="en">not applicable</span>'
    assert "不适用" in abroad(note, ["I left", "我已离职"])
    assert not abroad(note, [])


@pytest.mark.parametrize(
    ("said", "other", "stated"),
    [("I had left already.", "zh", "，称在改动之前已离职"), ("我早已离职。", "en", ", says to have left before the change")],
)
def test_the_page_says_once_to_others_that_it_does_not_translate(lab_report: Any, said: str, other: str, stated: str) -> None:
    findings, tables, case, extra = lab_report
    case = replace(case, title="", questions=(), statements=(Statement("s1", "p-022", said, "left-before", "q1"),))
    findings = findings | {"case": {key: value for key, value in findings["case"].items() if key != "title"}}
    page = render(findings, tables, case, extra)
    assert {language: page.count(note) for language, note in NOTE.items()} == {other: 1, "zh" if other == "en" else "en": 0}
    assert page.count(f'<q class="ev" lang="{"en" if other == "zh" else "zh-Hans"}">{said}</q>') >= 2
    shown = re.findall(r'<span class="(en|zh)" lang="[\w-]+">([^<]*)</span>', page)
    assert (other, stated) in shown
