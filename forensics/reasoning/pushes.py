"""Which push brought a commit, with every other record of that push."""

import json
from dataclasses import replace

from forensics import times
from forensics.reasoning.act import Act, Row, made
from forensics.reasoning.commands import line_of
from forensics.reasoning.landed import earlier_push
from forensics.reasoning.renamed import renamed_since
from forensics.reasoning.spelled import fits
from forensics.reasoning.world import World


def brought(world: World, commit: str, path: str | None, claimed: Row | None) -> tuple[Act | None, tuple[Row, ...]]:
    """Return the push that brought a commit, in whichever repository it came first, with every other record of that push.

    Where another landed what its author had pushed before (squash, rebase, merge bot), that earlier push is the act; where he did so under the author's
    name alone, none is.
    """
    sha = commit.partition("@")[2]
    rows = world.tables.rows(
        "SELECT events[1] AS event FROM edges WHERE rule = 'pushed-commits' AND recorded AND ends_with(dst, $sha) ORDER BY time, event LIMIT 1",
        sha="@" + sha,
    )  # fmt: skip
    if not rows:
        return None, ()
    row = _push(world, rows[0]["event"])
    records = _records(world, row)
    before = earlier_push(world, sha, path, claimed["claimed"] if claimed else None, _committer(claimed), row)
    if before and before.disputed:
        return None, (*records, *_records(world, before.row))
    if before and before.commits:
        first = _own_request(world, [f"{commit.partition('@')[0]}@{s}" for s in before.commits], path, row)
        if first:
            return replace(first, landed=tuple(records)), ()
        before = None
    records = _records(world, before.row) if before else records
    own = _own_later(world, commit, claimed, row) if not before else []
    if len({holder(world, r) for r in (*records, *own)}) > 1:
        return None, (*records, *own)
    if not before and (
        _older_than_the_records(world, commit, claimed, row)
        or _made_by_its_author(world, claimed, row)
        or any(renamed_since(world, r) for r in records if not _as_of_then(r, records))
    ):
        return None, tuple(records)
    return replace(made(records[0], records), landed=tuple(_records(world, row)) if before else ()), ()


def _push(world: World, event: int) -> Row:
    """Return the record of a push; where a copy out of its keeper's reach names another, that one, of the same commit."""
    counts = dict(world.conflicts.pairs)
    if event not in counts:
        return world.acts("event = $e", e=event)[0]
    told = world.tables.rows("SELECT object, target FROM acts WHERE event = $e", e=event)[0]
    best = counts[event]
    while best in counts:
        best = counts[best]
    row = world.acts("event = $e", e=best)[0]
    return row | {k: row[k] if k == "target" and row[k] else told[k] for k in ("object", "target")}


def _own_request(world: World, commits: list[str], path: str | None, row: Row) -> Act | None:
    """Return the last push of what its own presser merged then; None where one of these commits, had it been asked about, would be nobody's or somebody else's.

    Nor where they came from several addresses: then one of his pushes may be of somebody who has his credential.
    """
    acts = []
    for commit in commits:
        claimed = world.tables.rows(
            "SELECT id, action, time, claimed, attrs, source FROM events WHERE action = 'code.commit' AND split_part(object, '@', 2) = $s ORDER BY id LIMIT 1",
            s=commit.partition("@")[2],
        )  # fmt: skip
        act, _ = brought(world, commit, path, claimed[0] if claimed else None)
        if act is None or act.landed or holder(world, act.rows[0]) != holder(world, row):
            return None
        acts.append(act)
    return max(acts, key=lambda a: a.time) if len({a.ip for a in acts}) == 1 else None


def _as_of_then(row: Row, records: list[Row]) -> bool:
    """Tell whether another log of the push bears the same account, and writes names down as they are at the time (gitlab-shell.log does)."""
    return any(r["source"] != row["source"] and r["actor"] == row["actor"] and r["attrs"].get("author_id") is None for r in records)


def _older_than_the_records(world: World, commit: str, claimed: Row | None, row: Row) -> bool:
    """Tell whether a commit says that somebody else made it before the records of pushes begin: who pushed it then, a restored branch may not have made it.

    Where its parent was first pushed after that date, the date is not true, and the first recorded push is the first.
    """
    if claimed is None or claimed["time"] is None or world.known.kind(row["actor"], row["time"]) == "service":
        return False
    authors = set(world.known.last_holders(claimed["claimed"], claimed["time"]))
    makers = authors | set(world.known.last_holders(_committer(claimed), claimed["time"]))
    if not authors or makers & set(world.known.last_holders(row["actor"], row["time"])):
        return False
    repo = commit.partition("@")[0].removeprefix("git:")
    begun = world.tables.rows("SELECT min(time) AS first FROM pushes WHERE repo = $r", r=repo)[0]["first"]
    if begun is None or claimed["time"] >= begun:
        return False
    parents = json.loads(str(claimed["attrs"] or "{}")).get("parents") or []
    later = world.tables.rows(
        "SELECT 1 AS x FROM edges WHERE rule = 'pushed-commits' AND recorded AND list_contains($p, split_part(dst, '@', 2)) AND time > $t LIMIT 1",
        p=[str(p) for p in parents], t=claimed["time"],
    )  # fmt: skip
    return not later


_MAKES = ("git commit", "git cherry-pick", "git am", "git rebase", "git merge", "git revert")
"""how a command begins that makes a commit"""


def _made_by_its_author(world: World, claimed: Row | None, row: Row) -> bool:
    """Tell whether a sensor or host saw the person whom a commit names as author make one at the very second that it names, where somebody else pushed it: who carries it along did not make it."""
    if claimed is None:
        return False
    facts = json.loads(str(claimed["attrs"] or "{}"))
    authors = set(world.known.last_holders(claimed["claimed"], row["time"]))
    if not authors or authors & set(world.known.last_holders(row["actor"], row["time"])):
        return False
    for moment in {t for t in (claimed["time"], facts.get("author_time")) if isinstance(t, int)}:
        rows = world.acts(
            "(action = 'process.exec' OR starts_with(action, 'device.process')) AND outcome = 'ok' AND actor IS NOT NULL AND time BETWEEN $low AND $high",
            low=moment - _CLOSE, high=moment + _CLOSE,
        )  # fmt: skip
        for r in rows:
            line = str(r["object"] or "") if r["action"].startswith("device.") else line_of(r)
            if fits(line, _MAKES) and authors & set(world.known.last_holders(r["actor"], r["time"])):
                return True
    return False


def _committer(claimed: Row | None) -> str | None:
    """Return the committer that a commit names."""
    email = json.loads(str(claimed["attrs"] or "{}")).get("committer_email") if claimed else None
    return f"email:{email}" if email else None


def _own_later(world: World, commit: str, claimed: Row | None, row: Row) -> list[Row]:
    """Return the push by which the commit's author himself put just this commit on another ref, after somebody's push had carried it below its head.

    Whoever builds on a colleague's commit before it is pushed carries it along; whoever writes in a colleague's name may wait until he does. The records
    of the pushes do not tell the two apart.
    """
    if row["target"] in (None, commit) or claimed is None:
        return []
    rows = world.acts(
        "action = 'code.push' AND target = $c AND outcome = 'ok' AND object <> $o AND time > $t", c=commit, o=row["object"], t=row["time"]
    )
    mine = [r for r in rows if set(world.known.holders(claimed["claimed"], r["time"])) & set(world.known.holders(r["actor"], r["time"]))]
    return mine[:1]


def _records(world: World, row: Row) -> list[Row]:
    """Return a push's record with every other record of that push."""
    push = world.tables.rows("SELECT * FROM pushes WHERE event = $e", e=row["event"])[0]
    echoes = world.tables.rows(
        """
        SELECT event FROM pushes WHERE event <> $e AND repo = $repo
          AND ((after = $after AND ref IS NOT DISTINCT FROM $ref) OR (after IS NULL AND actor = $actor AND abs(time - $t) <= $w))
        ORDER BY after IS NULL, abs(time - $t), event LIMIT 6
        """,
        e=row["event"], repo=push["repo"], ref=push["ref"], t=row["time"], w=world.policy.windows["same_act"], after=push["after"], actor=row["actor"],
    )  # fmt: skip
    known = {r["event"]: r for r in world.acts("list_contains($e, event)", e=[r["event"] for r in echoes])}
    others = [known[r["event"]] for r in echoes if r["event"] in known]
    same = [
        o
        for o in others
        if o["target"] is None or abs(o["time"] - row["time"]) <= world.policy.windows["same_act"] or o["source"] != row["source"]
    ]
    return [row, *_one_a_source(row, [o for o in same if o["target"] is not None or _of_this_push(world, row, push["repo"], o)])]


def _of_this_push(world: World, row: Row, repo: str, echo: Row) -> bool:
    """Tell whether a connection whose record names no commit is this push's, and not that of another of the same account to the same repository.

    It is this one's if no other push was near enough to be meant; else where there are as many connections as pushes, and it is of the same place in
    their order; or where it is within seconds of this push and of no other. What was pushed within a second went over one connection.
    """
    near = world.policy.windows["same_act"]
    low, high = echo["time"] - near, echo["time"] + near
    rows = world.tables.rows(
        "SELECT DISTINCT p.time FROM pushes p JOIN acts a ON a.event = p.event WHERE p.after IS NOT NULL AND a.outcome = 'ok' AND p.repo = $r AND p.actor = $a AND p.time BETWEEN $low AND $high",
        r=repo, a=echo["actor"], low=low, high=high,
    )  # fmt: skip
    pushes = _bursts([r["time"] for r in rows])
    if len(pushes) <= 1:
        return True
    rows = world.tables.rows(
        "SELECT DISTINCT p.time FROM pushes p JOIN acts a ON a.event = p.event WHERE p.after IS NULL AND a.source = $s AND p.repo = $r AND p.actor = $a AND p.time BETWEEN $low AND $high",
        s=echo["source"], r=repo, a=echo["actor"], low=low, high=high,
    )  # fmt: skip
    connections = _bursts([r["time"] for r in rows])
    if len(connections) != len(pushes):
        nearest, *others = sorted(min(abs(t - echo["time"]) for t in burst) for burst in pushes)
        return nearest <= _CLOSE and all(o > nearest + _CLOSE for o in others) and abs(row["time"] - echo["time"]) <= nearest + times.SECOND
    place = [n for n, burst in enumerate(connections) if echo["time"] in burst]
    return any(row["time"] in pushes[n] for n in place)


_CLOSE = 5 * times.SECOND
"""by how much a push that a connection belongs to is nearer to it than any other"""


def _bursts(moments: list[int]) -> list[set[int]]:
    """Group moments that follow each other within a second."""
    found: list[set[int]] = []
    for moment in sorted(moments):
        if found and moment - max(found[-1]) <= times.SECOND:
            found[-1].add(moment)
        else:
            found.append({moment})
    return found


def _one_a_source(row: Row, others: list[Row]) -> list[Row]:
    """Keep the nearest record of every other source, and whatever names another account."""
    seen, kept = {row["source"]}, []
    for other in others:
        if other["source"] not in seen or other["actor"] != row["actor"]:
            kept.append(other)
            seen.add(other["source"])
    return kept


def holder(world: World, row: Row) -> tuple[str, ...] | str:
    """Return whose account acted: two accounts of one person are one."""
    return world.known.last_holders(row["actor"], row["time"]) or str(row["actor"])
