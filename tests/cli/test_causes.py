"""What sets harmed runs apart, what an object reached, how two runs differ: on a small laboratory of sixteen jobs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forensics.cli import main

BASE = "s3://models/base.pt"
TOML = """
schema = "forensics/case/1"
[case]
id = "swing"
title = "The loss swings"
timezone = "UTC"
from = 2024-06-01T00:00:00Z
to = 2024-06-30T00:00:00Z
[[source]]
name = "sacct"
kind = "slurm"
path = "evidence/sacct.txt"
host = "gpu"
timezone = "UTC"
[[source]]
name = "store"
kind = "table"
path = "evidence/store.csv"
[source.map]
time = "time"
action = "action"
actor = "actor"
object = "object"
session = "session"
[symptom]
bad = [{bad}]
good = [{good}]
[cost]
gpu_hour = 2
currency = "EUR"
"""
HEADING = "JobID|JobName|User|Account|Partition|Submit|Start|End|State|NodeList|AllocTRES|WorkDir|SubmitLine"


def job(n: int) -> str:
    begin = f"2024-06-{n:02d}T10:00:00"
    line = f"sbatch --lr={1 + n % 2}e-4 train.sh"
    return f"{n}|chat-{n}|mei|lab|gpu|{begin}|{begin}|2024-06-{n:02d}T12:00:00|COMPLETED|n{n % 3}|gres/gpu=8|/share/mei/train|{line}"


def acts(names: range) -> list[str]:
    """Every second job loads the base; on the 11th it was overwritten. Each job writes a step, and job 20 loads that of job 14."""
    rows = [
        f"2024-06-02T00:00:00Z,object.write,aws:mei,{BASE}?versionId=a,",
        f"2024-06-11T00:00:00Z,object.write,aws:kim,{BASE}?versionId=b,",
    ]
    for n in names:
        if n % 2 == 0:
            rows.append(f"2024-06-{n:02d}T10:01:00Z,object.read,aws:role,{BASE}?versionId={'ab'[n > 10]},aws:role/job-{n}")
        rows.append(f"2024-06-{n:02d}T11:59:00Z,object.write,aws:role,s3://models/run-{n}.pt?versionId=x,aws:role/job-{n}")
    rows += [
        "2024-06-21T10:05:00Z,object.read,aws:role,s3://models/run-14.pt?versionId=x,aws:role/job-21",
        "2024-06-22T00:00:00Z,object.read,aws:out\u202eside,s3://models/run-14.pt,",
    ]
    return ["time,action,actor,object,session", *rows]


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("case")
    names, bad = range(3, 24), [n for n in range(11, 24) if n % 2 == 0]
    (root / "case" / "evidence").mkdir(parents=True)
    quoted = lambda chosen: ", ".join(f'"slurm:gpu/{n}"' for n in chosen)  # noqa: E731 - used twice, here
    toml = TOML.format(bad=quoted(bad), good=quoted(n for n in names if n not in bad))
    (root / "case" / "case.toml").write_text(toml)
    (root / "case" / "people.csv").write_text("person,name,role,employed_from,employed_to\np-1,Mei,dev,2024-01-01T00:00:00Z,\n")
    (root / "case" / "identifiers.csv").write_text(
        "identifier,person,kind,from,to,source\nunix:mei,p-1,personal,2024-01-01T00:00:00Z,,hr\n"
    )
    (root / "case" / "evidence" / "sacct.txt").write_text("\n".join([HEADING, *map(job, names)]) + "\n")
    (root / "case" / "evidence" / "store.csv").write_text("\n".join(acts(names)) + "\n")
    found = CliRunner().invoke(main, ["investigate", str(root / "case"), "--out", str(root / "out"), "--workers", "1", "--quiet"])
    assert found.exit_code == 0, found.output
    return root / "out"


@pytest.fixture
def ask(out: Path) -> Callable[..., Result]:
    def run(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, [command, str(out), *arguments])

    return run


def parsed(found: Result) -> Any:
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_the_cause_is_told_with_its_runs_its_times_and_its_records(ask):
    text = ask("causes").stdout
    assert f"1. {BASE}?versionId=b" in text
    assert "object; score 1.00; shuffled labels reach that in 0.5 % of the shuffles or less" in text
    assert "Reached 6 of 6 harmed and 0 of 15 healthy runs." in text
    assert "Arrived 2024-06-11T00:00:00Z; the first harmed run that it reached began 2024-06-12T10:00:00Z, 34 hours later." in " ".join(
        text.split()
    )
    assert "store#bytes=" in text
    (cause, *_) = parsed(ask("causes", "--json"))["causes"]
    assert cause["harmed"] == [f"slurm:gpu/{n}" for n in (12, 14, 16, 18, 20, 22)]
    assert (cause["healthy"], cause["first_harm"]) == ([], "2024-06-12T10:00:00Z")


def test_every_run_is_named_with_its_record_where_asked(ask):
    text = ask("causes", "--runs").stdout
    assert "slurm:gpu/12 harmed, began 2024-06-12T10:00:00Z\n    sacct#bytes=" in text
    assert text.count(" healthy, began ") == 15


def test_the_comparison_stands_beside_the_findings_with_its_hash(out):
    findings = json.loads((out / "findings.json").read_text())
    assert findings["tables"]["comparison"] == hashlib.sha256((out / "comparison.json").read_bytes()).hexdigest()


def test_where_nothing_is_told_the_reason_and_what_to_collect_are(out, tmp_path):
    shutil.copytree(out, tmp_path / "out")
    for name, more in (
        ("findings", {"causes": []}),
        ("comparison", {"causes": [], "runs": [], "empty": "no \x1brun", "collect": ["metrics"]}),
    ):
        path = tmp_path / "out" / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | more))
    found = CliRunner().invoke(main, ["causes", str(tmp_path / "out")])
    assert "No cause is told\n  No \\x1brun.\n\nWhat could tell one\n  ? metrics\n" in found.stdout


def test_reach_of_a_version_goes_through_what_its_jobs_wrote(ask):
    told = parsed(ask("reach", f"{BASE}?versionId=b", "--json"))
    assert [j["job"] for j in told["jobs"]] == [f"slurm:gpu/{n}" for n in (12, 14, 16, 18, 20, 21, 22)]
    assert told["gpu_hours"] == {"low": 112.0, "high": 112.0}
    assert told["cost"] == {"low": 224.0, "high": 224.0, "gpu_hour": 2.0, "currency": "EUR"}
    assert {o["object"] for o in told["objects"]} == {f"s3://models/run-{n}.pt?versionId=x" for n in (12, 14, 16, 18, 20, 21, 22)}
    assert [(r["actor"], r["object"]) for r in told["readers"]] == [("aws:out\u202eside", "s3://models/run-14.pt")]
    assert all(item["refs"] for item in (*told["jobs"], *told["objects"], *told["readers"]))


def test_reach_in_words_escapes_what_came_from_evidence(ask):
    text = ask("reach", f"{BASE}?versionId=b").stdout
    assert "GPU-hours of these whole jobs: 112.0" in text
    assert "Cost: 224.0 EUR, at 2 a GPU-hour." in text
    assert "aws:out\\u202eside read s3://models/run-14.pt 1 time" in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("thing", "jobs"),
    [
        ("node:gpu/n1", [4, 7, 10, 13, 16, 19, 22]),
        ("slurm:gpu/14", [14, 21]),
        ("s3://models/run-14.pt", [21]),
        (BASE, [4, 6, 8, 10, 12, 14, 16, 18, 20, 21, 22]),
    ],
)
def test_reach_of_nodes_jobs_and_bare_names(ask, thing: str, jobs: list[int]):
    told = parsed(ask("reach", thing, "--json"))
    assert [j["job"] for j in told["jobs"]] == sorted(f"slurm:gpu/{n}" for n in jobs)


def test_an_object_that_no_record_names_is_said_to_be_so(ask):
    found = ask("reach", "s3://models/ba")
    assert found.exit_code == 1
    assert "no record of this examination names it" in found.stderr


def test_two_runs_differ_by_what_they_loaded_and_how_they_were_launched(ask):
    told = parsed(ask("diff", "slurm:gpu/11", "slurm:gpu/12", "--json"))
    one, other = told["runs"]
    assert [(o["kind"], o["object"]) for o in other["only"]] == [("node", "node:gpu/n0"), ("object", f"{BASE}?versionId=b")]
    assert [(o["kind"], o["object"]) for o in one["only"]] == [("node", "node:gpu/n2")]
    assert {"kind": "argument", "name": "--lr", "values": ["2e-4", "1e-4"]} in told["launch"]
    assert all(o["refs"] for o in (*one["only"], *other["only"]))
    text = ask("diff", "slurm:gpu/11", "slurm:gpu/12").stdout
    assert "argument --lr: 2e-4 against 1e-4" in text
    assert "no record names the commit" in text


@pytest.mark.parametrize("pair", [("slurm:gpu/11", "slurm:gpu/11"), ("slurm:gpu/11", "slurm:gpu/999")])
def test_runs_that_cannot_be_compared_are_wrong_use(ask, pair):
    assert ask("diff", *pair).exit_code == 2


def test_a_case_that_changed_since_is_not_gone_on_with(out, tmp_path):
    shutil.copytree(out, tmp_path / "out")
    shutil.copytree(out.parent / "case", tmp_path / "case")
    (tmp_path / "case" / "case.toml").write_text((tmp_path / "case" / "case.toml").read_text().replace("gpu_hour = 2", "gpu_hour = 3"))
    found = CliRunner().invoke(main, ["reach", str(tmp_path / "out"), "slurm:gpu/14", "--case", str(tmp_path / "case")])
    assert found.exit_code == 4
    assert "not what it was at intake" in found.stderr
