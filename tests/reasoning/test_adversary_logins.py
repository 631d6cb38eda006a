"""The opponent once more: logins, shared accounts, robots, code of others."""

import pytest

MODEL = "s3://models/base.pt"
FILE = "file://gpu-1/data/prompt.txt"


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7"):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip}


def on_device(clock, who="vic", line="git push origin main", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def login(clock, actor, ip, number, host="gpu-1"):
    return {"clock": clock, "action": "session.ssh.open", "actor": actor, "ip": ip, "host": host, "session": f"ssh:{host}/{number}"}


def wrote(clock="10:00", actor="unix:vic", reference=FILE, **more):
    return {"clock": clock, "action": "file.write", "actor": actor, "object": reference, "host": "gpu-1", **more}


def sudo(clock, who, command="ls"):
    return {
        "clock": clock,
        "action": "process.exec",
        "actor": f"unix:{who}",
        "target": "unix:svc",
        "object": f"file://gpu-1/bin/{command}",
        "host": "gpu-1",
    }


def shared(folder, identifier="unix:svc", kind="shared"):
    for person in ("p-vic", "p-eve"):
        folder.holds(identifier, person, kind)


# Logins and shared accounts.


def test_one_line_that_a_hosts_root_writes_into_the_victims_real_session_frames_nobody(folder):
    folder.log("host", [login("09:35", "unix:vic", "ip:10.0.0.7", 1), wrote()], "T2", controllers=["p-eve"])
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:31", action="device.unlock"), on_device("09:35", line="ssh gpu-1")], "T4")
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


@pytest.mark.parametrize("who", ["vic", "eve"], ids=["of the account itself", "of somebody else"])
def test_a_login_of_an_earlier_boot_with_the_same_session_number_is_not_the_acts(folder, who):
    """The kernel numbers sessions from 1 at every boot; the login behind the act is in no log."""
    old = {
        "time": "2024-06-02T10:00:00Z",
        "action": "session.audit.open",
        "actor": "unix:vic",
        "ip": "ip:10.0.0.7",
        "host": "gpu-1",
        "session": "audit:gpu-1/3",
    }
    folder.log("host", [old, wrote(actor=f"unix:{who}", session="audit:gpu-1/3")])
    folder.log("dhcp", [lease() | {"time": "2024-06-02T09:00:00Z"}])
    folder.log("edr", [on_device("10:00", line="ssh gpu-1") | {"time": "2024-06-02T10:00:00Z"}], "T4")
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_an_intruders_session_without_a_known_device_keeps_the_owner_from_being_named(folder):
    folder.log("host", [login("09:35", "unix:vic", "ip:10.0.0.7", 1), login("09:45", "unix:vic", "ip:198.51.100.3", 2), wrote()])
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:31", action="device.unlock")])
    folder.ask(FILE)
    assert folder.answer()["person"] is None


def test_two_open_sessions_from_two_known_devices_are_not_told_apart(folder):
    folder.log("host", [login("09:35", "unix:vic", "ip:10.0.0.7", 1), login("09:45", "unix:vic", "ip:10.0.0.9", 2), wrote()])
    folder.log("dhcp", [lease(), lease(who="eve", ip="ip:10.0.0.9")])
    folder.log("edr", [on_device("09:31", action="device.unlock")])
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(
    "hers",
    [sudo("06:00", "eve", "bash"), login("09:50", "unix:svc", "ip:10.0.0.9", 2)],
    ids=["a shell of the morning", "a login as the account itself"],
)
def test_a_glance_under_a_shared_account_does_not_name_the_one_who_glanced(folder, hers):
    shared(folder)
    folder.log("host", [login("09:35", "unix:vic", "ip:10.0.0.7", 1), sudo("09:50", "vic"), hers, wrote(actor="unix:svc")])
    folder.log("dhcp", [lease(), lease(who="eve", ip="ip:10.0.0.9")])
    folder.log("edr", [on_device("09:31", action="device.unlock"), on_device("09:35", line="ssh gpu-1")], "T4")
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_two_people_under_a_shared_account_are_not_told_apart(folder):
    shared(folder)
    folder.log("host", [login("09:35", "unix:vic", "ip:10.0.0.7", 1), sudo("09:50", "vic"), sudo("09:55", "eve"), wrote(actor="unix:svc")])
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["rung"] == "account"
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_an_honest_repair_afterwards_does_not_name_the_repairer_where_no_time_was_asked(folder):
    folder.log("host", [wrote("08:00", "unix:eve"), login("09:35", "unix:vic", "ip:10.0.0.7", 1), wrote()])
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:31", action="device.unlock")])
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_the_minute_that_was_asked_about_decides(folder):
    folder.log("host", [wrote("08:00", "unix:eve"), wrote("10:00"), wrote("10:01", "unix:kim")])
    for minute in ("08:00", "10:00", "10:01"):
        folder.ask(FILE, f"2024-06-12T{minute}:00Z")
    assert [a["account"] for a in folder.examine()["answers"]] == ["unix:eve", "unix:vic", "unix:kim"]


@pytest.mark.parametrize(
    "opened", [[("vic", 1, "10:00")], [("eve", 12, "09:30"), ("vic", 12, "09:50")]], ids=["weeks ago", "by two people"]
)
def test_a_name_of_a_role_session_that_somebody_used_does_not_make_the_act_his(folder, opened):
    name = "aws:trainer/nightly"
    rows = [
        {
            "time": f"2024-06-{d:02d}T{c}:00Z",
            "action": "session.role.open",
            "actor": f"aws:{who}",
            "target": "aws:trainer",
            "session": name,
            "ip": "ip:10.0.0.7",
            "credential": f"token:{who}",
        }
        for who, d, c in opened
    ]
    folder.log(
        "store",
        [
            *rows,
            {"clock": "10:00", "action": "object.write", "actor": "aws:trainer", "object": MODEL, "session": name, "ip": "ip:10.0.0.7"},
        ],
        "T4",
    )
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:40", action="device.unlock")], "T4")
    folder.ask(MODEL)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


# Robots and code of others.


@pytest.mark.parametrize("wrong", [{"clock": "11:00"}, {"outcome": "denied"}], ids=["after the act", "refused"])
def test_a_trigger_that_can_not_have_set_the_robot_off_carries_no_session(folder, reached, wrong):
    shared(folder, "aws:robot", "service")
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:robot", "object": MODEL}])
    folder.log(
        "pipelines",
        [{"clock": "09:59", "action": "automation.trigger", "actor": "gitlab:vic", "object": "pipeline:9", "session": MODEL, **wrong}],
    )
    folder.ask(MODEL)
    answer = folder.answer()
    assert not reached(answer, "session")
    assert "on_behalf" not in answer


def test_a_trigger_alone_names_nobody(folder):
    shared(folder, "aws:robot", "service")
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:robot", "object": MODEL}])
    folder.log(
        "pipelines",
        [{"clock": "09:59", "action": "automation.trigger", "actor": "gitlab:vic", "object": "pipeline:9", "session": MODEL}],
        "T5",
    )
    folder.ask(MODEL)
    answer = folder.answer()
    assert (answer["person"], answer["mechanism"], answer["on_behalf"]) == (None, "automation", "gitlab:vic")
    assert "p-eve" in answer["candidates"]


def of_vics_job(folder, *rows, **launch):
    """Vic's job writes the model; everything shows that Vic launched it from his own laptop."""
    job = {"clock": "10:00", "action": "job.launch", "actor": "unix:vic", "object": "slurm:gpu/1041", **launch}
    write = {
        "clock": "10:20",
        "action": "object.write",
        "actor": "aws:vic",
        "object": MODEL,
        "session": "aws:trainer/job-1041",
        "ip": "ip:10.0.0.7",
        "credential": "token:vic",
    }
    folder.log("slurm", [job])
    folder.log("store", [*rows, write], "T4")
    folder.log("dhcp", [lease()], "T4")
    folder.log("edr", [on_device("09:40", action="device.unlock")], "T4")
    folder.log("sensor", [on_device("10:20", line="aws s3 ls")], "T4")
    folder.ask(MODEL)


def test_what_a_job_had_loaded_keeps_its_author_among_the_candidates(folder):
    planted = {"clock": "08:00", "action": "object.write", "actor": "aws:eve", "object": "s3://models/tokenizer.pkl"}
    loaded = {
        "clock": "10:05",
        "action": "object.read",
        "actor": "aws:vic",
        "object": "s3://models/tokenizer.pkl",
        "session": "aws:trainer/job-1041",
    }
    of_vics_job(folder, planted, loaded)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_the_author_of_the_commit_that_a_job_ran_stays_among_the_candidates(folder, repository):
    base = repository.commit("kim", "07:00", "a")
    hers = repository.commit("eve", "08:00", "bad", base)
    of_vics_job(folder, commit=hers)
    folder.log(
        "forge",
        [
            {
                "clock": "08:30",
                "action": "code.push",
                "actor": "gitlab:eve",
                "object": "git:train",
                "target": f"git:train@{hers}",
                "prior": f"git:train@{base}",
            }
        ],
    )
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param(("start", "end", "submit")),
        ("nodes", "gpus", "uid", "workdir", "state"),
    ],
)
def test_a_jobs_further_columns_in_words_stop_no_examination(folder, columns):
    of_vics_job(folder, **dict.fromkeys(columns, "2024-06-12 10:00"))
    folder.examine()


def test_names_of_sources_and_their_order_change_no_answer(folder):
    shared(folder)
    names = ["audit", "sshd", "dhcp", "edr"]
    rows = [
        [sudo("09:50", "vic"), wrote(actor="unix:svc")],
        [login("09:35", "unix:vic", "ip:10.0.0.7", 1)],
        [lease()],
        [on_device("09:34", action="device.unlock"), on_device("09:35", line="ssh gpu-1")],
    ]
    tiers = ["T2", "T3", "T3", "T4"]
    folder.ask(FILE)
    seen = []
    for renamed in (names, ["z", "a", "q", "b"]):
        folder.sources = []
        for name, log, tier in reversed(list(zip(renamed, rows, tiers, strict=True))):
            folder.log(name, log, tier, "gpu-1" if log is rows[0] else "")
        answer = folder.answer()
        seen.append((answer["rung"], answer["person"], answer["support"], [(x["person"], x["lr"]) for x in answer["alternatives"]]))
    assert seen[0] == seen[1]


# Login ids that leak.


def audited(number, clock, kind, body, who="root"):
    """Write a line of the kernel's audit log of 12 June 2024, in Eve's session, with the names that auditd adds (log_format = ENRICHED)."""
    hours, minutes = (int(p) for p in clock.split(":"))
    stamp, uid = 1718150400 + hours * 3600 + minutes * 60, {"root": 0, "svc": 2001}[who]
    return f'type={kind} msg=audit({stamp}.000:{number}): uid={uid} auid=1001 ses=7 {body}\x1dUID="{who}" AUID="eve"'


def executed(number, clock, exe, who):
    call = f'arch=c000003e syscall=59 success=yes exit=0 items=1 ppid=1 pid=9{number} gid=0 tty=pts0 comm="x" exe="{exe}"'
    return audited(number, clock, "SYSCALL", call, who)


OPENED = audited(2, "09:00", "USER_START", 'pid=82 msg=\'op=PAM:session_open acct="vic" exe="/usr/sbin/sshd" addr=10.0.0.7 res=success\'')


@pytest.mark.parametrize(
    ("sign", "rung"),
    [
        (None, "session"),
        (executed(2, "09:00", "/usr/sbin/sshd", "root"), "account"),
        (OPENED, "account"),
        (executed(2, "09:00", "/usr/sbin/sshd", "root").partition("\x1d")[0], "account"),
    ],
    ids=["nothing", "the daemon", "another's login", "the daemon, without names"],
)
def test_a_login_id_that_leaked_into_later_logins_is_nobodys(folder, sign, rung):
    """Eve restarted sshd out of her login; what others then do as the shared account bears her login id."""
    folder.holds("unix:#1001", "p-eve")
    shared(folder)
    shared(folder, "aws:svc")
    started = audited(1, "08:00", "LOGIN", "pid=5 old-auid=4294967295 tty=(none) old-ses=4294967295 res=1")
    lines = [started, *([sign] if sign else []), executed(3, "09:59", "/usr/bin/aws", "svc")]
    folder.text("audit.log", "auditd", "\n".join(lines) + "\n", host="gpu-1")
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:svc", "object": MODEL, "ip": "ip:10.0.9.9"}])
    folder.ask(MODEL)
    answer = folder.answer()
    assert answer["rung"] == rung
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_who_lets_a_login_id_leak_does_not_put_what_follows_on_somebody_else(folder):
    """Eve restarts sshd out of her login, and then works on as Vic, who has a real login of his own there."""
    started = audited(1, "08:00", "LOGIN", "pid=5 old-auid=4294967295 tty=(none) old-ses=4294967295 res=1")
    paths = 'items=1 ppid=1 pid=93 gid=0 tty=pts0 comm="vim" exe="/usr/bin/vim"'
    call = audited(3, "10:00", "SYSCALL", f"arch=c000003e syscall=257 success=yes exit=3 a2=241 {paths}", "svc").replace(
        'UID="svc"', 'UID="vic"'
    )
    written = call.replace("type=SYSCALL", "type=PATH").partition("): ")[0] + '): item=0 name="/data/prompt.txt" nametype=NORMAL'
    lines = [started, executed(2, "09:00", "/usr/sbin/sshd", "root"), call, written]
    folder.text("audit.log", "auditd", "\n".join(lines) + "\n", host="gpu-1")
    folder.log("sshd", [login("09:35", "unix:vic", "ip:10.0.0.7", 1)])
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:31", action="device.unlock"), on_device("09:35", line="ssh gpu-1")], "T4")
    folder.ask(FILE)
    answer = folder.answer()
    assert answer["rung"] == "change"
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])
