"""Matches texts in a process of its own, which parent and worker speak of in `apart.py`. Run by `python -m forensics.patterns.worker SECONDS RULES...`.

The kernel ends it where a text takes too much time or memory: parsers in C, and texts from whoever is accused.
"""

import resource
import sys
import time
from pathlib import Path

import msgspec

from forensics.patterns.matching import hits
from forensics.patterns.rules import read_rules

MEMORY = 3 << 30


def main() -> None:
    """Answer each text on stdin with its hits, a line a text, until there are no more."""
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    seconds, rules = int(sys.argv[1]), read_rules([Path(name) for name in sys.argv[2:]])
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while head := stdin.readline():
        language, size = msgspec.json.decode(head, type=tuple[str, int])
        content = stdin.read(size)
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + seconds)
        found = [(hit.rule.id, hit.first, hit.last, hit.text) for hit in hits(content, language, rules)]
        stdout.write(msgspec.json.encode(found) + b"\n")
        stdout.flush()


def _limit(what: int, most: int) -> None:
    """Lower a limit, as far as the system has it (https://docs.python.org/3/library/resource.html)."""
    try:
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
    except (ValueError, OSError):  # macOS knows no limit of the address space
        return


if __name__ == "__main__":
    main()
