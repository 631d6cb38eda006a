"""The checkpoints that one is to be compared with: those of its own run by records, else those that lie beside it."""

import json
from collections.abc import Iterator

from forensics.reasoning.act import Row
from forensics.reasoning.world import World

_FAR = 3
"""jobs back along what was loaded"""
_ROOT = 2
"""parts of a place (a bucket or host, and a folder) above which files have nothing in common"""
_MOST = 200
"""checkpoints that are compared with"""


def collected(world: World, reference: str) -> Row | None:
    """Return what is known of the collected copy of an object; one that bears no version may be of any."""
    bare = _bare(reference)
    own = _contents(world, [reference]) or [r for r in _contents(world, [bare]) if "?" not in r["object"]]
    return own[-1] if own else None


def kin(world: World, own: Row) -> Iterator[tuple[str, list[Row]]]:
    """Yield the collected files of the same kind, by what ties them to this one: `records`, then `name`, the nearest first."""
    bare = _bare(own["object"])
    yield "records", _alike(own, _contents(world, _by_records(world, bare) - {bare}))
    for rows in _near(world, bare):
        yield "name", _alike(own, rows)


def _bare(reference: str) -> str:
    return reference.partition("?versionId=")[0]


def _contents(world: World, objects: list[str] | set[str]) -> list[Row]:
    """Return what is known of collected files, under any of these names, with whatever version."""
    rows = world.tables.rows(
        """
        SELECT id, object, attrs FROM events WHERE action = 'object.content'
          AND (list_contains($o, object) OR list_contains($o, split_part(object, '?versionId=', 1))) ORDER BY object, id LIMIT $most
        """,
        o=sorted(objects), most=_MOST,
    )  # fmt: skip
    return [r | {"attrs": json.loads(r["attrs"] or "{}")} for r in rows]


def _alike(own: Row, others: list[Row]) -> list[Row]:
    """Return the files of the same kind: a tokenizer beside a model has nothing to compare."""
    kind = bool(own["attrs"].get("pickles"))
    return [o for o in others if bool(o["attrs"].get("pickles")) == kind]


def _near(world: World, bare: str) -> Iterator[list[Row]]:
    """Yield the collected files of its folder, and then those of the folder around it."""
    scheme, _, place = bare.partition("://")
    for steps in (1, 2):
        parts = place.split("/")[:-steps]
        if len(parts) < _ROOT:
            return
        rows = world.tables.rows(
            "SELECT id, object, attrs FROM events WHERE action = 'object.content' AND starts_with(object, $f) AND NOT (object = $b OR starts_with(object, $b || '?')) ORDER BY object, id LIMIT $most",
            f=f"{scheme}://{'/'.join(parts)}/", b=bare, most=_MOST,
        )  # fmt: skip
        yield [r | {"attrs": json.loads(r["attrs"] or "{}")} for r in rows]


def _by_records(world: World, bare: str) -> set[str]:
    """Return the names of what the writing jobs wrote and loaded, and so on backward; and of what the jobs wrote that loaded it."""
    readers = {r["job"] for r in _edges(world, "split_part(src, '?versionId=', 1)", "dst", {bare})}
    found = {r["job"] for r in _edges(world, "src", "split_part(dst, '?versionId=', 1)", readers)}
    objects, jobs = {bare}, set[str]()
    for _ in range(_FAR):
        writers = {r["job"] for r in _edges(world, "split_part(dst, '?versionId=', 1)", "src", objects)} - jobs
        if not writers:
            break
        jobs |= writers
        written = {r["job"] for r in _edges(world, "src", "split_part(dst, '?versionId=', 1)", writers)}
        objects = {r["job"] for r in _edges(world, "dst", "split_part(src, '?versionId=', 1)", writers)}
        found |= written | objects
    return found


def _edges(world: World, asked: str, wanted: str, names: set[str]) -> list[Row]:
    return world.tables.rows(
        f"SELECT DISTINCT {wanted} AS job FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND list_contains($n, {asked}) ORDER BY 1",  # noqa: S608 - columns of our own; names are parameters
        n=sorted(names),
    )
