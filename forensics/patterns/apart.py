"""Has texts matched in another process: a text that makes the parser run on, or fall, costs its own hits and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from types import TracebackType
from typing import Self

import msgspec

from forensics.patterns.matching import LARGEST, Hit
from forensics.patterns.rules import Rule, read_rules

SECONDS = 10
"""of computing for one text; an ordinary one of a megabyte takes less than one"""
_FALLS = 10
"""texts that may end the worker; of what comes after, nothing is read"""
TOO_LARGE = f"limit: a text of more than {LARGEST} bytes"
TOO_MUCH = "limit: reading it takes too long, or too much memory"
TOO_MANY = f"limit: {_FALLS} texts before it took too long"

_Answer = list[tuple[str, int, int, str]]


class Apart:
    """A worker that matches texts by rules, by the shipped ones unless others are given. To be closed.

    One's own rules get a worker of their own: where one of them takes too long, what the shipped ones find stays as it is.
    """

    def __init__(self, rules: Sequence[Rule] | None = None, seconds: int = SECONDS) -> None:
        self.rules = _shipped() if rules is None else tuple(rules)
        self._known = {(rule.language, rule.id): rule for rule in self.rules}
        self._seconds = seconds
        self._worker: subprocess.Popen[bytes] | None = None
        self._falls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None

    def hits(self, content: bytes, language: str) -> list[Hit] | str:
        """Return where a text is as the rules say; where it can't be read, why."""
        if len(content) > LARGEST:
            return TOO_LARGE
        if not _promising(content, language, self.rules):
            return []
        if self._falls >= _FALLS:
            return TOO_MANY
        answer = self._ask(content, language)
        if answer is None:
            self._falls += 1
            self.close()
            return TOO_MUCH
        return [Hit(self._known[language, name], first, last, text) for name, first, last, text in answer]

    def _ask(self, content: bytes, language: str) -> _Answer | None:
        try:
            worker = self._worker = self._worker or self._start()
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(msgspec.json.encode((language, len(content))) + b"\n" + content)
            worker.stdin.flush()
            return msgspec.json.decode(worker.stdout.readline(), type=_Answer)
        except (OSError, msgspec.DecodeError):
            return None

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a worker, and hand it the rules."""
        worker = _begun("match", self._seconds)
        assert worker.stdin is not None
        worker.stdin.write(msgspec.json.encode(self.rules) + b"\n")
        return worker


def _begun(task: str, seconds: int) -> subprocess.Popen[bytes]:
    """Start a worker. `-P`: nothing is imported from the folder that happens to be the current one, which may be evidence."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "forensics.patterns.worker", task, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "RUST_BACKTRACE": "0"},
    )


def complaints(rules: Sequence[Rule], seconds: int = SECONDS) -> list[str]:
    """Have each rule tried by ast-grep; return what it says against it, empty where nothing. A rule that ends the worker is the last one that is tried."""
    if not rules:
        return []
    with _begun("try", seconds) as worker:
        told = worker.communicate(msgspec.json.encode(rules) + b"\n")[0].splitlines()
    found = [msgspec.json.decode(line, type=str) for line in told]
    fell = ["trying it takes too long, too much memory, or ends ast-grep"] if len(found) < len(rules) else []
    return [*found, *fell, *[""] * (len(rules) - len(found) - len(fell))]


@cache
def _shipped() -> tuple[Rule, ...]:
    return read_rules()


def _promising(content: bytes, language: str, rules: Iterable[Rule]) -> bool:
    """Tell whether a text has the words of any rule."""
    small = content.decode("utf-8", "backslashreplace").lower()
    return any(r.language == language and (r.words is None or any(word in small for word in r.words)) for r in rules)


def several(texts: Iterable[tuple[bytes, str]], seconds: int = SECONDS) -> Iterator[list[Hit] | str]:
    """Match one text after the other, by the shipped rules."""
    with Apart(seconds=seconds) as worker:
        for content, language in texts:
            yield worker.hits(content, language)
