"""Puts together what several records say of one thing: the runs of a job, the pushes to a repository."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from forensics import schema
from forensics.model import CaseConfig
from forensics.tables import Tables

_JOB_EVENTS = """
    SELECT id, action, time, actor, object, target, outcome, attrs
    FROM events
    WHERE action IN ('job.launch', 'job.start', 'job.end', 'job.node') AND object IS NOT NULL
      AND coalesce(outcome, 'ok') NOT IN ('denied', 'error')
    ORDER BY id
"""


def jobs_table(tables: Tables) -> pa.Table:
    """Put the runs of jobs together: a row for each time a job was launched or requeued (schema.JOBS)."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rest = []
    for row in tables.rows(_JOB_EVENTS):
        attrs = json.loads(row["attrs"]) if row["attrs"] else {}
        if row["action"] == "job.launch":
            _told(runs[row["object"]], _run(row, attrs))
        else:
            rest.append((row, attrs))
    for row, attrs in rest:
        job = _job_of(row["object"], runs)
        if job is not None:
            _complete(_run_at(runs[job], row["time"]), row, attrs)
    rows = [run for job in sorted(runs) for run in runs[job]]
    return pa.Table.from_pylist(rows, schema=schema.JOBS)


def _run(row: dict[str, Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {
        "job": row["object"], "actor": row["actor"], "uid": _text(attrs, "uid"), "name": _text(attrs, "name"),
        "submit": _moment(attrs, "submit") or row["time"], "start": _moment(attrs, "start"), "end": _moment(attrs, "end"),
        "state": _text(attrs, "state"), "nodes": _nodes(attrs.get("nodes")), "gpus": _number(attrs.get("gpus")),
        "workdir": _text(attrs, "workdir"), "command": _text(attrs, "command"), "commit": _text(attrs, "commit"), "events": [row["id"]],
    }  # fmt: skip


def _told(runs: list[dict[str, Any]], run: dict[str, Any]) -> None:
    """Add a run, or what another record tells of one that is known: two exports of one accounting are one run, and the later tells its end."""
    known = next(
        (r for r in runs if r["submit"] == run["submit"] and r["actor"] == run["actor"] and (r["start"] == run["start"] or None in (r["start"], run["start"]))),
        None,
    )  # fmt: skip
    if known is None:
        runs.append(run)
        return
    if known["end"] is None and run["end"] is not None:
        known["end"], known["state"] = run["end"], run["state"]
    known["events"] += [e for e in run["events"] if e not in known["events"]]
    known.update({k: v for k, v in run.items() if known[k] in (None, []) and k not in ("end", "events")})


def _moment(attrs: dict[str, Any], key: str) -> int | None:
    """Return nanoseconds that a source of ours wrote; other systems' own columns may bear the same name, as texts."""
    value = attrs.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(attrs: dict[str, Any], key: str) -> str | None:
    value = attrs.get(key)
    return None if value is None else str(value)


def _nodes(value: object) -> list[str]:
    return [str(node) for node in value] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _job_of(reference: str, runs: dict[str, list[dict[str, Any]]]) -> str | None:
    """Return the job that a reference names; a pod's name is its job's with more behind dashes (Kubernetes job controller)."""
    name = reference
    while name not in runs:
        head, dash, _ = name.rpartition("-")
        if not dash or "/" not in head:
            return None
        name = head
    return name


def _run_at(runs: list[dict[str, Any]], time: int | None) -> dict[str, Any]:
    """Return the run that was launched last before that time."""
    before = [r for r in runs if time is None or r["submit"] is None or r["submit"] <= time]
    return before[-1] if before else runs[0]


def _complete(run: dict[str, Any], row: dict[str, Any], attrs: dict[str, Any]) -> None:
    run["events"].append(row["id"]) if row["id"] not in run["events"] else None
    if row["action"] == "job.start" and run["start"] is None:
        run["start"] = row["time"]
    elif row["action"] == "job.end" and run["end"] is None:
        run["end"], run["state"] = row["time"], run["state"] or row["outcome"]
    elif row["action"] == "job.node" and row["target"] and row["target"] not in run["nodes"]:
        run["nodes"].append(row["target"])
    for key in ("workdir", "command", "commit"):
        run[key] = run[key] or _text(attrs, key)


def projects(tables: Tables) -> dict[str, str]:
    """Tell which repository a forge's project number (`?76`) stands for: the one that holds most commits its pushes name."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    found = tables.rows("""
        WITH named AS (
            SELECT DISTINCT regexp_extract(coalesce(target, prior), '^git:([^@]*)@', 1) AS project, split_part(coalesce(target, prior), '@', 2) AS sha
            FROM events WHERE action = 'code.push' AND starts_with(coalesce(target, prior), 'git:?')
        )
        SELECT n.project, split_part(substr(c.object, 5), '@', 1) AS repo, count(DISTINCT n.sha) AS hits
        FROM named n JOIN events c ON c.action = 'code.commit' AND split_part(c.object, '@', 2) = n.sha
        GROUP BY ALL
    """)
    for row in found:
        votes[row["project"]][row["repo"]] += row["hits"]
    return {project: max(sorted(counts), key=lambda repo: counts[repo]) for project, counts in votes.items()}


def pushes_table(tables: Tables) -> pa.Table:
    """List every record of a push, with its repository (schema.PUSHES), in order of time."""
    repos = projects(tables)
    rows = tables.rows("""
        SELECT id AS event, source, object, target, prior, time, actor, ip, credential FROM events
        WHERE action = 'code.push' AND coalesce(outcome, 'ok') = 'ok' ORDER BY time NULLS LAST, id
    """)
    return pa.Table.from_pylist(list(_pushes(rows, repos)), schema=schema.PUSHES)


def _pushes(rows: list[dict[str, Any]], repos: dict[str, str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        place, _, ref = (row.pop("object") or "").removeprefix("git:").partition("#")
        after, before = (_commit(row.pop(key)) for key in ("target", "prior"))
        yield row | {"repo": repos.get(place, place), "ref": ref or None, "before": before, "after": after}


def shared_prefixes(case: CaseConfig) -> list[str]:
    """Return the paths that hosts share: `file:///` prefixes of access.csv and questions, and of clones' work trees."""
    named = [a.object for a in case.access] + [q.object for q in case.questions]
    paths = {n.removeprefix("file://").rstrip("*") for n in named if n.startswith("file:///")}
    paths |= {s.worktree.rstrip("/") + "/" for s in case.sources if s.worktree}
    return sorted(p for p in paths if p not in ("", "/"))


def _commit(reference: str | None) -> str | None:
    """Return the commit of a push record's end; git writes zeros for none."""
    sha = (reference or "").partition("@")[2]
    return sha if sha.strip("0") else None


def _numbered(tables: Tables) -> list[tuple[str, str]]:
    """Return the (account name, account number) that single records bear together, such as (`unix:mei`, `unix:#28273`)."""
    rows = tables.rows("""
        SELECT DISTINCT actor, json_extract_string(attrs, '$.uid') AS uid FROM events
        WHERE action IN ('job.launch', 'session.ssh.login') AND starts_with(actor, 'unix:') AND NOT starts_with(actor, 'unix:#')
          AND json_extract_string(attrs, '$.uid') IS NOT NULL
        ORDER BY ALL
    """)
    return [(row["actor"], f"unix:#{row['uid'].rpartition('#')[2]}") for row in rows]


def _numbered_accounts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return account number -> account name, for numbers that records show beside one name only."""
    names: dict[str, set[str]] = defaultdict(set)
    for name, number in pairs:
        names[number].add(name)
    return {number: actors.pop() for number, actors in names.items() if len(actors) == 1}


def _hosts_numbers(tables: Tables, case: CaseConfig) -> list[tuple[str, str]]:
    """Return the (account name, account number) that records of hosts bear together, as _numbered does, where the registers give both to the same people.

    Any host may have a list of users of its own (of a laptop's, 1000 is whoever set it up), so without the registers these say nothing of another system's number.
    Where several hold an account, the registers have to give both to each of them for the same time: it may have been handed on.
    """
    rows = tables.rows("""
        SELECT DISTINCT CASE WHEN action = 'session.audit.open' THEN actor ELSE target END AS name,
               coalesce(json_extract_string(attrs, '$.target_uid'), json_extract_string(attrs, '$.uid')) AS number FROM events
        WHERE action IN ('session.audit.open', 'process.exec', 'session.su.open', 'log.message') AND contains(attrs, 'uid":"unix:#')
        ORDER BY ALL
    """)
    held: dict[str, set[tuple[str, str, int | None, int | None]]] = defaultdict(set)
    for i in case.identifiers:
        held[i.identifier].add((i.person, i.kind, i.since, i.until))
    held = {k: found if len({p for p, *_ in found}) > 1 else {(p, kind, None, None) for p, kind, *_ in found} for k, found in held.items()}
    pairs = ((str(r["name"]), str(r["number"])) for r in rows)
    return [(name, number) for name, number in pairs if name in held and held[name] == held.get(number)]


def _anothers(pairs: list[tuple[str, str]], case: CaseConfig) -> set[tuple[str, str]]:
    """Return the pairs whose number the registers give to other people than the name: one name on two clusters. The number decides whose it is."""
    holders: dict[str, set[str]] = defaultdict(set)
    for row in case.identifiers:
        holders[row.identifier].add(row.person)
    return {(name, number) for name, number in pairs if number in holders and name in holders and not holders[number] & holders[name]}


_LEAKED = """
    SELECT session, min(time) AS time FROM (
        SELECT session, time FROM events
        WHERE action = 'process.exec' AND starts_with(session, 'audit:') AND target IN ('unix:root', 'unix:#0')
          AND regexp_extract(object, '[^/]*$') IN ('sshd', 'dropbear', 'cron', 'crond', 'atd', 'xinetd', 'slurmd', 'jupyterhub')
        UNION ALL
        SELECT session, time FROM events
        WHERE action = 'log.message' AND starts_with(session, 'audit:') AND starts_with(actor, 'unix:') AND contains(attrs, 'USER_START')
          AND json_extract_string(attrs, '$.type') = 'USER_START' AND regexp_extract(json_extract_string(attrs, '$.exe'), '[^/]*$') = 'sshd'
          AND 'unix:' || json_extract_string(attrs, '$.acct') <> actor AND NOT starts_with(actor, 'unix:#')
    ) WHERE time IS NOT NULL GROUP BY session ORDER BY session
"""
"""Sessions whose login id came to stand for other people's logins, and from when: a daemon that lets people in was started by hand out of
one (the kernel hands a login id on to every child, and never changes it once it is set: audit_set_loginuid in kernel/audit.c), or somebody
else's login bears it."""


_LOGIN_NAMES = """
    WITH began AS (
        SELECT session, json_extract_string(attrs, '$.pid') AS pid FROM events
        WHERE action = 'session.audit.open' AND json_extract_string(attrs, '$.type') = 'LOGIN' AND json_extract_string(attrs, '$.old_auid') IS NULL
    )
    SELECT DISTINCT e.host, e.actor AS number, 'unix:' || json_extract_string(e.attrs, '$.acct') AS name FROM events e
    JOIN began b ON b.session = e.session AND b.pid = json_extract_string(e.attrs, '$.pid')
    WHERE e.action = 'log.message' AND starts_with(e.session, 'audit:') AND starts_with(e.actor, 'unix:#') AND contains(e.attrs, 'USER_START')
      AND json_extract_string(e.attrs, '$.type') = 'USER_START' AND json_extract_string(e.attrs, '$.acct') IS NOT NULL AND e.host IS NOT NULL
      AND regexp_extract(json_extract_string(e.attrs, '$.exe'), '[^/]*$') IN ('sshd', 'login', 'gdm-session-worker', 'sddm-helper', 'lightdm')
    ORDER BY ALL
"""
"""which name the very process that began a login gave for the number that it set: a host's own list of users goes before the cluster's"""


def _on_hosts(tables: Tables, case: CaseConfig) -> dict[tuple[str, str], str]:
    """Return (host, account number) -> account name, where a host's logins bear a name for a number that the registers give to other people."""
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in tables.rows(_LOGIN_NAMES):
        pairs[(row["host"], row["number"])].add(row["name"])
    elsewhere = _anothers([(name, number) for (_, number), names in pairs.items() for name in names], case)
    return {(h, n): next(iter(names)) for (h, n), names in pairs.items() if len(names) == 1 and (next(iter(names)), n) in elsewhere}


def acts_table(tables: Tables, case: CaseConfig) -> pa.Table:
    """List what was done by whom to what (schema.ACTS), in the order of events.

    On a host whose own logins give a number another name than the registers, the number is that name's. Who had himself taken for another (HDFS, auth:PROXY) with
    an account of his own is who signed on; what a service passes on is whom it names. An account's number in the record itself tells whose it is where one name is several people's on several systems.
    What bears a login id that leaked came out of no known session, and counts as the account's that the process ran as; nobody's where that is
    another person's own: his login may stand behind it, or a sudo out of the session that the login id leaked from.
    """
    repos, pairs = projects(tables), [*_numbered(tables), *_hosts_numbers(tables, case)]
    apart = _anothers(pairs, case)
    uids = _numbered_accounts([p for p in pairs if p not in apart])
    uids |= _other_cases(tables, case)
    leaked = {r["session"]: r["time"] for r in tables.rows(_LEAKED)}
    local = _on_hosts(tables, case)
    return tables.sql(
        """
        WITH own AS (
            SELECT DISTINCT object AS account FROM events WHERE action = 'identity.holds' AND json_extract_string(attrs, '$.kind') = 'personal' AND object IS NOT NULL
        ),
        told AS (
            SELECT *, coalesce(time > list_extract($since, list_position($leaked, session)), false) AS astray,
                   coalesce(list_extract($names, list_position($uids, target)), target, '') AS ran_as
            FROM (SELECT * REPLACE (
                      coalesce(
                          list_extract($local_names, list_position($local, concat_ws(' ', host, actor))),
                          CASE WHEN contains(attrs, '"via":"unix:') AND json_extract_string(attrs, '$.via') IN (SELECT account FROM own) THEN json_extract_string(attrs, '$.via') END,
                          actor
                      ) AS actor,
                      coalesce(list_extract($local_names, list_position($local, concat_ws(' ', host, target))), target) AS target
                  ) FROM events)
        ),
        picked AS (
            SELECT * REPLACE (
                       CASE WHEN NOT astray THEN actor WHEN ran_as IN (SELECT account FROM own) THEN NULL ELSE coalesce(target, actor) END AS actor,
                       CASE WHEN NOT astray OR ran_as NOT IN (SELECT account FROM own) THEN target END AS target,
                       CASE WHEN NOT astray THEN session END AS session
                   ),
                   CASE WHEN starts_with(object, 'file://') THEN regexp_extract(object, '^file://[^/]*(/.*)$', 1, 's') END AS path,
                   CASE WHEN starts_with(object, 'git:?') THEN regexp_extract(object, '^git:([^@#]*)', 1) END AS project
            FROM told
            WHERE action NOT IN ('metric.point', 'log.message', 'code.commit', 'ref.state', 'object.pointer', 'repository.note', 'identity.holds', 'run.record', 'run.param', 'run.tag', 'run.latest', 'run.package')
        )
        SELECT id AS event, source, action, time, coalesce(time_hi, time) AS time_hi,
               CASE WHEN action IN ('job.launch', 'session.ssh.login') AND list_contains($apart, concat_ws(' ', actor, 'unix:#' || regexp_extract(json_extract_string(attrs, '$.uid'), '[0-9]+$')))
                    THEN 'unix:#' || regexp_extract(json_extract_string(attrs, '$.uid'), '[0-9]+$')
                    ELSE coalesce(list_extract($names, list_position($uids, actor)), actor) END AS actor,
               CASE WHEN path IS NOT NULL AND len(list_filter($shared, lambda p: starts_with(path, p))) > 0 THEN 'file://' || path
                    WHEN list_position($projects, project) > 0
                    THEN 'git:' || list_extract($repos, list_position($projects, project)) || substr(object, 5 + length(project))
                    ELSE object END AS object,
               coalesce(list_extract($names, list_position($uids, target)), target) AS target,
               session, credential, coalesce(list_extract($names, list_position($uids, device)), device) AS device, ip, host,
               CASE WHEN outcome IS NULL OR lower(outcome) IN ('ok', 'success', 'succeeded', 'yes', 'true', '1', 'allow', 'allowed') OR regexp_matches(outcome, '^[23][0-9][0-9]$') THEN 'ok' ELSE outcome END AS outcome
        FROM picked ORDER BY id
        """,
        names=list(uids.values()),
        uids=list(uids),
        apart=[" ".join(p) for p in sorted(apart)],
        leaked=list(leaked),
        local=[" ".join(p) for p in local],
        local_names=list(local.values()),
        since=list(leaked.values()),
        shared=shared_prefixes(case),
        projects=list(repos),
        repos=list(repos.values()),
    ).cast(schema.ACTS)


_CASELESS = ("device", "okta", "email", "gitlab", "github")
"""kinds of names that their systems compare without regard to case: host names (RFC 4343), sign-on and mail addresses, accounts of GitLab and GitHub"""


def _other_cases(tables: Tables, case: CaseConfig) -> dict[str, str]:
    """Return the names in the evidence that differ by case alone from one of the registers -> that one."""
    held = {i.identifier for i in case.identifiers if i.identifier.partition(":")[0] in _CASELESS}
    folded: dict[str, set[str]] = defaultdict(set)
    for name in held:
        folded[name.casefold()].add(name)
    rows = tables.rows(
        "SELECT DISTINCT name FROM (SELECT actor AS name FROM events UNION ALL SELECT device FROM events UNION ALL SELECT target FROM events WHERE starts_with(target, 'gitlab:') OR starts_with(target, 'github:')) WHERE list_contains($k, split_part(name, ':', 1)) ORDER BY 1",
        k=list(_CASELESS),
    )  # fmt: skip
    return {
        r["name"]: next(iter(same)) for r in rows if r["name"] not in held and len(same := folded.get(r["name"].casefold(), set())) == 1
    }


_HOSTS = """
    WITH holds AS (
        SELECT object AS identifier, actor AS person, time AS since, coalesce(time_hi, 9223372036854775807) AS until FROM events
        WHERE action = 'identity.holds' AND json_extract_string(attrs, '$.kind') = 'personal'
    ),
    leased AS (SELECT DISTINCT ip FROM acts WHERE device IS NOT NULL AND ip IS NOT NULL),
    opened AS (
        SELECT a.*, h.person FROM acts a JOIN holds h ON h.identifier = a.actor AND a.time BETWEEN coalesce(h.since, 0) AND h.until
        WHERE action = 'session.ssh.open' AND host IS NOT NULL
    ),
    closed AS (SELECT session, host, min(time) AS time FROM acts WHERE action = 'session.ssh.close' GROUP BY ALL),
    spans AS (
        SELECT o.person, o.host, o.ip, o.time, CASE WHEN c.time >= o.time THEN c.time ELSE o.time + 43200000000000 END AS until
        FROM opened o LEFT JOIN closed c USING (session, host)
    ),
    uses AS (
        SELECT a.event, a.ip, a.host, a.time, h.person FROM acts a JOIN holds h ON h.identifier = a.actor AND a.time BETWEEN coalesce(h.since, 0) AND h.until
        WHERE a.ip IS NOT NULL AND a.action <> 'session.ssh.close' AND a.ip NOT IN (SELECT ip FROM leased)
    ),
    pairs AS (
        SELECT u.event, u.ip, u.time, u.person, s.host FROM uses u
        JOIN spans s ON s.person = u.person AND u.time BETWEEN s.time AND s.until AND s.host IS DISTINCT FROM u.host AND s.ip IS DISTINCT FROM u.ip
        QUALIFY row_number() OVER (PARTITION BY u.event ORDER BY s.time DESC, s.host) = 1  -- the login nearest to the act, not the jump host before it
    ),
    shared AS (
        SELECT DISTINCT u.event, u.ip, u.time, e.actor AS person, e.host FROM acts u
        JOIN acts e ON e.action = 'process.exec' AND e.target IS NOT NULL AND e.actor IS DISTINCT FROM e.target
          AND split_part(e.target, ':', 2) = split_part(u.actor, ':', 2) AND u.time BETWEEN e.time - 120000000000 AND e.time + 600000000000
        WHERE u.ip IS NOT NULL AND u.action IN ('object.write', 'object.read', 'code.push') AND u.ip NOT IN (SELECT ip FROM leased)
    ),
    voices AS (SELECT * FROM pairs UNION SELECT * FROM shared),
    totals AS (SELECT ip, count(DISTINCT time) AS uses FROM (SELECT ip, time FROM uses UNION SELECT ip, time FROM shared) GROUP BY ip),
    votes AS (SELECT ip, host, count(DISTINCT time) AS hits, count(DISTINCT person) AS people, list(DISTINCT event ORDER BY event)[:5] AS events FROM voices GROUP BY ALL)
    SELECT v.ip, v.host, v.hits, t.uses, v.people, v.events FROM votes v JOIN totals t USING (ip)
    WHERE v.hits >= 3 AND v.people >= 2 AND v.hits >= 0.6 * t.uses
    QUALIFY row_number() OVER (PARTITION BY v.ip ORDER BY v.hits DESC, v.host) = 1
    ORDER BY v.ip
"""


def addresses_table(tables: Tables) -> pa.Table:
    """Tell which addresses are a host's (schema.ADDRESSES): at least three acts of two people, and three acts in five, fall into sessions there.

    An address that a lease gives to a device is never taken for a host's.
    """
    return tables.sql(_HOSTS).cast(schema.ADDRESSES)
