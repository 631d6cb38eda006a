"""Which runs each commit reached: those that ran it or what was built on it, and still bore it (see `reasoning/bearing.py`).

`bearing` answers for one commit, exactly. Here all are asked at once: runs go up from child to parent, and where a later commit set
a path back to what it was before, or says that it reverts, its runs are taken off again. The first in rank are then asked exactly.
"""

import json
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator

from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.spread import Spread
from forensics.reasoning.world import World

Sets = dict[str, int]
Jobs = dict[str, list[str]]
"""commit -> jobs"""
_NEXT = 3
"""later commits that set a path back, looked at for each path of each commit"""
_NOTHING = "0" * 40


def commits(world: World, came: Spread, ran: Jobs, inferred: Jobs) -> Iterator[Candidate]:
    """Yield every commit that reached a run; `ran`: commit -> jobs by records, `inferred`: by inference."""
    parents, messages = _history(world)
    order = _children_first(parents)
    direct = _upward(order, parents, {c: came.reached(came.own, jobs) for c, jobs in ran.items()})
    whole = _upward(order, parents, {c: came.reached(came.downstream, jobs) for c, jobs in both(ran, inferred).items()})
    undone = _Undone(world, order, messages)
    arrived = _arrived(world)
    for commit in order:
        if whole.get(commit):
            yield Candidate(commit, "commit", arrived.get(commit), undone.left(commit, direct), undone.left(commit, whole))


_RAN = """
    WITH named AS (SELECT src, dst FROM edges WHERE rule = 'job-commits' GROUP BY ALL),
    tracked AS (  -- what the tracker says counts where no better record names the commit
        SELECT c.object AS src, j.job AS dst FROM events r
        JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(r.attrs, '$.job')
        JOIN (SELECT DISTINCT object, split_part(object, '@', 2) AS sha FROM events WHERE action = 'code.commit') c ON c.sha = json_extract_string(r.attrs, '$.commit')
        WHERE r.action = 'run.record' AND j.job NOT IN (SELECT dst FROM named)
    )
    SELECT * FROM named UNION SELECT * FROM tracked ORDER BY ALL
"""


def jobs_of(world: World) -> Jobs:
    """Return commit -> the jobs that ran it."""
    found: Jobs = defaultdict(list)
    rows = world.tables.sql(_RAN)
    for commit, job in zip(rows["src"].to_pylist(), rows["dst"].to_pylist(), strict=True):
        found[commit].append(job)
    return found


# Of a job that no record ties to a commit: its working tree held, as a rule, what the last known job there ran; of a tree of which nothing is
# recorded but its name, what the branch that most is pushed to held (see `reasoning/inferred.py`, which asks this for one change).
_INFERRED = """
    WITH known AS (SELECT DISTINCT e.src, e.dst, j.workdir, coalesce(j.start, j.submit) AS time FROM edges e JOIN jobs j ON j.job = e.dst WHERE e.rule = 'job-commits' AND j.workdir <> ''),
    silent AS (
        SELECT job, start, workdir, regexp_extract(rtrim(workdir, '/'), '[^/]+$') AS folder FROM jobs
        WHERE start IS NOT NULL AND workdir <> '' AND NOT list_contains($told, job)
    ),
    last AS (SELECT workdir, time, max(src) AS src FROM known WHERE time IS NOT NULL GROUP BY ALL),
    beside AS (SELECT l.src, s.job FROM silent s ASOF JOIN last l ON s.workdir = l.workdir AND s.start >= l.time),
    main AS (SELECT repo, ref FROM pushes WHERE ref IS NOT NULL GROUP BY repo, ref QUALIFY row_number() OVER (PARTITION BY repo ORDER BY count(*) DESC, ref) = 1),
    heads AS (
        SELECT regexp_extract(p.repo, '[^:/]+$') AS name, p.time, 'git:' || p.repo || '@' || p.after AS src FROM pushes p JOIN main USING (repo, ref)
        WHERE p.time IS NOT NULL AND p.after IS NOT NULL QUALIFY row_number() OVER (PARTITION BY name, p.time ORDER BY p.event DESC) = 1
    )
    SELECT src, job FROM beside
    UNION SELECT h.src, s.job FROM (SELECT * FROM silent WHERE workdir NOT IN (SELECT workdir FROM known)) s ASOF JOIN heads h ON s.folder = h.name AND s.start >= h.time
    ORDER BY ALL
"""


def jobs_inferred(world: World, ran: Jobs) -> Jobs:
    """Return commit -> the jobs that no record ties to any commit, by what their working tree will have held."""
    told = sorted({job for jobs in ran.values() for job in jobs})
    found: Jobs = defaultdict(list)
    for row in world.tables.rows(_INFERRED, told=told):
        found[row["src"]].append(row["job"])
    return dict(found)


def both(one: Jobs, other: Jobs) -> Jobs:
    """Return the jobs of each commit, of either."""
    return {commit: [*one.get(commit, ()), *other.get(commit, ())] for commit in {**one, **other}}


def _history(world: World) -> tuple[dict[str, list[str]], dict[str, tuple[str, str]]]:
    """Return commit -> parents, and commit -> (subject, the id that its message says it reverts)."""
    rows = world.tables.sql("""
        SELECT object, any_value(json_extract(attrs, '$.parents')) AS parents, any_value(json_extract_string(attrs, '$.subject')) AS subject,
               any_value(regexp_extract(json_extract_string(attrs, '$.body'), 'This reverts commit ([0-9a-f]{40})', 1)) AS reverts
        FROM events WHERE action = 'code.commit' AND object IS NOT NULL GROUP BY object ORDER BY object
    """)
    parents: dict[str, list[str]] = {}
    messages: dict[str, tuple[str, str]] = {}
    for commit, ancestors, subject, reverts in zip(
        *(rows[c].to_pylist() for c in ("object", "parents", "subject", "reverts")), strict=True
    ):
        repo = commit.partition("@")[0] + "@"
        known = json.loads(ancestors or "[]")
        parents[commit] = [repo + str(p) for p in known] if isinstance(known, list) else []
        messages[commit] = (subject or "", reverts or "")
    return parents, messages


def _children_first(parents: dict[str, list[str]]) -> list[str]:
    """Order commits so that everything built on one comes before it (Kahn)."""
    waiting = dict.fromkeys(parents, 0)
    for ancestors in parents.values():
        for parent in ancestors:
            if parent in waiting:
                waiting[parent] += 1
    ready, order = deque(sorted(c for c, n in waiting.items() if not n)), []
    while ready:
        here = ready.popleft()
        order.append(here)
        for parent in parents[here]:
            if parent in waiting:
                waiting[parent] -= 1
                if not waiting[parent]:
                    ready.append(parent)
    return order


def _upward(order: list[str], parents: dict[str, list[str]], seeds: Sets) -> Sets:
    """Give every commit the runs of all that was built on it. Along a chain the set stays one object, so that memory stays small."""
    reach: Sets = {c: s for c, s in seeds.items() if s}
    for commit in order:
        here = reach.get(commit, 0)
        if here:
            for parent in parents[commit]:
                reach[parent] = _joined(reach.get(parent, 0), here)
    return reach


def _joined(one: int, other: int) -> int:
    """Return the union of two sets; the very same object where it is one of them."""
    both = one | other
    return other if both == other else one if both == one else both


class _Undone:
    """Commits that set paths back to what they were before another, or forth again."""

    def __init__(self, world: World, order: list[str], messages: dict[str, tuple[str, str]]) -> None:
        self._place = {c: -n for n, c in enumerate(order)}  # parents have lower places
        self._changes: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._setting: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
        self._reverts = _reverting(order, messages)
        shas: dict[str, list[str]] = defaultdict(list)
        for commit in order:
            shas[commit.partition("@")[2]].append(commit)
        rows = world.tables.sql(
            'SELECT DISTINCT "commit", path, coalesce(old_blob, $z) AS old, coalesce(new_blob, $z) AS new FROM changes ORDER BY ALL',
            z=_NOTHING,
        )
        for sha, path, old, new in zip(*(rows[c].to_pylist() for c in ("commit", "path", "old", "new")), strict=True):
            for commit in shas.get(sha, ()):
                self._changes[commit].append((path, old, new))
                self._setting[commit.partition("@")[0], path, new].append((self._place[commit], commit))
        for places in self._setting.values():
            places.sort()

    def left(self, commit: str, reach: Sets) -> int:
        """Return the runs that still bore the commit's change."""
        whole = reach.get(commit, 0)
        gone = 0
        for revert in self._reverts.get(commit, ()):
            gone |= reach.get(revert, 0) & ~self._any(self._reverts.get(revert, ()), reach)
        changes = self._changes.get(commit, ())
        backs = [self._back(commit, path, old, new, reach) for path, old, new in changes] if whole else []
        if backs and all(backs):  # a commit is borne as long as one of its paths is
            everywhere = backs[0]
            for back in backs[1:]:
                everywhere &= back
            gone |= everywhere
        return whole & ~gone if whole & gone else whole

    def _back(self, commit: str, path: str, old: str, new: str, reach: Sets) -> int:
        """Return the runs in which this path was set back, and not set forth again."""
        repo, back = commit.partition("@")[0], 0
        for place, undo in self._later(repo, path, old, self._place[commit]):
            again = self._any([c for _, c in self._later(repo, path, new, place)], reach)
            back |= reach.get(undo, 0) & ~again
        return back

    def _later(self, repo: str, path: str, blob: str, place: int) -> list[tuple[int, str]]:
        known = self._setting.get((repo, path, blob), [])
        first = bisect_right(known, (place, "\x7f"))
        return known[first : first + _NEXT]

    @staticmethod
    def _any(later: list[str] | tuple[str, ...], reach: Sets) -> int:
        found = 0
        for commit in later:
            found |= reach.get(commit, 0)
        return found


def _reverting(order: list[str], messages: dict[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Return commit -> later commits whose message says that they revert it (git's own wording, git-revert(1))."""
    known = set(order)
    subjects: dict[tuple[str, str], str] = {}
    found: dict[str, list[str]] = defaultdict(list)
    for commit in reversed(order):
        repo, (subject, reverts) = commit.partition("@")[0], messages[commit]
        named = f"{repo}@{reverts}"
        if reverts and named in known:
            found[named].append(commit)
        elif subject.startswith('Revert "') and subject.endswith('"'):
            undone = subjects.get((repo, subject[8:-1]))
            if undone is not None:
                found[undone].append(commit)
        subjects[repo, subject] = commit
    return {c: later[:_NEXT] for c, later in found.items()}


def _arrived(world: World) -> dict[str, int]:
    """Return commit -> when it was first pushed, else when a reflog first shows it."""
    rows = world.tables.sql("""
        SELECT commit, min(time) AS time FROM (
            SELECT dst AS commit, time, 0 AS rank FROM edges WHERE rule = 'pushed-commits' AND recorded
            UNION ALL SELECT src AS commit, time, 1 AS rank FROM edges WHERE rule = 'refs'
        ) WHERE time IS NOT NULL GROUP BY commit ORDER BY commit
    """)
    return dict(zip(rows["commit"].to_pylist(), rows["time"].to_pylist(), strict=True))
