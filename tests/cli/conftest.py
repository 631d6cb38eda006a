"""A small examination, built by hand: a case folder with a file of each kind of storage, and an OUT whose tables point into it."""

import gzip
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from forensics import schema
from forensics.model import Event
from forensics.parts import PartWriter
from forensics.times import SECOND, parse

HOSTILE = "\x1b[31mred\u202egpj.exe\u200b\x9b"
"""moves colours, direction and cursor, if a terminal lets it"""
COMMIT, OTHER = "3f2c" + "a" * 36, "3f2d" + "b" * 36
START = parse("2024-06-12T01:30:00Z")[0]
FIRST, PLAIN, LAST = b"first\n", b"who=" + HOSTILE.encode() + b" \xff end\n", b"third\n"
BLOB = b"blob " + HOSTILE.encode()


@dataclass(frozen=True)
class Examination:
    case: Path
    out: Path
    refs: dict[str, str]
    """what a test may ask for, by a word"""


def at(seconds: int) -> int:
    return START + seconds * SECOND


def line(text: str) -> bytes:
    return json.dumps({"says": text}, ensure_ascii=False).encode() + b"\n"


ONE, TWO = len(line("packed one")), len(line("packed one") + line("packed two"))
ZST = len(line("zst one"))


def write_evidence(case: Path) -> None:
    logs = case / "evidence" / "logs"
    logs.mkdir(parents=True)
    (case / "evidence" / "plain.log").write_bytes(FIRST + PLAIN + LAST)
    (logs / "a.jsonl.gz").write_bytes(gzip.compress(line("packed one") + line("packed two"), mtime=0))
    (logs / "b#1.jsonl.zst").write_bytes(zstandard.compress(line("zst one") + line("zst two")))
    badge = pa.table({"card": ["c1", "c2"], "when": pa.array([at(0), at(1) + 1], pa.timestamp("ns", "UTC"))})
    pq.write_table(badge, case / "evidence" / "badge.parquet")
    (case / "people.csv").write_bytes(b"person,name,role,employed_from,employed_to\np-1,Mei,dev,2024-01-01T00:00:00Z,\n")


def write_repository(out: Path) -> str:
    copy = out / "work" / "train.git"
    subprocess.run(["git", "init", "-q", "--bare", str(copy)], check=True)
    made = subprocess.run(["git", f"--git-dir={copy}", "hash-object", "-w", "--stdin"], input=BLOB, check=True, capture_output=True)
    return made.stdout.decode().strip()


def events(blob: str) -> dict[tuple[str, str], list[Event]]:
    digest = hashlib.sha256(b"blob %d\x00" % len(BLOB) + BLOB).hexdigest()
    second, third = len(FIRST), len(FIRST + PLAIN)
    commit = f"git:train@{COMMIT}"
    return {
        ("plain", ""): [
            Event(0, second, at(0), "code.push", "gitlab:mei", "git:train#refs/heads/main", commit, ip="ip:10.0.0.1"),
            Event(second, third, at(60) + 123_456_789, "log.message", HOSTILE, "=1+1", outcome="ok", attrs=json.dumps({"z": HOSTILE})),
            Event(third, third + len(LAST), None, "session.ssh.open", "unix:mei", session="ssh:h/1"),
        ],
        ("logs", "a.jsonl.gz"): [Event(ONE, TWO, at(120), "job.launch", "unix:mei", "slurm:gpu/1")],
        ("logs", "b#1.jsonl.zst"): [Event(0, ZST, at(180), "object.write", "aws:role", "s3://models/a?versionId=1", value=0.5, name="x")],
        ("badge", ""): [Event(-1, -1, at(1), "person.present", "badge:c2", "place:door", locator="table=badge;row=1")],
        ("train", ""): [Event(-1, -1, at(-60), "code.commit", None, commit, claimed="email:mei@x", locator=f"git={blob}", sha256=digest)],
    }


def edge(rule: str, src: str, dst: str, time: int | None, event: int, *, recorded: bool = True) -> dict[str, object]:
    return {"rule": rule, "src": src, "dst": dst, "time": time, "time_hi": time, "recorded": recorded, "events": [event]}


def edges() -> list[dict[str, object]]:
    commit, other, job, written = f"git:train@{COMMIT}", f"git:train@{OTHER}", "slurm:gpu/1", "s3://models/a?versionId=1"
    return [
        edge("acts", "gitlab:mei", "event:0", at(0), 0),
        edge("acts", "gitlab:mei", "event:1", at(60), 1),
        edge("pushed-commits", "event:0", commit, at(0), 0),
        edge("ancestry", other, commit, None, 6),
        edge("ancestry", commit, other, None, 6),
        edge("job-commits", commit, job, at(120), 3, recorded=False),
        edge("job-objects", job, written, at(180), 4),
        edge("job-objects", job, written, at(240), 4),
        edge("job-objects", "s3://models/later", job, at(500), 4),
        edge("loads", written, HOSTILE, at(300), 1),
    ]


def write_tables(case: Path, out: Path, blob: str) -> None:
    sources = {"plain": "evidence/plain.log", "logs": "evidence/logs", "badge": "evidence/badge.parquet"}
    places = {(name, ""): case / path for name, path in sources.items() if name != "logs"}
    places |= {("logs", path.name): path for path in sorted((case / "evidence" / "logs").iterdir())}
    places["case", "people.csv"] = case / "people.csv"
    known = [
        {"source": s, "file": f, "sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "counted": True} for (s, f), p in places.items()
    ]
    with PartWriter(out / "tables", 0) as part:
        number = 0
        for (source, file), rows in events(blob).items():
            part.write("events", schema.event_batch(source, file, number, rows))
            number += len(rows)
        part.write("edges", pa.Table.from_pylist(edges(), schema=schema.EDGES))
        part.write(
            "pushes", pa.Table.from_pylist([{"event": 0, "repo": "models", "ref": "refs/heads/main", "after": OTHER}], schema=schema.PUSHES)
        )
        part.write("files", pa.Table.from_pylist(known, schema=schema.FILES))
    note = {"case": str(case), "sources": {**sources, "train": "evidence/train.git", "case": "."}, "kinds": {"train": "git"}}
    (out / "examination.json").write_text(json.dumps(note))
    (out / "findings.json").write_text("{}")


@pytest.fixture
def examined(tmp_path: Path) -> Examination:
    case, out = tmp_path / "case", tmp_path / "out"
    write_evidence(case)
    out.mkdir()
    blob = write_repository(out)
    write_tables(case, out, blob)
    refs = {
        "plain": f"plain#bytes={len(FIRST)}-{len(FIRST + PLAIN)}",
        "gz": f"logs/a.jsonl.gz#bytes={ONE}-{TWO}",
        "zst": f"logs/b#1.jsonl.zst#bytes=0-{ZST}",
        "row": "badge#table=badge;row=1",
        "git": f"train#git={blob}",
        "people": "case/people.csv#bytes=43-76",
    }
    return Examination(case, out, refs)
