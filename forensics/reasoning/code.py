"""What a change does in program text, by the rules over code: lines that it added, and lines that it took out. A hit names nobody.

One that hides what runs, or runs text, keeps a change from counting as an ordinary mistake.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from forensics.patterns.changed import changed_lines
from forensics.patterns.matching import Hit, Matching, language_of
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

MOST_FILES = 500
"""files of a change beyond which it is an import, and no edit is looked for by hand"""
MOST_HITS = 1000
_HIDES = frozenset(("hidden-text", "runs-text", "reaches-interpreter", "shell-runs-text", "shell-traces"))
"""rules about code that hides what it does or runs what it is handed; that a change is about rates, losses or dates says nothing of the kind"""


@dataclass(frozen=True, slots=True)
class CodeHit:
    """A place of a changed file that is as a rule says."""

    path: str
    side: str
    """`added`, or `removed` by the change; of an installed file also `present`, where nobody knows"""
    hit: Hit
    blob: str
    """git's id of the file's content in which the lines are counted"""
    source: str
    """the repository, as a source, that has it"""
    sha256: str
    """of the content as git keeps it"""
    event: int | None = None
    """of an installed file, which is in no repository: what tells of it, and the line's bytes in it (-1: stored in another form)"""
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Code:
    """What a change's text does, and which of its files could not be looked at."""

    hits: tuple[CodeHit, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    """(path, why)"""
    looked: bool = False
    """whether it is a change of program text at all"""


def code_of(world: World, dossier: Dossier) -> Code:
    """Look at the change that a question is about, where it is a commit; at one file of it, where the question names that."""
    reference = dossier.objects[0]
    if not (reference.startswith("git:") and "@" in reference) or dossier.claimed is None:
        return Code()
    asked = dossier.question.object.partition("@")[2].partition(":")[2]
    rows = world.tables.rows(
        """
        SELECT DISTINCT path, coalesce(old_blob, '') AS old, coalesce(new_blob, '') AS new FROM changes
        WHERE "commit" = $c AND ($p = '' OR path = $p) ORDER BY ALL
        """,
        c=reference.partition("@")[2], p=asked,
    )  # fmt: skip
    if len(rows) > MOST_FILES:
        return Code((), (("", f"limit: a change of {len(rows)} files"),), looked=True)
    contents = world.blobs([b for r in rows for b in (r["old"], r["new"]) if b.strip("0")])
    hits, unread = _looked(world.matching, rows, contents, dossier.claimed["source"])
    if world.own.matching is not None:
        more, why = _looked(world.own.matching, rows, contents, dossier.claimed["source"])
        hits += more
        unread += [(path, f"by the examiner's own rules: {reason}") for path, reason in why if (path, reason) not in unread]
    return Code(tuple(hits), tuple(unread), looked=True)


def _looked(
    matching: Matching, rows: list[dict[str, str]], contents: dict[str, bytes], source: str
) -> tuple[list[CodeHit], list[tuple[str, str]]]:
    """Return what some rules find in the files of a change, and which of them could not be looked at."""
    found: list[CodeHit] = []
    unread: list[tuple[str, str]] = []
    for row in rows:
        for side in _sides(matching, row, contents, source):
            if isinstance(side, str):
                unread.append((row["path"], side))
            else:
                found.append(side)
    still = set(without_moves([(h.side, h.hit) for h in found]))
    kept = [h for h in found if (h.side, h.hit) in still]
    if len(kept) > MOST_HITS:
        unread.append(("", f"limit: {len(kept)} hits, of which the first {MOST_HITS} are told"))
    return kept[:MOST_HITS], list(dict.fromkeys(unread))


def hides(world: World, dossier: Dossier) -> tuple[str, ...]:
    """Return the shipped rules by which lines that the change added hide what they do, or run text: one's own rules move nothing, whatever they are called."""
    return tuple(sorted({h.hit.rule.id for h in code_of(world, dossier).hits if h.side == "added" and not h.hit.rule.own} & _HIDES))


def _sides(matching: Matching, row: dict[str, str], contents: dict[str, bytes], source: str) -> Iterator[CodeHit | str]:
    """Yield what a file's added and removed lines do, and why a side can't be looked at."""
    missing = [b for b in (row["old"], row["new"]) if b.strip("0") and b not in contents]
    if missing:
        if language_of(row["path"], b""):
            yield "its content is not there, or too large"
        return
    old, new = contents.get(row["old"], b""), contents.get(row["new"], b"")
    digests = {
        side: hashlib.sha256(b"blob %d\x00" % len(content) + content).hexdigest() for side, content in (("added", new), ("removed", old))
    }
    for one in sides(matching, row["path"], old, new):
        if isinstance(one, str):
            yield one
        else:
            side, hit = one
            yield CodeHit(row["path"], side, hit, row["new" if side == "added" else "old"], source, digests[side])


def sides(matching: Matching, path: str, old: bytes, new: bytes) -> Iterator[tuple[str, Hit] | str]:
    """Yield what the lines do that came to a text, and those that went from it: (`added` or `removed`, hit), or why a side can't be read."""
    gone, came = changed_lines(old, new)
    for side, content, lines in (("added", new, came), ("removed", old, gone)):
        language = language_of(path, content) if lines and content else None
        hits = matching(content, language) if language else []
        if isinstance(hits, str):
            yield hits
        else:
            yield from ((side, hit) for hit in hits if not lines.isdisjoint(range(hit.first, hit.last + 1)))


def without_moves(found: list[tuple[str, Hit]]) -> list[tuple[str, Hit]]:
    """Leave out what was taken out at one place and put in at another as it was."""
    texts = {side: {(hit.rule.id, hit.text) for s, hit in found if s == side} for side in ("added", "removed")}
    both = texts["added"] & texts["removed"]
    return [(side, hit) for side, hit in found if (hit.rule.id, hit.text) not in both]
