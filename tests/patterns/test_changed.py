"""Which lines a change added and took out."""

import time

from forensics.patterns.changed import changed_lines


def test_lines_that_came_and_went():
    assert changed_lines(b"a\nb\nc\n", b"a\nx\nc\n") == ({2}, {2})
    assert changed_lines(b"", b"a\nb\n") == (frozenset(), {1, 2})
    assert changed_lines(b"a\nb\n", b"b\na\n")[1] in ({1}, {2})
    assert changed_lines(b"a\n", b"a\n") == (frozenset(), frozenset())


def test_a_line_that_only_ends_otherwise_is_the_same():
    assert changed_lines(b"a\r\nb\r\n", b"a\nb\n") == (frozenset(), frozenset())


def test_long_texts_are_compared_in_time():
    old = b"\n".join(b"%d" % (i % 7) for i in range(50_000))
    new = b"\n".join(b"%d" % (i % 11) for i in range(50_000))
    began = time.process_time()
    gone, came = changed_lines(old, new)
    assert time.process_time() - began < 5
    assert gone
    assert came
