"""Makes the sample case "shared login" from nothing but this code: the same bytes on any machine.

python sample_cases/shared-login/make.py [OUTDIR]
"""

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from making.development import Act, Team, develop, found  # noqa: E402
from making.folder import Files, csv_file, json_lines, json_page, toml_table, write_files  # noqa: E402
from making.forge import Edit, Forge, event_records, pushed, shell_line, shell_records  # noqa: E402
from making.hosts import Host, Session, audit_text, auth_text, cron, log_in, run  # noqa: E402
from making.people import Lab, Person, common_rows, people_rows, personal_rows  # noqa: E402
from making.presence import Diary, Plan, by_time, keep_diary, records_by_time  # noqa: E402
from making.repository import START, render, server_files  # noqa: E402
from making.stored import tar_file  # noqa: E402
from making.times import HOUR, MINUTE, days, local, moment, stream  # noqa: E402

CASE = "shared-login"
FIRST, LAST = date(2024, 9, 2), date(2024, 9, 11)
BEGIN, END = moment("2024-09-02 00:00"), moment("2024-09-12 00:00")
BOT, BOT_KEY = "deploy-bot2", {"gl_key_id": 58, "user_id": "user-44", "username": "deploy-bot2"}
BUILD, NAT = "10.60.8.14", "10.60.0.1"
"""The build host's own address, and the one under which the forge sees every host of its network."""
USERS = ["p-001", "p-002", "p-003", "p-004"]
"""Who may use the deploy account; the fourth is on leave."""
WHEN, LOST = moment("2024-09-09 15:26:48"), (moment("2024-09-09 13:05"), moment("2024-09-09 18:40"))
REVIEWERS = ["p-001", "p-005"]

LAB = Lab(
    "ops.example",
    (
        Person("p-001", "Ottoline Varga-Reyes", "ovarga", "release engineer", "release", "2021-04-06 09:00"),
        Person("p-002", "Hua Jinglan", "huajinglan", "release engineer", "release", "2022-08-15 09:00"),
        Person("p-003", "Emeka Stroud", "estroud", "engineer", "training", "2020-02-10 09:00"),
        Person("p-004", "Ximena Farrugia", "xfarrugia", "release engineer", "release", "2019-09-23 09:00"),
        Person("p-005", "Kang Wenbo", "kangwenbo", "engineer", "training", "2023-03-20 09:00"),
        Person("p-006", "Solveig Tarnow", "starnow", "administrator", "platform", "2018-05-14 09:00"),
    ),
    first_uid=4200,
    laptop="OPS-",
)

PLAN: Plan = {
    **{("p-004", day): [] for day in days(FIRST, LAST)},
    **{(id_, date(2024, 9, 9)): [("office", "09:10", "18:20")] for id_ in ("p-001", "p-002", "p-003", "p-005", "p-006")},
}


def live() -> tuple[Diary, Forge, Host, str]:
    """Let it happen, and return the records and the commit in question."""
    diary = keep_diary(LAB, CASE, FIRST, LAST, [], PLAN)
    forge = Forge(LAB, diary, "git.ops.example", "release/deploy", 12, render)
    found(forge, LAB.person("p-003"), moment("2024-08-12 10:05"), START, [])
    forge.events.clear()
    host = Host("build-1", BUILD)
    made: list[str] = []
    develop(
        forge,
        Team(["p-001", "p-002", "p-003", "p-005"], REVIEWERS, "", pace=0.5),
        CASE,
        FIRST,
        LAST,
        _deployments(forge, diary, host, made),
    )
    _alive(forge, host)
    return diary, forge, host, made[0]


def _deployments(forge: Forge, diary: Diary, host: Host, made: list[str]) -> list[Act]:
    """Plan who is on the build host, and what the deploy account pushes from there."""
    acts: list[Act] = []
    for start, end, id_, push_at in _build_visits(diary):
        stay = diary.at(id_, start)
        person = LAB.person(id_)
        if stay:
            s = log_in(host, person.login, LAB.uid(person), LAB.key(person), stay.ip, start, end, id_)
            run(s, start + 95.4, ["ls", "-l", "release"], "/srv/deploy")
            acts += [(push_at, partial(_bump, forge, s, push_at))] if push_at else []
    acts.append((WHEN, lambda: made.append(_quiet_change(forge))))
    return acts


def _build_visits(diary: Diary) -> list[tuple[int, int, str, int]]:
    """Return logins on the build host: (from, to, person, moment of a push); three of them cover the push in question."""
    visits = []
    for day in days(FIRST, LAST):
        for id_ in USERS[:3]:
            rng = stream(CASE, "build", id_, day)
            for stay in diary.on(id_, day) if rng.random() < 0.7 and day != date(2024, 9, 9) else ():
                start = stay.start + rng.randrange(30, 150) * MINUTE
                end = min(start + rng.randrange(20, 90) * MINUTE, stay.end - 5 * MINUTE)
                visits += [(start, end, id_, start + 8 * MINUTE if rng.random() < 0.6 else 0)] if end > start + 15 * MINUTE else []
    that_day = [("p-001", "14:02", "16:48"), ("p-002", "15:11", "15:57"), ("p-003", "13:40", "17:22")]
    visits += [(moment(f"2024-09-09 {a}") + 7 * n, moment(f"2024-09-09 {b}") + 19 * n, id_, 0) for n, (id_, a, b) in enumerate(that_day, 3)]
    return sorted(visits)


def _bump(forge: Forge, s: Session, when: int) -> None:
    """Raise the release's number with the deploy account, as on most days; the audit log shows in whose session."""
    run(s, when - 1.5, ["git", "push", "origin", "main"], "/srv/deploy")
    value = str(int(forge.states[forge.refs["main"]]["jobs/train.sh"]["KEEP"]) + 1)
    _push_as_bot(forge, [("jobs/train.sh", "KEEP", value)], "Raise the release", when)


def _quiet_change(forge: Forge) -> str:
    """Make the change in question: nothing but the deploy account's name is on it."""
    return _push_as_bot(forge, [("configs/ranker.yaml", "clip", "40.0")], "Raise the release", WHEN)


def _push_as_bot(forge: Forge, edits: list[Edit], title: str, when: int) -> str:
    """Commit and push under the deploy account; the forge sees the address of the whole network."""
    sha = forge.commit([forge.refs["main"]], edits, f"{BOT} <{BOT}@{LAB.domain}>", when - 50, title).sha
    shell_line(forge, "git-receive-pack", NAT, when, BOT_KEY)
    pushed(forge, BOT, "main", sha, when, 1)
    return sha


def _alive(forge: Forge, host: Host) -> None:
    """Add cron on the build host every half hour, and the deploy account's fetch every hour."""
    for when in range(BEGIN + 11 * MINUTE, END, HOUR // 2):
        cron(host, when, audited=True)
    for when in range(BEGIN + 23 * MINUTE, END, HOUR):
        shell_line(forge, "git-upload-pack", NAT, when + stream(CASE, when).randrange(50), BOT_KEY)


def case_files() -> Files:
    """Return every file of the case folder that is made."""
    diary, forge, host, sha = live()
    bare = {f"deploy.git/{name}": data for name, data in server_files(forge, set()).items()}
    shared = [
        row
        for name in (f"gitlab:{BOT}", f"email:{BOT}@{LAB.domain}", f"ip:{NAT}")
        for row in common_rows(LAB, name, "shared", USERS, "forge export")
    ]
    own = [row for row in personal_rows(LAB, {}) if not row[0].startswith("aws:")]
    audit = audit_text(host, 3_117, LOST).encode()
    files: Files = {
        "evidence/deploy.git.tar": tar_file(bare, END),
        "evidence/events.jsonl": json_lines(event_records(forge, 88_000)),
        "evidence/gitlab-shell.log": json_lines(shell_records(forge)),
        "evidence/build-1/auth.log": auth_text(host, old_style=False).encode(),
        "evidence/build-1/audit.log": audit,
        "evidence/badge.csv": csv_file(["when", "card", "door", "way"], by_time(diary.badge)),
        "evidence/dhcp.csv": csv_file(["leased", "message", "address", "mac", "name", "seconds"], by_time(diary.dhcp)),
        "evidence/vpn.jsonl": json_lines(records_by_time(diary.vpn)),
        "people.csv": csv_file(["person", "name", "role", "employed_from", "employed_to"], people_rows(LAB)),
        "identifiers.csv": csv_file(["identifier", "person", "kind", "from", "to", "source"], sorted([*own, *shared])),
        "access.csv": csv_file(["person", "object", "right", "from", "to"], _access()),
        "statements.toml": _statement().encode(),
        "case.toml": _case(sha).encode(),
        "expected.json": json_page(_expected(sha, host)),
    }
    return files


def _access() -> list[list[str]]:
    """Return the rows of access.csv: everybody but the administrator writes code."""
    rows = common_rows(LAB, "", "", ["p-001", "p-002", "p-003", "p-004", "p-005"], "")
    return [[row[1], "git:deploy#refs/heads/*", "write", row[3], row[4]] for row in rows]


def _sources() -> list[dict[str, Any]]:
    """Return the sources of the case."""
    forge = {"host": "git.ops.example", "tier": "T3"}
    build = {"host": "build-1", "tier": "T2", "controllers": ["p-006"]}
    badge = {"time": "when", "action": "=person.present", "actor": "badge:{card}", "object": "place:{door}", "outcome": "way"}
    dhcp = {"time": "leased", "action": "=device.lease", "device": "device:{name}", "ip": "ip:{address}", "object": "mac:{mac}"}
    vpn = {"time": "at", "actor": "unix:{user}", "device": "device:{laptop}", "action": "session.vpn.{event}", "ip": "ip:{given}"}
    rows: list[tuple[str, str, str, dict[str, Any]]] = [
        ("deploy-server", "git", "deploy.git.tar", {"repo": "deploy", "role": "server", **forge}),
        ("gitlab-events", "gitlab_events", "events.jsonl", forge),
        ("gitlab-shell", "gitlab_shell", "gitlab-shell.log", forge),
        ("auth-build-1", "syslog", "build-1/auth.log", build),
        ("auditd-build-1", "auditd", "build-1/audit.log", build),
        ("badge", "table", "badge.csv", {"tier": "T3", "map": badge}),
        ("dhcp", "table", "dhcp.csv", {"tier": "T3", "map": dhcp}),
        ("vpn", "table", "vpn.jsonl", {"tier": "T3", "map": {**vpn, "session": "{tunnel}"}}),
    ]
    return [{"name": name, "kind": kind, "path": f"evidence/{path}", **more} for name, kind, path, more in rows]


def _case(sha: str) -> str:
    """Return case.toml."""
    window = {"from": "@2024-09-02T00:00:00+08:00", "to": "@2024-09-12T00:00:00+08:00"}
    title = "A deploy account that four people share raised the clipping norm"
    parts = [toml_table("[case]", {"id": "2024-09-shared-login", "title": title, "timezone": "Asia/Singapore", **window})]
    parts += [toml_table("[[source]]", s) for s in _sources()]
    about = "Gradient clipping was as good as switched off by a commit that calls itself a release."
    parts.append(toml_table("[[question]]", {"id": "q1", "object": f"git:deploy@{sha}", "about": about}))
    return 'schema = "forensics/case/1"\n\n' + "\n".join(parts)


def _statement() -> str:
    """Return statements.toml."""
    text = "I was on the build host for something else; I pushed nothing."
    return toml_table("[[statement]]", {"id": "s1", "by": "p-002", "text": text, "test": "not-me", "question": "q1"})


def _expected(sha: str, host: Host) -> dict[str, Any]:
    """Return what an honest examination should say: an account, three people who could have used it, and nobody by name."""
    times = sorted(when for when, _ in host.audit)
    gap = [max(t for t in times if t < LOST[0]), min(t for t in times if t >= LOST[1])]
    stamps = [f"{local(t - 8 * HOUR):%Y-%m-%dT%H:%M:%S}Z" for t in gap]
    answer = {"rung": "account", "person": None, "account": [f"gitlab:{BOT}"], "mechanism": ["shared-identity", "unknown"]}
    answer |= {"flags": ["log-gap"], "flags_allowed": ["shared-address", "unreviewed", "impossible-overlap"]}
    quiet = ["after-departure", "author-mismatch", "backdated", "clock-offset", "credential-reuse", "hidden-code", "record-conflict"]
    answer |= {"not_flags": [*quiet, "rewritten-history"], "candidates": USERS[:3], "candidates_allowed": USERS}
    found_here = {"objects": {"q1": f"git:deploy@{sha}"}, "answers": {"q1": answer}, "statements": {"s1": "not resolved"}}
    nobody = {"q1": [p.id for p in LAB.people]}
    return {
        **found_here,
        "never_named": nobody,
        "causes": [],
        "impact": {"q1": {"jobs": [], "objects": []}},
        "gaps": {"auditd-build-1": [stamps]},
    }


if __name__ == "__main__":
    write_files(case_files(), Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
