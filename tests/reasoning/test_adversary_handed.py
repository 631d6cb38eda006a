"""A sixth opponent: what a process is handed by way of folders, pipes, links and lines within lines; what runs unasked; shared terminals; robots that others set."""

import json

import pytest

from forensics.model import Mechanism, Question, Rung
from forensics.reasoning.answer import Answer
from forensics.reasoning.answers import _of_several
from forensics.reasoning.dossier import Dossier
from tests.reasoning.test_adversary_given import WRITTEN, of_the_index, ran, touched
from tests.reasoning.test_adversary_pushes import push
from tests.reasoning.test_adversary_shared import MODEL, laptops, on_device, sign_on
from tests.reasoning.test_adversary_ties import at_the_host

NAME = MODEL.rpartition("/")[2]
HERS = touched("09:51:00", "eve", (f"/share/stage/{NAME}", "NORMAL"))
UP = ["aws", "s3", "cp"]


@pytest.mark.parametrize(
    "lines",
    [
        ran("10:00:00", "vic", ["aws", "s3", "sync", "/share/stage", MODEL.rpartition("/")[0]]),
        ran("10:00:00", "vic", [*UP, "--recursive", "/share/stage/", MODEL.rpartition("/")[0]]),
        ran("09:58:00", "vic", ["cp", "-r", "/share/stage", "/home/vic/stage"]) + ran("10:00:00", "vic", [*UP, f"/home/vic/stage/{NAME}", MODEL]),
        ran("09:59:59", "vic", ["cat", f"/share/stage/{NAME}"], pid=4101) + ran("10:00:00", "vic", [*UP, "-", MODEL]),
        ran("09:52:00", "eve", ["ln", "-sfn", "/share/stage", "/share/current"]) + ran("10:00:00", "vic", [*UP, f"/share/current/{NAME}", MODEL]),
    ],
    ids=["sync", "recursive", "copied folder", "pipe", "link"],
)  # fmt: skip
def test_who_wrote_what_lies_in_a_folder_behind_a_pipe_or_a_link_stays_a_candidate(folder, lines):
    answer = at_the_host(folder, HERS + lines)
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


def test_who_set_the_link_is_one_although_the_file_is_the_uploaders(folder):
    mine = touched("09:46:00", "vic", (f"/share/vic/{NAME}", "NORMAL"))
    link = ran("09:52:00", "eve", ["ln", "-sfn", "/share/vic", "/share/current"])
    answer = at_the_host(folder, mine + link + ran("10:00:00", "vic", [*UP, f"/share/current/{NAME}", MODEL]))
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


def test_what_lies_in_the_folder_under_other_names_says_nothing(folder):
    other = touched("09:51:00", "eve", ("/share/stage/other.pt", "NORMAL"))
    lines = ran("10:00:00", "vic", ["aws", "s3", "sync", "/share/stage", MODEL.rpartition("/")[0]])
    assert at_the_host(folder, other + lines)["person"] == "p-vic"


@pytest.mark.parametrize(("path", "person"), [("/share/env.sh", None), ("/share/env2.sh", "p-vic")])
def test_a_line_within_a_line_names_files_as_well(folder, path, person):
    sourced = ran("10:00:00", "vic", ["bash", "-c", "source /share/env.sh && python3 /home/vic/up.py"])
    assert at_the_host(folder, touched("09:51:00", "eve", (path, "NORMAL")) + sourced)["person"] == person


# What runs unasked.


COPIED = ran("10:00:00", "vic", ["cp", "/home/vic/x", "/share/data/train.idx"])


@pytest.mark.parametrize(
    ("path", "person"),
    [("/home/vic/.bashrc", None), ("/home/vic/.ssh/rc", None), ("/home/vic/.gitconfig", None), ("/home/eve/.bashrc", "p-vic"), ("/home/vic/notes", "p-vic")],
)  # fmt: skip
def test_who_wrote_what_anothers_shell_reads_at_its_start_stays_a_candidate(folder, path, person):
    answer = of_the_index(folder, touched("09:10:00", "eve", (path, "NORMAL")) + COPIED + WRITTEN)
    assert answer["person"] == person
    assert person or answer["candidates"] == ["p-eve", "p-vic"]


@pytest.mark.parametrize(("path", "person"), [("/home/vic/.bashrc", "p-vic"), ("/home/vic/.gitconfig", None)])
def test_what_was_written_after_the_shell_started_it_has_not_read(folder, path, person):
    assert of_the_index(folder, touched("09:40:00", "eve", (path, "NORMAL")) + COPIED + WRITTEN)["person"] == person


@pytest.mark.parametrize(("days", "person"), [(("10",), None), (("10", "11"), "p-vic")])
def test_what_has_been_read_on_several_days_without_it_is_part_of_the_furniture(folder, days, person):
    earlier = [{"time": f"2024-06-{d}T09:00:00Z", "action": "session.ssh.open", "actor": "unix:vic", "host": "gpu-1", "session": f"ssh:gpu-1/{d}", "ip": "ip:10.0.0.7", "outcome": "ok"} for d in days]  # fmt: skip
    folder.log("old", earlier, "T4", host="gpu-1")
    answer = of_the_index(folder, touched("09T09:40:00", "eve", ("/home/vic/.bashrc", "NORMAL")) + COPIED + WRITTEN)
    assert answer["person"] == person


def hooked(folder, repository, *, where=".githooks/pre-commit", who="eve", since=()):
    """Vic commits to train.py; `who` pushed a hook into the tree at 08:30; `since`: days on which others committed to the file after that."""
    base = repository.commit("kim", "08:00", "a")
    blob = repository._git("hash-object", "-w", "--stdin", given="#!/bin/sh\nsed -i s/k=1/k=2/ train.py\n")
    name, _, rest = where.partition("/")
    inner = repository._git("mktree", given=f"100755 blob {blob}\t{rest}\n")
    old = repository._git("rev-parse", f"{base}:train.py")
    tree = repository._git("mktree", given=f"040000 tree {inner}\t{name}\n100644 blob {old}\ttrain.py\n")
    dates = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in (("NAME", who), ("EMAIL", f"{who}@lab.example"), ("DATE", "2024-06-08T08:30:00Z"))}  # fmt: skip
    hook = repository._git("commit-tree", tree, "-p", base, "-m", "hook", **dates)
    pushes, last = [push("08:30", hook, base, actor=f"gitlab:{who}", ip=None, time="2024-06-08T08:30:00Z")], hook
    for day in since:
        made = repository.commit("kim", "08:40", f"k=1 {day}", last)
        pushes.append(push("08:40", made, last, actor="gitlab:kim", ip=None, time=f"2024-06-{day}T08:40:00Z"))
        last = made
    mine = repository.commit("vic", "09:50", "k=2", last)
    folder.log("forge", [*pushes, push("10:00", mine, last)])
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    laptops(folder, on_device("10:00"))
    folder.ask(f"git:train@{mine}")
    return folder.answer()


@pytest.mark.parametrize(
    ("how", "person"),
    [({}, None), ({"where": ".husky/pre-commit"}, None), ({"where": "docs/pre-commit"}, "p-vic"), ({"who": "vic"}, "p-vic"), ({"since": ("09",)}, None), ({"since": ("09", "10")}, "p-vic")],
)  # fmt: skip
def test_who_wrote_the_hooks_of_the_tree_stays_a_candidate(folder, repository, how, person):
    answer = hooked(folder, repository, **how)
    assert answer["person"] == person
    assert person or answer["candidates"] == ["p-eve", "p-vic"]


def pulled(folder, repository, argv, who="eve"):
    base = repository.commit("kim", "08:00", "a")
    theirs = repository.commit(who, "09:40", "k=2", base)
    folder.log("forge", [push("09:45", theirs, base, actor=f"gitlab:{who}", ip=None)])
    written = touched("10:00:01", "vic", ("/share/train/train.py", "NORMAL"), program="git")
    for name, uid in (("vic", 1001), ("eve", 1003)):
        folder.holds(f"unix:#{uid}", f"p-{name}")
    folder.questions.clear()
    return of_the_index(folder, ran("10:00:00", "vic", argv) + written)


@pytest.mark.parametrize(
    ("argv", "who", "person"),
    [(["git", "pull"], "eve", None), (["git", "checkout", "origin/main", "--", "train.py"], "eve", None), (["git", "pull"], "vic", "p-vic"), (["sed", "-i", "s/1/2/", "/share/train/train.py"], "eve", "p-vic")],
)  # fmt: skip
def test_who_pushed_what_anothers_git_wrote_to_a_file_stays_a_candidate(folder, repository, argv, who, person, monkeypatch):
    monkeypatch.setattr("tests.reasoning.test_adversary_given.INDEX", "file:///share/train/train.py")
    answer = pulled(folder, repository, argv, who)
    assert answer["person"] == person
    assert person or answer["candidates"] == ["p-eve", "p-vic"]


# A terminal that others are attached to.


KEPT = ran("09:25:00", "vic", ["tmux", "-S", "/tmp/pair", "new", "-s", "pair"])


@pytest.mark.parametrize(
    ("argv", "person"),
    [
        (["tmux", "-S", "/tmp/pair", "attach", "-t", "pair"], None),
        (["screen", "-x", "vic/pair"], None),
        (["gdb", "-p", "4100"], None),
        (["tmux", "attach"], "p-vic"),
        (["tmux", "-S", "/tmp/mine", "attach"], "p-vic"),
    ],
)
def test_whoever_attaches_to_anothers_terminal_may_type_in_it(folder, argv, person):
    answer = of_the_index(folder, KEPT + ran("09:50:00", "eve", argv, pid=4300) + COPIED + WRITTEN)
    assert answer["person"] == person
    assert person or {"p-eve", "p-vic"} <= set(answer["candidates"])


# A robot is set off by whoever set it.


def request(number, clock, user, verb, resource, name, body, group="batch"):
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": f"a{number}", "stage": "ResponseComplete", "verb": verb, "user": {"username": user},
        "sourceIPs": ["10.0.0.9" if user == "eve" else "10.0.0.7" if user == "vic" else "10.9.0.2"], "objectRef": {"resource": resource, "namespace": "ml", "name": name, "apiGroup": group},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": f"2024-06-12T{clock}Z", "stageTimestamp": f"2024-06-12T{clock}Z", "requestObject": body,
    }  # fmt: skip


def job(command, **more):
    return {"spec": {"template": {"spec": {"containers": [{"image": "t:1", "command": command, **more}]}}}}


def timetable(folder, *edits, env=None, by="system:serviceaccount:kube-system:cronjob-controller"):
    """Vic's CronJob of 08:00, edits of it, and the Job that its controller makes at 10:00."""
    for who in ("vic", "eve"):
        folder.holds(f"k8s:{who}", f"p-{who}")
    made = {"spec": {"schedule": "0 10 * * *", "jobTemplate": job(["python", "train.py"])}}
    child = job(["python", "evil.py"], **(env or {}))
    child["metadata"] = {"name": "retrain-28", "ownerReferences": [{"kind": "CronJob", "name": "retrain", "controller": True}]}
    lines = [request(1, "08:00:00", "vic", "create", "cronjobs", "retrain", made), *edits]
    lines.append(request(9, "10:00:00", by, "create", "jobs", "retrain-28", child))
    folder.text("k8s.jsonl", "kubernetes_audit", "".join(json.dumps(line) + "\n" for line in lines), host="gpu")
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    laptops(folder, on_device("09:40", "eve", line="kubectl patch cronjob retrain -n ml --patch-file x.yaml"))
    folder.ask("k8s:gpu/ml/retrain-28")
    return folder.answer()


def edit(command, clock="09:40:01", **more):
    return request(2, clock, "eve", "patch", "cronjobs", "retrain", {"spec": {"jobTemplate": job(command, **more)}})


def test_who_set_the_timetable_set_off_the_job(folder):
    answer = timetable(folder, edit(["python", "evil.py"]))
    assert (answer["person"], answer["mechanism"], answer["on_behalf"]) == ("p-eve", "automation", "k8s:eve")


def test_whoever_writes_anothers_timetable_into_his_own_job_makes_it_nobody_elses(folder):
    answer = timetable(folder, edit(["python", "evil.py"]), by="system:serviceaccount:ml:default")
    assert (answer["person"], answer["mechanism"]) == (None, "unknown")
    assert "on_behalf" not in answer or answer["on_behalf"] is None


def test_what_nobody_on_record_wrote_was_set_by_nobody_on_record(folder):
    """Vic made the timetable with another command than its job has: somebody changed it, and no record tells who."""
    answer = timetable(folder)
    assert (answer["person"], answer.get("on_behalf")) == (None, None)


@pytest.mark.parametrize("env", [None, {"env": [{"name": "K", "value": "2"}]}])
def test_where_the_job_bears_what_the_last_edit_did_not_say_both_stay(folder, env):
    answer = timetable(folder, edit(["python", "evil.py"] if env else ["python", "train.py", "--fast"]), env=env)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# Several poisoned files of one account.


def test_of_several_files_of_one_account_all_stay_who_may_have_written_any():
    asked = Question("q1", "s3://models/out.pt", None)
    first, second = (
        Answer(asked, Dossier(asked, ("s3://models/out.pt",), (), None, None), rung, None, "aws:vic", Mechanism.UNKNOWN, "none", who)
        for rung, who in ((Rung.SESSION, ("p-eve", "p-vic")), (Rung.ACCOUNT, ("p-kim", "p-vic")))
    )
    found = _of_several(first, [second])
    assert (found.rung, found.candidates) == (Rung.ACCOUNT, ("p-eve", "p-kim", "p-vic"))
