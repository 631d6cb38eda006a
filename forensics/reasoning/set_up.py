"""Who set up what ran by itself later: a timetable of an account on a host, a cluster's timetable whose job wrote an object. Nobody need have been there when it ran."""

import posixpath
from itertools import pairwise

from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.devices import holding
from forensics.reasoning.paths import named, path_of, program, words_of, writes
from forensics.reasoning.world import World

_STARTERS = ("cron", "crond", "atd", "anacron")
_TABLES = ("/var/spool/cron/", "/var/spool/cron/crontabs/", "/var/spool/cron/tabs/")
"""where crontab(1) keeps an account's table: Red Hat's, Debian's, SUSE's"""
_MOST = 200
"""files that a timetable's line ran, beyond which nobody is told to have written it"""


def out_of_timetable(world: World, act: Act) -> bool:
    """Tell whether the audit session of an act on a host was opened by cron or at (audit_log_user(8): the record of PAM's session names the program)."""
    if not act.kind.startswith(("file.", "process.")) or not str(act.session or "").startswith("audit:"):
        return False
    rows = world.tables.rows(
        """
        SELECT 1 AS x FROM events WHERE session = $s AND host = $h AND time BETWEEN $low AND $t
          AND (json_extract_string(attrs, '$.terminal') = 'cron' OR list_contains($p, regexp_extract(json_extract_string(attrs, '$.exe'), '[^/]*$'))) LIMIT 1
        """,
        s=act.session, h=act.host, low=act.time[0] - world.policy.windows["session"], t=act.time[1], p=list(_STARTERS),
    )  # fmt: skip
    return bool(rows)


def set_on_host(world: World, act: Act) -> list[Row]:
    """Return what set the table of an account whose timetable an act came out of, where one person's acts alone did and he also wrote last what its line ran; else nothing.

    One of the two is not enough: whoever can write a table need not leave a record of it, and its owner may have looked at it since.
    """
    if not out_of_timetable(world, act):
        return []
    names, holders = _names(world, act), set(world.known.last_holders(act.account, act.time[0]))
    rows = world.acts(
        "outcome = 'ok' AND host = $h AND actor IS NOT NULL AND time < $t AND ((action = 'file.write' AND list_contains($p, object)) OR (action = 'process.exec' AND ends_with(object, '/crontab')))",
        h=act.host, t=act.time[0], p=[f"file://{act.host}{folder}{n}" for folder in _TABLES for n in sorted(names)],
    )  # fmt: skip
    rows = [r for r in rows if r["action"] == "file.write" or _sets(world, r, names, holders)]
    people = [frozenset(world.known.last_holders(r["actor"], r["time"])) for r in rows]
    if not rows or len(set(people)) != 1 or not people[0]:
        return []
    return rows[-1:] if people[0] & _wrote_its_line(world, act) else []


def _names(world: World, act: Act) -> set[str]:
    people = world.known.last_holders(act.account, act.time[0])
    accounts = [str(act.account), *(a for p in people for a in world.known.of(p, "unix"))]
    return {n for a in accounts if (n := a.partition(":")[2]) and not n.startswith("#")}


def _sets(world: World, row: Row, names: set[str], people: set[str]) -> bool:
    """Tell whether a crontab command sets one of these accounts' tables: its own user's, or the one that `-u` names (crontab(1))."""
    words = words_of(line_of(row))
    if "-l" in words:
        return False
    told = [b if a == "-u" else a[2:] for a, b in pairwise([*words, ""]) if a.startswith("-u")]
    if told:
        return told[0] in names
    who = row["target"] or row["actor"]
    return str(who).partition(":")[2] in names or bool(people & set(world.known.last_holders(who, row["time"])))


def _wrote_its_line(world: World, act: Act) -> set[str]:
    """Return who last wrote the files that the act's own session ran; nobody, where they were several people's."""
    ran = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND host = $h AND session = $s AND time BETWEEN $low AND $t",
        h=act.host, s=act.session, low=act.time[0] - world.policy.windows["session"], t=act.time[1],
    )  # fmt: skip
    files = {
        path: row["time"]
        for row in ran
        for path in named(row)
        if path != path_of(str(row["object"])) and posixpath.basename(path) != program(row)
    }
    if len(files) > _MOST:
        return set()
    last = [rows[-1] for path, moment in sorted(files.items()) if (rows := writes(world, str(act.host), path, moment))]
    who = [set(world.known.last_holders(r["actor"], r["time"])) if r["actor"] else set[str]() for r in last]
    return set.intersection(*who) if who else set()


def by_cluster(world: World, act: Act, jobs: tuple[str, ...]) -> Act | None:
    """Return the launch of the one job that wrote an object, made by a controller, whose line names the whole object; nothing where somebody entered the job, or a pod's own identity did not open the session.

    A session's name is chosen by whoever assumes the role; the cluster's identity is given to its pods alone
    (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
    """
    if act.kind != "object.write" or len(jobs) != 1 or not act.session or (act.ip and holding(world, act.ip, act.time)):
        return None
    launches = world.acts("action = 'job.launch' AND object = $j AND outcome = 'ok' AND time <= $t", j=jobs[0], t=act.time[1])
    line = str(launches[-1]["attrs"].get("command") or "") if launches else ""
    wanted = [str(r["object"]).partition("?")[0] for r in act.rows]
    if len(launches) != 1 or not launches[0]["attrs"].get("set_by") or not any("://" in w and w in line for w in wanted):
        return None
    opened = world.acts("action = 'session.role.open' AND session = $s AND outcome = 'ok' AND time <= $t", s=act.session, t=act.time[1])
    entered = world.acts("starts_with(action, 'session.exec') AND time BETWEEN $low AND $t", low=launches[0]["time"], t=act.time[1])
    pods = jobs[0].rpartition("/")[2]
    if (
        not opened
        or any(":serviceaccount:" not in str(r["actor"]) for r in opened)
        or any(pods in str((r["object"], r["target"])) for r in entered)
    ):
        return None
    return Act(
        launches[0]["action"],
        launches[0]["actor"],
        (launches[0]["time"], launches[0]["time"]),
        (launches[0],),
        launches[0]["ip"],
        host=launches[0]["host"],
    )
