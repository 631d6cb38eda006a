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
    commits: tuple[str, ...] = ()
    """where whoever landed it had pushed it all himself before: ids of the commits with which its content came"""


def earlier_push(world: World, sha: str, path: str | None, author: str | None, committer: str | None, row: Row) -> Earlier | None:
    """Return the author's own push that first brought a commit's content (of one path, where one is asked about), before `row` landed it; None where there is none.

    Else, where a merge of the author's own request made the commit, the last push to the request's branch before that. Where whoever merged it on the
    forge had pushed it himself, in whose name ever, that push: what he merged lay there already. Disputed where somebody else
    pushed that content first, and where a merge brought or made what its presser never pushed: to land is not to make.
    """
    people = set(world.known.last_holders(author, row["time"]))
    robot = world.known.kind(row["actor"], row["time"]) == "service"
    lander = set() if robot else set(world.known.last_holders(row["actor"], row["time"]))
    wanted = _telling(world, sha, path)
    if not wanted:
        return None
    if not people:
        return _of_unknown_author(world, sha, wanted, lander, row)
    same = _same(world, sha, wanted, row, lines=not people & lander)
    if people & lander:
        pressed = row["attrs"].get("action") in MERGES
        return _first_elsewhere(same, lander) or (
            _own_request(_same(world, sha, wanted, row, lines=True), wanted, lander) if pressed else None
        )
    mine = [s for s in same if s.who & people]
    if {s.path for s in mine} != wanted:
        return _unpushed(world, sha, (people, lander), wanted, committer, same, row)
    whole = max(_firsts(mine).values(), key=_order)  # the push with which the content became whole
    theirs = [s for s in same if not s.who & people]
    again = any(s.row["time"] > whole.row["time"] for s in theirs)
    before = any(s.row["time"] < _firsts(mine)[s.path].row["time"] for s in theirs)
    openly = lander & set(world.known.last_holders(committer, row["time"])) or (_merged(world, row) and not again)
    return Earlier(whole.row, disputed=not openly or before)


_EMPTY = ("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813")
"""git's names of a file without content, by SHA-1 and SHA-256"""


def _telling(world: World, sha: str, path: str | None) -> set[str]:
    """Return the paths of a commit whose content can tell whose it is: an empty file is everybody's, where there are others."""
    rows = world.tables.rows('SELECT DISTINCT path, new_blob FROM changes WHERE "commit" = $c AND ($p IS NULL OR path = $p)', c=sha, p=path)
    return {r["path"] for r in rows if r["new_blob"] not in _EMPTY} or {r["path"] for r in rows}


@dataclass(frozen=True, slots=True)
class _Same:
    """An earlier push of a path's content."""

    path: str
    row: Row
    who: frozenset[str]
    commit: str


def _order(same: _Same) -> tuple[int, int]:
    return same.row["time"], same.row["event"]


def _firsts(same: list[_Same]) -> dict[str, _Same]:
    """Return the first push of each path's content."""
    return {s.path: s for s in sorted(same, key=_order, reverse=True)}


def _of_unknown_author(world: World, sha: str, wanted: set[str], lander: set[str], row: Row) -> Earlier | None:
    """Return the push with which all of a content came that another landed later, where its author's address is nobody's that is known; disputed, where it came in parts, or was not landed by the forge's own merge."""
    theirs = [s for s in _firsts(_same(world, sha, wanted, row, lines=True)).values() if s.who and not s.who & lander]
    if not theirs:
        return None
    whole = {s.path for s in theirs} == wanted and len({s.who for s in theirs}) == 1
    return Earlier(max(theirs, key=_order).row, disputed=not (whole and _merged(world, row)))


def _first_elsewhere(same: list[_Same], lander: set[str]) -> Earlier | None:
    """Return what somebody else pushed first of a commit that its author landed himself: a colleague's work on the same branch."""
    theirs = [s for s in _firsts(same).values() if s.who and not s.who & lander]
    return Earlier(min(theirs, key=_order).row, disputed=True) if theirs else None


def _own_request(same: list[_Same], wanted: set[str], lander: set[str]) -> Earlier | None:
    """Return every push of what its presser then merged on the forge, where they are his alone: a merge takes what lies on the branch."""
    commits = tuple(sorted({s.commit for s in same}))
    if {s.path for s in same} != wanted or not all(s.who & lander for s in same) or len(commits) > _MOST_PATHS:
        return None
    return Earlier(max(_firsts(same).values(), key=_order).row, disputed=False, commits=commits)


def _unpushed(
    world: World, sha: str, sides: tuple[set[str], set[str]], wanted: set[str], committer: str | None, same: list[_Same], row: Row
) -> Earlier | None:
    """Return whose it may be where the author did not push all of it: by his request; disputed, where others pushed of it or a merge brought it."""
    people, lander = sides
    first = _firsts(same)
    if set(first) == wanted and all(s.who & lander for s in first.values()):
        return _own_request(same, wanted, lander) if row["attrs"].get("action") in MERGES else None
    asked = _by_request(world, people, row)
    if asked is not None:
        return asked
    theirs = [s for s in first.values() if s.who and not s.who & lander]
    if theirs:
        return Earlier(min(theirs, key=_order).row, disputed=True)
    return Earlier(row, disputed=True) if _merged(world, row) or _merged_in(world, sha, lander, committer, row) else None


_CLOSE = 10_000_000_000
"""nanoseconds that a forge's record of a merge may lie apart from that of the push which it made"""


def _merged(world: World, row: Row) -> list[Row]:
    """Return the forge's own records that the lander merged a request then."""
    if row["attrs"].get("action") in MERGES:
        return [row]
    return _merges(world, row)


MERGES = ("pr_merge", "merge_queue_merge")
"""how a forge says that a push was the accepting of a request (REST API, repository activities)"""


def _merges(world: World, row: Row) -> list[Row]:
    return world.acts(
        "action = 'code.merge' AND actor = $a AND time BETWEEN $low AND $high",
        a=row["actor"], low=row["time"] - _CLOSE, high=row["time"] + _CLOSE,
    )  # fmt: skip


def _same(world: World, sha: str, wanted: set[str], row: Row, *, lines: bool) -> list[_Same]:
    """Return the pushes before `row` of the content that a commit gives these paths: the same files, else, if asked for, the same lines of them."""
    found = [r for r in world.tables.rows(_SAME_CONTENT, c=sha, t=row["time"], zero=_ZERO) if r["path"] in wanted]
    lacking = wanted - {r["path"] for r in found}
    if lines and lacking and len(wanted) <= _MOST_PATHS:
        found += _same_lines(world, sha, lacking, row["time"])
    below = _ancestors(world, sha) if found else set()
    found = [r for r in found if r["sha"] not in below]  # an older state that is brought back is a change of its own
    acts = {a["event"]: a for a in world.acts("list_contains($e, event)", e=sorted({r["event"] for r in found}))}
    return [
        _Same(r["path"], acts[r["event"]], frozenset(world.known.holders(acts[r["event"]]["actor"], r["time"])), r["sha"])
        for r in found
        if r["event"] in acts
    ]


_MOST_PATHS = 20
_MOST_STEPS = 2000
"""changes of these paths that are compared, the latest before: of a file that a robot writes every hour there may be any number"""


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
        WHERE c."commit" <> $c AND list_contains($p, c.path) AND e.time < $t GROUP BY ALL ORDER BY time DESC, sha, c.path LIMIT $most
        """,
        c=sha, p=sorted(paths), t=t, most=_MOST_STEPS,
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
    if row["attrs"].get("action") not in MERGES:
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
