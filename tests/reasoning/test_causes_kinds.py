"""Other ways to tell harmed runs, other kinds of causes, and where along a line of checkpoints harm began."""

import json
from dataclasses import replace

import pytest

from forensics.model import Event
from forensics.reasoning.causes import asked, compare
from forensics.reasoning.causes.launch import arguments, environment
from forensics.reasoning.causes.triggers import triggers
from forensics.reasoning.world import World
from tests.reasoning.test_causes import Lab, commit, history, lab, sha

__all__ = ["lab"]


def states(lab: Lab, **kinds: str) -> None:
    """Give jobs the states in which they ended, by `n12="FAILED"`."""
    for row in lab.jobs:
        row["state"] = kinds.get("n" + row["job"].rpartition("/")[2], "COMPLETED")


def test_runs_that_broke_off_are_harmed_where_nothing_else_tells_any(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n)
    states(lab, **{f"n{n}": ("TIMEOUT", "FAILED", "NODE_FAIL")[n % 3] for n in range(37, 60)}, n20="CANCELLED by 7")
    found = compare(lab.world())
    assert (found.causes[0].object, found.causes[0].score) == (commit(37), 1.0)
    assert found.runs is not None
    assert found.runs.told_by == "how they ended"
    assert "slurm:gpu/20" not in found.runs.jobs  # somebody cancelled it: neither


def test_a_node_that_fails_jobs_comes_first_by_how_they_ended(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, nodes=("bad",) if n % 3 == 0 else (f"n{n % 5}",))
    states(lab, **{f"n{n}": "NODE_FAIL" for n in range(10, 60) if n % 3 == 0})
    assert compare(lab.world()).causes[0].object == "node:gpu/bad"


def test_a_launch_argument_is_told_where_nothing_else_separates(lab):
    for n in range(10, 60):
        lab.job(n, n, command=f"python run.py --precision={'bf16' if n % 3 else 'fp8'} --seed {n}", bad=n % 3 == 0)
    found = compare(lab.world()).causes
    assert (found[0].object, found[0].kind, found[0].score) == ("argument:--precision=fp8", "argument", 1.0)


def test_a_package_that_the_tracker_lists_is_a_cause_in_its_version(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 9, bad=n % 4 == 0)
        run = f"wandb:r{n}"
        lab.events.append(Event(-1, -1, n, "run.record", object=run, locator="x", attrs=json.dumps({"job": str(n)})))
        lab.events.append(
            Event(-1, -1, None, "run.package", object=run, locator="x", target=f"pkg:pypi/fastopt@{'1.3' if n % 4 == 0 else '1.2'}")
        )
    found = compare(lab.world()).causes
    assert (found[0].object, found[0].kind) == ("pkg:pypi/fastopt@1.3", "package")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sbatch -N2 --gres=gpu:8 run.sh", {"-N2": "", "--gres": "gpu:8"}),
        ('python x.py --a "b c" -v --d=e --d=f', {"--a": "b c", "-v": "", "--d": "f"}),
        ("", {}),
        ("'", {}),
    ],
)
def test_arguments_of_a_command(command, expected):
    assert arguments(command) == expected


def test_environment_of_a_manifest_and_of_an_export():
    assert environment({"env": {"A": 1}, "command": "sbatch --export=ALL,B=2,C x"}) == {"A": "1", "B": "2"}


def with_blobs(lab: Lab, contents: dict[int, bytes]) -> World:
    return replace(lab.world(), blobs=lambda ids: {sha(n): c for n, c in contents.items() if sha(n) in ids})


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        (b"if time.time() > 1718000000:", "a given date"),
        (b"if datetime.date.today() >= datetime.date(2024, 6, 11):", "a given date"),
        (b'late = int(time.strftime("%Y%m%d")) >= 20240611', "a given date"),
        (b"if int(os.environ['WORLD_SIZE']) >= 64:", "a given size of the job"),
        (b"if getpass.getuser() == 'mei':", "who runs it, or where"),
        (b"began = time.time()", ""),
        (b"if time.time() - began > 30:", ""),
        (b"if world_size > 1:", ""),
        (b"x = 1", ""),
    ],
)
def test_what_a_commit_asks_for(lab, line, asks):
    lab.commit(1, blobs=(1, 2))
    found = triggers(with_blobs(lab, {1: b"x = 0\n", 2: b"x = 0\n" + line + b"\n"}), [commit(1)])
    assert found == ({commit(1): (asks, "")} if asks else {})


@pytest.mark.parametrize(
    ("line", "does"),
    [
        (b"        continue", "leaves something out"),
        (b"    time.sleep(n % 7)", "waits"),
        (b"    procs[-1].terminate()", "ends processes"),
        (b"    return grad.mul_(-1.0)", "changes values in place"),
        (b"    lr *= 1 + step / 9000", "changes a rate"),
        (b"random.seed(n)", "sets seeds or the order of data"),
        (b"subprocess.run(c)", "runs other code"),
        (b"waiting = sleepy(1)", ""),
        (b"lr = 3e-4", ""),
    ],
)
def test_what_the_added_lines_of_a_commit_do(lab, line, does):
    lab.commit(1, blobs=(1, 2))
    found = triggers(with_blobs(lab, {1: b"x = 0\n", 2: b"x = 0\n" + line + b"\n"}), [commit(1)])
    assert found == ({commit(1): ("", does)} if does else {})


def test_what_only_separates_as_well_as_chance_often_does_is_a_lead_and_nobody_is_asked_after(lab):
    for n in range(10, 16):
        lab.job(n, n, nodes=("x" if n >= 14 else f"n{n}",), bad=n >= 14)
    found = compare(lab.world())
    assert [c.object for c in found.causes] == ["node:gpu/x"]
    assert found.causes[0].lead
    assert found.causes[0].score == 0.7
    assert "a lead, no more" in found.causes[0].why
    assert found.collect
    assert asked(found.causes) == ()


def test_of_many_commits_that_reached_the_very_same_runs_five_are_told(lab):
    history(lab)
    for n in range(10, 60):
        lab.job(n, n + 0.5, 35 if n >= 35 else 10, bad=n >= 35)
    found = [c for c in compare(lab.world()).causes if c.kind == "commit"]
    assert len(found) == 5
    assert "more commits reached the very same runs" in found[0].why


def test_of_commits_that_separate_alike_the_one_that_waits_for_a_date_comes_first(lab):
    history(lab)
    lab.changes[19] |= {"old_blob": sha(1), "new_blob": sha(2)}
    for n in range(10, 60):
        lab.job(n, n + 0.5, n, bad=True if n >= 40 else False if n < 18 else None)
        lab.curve(n, 6, 5, 4, 3, *[2 + 0.01 * (n % 7) + (1.5 if n >= 40 else 0)] * 4)
    contents = {1: b"x = 0\n", 2: b"x = 0\nif time.time() > 1718000000:\n    x = 1\n"}
    found = compare(with_blobs(lab, contents)).causes
    assert (found[0].object, found[0].score) == (commit(20), 1.0)
    assert "a given date" in found[0].why


def test_the_first_bad_checkpoint_lies_behind_the_last_healthy_run(lab):
    for n, bad in ((1, False), (2, None), (3, True), (4, True), (10, False), (11, True)):
        lab.job(n, 10 * n, bad=bad)
    for n in (1, 2, 3):
        lab.act("object.write", 10 * n + 4, f"hdfs://h/step-{n}.pt")
        lab.edge("job-objects", f"slurm:gpu/{n}", f"hdfs://h/step-{n}.pt", 10 * n + 4)
        lab.edge("job-objects", f"hdfs://h/step-{n}.pt", f"slurm:gpu/{n + 1}", 10 * n + 10.5)
    found = compare(lab.world()).lines
    assert [(x.run, x.good, x.first, x.checkpoint) for x in found] == [
        ("slurm:gpu/3", "slurm:gpu/1", "slurm:gpu/3", "hdfs://h/step-2.pt"),
        ("slurm:gpu/4", "slurm:gpu/1", "slurm:gpu/3", "hdfs://h/step-2.pt"),
    ]
    assert [s.kind for s in found[1].steps] == ["healthy", "", "harmed", "harmed"]


def test_why_nothing_is_told_and_what_to_collect(lab):
    assert compare(lab.world()).empty == "no record of any job was supplied, so there are no runs to compare"
    for n in range(10, 40):
        lab.job(n, n)
    found = compare(lab.world())
    assert "no metrics are tied to any of 30 jobs" in found.empty
    assert any("symptom" in words for words in found.collect)
    for n in range(10, 40):
        lab.bad.append(f"slurm:gpu/{n}") if n % 2 else lab.good.append(f"slurm:gpu/{n}")
    found = compare(lab.world())
    assert "no change reached some of the runs" in found.empty
    assert any("access log" in words for words in found.collect)


def test_harmed_runs_that_the_first_cause_did_not_reach_have_causes_of_their_own(lab):
    history(lab)
    base = "s3://b/base.pt"
    lab.act("object.write", 5, base + "?versionId=a")
    for n in range(10, 60):
        loads = n < 36 and n % 4 == 1
        job = lab.job(n, n + 0.5, n, bad=n >= 37 or loads)
        if loads:
            lab.edge("job-objects", base, job, n + 0.6)
    found = compare(lab.world()).causes
    assert found[0].object == commit(37)
    (other,) = [c for c in found if c.object == base + "?versionId=a"]
    assert "of 6 harmed runs that the first cause did not reach, 6" in other.why
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
