"""Accounts that a source writes under names of later: an export of today tells yesterday's act by today's name."""

from forensics.reasoning.act import Row
from forensics.reasoning.world import World


def renamed_since(world: World, row: Row) -> bool:
    """Tell whether a record's account can't be read by its name: the name had several holders over time, and its source shows that it does not write names as of then.

    It does not where one number (GitLab's `author_id`, which lasts) acted under one name on both sides of a change of its holder, or acted under a name
    before anybody had it. https://docs.gitlab.com/api/events/ shows the user as it is when asked. Of the time since the name came to its last holder,
    the name of today is the name of then.
    """
    held = world.known.by_identifier.get(str(row["actor"]), ())
    if len({h.person for h in held}) < 2 or row["attrs"].get("author_id") is None:
        return False
    last = max(held, key=lambda h: h.since or 0)
    if last.since is not None and last.live(row["time"]):
        return False
    rows = world.tables.rows(
        """
        SELECT actor, json_extract_string(attrs, '$.author_id') AS number, min(time) AS first, max(time) AS last FROM events
        WHERE source = $s AND actor IS NOT NULL AND json_extract_string(attrs, '$.author_id') IS NOT NULL GROUP BY ALL ORDER BY ALL
        """,
        s=row["source"],
    )
    return any(_late(world, str(r["actor"]), r["first"], r["last"]) for r in rows)


def _late(world: World, account: str, first: int, last: int) -> bool:
    held = world.known.by_identifier.get(account, ())
    before, after = set(world.known.holders(account, first)), set(world.known.holders(account, last))
    not_yet = bool(held) and not before and all(h.since is not None and h.since > first for h in held)
    return not_yet or bool(before and after and not before & after)
