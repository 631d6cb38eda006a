"""A third opponent: commands that led to something else, files that others wrote, accounts of several people on a device, dates and clocks."""

import calendar
import time

import pytest

from tests.reasoning.test_adversary_pushes import push
from tests.reasoning.test_adversary_shared import MODEL, laptops, lease, login, on_device, sign_on

JOB = "slurm:gpu/1041"
INDEX = "file:///share/data/train.idx"
SCRIPT = "/share/tools/clean.sh"
UIDS = {"vic": 1001, "eve": 1003}
SESSIONS = {"vic": 5, "eve": 7}


def logged_in(folder):
    folder.log("sshd", [login("09:20", "unix:vic", "ip:10.0.0.7", 1), login("09:31", "unix:eve", "ip:10.0.0.9", 2)], "T4")
    folder.log("dhcp", [lease("09:00"), lease("09:00", "eve", "ip:10.0.0.9")])
    folder.log("web", [sign_on("vic", "ip:10.0.0.7", "09:12"), sign_on("eve", "ip:10.0.0.9", "09:13")])
    folder.log(
        "edr",
        [
            line
            for who, minute in (("vic", "09:20"), ("eve", "09:31"))
            for line in (on_device("09:10", who, action="device.unlock"), on_device(minute, who, "ssh gpu-1"))
        ],
        "T4",
    )


# A command counts by the account that it ran as.


def submitted(folder, *commands, tail=""):
    """Vic's job of 10:00, by the scheduler, and what the host's log of `sudo` shows of Eve ten seconds before."""
    head = "JobID|JobName|User|UID|State|ExitCode|Submit|Start|End|ElapsedRaw|NodeList|WorkDir\n"
    rows = "1041|train|vic|1001|COMPLETED|0:0|2024-06-12T10:00:00|2024-06-12T10:00:05|2024-06-12T11:00:00|3595|n1|/home/vic\n"
    folder.text("sacct.txt", "slurm", head + rows + tail, host="gpu", more='timezone = "UTC"')
    lines = [f"Jun 12 09:59:50 gpu-1 sudo[77]:     eve : TTY=pts/1 ; PWD=/home/eve ; USER=root ; COMMAND={c}\n" for c in commands]
    folder.text("auth.log", "syslog", "".join(lines), host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    logged_in(folder)
    folder.says("not-me", by="p-eve")
    folder.ask(JOB)
    return folder.examine()


@pytest.mark.parametrize("command", ["/usr/bin/sbatch /opt/maint.sh", "/usr/bin/srun hostname"])
def test_a_command_as_root_did_not_submit_a_colleagues_job(folder, command):
    found = submitted(folder, command)
    answer = found["answers"][0]
    assert (answer["person"], answer["account"]) == (None, "unix:vic")
    assert {"p-vic", "p-eve"} <= set(answer["candidates"])
    assert "credential-reuse" not in answer["flags"]
    assert found["statements"][0]["verdict"] == "not resolved"


def test_one_that_spells_the_account_did(folder):
    assert submitted(folder, "/usr/bin/sbatch --uid=vic evil.sh")["answers"][0]["person"] == "p-eve"


def test_a_second_record_of_that_command_under_the_accounts_number_takes_nothing_away(folder):
    folder.holds("unix:#1003", "p-eve")
    argv = ["sbatch", "--uid=vic", "evil.sh"]
    folder.text("audit.log", "auditd", opened("09:31:01", "eve") + ran("09:59:50", "eve", argv, uid=0), host="gpu-1")
    assert submitted(folder, "/usr/bin/sbatch --uid=vic evil.sh")["answers"][0]["person"] == "p-eve"


# What a process was given has an author.


def stamp(clock):
    """Return seconds since 1970 of a clock's time on the day of the act, or of `11T10:00:00` on another."""
    if "T" in clock:
        return calendar.timegm(time.strptime(f"2024-06-{clock}", "%Y-%m-%dT%H:%M:%S"))
    return calendar.timegm(time.strptime(f"2024-06-12 {clock}", "%Y-%m-%d %H:%M:%S"))


def record(clock, kind, who, body, number, uid=None):
    ids = f"auid={UIDS[who]} uid={UIDS[who] if uid is None else uid} euid={UIDS[who]} ses={SESSIONS[who]}"
    head = f"msg=audit({stamp(clock)}.{number:03d}:{stamp(clock) % 10_000}{number})"
    return f"type={kind} {head}: {body} {ids}\n" if kind == "SYSCALL" else f"type={kind} {head}: {body}\n"


def opened(clock, who):
    head = f"msg=audit({stamp(clock)}.100:{SESSIONS[who]})"
    uid = UIDS[who]
    return f"type=LOGIN {head}: pid=9 uid=0 old-auid=4294967295 auid={uid} tty=(none) old-ses=4294967295 ses={SESSIONS[who]} res=1\n"


def ran(clock, who, argv, uid=None, pid=4100):
    words = " ".join(f'a{n}="{w}"' for n, w in enumerate(argv))
    call = f'arch=c000003e syscall=59 success=yes exit=0 items=1 ppid=4000 pid={pid} tty=pts1 comm="{argv[0]}" exe="/usr/bin/{argv[0]}" key="x"'
    return (
        record(clock, "SYSCALL", who, call, 250, uid)
        + record(clock, "EXECVE", who, f"argc={len(argv)} {words}", 250)
        + record(clock, "CWD", who, 'cwd="/share/data"', 250)
    )


def touched(clock, who, *paths, call=257, program="vim", pid=4100):
    """Write the record of one call on files: (path, nametype)."""
    body = f'arch=c000003e syscall={call} success=yes exit=3 a0=ffffff9c a1=7f a2=241 a3=1b6 items={len(paths)} ppid=4000 pid={pid} tty=pts1 comm="{program}" exe="/usr/bin/{program}" key="x"'
    names = "".join(
        record(clock, "PATH", who, f'item={n} name="{p}" inode=9{n} dev=00:2a mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype={k}', 300)
        for n, (p, k) in enumerate(paths)
    )
    return record(clock, "SYSCALL", who, body, 300) + record(clock, "CWD", who, 'cwd="/share/data"', 300) + names


def of_the_index(folder, lines):
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
    logged_in(folder)
    (folder.root / "access.csv").parent.mkdir(parents=True, exist_ok=True)
    (folder.root / "access.csv").write_text(
        "person,object,right,from,to\n" + "".join(f"p-{who},file:///share/*,write,2020-01-01T00:00:00Z,\n" for who in UIDS)
    )
    start = opened("09:20:01", "vic") + opened("09:31:01", "eve")
    folder.text("audit.log", "auditd", start + lines, host="gpu-1")
    folder.ask(INDEX)
    return folder.answer()


WRITTEN = touched("10:00:01", "vic", ("/share/data/train.idx", "NORMAL"), program="bash")
EDITED = touched("09:40:00", "eve", (SCRIPT, "NORMAL"))
RAN = ran("10:00:00", "vic", ["bash", SCRIPT])


def test_who_runs_a_script_is_named_where_nobody_else_touched_it(folder):
    assert of_the_index(folder, RAN + WRITTEN)["person"] == "p-vic"


@pytest.mark.parametrize("word", [SCRIPT, "../tools/clean.sh"])
def test_who_wrote_the_script_stays_a_candidate(folder, word):
    answer = of_the_index(folder, EDITED + ran("10:00:00", "vic", ["bash", word]) + WRITTEN)
    assert (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])
    assert any("was given file:///share/tools/clean.sh" in i["says"] for i in (*answer["for"], *answer["against"], *answer["neutral"]))


EARLIER = touched("09T09:40:00", "eve", (SCRIPT, "NORMAL"))


def runs_on(*days):
    return "".join(ran(f"{day}T09:50:00", "vic", ["bash", SCRIPT], pid=4050) for day in days)


def test_a_script_that_has_run_on_several_days_without_it_is_part_of_the_furniture(folder):
    assert of_the_index(folder, EARLIER + runs_on("10", "11") + RAN + WRITTEN)["person"] == "p-vic"


def test_one_run_before_does_not_make_it_so(folder):
    """It may wait for a date."""
    assert of_the_index(folder, EARLIER + runs_on("11") + RAN + WRITTEN)["candidates"] == ["p-eve", "p-vic"]


def test_nor_do_runs_while_its_writer_was_still_there(folder):
    """It may wait until she has left."""
    folder.people["p-eve"] = ("2020-01-01T00:00:00Z", "2024-06-11T18:00:00Z")
    assert of_the_index(folder, EARLIER + runs_on("10", "11") + RAN + WRITTEN)["candidates"] == ["p-eve", "p-vic"]


@pytest.mark.parametrize(
    ("who", "argv"), [("eve", ["chmod", "+x", SCRIPT]), ("eve", ["bash", SCRIPT]), ("vic", ["less", SCRIPT]), ("vic", ["ls", "-l", SCRIPT])]
)  # fmt: skip
def test_to_look_at_it_or_to_run_it_oneself_does_not_make_it_so(folder, who, argv):
    between = ran("09:50:00", who, argv, pid=4050)
    assert of_the_index(folder, EDITED + between + RAN + WRITTEN)["candidates"] == ["p-eve", "p-vic"]


def test_so_is_what_another_process_of_the_session_was_given(folder):
    other = ran("09:58:00", "vic", ["bash", SCRIPT], pid=3999)
    assert of_the_index(folder, EDITED + other + ran("10:00:00", "vic", ["bash", "mine.sh"]) + WRITTEN)["person"] == "p-vic"


def test_who_wrote_the_file_that_another_copies_or_renames_stays_a_candidate(folder):
    hers = touched("09:50:00", "eve", ("/share/stage/new.idx", "NORMAL"))
    copied = ran("10:00:00", "vic", ["cp", "/share/stage/new.idx", "/share/data/train.idx"]) + touched(
        "10:00:00", "vic", ("/share/data/train.idx", "NORMAL"), program="cp"
    )
    assert of_the_index(folder, hers + copied)["candidates"] == ["p-eve", "p-vic"]


def test_also_over_a_rename_of_which_no_command_is_recorded(folder):
    hers = touched("09:50:00", "eve", ("/share/stage/new.idx", "NORMAL"))
    paths = (
        ("/share/stage/", "PARENT"),
        ("/share/data/", "PARENT"),
        ("/share/stage/new.idx", "DELETE"),
        ("/share/data/train.idx", "CREATE"),
    )
    moved = touched("10:00:00", "vic", *paths, call=82, program="mv")
    assert of_the_index(folder, hers + moved)["candidates"] == ["p-eve", "p-vic"]


# An account of several people, used from a device and not over a host.


@pytest.mark.parametrize(("ip", "person"), [("ip:10.0.0.9", "p-eve"), ("ip:10.0.0.40", None)])
def test_a_shared_account_used_from_somebodys_device_is_led_back_to_it(folder, ip, person):
    for who in ("p-vic", "p-eve"):
        folder.holds("aws:team", who, "shared")
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:team", "object": MODEL, "ip": ip}])
    laptops(folder, on_device("09:59:58", "eve", line="aws s3 cp base.pt s3://models/base.pt"))
    folder.ask(MODEL)
    answer = folder.answer()
    assert (answer["person"], answer["mechanism"]) == (person, "shared-identity")


# Whose a change is, and when it was made.


def test_an_empty_file_says_nothing_of_whose_a_commit_is(folder, repository):
    for who in ("eve", "vic"):
        folder.holds(f"email:{who}@lab.example", f"p-{who}")
    base = repository.commit("kim", "08:00", "a = 1\n")
    blobs = {content: repository._git("hash-object", "-w", "--stdin", given=content) for content in ("", "a = 1\n", "loss = -1\n")}

    def made(who, clock, branch, **files):
        tree = repository._git("mktree", given="".join(f"100644 blob {blobs[c]}\t{n}\n" for n, c in sorted(files.items())))
        names = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in (("NAME", who), ("EMAIL", f"{who}@lab.example"), ("DATE", f"2024-06-12T{clock}:00Z"))}  # fmt: skip
        sha = repository._git("commit-tree", tree, "-p", base, "-m", branch, **names)
        repository._git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    hers = made("eve", "08:30", "eve", **{"train.py": "a = 1\n", "init.py": ""})
    mine = made("vic", "09:50", "main", **{"train.py": "loss = -1\n", "init.py": ""})
    folder.log("forge", [push("08:31", hers, base, "gitlab:eve", "eve", ip="ip:10.0.0.9"), push("10:00", mine, base)])
    laptops(folder, on_device("10:00", line="git push origin main"))
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert (answer["account"], answer["rung"] in ("session", "person")) == ("gitlab:vic", True)


def stacked(folder, repository, below):
    """Vic's two commits of the 12th, one on the other, which he pushes on the 20th, one branch after the other."""
    base = repository.commit("kim", "06:00", "a")
    first = repository.commit("vic", below, "b", base)
    second = repository.commit("vic", "07:30", "c", first)
    rows = [push("06:05", base, None, "gitlab:kim")]
    rows += [
        {**push("09:00", first, None, ref="one"), "time": "2024-06-20T09:00:00Z"},
        {**push("09:01", second, None, ref="two"), "time": "2024-06-20T09:01:00Z"},
    ]
    folder.log("forge", rows)
    folder.ask(f"git:train@{second}")
    return folder.answer()["flags"]


def test_commits_of_friday_that_are_pushed_on_monday_are_not_backdated(folder, repository):
    assert "backdated" not in stacked(folder, repository, "07:00")


def test_one_that_is_built_on_a_later_one_of_ones_own_is(folder, repository):
    assert "backdated" in stacked(folder, repository, "08:00")


# Clocks, by people's pace alone.


def test_a_door_two_hours_fast_is_found_by_peoples_comings(folder):
    names = ("vic", "eve", "kim", "bob")
    days = (7, 10, 11, 12)
    came = [(who, day, n, 20 + 3 * n - day % 3, 11 * day % 60) for day in days for n, who in enumerate(names)]
    row = lambda clock, day, **more: {"time": f"2024-06-{day:02d}T{clock}Z", **more}  # noqa: E731
    ins = [
        row(f"09:{m - 4}:{s:02d}", d, action="person.present", actor=f"badge:{w}", object="place:hq", outcome="in")
        for w, d, n, m, s in came
    ]
    out = [row("12:30:00", 12, action="person.present", actor="badge:vic", object="place:hq", outcome="out")]
    folder.log("badge", [*ins, *out])
    leases = [
        row(f"07:{m}:{s:02d}", d, action="device.lease", device=f"device:{w}-laptop", ip=f"ip:10.0.0.{7 + n}") for w, d, n, m, s in came
    ]
    folder.log("dhcp", leases)
    folder.log(
        "edr",
        [row(f"07:{m + 1}:{s:02d}", d, action="device.unlock", actor=f"unix:{w}", device=f"device:{w}-laptop") for w, d, n, m, s in came]
        + [on_device("11:00", line="aws s3 cp base.pt s3://models/base.pt")],
        "T4",
    )
    folder.log("store", [{"clock": "11:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"}])
    folder.ask(MODEL)
    answer = folder.answer()
    assert answer["person"] is None
    assert "impossible-overlap" in answer["flags"]
