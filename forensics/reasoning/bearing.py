"""Which commits bear a change: it is in their tree, for it came with their first parent or with themselves, and was not taken back."""

from collections import defaultdict, deque
from dataclasses import dataclass

from forensics.reasoning.world import World

_NOTHING = "0" * 40


@dataclass(frozen=True, slots=True)
class Descent:
    """A commit and everything built on it."""

    parents: dict[str, list[str]]
    order: tuple[str, ...]
    """parents before children; the commit itself first"""


def bearing(world: World, commit: str) -> set[str]:
    """Return the commits whose tree holds what `commit` changed (references).

    A path's state goes from first parent to child, unless the child changes it: back to the blob that it was
    before the change, or by a revert (git's own wording of the subject), it is clean; to the changed blob, it bears;
    to anything else, it bears if any parent did: an edit on top does not take a change back.
    """
    descent = _descent(world, commit)
    before = _changes(world, [commit]).get(commit, {})
    after = _changes(world, [c for c in descent.order if c != commit], sorted(before))
    reverts = _reverts(world, commit)
    states: dict[str, set[str]] = {commit: set(before) or {""}}
    for child in descent.order[1:]:
        states[child] = set() if child in reverts else _state(descent.parents[child], states, before, after.get(child, {}))
    return {c for c, paths in states.items() if paths}


def _state(
    parents: list[str], states: dict[str, set[str]], before: dict[str, tuple[str, str]], changed: dict[str, tuple[str, str]]
) -> set[str]:
    """Return the paths in which a commit bears the change."""
    first = states.get(parents[0], set()) if parents else set()
    anywhere = {path for p in parents for path in states.get(p, set())}
    found = {path for path in first if path not in changed}
    for path, (_, blob) in changed.items():
        old, new = before[path]
        if blob == new or (blob != old and path in anywhere):
            found.add(path)
    return found


def _descent(world: World, commit: str) -> Descent:
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = defaultdict(list)
    repo = commit.partition("@")[0] + "@"
    rows = world.tables.rows(
        "SELECT DISTINCT object, CAST(json_extract(attrs, '$.parents') AS VARCHAR[]) AS parents FROM events WHERE action = 'code.commit' AND starts_with(object, $r) ORDER BY object",
        r=repo,
    )
    for row in rows:
        parents[row["object"]] = [repo + str(p).strip('"') for p in row["parents"] or []]
        for parent in parents[row["object"]]:
            children[parent].append(row["object"])
    reached, stack = {commit}, [commit]
    while stack:
        for child in children.get(stack.pop(), ()):
            if child not in reached:
                reached.add(child)
                stack.append(child)
    return Descent(parents, _sorted(commit, reached, parents, children))


def _sorted(commit: str, reached: set[str], parents: dict[str, list[str]], children: dict[str, list[str]]) -> tuple[str, ...]:
    """Order a commit's descendants, parents first (Kahn)."""
    waiting = {c: sum(p in reached for p in parents.get(c, ())) for c in reached}
    ready, order = deque([commit]), []
    waiting[commit] = 0
    while ready:
        here = ready.popleft()
        order.append(here)
        for child in children.get(here, ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    return tuple(order)


def _changes(world: World, commits: list[str], paths: list[str] | None = None) -> dict[str, dict[str, tuple[str, str]]]:
    """Return commit -> path -> (blob before, blob after)."""
    shas = {c.partition("@")[2]: c for c in commits}
    rows = world.tables.rows(
        """
        SELECT DISTINCT "commit", path, coalesce(old_blob, $zero) AS old, coalesce(new_blob, $zero) AS new FROM changes
        WHERE list_contains($s, "commit") AND ($all OR list_contains($p, path)) ORDER BY ALL
        """,
        s=sorted(shas), p=paths or [], all=paths is None, zero=_NOTHING,
    )  # fmt: skip
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in rows:
        found[shas[row["commit"]]][row["path"]] = (row["old"], row["new"])
    return found


def _reverts(world: World, commit: str) -> set[str]:
    """Return the commits whose message says that they revert this one (git's own wording, git-revert(1): subject or body)."""
    rows = world.tables.rows(
        """
        SELECT DISTINCT r.object FROM events c JOIN events r ON r.action = 'code.commit'
          AND (json_extract_string(r.attrs, '$.subject') = 'Revert "' || json_extract_string(c.attrs, '$.subject') || '"'
               OR contains(json_extract_string(r.attrs, '$.body'), 'This reverts commit ' || split_part(c.object, '@', 2)))
        WHERE c.action = 'code.commit' AND c.object = $c AND split_part(r.object, '@', 1) = split_part(c.object, '@', 1)
        """,
        c=commit,
    )
    return {r["object"] for r in rows}
