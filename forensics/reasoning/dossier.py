"""The act in question, and how it goes back to a login, an address, a device."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

from forensics.model import Question
from forensics.reasoning.act import Act, Row, made
from forensics.reasoning.given import given
from forensics.reasoning.images import spellings
from forensics.reasoning.moved import by_the_store, moved
from forensics.reasoning.origins import Origin, origins_of
from forensics.reasoning.planted import Planted, hidden_code, planted_behind
from forensics.reasoning.pushes import brought, holder
from forensics.reasoning.restored import restored
from forensics.reasoning.roles import assumed, machine_key
from forensics.reasoning.unasked import unasked
from forensics.reasoning.vendored import vendored
from forensics.reasoning.ways import further, logged_in
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the records hold about one question."""

    question: Question
    objects: tuple[str, ...]
    """references that stand for the object in question"""
    seen: tuple[int, ...]
    """events that show that the object exists"""
    act: Act | None
    when: tuple[int, int] | None
    claimed: Row | None = None
    """the commit's own event, with what it says of itself"""
    origins: tuple[Origin, ...] = ()
    account_kind: str = ""
    in_jobs: tuple[str, ...] = ()
    """jobs in whose process the act happened"""
    loaded: tuple[Row, ...] = field(default=())
    """acts that wrote what those jobs had loaded, or brought the commit that they ran"""
    given: tuple[Row, ...] = field(default=())
    """writes by others of what the act's own process on a host ran or copied, and of what ran of itself"""
    planted: tuple[Planted, ...] = ()
    """objects with hidden code that the act's job had loaded before"""
    code: tuple[Row, ...] = field(default=())
    """code hidden in the object in question itself"""
    aside: tuple[tuple[int, int], ...] = field(default=())
    """records of these logins and commands that a copy out of reach contradicts, with the copy's"""
    disputed: tuple[Row, ...] = field(default=())
    """records that name several people for what is asked about: no one act can be told"""


def gather(world: World, question: Question) -> Dossier:
    """Find the act that a question is about, its other records, and where it came from."""
    objects = _objects(question.object)
    if question.object.startswith("image:"):
        objects = (*spellings(world, question.object), question.object)[:1]
    seen, claimed = _seen(world, objects[0], question.object)
    act, disputed = _act(world, question, objects, claimed) if seen or not _elsewhere(world, objects[0]) else (None, ())
    dossier = Dossier(question, objects, seen, act, act.time if act else _when(world, objects[0], disputed), claimed, disputed=disputed)
    if act is None:
        return dossier
    act = _begun(world, act)
    dossier = replace(dossier, act=act)
    kind = world.known.kind(act.account, act.time[0])
    kind = kind or ("service" if act.rows[0]["attrs"].get("set_by") or by_the_store(act) else "")
    machine = kind == "personal" and machine_key(act)
    kind = "shared" if machine else kind
    jobs = _jobs(world, act)
    if machine:
        origins = logged_in(world, act, frozenset())
    else:
        origins = origins_of(world, act, kind, tuple(jobs))
        origins = (*origins, *further(world, act, kind, origins))
    return replace(
        dossier,
        account_kind=kind,
        origins=origins,
        aside=_aside(world, act, origins),
        in_jobs=tuple(jobs),
        loaded=tuple(_loaded(world, jobs, act)) if jobs else (),
        given=_handed(world, act, origins, question),
        planted=planted_behind(world, act, tuple(jobs)) if jobs and act.kind.startswith(("file.", "object.")) else (),
        code=hidden_code(world, act.rows[0]["object"]) if act.kind == "object.write" else (),
    )


def _handed(world: World, act: Act, origins: tuple[Origin, ...], question: Question) -> tuple[Row, ...]:
    """Return what others had a part in of what the act was made with, or out of; each record once."""
    found = (
        *given(world, act, origins, question),
        *unasked(world, act, origins, question),
        *vendored(world, act, question),
        *restored(world, act, origins),
    )
    return tuple({r["event"]: r for r in found}.values())


def _begun(world: World, act: Act) -> Act:
    """Return the act as of its beginning, where that is recorded apart: an object uploaded in parts is written when the last has arrived.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """
    if act.kind != "object.write":
        return act
    rows = world.acts(
        "action = 'aws.CreateMultipartUpload' AND outcome = 'ok' AND actor = $a AND object = $o AND time BETWEEN $low AND $t",
        a=act.account, o=str(act.rows[0]["object"]).partition("?")[0], low=act.time[0] - world.policy.windows["session"], t=act.time[0],
    )  # fmt: skip
    before = world.acts(
        "action = 'object.write' AND outcome = 'ok' AND split_part(object, '?', 1) = $o AND time >= $low AND time < $t",
        o=str(act.rows[0]["object"]).partition("?")[0], low=rows[-1]["time"], t=act.time[0],
    ) if rows else []  # fmt: skip
    return replace(act, time=(rows[-1]["time"], rows[-1]["time"])) if rows and not before else act


def _aside(world: World, act: Act, origins: tuple[Origin, ...]) -> tuple[tuple[int, int], ...]:
    """Return the contradicted records whose truer copies the way back goes over."""
    used = {*act.events, *(e for o in origins for e in o.events)}
    return tuple(p for p in world.conflicts.pairs if p[1] in used)


def _objects(reference: str) -> tuple[str, ...]:
    """Return the object itself first: of a file in a commit, the commit; of a version, the version."""
    if reference.startswith("git:") and "@" in reference:
        return (reference.partition("@")[0] + "@" + reference.partition("@")[2].partition(":")[0],)
    return (reference,)


def _seen(world: World, reference: str, asked: str) -> tuple[tuple[int, ...], Row | None]:
    """Return the events in which the object stands, a few of them, and a commit's own event."""
    rows = world.tables.rows(
        "SELECT id, action, time, claimed, attrs, source FROM events WHERE object = $o OR target = $o ORDER BY action <> 'code.commit', id LIMIT 20",
        o=reference,
    )
    rows = rows or world.tables.rows(
        "SELECT event AS id, action, time, NULL AS claimed, NULL AS attrs, source FROM acts WHERE object = $o ORDER BY event LIMIT 20",
        o=reference,
    )
    if asked.startswith("git:") and ":" in asked.partition("@")[2] and rows:
        sha, _, path = asked.partition("@")[2].partition(":")
        if not world.tables.rows('SELECT 1 AS x FROM changes WHERE "commit" = $c AND path = $p LIMIT 1', c=sha, p=path):
            return (), None
    commit = next((r for r in rows if r["action"] == "code.commit"), None)
    return tuple(r["id"] for r in rows), commit


def _elsewhere(world: World, reference: str) -> bool:
    """Tell whether a commit stands in the evidence under other repositories' names only: then it is not the one that is asked about."""
    sha = reference.partition("@")[2]
    return bool(sha) and bool(
        world.tables.rows("SELECT 1 AS x FROM events WHERE action = 'code.commit' AND ends_with(object, $s) LIMIT 1", s="@" + sha)
    )


def _when(world: World, reference: str, disputed: tuple[Row, ...]) -> tuple[int, int] | None:
    """Return the first time at which a record other than the commit itself shows the object; of disputed records, their span."""
    if disputed:
        return min(r["time"] for r in disputed), max(r["time_hi"] or r["time"] for r in disputed)
    rows = world.tables.rows(
        "SELECT min(time) AS low FROM events WHERE (target = $o OR object = $o) AND action <> 'code.commit'", o=reference
    )
    low = rows[0]["low"]
    return (low, low) if low is not None else None


def _act(world: World, question: Question, objects: tuple[str, ...], claimed: Row | None) -> tuple[Act | None, tuple[Row, ...]]:
    reference = objects[0]
    if reference.startswith("git:") and "@" in reference:
        return brought(world, reference, question.object.partition("@")[2].partition(":")[2] or None, claimed)
    if reference.startswith("git:"):
        rows = world.acts("action = 'code.push' AND object = $o AND time IS NOT NULL", o=reference)
    elif reference.startswith(("slurm:", "k8s:")):
        rows = world.acts(
            "action IN ('job.launch', 'job.cancel') AND object = $o AND (action = 'job.launch' OR actor IS NOT NULL)", o=reference
        )
        rows = [r for r in rows if r["action"] == "job.launch"] if question.at is None else _at_that_time(rows, question.at)
        rows = _handed_in(rows)
    elif reference.startswith("file:"):
        rows = moved(world, reference) + world.acts(
            "action IN ('file.write', 'file.delete') AND object = $o AND outcome = 'ok' AND time IS NOT NULL", o=reference
        )
    else:
        rows = moved(world, reference) + _store_rows(world, reference, question.object)
    rows = sorted(rows, key=lambda r: (r["time"] is None, r["time"], r["event"])) if reference.startswith(("file:", "hdfs:")) else rows
    return _pick(world, question, rows)


_TAKEN_BACK = ("NODE_FAIL", "PREEMPTED", "REQUEUED", "RESV_DEL_HOLD", "SPECIAL_EXIT", "BOOT_FAIL")
"""states of a run after which Slurm starts the job again by itself (https://slurm.schedmd.com/job_state_codes.html)"""


def _handed_in(rows: list[Row]) -> list[Row]:
    """Leave out the runs that the scheduler began anew of the same line of the same account: nobody handed the job in again."""
    again = {
        row["event"]
        for before, row in pairwise(rows)
        if str(before["attrs"].get("state") or "").split(" ")[0] in _TAKEN_BACK
        and (before["actor"], before["attrs"].get("command")) == (row["actor"], row["attrs"].get("command"))
    }
    return [r for r in rows if r["event"] not in again]


def _at_that_time(rows: list[Row], at: tuple[int, int]) -> list[Row]:
    """Return what was done to a job at the time that is asked about: it was launched then, or cancelled."""
    inside = [r for r in rows if r["time"] is not None and at[0] <= r["time"] <= at[1]]
    return [r for r in inside if r["action"] == "job.cancel"] or inside


def _store_rows(world: World, reference: str, asked: str) -> list[Row]:
    if "?versionId=" in reference:
        return world.acts("action = 'object.write' AND object = $o AND outcome = 'ok'", o=reference)
    if reference.startswith("image:"):
        return world.acts("action = 'object.write' AND list_contains($o, object) AND outcome = 'ok'", o=[*spellings(world, asked), asked])
    return world.acts(
        "action IN ('object.write', 'object.delete') AND regexp_replace(object, '[?]versionId=.*$', '') = $o AND outcome = 'ok'",
        o=reference,
    )


def _pick(world: World, question: Question, rows: list[Row]) -> tuple[Act | None, tuple[Row, ...]]:
    """Choose the change that is asked about: the one within `at`, else the one inside the case's window.

    Where several people's accounts changed it there, the question does not say which: no act, and the rows that compete.
    """
    low, high = question.at or world.case.window
    inside = [r for r in rows if r["time"] is not None and low <= r["time"] <= high]
    rows = inside if inside or question.at else [r for r in rows if r["time"] is not None]
    if not rows:
        return None, ()
    if len({holder(world, r) for r in rows}) > 1:
        return None, tuple(rows)
    row = rows[-1]
    echoes = [
        r for r in rows if r is not row and r["actor"] == row["actor"] and abs(r["time"] - row["time"]) <= world.policy.windows["same_act"]
    ]
    return assumed(world, made(row, [row, *echoes])), ()


def _jobs(world: World, act: Act) -> list[str]:
    """Return the jobs in whose processes the act happened."""
    if act.kind == "job.launch":
        return []
    rows = world.tables.rows(
        """
        SELECT DISTINCT src FROM edges WHERE rule IN ('job-objects', 'file-jobs') AND dst = $o AND list_has_any(events, $ids)
          AND regexp_matches(src, '^(slurm|k8s):') ORDER BY src
        """,
        o=act.rows[0]["object"],
        ids=list(act.events),
    )
    return [r["src"] for r in rows]


def _loaded(world: World, jobs: list[str], act: Act) -> list[Row]:
    """Return the acts that wrote what those jobs loaded before the act, by other accounts than the jobs' own."""
    rows = world.tables.rows(
        """
        SELECT DISTINCT w.event FROM edges r
        JOIN acts w ON w.action IN ('object.write', 'file.write') AND w.time <= $t
         AND (w.object = r.src OR regexp_replace(w.object, '[?]versionId=.*$', '') = r.src)
        WHERE r.rule IN ('job-objects', 'file-jobs') AND list_contains($jobs, r.dst) AND w.actor IS DISTINCT FROM $actor
        ORDER BY w.event LIMIT 200
        """,
        t=act.time[1], jobs=jobs, actor=act.account,
    )  # fmt: skip
    brought = world.tables.rows(
        """
        SELECT DISTINCT p.events[1] AS event FROM edges j JOIN edges p ON p.rule = 'pushed-commits' AND p.dst = j.src
        WHERE j.rule = 'job-commits' AND list_contains($jobs, j.dst) ORDER BY 1 LIMIT 200
        """,
        jobs=jobs,
    )
    ids = sorted({r["event"] for r in (*rows, *brought)})
    return world.acts("list_contains($ids, event)", ids=ids) if ids else []
