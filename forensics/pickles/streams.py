"""One pickle after the other, and whether bytes are a pickle at all."""

import re
from dataclasses import dataclass

from forensics.pickles.callables import Kind
from forensics.pickles.cursor import Cursor, Read
from forensics.pickles.values import Budget, Named, Pickle
from forensics.pickles.walk import read_one

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""first pickle of what `torch.save` wrote before 1.6 (torch/serialization.py)"""
_LEGACY = 5
"""magic number, protocol, facts about the machine, the object, keys of storages; then come the storages themselves"""
MOST = 10_000
"""pickles one after the other"""
_HEAD = 4096
_FIRST_STEPS = 4
"""opcodes after which what begins like a pickle is one that breaks off, and no chance"""
_ENDINGS = (".pkl", ".pickle", ".pck", ".p")


@dataclass(frozen=True, slots=True)
class Stream:
    """Pickles that stand one after the other."""

    pickles: tuple[Pickle, ...]
    end: int
    """byte after the last of them"""
    legacy: bool
    """torch's legacy format: opaque storages follow"""

    @property
    def broken(self) -> str:
        """Return why reading ended early; empty where it did not."""
        last = self.pickles[-1]
        if len(self.pickles) == MOST:
            return f"limit: of pickles one after the other, {MOST} are read"
        return f"pickle at {last.start}: {last.broken}" if last.broken else ""


def read_stream(read: Read, size: int, budget: Budget, *, start: int = 0, name: str = "") -> Stream | None:
    """Read all pickles from `start` on; None where what stands there is none. It never raises."""
    found: list[Pickle] = []
    place = start
    while place < size and len(found) < MOST:
        pickle = _try(read, size, budget, place, name if not found else "")
        if pickle is None:
            break
        found.append(pickle)
        place = pickle.end
        if pickle.broken or (found[0].number == LEGACY_MAGIC and len(found) == _LEGACY):
            break
    if not found:
        return None
    return Stream(tuple(found), place, found[0].number == LEGACY_MAGIC)


def _try(read: Read, size: int, budget: Budget, place: int, name: str) -> Pickle | None:
    """Read a pickle; None where the bytes turn out to be something else. The beginning decides before the rest is read."""
    head = read(place, min(_HEAD, size - place))
    first = read_one(Cursor(lambda at, count: head[at - place : at - place + count], place + len(head), place), budget)
    whole = place + len(head) >= size
    if (first.stopped or whole or first.end < place + len(head) // 2) and not (first.broken.startswith("breaks off") and not whole):
        return first if _is_pickle(head, first, name) else None
    pickle = read_one(Cursor(read, size, place), budget)
    return pickle if _is_pickle(head, pickle, name) else None


def _is_pickle(head: bytes, pickle: Pickle, name: str) -> bool:
    """Tell whether what was read is a pickle: whole, or with a header and some steps, or with a call before it broke."""
    headed = len(head) > 1 and head[0] == 0x80 and head[1] <= 5
    if pickle.named and not headed and not any(map(_importable, pickle.named)):
        return False  # text: `import ...` and `const ...` begin as INST and GLOBAL do
    if pickle.stopped:
        return pickle.opcodes > 1
    if headed:
        return pickle.opcodes >= _FIRST_STEPS or name.endswith(_ENDINGS)
    if any((found.called or found.verdict.kind is Kind.DANGEROUS) and _importable(found) for found in pickle.named):
        return True
    return name.endswith(_ENDINGS) and pickle.opcodes >= _FIRST_STEPS


_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _importable(found: Named) -> bool:
    """Tell whether a name could be one of a module; a loader ends at one that can't."""
    return found.opcode not in ("GLOBAL", "INST") or _MODULE.fullmatch(found.module) is not None
