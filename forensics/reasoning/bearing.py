"""Which commits bear a change: it is in their tree, for it came with their first parent or with themselves, and was not taken back.

A path's state goes from first parent to child, unless the child changes it. Then the blob tells: the one from before the change is clean, the
changed one bears it, and of any other the content is asked: what the change added (or took out) is still there (or gone), or is not. Where the
content cannot be read, an edit on top takes no change back.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter

from forensics.reasoning.patches import Lines, Patch, lines_of, patch_of
from forensics.reasoning.world import World

_DEEPEST = 20
"""renames of one file that are followed"""
_MOST_PATHS = 500
"""paths of a change beyond which no content is read: it is an import, and no edit is looked for by hand"""

State = dict[str, str]
"""path as changed -> its name now, of the paths that bear the change"""


@dataclass(frozen=True, slots=True)
class Step:
    """What a commit did to a path, against its first parent; an id is empty where there was no file."""

    path: str
    was: str
    """its name before"""
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class History:
    """All commits of all repositories, by their ids: a fork shares them."""

    parents: dict[str, list[str]]
    children: dict[str, list[str]]
    names: dict[str, list[str]]
    """references"""
    places: dict[str, int] = field(default_factory=dict)
    """of each commit among all, parents first; empty where that can't be: no ids by content, and commits that are before themselves"""

    def after(self, origins: Iterable[str]) -> tuple[str, ...]:
        """Return the origins and everything built on them, parents first."""
        reached = _reach(origins, self.children)
        if reached <= self.places.keys():
            return tuple(sorted(reached, key=self.places.__getitem__))
        return tuple(self.in_order(reached))

    def in_order(self, commits: set[str]) -> list[str]:
        """Return these commits, parents first (Kahn)."""
        waiting = {c: sum(p in commits for p in self.parents.get(c, ())) for c in commits}
        ready, order = deque(sorted(c for c in commits if not waiting[c])), []
        while ready:
            here = ready.popleft()
            order.append(here)
            for child in self.children.get(here, ()):
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return order


@dataclass(frozen=True, slots=True)
class Change:
    """The change that is asked about."""

    steps: dict[str, Step]
    """by path"""
    patches: dict[str, Patch]
    """of the paths whose contents can be read and compared"""
    formerly: dict[str, set[str]]
    """name of a file -> the changed paths that it may once have been"""
    lines: dict[str, Lines] = field(default_factory=dict)
    """of the blobs that were read"""

    def borne(self, path: str, blob: str, *, before: bool) -> bool:
        """Tell whether a path with that blob bears the change; `before`: whether it did in a parent."""
        made = self.steps[path]
        if blob in (made.new, made.old):
            return blob == made.new
        if not blob:
            return False
        patch, lines = self.patches.get(path), self.lines.get(blob)
        if patch is None or lines is None:
            return before
        return patch.remains(lines) if before else patch.whole(lines)  # what was taken back counts again where all of it is back

    def untouched(self, path: str, blob: str) -> bool:
        """Tell whether all of the change is known to stand in a blob."""
        patch, lines = self.patches.get(path), self.lines.get(blob)
        return blob == self.steps[path].new or (patch is not None and lines is not None and patch.whole(lines))


@dataclass(frozen=True, slots=True)
class Book:
    """What the tables hold of the changes that are asked about, looked up at once for all of them."""

    history: History
    made: dict[str, list[Step]]
    """what these commits did"""
    touched: dict[str, list[tuple[str, Step]]]
    """name of a file -> the commits that changed it, or that moved it from there"""
    renamed: dict[str, set[str]]
    """name of a file -> its names after renames"""
    reverts: dict[str, dict[str, bool]]
    """commit -> those that say that they revert it, in git's own wording (git-revert(1)): by its id (true), or by its subject"""


def bearing(world: World, commit: str, book: Book | None = None) -> set[str]:
    """Return the commits whose tree holds what `commit` changed (references), in whatever repository they lie; `book`: where it was opened for several."""
    sha = commit.partition("@")[2]
    book = book or open_book(world, [commit])
    history = book.history
    made = {s.path: s for s in book.made.get(sha, ())}
    if not made:
        return _names(history, {c: {"": ""} for c in history.after([sha])}, commit)
    formerly = _formerly(book, made)
    steps = _steps_to(book, formerly)
    change = Change(made, _patches(world, made.values()), formerly)
    origins = [sha, *_copies(world, history, sha, change, steps)]
    order = history.after(origins)
    blobs = {s.new for c in order for s in steps.get(c, ()) if any(p in change.patches for p in formerly.get(s.path, ()))}
    change.lines.update(_lines(world, blobs, change.patches))
    return _names(history, _states(history, order, set(origins), change, steps, book.reverts.get(commit, {})), commit)


def open_book(world: World, commits: Collection[str]) -> Book:
    """Look up what `bearing` needs of these commits; the contents that it will ask for are read once, as far as there is room."""
    made = _steps(world, commits=[c.partition("@")[2] for c in commits])
    names = {step.path for steps in made.values() for step in steps}
    renamed = _renamed(world, names)
    names.update(*renamed.values())
    touched: dict[str, list[tuple[str, Step]]] = defaultdict(list)
    for commit, steps in _steps(world, paths=names).items():
        for step in steps:
            for name in {step.path, step.was}:
                touched[name].append((commit, step))
    blobs = {blob for steps in touched.values() for _, step in steps for blob in (step.old, step.new) if blob}
    if len(commits) > 1 and blobs:
        world.blobs(blobs)
    return Book(history_of(world), made, dict(touched), renamed, _reverts(world, commits))


def _names(history: History, states: dict[str, State], commit: str) -> set[str]:
    return {name for c, paths in states.items() if paths for name in history.names.get(c, ())} | {commit}


# --- states -----------------------------------------------------------------------------------------------------------


def _states(
    history: History,
    order: tuple[str, ...],
    origins: set[str],
    change: Change,
    steps: dict[str, list[Step]],
    reverts: dict[str, bool],
) -> dict[str, State]:
    """Return, for every commit, the paths in which it bears the change."""
    states: dict[str, State] = {}
    for here in order:
        if here in origins:
            states[here] = {path: path for path in change.steps}
            continue
        parents = history.parents.get(here, [])
        if reverts.get(here):
            states[here] = {}
            continue
        touched = steps.get(here)
        if not touched:
            states[here] = states.get(parents[0], {}) if parents else {}
            continue
        states[here] = _state([states.get(p, {}) for p in parents], change, touched)
        if here in reverts and _takes_back(states[here], change, touched):
            states[here] = {}
    return states


def _state(parents: list[State], change: Change, touched: Collection[Step]) -> State:
    """Return the paths in which a commit bears the change, from its parents' states and what it did itself."""
    first = parents[0] if parents else {}
    anywhere = {path for p in parents for path in p}
    found = dict(first)
    for step in touched:
        for path in change.formerly.get(step.path, ()):
            if path in first and first[path] not in (step.path, step.was):
                continue  # another file that bears one of its names
            found.pop(path, None)
            if change.borne(path, step.new, before=path in anywhere):
                found[path] = step.path
    return found


def _takes_back(state: State, change: Change, touched: Collection[Step]) -> bool:
    """Tell whether a commit that bears the subject of a revert is one of this change: subjects repeat, and this one left all of it in place."""
    concerned = [(path, s.new) for s in touched for path in change.formerly.get(s.path, ())]
    return bool(concerned) and not all(path in state and change.untouched(path, blob) for path, blob in concerned)


# --- what is asked of the tables ------------------------------------------------------------------------------------------


def history_of(world: World) -> History:
    """Return all commits with their parents."""
    rows = world.tables.rows("""
        SELECT DISTINCT object, split_part(object, '@', 2) AS sha, CASE WHEN json_type(attrs, '$.parents') = 'ARRAY' THEN CAST(json_extract(attrs, '$.parents') AS VARCHAR[]) END AS parents
        FROM events WHERE action = 'code.commit' AND contains(object, '@') ORDER BY object
    """)
    history = History({}, defaultdict(list), defaultdict(list))
    for row in rows:
        history.names[row["sha"]].append(row["object"])
        if row["sha"] not in history.parents:
            history.parents[row["sha"]] = [str(p).strip('"') for p in row["parents"] or []]
            for parent in dict.fromkeys(history.parents[row["sha"]]):
                history.children[parent].append(row["sha"])
    order = history.in_order({*history.parents, *history.children})
    whole = len(order) == len(history.parents.keys() | history.children.keys())
    return replace(history, places={c: n for n, c in enumerate(order)} if whole else {})


def _reach(origins: Iterable[str], neighbours: dict[str, list[str]]) -> set[str]:
    reached = set(origins)
    stack = sorted(reached)
    while stack:
        for other in neighbours.get(stack.pop(), ()):
            if other not in reached:
                reached.add(other)
                stack.append(other)
    return reached


def _steps(world: World, commits: Collection[str] | None = None, paths: Collection[str] | None = None) -> dict[str, list[Step]]:
    """Return what commits did to paths: of these commits, or to these paths by any of their names."""
    rows = world.tables.rows(
        """
        WITH asked AS (SELECT unnest(CAST($names AS VARCHAR[])) AS name)
        SELECT DISTINCT "commit", path, coalesce(CASE WHEN starts_with(status, 'R') THEN old_path END, path) AS was,
               coalesce(old_blob, '') AS old, coalesce(new_blob, '') AS new FROM changes
        WHERE CASE WHEN $by_commit THEN "commit" IN (SELECT name FROM asked)
                   ELSE path IN (SELECT name FROM asked) OR (starts_with(status, 'R') AND old_path IN (SELECT name FROM asked)) END
        ORDER BY ALL
        """,
        names=sorted(commits if commits is not None else paths or ()), by_commit=commits is not None,
    )  # fmt: skip
    found: dict[str, list[Step]] = defaultdict(list)
    for row in rows:
        found[row["commit"]].append(
            Step(row["path"], row["was"], row["old"].strip("0") and row["old"], row["new"].strip("0") and row["new"])
        )
    return found


def _steps_to(book: Book, names: Iterable[str]) -> dict[str, list[Step]]:
    """Return what commits did to files by these names."""
    found: dict[str, set[Step]] = defaultdict(set)
    for name in names:
        for commit, step in book.touched.get(name, ()):
            found[commit].add(step)
    return {commit: sorted(steps, key=attrgetter("path", "was", "old", "new")) for commit, steps in sorted(found.items())}


def _renamed(world: World, paths: Collection[str]) -> dict[str, set[str]]:
    """Return name -> names that files of that name were given, for these paths and for what they became."""
    found: dict[str, set[str]] = {}
    asked = set(paths)
    for _ in range(_DEEPEST):
        rows = world.tables.rows(
            "SELECT DISTINCT old_path, path FROM changes WHERE starts_with(status, 'R') AND old_path IN (SELECT unnest(CAST($p AS VARCHAR[]))) ORDER BY ALL",
            p=sorted(asked),
        )
        for row in rows:
            found.setdefault(row["old_path"], set()).add(row["path"])
        asked = {row["path"] for row in rows} - set(found)
        if not asked:
            break
    return found


def _formerly(book: Book, paths: Collection[str]) -> dict[str, set[str]]:
    """Return the names of the changed paths, then and after renames, each with the paths that it may stand for."""
    found: dict[str, set[str]] = {path: {path} for path in paths}
    for _ in range(_DEEPEST):
        pairs = [(new, was) for was in sorted(found) for new in sorted(book.renamed.get(was, ()))]
        more = [(new, was) for new, was in pairs if not found[was] <= found.get(new, set())]
        if not more:
            break
        for path, was in more:
            found.setdefault(path, set()).update(found[was])
    return found


def _lines(world: World, blobs: Iterable[str], asked: dict[str, Patch] | None = None) -> dict[str, Lines]:
    """Read and count the lines of blobs, of patches only those that they are about; what is no text, or can't be read, is left out."""
    wanted = sorted({b for b in blobs if b})
    about = None if asked is None else frozenset(line for patch in asked.values() for line in (*patch.added, *patch.removed))
    found = {"": Lines()}
    for blob, content in (world.blobs(wanted) if wanted else {}).items():
        lines = lines_of(content, about)
        if lines is not None:
            found[blob] = lines
    return found


def _patches(world: World, made: Collection[Step]) -> dict[str, Patch]:
    """Compare the contents of the paths from before and after the change."""
    if len(made) > _MOST_PATHS:
        return {}
    lines = _lines(world, [b for s in made for b in (s.old, s.new)])
    found = {s.path: patch_of(lines.get(s.old), lines.get(s.new)) for s in made}
    return {path: patch for path, patch in found.items() if patch is not None}


def _copies(world: World, history: History, sha: str, change: Change, steps: dict[str, list[Step]]) -> list[str]:
    """Return the commits elsewhere that make the same change: cherry-picked, rebased, squashed or handed on as a patch.

    They change the same paths from the same blobs to the same, or add and take out the same lines, and stand neither before nor behind it.
    """
    related = _reach([sha], history.parents) | _reach([sha], history.children)
    paths = set(change.steps)
    others = {c: {s.path: s for s in rows} for c, rows in steps.items() if c not in related and paths <= {s.path for s in rows}}
    same = {c for c, rows in others.items() if all((rows[p].old, rows[p].new) == (s.old, s.new) for p, s in change.steps.items())}
    if set(change.patches) == paths:
        rest = [c for c in others if c not in same]
        lines = _lines(world, [b for c in rest for p in paths for b in (others[c][p].old, others[c][p].new)], change.patches)
        same |= {c for c in rest if all(_made(change.patches[p], lines.get(others[c][p].old), lines.get(others[c][p].new)) for p in paths)}
    return sorted(same)


def _made(patch: Patch, old: Lines | None, new: Lines | None) -> bool:
    return old is not None and new is not None and patch.within(old, new)


def reverts(world: World, commit: str) -> dict[str, bool]:
    """Return the commits that say that they revert this one (see `Book.reverts`)."""
    return _reverts(world, [commit]).get(commit, {})


def _reverts(world: World, commits: Collection[str]) -> dict[str, dict[str, bool]]:
    rows = world.tables.rows(
        """
        WITH saying AS (
            SELECT split_part(object, '@', 2) AS sha, json_extract_string(attrs, '$.subject') AS subject,
                   coalesce(regexp_extract_all(json_extract_string(attrs, '$.body'), 'This reverts commit ([0-9a-f]{40,64})', 1), []) AS ids
            FROM events WHERE action = 'code.commit'
              AND (starts_with(json_extract_string(attrs, '$.subject'), 'Revert "') OR contains(json_extract_string(attrs, '$.body'), 'This reverts commit '))
        )
        SELECT c.object, s.sha, bool_or(list_contains(s.ids, split_part(c.object, '@', 2))) AS named
        FROM events c JOIN saying s
          ON s.subject = 'Revert "' || json_extract_string(c.attrs, '$.subject') || '"' OR list_contains(s.ids, split_part(c.object, '@', 2))
        WHERE c.action = 'code.commit' AND c.object IN (SELECT unnest(CAST($c AS VARCHAR[]))) GROUP BY ALL ORDER BY ALL
        """,
        c=sorted(commits),
    )
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in rows:
        found[row["object"]][row["sha"]] = row["named"]
    return dict(found)
