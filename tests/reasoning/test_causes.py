"""Which change sets harmed runs apart from healthy ones: known answers on small labs."""

import json
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from forensics import schema, times
from forensics.model import CaseConfig, Event, SourceConfig
from forensics.reasoning.answers import reason
from forensics.reasoning.causes import asked, causes
from forensics.reasoning.causes.scoring import separation
from forensics.reasoning.policy import read_policy
from forensics.reasoning.world import World, world
from forensics.tables import Tables

HOUR = times.HOUR


def sha(n: int) -> str:
    return f"{n:040x}"


def commit(n: int) -> str:
    return f"git:train@{sha(n)}"


@dataclass
class Lab:
    """A laboratory that is written down row by row: hours are numbers from 1 on."""

    folder: Path
    events: list[Event] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)

    def commit(
        self, n: int, *parents: int, path: str = "", blobs: tuple[int, int] | None = None, subject: str = "", body: str = ""
    ) -> None:
        """Commit number n, pushed at hour n, that changes one path."""
        attrs = {"parents": [sha(p) for p in parents], "subject": subject or f"change {n}", "body": body}
        self.events.append(Event(-1, -1, n * HOUR, "code.commit", object=commit(n), locator=f"git={sha(n)}", attrs=json.dumps(attrs)))
        old, new = blobs or (7000 + n, 8000 + n)
        row = {"source": "s", "file": "o", "commit": sha(n), "path": path or f"pkg/part{n}.py", "status": "M"}
        self.changes.append(dict.fromkeys(schema.CHANGES.names) | row | {"old_blob": sha(old), "new_blob": sha(new)})
        self.edge("refs", commit(n), "git:train#refs/heads/main", n)

    def edge(self, rule: str, src: str, dst: str, hour: float) -> None:
        at = int(hour * HOUR)
        self.edges.append({"rule": rule, "src": src, "dst": dst, "time": at, "time_hi": at, "recorded": True, "events": [0]})

    def job(
        self,
        n: int,
        hour: float,
        ran: int | None = None,
        *,
        bad: bool | None = None,
        gpus: float = 8,
        nodes: tuple[str, ...] = (),
        command: str = "python run.py",
        name: str = "",
    ) -> str:
        """Run job n at that hour on a commit; `bad` None: nobody says how it went."""
        ref = f"slurm:gpu/{n}"
        row = {
            "job": ref, "actor": f"unix:u{n % 3}", "name": name or f"chat-{n}", "submit": int(hour * HOUR), "start": int(hour * HOUR), "end": int((hour + 5) * HOUR),
            "nodes": list(nodes), "gpus": gpus, "workdir": "/share/t/train", "command": command, "events": [100_000 + n],
        }  # fmt: skip
        self.jobs.append(dict.fromkeys(schema.JOBS.names) | row)
        if ran is not None:
            self.edge("job-commits", commit(ran), ref, hour)
        if bad is not None:
            (self.bad if bad else self.good).append(ref)
        return ref

    def act(self, action: str, hour: float, reference: str, outcome: str = "ok") -> None:
        row = {"event": len(self.acts), "source": "s", "action": action, "time": int(hour * HOUR), "object": reference, "outcome": outcome}
        self.acts.append(dict.fromkeys(schema.ACTS.names) | row)

    def curve(self, job: int, *values: float, name: str = "loss") -> None:
        self.events += [
            Event(-1, -1, None, "metric.point", object=f"run:chat-{job}", name=name, value=v, locator="x", attrs=json.dumps({"step": n}))
            for n, v in enumerate(values)
        ]

    def case(self) -> CaseConfig:
        sources = (SourceConfig("s", "metrics", "x", runs_pattern="{name}-{job}"),)
        return CaseConfig(str(self.folder), "case-1", "", "UTC", (0, 10**6 * HOUR), sources, bad=tuple(self.bad), good=tuple(self.good))

    def world(self) -> World:
        tables = Tables(self.folder)
        tables.write("events", [schema.event_batch("s", "o", 0, self.events)])
        for name, rows in (("changes", self.changes), ("jobs", self.jobs), ("edges", self.edges), ("acts", self.acts)):
            tables.write(name, [pa.Table.from_pylist(rows, schema=schema.TABLES[name])])
        return world(tables, self.case(), read_policy(None))

    def causes(self) -> Any:
        return causes(self.world())


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def history(lab, last=60):
    """Sixty commits in a row, one an hour."""
    for n in range(1, last + 1):
        lab.commit(n, *((n - 1,) if n > 1 else ()))


def test_the_commit_from_which_on_runs_were_harmed_comes_first(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=n >= 37)
    found = lab.causes()
    assert (found[0].object, found[0].score, found[0].bad_runs, found[0].good_runs) == (commit(37), 1.0, 23, 0)
    assert found[0].chance < 0.05
    assert found[0].when == 37 * HOUR
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert found[1].score < 1


def test_a_change_that_was_taken_back_is_told_by_both_ends(lab):
    for n in range(1, 60):
        undo = n == 45
        lab.commit(
            n,
            *((n - 1,) if n > 1 else ()),
            path="pkg/loader.py" if n in (30, 45) else "",
            blobs=(1, 2) if n == 30 else (2, 1) if undo else None,
        )
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=30 <= n < 45)
    found = lab.causes()
    assert (found[0].object, found[0].score) == (commit(30), 1.0)


def test_a_revert_by_its_message_takes_a_change_back(lab):
    for n in range(1, 60):
        lab.commit(n, *((n - 1,) if n > 1 else ()), body=f"This reverts commit {sha(30)}." if n == 45 else "")
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=30 <= n < 45)
    assert (lab.causes()[0].object, lab.causes()[0].score) == (commit(30), 1.0)


def test_a_change_that_acts_on_large_jobs_alone_is_found_with_its_condition(lab):
    history(lab)
    for n in range(10, 60):
        gpus = 128 if n % 2 else 8
        lab.job(n, n + 0.5, n, gpus=gpus, bad=n >= 30 and gpus > 64)
    found = lab.causes()
    assert found[0].object == commit(30) or found[0].object == commit(31)
    assert found[0].condition == "GPUs >= 128"
    assert (found[0].bad_runs, found[0].good_runs) == (15, 0)


def test_a_bad_node_comes_first_and_the_suspected_commit_stays_behind(lab):
    history(lab)
    for n in range(10, 60):
        node = "n7" if n >= 36 and n % 3 else f"n{n % 5}"
        lab.job(n, n + 0.5, n, nodes=(node,), bad=node == "n7")
    found = lab.causes()
    assert (found[0].object, found[0].score) == ("node:gpu/n7", 1.0)
    assert all(c.score < 0.8 for c in found[1:] if not c.object.startswith("node:"))


def test_an_overwritten_object_is_told_from_what_it_was_before(lab):
    history(lab)
    base = "s3://b/base.pt"
    lab.act("object.write", 5, base + "?versionId=a")
    lab.act("object.write", 30, base + "?versionId=b")
    for n in range(10, 60):
        job = lab.job(n, n + 0.5, n, bad=n >= 30 and n % 2 == 0)
        if n % 2 == 0:
            lab.edge("job-objects", base, job, n + 0.6)
    found = lab.causes()
    assert (found[0].object, found[0].score, found[0].when) == (base + "?versionId=b", 1.0, 30 * HOUR)


def test_harm_is_followed_through_what_harmed_jobs_wrote(lab):
    lab.act("object.write", 1, "hdfs://h/base.pt")
    middle = lab.job(1, 10)
    lab.edge("job-objects", "hdfs://h/base.pt", middle, 10.1)
    lab.edge("job-objects", middle, "hdfs://h/step.pt", 14)
    lab.act("object.write", 14, "hdfs://h/step.pt")
    for n in range(20, 40):
        lab.job(n, n, bad=n % 3 == 0)
        if n % 3 == 0:
            lab.edge("job-objects", "hdfs://h/step.pt" if n % 2 else "hdfs://h/base.pt", f"slurm:gpu/{n}", n + 0.1)
    found = lab.causes()
    assert (found[0].object, found[0].score) == ("hdfs://h/base.pt", 1.0)
    assert "wrote" in found[0].why


def test_a_file_on_a_mount_counts_for_the_runs_that_named_its_folder_while_it_stood(lab):
    file = "file:///share/envs/stable/lib/kit/fused.py"
    lab.act("file.write", 30, file)
    lab.act("file.check", 26, file)
    lab.act("file.check", 34, file, "mismatch")
    lab.act("file.check", 45, file)
    for n in range(10, 60):
        env = "/share/envs/next" if n % 2 else "/share/envs/stable"
        lab.job(n, n + 0.5, command=f"sbatch --export=ALL,ENV={env} run.sh", bad=30 <= n < 45 and n % 2 == 0)
    found = lab.causes()
    assert (found[0].object, found[0].score) == (file, 1.0)


@pytest.mark.parametrize(("later", "path", "parents"), [("docs", "docs/guide.md", (2,)), ("merge", "pkg/loss.py", (1, 2))])
def test_a_change_of_code_comes_before_one_of_the_docs_and_before_its_merge(lab, later, path, parents):
    lab.commit(1)
    lab.commit(2, 1, path="pkg/loss.py", blobs=(1, 2))
    lab.commit(3, *parents, path=path, blobs=(1, 2))
    for n in range(10, 40):
        lab.job(n, n, 3 if n >= 20 else 1, bad=n >= 20)
    found = lab.causes()
    assert [(c.object, c.score) for c in found[:2]] == [(commit(2), 1.0), (commit(3), 1.0)], later


def test_where_runs_do_not_differ_by_anything_nothing_is_told(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 9, bad=n % 4 == 0)
    assert lab.causes() == ()


def test_harm_by_chance_gives_causes_no_more_often_than_the_policy_says(tmp_path):
    drawn = random.Random(5)
    told = 0
    for k in range(8):
        lab = Lab(tmp_path / str(k))
        history(lab)
        for n in range(10, 60):
            lab.job(n, n + 0.5, n, nodes=(f"n{n % 7}", f"n{7 + n % 5}"), gpus=8 << n % 4, bad=drawn.random() < 0.4)
        told += bool(lab.causes())
    assert told <= 2


@pytest.mark.parametrize("bad", [0, 1])
def test_too_few_runs_are_not_compared(lab, bad):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=n >= 60 - bad)
    assert lab.causes() == ()


def test_a_run_called_both_counts_as_neither_and_unknown_runs_are_left_out(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=n >= 37)
    lab.bad += [lab.good[0], "slurm:gpu/999", "", "nonsense"]
    found = lab.causes()
    assert (found[0].object, found[0].score, found[0].bad_runs) == (commit(37), 1.0, 23)


def test_harmed_runs_are_told_by_their_loss_where_none_is_named(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n)
        end = 2 + 0.01 * (n % 7)
        lab.curve(n, 6, 5, 4, 3, *([end] * 4 if n < 37 else [end + 1.5] * 4))
    found = lab.causes()
    assert (found[0].object, found[0].score) == (commit(37), 1.0)
    assert "told by loss" in found[0].why


def test_models_that_differ_by_nature_are_not_taken_for_harmed(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, name="vit-x" if n >= 37 else "chat-x")
        end = 2 + 0.01 * (n % 7)
        lab.curve(n, 6, 5, 4, 3, *([end] * 4 if n < 37 else [end + 1.5] * 4))
    assert lab.causes() == ()


def test_one_kind_of_losses_is_not_cut_in_two(lab):
    history(lab)
    drawn = random.Random(3)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n)
        lab.curve(n, 6, 5, 4, 3, *[2 * drawn.gauss(1, 0.1)] * 4)
    assert lab.causes() == ()


def test_runs_that_nobody_named_decide_between_changes_that_reached_the_same(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=None if n % 5 else n >= 37)  # the first harmed run that is named is 40
        lab.curve(n, 6, 5, 4, 3, *[2 + 0.01 * (n % 7) + (1.5 if n >= 37 else 0)] * 4)
    found = lab.causes()
    assert (found[0].object, found[0].score) == (commit(37), 1.0)
    assert all(0.9 < c.score < 1.0 for c in found[1:4])  # they reached all that were named, and missed some of the others


def test_a_case_without_questions_gets_an_answer_for_each_of_the_first_five(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=n >= 37)
    view = lab.world()
    found = reason(view.tables, view.case, view.policy)
    assert [a.question.id for a in found.answers] == ["cause-1", "cause-2", "cause-3", "cause-4", "cause-5"]
    assert [a.question.object for a in found.answers] == [c.object for c in found.causes[:5]]
    assert found.answers[0].question.object == commit(37)
    assert asked(()) == ()


def test_the_same_case_gives_the_same(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, nodes=(f"n{n % 4}",), bad=n >= 37 or n % 9 == 0)
    view = lab.world()
    assert causes(view) == causes(view)
    other = causes(replace(view, case=replace(view.case, id="another")))
    assert [c.object for c in other] == [c.object for c in causes(view)]


def test_records_that_make_no_sense_do_no_harm(lab):
    lab.commit(1, 3)
    lab.commit(2, 1)
    lab.commit(3, 2)  # a circle: no git would
    lab.events.append(Event(-1, -1, None, "code.commit", object="git:train@", locator="x", attrs='{"parents": {"a": 1}, "subject": null}'))
    lab.events.append(
        Event(-1, -1, None, "metric.point", object="run:", name="loss", value=float("inf"), locator="x", attrs='{"step": "x"}')
    )
    lab.act("object.write", 1, "s3://b/x")
    for n in range(10, 30):
        lab.job(
            n,
            n,
            1 + n % 3,
            bad=n > 20,
            gpus=float("nan") if n % 2 else 0,
            nodes=("", "node:x/y"),
            command="run --from s3://b/x " + "/" * 5000,
        )
    lab.edge("job-objects", "slurm:gpu/10", "s3://b/x", 10)
    lab.edge("job-objects", "s3://b/x", "slurm:gpu/10", 10)
    assert isinstance(lab.causes(), tuple)


@pytest.mark.parametrize(
    ("reached", "expected"), [(0b0011, 1.0), (0b1100, 0.0), (0b1111, 0.0), (0b0000, 0.0), (0b0001, pytest.approx(0.577, abs=1e-3))]
)
def test_the_score_is_one_for_all_harmed_and_no_healthy_and_nothing_for_everything(reached, expected):
    assert separation(reached, 0b0011, 0b1100) == expected
