"""An eighth opponent, second part: what a program loads without being told, what says nothing of a file's content, who signed on for another."""

import json

import pytest

from tests.reasoning.test_adversary import command, unlock, usual
from tests.reasoning.test_adversary_given import WRITTEN, of_the_index, ran, record, touched
from tests.reasoning.test_adversary_handed import job, request
from tests.reasoning.test_adversary_shared import laptops, on_device, sign_on


def at(folder, *argv):
    """Run a line in a folder."""
    return ran("10:00:00", "vic", list(argv)).replace('cwd="/share/data"', f'cwd="{folder}"')


PREP = ran("10:00:00", "vic", ["python3", "/share/proj/prep.py"])
OWN = ran("10:00:00", "vic", ["python3", "/home/vic/prep.py"])


def both(answer):
    return (answer["person"], answer["candidates"]) == (None, ["p-eve", "p-vic"])


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("/share/proj/util.py", PREP),  # beside the script
        ("/share/proj/lib/loss.py", PREP),
        ("/share/eve/lib/torch.py", ran("10:00:00", "vic", ["env", "PYTHONPATH=/share/eve/lib", "python3", "/home/vic/prep.py"])),
        ("/home/vic/.local/lib/python3.11/site-packages/usercustomize.py", OWN),
        ("/home/vic/.ipython/profile_default/startup/00-x.py", OWN),
        ("/home/vic/.vscode-server/extensions/fmt-1.0/out/extension.js", OWN),
        ("/etc/ld.so.preload", OWN),
        ("/etc/profile.d/x.sh", OWN),
        ("/share/proj/common.py", at("/share/proj", "python3", "-m", "pkg.mod")),
        ("/share/proj/util.py", at("/share/proj", "python3", "-c", "import util")),
        ("/share/proj/util.js", ran("10:00:00", "vic", ["node", "/share/proj/prep.js"])),
        ("/share/proj/env.sh", ran("10:00:00", "vic", ["bash", "/share/proj/run.sh"])),
        ("/share/proj/conf/config.yaml", PREP),
        ("/share/proj/eve/x.py", PREP),
        ("/usr/local/lib/python3.11/dist-packages/torch/__init__.py", OWN),
    ],
)
def test_what_a_program_loads_without_being_told_has_an_author(folder, path, lines):
    assert both(of_the_index(folder, touched("09:19:00", "eve", (path, "NORMAL")) + lines + WRITTEN))


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("/share/proj/notes.txt", PREP),
        ("/share/other/util.py", PREP),
        ("/share/eve/lib/torch.py", OWN),
        ("/home/vic/inbox/hello.txt", OWN),
        ("/home/vic/.cache/x", OWN),
        ("/home/vic/.bash_history", OWN),
        ("/home/eve/.local/lib/python3.11/site-packages/usercustomize.py", OWN),
        ("/etc/motd", OWN),
        ("/home/vic/.ssh/authorized_keys", OWN),
        ("/share/proj/tests/test_x.py", PREP),
        ("/share/proj/common.py", at("/share/proj", "python3", "/home/vic/prep.py")),
        ("/share/deep/below/util.py", ran("10:00:00", "vic", ["python3", "/share/prep.py"])),  # a share's own folder is no package
    ],
)
def test_what_it_does_not_load_says_nothing(folder, path, lines):
    assert of_the_index(folder, touched("09:19:00", "eve", (path, "NORMAL")) + lines + WRITTEN)["person"] == "p-vic"


@pytest.mark.parametrize(
    ("argv", "lines", "person"),
    [
        (["cp", "/home/eve/util.py", "/share/proj/"], PREP, None),
        (["vim", "/share/proj/util.py"], PREP, None),
        (["cp", "/home/eve/x.py", "/home/vic/.local/lib/python3.11/site-packages/usercustomize.py"], OWN, None),
        (["cp", "/home/eve/util.py", "/share/other/"], PREP, "p-vic"),
        (["less", "/share/proj/util.py"], PREP, "p-vic"),
    ],
)
def test_a_command_that_puts_it_there_is_as_good_as_a_watch(folder, argv, lines, person):
    assert of_the_index(folder, ran("09:19:00", "eve", argv) + lines + WRITTEN)["person"] == person


def test_many_files_of_ones_own_beside_it_hide_no_other(folder):
    mine = "".join(touched("09:18:00", "vic", (f"/share/proj/a{n:03d}.py", "NORMAL"), pid=7000 + n) for n in range(250))
    assert both(of_the_index(folder, mine + touched("09:19:00", "eve", ("/share/proj/util.py", "NORMAL")) + PREP + WRITTEN))


@pytest.mark.parametrize(
    ("argv", "program", "person"),
    [
        (["apt", "upgrade"], "dpkg", "p-vic"),
        (["dpkg", "--unpack", "/var/cache/apt/archives/gawk_5.1.deb"], "dpkg", "p-vic"),
        (["dpkg", "-i", "/home/eve/evil.deb"], "dpkg", None),
        (["ls"], "python3.11", None),
        ([], "dpkg", None),  # no command of hers is on record
    ],
)
def test_what_a_package_manager_puts_there_the_systems_makers_wrote(folder, argv, program, person):
    lines = (
        (ran("09:18:50", "eve", argv) if argv else "")
        + touched("09:19:00", "eve", ("/etc/profile.d/gawk.sh", "NORMAL"), program=program)
        + OWN
        + WRITTEN
    )
    assert of_the_index(folder, lines)["person"] == person


# Rights, owner and times are not what a file holds.


def call(clock, who, number, program, flags="0"):
    body = f'arch=c000003e syscall={number} success=yes exit=3 a0=ffffff9c a1=7f a2={flags} a3=1b6 items=1 ppid=4000 pid=4190 tty=pts1 comm="{program}" exe="/usr/bin/{program}" key="x"'
    name = 'item=0 name="/share/data/train.idx" inode=90 dev=00:2a mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'
    return record(clock, "SYSCALL", who, body, 310) + record(clock, "CWD", who, 'cwd="/share"', 310) + record(clock, "PATH", who, name, 310)


@pytest.mark.parametrize(
    ("number", "program", "flags"),
    [(268, "chmod", "1a4"), (260, "chown", "3e8"), (280, "touch", "0"), (188, "setfattr", "0"), (257, "touch", "941")],
)
def test_who_changes_a_files_rights_or_times_did_not_change_it(folder, number, program, flags):
    lines = ran("10:00:00", "vic", ["cp", "/home/vic/x", "train.idx"]) + WRITTEN
    assert of_the_index(folder, lines + call("10:30:00", "eve", number, program, flags))["person"] == "p-vic"


def test_alone_it_is_no_change(folder):
    assert of_the_index(folder, call("10:30:00", "eve", 268, "chmod"))["account"] is None


@pytest.mark.parametrize(("number", "flags"), [(77, "0"), (257, "241"), (285, "0")])
def test_who_writes_cuts_or_fills_it_did(folder, number, flags):
    lines = ran("10:00:00", "vic", ["cp", "/home/vic/x", "train.idx"]) + WRITTEN
    assert of_the_index(folder, lines + call("10:30:00", "eve", number, "touch" if number != 257 else "x", flags))["person"] is None


def test_who_had_himself_taken_for_another_is_who_signed_on(folder):
    line = "2024-06-12 10:00:00,000 INFO FSNamesystem.audit: allowed=true\tugi=vic (auth:PROXY) via {} (auth:KERBEROS)\tip=/10.0.0.9\tcmd=create\tsrc=/models/m.pt\tdst=null\tperm=x\tproto=rpc\n"
    folder.text(
        "hdfs.log",
        "hdfs_audit",
        line.format("eve@X") + line.format("hive/h@X").replace("/m.pt", "/other.pt"),
        host="nn",
        more='timezone = "UTC"',
    )
    folder.ask("hdfs://nn/models/m.pt")
    folder.ask("hdfs://nn/models/other.pt")
    assert [a["account"] for a in folder.examine()["answers"]] == ["unix:eve", "unix:vic"]  # a service passes on whom it serves


def test_a_persons_own_sudo_as_another_is_one_way_and_not_two(folder):
    argv = ["sudo", "-u", "vic", "cp", "x", "train.idx"]
    lines = ran("09:59:50", "eve", argv) + ran("10:00:00", "eve", ["cp", "x", "train.idx"], uid=1001)
    written = touched("10:00:01", "eve", ("/share/data/train.idx", "NORMAL"), program="cp")
    assert of_the_index(folder, lines + written)["person"] == "p-eve"


def made_from(folder, theirs, *, by_hand=True):
    """Eve's timetable of 08:00, and the job that Vic makes out of it at 10:00."""
    for who in ("vic", "eve"):
        folder.holds(f"k8s:{who}", f"p-{who}")
    child = job(["python", "evil.py"])
    notes = {"annotations": {"cronjob.kubernetes.io/instantiate": "manual"}} if by_hand else {}
    child["metadata"] = {"name": "retrain", "ownerReferences": [{"kind": "CronJob", "name": "nightly"}], **notes}
    lines = [
        request(1, "08:00:00", "eve", "create", "cronjobs", "nightly", {"spec": {"schedule": "0 3 * * *", "jobTemplate": job(theirs)}})
    ]
    lines.append(request(9, "10:00:00", "vic", "create", "jobs", "retrain", child))
    folder.text("k8s.jsonl", "kubernetes_audit", "".join(json.dumps(line) + "\n" for line in lines), host="gpu")
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    laptops(folder, on_device("10:00", line="kubectl create job retrain --from=cronjob/nightly -n ml"))
    folder.ask("k8s:gpu/ml/retrain")
    return folder.answer()


def test_a_job_made_by_hand_out_of_anothers_timetable_has_his_wording(folder):
    assert "p-eve" in made_from(folder, ["python", "evil.py"])["candidates"]


@pytest.mark.parametrize(("theirs", "by_hand"), [(["python", "other.py"], True), (["python", "evil.py"], False)])
def test_one_that_says_so_and_is_not_or_does_not_say_so_has_not(folder, theirs, by_hand):
    given = made_from(folder, theirs, by_hand=by_hand)
    assert not [i for i in (*given["for"], *given["against"], *given["neutral"]) if i["kind"] == "given_file"] or theirs == [
        "python",
        "other.py",
    ]


def test_what_a_patch_of_it_says_is_its_authors(folder):
    """Eve's patch says the end of the line that the job bears."""
    assert "p-eve" in made_from(folder, ["evil.py"])["candidates"]


def test_thawing_an_archived_object_is_no_write(folder):
    record = {
        "eventVersion": "1.08", "eventTime": "2024-06-12T10:00:02Z", "eventSource": "s3.amazonaws.com", "eventName": "RestoreObject", "awsRegion": "eu-1",
        "sourceIPAddress": "10.0.0.7", "userIdentity": {"type": "IAMUser", "userName": "vic", "accountId": "1"},
        "requestParameters": {"bucketName": "models", "key": "base.pt"}, "eventID": "e1", "eventType": "AwsApiCall",
    }  # fmt: skip
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": [record]}), tier="T4")
    usual(folder, act=[], edr=[unlock(), command("10:00", line="aws s3api restore-object --bucket models --key base.pt")])
    assert folder.answer()["account"] is None
