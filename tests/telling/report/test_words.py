"""The report's own sentences: never of blame, and the right ones at each rung."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import forensics
from forensics.telling import report
from forensics.telling.report import showing, words, write
from forensics.telling.report.answers import People
from forensics.telling.report.page import _elapsed, _folder, _sentences

FORBIDDEN = re.compile(
    r"\bmatch(?:es|ed|ing)?\b|culprit|perpetrator|offender|\bprove[sdn]?\b|\bproof\b|\bcertain(?:ly|ty)?\b|guilt|\bonly\s+\S+\s+could\b|zero\s+error"
    r"|probability\s+that|beyond\s+doubt|\bthe\s+accused\b|作案人|匹配|证明系|确定|有罪|确凿无疑|唯一可能|零误差",
    re.IGNORECASE,
)


class Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"aria-label", "title", "data-head"}]


def sentences_of_templates() -> list[tuple[str, str]]:
    found = []
    for template in sorted(_folder().rglob("*.html")):
        reader = Words()
        reader.feed(re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL))
        found.append((template.name, " ".join(reader.found)))
    return found


def sentences_of_code() -> list[tuple[str, str]]:
    found = []
    for module in sorted(Path(str(report.__file__)).parent.glob("*.py")):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        found.append((module.name, " ".join(strings)))
    return found


@pytest.mark.parametrize(("place", "text"), [*sentences_of_templates(), *sentences_of_code()])
def test_no_sentence_of_ours_speaks_of_blame(place: str, text: str) -> None:
    assert not FORBIDDEN.findall(re.sub(r"[ \n]+", " ", text)), place


def test_the_lint_finds_what_it_must() -> None:
    for bad in ("this proves it", "a match", "the culprit", "it is certain", "Only p-014 could", "the probability that he did it", "确定"):
        assert FORBIDDEN.search(bad)


def plain(text: str) -> str:
    first = text[text.index('<section id="plain"') : text.index('<section id="answer-1"')]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", first))


def test_the_first_page_says_the_answer_in_under_a_minutes_reading(lab_report: Any) -> None:
    text = plain(write(*lab_report))
    one = text[: text.index("Question q2")]
    assert "The records tie this change to 陆知微 (p-014), by way of the account gitlab:luzw." in one
    assert "What speaks for 陆知微 (p-014)" in one
    assert "joined a meeting sixteen minutes later" in one
    assert len([word for word in one.split() if any(c.isalnum() for c in word)]) < 240
    assert "It is not a probability" in text


def test_below_person_nobody_is_named_but_as_one_of_those_not_excluded(lab_report: Any) -> None:
    text = plain(write(*lab_report))
    two = text[text.index("Question q2") : text.index("Question q3")]
    assert "tie this change to" not in two
    assert "does not" not in two or "The records do not exclude 3 people" in two
    assert "Ines Halvorsen (p-003); Matteo Brunelli (p-022); Adaeze Obiora (p-031)" in two


def test_every_word_of_the_schema_has_its_sentence(lab_report: Any) -> None:
    from forensics.model import Mechanism, Rung, Tier

    assert set(words.SHOWS) == set(words.HOW_FAR) == set(words.NOT_SHOWN) == {rung.value for rung in Rung} == set(words.RUNGS)
    assert set(words.MECHANISMS) == {mechanism.value for mechanism in Mechanism}
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
    sentence = _sentences(People({"p-1": "Ada", "p-14": "Mei", "p-2": ""}))
    assert sentence("p-14 and p-1, not p-142 nor p-2") == "Mei (p-14) and Ada (p-1), not p-142 nor p-2"
    assert sentence("Mei (p-14) left") == "Mei (p-14) left"


def test_spans_of_time_are_written_in_two_units() -> None:
    second = 10**9
    assert [_elapsed(n * second) for n in (0, 59, 61, 3600, 90061)] == ["at once", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]


def test_templates_are_found_beside_the_package() -> None:
    assert (_folder() / "report.html").is_file()
    assert _folder().parent in {Path(str(forensics.__file__)).parent, Path(str(forensics.__file__)).parent.parent}
