"""What sacct's rows say."""

import json

import pytest

from forensics.sources.slurm import MOST_NODES, expand

HEADING = b"JobID|User|UID|Submit|Start|End|State\n"
ROW = b"1041|mei|28273|2024-06-12T01:30:00Z|2024-06-12T01:31:00Z|2024-06-12T02:00:00Z|COMPLETED\n"


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("gp014", ["gp014"]),
        ("gp[014,024-025],login-1", ["gp014", "gp024", "gp025", "login-1"]),
        ("rack[1-2]n[09-10]", ["rack1n09", "rack1n10", "rack2n09", "rack2n10"]),
        ("n[8-11]", ["n8", "n9", "n10", "n11"]),
        ("a[1-2]-ib,b", ["a1-ib", "a2-ib", "b"]),
        ("None assigned", []),
        ("", []),
        ("gp[014", ["gp[014"]),
        ("n[x-y]", ["nx-y"]),
        ("n[5-3]", []),
    ],
)
def test_lists_of_nodes(text, nodes):
    assert expand(text) == (nodes, True)


@pytest.mark.parametrize("text", ["n[1-999999999]", "a[1-99999],b[1-99999]", "a[1-999]b[1-999]c[1-999]"])
def test_a_list_that_names_millions_is_bounded(text):
    nodes, whole = expand(text)
    assert len(nodes) == MOST_NODES
    assert not whole


def test_what_was_cut_off_the_list_is_kept_as_written(read):
    found = read("slurm", b"JobID|NodeList\n1|n[1-20000]\n")
    attrs = json.loads(found.events[0].attrs)
    assert len(attrs["nodes"]) == MOST_NODES
    assert attrs["nodelist"] == "n[1-20000]"


@pytest.mark.parametrize(
    ("heading", "keys", "cluster"),
    [
        (b"JobID", {"host": "gpu"}, "gpu"),
        (b"Cluster|JobID", {"host": "gpu"}, "gpu"),
        (b"Cluster|JobID", {}, "alpha"),
        (b"JobID", {}, "accounting"),
    ],
)
def test_the_clusters_name(read, heading, keys, cluster):
    row = b"alpha|7" if heading.startswith(b"Cluster") else b"7"
    found = read("slurm", heading + b"\n" + row + b"\n", name="accounting", **keys)
    assert [e.object for e in found.events] == [f"slurm:{cluster}/7"]


def test_all_events_of_a_row_share_its_bytes(read):
    found = read("slurm", HEADING + ROW)
    assert [e.action for e in found.events] == ["job.launch", "job.start", "job.end"]
    assert {(e.start, e.end) for e in found.events} == {(len(HEADING), len(HEADING + ROW))}
    assert json.loads(found.events[0].attrs)["uid"] == "unix:#28273"


def test_who_cancelled_it(read):
    found = read("slurm", HEADING + ROW.replace(b"COMPLETED", b"CANCELLED by 30110"))
    cancel = next(e for e in found.events if e.action == "job.cancel")
    assert (cancel.actor, cancel.object, cancel.time) == ("unix:#30110", "slurm:slurm/1041", found.events[-1].time)


def test_a_running_jobs_end_is_open(read):
    found = read("slurm", HEADING + ROW.replace(b"COMPLETED", b"RUNNING"))
    assert [e.action for e in found.events] == ["job.launch", "job.start"]
    assert json.loads(found.events[0].attrs)["end"] is None


@pytest.mark.parametrize(
    ("tres", "gpus"),
    [("billing=8,gres/gpu=8,mem=1G", 8), ("gres/gpu:a100=8,gres/gpu=8", 8), ("gres/gpu:a100=4,gres/gpu:h100=2", 6), ("cpu=8", 0), ("", None),
     ("gres/gpumem=80G,gres/gpu=1", 1), ("gres/gpu=many", 0)],
)  # fmt: skip
def test_gpus_are_counted_once(read, tres, gpus):
    found = read("slurm", f"JobID|AllocTRES\n1|{tres}\n".encode())
    assert json.loads(found.events[0].attrs)["gpus"] == gpus


@pytest.mark.parametrize(
    ("comment", "commit"),
    [("commit=3f2c9a4", "3f2c9a4"), ("GIT_COMMIT=" + "AB" * 20, "ab" * 20), ("git-sha: 3f2c9a4d", "3f2c9a4d"), ("revision: 3f2c9a4", "3f2c9a4"),
     ("commit_hash=3f2c9a4", "3f2c9a4"), ("3f2c9a4d5e6f708192a3b4c5d6e7f8091a2b3c4d", None), ("sha=3f2c9a4", None), ("commit=3f2c9a4z", None),
     ("recommit=3f2c9a4", None), ("commit=abc", None)],
)  # fmt: skip
def test_a_commit_only_where_it_is_called_one(read, comment, commit):
    found = read("slurm", f"JobID|Comment\n1|{comment}\n".encode())
    assert json.loads(found.events[0].attrs).get("commit") == commit


def test_headings_hold_until_the_next(read, monkeypatch):
    monkeypatch.setattr("forensics.records.PIECE", 60)
    other = b"UID|JobID|State\n" + b"28273|2|COMPLETED\n" * 20
    found = read("slurm", HEADING + ROW * 5 + other + HEADING + ROW * 5)
    assert not found.rejects
    assert [e.action for e in found.events].count("job.launch") == 30


def test_a_time_without_zone_is_rejected_and_says_why(read):
    found = read("slurm", HEADING + ROW.replace(b"Z|", b"|"))
    assert [r.reason for r in found.rejects] == ["the time bears no offset and no time zone is declared"]


def test_a_node_that_was_drained_is_told_with_why_and_until_when(read):
    (found,) = read(
        "slurm",
        b"NodeName|TimeStart|TimeEnd|State|Reason|User\ngp014|2024-06-12T03:14:15Z|2024-06-12T09:00:00Z|DRAIN|ecc errors|root(0)\n",
        host="gpu",
    ).events
    assert (found.action, found.object, found.outcome, found.actor) == ("node.state", "node:gpu/gp014", "DRAIN", None)
    assert json.loads(found.attrs) == {"by": "root(0)", "reason": "ecc errors", "until": 1718182800000000000}
