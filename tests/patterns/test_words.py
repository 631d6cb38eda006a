"""Which words a rule's regular expressions ask for: never one too many."""

import pytest

from forensics.patterns.words import needed, of_regex


@pytest.mark.parametrize(
    ("regex", "words"),
    [
        (r"^time\.sleep$", {"time.sleep"}),
        (r"(^|\.)(manual_seed|set_seed)$", {"manual_seed", "set_seed"}),
        (r"os\.(kill|x)$", {"os."}),
        (r"abc?def", {"def"}),
        (r"ab+cdef", {"cdef"}),
        (r"(?i)WORLD_?SIZE", {"world"}),
        (r"colou?r|grey", {"colo", "grey"}),
        (r"[a-z]+_[)\]]", None),
        (r"foo|.", None),
        (r"(foo)*bar{0,2}", None),
        (r"a\x41b", None),
        (r"(?=look)", None),
        (r"(open", None),
        (r"x{3}yzzz", {"yzzz"}),
    ],
)
def test_words_of_a_regular_expression(regex: str, words: set[str] | None):
    assert of_regex(regex) == (frozenset(words) if words else None)


def test_words_of_a_rule():
    assert needed({"all": [{"regex": "sleep"}, {"kind": "call"}]}) == {"sleep"}
    assert needed({"any": [{"regex": "sleep"}, {"kind": "call"}]}) is None
    assert needed({"not": {"regex": "sleep"}}) is None
    assert needed({"kind": "call", "has": {"field": "function", "regex": "sleep|wait"}}) == {"sleep", "wait"}
