"""How far a change reached: known answers on a few edges."""

from types import SimpleNamespace

import pytest

from forensics import schema
from forensics.model import CaseConfig, Event, Question
from forensics.reasoning.impact import impact
from forensics.reasoning.policy import read_policy
from forensics.reasoning.world import world
from forensics.tables import Tables

HOUR = 3600 * 10**9
BAD, GOOD = "git:r@" + "b" * 40, "git:r@" + "a" * 40


def job(number, start, end=None, workdir="/w", gpus=8.0, **more):
    return dict.fromkeys(schema.JOBS.names) | {
        "job": f"slurm:gpu/{number}", "submit": (start or 0) * HOUR, "start": start and start * HOUR, "end": (end or (start or 0) + 1) * HOUR,
        "workdir": workdir, "gpus": gpus, "nodes": [], "events": [],
    } | more  # fmt: skip


def edge(src, dst, time, rule="job-objects", recorded=True):
    return {"rule": rule, "src": src, "dst": dst, "time": time * HOUR, "time_hi": time * HOUR, "recorded": recorded, "events": [0]}


def ran(commit, number, time):
    return edge(commit, f"slurm:gpu/{number}", time, "job-commits")


def write(number, object_, time, **more):
    return Event(-1, -1, time * HOUR, "object.write", object=object_, **more)


@pytest.fixture
def reach(tmp_path):
    """Follow a change through jobs, edges and writes."""

    def follow(jobs, edges, events=(), asked=BAD, pushes=()):
        tables = Tables(tmp_path)
        commits = [Event(-1, -1, 1, "code.commit", object=c, attrs='{"parents":[]}') for c in (BAD, GOOD)]
        rows = [*commits, *events]
        tables.write("events", [schema.event_batch("s", "f", 0, rows)])
        acts = [
            {n: getattr(e, n, None) for n in schema.ACTS.names} | {"event": k, "source": "s", "time_hi": e.time, "outcome": "ok"}
            for k, e in enumerate(rows)
        ]
        tables.write("acts", [schema.ACTS.empty_table().from_pylist(acts, schema=schema.ACTS)])
        tables.write("jobs", [schema.JOBS.empty_table().from_pylist(jobs, schema=schema.JOBS)])
        tables.write("edges", [schema.EDGES.empty_table().from_pylist(edges, schema=schema.EDGES)])
        tables.write("pushes", [schema.PUSHES.empty_table().from_pylist(list(pushes), schema=schema.PUSHES)])
        tables.write("changes", [schema.CHANGES.empty_table()])
        view = world(tables, CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1000 * HOUR), ()), read_policy(None))
        found = impact(view, SimpleNamespace(question=Question("q1", asked), objects=(asked,), when=(10 * HOUR, 10 * HOUR), act=None))
        return found, [j.rpartition("/")[2] for j in found.jobs], [j.rpartition("/")[2] for j in found.jobs_possible]

    return follow


def test_a_job_that_nothing_is_known_of_may_have_run_what_its_neighbours_in_the_working_tree_ran(reach):
    jobs = [job(n, 10 * n) for n in range(1, 7)] + [job(9, 45, workdir="/elsewhere"), job(8, 5)]
    edges = [ran(GOOD, 1, 10), ran(BAD, 3, 30), ran(GOOD, 5, 50)]
    found, sure, possible = reach(jobs, edges)
    assert sure == ["3"]
    assert possible == ["2", "4"]
    assert found.gpu_hours == (8.0, 24.0)


def test_an_object_written_twice_bears_the_change_until_another_writes_it(reach):
    name = "hdfs://nn/x.pt"
    jobs = [job(n, 10 * n, workdir="") for n in range(1, 6)]
    writes = [write(1, name, 11), write(1, name, 12), write(4, name, 40)]
    edges = [
        ran(BAD, 1, 10), edge("slurm:gpu/1", name, 11), edge("slurm:gpu/1", name, 12), edge(name, "slurm:gpu/2", 20),
        edge(name, "slurm:gpu/3", 30, recorded=False), edge("slurm:gpu/4", name, 40), edge(name, "slurm:gpu/5", 50),
    ]  # fmt: skip
    found, sure, possible = reach(jobs, edges, writes)
    assert (sure, possible, found.objects) == (["1", "2"], ["3"], (name,))


def test_copies_and_renamed_objects_bear_it_too(reach):
    mine, copy, moved = "s3://b/x?versionId=1", "s3://b/y?versionId=7", "hdfs://nn/z"
    writes = [
        write(1, mine, 11), write(0, copy, 12, target=mine), write(0, "s3://b/w?versionId=3", 12, target="s3://b/x?versionId=0"),
        write(0, moved, 13, prior="hdfs://nn/a"), write(1, "hdfs://nn/a", 11),
    ]  # fmt: skip
    edges = [
        ran(BAD, 1, 10), edge("slurm:gpu/1", mine, 11), edge("slurm:gpu/1", "hdfs://nn/a", 11), edge(copy, "slurm:gpu/2", 20),
        edge(moved, "slurm:gpu/3", 20), edge("s3://b/w?versionId=3", "slurm:gpu/4", 20),
    ]  # fmt: skip
    found, sure, _ = reach([job(n, 10 * n) for n in range(1, 5)], edges, writes)
    assert sure == ["1", "2", "3"]
    assert found.objects == ("hdfs://nn/a", "hdfs://nn/z", mine, copy)


def test_a_deleted_job_ran_from_the_placing_of_its_first_pod_to_its_deletion(reach):
    place = Event(-1, -1, 10 * HOUR, "job.node", object="k8s:c/n/x-1")
    gone = Event(-1, -1, 13 * HOUR, "job.cancel", object="slurm:gpu/1")
    one = job(1, 10, workdir="", events=[2]) | {"start": None, "end": None}
    assert reach([one], [ran(BAD, 1, 10)], [place, gone])[0].gpu_hours == (24.0, 24.0)
    assert reach([one], [ran(BAD, 1, 10)], [place])[0].gpu_hours == (0, 0)


def test_an_image_is_the_same_under_any_name(reach):
    digest = "sha256:" + "1" * 64
    edges = [edge(f"image:lab/t@{digest}", "slurm:gpu/1", 20), edge("image:lab/t@sha256:" + "2" * 64, "slurm:gpu/2", 20)]
    assert reach([job(1, 20), job(2, 20)], edges, asked=f"image:t@{digest}")[1] == ["1"]


def test_of_files_those_are_told_that_another_job_loaded(reach):
    edges = [
        ran(BAD, 1, 10),
        *(edge("slurm:gpu/1", f"file:///w/{name}", 11, "file-jobs") for name in ("log", "x.pt")),
        edge("file:///w/log", "slurm:gpu/1", 12, "file-jobs"),
        edge("file:///w/x.pt", "slurm:gpu/2", 20, "file-jobs"),
    ]
    found, sure, _ = reach([job(1, 10), job(2, 20)], edges)
    assert (sure, found.objects) == (["1", "2"], ("file:///w/x.pt",))


def test_a_job_in_an_unknown_working_tree_may_have_run_what_the_branch_held_then(reach):
    pushes = [
        dict.fromkeys(schema.PUSHES.names)
        | {"event": 0, "repo": "lab/r", "ref": "refs/heads/main", "time": t * HOUR, "after": c.partition("@")[2]}
        for t, c in ((5, GOOD), (15, BAD), (40, GOOD))
    ]
    jobs = [
        job(1, 12, workdir="/home/kim/r"),
        job(2, 20, workdir="/home/kim/r/"),
        job(3, 50, workdir="/home/eve/r"),
        job(4, 20, workdir="/x/s"),
    ]
    bad = BAD.replace("git:r@", "git:lab/r@")
    commits = [Event(-1, -1, 1, "code.commit", object=c.replace("git:r@", "git:lab/r@"), attrs='{"parents":[]}') for c in (BAD, GOOD)]
    assert reach(jobs, [], commits, asked=bad, pushes=pushes)[1:] == ([], ["2"])


def test_a_job_that_names_the_folder_of_a_changed_file_may_have_run_it_until_it_was_changed_again(reach):
    file = "file:///envs/next/lib/fused.py"
    events = [
        Event(-1, -1, 20 * HOUR, "file.check", object=file, outcome="ok"),
        write(0, file, 60)._replace(action="file.write"),
        Event(-1, -1, 1, "job.launch", object="k8s:c/n/x", attrs='{"env":{"VENV":"/envs/next","OTHER":["odd"]}}'),
    ]
    jobs = [job(n, 10 * n, command="run --export=VENV=/envs/next x") for n in range(2, 8)]
    jobs += [job(8, 30, command="run --export=VENV=/envs/old x"), job(9, 30, events=[4])]
    assert reach(jobs, [], events, asked=file)[1:] == ([], ["2", "3", "4", "5", "9"])
