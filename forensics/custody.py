"""The custody log: who did what to which evidence, when, with which version. Append-only, hash-chained."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import IntegrityError

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who runs the program, when (ISO 8601 UTC, given by the caller), and which version of it."""

    examiner: str
    time: str
    tool: str


def entry_hash(entry: Mapping[str, object]) -> str:
    """Return the SHA-256 of an entry without its own hash: JSON with sorted keys and no blanks, in UTF-8."""
    body = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def append(log: Path, actor: Actor, entries: Iterable[Mapping[str, object]]) -> str:
    """Append entries to the log and return the new head of the chain."""
    head, count = _tail(log)
    with log.open("a", encoding="utf-8", newline="\n") as stream:
        for number, entry in enumerate(entries, count):
            full: dict[str, object] = {
                "seq": number,
                "examiner": actor.examiner,
                "time": actor.time,
                "tool": actor.tool,
                **entry,
                "prev": head,
            }
            head = entry_hash(full)
            stream.write(json.dumps({**full, "hash": head}, sort_keys=True, ensure_ascii=False) + "\n")
    return head


def _tail(log: Path) -> tuple[str, int]:
    if not log.exists():
        return START, 0
    lines = log.read_text(encoding="utf-8").splitlines()
    return (json.loads(lines[-1])["hash"], len(lines)) if lines else (START, 0)


def verify(log: Path) -> str:
    """Check the whole chain and return its head; IntegrityError at the first entry that does not hold."""
    head = START
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        if entry.get("seq") != number or entry.get("prev") != head or entry.get("hash") != entry_hash(entry):
            raise IntegrityError(
                "the custody chain is broken here",
                where=f"{log.name}, entry {number}",
                hint="compare with a copy whose head was noted elsewhere",
            )
        head = entry["hash"]
    return head
