"""The texts of a bundle: the same in both languages, and never of blame."""

import re
import tomllib
from pathlib import Path

import pytest

from forensics.telling.handoff.words import LANGUAGES, words

TEXT = Path(__file__).parents[3] / "forensics" / "telling" / "handoff" / "text"
ENGLISH = re.compile(
    r"\b(match(es|ed|ing)?|culprits?|prove[sn]?|proof|certain(ly|ty)?|guilt(y)?|only \w+ could|zero errors?)\b", re.IGNORECASE
)
CHINESE = re.compile("作案人|匹配|证明系|确定|有罪|确凿无疑|唯一可能|零误差")


def test_both_languages_have_the_same_texts():
    one, two = ({p.name for p in (TEXT / language).iterdir()} for language in LANGUAGES)
    assert one == two


def test_both_languages_have_the_same_words():
    one, two = (tomllib.loads((TEXT / language / "words.toml").read_text()) for language in LANGUAGES)
    assert {k: sorted(v) if isinstance(v, dict) else "" for k, v in one.items()} == {
        k: sorted(v) if isinstance(v, dict) else "" for k, v in two.items()
    }


@pytest.mark.parametrize("name", sorted(p.name for p in (TEXT / "en").iterdir()))
def test_the_places_to_fill_in_are_the_same(name):
    one, two = (set(re.findall(r"(?<!\$)\$[a-z_]+", (TEXT / language / name).read_text())) for language in LANGUAGES)
    assert one == two


def test_no_word_of_blame():
    for path in TEXT.rglob("*.*"):
        text = path.read_text()
        assert not ENGLISH.findall(text), path
        assert not CHINESE.findall(text), path


def test_nothing_is_left_to_fill_in(bundles, make):
    for built in (bundles["court"], bundles["subject"], make("court", language="zh"), make("subject", language="zh")):
        for page in [*built.folder.rglob("*.md"), built.folder / "README.txt", built.folder / "data" / "memo.html"]:
            left = set(re.findall(r"\$[a-z_]+", page.read_text()))
            assert not left, (page, left)


def test_an_unknown_word_stands_for_itself():
    assert words("en").word("rung", "new") == "new"


def test_the_readme_lists_what_is_in_this_bundle_and_nothing_else(bundles, make):
    for built in (*bundles.values(), make("hr", language="zh")):
        listed = re.findall(r"^(data/\S+)", (built.folder / "README.txt").read_text(), re.MULTILINE)
        held = {p.relative_to(built.folder).as_posix() for p in (built.folder / "data").rglob("*") if p.is_file()}
        assert {name for name in held if not name.startswith(tuple(listed))} <= {"data/weights.json"}  # told beside policy.toml
        assert all(any(h.startswith(name) for h in held) for name in listed)
