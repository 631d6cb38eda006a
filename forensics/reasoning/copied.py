"""Where the content of a written object came from: the first write of it, through recorded copies and files of the same digest."""

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World

_FAR = 8
"""copies that are followed back"""


def first_writes(world: World, act: Act) -> tuple[Row, ...]:
    """Return the writes of other objects that this one's content came from; none where no record leads to one. Of several that it was made out of, each is followed."""
    if act.kind != "object.write":
        return ()
    first = act.rows[0]
    seen = {first["event"]}
    ends: dict[int, Row] = {}
    ahead = [(r, 1) for r in _before(world, first)]
    while ahead:
        row, steps = ahead.pop()
        if row["event"] in seen:
            continue
        seen.add(row["event"])
        further = [r for r in _before(world, row) if r["event"] not in seen] if steps < _FAR else []
        if further:
            ahead += [(r, steps + 1) for r in further]
        else:
            ends[row["event"]] = row
    return tuple(ends[e] for e in sorted(ends))


def _before(world: World, row: Row) -> list[Row]:
    """Return what a write took its content from: what its record names, else what holds the same, else what its client had read."""
    same = _same_content(world, row)
    return _sources(world, row) or ([same] if same else []) or _read_before(world, row)


def parts(world: World, row: Row) -> list[Row]:
    """Return the parts that were sent, or copied from elsewhere, under the upload that a write completed: who completes it need not have sent them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """
    upload = row["attrs"].get("upload")
    found = world.acts(
        "action IN ('aws.UploadPart', 'aws.UploadPartCopy') AND outcome = 'ok' AND split_part(object, '?', 1) = $o AND time <= $t",
        o=str(row["object"]).partition("?")[0], t=row["time"],
    ) if upload else []  # fmt: skip
    mine = [r for r in found if r["attrs"].get("upload") == upload]
    last = {(r["attrs"].get("part") or r["event"]): r for r in mine}  # a part that is sent again takes the place of the first
    return list(last.values())


def _sources(world: World, row: Row) -> list[Row]:
    """Return the writes of what a recorded copy or rename took, each part's of its own: that very version, else the last one before."""
    taken = dict.fromkeys(str(r[k]) for r in (row, *parts(world, row)) for k in ("target", "prior") if "://" in str(r[k] or ""))
    found = []
    for source in list(taken)[:_MOST]:
        rows = world.acts(
            "action = 'object.write' AND outcome = 'ok' AND time <= $t AND event <> $e AND (object = $o OR (NOT contains($o, '?') AND split_part(object, '?', 1) = $o))",
            o=source, t=row["time"], e=row["event"],
        )  # fmt: skip
        found += rows[-1:]
    return found


_MOST = 20
"""objects that one is made out of, each of which is followed"""


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


def _read_before(world: World, row: Row) -> list[Row]:
    """Return the last write of each object that the same account had read from the same place shortly before, of the same size or, where no size is kept, of the same name.

    That is a copy by way of the client; of several alike, what was made out of them (averaged checkpoints are as large as each).
    """
    rows = world.acts(
        "action = 'object.read' AND outcome = 'ok' AND actor = $a AND ip IS NOT DISTINCT FROM $ip AND time BETWEEN $low AND $t AND split_part(object, '?', 1) <> $o",
        a=row["actor"], ip=row["ip"], low=row["time"] - world.policy.windows["shared_exec"], t=row["time"], o=str(row["object"]).partition("?")[0],
    )  # fmt: skip
    read = {str(r["object"]): r for r in rows if _alike(r, row)}
    found = []
    for r in list(read.values())[-_MOST:]:
        found += world.acts(
            "action = 'object.write' AND outcome = 'ok' AND time < $t AND (object = $o OR (NOT contains($o, '?') AND split_part(object, '?', 1) = $o))",
            o=r["object"], t=r["time"],
        )[-1:]  # fmt: skip
    return found


def _alike(read: Row, written: Row) -> bool:
    sizes = [r["attrs"].get("bytes") for r in (read, written)]
    if all(sizes):
        return bool(sizes[0] == sizes[1])
    tails = [str(r["object"]).partition("?")[0].removesuffix("._COPYING_").rpartition("/")[2] for r in (read, written)]
    return tails[0] == tails[1]
