"""The opponent once more: what a record only claims, and who else was at the shared account or host."""

import json

import pytest

from tests.reasoning.test_adversary_pushes import push

MODEL = "s3://models/base.pt"
JOB = "k8s:h100/ml/rank-7"


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7"):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip}


def on_device(clock, who="vic", line="", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def login(clock, actor, ip, number, host="gpu-1"):
    return {"clock": clock, "action": "session.ssh.open", "actor": actor, "ip": ip, "host": host, "session": f"ssh:{host}/{number}"}


def sign_on(who, ip, clock="09:35"):
    return {"clock": clock, "action": "session.web.open", "actor": f"token:{who}", "ip": ip, "device": f"device:{who}-laptop"}


def laptops(folder, *lines):
    folder.log("dhcp", [lease(), lease("09:31", "eve", "ip:10.0.0.9")])
    folder.log("edr", [on_device("09:40", action="device.unlock"), on_device("09:41", "eve", action="device.unlock"), *lines], "T4")


# Addresses that the request's own headers give.


def launched(*addresses):
    return json.dumps(
        {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1", "stage": "ResponseComplete", "verb": "create", "user": {"username": "vic"},
            "sourceIPs": addresses, "objectRef": {"resource": "jobs", "namespace": "ml", "name": "rank-7", "apiGroup": "batch"},
            "responseStatus": {"code": 201}, "requestReceivedTimestamp": "2024-06-12T10:00:00.000001Z", "stageTimestamp": "2024-06-12T10:00:00.000001Z",
        }
    ) + "\n"  # fmt: skip


@pytest.mark.parametrize(
    ("addresses", "person"), [(["10.0.0.7"], "p-vic"), (["10.0.0.7", "10.0.0.9"], None), (["10.0.0.9", "10.0.0.7"], None), (["10.0.0.7"] * 2, "p-vic")]
)  # fmt: skip
def test_an_address_that_a_request_claims_names_nobody_against_the_connections_own(folder, addresses, person):
    folder.holds("k8s:vic", "p-vic")
    folder.text("k8s", "kubernetes_audit", launched(*addresses), host="h100")
    laptops(folder, on_device("10:00", line="kubectl create -f job.yaml"))
    folder.ask(JOB)
    assert folder.answer()["person"] == person


# Accounts that the client only claims.


def in_hdfs(clock, who, what, auth):
    facts = f"allowed=true\tugi={who} (auth:{auth})\tip=/10.0.5.1\tcmd={what}\tsrc=/models/base.pt\tdst=null\tperm=x:x:rw-r--r--\tproto=rpc"
    return f"2024-06-12 {clock}:00,123 INFO FSNamesystem.audit: {facts}\n"


@pytest.mark.parametrize("auth", ["SIMPLE", "KERBEROS"])
def test_an_account_whose_client_no_record_shows_leaves_every_login_on_its_host_open(folder, auth):
    acts = (
        ("09:46", "vic", "open"),
        ("09:51", "eve", "open"),
        ("09:52", "eve", "open"),
        ("10:00", "vic", "create"),
        ("10:20", "vic", "open"),
    )
    folder.text("hdfs", "hdfs_audit", "".join(in_hdfs(*act, auth) for act in acts), host="nn1", more='timezone = "UTC"')
    folder.log("sshd", [login("09:45", "unix:vic", "ip:10.0.0.7", 1), login("09:50", "unix:eve", "ip:10.0.0.9", 2)])
    laptops(folder, on_device("09:45", line="ssh gpu-1"), on_device("09:50", "eve", line="ssh gpu-1"))
    folder.ask("hdfs://nn1/models/base.pt")
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# Processes and timetables under a shared account.


def sudo(clock, who, command):
    return f"Jun 12 {clock} gpu-1 sudo[77]: {who} : TTY=pts/1 ; PWD=/home/{who} ; USER=svc ; COMMAND={command}\n"


def timetable(day, clock):
    opened = "pam_unix(cron:session): session opened for user svc(uid=900) by (uid=0)"
    return f"Jun {day} {clock} gpu-1 CRON[991]: {opened}\nJun {day} {clock} gpu-1 CRON[992]: (svc) CMD (/opt/svc/sync.sh)\n"


def under_svc(folder, lines, *earlier):
    """One write under a shared account at 10:00:02, and what the host's log of that morning holds; Vic and Eve are logged in there."""
    for person in ("p-vic", "p-eve"):
        folder.holds("aws:svc", person, "shared")
        folder.holds("unix:svc", person, "shared")
    acts = [{"clock": "10:00:02", "action": "object.write", "actor": "aws:svc", "object": MODEL, "ip": "ip:10.0.5.1"}]
    folder.log("store", [*earlier, *acts])
    folder.text("auth", "syslog", lines, host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    folder.log("sshd", [login("09:45", "unix:vic", "ip:10.0.0.7", 1), login("09:50", "unix:eve", "ip:10.0.0.9", 2)], "T4")
    laptops(folder, on_device("09:45", line="ssh gpu-1"), on_device("09:50", "eve", line="ssh gpu-1"))
    folder.ask(MODEL)
    return folder.answer()


def test_a_process_that_may_have_done_it_just_before_names_whose_login_it_was(folder):
    assert under_svc(folder, sudo("09:59:15", "eve", "/opt/svc/publish.py"))["person"] == "p-eve"


def test_a_process_of_which_no_command_is_recorded_counts(folder):
    folder.log("more", [{"clock": "09:59:20", "action": "process.exec", "actor": "unix:eve", "target": "unix:svc", "host": "gpu-1"}])
    assert under_svc(folder, "")["person"] == "p-eve"


@pytest.mark.parametrize("command", ["/usr/bin/tail /var/log/sync.log", "/usr/bin/squeue", "/usr/bin/aws s3 ls s3://models/"])
def test_a_process_that_only_reads_stands_for_nothing(folder, command):
    assert under_svc(folder, sudo("09:59:15", "eve", command))["person"] is None


def test_what_a_timetable_ran_just_before_is_a_way_of_its_own(folder):
    assert under_svc(folder, sudo("09:59:15", "eve", "/opt/svc/publish.py") + timetable(12, "10:00:00"))["person"] is None


@pytest.mark.parametrize("habit", [True, False], ids=["it wrote it the day before, too", "it never did"])
def test_beside_a_command_that_names_the_object_only_a_timetables_habit_counts(folder, habit):
    written = {"time": "2024-06-11T10:00:02Z", "action": "object.write", "actor": "aws:svc", "object": MODEL, "ip": "ip:10.0.5.1"}
    lines = timetable(11, "10:00:00") + sudo("09:59:15", "eve", "/usr/bin/aws s3 cp base.pt s3://models/") + timetable(12, "10:00:00")
    assert under_svc(folder, lines, *([written] if habit else []))["person"] == (None if habit else "p-eve")


@pytest.mark.parametrize(
    ("command", "person"),
    [
        ("aws s3 cp base.pt s3://models/base.pt", "p-eve"),
        ("aws s3 cp base.pt s3://other/tmp/base.pt", None),
        ("aws s3 cp s3://models/base.pt s3://other/base.pt", None),
        ("aws s3api put-object --bucket other --key base.pt --body base.pt", None),
        ("aws s3api put-object --bucket models --key base.pt --body base.pt", "p-eve"),
    ],
)
def test_a_command_that_spells_another_destination_does_not_name_the_object(folder, command, person):
    lines = sudo("09:50:00", "vic", "/bin/bash") + sudo("09:58:00", "eve", f"/usr/bin/{command}")
    assert under_svc(folder, lines)["person"] == person


# Timetables that use somebody's own account.


def pushed_at_ten(folder, repository, *rows):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00:02", mine, base)])
    laptops(folder, *rows)
    folder.ask(f"git:train@{mine}")
    folder.says("left-before")


def each_hour(line, *clocks):
    return [on_device(c, "vic", line) | {"actor": "unix:root", "device": "device:kim-laptop"} for c in clocks]


def test_a_push_that_a_timetable_made_names_nobody(folder, repository):
    pushed_at_ten(
        folder, repository, *each_hour("CRON -f (vic) CMD git push", "08:00", "09:00", "10:00"), on_device("10:00", line="git push")
    )
    assert folder.answer()["person"] is None


@pytest.mark.parametrize(
    "others",
    [each_hour("CRON -f (vic) CMD git push", "08:07", "09:31", "10:00"), each_hour("CRON -f (vic) CMD backup", "08:00", "09:00", "10:00")],
    ids=["at odd moments", "another command"],
)
def test_what_no_timetable_made_is_named(folder, repository, others):
    pushed_at_ten(folder, repository, *others, on_device("10:00", line="git push"))
    assert folder.answer()["person"] == "p-vic"


@pytest.mark.parametrize("lines", ["Jun 12 10:00:00 gpu-1 CRON[7]: (vic) CMD (cd /x && git push -q)\n", ""], ids=["timetable", "none"])
def test_who_left_before_is_not_borne_out_by_a_push_of_his_own_timetable(folder, repository, lines):
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-07T18:00:00Z")
    folder.drop("device:vic-laptop", "badge:vic")
    folder.holds("device:vic-laptop", "p-vic", until="2024-06-07T18:00:00Z")
    if lines:
        folder.text("auth", "syslog", lines, host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00:02", mine, base)])
    folder.ask(f"git:train@{mine}")
    folder.says("left-before")
    assert folder.examine()["statements"][0]["verdict"] == ("not resolved" if lines else "supported")


# One account name on two clusters.


def sacct(number, uid):
    header = "JobID|JobName|User|UID|Account|Partition|State|Submit|Start|End|Elapsed|ExitCode|NodeList|AllocTRES|SubmitLine|WorkDir"
    times = "2024-06-12T10:00:00|2024-06-12T10:00:10|2024-06-12T12:00:00|02:00:00"
    return f"{header}\n{number}|train|zhang|{uid}|ml|gpu|COMPLETED|{times}|0:0|n1|billing=8,gres/gpu=8|sbatch t.sh|/home/zhang\n"


@pytest.mark.parametrize(
    ("uid", "person"), [("7002", "p-eve"), ("5001", "p-vic"), ("4444", "p-vic")], ids=["hers", "his", "in no register"]
)
def test_an_accounts_number_in_the_record_tells_whose_it_is(folder, uid, person):
    folder.holds("unix:zhang", "p-vic")
    folder.holds("unix:#5001", "p-vic")
    folder.holds("unix:#7002", "p-eve")
    folder.text("sacct", "slurm", sacct(77, uid), host="gpu-b", more='timezone = "UTC"')
    laptops(folder, on_device("10:00", person[2:], "sbatch t.sh"))
    folder.ask("slurm:gpu-b/77")
    answer = folder.answer()
    assert any(item["says"].endswith(f"held by {person}") for item in [*answer["for"], *answer["against"], *answer["neutral"]])
    assert answer["flags"] == []
