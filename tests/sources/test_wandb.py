"""What is particular to W&B: which run a file is of, and which job that run is."""

import json

import pytest

from forensics.model import SourceConfig
from forensics.sources.wandb.layout import place


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("run-20240611_101112-abc/files/config.yaml", ("config", "abc")),
        ("a/offline-run-20240611_101112-x_9/files/wandb-summary.json.gz", ("summary", "x_9")),
        ("run-20240611_101112-abc/run-abc.wandb", ("skipped", "abc")),
        ("run-20240611_101112-abc/files/media/table/x.json", ("skipped", "abc")),
        ("run-20240611_101112-abc/logs/debug.log", ("skipped", "abc")),
        ("abc/files/wandb-metadata.json", ("metadata", "abc")),
        ("history-abc.csv.zst", ("csv", "abc")),
        ("abc_history.jsonl", ("json", "abc")),
        ("notes.txt", ("skipped", "notes")),
    ],
)
def test_a_path_tells_what_a_file_is(name, expected):
    assert place(SourceConfig("w", "wandb", "evidence"), name) == expected


@pytest.fixture
def read(tmp_path, source_config, evidence_at, read_evidence):
    def found(name: str, content: str):
        (tmp_path / name).write_text(content)
        return read_evidence(evidence_at(tmp_path, source_config("wandb", path=name)))

    return found


@pytest.mark.parametrize(
    ("run", "job"),
    [
        ({"metadata": {"slurm": {"job_id": "7", "array_job_id": "5", "array_task_id": "2"}}}, "5_2"),
        ({"metadata": {"slurm": {"job_id": "7"}}, "config": {"job_id": 9}}, "7"),
        ({"config": {"k8s_job": "train-x"}}, "train-x"),
        ({"config": {"lr": 1}}, None),
    ],
)
def test_the_job_is_the_schedulers_own_word_before_a_setting(read, run, job):
    events = read("runs.jsonl", json.dumps({"id": "r1", "state": "finished", **run}) + "\n").events
    assert json.loads(events[0].attrs).get("job") == job


@pytest.mark.parametrize(
    "row", [{"id": [], "config": {}}, {"_step": 1, "_timestamp": 1e300, "loss": 1}, {"id": "x", "state": 1, "createdAt": "noon"}, [1], "x"]
)
def test_what_makes_no_sense_is_rejected(read, row):
    found = read("h.jsonl", json.dumps(row) + "\n")
    assert (found.events, len(found.rejects)) == ([], 1)


def test_huge_and_odd_values_are_kept_out_of_the_numbers(read):
    row = {"_step": "x", "_timestamp": "y", "a": True, "b": None, "c": [1], "d": 1e308, "e": "Infinity", "f": 2}
    found = read("h.jsonl", json.dumps(row) + "\n")
    assert [(e.name, e.value) for e in found.events] == [("e", None), ("f", 2.0)]
