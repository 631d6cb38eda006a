"""Content that a commit takes over from elsewhere: the very file that somebody else pushed under another path or into another repository before, or a commit of his."""

import re

from forensics.model import Question
from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.given import others
from forensics.reasoning.world import World

_ELSEWHERE = """
    WITH mine AS (SELECT DISTINCT path, new_blob AS blob FROM changes WHERE "commit" = $c AND ($p = '' OR path = $p) AND new_blob IS NOT NULL),
    gone AS (SELECT coalesce(old_path, path) FROM changes WHERE "commit" = $c AND coalesce(old_path, CASE WHEN new_blob IS NULL THEN path END) IS NOT NULL),
    bore AS (SELECT c.new_blob AS blob, count(DISTINCT c."commit") AS n FROM changes c JOIN mine m ON m.blob = c.new_blob GROUP BY ALL),
    theirs AS (
        SELECT DISTINCT c."commit" AS sha, c.new_blob AS blob, m.path FROM changes c JOIN mine m ON m.blob = c.new_blob AND m.path <> c.path AND c.path NOT IN (FROM gone)
        JOIN bore b ON b.blob = c.new_blob AND b.n <= $most
        UNION SELECT DISTINCT m.blob AS sha, NULL AS blob, m.path FROM mine m
    )
    SELECT t.blob, t.path, min(e.time) AS time, arg_min(e.events[1], e.time) AS event
    FROM theirs t JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND split_part(e.dst, '@', 2) = t.sha
    WHERE e.time < $t AND t.sha <> $c GROUP BY t.blob, t.path, t.sha ORDER BY ALL
"""
"""Pushes of the same files under other paths, and of commits that a submodule was set to (gitmodules(5): its blob is the commit)."""
_MOST = 5
"""commits that bear a content, above which it is everybody's: a licence, an empty module"""


_IDLE = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS|README|CHANGELOG|CODEOWNERS)[^/]*$|\.(md|rst|txt|adoc)$", re.IGNORECASE)
"""files that neither run nor steer anything"""
_SILENT = re.compile(rb"(#.*|//.*|from __future__ import .*|\"\"\".*\"\"\"|pass)?")


def _steers(content: bytes) -> bool:
    """Tell whether a content is more than comments and blanks; what is no text may be anything."""
    return bool(content) and (b"\0" in content or not all(_SILENT.fullmatch(line.strip()) for line in content.splitlines()))


def vendored(world: World, act: Act, question: Question) -> tuple[Row, ...]:
    """Return the pushes by which others brought first what a commit takes over; of content that says nothing, none."""
    mine = set(world.known.last_holders(act.account, act.time[0]))
    if not mine or act.kind != "code.push":
        return ()
    asked = question.object.partition("@")[2]
    sha = asked.partition(":")[0] or next((str(r["target"]).partition("@")[2] for r in act.rows if r["target"]), "")
    rows = world.tables.rows(_ELSEWHERE, c=sha, p=asked.partition(":")[2], t=act.time[0], most=_MOST)
    texts = world.blobs(sorted({r["blob"] for r in rows if r["blob"]})) if rows else {}
    firsts: dict[str | None, Row] = {}
    for row in rows:
        if row["blob"] is None or (not _IDLE.search(row["path"]) and _steers(texts.get(row["blob"], b""))):
            firsts.setdefault(row["blob"], row)
    pushes = world.acts("list_contains($e, event)", e=sorted({r["event"] for r in firsts.values()})) if firsts else []
    return tuple(p for p in (*pushes, *_pointed_at(world, act, sha, asked.partition(":")[2])) if others(world, p, mine))


def _pointed_at(world: World, act: Act, sha: str, path: str) -> list[Row]:
    """Return what put the content there that a file of the commit only points at (git-lfs, docs/spec.md): records before the push that spell its digest and write or upload it.

    Nothing, where the account's holder has done so since.
    """
    rows = world.tables.rows(
        """
        SELECT DISTINCT substr(e.object, 8) AS oid FROM changes c
        JOIN events e ON e.action = 'object.pointer' AND json_extract_string(e.attrs, '$.blob') = c.new_blob
        WHERE c."commit" = $c AND ($p = '' OR c.path = $p) ORDER BY 1 LIMIT 50
        """,
        c=sha, p=path,
    )  # fmt: skip
    found: list[Row] = []
    for oid in (r["oid"] for r in rows):
        spelled = world.acts(
            """(action = 'object.write' OR action = 'process.exec' OR starts_with(action, 'device.process')) AND outcome = 'ok' AND actor IS NOT NULL AND time < $t
               AND event IN (SELECT id FROM events WHERE contains(coalesce(object, ''), $oid) OR contains(coalesce(attrs, ''), $oid))""",
            t=act.time[0], oid=oid,
        )  # fmt: skip
        put = [r for r in spelled if r["action"] == "object.write" or _UPLOADS.search(line_of(r))]
        found += [{**r, "object": str(act.rows[0]["object"])} if r["action"] != "object.write" else r for r in put[-1:]]
    return found


_UPLOADS = re.compile(r"\blfs\s+push\b|\b(curl|http)\b.{0,200}(-T|PUT|--upload-file)")
"""commands that send such a content to a store"""
