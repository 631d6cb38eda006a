"""What each tensor of a file is: kind, shape, and a digest of its bytes, so that checkpoints of one run can be compared tensor by tensor."""

import hashlib
from collections.abc import Iterable

from forensics.containers import View
from forensics.tensors import Entry

DIGESTED = 4 << 30
"""bytes of tensors of one file that are digested a second time; of what lies beyond, kind and shape are told alone"""
_BLOCK = 1 << 20


def forms_of(view: View, entries: Iterable[Entry]) -> dict[str, tuple[str, str]]:
    """Return name -> (kind and shape, SHA-256 in hexadecimal; empty beyond the budget)."""
    left, found = DIGESTED, {}
    for entry in entries:
        left -= entry.end - entry.start
        found[entry.name] = (entry.form, _digest(view, entry) if left >= 0 else "")
    return found


def _digest(view: View, entry: Entry) -> str:
    digest = hashlib.sha256()
    for at in range(entry.start, entry.end, _BLOCK):
        digest.update(view.read(at, min(_BLOCK, entry.end - at)))
    return digest.hexdigest()
