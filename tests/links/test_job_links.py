"""What ties jobs to commits, objects and images: known answers on a few records."""

import json

import pyarrow as pa
import pytest

from forensics import schema
from forensics.facts import acts_table, jobs_table
from forensics.links import job_commits, job_objects
from forensics.model import CaseConfig, Event
from forensics.tables import Tables

A, B = "a" * 40, "b" * 40
DIGEST = "sha256:" + "1" * 64
HOUR = 3600 * 10**9


def launch(number, start=100, actor="unix:kim", **attrs):
    facts = {"start": start * HOUR, "end": (start + 10) * HOUR, "submit": start * HOUR} | attrs
    return Event(-1, -1, start * HOUR, "job.launch", actor=actor, object=f"slurm:gpu/{number}", attrs=json.dumps(facts))


def commit(sha, repo="r"):
    return Event(-1, -1, 1, "code.commit", object=f"git:{repo}@{sha}", attrs="{}")


def run(job, sha, hour=101, claimed="unix:kim"):
    return Event(-1, -1, hour * HOUR, "run.record", object="mlflow:x", claimed=claimed, attrs=json.dumps({"job": job, "commit": sha}))


@pytest.fixture
def edges(tmp_path):
    """Draw a rule's edges over records: [(src, dst, recorded)]."""

    def draw(link, *records):
        tables = Tables(tmp_path)
        tables.write("events", [schema.event_batch("s", "f", 0, records)])
        tables.write("jobs", [jobs_table(tables)])
        tables.write("acts", [acts_table(tables, CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1), ()))])
        found = pa.concat_tables(link.LINK.run(tables)).to_pylist()
        assert all(e["events"] for e in found)
        return [(e["src"], e["dst"], e["recorded"]) for e in found]

    return draw


def test_a_tracker_says_what_its_job_ran(edges):
    assert edges(job_commits, commit(A), commit(A, "fork"), launch(7), launch(8), run("7", A)) == [
        (f"git:fork@{A}", "slurm:gpu/7", True),
        (f"git:r@{A}", "slurm:gpu/7", True),
    ]


def test_a_tracker_is_not_taken_at_its_word_against_a_stronger_record_or_from_another_account(edges):
    named = edges(job_commits, commit(A), commit(B), launch(7, commit=A), run("7", B))
    assert named == [(f"git:r@{A}", "slurm:gpu/7", True), (f"git:r@{B}", "slurm:gpu/7", False)]
    assert edges(job_commits, commit(A), launch(7), run("7", A, claimed="unix:eve")) == [(f"git:r@{A}", "slurm:gpu/7", False)]
    assert edges(job_commits, commit(A), launch(7), run("7", A, hour=300)) == []  # that number was another job's by then


def test_no_time_that_a_record_may_say_overflows(edges):
    assert edges(job_commits, commit(A), launch(7, end=(1 << 63) - 1), run("7", A)) == [(f"git:r@{A}", "slurm:gpu/7", True)]
    assert edges(job_commits, commit(A), launch(7, start=-300, end=-(1 << 62)), run("7", A)) == []


def test_what_is_renamed_at_once_is_one_object(edges):
    passing, last = "hdfs://nn/ckpt/1.pt._COPYING_", "hdfs://nn/ckpt/1.pt"
    write = Event(-1, -1, 101 * HOUR, "object.write", object=passing, session="hdfs:JOB_7")
    found = edges(job_objects, launch(7), write, write._replace(object=last, prior=passing), write._replace(action="object.delete"))
    assert found == [("slurm:gpu/7", last, True)]


def test_a_job_runs_the_image_whose_digest_its_record_names_and_perhaps_the_one_that_a_tag_stood_for(edges):
    push = Event(-1, -1, 50 * HOUR, "object.write", actor="gitlab:eve", object=f"image:lab/train@{DIGEST}")
    found = edges(
        job_objects,
        push,
        launch(1, image=f"registry.lab.example:5000/lab/train@{DIGEST}"),
        launch(2, image="registry.lab.example/lab/train"),
        launch(3, image="lab/train:24.3"),
        launch(4, image="lab/train:latest", start=40),
        launch(5, command=f"srun --container-image=docker://registry.lab.example#lab/train@{DIGEST} --gpus 8 x"),
        launch(6, image=["odd"]),
    )
    assert found == [
        (f"image:lab/train@{DIGEST}", "slurm:gpu/1", True),
        (f"image:lab/train@{DIGEST}", "slurm:gpu/2", False),
        (f"image:lab/train@{DIGEST}", "slurm:gpu/5", True),
    ]
