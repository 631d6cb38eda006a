"""Whether a change was reviewed by somebody else before it landed, and taken back, and by whom."""

import json
from dataclasses import dataclass

from forensics.reasoning.act import Row
from forensics.reasoning.bearing import reverts
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

_DAYS = 7 * 86_400_000_000_000
_MAIN = frozenset(("main", "master", "trunk", "develop", "default"))
"""branches that requests end in"""
_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Handling:
    """What the forge's records say of how a change was dealt with."""

    requests: tuple[Row, ...] = ()
    """the merge request that it came with"""
    reviews: tuple[Row, ...] = ()
    """approvals and merges by other people than its maker"""
    taken_back: tuple[int, ...] = ()
    """commits that revert it"""
    by_maker: bool = False
    """its maker's own account brought one of them, or one bears his name"""


def handling(world: World, dossier: Dossier) -> Handling:
    """Return how the change in question was dealt with; nothing for what is no commit."""
    act = dossier.act
    if act is None or act.kind != "code.push" or "@" not in dossier.objects[0]:
        return Handling()
    makers = set(world.known.last_holders(act.account, act.time[0]))
    requests = _requests(world, dossier)
    objects = [r["object"] for r in requests]
    seen = world.acts("action IN ('code.review', 'code.merge') AND list_contains($o, object) AND time >= $t", o=objects, t=act.time[0])
    reviews = [r for r in seen if not set(world.known.holders(r["actor"], r["time"])) & makers]
    repo = dossier.objects[0].partition("@")[0]
    undone = sorted({f"{repo}@{sha}" for commit in _landed(world, dossier.objects[0]) for sha in reverts(world, commit)})
    brought = world.tables.rows(
        "SELECT events[1] AS event FROM edges WHERE rule = 'pushed-commits' AND list_contains($c, dst) ORDER BY time, event", c=undone
    )
    pushers = world.acts("list_contains($e, event)", e=[r["event"] for r in brought])
    commits = world.tables.rows(
        "SELECT min(id) AS id, any_value(claimed ORDER BY id) AS author FROM events WHERE action = 'code.commit' AND list_contains($c, object) GROUP BY object ORDER BY 1", c=undone
    )  # fmt: skip
    mine = any(set(world.known.holders(r["actor"], r["time"])) & makers for r in pushers)
    mine = mine or any(set(world.known.last_holders(c["author"], act.time[1])) & makers for c in commits)
    return Handling(tuple(requests), tuple(reviews), tuple(c["id"] for c in commits), mine)


def _landed(world: World, commit: str) -> list[str]:
    """Return the commit and those that landed its very content: a merge or squash of it is what gets reverted."""
    repo, _, sha = commit.partition("@")
    rows = world.tables.rows(
        """
        WITH mine AS (SELECT DISTINCT path, new_blob FROM changes WHERE "commit" = $c)
        SELECT c."commit" AS sha FROM (SELECT DISTINCT "commit", path, new_blob FROM changes) c JOIN mine USING (path)
        WHERE c.new_blob IS NOT DISTINCT FROM mine.new_blob GROUP BY ALL HAVING count(*) = (SELECT count(*) FROM mine) ORDER BY 1
        """,
        c=sha,
    )
    return [commit, *(f"{repo}@{r['sha']}" for r in rows if r["sha"] != sha)]


def _requests(world: World, dossier: Dossier) -> list[Row]:
    """Return the request that the maker opened for this change: of its branch or with the commit's subject as its title, else the first one after the push.

    What was pushed straight to the branch that others' requests end in came with none: one that follows is about something else.
    """
    act = dossier.act
    assert act is not None
    branches = {str(r["object"] or "").partition("#refs/heads/")[2] for r in act.rows if r["action"] == "code.push"} - {""}
    rows = world.acts(
        "action = 'code.request' AND actor = $a AND time BETWEEN $low AND $high",
        a=act.account,
        low=act.time[0] - _HOUR,
        high=act.time[1] + _DAYS,
    )
    facts = json.loads(dossier.claimed["attrs"]) if dossier.claimed and dossier.claimed["attrs"] else {}
    subject = str(facts.get("subject") or "")
    titled = [r for r in rows if subject and str(r["attrs"].get("title") or "") and subject.startswith(str(r["attrs"]["title"]))]
    of_branch = [r for r in rows if str(r["attrs"].get("branch") or "") in branches]
    unnamed = [r for r in rows if not r["attrs"].get("branch") and not branches & _MAIN and r["time"] <= act.time[1] + 2 * _DAYS // 7]
    return of_branch[:1] or titled[:1] or unnamed[:1]
