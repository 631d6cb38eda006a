"""Texts that are matched in a process of its own: what they do to it stays there."""

import pytest

from forensics.patterns import apart
from forensics.patterns.apart import TOO_LARGE, TOO_MUCH, Apart, several

SLEEP = (b"import time\ntime.sleep(3)\n", "python")


def test_hits_come_with_their_rules():
    (found,) = several([SLEEP])
    assert isinstance(found, list)
    assert [(h.rule.id, h.first, h.last, h.text) for h in found] == [("sleep", 2, 2, "time.sleep(3)")]


def test_deep_and_broken_texts_are_read():
    texts = [b"(" * 20_000, b"x" + b"[0]" * 20_000, b"if x:\n" * 2000, b"\xff\xfe\x01" * 1000, b"def " * 9000, b"'" * 9999]
    found = list(several((text + b"\nsleep()", "python") for text in texts))
    assert len(found) == len(texts)
    assert all(isinstance(hits, list) for hits in found)


def test_a_text_that_makes_the_parser_run_on_costs_its_own_hits_alone():
    endless = b"sleep 3\n" + b"<<A\n" * 65_000  # here-documents within each other
    first, second, third = several([SLEEP, (endless, "bash"), SLEEP], seconds=1)
    assert (first, second) == (third, TOO_MUCH)
    assert isinstance(first, list)


def test_a_text_that_is_too_large_is_said():
    assert list(several([(b"sleep 3\n" * 200_000, "bash")])) == [TOO_LARGE]


def test_after_too_many_falls_nothing_more_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apart, "_FALLS", 0)
    with Apart() as matcher:
        assert matcher.hits(*SLEEP) == apart.TOO_MANY


def test_a_text_that_takes_the_workers_words_for_its_own_changes_nothing():
    text = b'["python", 5]\nsleep(3)\n'
    first, second = several([(text, "python"), SLEEP])
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [h.rule.id for h in first] == ["sleep"]
    assert [h.first for h in second] == [2]
