"""Whose earlier push a commit's content came with, where somebody or something else landed it: squash, rebase, cherry-pick, merge bot.

A commit that a merge makes anew has another id than what its author pushed; the content tells that it is the same change.
Its author counts only where he himself pushed that content before: a name in a commit is a claim. And only where whoever landed it did so openly,
as its committer or by the forge's own merge: else the same content may as well have been landed in the author's name.
"""

import json
from dataclasses import dataclass

from forensics.reasoning.act import Row
from forensics.reasoning.patches import lines_of, patch_of
from forensics.reasoning.world import World

_ZERO = "0" * 40

_SAME_CONTENT = """
    WITH want AS (SELECT DISTINCT path, coalesce(new_blob, $zero) AS blob, old_blob FROM changes WHERE "commit" = $c),
    same AS (
        SELECT DISTINCT c."commit" AS sha, c.path FROM changes c JOIN want w ON w.path = c.path AND coalesce(c.new_blob, $zero) = w.blob
        WHERE c."commit" <> $c AND (w.blob <> $zero OR c.old_blob IS NOT DISTINCT FROM w.old_blob)
    )
    SELECT s.sha, s.path, min(e.time) AS time, arg_min(e.events[1], e.time) AS event
    FROM same s JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND ends_with(e.dst, '@' || s.sha)
    WHERE e.time < $t GROUP BY ALL ORDER BY time DESC, s.sha, s.path
"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The push that first brought what another landed afterwards."""

    row: Row
    disputed: bool
    """the records do not tell whether the one or the other made the change"""


def earlier_push(world: World, sha: str, author: str | None, committer: str | None, row: Row) -> Earlier | None:
    """Return the author's own push that first brought a commit's whole content, before `row` landed it; None where there is none.

    Else, where a merge of the author's own request made the commit, the last push to the request's branch before that.
    """
    people = set(world.known.last_holders(author, row["time"]))
    lander = set(world.known.last_holders(row["actor"], row["time"]))
    if not people or people & lander:
        return None
    found, others = _by_content(world, sha, people, row)
    if found is None:
        asked = _by_request(world, people, row)
        return Earlier(row, disputed=True) if asked is None and _merged_in(world, sha, lander, committer, row) else asked
    openly = lander & set(world.known.last_holders(committer, row["time"])) or (_merged(world, row) and "after" not in others)
    return Earlier(found, disputed=not openly or "before" in others)


_CLOSE = 10_000_000_000
"""nanoseconds that a forge's record of a merge may lie apart from that of the push which it made"""


def _merged(world: World, row: Row) -> list[Row]:
    """Return the forge's own records that the lander merged a request then."""
    if row["attrs"].get("action") in _MERGES:
        return [row]
    return _merges(world, row)


_MERGES = ("pr_merge", "merge_queue_merge")


def _merges(world: World, row: Row) -> list[Row]:
    return world.acts(
        "action = 'code.merge' AND actor = $a AND time BETWEEN $low AND $high",
        a=row["actor"], low=row["time"] - _CLOSE, high=row["time"] + _CLOSE,
    )  # fmt: skip


def _by_content(world: World, sha: str, people: set[str], row: Row) -> tuple[Row | None, set[str]]:
    """Return the author's push with which the content became whole, and whether somebody else pushed of it after that, or before the author did."""
    wanted = {r["path"] for r in world.tables.rows('SELECT DISTINCT path FROM changes WHERE "commit" = $c', c=sha)}
    found = world.tables.rows(_SAME_CONTENT, c=sha, t=row["time"], zero=_ZERO)
    below = _ancestors(world, sha) if found else set()
    found = [r for r in found if r["sha"] not in below]  # an older state that is brought back is a change of its own
    acts = {a["event"]: a for a in world.acts("list_contains($e, event)", e=sorted({r["event"] for r in found}))}
    mine = _of(world, acts, found, people)
    lacking = wanted - {r["path"] for r in mine}
    if lacking and len(wanted) <= _MOST_PATHS:
        alike = [r for r in _same_lines(world, sha, lacking, row["time"]) if r["sha"] not in (below := below or _ancestors(world, sha))]
        acts |= {a["event"]: a for a in world.acts("list_contains($e, event)", e=sorted({r["event"] for r in alike}))}
        found = [*found, *alike]
        mine = _of(world, acts, found, people)
    if not wanted or {r["path"] for r in mine} != wanted:
        return None, set()
    covered: set[str] = set()
    last = None
    for r in sorted(mine, key=lambda r: (r["time"], r["event"])):  # the push with which the content became whole
        if r["path"] not in covered:
            covered.add(r["path"])
            last = acts[r["event"]]
    theirs = [r for r in found if r not in mine]
    first = {p: min(r["time"] for r in mine if r["path"] == p) for p in wanted}
    after = {"after" for r in theirs if last is not None and r["time"] > last["time"]}
    return last, after | {"before" for r in theirs if r["time"] < first[r["path"]]}


_MOST_PATHS = 20


def _same_lines(world: World, sha: str, paths: set[str], t: int) -> list[Row]:
    """Return, of those paths, the commits pushed before that add and take out the very lines that this one does, though the file differs elsewhere."""
    steps = world.tables.rows(
        'SELECT DISTINCT path, old_blob, new_blob FROM changes WHERE "commit" = $c AND list_contains($p, path)', c=sha, p=sorted(paths)
    )
    if not steps or len(steps) > _MOST_PATHS:
        return []
    others = world.tables.rows(
        """
        SELECT DISTINCT c."commit" AS sha, c.path, c.old_blob, c.new_blob, min(e.time) AS time, arg_min(e.events[1], e.time) AS event
        FROM changes c JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND ends_with(e.dst, '@' || c."commit")
        WHERE c."commit" <> $c AND list_contains($p, c.path) AND e.time < $t GROUP BY ALL ORDER BY time DESC, sha, c.path
        """,
        c=sha, p=sorted(paths), t=t,
    )  # fmt: skip
    wanted = sorted({b for s in (*steps, *others) for b in (s["old_blob"], s["new_blob"]) if b}) if others else []
    lines = {blob: lines_of(content) for blob, content in (world.blobs(wanted) if wanted else {}).items()} | {None: lines_of(b"")}
    patches = {s["path"]: patch_of(lines.get(s["old_blob"]), lines.get(s["new_blob"])) for s in steps}
    found = []
    for r in others:
        patch, old, new = patches.get(r["path"]), lines.get(r["old_blob"]), lines.get(r["new_blob"])
        if patch is not None and old is not None and new is not None and patch.within(old, new):
            found.append({k: r[k] for k in ("sha", "path", "time", "event")})
    return found


def _merged_in(world: World, sha: str, lander: set[str], committer: str | None, row: Row) -> bool:
    """Tell whether a push brought somebody else's commit, as it says itself, by a merge of another branch: of a fork, or of a patch that was handed on.

    Whoever merges is not who made it; nor does a name in a commit tell that. Where no push of that branch is in the evidence, nothing does.
    """
    if not committer or lander & set(world.known.last_holders(committer, row["time"])) or not row["target"]:
        return False
    heads = world.tables.rows(
        "SELECT DISTINCT attrs FROM events WHERE action = 'code.commit' AND split_part(object, '@', 2) = $s ORDER BY 1",
        s=str(row["target"]).partition("@")[2],
    )
    parents = next((p for h in heads if len(p := json.loads(h["attrs"] or "{}").get("parents") or []) > 1), [])
    if not parents:
        return False
    first = _ancestors(world, parents[0]) | {parents[0]}
    return sha not in first and any(sha == p or sha in _ancestors(world, p) for p in parents[1:])


def _of(world: World, acts: dict[int, Row], found: list[Row], people: set[str]) -> list[Row]:
    """Return those that one of these people's accounts pushed."""
    return [r for r in found if set(world.known.holders(acts[r["event"]]["actor"], r["time"])) & people]


def _ancestors(world: World, sha: str) -> set[str]:
    """Return the commits that a commit was built on."""
    parents: dict[str, list[str]] = {}
    for edge in world.tables.rows(
        "SELECT DISTINCT split_part(src, '@', 2) AS parent, split_part(dst, '@', 2) AS child FROM edges WHERE rule = 'ancestry' ORDER BY ALL"
    ):
        parents.setdefault(edge["child"], []).append(edge["parent"])
    seen: set[str] = set()
    stack = [sha]
    while stack:
        for parent in parents.get(stack.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return seen


def _by_request(world: World, people: set[str], row: Row) -> Earlier | None:
    """Follow a merge record back to the request that the author opened, and that to his push.

    Only where the forge's own record says that its merge made the commit, and what the author pushed is no longer in the evidence:
    else the contents decide, and whoever merges one thing could push another beside it in the author's name. Where somebody else pushed
    to that branch, too, whose the content is nobody can tell.
    """
    if row["attrs"].get("action") not in _MERGES:
        return None
    merges = _merges(world, row)
    requests = world.acts(
        "action = 'code.request' AND list_contains($o, object) AND time < $t", o=[m["object"] for m in merges if m["object"]], t=row["time"]
    )
    opened = [r for r in requests if set(world.known.holders(r["actor"], r["time"])) & people]
    if len(merges) != 1 or not opened:
        return None
    pushed = _pushed(world, row, opened[-1])
    mine = [r for r in pushed if r["actor"] == opened[-1]["actor"]]
    if not mine or world.tables.rows(
        "SELECT 1 AS x FROM events WHERE action = 'code.commit' AND split_part(object, '@', 2) = $s LIMIT 1",
        s=str(mine[-1]["target"]).partition("@")[2],
    ):
        return None
    others = [r for r in pushed if r["object"] == mine[-1]["object"] and not set(world.known.last_holders(r["actor"], r["time"])) & people]
    return Earlier(mine[-1], disputed=bool(others))


def _pushed(world: World, row: Row, opened: Row) -> list[Row]:
    """Return the pushes to other branches of the repository than the one landed on, from before the request was opened until it was merged."""
    return world.acts(
        "action = 'code.push' AND actor IS NOT NULL AND starts_with(object, $r) AND object <> $o AND target IS NOT NULL AND outcome = 'ok' AND time BETWEEN $low AND $t",
        r=str(row["object"]).partition("#")[0], o=row["object"], t=row["time"], low=opened["time"] - world.policy.windows["login"],
    )  # fmt: skip
