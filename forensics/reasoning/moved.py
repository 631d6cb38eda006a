"""Writes that no record of the object itself shows: a folder above it was renamed; a store copied it by itself."""

from typing import Any

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World


def moved(world: World, reference: str) -> list[dict[str, Any]]:
    """Return the renames of folders above an object as writes of it, each out of where it lay before.

    Such jobs as Spark's write to a folder of their own and rename that at their end; no record then names the files.
    Left out is a folder in which something else is known to have lain, and one of which nothing is known where the object has a write of its own.
    """
    scheme, found, path = reference.partition("://")
    above = [f"{scheme}{found}{path[:n]}" for n, sign in enumerate(path) if sign == "/" and n]
    rows = world.acts(
        "action IN ('object.write', 'file.write') AND outcome = 'ok' AND time IS NOT NULL AND list_contains($above, object)", above=above
    ) if found and not reference.startswith("s3:") else []  # fmt: skip
    own = world.tables.rows("SELECT 1 AS x FROM acts WHERE action IN ('object.write', 'file.write') AND object = $o LIMIT 1", o=reference)
    told = []
    for row in rows:
        before = _from(row)
        rest = reference[len(str(row["object"])) :]
        if not before or _put_back(world, row, before):
            continue
        lay = _lay(world, f"{before}{rest}", before, row["time"])
        if lay or (lay is None and not own):
            attrs = row["attrs"] | ({"from": f"{row['attrs']['from']}{rest}"} if row["attrs"].get("from") else {})
            told.append({**row, "object": reference, "prior": f"{before}{rest}" if row["prior"] else None, "attrs": attrs})
    return told


def _put_back(world: World, row: Row, source: str) -> bool:
    """Tell whether a rename undoes one before it, of the very folder: what lay there lies there again."""
    rows = world.acts(
        "action = $a AND outcome = 'ok' AND object = $s AND time <= $t AND event <> $e",
        a=row["action"],
        s=source,
        t=row["time"],
        e=row["event"],
    )
    return bool(rows) and _from(rows[-1]) == str(row["object"])


def _from(row: Row) -> str | None:
    """Return what a rename took, as its other name is written: of a share without a host."""
    taken = row["attrs"].get("from")
    host = "" if str(row["object"]).startswith("file:///") else row["host"]
    return row["prior"] or (f"file://{host}{taken}" if taken else None)


def _lay(world: World, source: str, folder: str, until: int) -> bool | None:
    """Tell whether a file lay in a folder; None where no record tells what did."""
    rows = world.tables.rows(
        "SELECT max(object = $o) AS itself FROM acts WHERE action IN ('object.write', 'file.write') AND time <= $t AND starts_with(object, $f)",
        o=source, f=f"{folder}/", t=until,
    )  # fmt: skip
    found: bool | None = rows[0]["itself"]
    return found


_COPIERS = ("s3.amazonaws.com",)
"""services that copy objects by themselves, by the caller that the trail names as the invoker, which no user can set (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html)"""


def by_the_store(act: Act) -> bool:
    """Tell whether a store wrote an object by itself."""
    return act.kind == "object.write" and act.rows[0]["attrs"].get("invoked_by") in _COPIERS


def replicated(world: World, act: Act) -> list[dict[str, Any]]:
    """Return the write that a store's own copy is of: the last of the same key in another bucket, of the same version, which replication keeps."""
    if not by_the_store(act):
        return []
    bucket, _, key = str(act.rows[0]["object"]).partition("://")[2].partition("/")
    rows = world.acts(
        "action = 'object.write' AND outcome = 'ok' AND time BETWEEN $low AND $t AND starts_with(object, 's3://') AND ends_with(object, $key) AND NOT starts_with(object, $own)",
        low=act.time[0] - world.policy.windows["login"], t=act.time[0], key=f"/{key}", own=f"s3://{bucket}/",
    )  # fmt: skip
    return [r for r in rows if _key(r) == key][-1:]


def _key(row: Row) -> str:
    return str(row["object"]).partition("://")[2].partition("/")[2]
