"""Where the content of a written object came from: the first write of it, through recorded copies and files of the same digest."""

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World

_FAR = 8
"""copies that are followed back"""


def first_write(world: World, act: Act) -> Row | None:
    """Return the write of another object that this one's content came from; None where no record leads to one."""
    if act.kind != "object.write":
        return None
    found: Row | None = None
    row, seen = act.rows[0], {act.rows[0]["event"]}
    for _ in range(_FAR):
        before = _source(world, row) or _same_content(world, row) or _read_before(world, row)
        if before is None or before["event"] in seen:
            break
        found = row = before
        seen.add(row["event"])
    return found


def parts(world: World, row: Row) -> list[Row]:
    """Return the parts that were sent, or copied from elsewhere, under the upload that a write completed: who completes it need not have sent them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """
    upload = row["attrs"].get("upload")
    found = world.acts(
        "action IN ('aws.UploadPart', 'aws.UploadPartCopy') AND outcome = 'ok' AND split_part(object, '?', 1) = $o AND time <= $t",
        o=str(row["object"]).partition("?")[0], t=row["time"],
    ) if upload else []  # fmt: skip
    return [r for r in found if r["attrs"].get("upload") == upload]


def _source(world: World, row: Row) -> Row | None:
    """Return the write of what a recorded copy or rename took: that very version, else the last one before."""
    taken = next((str(r[k]) for r in (row, *parts(world, row)) for k in ("target", "prior") if "://" in str(r[k] or "")), "")
    rows = world.acts(
        "action = 'object.write' AND outcome = 'ok' AND time <= $t AND event <> $e AND (object = $o OR (NOT contains($o, '?') AND split_part(object, '?', 1) = $o))",
        o=taken, t=row["time"], e=row["event"],
    ) if taken else []  # fmt: skip
    return rows[-1] if rows else None


def _same_content(world: World, row: Row) -> Row | None:
    """Return the earliest write of another object whose collected copy has the same digest; none where it was written again since."""
    bare = str(row["object"]).partition("?")[0]
    twins = world.tables.rows(
        """
        SELECT DISTINCT split_part(b.object, '?', 1) AS object FROM events a JOIN events b ON a.target = b.target
        WHERE a.action = 'object.content' AND b.action = 'object.content' AND split_part(a.object, '?', 1) = $o AND split_part(b.object, '?', 1) <> $o ORDER BY 1
        """,
        o=bare,
    )
    rows = world.acts(
        "action = 'object.write' AND outcome = 'ok' AND time IS NOT NULL AND list_contains($o, split_part(object, '?', 1))",
        o=[t["object"] for t in twins],
    ) if twins else []  # fmt: skip
    last = {str(r["object"]).partition("?")[0]: r for r in rows}
    return min((r for r in last.values() if r["time"] < row["time"]), key=lambda r: (r["time"], r["event"]), default=None)


def _read_before(world: World, row: Row) -> Row | None:
    """Return the last write of what the same account had read from the same place shortly before, of the same size or, where no size is kept, of the same name: a copy by way of the client."""
    rows = world.acts(
        "action = 'object.read' AND outcome = 'ok' AND actor = $a AND ip IS NOT DISTINCT FROM $ip AND time BETWEEN $low AND $t AND split_part(object, '?', 1) <> $o",
        a=row["actor"], ip=row["ip"], low=row["time"] - world.policy.windows["shared_exec"], t=row["time"], o=str(row["object"]).partition("?")[0],
    )  # fmt: skip
    for read in reversed(rows):
        if _alike(read, row):
            written = world.acts(
                "action = 'object.write' AND outcome = 'ok' AND time < $t AND (object = $o OR (NOT contains($o, '?') AND split_part(object, '?', 1) = $o))",
                o=read["object"], t=read["time"],
            )  # fmt: skip
            if written:
                return written[-1]
    return None


def _alike(read: Row, written: Row) -> bool:
    sizes = [r["attrs"].get("bytes") for r in (read, written)]
    if all(sizes):
        return bool(sizes[0] == sizes[1])
    tails = [str(r["object"]).partition("?")[0].removesuffix("._COPYING_").rpartition("/")[2] for r in (read, written)]
    return tails[0] == tails[1]
