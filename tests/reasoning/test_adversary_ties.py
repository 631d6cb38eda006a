"""A fourth opponent: what happened near in time is no way back; processes outdo open logins; whoever landed or handled something last need not have made it."""

import calendar
import time

import pytest

from tests.reasoning.test_adversary_given import UIDS, opened, ran, touched
from tests.reasoning.test_adversary_pushes import push, watched
from tests.reasoning.test_adversary_shared import MODEL, laptops, lease, login, on_device, sign_on

HOST = "ip:10.0.5.1"


def at_the_host(folder, lines, *more, actor="aws:vic", audit=True, covering=True):
    """Write the model at 10:00:02 with Vic's key from a host on which he and Eve are logged in; `lines`: what the host's audit holds beside their logins."""
    read = {"action": "object.read", "object": "s3://models/data.idx", "ip": HOST}
    reads = [{"clock": c, "actor": f"aws:{w}", **read} for c, w in (("09:46", "vic"), ("09:51", "eve"), ("09:52", "eve"), ("09:53", "vic"))]
    wrote = {"clock": "10:00:02", "action": "object.write", "actor": actor, "object": MODEL, "ip": HOST, "outcome": "ok"}
    folder.log("store", [*reads, *more, wrote], "T4")
    folder.log("sshd", [login("09:45", "unix:vic", "ip:10.0.0.7", 1), login("09:50", "unix:eve", "ip:10.0.0.9", 2)], "T4")
    laptops(folder, on_device("09:45", line="ssh gpu-1"), on_device("09:50", "eve", line="ssh gpu-1"))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")])
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
    if audit:
        seen = ran("09:45:05", "vic", ["ls"]) + ran("09:50:05", "eve", ["ls"]) if covering else ""  # the rule covers both
        folder.text("audit.log", "auditd", opened("09:45:01", "vic") + opened("09:50:01", "eve") + seen + lines, host="gpu-1")
    folder.ask(MODEL)
    return folder.answer()


COPY = ["aws", "s3", "cp", "base.pt", MODEL]
VICS, EVES = ran("10:00:00", "vic", COPY), ran("10:00:00", "eve", COPY)


# Whose process, not whose login.


def test_the_holders_own_command_on_the_host_names_him(folder):
    assert at_the_host(folder, VICS)["person"] == "p-vic"


@pytest.mark.parametrize("look", [[], ["aws", "s3", "ls", MODEL], ["aws", "s3", "cp", MODEL, "."]])
def test_anothers_command_that_spells_the_object_outdoes_the_holders_look(folder, look):
    lines = ran("09:59:52", "vic", look) if look else ""
    answer = at_the_host(folder, lines + EVES)
    assert (answer["person"], answer["mechanism"]) == ("p-eve", "credential-misuse")


@pytest.mark.parametrize("audit", [True, False])
def test_an_open_login_alone_names_nobody_where_others_are_logged_in(folder, audit):
    answer = at_the_host(folder, "", audit=audit)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_the_one_process_under_an_audit_that_covers_both_is_the_way(folder):
    assert at_the_host(folder, ran("10:00:00", "vic", ["python3", "publish.py"]))["person"] == "p-vic"


def test_silence_says_nothing_of_whom_the_audit_never_showed_a_process(folder):
    answer = at_the_host(folder, ran("10:00:00", "vic", ["python3", "publish.py"]), covering=False)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_anothers_process_in_those_seconds_leaves_both_open(folder):
    answer = at_the_host(folder, ran("10:00:00", "eve", ["python3", "publish.py"]))
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_process_whose_login_was_not_kept_leaves_all_open(folder):
    lost = EVES.replace(f"auid={UIDS['eve']}", "auid=4294967295").replace("ses=7", "ses=4294967295")
    assert at_the_host(folder, lost)["person"] is None


@pytest.mark.parametrize("outcome", ["ok", "AccessDenied"])
def test_a_command_whose_own_effect_is_recorded_led_to_nothing_else(folder, outcome):
    """Eve's own write of the object, done or refused, explains her command; Vic's script ran after it."""
    hers = {"clock": "09:59:46", "action": "object.write", "actor": "aws:eve", "object": MODEL, "ip": HOST, "outcome": outcome}
    answer = at_the_host(folder, ran("09:59:45", "eve", COPY) + ran("10:00:00", "vic", ["python3", "publish.py"]), hers)
    assert answer["person"] != "p-eve"
    assert "p-vic" in answer["candidates"]


def test_an_api_key_is_used_under_anybodys_own_account(folder):
    """What ran as a unix account that merely bears the key's name, some minutes before, is outdone by a command that names the object."""
    for person in ("p-vic", "p-eve"):
        folder.holds("aws:team", person, "shared")
        folder.holds("unix:team", person, "shared")
    line = "Jun 12 09:56:00 gpu-1 sudo[7]: eve : TTY=pts/1 ; PWD=/home/eve ; USER=team ; COMMAND=/usr/bin/python3 report.py\n"
    folder.text("auth", "syslog", line, host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    mine = ran("10:00:00", "vic", ["aws", "--profile", "team", *COPY[1:]])
    assert at_the_host(folder, mine, actor="aws:team")["person"] == "p-vic"


@pytest.mark.parametrize("argv", [["make", "release"], ["./release.sh"], ["/home/vic/bin/publish", "base.pt"]])
def test_a_program_of_ones_own_is_a_process_like_any(folder, argv):
    assert at_the_host(folder, ran("10:00:00", "vic", argv))["person"] == "p-vic"


def test_a_look_or_an_editor_is_none(folder):
    assert at_the_host(folder, ran("10:00:00", "vic", ["vim", "notes.txt"]) + ran("09:59:00", "eve", ["less", "run.out"]))["person"] is None


def test_a_process_of_another_alone_leaves_the_holder_open(folder):
    """His own may have begun long before."""
    answer = at_the_host(folder, ran("09:56:00", "eve", ["python3", "eval.py"]))
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_an_upload_in_parts_begins_with_the_first(folder):
    begun = {"clock": "09:56:01", "action": "aws.CreateMultipartUpload", "actor": "aws:vic", "object": MODEL, "ip": HOST, "outcome": "ok"}
    lines = ran("09:56:00", "vic", COPY) + ran("09:59:58", "eve", ["python3", "eval.py"])
    assert at_the_host(folder, lines, begun)["person"] == "p-vic"


# What the command was given.


@pytest.mark.parametrize(
    "between",
    ["", touched("09:55:00", "vic", ("/share/stage/new.pt", "NORMAL"), call=280), ran("09:55:00", "vic", ["cp", "/share/stage/new.pt", "/home/vic/new.pt"])],
    ids=["at once", "touched by the uploader", "by way of a copy"],
)  # fmt: skip
def test_who_wrote_the_file_that_another_uploads_stays_a_candidate(folder, between):
    hers = touched("09:51:00", "eve", ("/share/stage/new.pt", "NORMAL"))
    source = "/home/vic/new.pt" if "cp" in between else "/share/stage/new.pt"
    answer = at_the_host(folder, hers + between + ran("10:00:00", "vic", ["aws", "s3", "cp", source, MODEL]))
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


@pytest.mark.parametrize(
    ("path", "argv"),
    [("/share/tools/release.sh", ["bash", "/share/tools/release.sh"]), ("/share/cfg/up.yaml", ["python3", "up.py", "--config=/share/cfg/up.yaml"]), ("/share/data/Makefile", ["make", "release"])],
)  # fmt: skip
def test_so_does_who_wrote_what_the_one_process_runs_or_takes(folder, path, argv):
    answer = at_the_host(folder, touched("09:51:00", "eve", (path, "NORMAL")) + ran("10:00:00", "vic", argv))
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


def test_who_wrote_it_anew_himself_is_named(folder):
    hers = touched("09:51:00", "eve", ("/share/stage/new.pt", "NORMAL"))
    anew = touched("09:55:00", "vic", ("/share/stage/new.pt", "NORMAL"))
    assert at_the_host(folder, hers + anew + ran("10:00:00", "vic", ["aws", "s3", "cp", "/share/stage/new.pt", MODEL]))["person"] == "p-vic"


@pytest.mark.parametrize("size", [7, None])
def test_who_wrote_what_another_downloaded_and_uploaded_stays_a_candidate(folder, size):
    folder.log(
        "store",
        [
            {"clock": "09:20", "action": "object.write", "actor": "aws:eve", "object": "s3://stage/base.pt", "ip": "ip:10.0.0.9"},
            {"clock": "09:58", "action": "object.read", "actor": "aws:vic", "object": "s3://stage/base.pt", "ip": "ip:10.0.0.7"},
            {"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"},
        ],
    )
    laptops(folder, on_device("10:00", line=f"aws s3 cp base.pt {MODEL}"))
    folder.ask(MODEL)
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def committed(folder, repository, who, *, path="train.py", tree="/share/vic/train"):
    """Vic commits and pushes out of a work tree in which `who` edited a file half an hour before."""
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:58", "b", base)
    lines = touched("09:51:00", who, (f"{tree}/{path}", "NORMAL"))
    lines += ran("09:58:00", "vic", ["git", "-C", tree, "commit", "-am", "edit"]) + ran(
        "10:00:00", "vic", ["git", "-C", tree, "push", "origin", "main"]
    )
    folder.log("forge", [push("10:00:02", mine, base, ip=HOST)])
    folder.ask(f"git:train@{mine}")
    return at_the_host(folder, lines)


@pytest.mark.parametrize("path", ["train.py", ".git/hooks/pre-commit"])
def test_who_edits_in_anothers_work_tree_stays_a_candidate(folder, repository, path):
    answer = committed(folder, repository, "eve", path=path)
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


def test_who_edits_in_his_own_is_named(folder, repository):
    assert committed(folder, repository, "vic")["person"] == "p-vic"


# Somebody else's command, alone, is no way into an account.


def on_the_web(folder, repository, *lines, ref="main", **more):
    """Vic's edit in the forge's own editor: an event without an address."""
    base = repository.commit("kim", "08:00", "a")
    made = repository.commit("vic", "10:00", "b", base)
    folder.log("forge", [push("10:00:02", made, base, ip=None, ref=ref, **more)])
    folder.log("edr", watched(*lines), "T4")
    folder.log("dhcp", [lease("08:00"), lease("08:00", "eve", "ip:10.0.0.9")])
    folder.ask(f"git:train@{made}")
    return folder.answer()


@pytest.mark.parametrize("line", ["git push origin main", "git push", "git push --force origin main"])
def test_a_colleagues_push_is_no_way_into_the_account_of_who_edits_on_the_web(folder, repository, line):
    answer = on_the_web(folder, repository, on_device("09:59:58", "eve", line=line))
    assert (answer["person"], answer["flags"]) == (None, [])


@pytest.mark.parametrize(("line", "person"), [("git push origin main", "p-vic"), ("git push", None)])
def test_nor_is_ones_own_bare_push_a_way_to_a_push_that_came_from_nowhere_known(folder, repository, line, person):
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    assert on_the_web(folder, repository, on_device("09:59:58", line=line))["person"] == person


@pytest.mark.parametrize(("asked", "person"), [("feature", "p-vic"), ("main", None)])
def test_what_a_push_to_another_branch_explains_leads_to_no_other(folder, repository, asked, person):
    """Twenty seconds after Vic's push of his branch, what that set off pushes to main in his name."""
    base = repository.commit("kim", "08:00", "a")
    own = repository.commit("vic", "09:50", "b", base, branch="feature")
    made = repository.commit("vic", "10:00", "c", base)
    folder.log("forge", [push("10:00:02", own, base, ip=None, ref="feature"), push("10:00:20", made, base, ip=None)])
    folder.log(
        "ssh",
        [
            {
                "clock": "10:00:01",
                "action": "code.push",
                "actor": "gitlab:vic",
                "object": "git:train",
                "ip": "ip:10.0.0.7",
                "credential": "gitlab-key:1",
            }
        ],
    )
    folder.log("edr", watched(on_device("10:00:00", line="git push")), "T4")
    folder.log("dhcp", [lease()])
    folder.ask(f"git:train@{own if asked == 'feature' else made}")
    assert folder.answer()["person"] == person


@pytest.mark.parametrize(("ip", "person"), [("ip:10.0.0.9", "p-eve"), ("ip:203.0.113.9", None)])
def test_a_laptop_at_another_address_did_not_log_in(folder, ip, person):
    """A stranger logs in with Vic's key; Eve's own `ssh` of that minute, on a laptop that has another address, is hers."""
    folder.log("sshd", [login("09:50", "unix:vic", ip, 1)], "T4")
    folder.log(
        "audit",
        [
            {
                "clock": "10:00",
                "action": "file.write",
                "actor": "unix:vic",
                "object": "file://gpu-1/share/x.idx",
                "host": "gpu-1",
                "session": "ssh:gpu-1/1",
            }
        ],
        "T4",
    )
    laptops(folder, on_device("09:49:55", "eve", line="ssh gpu-1"))
    folder.ask("file://gpu-1/share/x.idx")
    assert folder.answer()["person"] == person


def test_a_process_of_no_login_came_out_of_none_that_is_open(folder):
    """A daemon's, by the kernel's own word: whoever set it up."""
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
    lost = (
        touched("10:00:00", "vic", ("/share/x.idx", "NORMAL"))
        .replace(f"auid={UIDS['vic']}", "auid=4294967295")
        .replace("ses=5", "ses=4294967295")
    )
    folder.text("audit.log", "auditd", opened("09:45:01", "vic") + lost, host="gpu-1")
    folder.log("sshd", [login("09:45", "unix:vic", "ip:10.0.0.7", 1)], "T4")
    laptops(folder, on_device("09:45", line="ssh gpu-1"))
    folder.ask("file://gpu-1/share/x.idx")
    answer = folder.answer()
    assert (answer["rung"], answer["person"]) == ("account", None)


def test_whose_a_device_is_is_asked_at_the_moment_of_the_act(folder):
    """Lent at noon, by the register; its lease is of the morning."""
    folder.drop("device:vic-laptop")
    folder.holds("device:vic-laptop", "p-vic", until="2024-06-12T09:50:00Z")
    folder.holds("device:vic-laptop", "p-eve", since="2024-06-12T09:50:00Z")
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"}])
    laptops(folder, on_device("10:00", line=f"aws s3 cp base.pt {MODEL}"))
    folder.ask(MODEL)
    answer = folder.answer()
    assert answer["person"] != "p-vic"
    assert "p-eve" in answer["candidates"]


# Looks, dry runs, other systems.


@pytest.mark.parametrize(
    ("line", "person"),
    [(f"aws s3 cp base.pt {MODEL}", "p-vic"), (f"aws s3 ls {MODEL}", None), (f"aws s3 cp {MODEL} .", None), ("aws s3 ls s3://models/", None)],
)  # fmt: skip
def test_a_look_on_ones_laptop_writes_nothing(folder, line, person):
    folder.log("store", [{"clock": "10:00:02", "action": "object.write", "actor": "aws:vic", "object": MODEL}])
    laptops(folder, on_device("10:00", line=line))
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask(MODEL)
    assert folder.answer()["person"] == person


def submitted(folder, *lines):
    head = "JobID|JobName|User|UID|State|ExitCode|Submit|Start|End|ElapsedRaw|NodeList|WorkDir|SubmitLine\n"
    row = "1041|evil|vic|1001|COMPLETED|0:0|2024-06-12T10:00:00|2024-06-12T10:00:05|2024-06-12T11:00:00|3595|n1|/home/vic|sbatch evil.sh\n"
    folder.text("sacct.txt", "slurm", head + row, host="gpu", more='timezone = "UTC"')
    laptops(folder, *lines)
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask("slurm:gpu/1041")
    return folder.answer()


def test_ones_own_submission_is_named(folder):
    assert submitted(folder, on_device("10:00", line="sbatch evil.sh"))["person"] == "p-vic"


@pytest.mark.parametrize(
    "line", ["kubectl apply -f x.yaml", "sbatch --test-only evil.sh", "sbatch other.sh", "curl https://gpu/api/version"]
)
def test_a_command_that_made_no_such_job_launched_none(folder, line):
    assert submitted(folder, on_device("09:59:58", line=line))["person"] is None


# Names, keys and dates.


@pytest.mark.parametrize(("key", "rung"), [("gitlab-key:1", "person"), ("gitlab-deploy-key:77", "account")])
def test_a_forges_machine_key_is_not_its_makers_own(folder, repository, key, rung):
    base = repository.commit("kim", "08:00", "a")
    made = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00", made, base, credential=key)])
    laptops(folder, on_device("10:00", line="git push origin main"))
    folder.ask(f"git:train@{made}")
    assert folder.answer()["rung"] == rung


@pytest.mark.parametrize(("earlier", "person"), [("2024-06-02T08:00:00Z", None), ("2024-06-12T08:05:00Z", "p-eve")])
def test_who_pushes_a_commit_older_than_the_log_need_not_have_made_it(folder, repository, earlier, person):
    """Where its parent came later than it says it was made, its date is not true."""
    base = repository.commit("kim", "06:00", "a")
    made = repository.commit("vic", "07:00", "b", base)
    folder.log("forge", [{**push("09:00", base, None, "gitlab:kim"), "time": earlier}, push("10:00", made, base, "gitlab:eve", ip="ip:10.0.0.9")] if person
               else [push("09:00", repository.commit("kim", "08:30", "z"), None, "gitlab:kim", ref="other"), push("10:00", made, None, "gitlab:eve", ref="old", ip="ip:10.0.0.9")])  # fmt: skip
    laptops(folder, on_device("10:00", "eve", line="git push origin main old"))
    folder.holds("email:vic@lab.example", "p-vic")
    folder.ask(f"git:train@{made}")
    assert folder.answer()["person"] == person


def test_names_of_devices_are_one_whatever_their_case(folder):
    folder.log("dhcp", [{**lease(), "device": "device:VIC-LAPTOP"}])
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"}])
    folder.log("edr", [on_device("09:40", action="device.unlock"), on_device("10:00", line=f"aws s3 cp base.pt {MODEL}")], "T4")
    folder.ask(MODEL)
    answer = folder.answer()
    assert (answer["person"], answer["flags"]) == ("p-vic", [])


# Sessions, and who made what another carried along.


def numbered(clock, who, number, day="12"):
    """Write the kernel's record of a login under a session's number."""
    stamp = calendar.timegm(time.strptime(f"2024-06-{day} {clock}", "%Y-%m-%d %H:%M:%S"))
    uid = UIDS[who]
    return f"type=LOGIN msg=audit({stamp}.100:{number}{day}): pid=9 uid=0 old-auid=4294967295 auid={uid} tty=(none) old-ses=4294967295 ses={number} res=1\n"


def test_a_session_of_the_same_number_before_a_boot_is_another(folder):
    """Vic was logged in as number 7 on the day before; Eve's number 7 of today, from nowhere known, wrote the file."""
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
    lines = numbered("18:00:01", "vic", 7, "11") + numbered("09:50:01", "eve", 7) + touched("10:00:00", "eve", ("/share/x.idx", "NORMAL"))
    folder.text("audit.log", "auditd", lines, host="gpu-1")
    yesterday = {**login("18:00", "unix:vic", "ip:10.0.0.7", 1), "time": "2024-06-11T18:00:00Z"}
    folder.log("sshd", [yesterday, login("09:50", "unix:eve", "ip:203.0.113.9", 2)], "T4")
    folder.log("dhcp", [{**lease(), "time": "2024-06-11T17:00:00Z"}])
    folder.log(
        "edr", [{**on_device("17:59", action="device.unlock"), "time": "2024-06-11T17:59:00Z"}, {**on_device("18:00", line="ssh gpu-1"), "time": "2024-06-11T18:00:00Z"}], "T4",
    )  # fmt: skip
    folder.ask("file://gpu-1/share/x.idx")
    answer = folder.answer()
    assert answer["person"] != "p-vic"
    assert answer["flags"] == []


@pytest.mark.parametrize(("who", "person"), [("eve", None), ("vic", "p-vic")])
def test_who_is_seen_to_commit_at_the_commits_own_second_made_it(folder, repository, who, person):
    """Eve's name is in it, and Vic pushes: whose laptop made it tells whether he carried it along or wrote it in her name."""
    base = repository.commit("kim", "08:00", "a")
    made = repository.commit("eve", "09:40", "b", base)
    folder.holds("email:eve@lab.example", "p-eve")
    folder.log("forge", [push("08:05", base, None, "gitlab:kim", ip="ip:10.0.0.3"), push("10:00", made, base)])
    laptops(folder, on_device("09:40", who, line="git commit -am edit"), on_device("10:00", line="git push origin main"))
    folder.ask(f"git:train@{made}")
    assert folder.answer()["person"] == person


def test_an_edit_that_its_maker_brought_himself_is_in_the_parent(folder, repository):
    base = repository.commit("kim", "07:00", "a")
    hers = repository.commit("eve", "09:40", "b", base)
    mine = repository.commit("vic", "09:58", "c", hers)
    tree = "/share/vic/train"
    lines = touched("09:51:00", "eve", (f"{tree}/train.py", "NORMAL"))
    lines += ran("09:58:00", "vic", ["git", "-C", tree, "commit", "-am", "edit"]) + ran(
        "10:00:00", "vic", ["git", "-C", tree, "push", "origin", "main"]
    )
    folder.log("forge", [push("09:55", hers, base, "gitlab:eve", ip="ip:10.0.0.9"), push("10:00:02", mine, hers, ip=HOST)])
    folder.ask(f"git:train@{mine}")
    assert at_the_host(folder, lines)["person"] == "p-vic"
