"""Matches texts in a process of its own, which parent and worker speak of in `apart.py`. Run by `python -m forensics.patterns.worker match|try SECONDS`, with the rules as the first line.

The kernel ends it where a text takes too much time or memory: parsers in C, and texts from whoever is accused.
"""

import resource
import sys
import time
from typing import BinaryIO, cast

import msgspec

from forensics.patterns.matching import hits
from forensics.patterns.rules import Rule

MEMORY = 3 << 30


def main() -> None:
    """Answer each text on stdin with its hits, or each rule with what is wrong with it, a line each, until there are no more."""
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    task, seconds = sys.argv[1], int(sys.argv[2])
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    rules = msgspec.json.decode(stdin.readline(), type=list[Rule])
    if task == "try":
        _try(rules, seconds, stdout)
    else:
        _match(rules, seconds, stdin, stdout)


def _match(rules: list[Rule], seconds: int, stdin: BinaryIO, stdout: BinaryIO) -> None:
    while head := stdin.readline():
        language, size = msgspec.json.decode(head, type=tuple[str, int])
        content = stdin.read(size)
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + seconds)
        found = [(hit.rule.id, hit.first, hit.last, hit.text) for hit in hits(content, language, rules)]
        stdout.write(msgspec.json.encode(found) + b"\n")
        stdout.flush()


def _try(rules: list[Rule], seconds: int, stdout: BinaryIO) -> None:
    """Ask ast-grep once for each rule, so that one that it does not understand is said at the start."""
    import ast_grep_py  # noqa: PLC0415 - an extra that may be missing

    for rule in rules:
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + seconds)
        complaint = ""
        try:
            ast_grep_py.SgRoot("", rule.language).root().find_all(cast("ast_grep_py.Config", rule.config))
        except Exception as error:  # noqa: BLE001 - whatever it says is what its user has to know
            complaint = " ".join(str(error).partition("Stack backtrace")[0].split())[:500] or type(error).__name__
        stdout.write(msgspec.json.encode(complaint) + b"\n")
        stdout.flush()


def _limit(what: int, most: int) -> None:
    """Lower a limit, as far as the system has it (https://docs.python.org/3/library/resource.html)."""
    try:
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
    except (ValueError, OSError):  # macOS knows no limit of the address space
        return


if __name__ == "__main__":
    main()
