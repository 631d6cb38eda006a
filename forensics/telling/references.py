"""Event ids -> references to raw bytes, as the contract writes them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from forensics.tables import Tables


class References:
    """Event ids -> references to raw bytes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[int, dict[str, str]] = {}

    def load(self, ids: Iterable[int]) -> None:
        """Look many events up at once."""
        fresh = sorted(set(ids) - set(self._known))
        for row in self._tables.rows(_REFERENCES, ids=fresh) if fresh else []:
            self._known[row["id"]] = _reference(row)

    def of(self, ids: Iterable[int]) -> list[dict[str, str]]:
        """Return the references of events, in their order, each once."""
        wanted = list(dict.fromkeys(ids))
        self.load(wanted)
        found = [self._known[i] for i in wanted if i in self._known]
        return [json.loads(text) for text in dict.fromkeys(json.dumps(f, sort_keys=True) for f in found)]


_REFERENCES = """
    SELECT e.id, e.source, e.file, e.start, e."end", e.locator, coalesce(e.sha256, f.sha256) AS sha256
    FROM events e LEFT JOIN files f ON f.source = e.source AND f.file = e.file
    WHERE list_contains($ids, e.id) ORDER BY e.id
"""


def _reference(row: Mapping[str, Any]) -> dict[str, str]:
    locator = row["locator"] or f"bytes={row['start']}-{row['end']}"
    found = {"source": row["source"], "sha256": row["sha256"] or "0" * 64, "locator": locator}
    if row["file"] and not str(locator).startswith("git="):
        found["path"] = row["file"]
    return found


def part(ref: dict[str, str], start: int, end: int) -> dict[str, str]:
    """Narrow a reference to some of its bytes; of packed bytes it stays whole."""
    first, _, last = ref["locator"].removeprefix("bytes=").partition("-")
    whole = start < 0 or not first.isdecimal() or not last.isdecimal() or int(first) + end > int(last)
    return ref if whole else ref | {"locator": f"bytes={int(first) + start}-{int(first) + end}"}
