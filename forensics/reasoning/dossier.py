"""The act in question, and how it goes back to a login, an address, a device."""

import json
from dataclasses import dataclass, field, replace

from forensics import times
from forensics.model import Question
from forensics.reasoning.act import Act, Row
from forensics.reasoning.given import given
from forensics.reasoning.landed import earlier_push
from forensics.reasoning.origins import Origin, origins_of
from forensics.reasoning.planted import Planted, hidden_code, planted_behind
from forensics.reasoning.renamed import renamed_since
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
    """writes by others of what the act's own process on a host ran or copied"""
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
    seen, claimed = _seen(world, objects[0], question.object)
    act, disputed = _act(world, question, objects, claimed) if seen or not _elsewhere(world, objects[0]) else (None, ())
    dossier = Dossier(question, objects, seen, act, act.time if act else _when(world, objects[0], disputed), claimed, disputed=disputed)
    if act is None:
        return dossier
    kind = world.known.kind(act.account, act.time[0])
    machine = kind == "personal" and _machine_key(act)
    kind = "shared" if machine else kind
    jobs = _jobs(world, act)
    if machine:
        origins = logged_in(world, act, frozenset())
    else:
        origins = origins_of(world, act, kind)
        origins = (*origins, *further(world, act, kind, origins))
    return replace(
        dossier,
        account_kind=kind,
        origins=origins,
        aside=_aside(world, act, origins),
        in_jobs=tuple(jobs),
        loaded=tuple(_loaded(world, jobs, act)) if jobs else (),
        given=given(world, act, origins, question),
        planted=planted_behind(world, act, tuple(jobs)) if jobs and act.kind.startswith(("file.", "object.")) else (),
        code=hidden_code(world, act.rows[0]["object"]) if act.kind == "object.write" else (),
    )


def _machine_key(act: Act) -> bool:
    """Tell whether the act came with a key or token of a machine, which the forge books under the name of whoever once created it."""
    return any("deploy-key" in str(r["credential"]) or str(r["attrs"].get("access") or "").startswith(_MACHINES) for r in act.rows)


_MACHINES = ("Deploy key", "GitHub App server-to-server")
"""https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/identifying-audit-log-events-performed-by-an-access-token"""


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
    if ":" in asked.partition("@")[2] and rows:
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
        return _push(world, reference, question.object.partition("@")[2].partition(":")[2] or None, claimed)
    if reference.startswith("git:"):
        rows = world.acts("action = 'code.push' AND object = $o AND time IS NOT NULL", o=reference)
    elif reference.startswith(("slurm:", "k8s:")):
        rows = world.acts(
            "action IN ('job.launch', 'job.cancel') AND object = $o AND (action = 'job.launch' OR actor IS NOT NULL)", o=reference
        )
        rows = [r for r in rows if r["action"] == "job.launch"] if question.at is None else _at_that_time(rows, question.at)
    elif reference.startswith("file:"):
        rows = world.acts("action IN ('file.write', 'file.delete') AND object = $o AND outcome = 'ok' AND time IS NOT NULL", o=reference)
    else:
        rows = _store_rows(world, reference)
    return _pick(world, question, rows)


def _at_that_time(rows: list[Row], at: tuple[int, int]) -> list[Row]:
    """Return what was done to a job at the time that is asked about: it was launched then, or cancelled."""
    inside = [r for r in rows if r["time"] is not None and at[0] <= r["time"] <= at[1]]
    return [r for r in inside if r["action"] == "job.cancel"] or inside


def _store_rows(world: World, reference: str) -> list[Row]:
    if "?versionId=" in reference:
        return world.acts("action = 'object.write' AND object = $o AND outcome = 'ok'", o=reference)
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
    if len({_who(world, r) for r in rows}) > 1:
        return None, tuple(rows)
    row = rows[-1]
    echoes = [
        r for r in rows if r is not row and r["actor"] == row["actor"] and abs(r["time"] - row["time"]) <= world.policy.windows["same_act"]
    ]
    return _assumed(world, _made(row, [row, *echoes])), ()


def _who(world: World, row: Row) -> tuple[str, ...] | str:
    """Return whose account acted: two accounts of one person are one."""
    return world.known.last_holders(row["actor"], row["time"]) or str(row["actor"])


def _assumed(world: World, act: Act) -> Act:
    """Return the act with the account that assumed its role, where the registers know nobody of the role itself.

    The key that was issued tells which call of it the act came out of. Anybody may give a session the same name: without that key, only where one
    account alone opened sessions of that name within a session's length, and none of these is known to have been issued another key.
    """
    if not act.session or world.known.kind(act.account, act.time[0]):
        return act
    rows = world.acts(
        "action = 'session.role.open' AND session = $s AND time BETWEEN $low AND $t AND actor IS NOT NULL AND outcome = 'ok'",
        s=act.session, t=act.time[0], low=act.time[0] - world.policy.windows["session"],
    )  # fmt: skip
    keys = [r["attrs"].get("issued") for r in rows]
    if act.credential in keys and act.credential:
        rows = [r for r, key in zip(rows, keys, strict=True) if key == act.credential]
    elif act.credential and any(keys):
        return act
    if len({r["actor"] for r in rows}) != 1 or rows[-1]["actor"] == act.account:
        return act
    opened = _first_assumed(world, rows[-1])
    return replace(
        act, account=opened["actor"], rows=(*act.rows, opened), ip=act.ip or opened["ip"], credential=act.credential or opened["credential"]
    )


_CHAIN = 4
"""roles that are assumed out of one another"""


def _first_assumed(world: World, opened: Row) -> Row:
    """Follow a chain of roles back by the keys that were issued, to the account that assumed the first."""
    for _ in range(_CHAIN):
        if world.known.kind(opened["actor"], opened["time"]) or not opened["credential"]:
            break
        rows = world.acts(
            "action = 'session.role.open' AND outcome = 'ok' AND actor IS NOT NULL AND time BETWEEN $low AND $t",
            low=opened["time"] - world.policy.windows["session"], t=opened["time"],
        )  # fmt: skip
        before = [r for r in rows if r["attrs"].get("issued") == opened["credential"]]
        if not before:
            break
        opened = before[-1]
    return opened


def _made(row: Row, records: list[Row]) -> Act:
    def first(key: str) -> str | None:
        return next((r[key] for r in records if r[key]), None)

    low, high = min(r["time"] for r in records), max(r["time_hi"] or r["time"] for r in records)
    account = row["actor"] or (
        row["target"] if row["action"].startswith("file.") else None
    )  # a daemon's process has no login: its user, then
    return Act(row["action"], account, (low, high), tuple(records), first("ip"), first("session"), first("credential"), first("host"))


def _push(world: World, commit: str, path: str | None, claimed: Row | None) -> tuple[Act | None, tuple[Row, ...]]:
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
    row = world.acts("event = $e", e=rows[0]["event"])[0]
    records = _records(world, row)
    before = earlier_push(world, sha, path, claimed["claimed"] if claimed else None, _committer(claimed), row)
    if before and before.disputed:
        return None, (*records, *_records(world, before.row))
    records = _records(world, before.row) if before else records
    own = _own_later(world, commit, claimed, row) if not before else []
    if len({_who(world, r) for r in (*records, *own)}) > 1:
        return None, (*records, *own)
    if not before and (_older_than_the_records(world, commit, claimed, row) or any(renamed_since(world, r) for r in records)):
        return None, tuple(records)
    return replace(_made(records[0], records), landed=tuple(_records(world, row)) if before else ()), ()


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
    others = [world.acts("event = $e", e=r["event"])[0] for r in echoes]
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
