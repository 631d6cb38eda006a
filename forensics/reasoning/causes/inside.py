"""What installed files that are not as listed do in program text, by the rules over code: a hit is a reason to look, and names nobody.

Where another collected environment holds the file as the package's list gives it, the two are compared like the two sides of a commit. Else nobody knows which
of its lines are new: then rules whose hits any training code has (`info`) are left out.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forensics.patterns.matching import LARGEST, Hit, Matching
from forensics.patterns.rules import Severity
from forensics.reasoning.act import Row
from forensics.reasoning.causes.installed import Altered
from forensics.reasoning.code import Code, CodeHit, sides, without_moves
from forensics.reasoning.world import World

_MOST = 200
"""different files that are looked at"""
_MOST_HITS = 200
"""of one file"""
PRESENT = "present"
"""the side of a line of which nobody knows whether it is new"""
_NO_TEXT = "its content is not there, or too large"


@dataclass(frozen=True, slots=True)
class Inside:
    """A place in an altered file that is as a rule says."""

    side: str
    """`added` or `removed` against what the list gives, or `present`"""
    hit: Hit
    event: int
    """the file that holds the line"""
    start: int
    """of the line, in bytes of that file; -1 where an archive stores these in another form"""
    end: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What an altered file does, or why it could not be looked at."""

    hits: tuple[Inside, ...] = ()
    unread: tuple[str, ...] = ()
    compared: int | None = None
    """the event of the file as it was listed, in another environment"""


def inside(world: World, found: Iterable[Altered], first: Iterable[str]) -> dict[str, Looked]:
    """Return object -> what it does, of altered files; those that are causes themselves are looked at before others."""
    named = {name: n for n, name in enumerate(first)}
    files = sorted(found, key=lambda f: (min(named.get(f.object, len(named)), named.get(f.found, len(named))), f))
    contents: dict[tuple[str, str, str], Altered] = {}
    for file in files:
        contents.setdefault(_key(file), file)
    chosen = list(contents.values())[:_MOST]
    originals = _originals(world, chosen)
    rows = _rows(world, {f.refs[0] for f in chosen} | set(originals.values()))
    looked = {_key(f): _looked(world, f, rows, originals.get(f.listed)) for f in chosen}
    return {f.object: told for f in files if (told := looked.get(_key(f)))}


def code_of_installed(found: Iterable[Altered], looked: Mapping[str, Looked], reference: str) -> Code:
    """Return what an altered file does that an answer is about, by its name or by its content's digest."""
    file = next((f for f in found if reference in (f.object, f.found) and f.object in looked), None)
    if file is None:
        return Code()
    told = looked[file.object]
    hits = (CodeHit(file.object, h.side, h.hit, "", "", "", h.event, h.start, h.end) for h in told.hits)
    return Code(tuple(hits), tuple((file.object, why) for why in told.unread), looked=True)


def _key(file: Altered) -> tuple[str, str, str]:
    return file.found, file.listed, file.object.rpartition("/")[2]


def _originals(world: World, files: Iterable[Altered]) -> dict[str, int]:
    """Return digest -> the first collected file that is as some list gives it."""
    rows = world.tables.rows(
        "SELECT target, min(id) AS id FROM events WHERE action = 'file.content' AND list_contains($t, target) GROUP BY target ORDER BY target",
        t=sorted({f.listed for f in files if f.listed}),
    )
    return {r["target"]: r["id"] for r in rows}


def _rows(world: World, ids: set[int]) -> dict[int, Row]:
    rows = world.tables.rows(
        'SELECT id, source, file, start, "end", attrs FROM events WHERE list_contains($ids, id) ORDER BY id', ids=sorted(ids)
    )
    return {r["id"]: r for r in rows}


def _looked(world: World, file: Altered, rows: Mapping[int, Row], original: int | None) -> Looked:
    name, event = file.object.rpartition("/")[2], file.refs[0]
    new = _text(world, rows[event])
    old = None if original is None else _text(world, rows[original])
    if new is None:
        return Looked(unread=(_NO_TEXT,))
    hits: list[Inside] = []
    unread: list[str] = []
    packed = {event: _is_packed(rows[event])} | ({original: _is_packed(rows[original])} if original is not None else {})
    for matching, says in ((world.matching, ""), (world.own.matching, "by the examiner's own rules: ")):
        if matching is None:
            continue
        some, why = _by(matching, name, old, new)
        for side, hit in some:
            text, place = (old or b"", original or 0) if side == "removed" else (new, event)
            hits.append(_placed(side, hit, text, place, packed=packed.get(place, False)))
        unread += [f"{says}{reason}" for reason in why if reason not in unread]
    return Looked(tuple(hits[:_MOST_HITS]), tuple(unread), original if old is not None else None)


def _by(matching: Matching, name: str, old: bytes | None, new: bytes) -> tuple[list[tuple[str, Hit]], list[str]]:
    found = list(sides(matching, name, old or b"", new))
    unread = [one for one in found if isinstance(one, str)]
    hits = [one for one in found if not isinstance(one, str)]
    if old is None:
        return [(PRESENT, hit) for _, hit in hits if hit.rule.severity is Severity.WARNING], unread
    return without_moves(hits), unread


def _text(world: World, row: Row) -> bytes | None:
    """Return a file's text; None where it can't be read, or is too large to be program text."""
    if row["end"] - row["start"] > LARGEST:
        return None
    data = b"" if row["end"] <= row["start"] else world.raw(row)
    return data if data is None or not _is_packed(row) else _inflated(data)


def _is_packed(row: Row) -> bool:
    """Tell whether an archive stores a file's bytes in another form than they had."""
    return bool(row["attrs"]) and json.loads(row["attrs"]).get("packed") == "deflate"


def _inflated(data: bytes) -> bytes | None:
    engine = zlib.decompressobj(-15)
    try:
        found = engine.decompress(data, LARGEST + 1)
    except zlib.error:
        return None
    return found if len(found) <= LARGEST else None


def _placed(side: str, hit: Hit, text: bytes, event: int, *, packed: bool) -> Inside:
    """Say where in its file a hit's first to last line stand."""
    if packed:
        return Inside(side, hit, event, -1, -1)
    start = -1
    for _ in range(hit.first - 1):
        start = text.find(b"\n", start + 1)
    end = start
    for _ in range(hit.last - hit.first + 1):
        end = text.find(b"\n", end + 1)
        if end < 0:
            end = len(text)
            break
    return Inside(side, hit, event, start + 1, end)
