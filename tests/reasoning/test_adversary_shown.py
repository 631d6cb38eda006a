"""A sixth opponent, second part: writes that only a command shows, ways onto a device, content out of others' repositories, one run told twice, what was not reviewed."""

import pyarrow.parquet as pq
import pytest

from tests.reasoning.test_adversary_given import ran, touched
from tests.reasoning.test_adversary_pushes import push, watched
from tests.reasoning.test_adversary_shared import MODEL, laptops, lease, on_device, sign_on
from tests.reasoning.test_adversary_ties import HOST, at_the_host

STAGED = "/share/stage/new.pt"
UP = ran("10:00:00", "vic", ["aws", "s3", "cp", STAGED, MODEL])


def both(answer):
    return (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


# Hosts mostly audit commands and watch no folders.


@pytest.mark.parametrize(
    "argv",
    [
        ["cp", "/home/eve/evil.pt", STAGED],
        ["cp", "/home/eve/new.pt", "/share/stage/"],
        ["python3", "make.py", "--out", STAGED],
        ["python3", "make.py", f"--output={STAGED}"],
        ["wget", "-O", STAGED, "https://files.example/m.pt"],
        ["vim", STAGED],
        ["sed", "-i", "s/a/b/", "../stage/new.pt"],
        ["bash", "-c", f"python3 make.py > {STAGED}"],
        ["dd", "if=/home/eve/x", f"of={STAGED}"],
    ],
)
def test_a_command_that_writes_a_file_is_a_write_of_it(folder, argv):
    assert both(at_the_host(folder, ran("09:52:00", "eve", argv) + UP))


@pytest.mark.parametrize(
    "argv",
    [["ls", "-l", STAGED], ["less", STAGED], ["md5sum", STAGED], ["python3", "eval.py", STAGED], ["cp", STAGED, "/home/eve/"], ["vim", "/share/stage/notes"]],
)  # fmt: skip
def test_a_look_at_it_or_a_copy_of_it_is_none(folder, argv):
    assert at_the_host(folder, ran("09:52:00", "eve", argv) + UP)["person"] == "p-vic"


def test_who_wrote_it_anew_since_a_command_is_named(folder):
    anew = touched("09:55:00", "vic", (STAGED, "NORMAL"))
    assert at_the_host(folder, ran("09:52:00", "eve", ["vim", STAGED]) + anew + UP)["person"] == "p-vic"


@pytest.mark.parametrize(("path", "person"), [("site-packages/sitecustomize.py", None), ("../share/doc.txt", "p-vic")])
def test_a_program_loads_the_libraries_beside_it(folder, path, person):
    edited = touched("09:52:00", "eve", (f"/share/env/lib/{path}" if ".." not in path else "/share/env/share/doc.txt", "NORMAL"))
    answer = at_the_host(folder, edited + ran("10:00:00", "vic", ["/share/env/bin/python3", "/home/vic/up.py"]))
    assert answer["person"] == person
    assert person or both(answer)


# From a laptop as from a host.


def from_the_laptop(folder, line, *more, wrote=""):
    (folder.root / "access.csv").parent.mkdir(parents=True, exist_ok=True)
    (folder.root / "access.csv").write_text("person,object,right,from,to\np-vic,file:///share/*,write,2020-01-01T00:00:00Z,\n")
    folder.log("store", [{"clock": "10:00:02", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"}], "T4")
    laptops(folder, *more, on_device("10:00", line=line))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    for who, uid in (("vic", 1001), ("eve", 1003)):
        folder.holds(f"unix:#{uid}", f"p-{who}")
    folder.text("audit.log", "auditd", wrote or touched("09:52:00", "eve", ("/share/other", "NORMAL")), host="gpu-1")
    folder.ask(MODEL)
    return folder.answer()


EVES = touched("09:52:00", "eve", (STAGED, "NORMAL"))


def test_ones_own_file_on_ones_own_laptop_names_one(folder):
    assert from_the_laptop(folder, f"aws s3 cp /home/vic/new.pt {MODEL}", wrote=EVES)["person"] == "p-vic"


def test_what_lies_on_a_share_is_the_same_on_a_laptop(folder):
    assert both(from_the_laptop(folder, f"aws s3 cp {STAGED} {MODEL}", wrote=EVES))


def test_what_was_fetched_from_a_host_is_the_hosts(folder):
    fetched = on_device("09:55", line=f"scp gpu-1:{STAGED} .")
    assert both(from_the_laptop(folder, f"aws s3 cp new.pt {MODEL}", fetched, wrote=EVES))


@pytest.mark.parametrize(("target", "person"), [("vic-laptop:/home/vic/new.pt", None), ("kim-laptop:/home/vic/new.pt", "p-vic")])
def test_what_another_copied_onto_it_is_his(folder, target, person):
    pushed = on_device("09:50", "eve", line=f"scp evil.pt {target}")
    answer = from_the_laptop(folder, f"aws s3 cp /home/vic/new.pt {MODEL}", pushed)
    assert answer["person"] == person
    assert person or both(answer)


# Somebody else's way onto the device.


def pushed_from_home(folder, repository, *lines):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00", mine, base)])
    laptops(folder, *lines, on_device("10:00", line="git push origin main"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask(f"git:train@{mine}")
    return folder.answer()


@pytest.mark.parametrize(
    "line", ["ssh vic-laptop", "ssh vic@vic-laptop", "mstsc /shadow:1 /control /v:vic-laptop", "anydesk vic-laptop", "ssh 10.0.0.7"]
)
def test_a_colleagues_command_that_opens_a_session_on_it_leaves_him_a_candidate(folder, repository, line):
    answer = pushed_from_home(folder, repository, on_device("09:50", "eve", line=line))
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize("line", ["ssh gpu-1", "ping vic-laptop", "ssh kim-laptop"])
def test_one_to_another_machine_does_not(folder, repository, line):
    assert pushed_from_home(folder, repository, on_device("09:50", "eve", line=line))["person"] == "p-vic"


def test_whoever_ran_a_process_on_it_is_never_left_out(folder, repository):
    there = on_device("09:50", "eve", line="-bash") | {"device": "device:vic-laptop"}
    answer = pushed_from_home(folder, repository, there)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# Content out of somebody else's repository.


@pytest.mark.parametrize(("moved", "person"), [(False, None), (True, "p-vic")], ids=["taken over", "moved within the commit"])
def test_a_file_that_another_pushed_under_another_path_is_not_its_takers(folder, repository, moved, person):
    """Eve's file of 09:30 lies at `train.py`; Vic's commit has the very blob at `lib.py`."""
    base = repository.commit("kim", "08:00", "a=1")
    hers = repository.commit("eve", "09:30", "k=2", base)
    blob = repository._git("rev-parse", f"{hers}:train.py")
    kept = "" if moved else f"100644 blob {blob}\ttrain.py\n"
    tree = repository._git("mktree", given=f"100644 blob {blob}\tlib.py\n{kept}")
    dates = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in (("NAME", "vic"), ("EMAIL", "vic@lab.example"), ("DATE", "2024-06-12T09:50:00Z"))}  # fmt: skip
    mine = repository._git("commit-tree", tree, "-p", hers, "-m", "take over", **dates)
    repository._git("update-ref", "refs/heads/main", mine)
    folder.log("forge", [push("09:31", hers, base, actor="gitlab:eve", ip=None), push("10:00", mine, hers)])
    laptops(folder, on_device("10:00", line="git push origin main"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert answer["person"] == person
    assert person or both(answer)


@pytest.mark.parametrize(
    ("where", "person"), [("/home/eve/train", None), ("ssh://ws-9/home/eve/train", None), ("/home/kim/train", "p-vic")]
)
def test_what_is_fetched_from_anothers_clone_is_his(folder, repository, where, person):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:58", "b", base)
    tree = ["git", "-C", "/home/vic/train"]
    lines = touched("09:51:00", "eve", ("/home/eve/train/train.py", "NORMAL")) + ran("09:55:00", "vic", [*tree, "fetch", where, "main"])
    lines += ran("09:56:00", "vic", [*tree, "merge", "--squash", "FETCH_HEAD"]) + ran("09:58:00", "vic", [*tree, "commit", "-m", "x"])
    lines += ran("10:00:00", "vic", [*tree, "push", "origin", "main"])
    folder.log("forge", [push("10:00:02", mine, base, ip=HOST)])
    folder.ask(f"git:train@{mine}")
    answer = at_the_host(folder, lines)
    assert answer["person"] == person
    assert person or both(answer)


# One run of a job, however often it is told.


HEAD = "JobID|JobName|User|UID|State|ExitCode|Submit|Start|End|ElapsedRaw|NodeList|AllocTRES|WorkDir|SubmitLine\n"


def row(job, start="10:00:05", end="11:00:05", state="COMPLETED", submit="10:00:00", line="sbatch evil.sh"):
    return f"{job}|evil|vic|1001|{state}|0:0|2024-06-12T{submit}|2024-06-12T{start}|{f'2024-06-12T{end}' if end else 'Unknown'}|3600|n1|gres/gpu=8|/home/vic|{line}\n"


def launched(folder, *exports):
    for n, rows in enumerate(exports):
        folder.text(f"sacct{n}.txt", "slurm", HEAD + "".join(rows), host="gpu", more='timezone = "UTC"')
    laptops(folder, on_device("10:00", line="sbatch evil.sh"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask("slurm:gpu/1041")
    return folder.examine()


def runs(tmp_path):
    return pq.read_table(next(tmp_path.glob("out*")) / "tables" / "jobs").to_pylist()


@pytest.mark.parametrize(
    "exports", [([row(1041)],), ([row(1041), row(1041)],), ([row(1041)], [row(1041)]), ([row(1041, end="", state="RUNNING")], [row(1041)])]
)
def test_two_exports_of_one_accounting_are_one_run(folder, tmp_path, exports):
    launched(folder, *exports)
    (one,) = runs(tmp_path)
    assert (one["state"], one["end"] - one["start"], one["gpus"]) == ("COMPLETED", 3600 * 10**9, 8)


@pytest.mark.parametrize(("state", "person"), [("NODE_FAIL", "p-vic"), ("COMPLETED", None)])
def test_what_the_scheduler_began_anew_nobody_handed_in_again(folder, state, person):
    """The node failed at 10:30, and Slurm queued the job again; after a run that ended well somebody did."""
    again = row(1041, submit="10:30:00", start="10:31:00", end="11:30:00")
    found = launched(folder, [row(1041, end="10:30:00", state=state), again])
    assert found["answers"][0]["person"] == person


def test_the_quotes_that_one_record_keeps_make_no_other_job(folder):
    kept = row(1041, line='sbatch --wrap "python /home/vic/t.py"')
    folder.text("sacct.txt", "slurm", HEAD + kept, host="gpu", more='timezone = "UTC"')
    laptops(folder, on_device("10:00", line="sbatch --wrap python /home/vic/t.py"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask("slurm:gpu/1041")
    assert folder.answer()["person"] == "p-vic"


# Past the branch's habit.


def with_habit(folder, repository, count, *, request=False, by_request=True):
    """So many changes of the branch before, each accepted by another; then Vic's, straight or by a request."""
    last = repository.commit("kim", "07:00", "0")
    rows = [push("07:00", last, actor="gitlab:kim", ip=None)]
    for n in range(count):
        made = repository.commit("kim", f"07:{10 + n}", f"{n + 1}", last)
        rows.append(push(f"07:{10 + n}:30", made, last, actor="gitlab:eve", ip=None))
        if by_request:
            rows.append({"clock": f"07:{10 + n}:29", "action": "code.merge", "actor": "gitlab:eve", "object": f"gitlab:train!{n}"})
        last = made
    mine = repository.commit("vic", "09:50", "b", last)
    rows.append(push("10:00", mine, last))
    if request:
        rows += [
            {"clock": "10:01", "action": "code.request", "actor": "gitlab:vic", "object": "gitlab:train!99"},
            {"clock": "10:00:05", "action": "code.merge", "actor": "gitlab:vic", "object": "gitlab:train!99"},
        ]
    folder.log("forge", rows)
    folder.log("dhcp", [lease()])
    folder.log("edr", watched(on_device("10:00", line="git push origin main")), "T4")
    folder.ask(f"git:train@{mine}")
    return folder.answer()["flags"]


def test_a_straight_push_past_a_habit_of_requests_is_flagged(folder, repository):
    assert "unreviewed" in with_habit(folder, repository, 10)


@pytest.mark.parametrize(
    "how", [{"count": 5}, {"count": 10, "by_request": False}, {"count": 10, "request": True}], ids=["few", "no habit", "by request"]
)
def test_where_there_is_no_habit_or_it_was_kept_it_is_not(folder, repository, how):
    assert "unreviewed" not in with_habit(folder, repository, **how)


# What came in between, and what is everyday.


@pytest.mark.parametrize(
    ("lines", "person"),
    [
        (ran("09:53:00", "vic", ["cp", "-t", "/home/vic", STAGED], pid=4200), None),
        (ran("09:53:00", "vic", ["dd", f"if={STAGED}", "of=/home/vic/new.pt"], pid=4200), None),
        (ran("09:53:00", "vic", ["bash", "-c", f"cat {STAGED} > /home/vic/new.pt"], pid=4200), None),
        (ran("09:53:00", "vic", ["zstd", "-d", STAGED, "-o", "/home/vic/new.pt"], pid=4200), None),
        (ran("09:53:00", "vic", ["python3", "/home/vic/tune.py", "--in", STAGED, "--out", "/home/vic/new.pt"], pid=4200), "p-vic"),
        (ran("09:59:40", "vic", ["less", STAGED], pid=4200), "p-vic"),
        (ran("09:59:40", "vic", ["cp", STAGED, "/home/vic/other.pt"], pid=4200), "p-vic"),
    ],
    ids=["cp -t", "dd", "redirect", "unpacked", "made into another", "looked at", "copied elsewhere"],
)
def test_what_the_uploaded_file_came_out_of_is_followed_and_nothing_else(folder, lines, person):
    wrote = touched("09:53:01", "vic", ("/home/vic/new.pt", "NORMAL"), program=lines.split('comm="')[1].split('"')[0], pid=4200)
    answer = at_the_host(folder, EVES + lines + wrote + ran("10:00:00", "vic", ["aws", "s3", "cp", "/home/vic/new.pt", MODEL]))
    assert answer["person"] == person
    assert person or both(answer)


@pytest.mark.parametrize(
    ("hers", "his", "person"),
    [
        (["cp", "/home/eve/x", STAGED], ["cp", "/home/vic/x", STAGED], "p-vic"),
        (["cp", "/home/eve/x", STAGED], ["sed", "-i", "s/a/b/", STAGED], None),
        (["touch", STAGED], ["true"], "p-vic"),
    ],
    ids=["begun anew", "changed in part", "touched"],
)  # fmt: skip
def test_what_a_later_command_began_anew_is_its_own(folder, hers, his, person):
    assert at_the_host(folder, ran("09:51:00", "eve", hers) + ran("09:55:00", "vic", his, pid=4200) + UP)["person"] == person


def test_of_a_folder_each_ones_own_part_is_his(folder):
    staged = touched("09:46:00", "vic", ("/share/runs/models/base.pt", "NORMAL")) + touched(
        "09:51:00", "eve", ("/share/runs/eve/base.pt", "NORMAL")
    )
    assert at_the_host(folder, staged + ran("10:00:00", "vic", ["aws", "s3", "sync", "/share/runs", "s3://"]))["person"] == "p-vic"


def test_what_was_put_back_out_of_a_snapshot_is_whoevers_wrote_that_path(folder):
    lines = (
        EVES
        + touched("09:55:00", "vic", (STAGED, "NORMAL"))
        + ran("10:00:00", "vic", ["aws", "s3", "cp", "/share/stage/.snapshot/hourly.1/new.pt", MODEL])
    )
    assert both(at_the_host(folder, lines))


@pytest.mark.parametrize(("what", "person"), [("workdir=/share/eve/evil", None), ("priority=9", "p-vic")])
def test_who_changed_what_a_pending_job_runs_stays_a_candidate(folder, what, person):
    folder.text("sacct.txt", "slurm", HEAD + row(1041, start="10:30:00"), host="gpu", more='timezone = "UTC"')
    laptops(folder, on_device("10:00", line="sbatch evil.sh"), on_device("10:10", "eve", line=f"scontrol update jobid=1041 {what}"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask("slurm:gpu/1041")
    answer = folder.answer()
    assert answer["person"] == person
    assert person or both(answer)


@pytest.mark.parametrize(
    "line", ["ssh -L 8888:vic-laptop:8888 gpu-1", "ssh gpu-1 grep vic-laptop /var/log/auth.log", "ssh vic-laptop nvidia-smi"]
)
def test_a_line_that_only_mentions_it_or_has_ended_is_no_way_onto_it(folder, repository, line):
    assert pushed_from_home(folder, repository, on_device("09:45", "eve", line=line))["person"] == "p-vic"
