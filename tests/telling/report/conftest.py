"""An invented laboratory with three questions, and one whose every text is hostile; both built in memory and in a folder of tables."""

import copy
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from forensics import schema, times
from forensics.model import Acquired, CaseConfig, Event, Person, Question, SourceConfig, Statement, Tier
from forensics.tables import Tables
from forensics.telling.report import Extra, render
from forensics.telling.report.names import Names
from forensics.telling.report.page import _folder
from forensics.telling.report.said import Voice, catalog

COMMIT = "git:train@3f2c9d81a47be05c66f19d30b2e8a7145cd09e3b"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }}{% include '/etc/passwd' %}",
    "\u202egnp.exe\u2066\u200b",
    "\x1b[31mred\x1b]0;title\x07\x00",
    "</style><style>*{display:none}</style>",
    "]]><!-- --><svg onload=alert(1)>",
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308z",
    "\u3164\ud800\ufeff",
    "x" * 5000,
)


def at(text: str) -> int:
    return times.parse(text)[0]


class Lab:
    """Records that lie in one made-up stream per source, so that every reference has bytes."""

    def __init__(self) -> None:
        self.streams: dict[str, bytes] = {}
        self.events: dict[str, list[Event]] = {}

    def record(self, source: str, when: str, action: str, **more: Any) -> dict[str, Any]:
        line = json.dumps({"at": when, "action": action, **more}, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"
        start = len(self.streams.get(source, b""))
        self.streams[source] = self.streams.get(source, b"") + line
        texts = {key: clean(str(value)) for key, value in more.items()}
        self.events.setdefault(source, []).append(Event(start, start + len(line), at(when), clean(action), **texts))
        return {"source": source, "sha256": digest(source), "locator": f"bytes={start}-{start + len(line)}"}

    def raw(self, ref: Any) -> bytes | None:
        if not ref["locator"].startswith("bytes="):
            return None
        first, last = ref["locator"].removeprefix("bytes=").split("-")
        data = self.streams.get(ref["source"])
        return None if data is None else data[int(first) : int(last)]

    def tables(self, folder: Path, rejects: list[dict[str, Any]]) -> Tables:
        tables = Tables(folder)
        first = 0
        batches = []
        for source, events in sorted(self.events.items()):
            batches.append(schema.event_batch(source, "", first, events))
            first += len(events)
        tables.write("events", batches)
        files = [
            {
                "source": s,
                "file": "",
                "sha256": digest(s),
                "stored": len(d),
                "text": len(d),
                "parsed": len(d),
                "skipped": 0,
                "rejected": 0,
                "damage": "",
                "counted": True,
            }
            for s, d in sorted(self.streams.items())
        ]
        tables.write("files", [pa.Table.from_pylist(files, schema=schema.FILES)])
        tables.write("rejected", [pa.Table.from_pylist(rejects, schema=schema.REJECTED)])
        return tables


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


def item(says: str, group: str, tier: str, ratio: float | None, *refs: dict[str, Any]) -> dict[str, Any]:
    return {"says": says, "group": group, "tier": tier, "refs": list(refs)} | ({} if ratio is None else {"lr": ratio})


def edge(src: str, dst: str, rule: str, ref: dict[str, Any], when: str = "", *, recorded: bool = True) -> dict[str, Any]:
    return {"src": src, "dst": dst, "rule": rule, "recorded": recorded, "when": when or None, "refs": [ref]}


def source_row(name: str, kind: str, size: int, rejected: int = 0, **more: Any) -> dict[str, Any]:
    row = {
        "name": name, "kind": kind, "bytes": size, "bytes_parsed": size - size // 9 - rejected, "bytes_skipped": size // 9, "bytes_rejected": rejected,
        "records": size // 180, "rejected": 3 if rejected else 0, "first": "2024-06-01T00:04:11Z", "last": "2024-07-30T21:10:02Z", "gaps": [],
        "clock_offset_s": None, "tier": "T3", "controllers": None, "files": 1, "notes": [], "damage": "", "status": "read", "host": "",
    }  # fmt: skip
    return row | more


PEOPLE = (
    Person("p-003", "Ines Halvorsen", "engineer", at("2020-01-01T00:00:00Z"), None),
    Person("p-014", "陆知微", "researcher", at("2021-05-03T00:00:00Z"), None),
    Person("p-022", "Matteo Brunelli", "engineer", at("2019-02-11T00:00:00Z"), at("2024-06-20T18:00:00Z")),
    Person("p-031", "Adaeze Obiora", "admin", at("2018-08-01T00:00:00Z"), None),
)


def question_one(lab: Lab) -> dict[str, Any]:
    push = lab.record(
        "push-log",
        "2024-06-12T06:14:08Z",
        "code.push",
        actor="gitlab:luzw",
        object="git:train#refs/heads/main",
        target=COMMIT,
        ip="ip:10.4.2.77",
        credential="ssh-key:SHA256:q3Jk8",
    )
    vpn = lab.record(
        "vpn",
        "2024-06-12T05:58:40Z",
        "session.vpn.connect",
        actor="unix:luzw",
        device="device:lt-0417",
        ip="ip:10.4.2.77",
        session="vpn-8812",
    )
    lease = lab.record("dhcp", "2024-06-12T05:58:41Z", "device.lease", device="device:lt-0417", ip="ip:10.4.2.77")
    badge = lab.record("badge", "2024-06-12T05:41:02Z", "person.present", actor="badge:20417", object="place:B2-east")
    meeting = lab.record(
        "meetings", "2024-06-12T06:30:00Z", "meeting.attend", actor="email:zhiwei@lab.example", object="meeting:weekly-sync"
    )
    review = lab.record("forge", "2024-06-12T06:20:55Z", "code.review", actor="gitlab:ihalvorsen", object=COMMIT, outcome="approved")
    jobs = [f"slurm:gpu/{n}" for n in range(1041, 1078)]
    launches = [
        lab.record("slurm", f"2024-06-{13 + n // 8}T0{n % 8}:10:00Z", "job.launch", actor="unix:sched", object=job)
        for n, job in enumerate(jobs)
    ]
    objects = [f"s3://models/rank/ckpt-{n:05d}" for n in range(3)]
    writes = [
        lab.record("cloudtrail", f"2024-06-2{n}T11:00:00Z", "object.write", object=o, session=f"role/job-{1041 + n}")
        for n, o in enumerate(objects)
    ]
    path = [
        edge("gitlab:luzw", "event:1", "acts", push, "2024-06-12T06:14:08Z"),
        edge("ssh-key:SHA256:q3Jk8", "event:1", "acts", push, "2024-06-12T06:14:08Z"),
        edge("ip:10.4.2.77", "event:1", "acts", push, "2024-06-12T06:14:08Z"),
        edge("device:lt-0417", "ip:10.4.2.77", "leases", lease, "2024-06-12T05:58:41Z"),
        edge("device:lt-0417", "vpn-8812", "acts", vpn, "2024-06-12T05:58:40Z"),
        edge("vpn-8812", "event:1", "acts", vpn, recorded=False),
        edge("device:lt-0417", "p-014", "holders", lease),
        edge("gitlab:luzw", "p-014", "holders", badge),
        edge("event:1", COMMIT, "pushed-commits", push, "2024-06-12T06:14:08Z"),
        *(edge(COMMIT, job, "job-commits", ref, recorded=n % 3 > 0) for n, (job, ref) in enumerate(zip(jobs, launches, strict=True))),
        *(edge(jobs[n], o, "job-objects", ref) for n, (o, ref) in enumerate(zip(objects, writes, strict=True))),
    ]
    return {
        "question": "q1", "object": COMMIT, "when": {"from": "2024-06-12T06:14:07Z", "to": "2024-06-12T06:14:09Z"},
        "rung": "person", "person": "p-014", "account": "gitlab:luzw", "mechanism": "own-account", "support": "moderate", "candidates": ["p-014"],
        "alternatives": [
            {"person": "p-031", "mechanism": "forged-record", "lr": {"low": 41.0, "high": 380.0}},
            {"person": "p-022", "mechanism": "credential-misuse", "lr": {"low": 14.2, "high": 96.0}},
            {"person": None, "mechanism": "automation", "lr": {"low": 120.0, "high": 2400.0}},
        ],
        "for": [
            item("The push was signed with the key ssh-key:SHA256:q3Jk8, issued to p-014.", "forge", "T3", 9.2, push),
            item("The address belonged to the laptop lt-0417 at that minute.", "network", "T3", 6.1, lease, vpn),
            item("The badge of p-014 opened door B2-east half an hour before.", "badge", "T4", 4.4, badge),
        ],
        "against": [item("p-014 joined a meeting sixteen minutes later, from another room.", "calendar", "T2", 0.7, meeting)],
        "missing": ["Logon and lock records of lt-0417 for the morning of 12 June", "Camera or door records of room B2-117", "Where the key q3Jk8 was stored, and who could copy it", "An interview with p-014"],
        "flags": ["shared-address", "unreviewed"],
        "flag_items": [{"flag": "unreviewed", "says": "The review came seven minutes after the push, not before it.", "innocent": ["an urgent repair that was looked at afterwards"], "refs": [review, push]}],
        "not_evaluated": ["somebody unknown: an outsider, or malware on the device", "two people acting together"],
        "ladder": [
            {"rung": "change", "reached": True, "why": "The commit lies in the server's repository, and its id covers its content.", "refs": [push]},
            {"rung": "record", "reached": True, "why": "Forge and network logs agree, and no one person keeps both.", "refs": [push, lease]},
            {"rung": "account", "reached": True, "why": "The forge authenticated the push by key.", "refs": [push]},
            {"rung": "session", "reached": True, "why": "The address was leased to one laptop, which had a VPN session open.", "refs": [vpn, lease]},
            {"rung": "person", "reached": True, "why": "A badge record, kept elsewhere, shows its holder in the building.", "refs": [badge]},
        ],
        "path": path,
        "summary": "The change came by one push, from a laptop that was registered to p-014.",
    }  # fmt: skip


def question_two(lab: Lab) -> dict[str, Any]:
    write = lab.record(
        "cloudtrail", "2024-07-02T17:03:59Z", "object.write", actor="aws:trainops", object="s3://models/rank/base.pt", ip="ip:10.4.9.1"
    )
    hop = lab.record("auth-jump", "2024-07-02T16:59:20Z", "session.ssh.open", actor="unix:trainops", ip="ip:10.4.9.1")
    return {
        "question": "q2", "object": "s3://models/rank/base.pt?versionId=Xk29sLq", "rung": "account", "person": None, "account": "aws:trainops",
        "mechanism": "shared-identity", "support": "none", "candidates": ["p-003", "p-022", "p-031"],
        "alternatives": [
            {"person": "p-003", "mechanism": "shared-identity", "lr": {"low": 0.6, "high": 1.8}},
            {"person": "p-031", "mechanism": "shared-identity", "lr": {"low": 0.3, "high": 2.2}},
        ],
        "for": [item("The store's log names the shared account aws:trainops.", "cloud", "T4", 1.1, write)],
        "against": [item("Three people held open sessions on the jump host, at one address.", "jump", "T2", 0.8, hop)],
        "missing": ["Which of the three sessions on the jump host ran the upload: its process records"],
        "flags": ["shared-address", "log-gap"], "not_evaluated": ["somebody unknown"],
        "path": [edge("aws:trainops", "event:2", "acts", write), edge("ip:10.4.9.1", "event:2", "acts", write), edge("event:2", "s3://models/rank/base.pt?versionId=Xk29sLq", "acts", write)],
    }  # fmt: skip


def question_three(lab: Lab) -> dict[str, Any]:
    return {
        "question": "q3", "object": "file:///share/rank/loader.py", "rung": "none", "person": None, "account": None, "mechanism": "unknown", "support": "none",
        "candidates": ["p-003", "p-014", "p-022", "p-031"], "alternatives": [], "for": [], "against": [],
        "missing": [], "flags": [],
    }  # fmt: skip


def lab_findings(lab: Lab) -> dict[str, Any]:
    answers = [question_one(lab), question_two(lab), question_three(lab)]
    jobs = [f"slurm:gpu/{n}" for n in range(1041, 1078)]
    return {
        "schema": "forensics/findings/1",
        "case": {"id": "2024-06-unstable-training", "title": "Loss of the ranking model swings; nobody finds the cause", "from": "2024-05-31T16:00:00Z", "to": "2024-07-30T16:00:00Z"},
        "answers": answers,
        "statements": [
            {"id": "s1", "verdict": "contradicted", "why": "p-022 left on 20 June, eight days after the change.", "evidence": [answers[0]["for"][0]["refs"][0]], "for": [], "against": [item("The push is dated 12 June by the forge.", "forge", "T3", 0.1, answers[0]["for"][0]["refs"][0])]},
            {"id": "s2", "verdict": "not resolved", "why": "The jobs that ran it used 296 GPUs; 8,000 are neither reached nor excluded.", "evidence": []},
        ],
        "causes": [{"object": COMMIT, "score": 0.93, "bad_runs": 11, "good_runs": 0}, {"object": "pkg:pypi/fastload@1.4.2", "score": 0.41, "bad_runs": 9, "good_runs": 6}],
        "impact": [{"question": "q1", "jobs": jobs, "jobs_possible": jobs[:4], "objects": [f"s3://models/rank/ckpt-{n:05d}" for n in range(3)], "gpu_hours": {"low": 18240.5, "high": 20112.0}, "cost": {"low": 38305.05, "high": 42235.2}}],
        "sources": [
            source_row("push-log", "gitlab_events", 4_188_220, controllers=["p-031"]),
            source_row("forge", "gitlab_audit", 901_144, controllers=["p-031"]),
            source_row("slurm", "slurm", 2_204_881, rejected=4_120, controllers=[]),
            source_row("cloudtrail", "cloudtrail", 38_114_002, tier="T4", clock_offset_s={"low": -0.4, "high": 0.9}),
            source_row("auth-jump", "syslog", 10_441_020, tier="T2", gaps=[{"from": "2024-07-02T11:00:00Z", "to": "2024-07-03T19:30:00Z"}, {"from": "2024-06-21T00:00:00Z", "to": "2024-06-21T09:00:00Z"}], clock_offset_s={"low": 3540.0, "high": 3661.0}),
            source_row("vpn", "table", 88_120), source_row("dhcp", "table", 120_334, tier="T2"), source_row("badge", "table", 61_000, tier="T4"), source_row("meetings", "table", 9_301, tier="T2"),
            source_row("metrics", "metrics", 0, status="unreadable", damage="the archive ends in the middle of a block", first=None, last=None, records=0),
        ],
        "tables": {"events/part-00000": "a" * 64},
    }  # fmt: skip


def lab_case() -> CaseConfig:
    source = SourceConfig(
        "push-log",
        "gitlab_events",
        "evidence/push.jsonl",
        acquired=Acquired("p-031", "2024-08-01T09:00:00+08:00", "exported by the forge's API"),
    )
    return CaseConfig(
        "case", "2024-06-unstable-training", "Loss of the ranking model swings; nobody finds the cause", "Asia/Shanghai",
        (at("2024-06-01T00:00:00+08:00"), at("2024-07-31T00:00:00+08:00")), (source,), (Question("q1", COMMIT, about="Who put this into the ranking model?"),), PEOPLE,
        statements=(Statement("s1", "p-022", "I had already left when the model code was changed.", "left-before", "q1"), Statement("s2", "press", "Eight thousand GPUs were hit.", "scale", "q1")),
        bad=("slurm:gpu/1041",), good=("slurm:gpu/1012",), currency="USD", mandate=(("purpose", "internal inquiry"), ("requested_by", "works council and HR")),
    )  # fmt: skip


POLICY = {
    "likelihood": {"almost certain": 0.95, "even": 0.5},
    "records": {"wrong": [0.5, 0.2, 0.1, 0.03, 0.01]},
    "gap": {"threshold": 1e-6},
}
CUSTODY = (
    {
        "seq": 0,
        "examiner": "K. Ferreira",
        "time": "2024-08-01T09:00:00Z",
        "tool": "forensics 0.1.0",
        "action": "intake",
        "source": "push-log",
        "prev": "0" * 64,
        "hash": "b" * 64,
    },
)


def extra_of(lab: Lab) -> Extra:
    return Extra("forensics 0.1.0", "K. Ferreira", "2024-08-01T09:00:00Z", "b" * 64, CUSTODY, POLICY, raw=lab.raw)


Made = tuple[dict[str, Any], Tables, CaseConfig, Extra]


def lab_made(folder: Path) -> Made:
    """Return everything that `render` takes, for the invented laboratory."""
    lab = Lab()
    findings = lab_findings(lab)
    for n in range(1500):
        lab.record(
            "cloudtrail",
            times.show(at("2024-06-01T00:00:00Z") + n * n % 5011 * times.HOUR // 4),
            "object.read",
            object="s3://models/rank/base.pt",
        )
    for n in range(600):
        lab.record("auth-jump", times.show(at("2024-06-02T00:00:00Z") + n * times.HOUR * 2), "session.ssh.open", actor="unix:sched")
    findings = numbered(findings, lab)
    bad = [
        {"source": "slurm", "file": "", "start": 40 * n, "end": 40 * n + 40, "reason": "the end is before the start", "locator": None}
        for n in range(3)
    ]
    return findings, lab.tables(folder / "tables", bad), lab_case(), extra_of(lab)


def numbered(findings: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """Name the acts of the paths after the ids that their events get."""
    ids, first = {}, 0
    for source, events in sorted(lab.events.items()):
        ids |= {(source, event.action): first + n for n, event in reversed(list(enumerate(events)))}
        first += len(events)
    text = json.dumps(findings)
    for name, act in (("event:1", ("push-log", "code.push")), ("event:2", ("cloudtrail", "object.write"))):
        text = text.replace(f'"{name}"', f'"event:{ids[act]}"')
    found: dict[str, Any] = json.loads(text)
    return found


def poisoned(value: Any, evil: Callable[[], str], key: str = "") -> Any:
    """Put hostile text wherever the schema lets evidence or the case speak."""
    kept = {
        "rung",
        "mechanism",
        "support",
        "tier",
        "verdict",
        "from",
        "to",
        "when",
        "first",
        "last",
        "sha256",
        "locator",
        "schema",
        "flags",
        "flag",
        "source",
        "status",
        "path_",
    }
    if isinstance(value, dict):
        return {k: v if k in kept else poisoned(v, evil, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, evil, key) for v in value]
    return f"{evil()}{value}" if isinstance(value, str) and key != "question" else value


def hostile_made(folder: Path) -> Made:
    """Return everything that `render` takes, with hostile text in every place."""
    lab, number = Lab(), 0

    def evil() -> str:
        nonlocal number
        number += 1
        return HOSTILE[number % len(HOSTILE)]

    nasty = [
        lab.record("push-log", "2024-06-12T06:14:08Z", evil() + "act", actor=text, object=text, target=text, claimed=text, outcome=text)
        for text in HOSTILE
    ]
    findings = poisoned(lab_findings(lab), evil)
    findings["answers"][0]["for"] += [item(text, text, "T1", 1.0, ref) for text, ref in zip(HOSTILE, nasty, strict=True)]
    findings["answers"][0]["question"] = HOSTILE[0]
    findings["answers"][1]["question"] = HOSTILE[4]
    lab.streams["push-log"] = lab.streams["push-log"] + b"\xff\xfe\x00"
    bad = [
        {"source": "push-log", "file": "", "start": n, "end": n + 30, "reason": clean(text), "locator": None}
        for n, text in enumerate(HOSTILE)
    ]
    case = lab_case()
    people = tuple(Person(p.id, evil() + p.name, p.role, None, None) for p in case.people)
    declared = (SourceConfig(findings["sources"][0]["name"], "x", "x", tier=Tier.T1, acquired=Acquired(evil(), evil(), evil())),)
    said = (Statement(findings["statements"][0]["id"], "p-014", "".join(HOSTILE), evil(), evil()),)
    case = CaseConfig(
        "case", HOSTILE[6], HOSTILE[0], "Asia/Shanghai", case.window, declared, (Question(HOSTILE[0], COMMIT, about=HOSTILE[1]),), people, statements=said,
        currency=HOSTILE[1], mandate=((HOSTILE[0], HOSTILE[1]),),
    )  # fmt: skip
    extra = Extra(
        HOSTILE[0],
        HOSTILE[1],
        HOSTILE[4],
        HOSTILE[6],
        ({HOSTILE[0]: HOSTILE[1], "seq": HOSTILE[5]},),
        {HOSTILE[0]: {HOSTILE[6]: [HOSTILE[4]]}},
        (HOSTILE[0],),
        lab.raw,
        tuple({"examiner": text, "time": text, "text": text[:1000], "about": text, "tags": [text, text]} for text in HOSTILE),
    )
    tables = lab.tables(folder / "tables", bad)
    changed = [
        {
            "object": findings["answers"][0]["object"],
            "path": clean(text),
            "text": f"@@ -1 +1 @@\n-{clean(text)}\n+{clean(text)}\n",
            "cut": 0,
        }
        for text in HOSTILE
    ]
    tables.write("diffs", [pa.Table.from_pylist(changed, schema=schema.TABLES["diffs"])])
    return findings, tables, case, extra


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Give the two, each made once: what a test changes of it must be a copy."""
    return cache(lambda which: {"lab": lab_made, "hostile": hostile_made}[which](tmp_path_factory.mktemp(which)))


@pytest.fixture(scope="session")
def rendered(made: Callable[[str], Made]) -> Callable[..., str]:
    """Give the page of either, rendered once in each language: `rendered("lab", "zh")`."""
    return cache(lambda which, language="en": render(*made(which), language))


@pytest.fixture
def lab_report(made: Callable[[str], Made]) -> Made:
    findings, *rest = made("lab")
    return copy.deepcopy(findings), *rest


@pytest.fixture(scope="session")
def voice() -> Voice:
    return Voice(catalog(_folder() / "words" / "zh.po"), "Asia/Shanghai", Names({}))


def clean(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
