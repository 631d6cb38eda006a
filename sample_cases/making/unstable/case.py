"""The case folder of the unstable training: sources, questions, statements and evidence files."""

from typing import Any

from making.folder import Files, csv_file, json_lines, json_page, sha256, toml_table
from making.forge import event_records, shell_records
from making.hosts import audit_text, auth_text
from making.metrics import metric_rows
from making.objectstore import trail_files
from making.people import people_rows
from making.presence import by_time, records_by_time
from making.repository import clone_files, server_files, unreachable
from making.scheduler import sacct_rows
from making.stored import gzip_file, tar_file
from making.times import moment, stream
from making.unstable.lab import CASE, CLONE, LAB, access_rows, identifier_rows
from making.unstable.story import END, URL, Story
from making.unstable.truth import expected, harmed, job_ref, objects

ADMINS = ["p-003", "p-018"]
COLLECTED = moment("2024-08-01 10:30")


def case_files(story: Story) -> Files:
    """Return every file of the case folder that is made."""
    evidence = {**_code(story), **_forge(story), **_hosts(story), **_cluster(story), **_tables(story)}
    files = {f"evidence/{name}": data for name, data in evidence.items()}
    files |= trail_files(story.trail, "evidence/cloudtrail")
    files["people.csv"] = csv_file(["person", "name", "role", "employed_from", "employed_to"], people_rows(LAB))
    files["identifiers.csv"] = csv_file(["identifier", "person", "kind", "from", "to", "source"], identifier_rows())
    files["access.csv"] = csv_file(["person", "object", "right", "from", "to"], access_rows())
    files["statements.toml"] = _statements().encode()
    files["case.toml"] = _case(story, files).encode()
    files["expected.json"] = json_page(expected(story))
    return files


def _code(story: Story) -> Files:
    """Return the two repositories, each in an archive."""
    forge = story.forge
    singles = unreachable(forge.objects, [story.commits["q3"], story.commits["lost"]], forge.refs.values())
    server = {f"train.git/{name}": data for name, data in server_files(forge, singles).items()}
    clone = {f"train/{name}": data for name, data in clone_files(forge, URL, story.cluster.pulls).items()}
    return {"git/train.git.tar": tar_file(server, COLLECTED), "git/clone-ranking-train.tar": tar_file(clone, COLLECTED)}


def _forge(story: Story) -> Files:
    """Return the forge's logs; the ssh log was rotated at the end of June, and one of its lines is cut short."""
    events = json_lines(event_records(story.forge, 510_000))
    lines = json_lines(shell_records(story.forge)).split(b"\n")
    turn = next(i for i, line in enumerate(lines) if b'"time":"2024-06-30T16' in line)
    june, july = lines[:turn], lines[turn:]
    robot = [i for i, line in enumerate(july) if b"ci-robot" in line][40]
    july[robot] = july[robot][:171]
    files = {"gitlab/events.jsonl": events, "gitlab/gitlab-shell.log": b"\n".join(july)}
    return files | {"gitlab/gitlab-shell.log.1.gz": gzip_file(b"\n".join([*june, b""]))}


def _hosts(story: Story) -> Files:
    """Return the hosts' logs; in the login node's there is a line of garbage."""
    login, jump, transfer = story.cluster.login, story.cluster.jump, story.transfer
    lines = auth_text(login, old_style=True).encode().split(b"\n")
    lines.insert(1203, b"\x00\x00\xfe\x8c\x11 sshd[\xff\xfe: Acc\x00\x00pt")
    files = {"hosts/login-1/auth.log": b"\n".join(lines), "hosts/login-1/audit.log": audit_text(login, 71_204).encode()}
    files |= {
        "hosts/xfer-1/auth.log": auth_text(transfer, old_style=False).encode(),
        "hosts/xfer-1/audit.log": audit_text(transfer, 8_350).encode(),
    }
    return files | {"hosts/jump/auth.log": auth_text(jump, old_style=False).encode()}


def _cluster(story: Story) -> Files:
    """Return the accounting, whose last row was half written, and the curves."""
    rows = sacct_rows(story.cluster.jobs, END)
    sacct = "\n".join([*rows, rows[-2][:47]]).encode()
    bad = harmed(story)
    runs = [j for j in story.cluster.jobs if j.steps and j.end - j.start > 1800 and j.state in ("COMPLETED", "TIMEOUT")]
    points = [row for job in runs for row in metric_rows(job, job.id in bad)]
    return {"slurm/sacct.txt": sacct, "metrics/runs.csv": csv_file(["run", "step", "time", "name", "value"], points)}


def _tables(story: Story) -> Files:
    """Return the lab's own tables; one line of the VPN's was cut short."""
    diary = story.diary
    vpn = json_lines(records_by_time(diary.vpn)).split(b"\n")
    vpn.insert(66, vpn[66][:58])
    files = {"tables/badge.csv": csv_file(["when", "card", "door", "way"], by_time(diary.badge)), "tables/vpn.jsonl": b"\n".join(vpn)}
    files["tables/dhcp.csv"] = csv_file(["leased", "message", "address", "mac", "name", "seconds"], by_time(diary.dhcp))
    files["tables/edr.jsonl"] = json_lines(records_by_time(diary.edr))
    files["tables/meetings.csv"] = csv_file(["joined", "until", "meeting", "attendee", "how"], by_time(diary.meetings))
    return files


def sources(files: Files) -> list[dict[str, Any]]:
    """Return the sources of the case."""
    return [*_code_sources(files), *_host_sources(), *_table_sources()]


def _source(name: str, kind: str, path: str, **more: Any) -> dict[str, Any]:
    """Return one source."""
    return {"name": name, "kind": kind, "path": f"evidence/{path}", **more}


def _code_sources(files: Files) -> list[dict[str, Any]]:
    """Return the forge's sources, the clone's, the scheduler's and the store's."""
    forge = {"host": "git.lab.example", "tier": "T3", "controllers": ["p-015"]}
    how = "archive handed over by the forge's administrator"
    taken = {"by": "p-examiner", "at": "@2024-08-01T10:30:00+08:00", "how": how, "sha256": sha256(files["evidence/git/train.git.tar"])}
    clone = {"host": "login-1", "repo": "train", "role": "clone", "worktree": CLONE, "controllers": ADMINS}
    return [
        _source("train-server", "git", "git/train.git.tar", repo="train", role="server", **forge, acquired=taken),
        _source("clone-shared", "git", "git/clone-ranking-train.tar", **clone),
        _source("gitlab-events", "gitlab_events", "gitlab/events.jsonl", **forge),
        _source("gitlab-shell", "gitlab_shell", "gitlab/gitlab-shell.log*", **forge),
        _source("sacct", "slurm", "slurm/sacct.txt", host="gpu", timezone="Asia/Shanghai", controllers=ADMINS),
        _source("cloudtrail", "cloudtrail", "cloudtrail", tier="T4"),
        _source("metrics", "metrics", "metrics/runs.csv", runs={"pattern": "{name}-{job}"}),
    ]


def _host_sources() -> list[dict[str, Any]]:
    """Return the hosts' logs; the login node's writes times without year and zone."""
    own = {"tier": "T2", "controllers": ADMINS}
    return [
        _source("auth-login-1", "syslog", "hosts/login-1/auth.log", host="login-1", timezone="Asia/Shanghai", year=2024, **own),
        _source("auth-jump", "syslog", "hosts/jump/auth.log", host="jump", **own),
        _source("auth-xfer-1", "syslog", "hosts/xfer-1/auth.log", host="xfer-1", **own),
        _source("auditd-login-1", "auditd", "hosts/login-1/audit.log", host="login-1", **own),
        _source("auditd-xfer-1", "auditd", "hosts/xfer-1/audit.log", host="xfer-1", **own),
    ]


def _table_sources() -> list[dict[str, Any]]:
    """Return the lab's own tables, and what their columns mean."""
    badge = {"time": "when", "action": "=person.present", "actor": "badge:{card}", "object": "place:{door}", "outcome": "way"}
    dhcp = {"time": "leased", "action": "=device.lease", "device": "device:{name}", "ip": "ip:{address}", "object": "mac:{mac}"}
    laptop = {"time": "at", "actor": "unix:{user}", "device": "device:{laptop}"}
    vpn = {**laptop, "action": "session.vpn.{event}", "ip": "ip:{given}", "session": "{tunnel}"}
    meeting = {"time": "joined", "action": "=meeting.attend", "actor": "email:{attendee}", "object": "meeting:{meeting}", "outcome": "how"}
    return [
        _source("badge", "table", "tables/badge.csv", tier="T3", map=badge),
        _source("dhcp", "table", "tables/dhcp.csv", tier="T3", map=dhcp),
        _source("vpn", "table", "tables/vpn.jsonl", tier="T3", map=vpn),
        _source("edr", "table", "tables/edr.jsonl", tier="T4", map={**laptop, "action": "device.{event}", "object": "{detail}"}),
        _source("meetings", "table", "tables/meetings.csv", map=meeting),
    ]


def _case(story: Story, files: Files) -> str:
    """Return case.toml."""
    window = {"from": "@2024-06-01T00:00:00+08:00", "to": "@2024-07-31T00:00:00+08:00"}
    title = "The ranker's loss swings; an intern who has left is blamed"
    mandate = {
        "authority": "head of lab",
        "purpose": "settle who changed what before the July runs failed",
        "scope": "the training code, its framework and its base checkpoints",
    }
    parts = [toml_table("[case]", {"id": "2024-07-unstable-training", "title": title, "timezone": "Asia/Shanghai", **window})]
    parts += [toml_table("[mandate]", mandate), *(toml_table("[[source]]", s) for s in sources(files)), *_questions(story)]
    parts += [toml_table("[symptom]", _symptom(story)), toml_table("[cost]", {"gpu_hour": 2.35, "currency": "USD"})]
    return 'schema = "forensics/case/1"\n\n' + "\n".join(parts)


def _questions(story: Story) -> list[str]:
    """Return the questions."""
    about = {
        "q1": "The base checkpoint that most ranker runs begin with, as overwritten on 3 July.",
        "q2": "The shared framework's fused optimiser, as edited on 5 July.",
        "q3": "A commit that bears the intern's name; it is no longer on main.",
        "q4": "Rows ordered by length.",
        "q5": "Each shard read once after a resume.",
    }
    extra = {"q2": {"at": "@2024-07-05"}}
    return [toml_table("[[question]]", {"id": q, "object": o, **extra.get(q, {}), "about": about[q]}) for q, o in objects(story).items()]


def _symptom(story: Story) -> dict[str, list[str]]:
    """Name some runs that swung, and some that did not."""
    bad = harmed(story)
    runs = [j for j in story.cluster.jobs if j.steps and j.state == "COMPLETED" and j.end - j.start > 1800]
    rng = stream(CASE, "symptom")
    harmed_runs = [job_ref(j) for j in runs if j.id in bad]
    healthy = [job_ref(j) for j in runs if j.id not in bad]
    return {"bad": sorted(rng.sample(harmed_runs, min(48, len(harmed_runs)))), "good": sorted(rng.sample(healthy, 60))}


def _statements() -> str:
    """Return statements.toml."""
    rows: list[dict[str, Any]] = [
        {
            "id": "s1",
            "by": "p-014",
            "text": "I had left the lab before anybody touched that checkpoint.",
            "test": "left-before",
            "question": "q1",
        },
        {"id": "s2", "by": "p-014", "text": "I never edited the framework.", "test": "not-me", "question": "q2"},
        {
            "id": "s3",
            "by": "p-014",
            "text": "The order of the rows was changed after my last day.",
            "test": "left-before",
            "question": "q4",
        },
        {
            "id": "s4",
            "by": "press",
            "text": "An intern ruined a training run on more than 8000 GPUs.",
            "test": "scale",
            "question": "q1",
            "quantity": "gpus",
            "at_least": 8000,
        },
        {
            "id": "s5",
            "by": "team",
            "text": "The vision models were not touched by this.",
            "test": "not-affected",
            "question": "q1",
            "object": "s3://lab-models/vision/*",
        },
    ]
    return "\n".join(toml_table("[[statement]]", row) for row in rows)
