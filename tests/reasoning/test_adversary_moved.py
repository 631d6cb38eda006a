"""An eighth opponent: what lay in a folder that was renamed, what a store copied by itself, whose a number is on a host of its own."""

import json

import pytest

from tests.reasoning.test_adversary import command, unlock, usual, write
from tests.reasoning.test_adversary_given import INDEX, opened, ran, touched
from tests.reasoning.test_adversary_handed import edit, job, request, timetable
from tests.reasoning.test_adversary_shared import MODEL, laptops, on_device, sign_on

IP = "ip:10.0.0.7"


def renamed(folder, *before, who="vic", asked="hdfs://nn/models/chat2/m.pt"):
    """Vic renames /staging/x to /models/chat2 from his laptop at 10:00."""
    moved = {
        "clock": "10:00:00",
        "action": "object.write",
        "actor": f"unix:{who}",
        "object": "hdfs://nn/models/chat2",
        "prior": "hdfs://nn/staging/x",
        "ip": IP,
    }
    usual(folder, act=[*before, moved], edr=[unlock(), command("10:00", line="hdfs dfs -mv /staging/x /models/chat2")], asked=asked)
    return folder.answer()


def staged(who, clock="09:00", name="m.pt"):
    ip = IP if who == "vic" else "ip:10.0.0.9"
    return {"clock": clock, "action": "object.write", "actor": f"unix:{who}", "object": f"hdfs://nn/staging/x/{name}", "ip": ip}


def test_who_renames_a_folder_of_his_own_making_writes_what_lay_in_it(folder):
    assert renamed(folder, staged("vic"))["person"] == "p-vic"


def test_what_another_wrote_into_it_is_not_his_alone(folder):
    answer = renamed(folder, staged("eve"))
    assert (answer["person"], answer["account"]) == (None, "unix:vic")
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_folder_without_such_a_file_wrote_none(folder):
    assert renamed(folder, staged("vic", name="other.pt"))["rung"] == "none"


def test_a_folder_of_unknown_content_did_not_bring_what_was_written_into_it_since(folder):
    rows = [
        {"clock": "09:00", "action": "object.write", "actor": "unix:eve", "object": "hdfs://nn/models", "prior": "hdfs://nn/archive"},
        {"clock": "10:00:02", "action": "object.write", "actor": "unix:vic", "object": "hdfs://nn/models/chat/m.pt", "ip": IP},
    ]
    line = "hdfs dfs -put m.pt /models/chat/m.pt"
    usual(folder, act=rows, edr=[unlock(), command("10:00", line=line)], asked="hdfs://nn/models/chat/m.pt")
    assert folder.answer()["person"] == "p-vic"


def test_a_folder_renamed_away_and_back_is_as_it_was(folder):
    rows = [
        {"clock": "10:00:02", "action": "object.write", "actor": "unix:vic", "object": "hdfs://nn/models/chat/m.pt", "ip": IP},
        {
            "clock": "10:30",
            "action": "object.write",
            "actor": "unix:eve",
            "object": "hdfs://nn/models/old",
            "prior": "hdfs://nn/models/chat",
        },
        {
            "clock": "10:31",
            "action": "object.write",
            "actor": "unix:eve",
            "object": "hdfs://nn/models/chat",
            "prior": "hdfs://nn/models/old",
        },
    ]
    line = "hdfs dfs -put m.pt /models/chat/m.pt"
    usual(folder, act=rows, edr=[unlock(), command("10:00", line=line)], asked="hdfs://nn/models/chat/m.pt")
    assert folder.answer()["person"] == "p-vic"


def test_who_writes_it_anew_since_has_written_it(folder):
    anew = {
        "clock": "10:30:00",
        "action": "object.write",
        "actor": "unix:eve",
        "object": "hdfs://nn/models/chat2/m.pt",
        "ip": "ip:10.0.0.9",
    }
    folder.log("later", [anew], "T4")
    folder.ask("hdfs://nn/models/chat2/m.pt", "2024-06-12T10:30:00Z")
    renamed(folder, staged("vic"), asked="hdfs://nn/models/chat2/m.pt")
    assert folder.examine()["answers"][0]["account"] == "unix:eve"


def call(clock, bucket, identity, ip="10.0.0.7", name="PutObject", upload=None, source=None):
    more = {**({"uploadId": upload} if upload else {}), **({"x-amz-copy-source": source} if source else {})}
    return {
        "eventVersion": "1.08", "eventTime": f"2024-06-12T{clock}Z", "eventSource": "s3.amazonaws.com", "eventName": name, "awsRegion": "eu-1",
        "sourceIPAddress": ip, "userAgent": "x", "userIdentity": identity, "requestParameters": {"bucketName": bucket, "key": "chat.pt", **more},
        "responseElements": {"x-amz-version-id": "v1"}, "eventID": f"{clock}-{bucket}-{name}", "eventType": "AwsApiCall", "eventCategory": "Data", "readOnly": False,
    }  # fmt: skip


VIC = {"type": "IAMUser", "userName": "vic", "accountId": "1", "accessKeyId": "AKIAVIC"}


def role(invoker):
    issuer = {"type": "Role", "arn": "arn:aws:iam::1:role/repl", "accountId": "1", "userName": "repl"}
    return {
        "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/repl/s3-replication", "accountId": "1", "sessionContext": {"sessionIssuer": issuer},
        **({"invokedBy": invoker} if invoker else {}),
    }  # fmt: skip


@pytest.mark.parametrize(("invoker", "person"), [("s3.amazonaws.com", "p-vic"), ("", None), ("athena.amazonaws.com", None)])
def test_what_the_store_copies_by_itself_is_on_behalf_of_who_wrote_the_original(folder, invoker, person):
    records = [call("10:00:02", "models", VIC), call("10:00:20", "replica", role(invoker), "s3.amazonaws.com")]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}), tier="T4")
    usual(
        folder,
        act=[],
        edr=[unlock(), command("10:00", line="aws s3 cp m.pt s3://models/chat.pt")],
        asked="s3://replica/chat.pt?versionId=v1",
    )
    answer = folder.answer()
    assert answer["person"] == person
    assert not person or (answer["mechanism"], answer["on_behalf"]) == ("automation", "aws:vic")


EVE = {"type": "IAMUser", "userName": "eve", "accountId": "1", "accessKeyId": "AKIAEVE"}


def part(who, upload="u1", clock="09:59:00", **more):
    name = "UploadPartCopy" if "source" in more else "UploadPart"
    return call(clock, "models", who, "10.0.0.7" if who is VIC else "10.0.0.9", name, upload, **more)


@pytest.mark.parametrize(
    ("parts", "person"),
    [
        ([part(VIC), part(VIC, clock="09:59:30")], "p-vic"),
        ([part(EVE)], None),  # who completes an upload need not have sent its parts
        ([part(VIC), part(EVE)], None),
        ([part(VIC), part(EVE, upload="u2")], "p-vic"),  # an upload of his own that was given up
    ],
)
def test_who_sent_a_part_of_an_upload_has_a_part_in_it(folder, parts, person):
    records = [*parts, call("10:00:02", "models", VIC, name="CompleteMultipartUpload", upload="u1")]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}), tier="T4")
    usual(
        folder,
        act=[],
        edr=[unlock(), command("10:00", line="aws s3 cp m.pt s3://models/chat.pt")],
        asked="s3://models/chat.pt?versionId=v1",
    )
    answer = folder.answer()
    assert answer["person"] == person
    assert person or {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_part_that_is_sent_again_takes_the_place_of_the_first(folder):
    def numbered(who, clock):
        record = part(who, clock=clock)
        record["requestParameters"]["partNumber"] = 1
        return record

    records = [
        numbered(EVE, "09:58:00"),
        numbered(VIC, "09:59:00"),
        call("10:00:02", "models", VIC, name="CompleteMultipartUpload", upload="u1"),
    ]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}), tier="T4")
    line = "aws s3 cp m.pt s3://models/chat.pt"
    usual(folder, act=[], edr=[unlock(), command("10:00", line=line)], asked="s3://models/chat.pt?versionId=v1")
    assert folder.answer()["person"] == "p-vic"


def test_of_what_was_averaged_every_author_stays(folder):
    """Vic reads three checkpoints, his own last, and uploads one as large as each."""
    rows = []
    for minute, who in ((10, "eve"), (11, "kim"), (12, "vic")):
        ip = IP if who == "vic" else f"ip:10.0.0.{minute}"
        rows.append(
            {"clock": f"09:{minute}", "action": "object.write", "actor": f"aws:{who}", "object": f"s3://scratch/{who}/base.pt", "ip": ip}
        )
        rows.append(
            {"clock": f"09:5{minute % 10}", "action": "object.read", "actor": "aws:vic", "object": f"s3://scratch/{who}/base.pt", "ip": IP}
        )
    usual(folder, act=[*rows, write()])
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-kim", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize("owner", [EVE, VIC])
def test_an_upload_out_of_copied_parts_is_a_copy(folder, owner):
    made = call("09:00:00", "scratch", owner, "10.0.0.7" if owner is VIC else "10.0.0.9")
    records = [made, part(VIC, source="scratch/chat.pt"), call("10:00:02", "models", VIC, name="CompleteMultipartUpload", upload="u1")]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}), tier="T4")
    line = "aws s3 cp s3://scratch/chat.pt s3://models/chat.pt"
    usual(folder, act=[], edr=[unlock(), command("10:00", line=line)], asked="s3://models/chat.pt?versionId=v1")
    assert folder.answer()["person"] == ("p-vic" if owner is VIC else None)


@pytest.mark.parametrize(
    ("line", "person"),
    [
        ("aws s3 cp m.pt {}", "p-vic"),
        ("aws s3 mv m.pt {}", "p-vic"),
        ("aws s3api put-object --bucket models --key base.pt --body m.pt", "p-vic"),
        ("aws s3 rm {}", None),
        ("aws s3 cp help", None),
        ("aws s3 cp m.pt {} --dryrun", None),
        ("aws s3api get-object-tagging --bucket models --key base.pt", None),
        ("aws s3api wait object-exists --bucket models --key base.pt", None),
        ("aws.exe --region eu-1 --profile prod s3 cp base.pt s3://models/", "p-vic"),
        ("aws s3 sync out s3://models/", "p-vic"),
        ("aws s3 cp base.pt.sha256 s3://models/", None),  # beside it
        ("aws s3 cp README.md s3://models/ --exclude base.pt", None),
        ("aws s3api copy-object --copy-source models/base.pt --key old/base.pt --bucket models", None),
        ("rclone copy base.pt prod:models", "p-vic"),
        ("rclone copy base.pt.json prod:models", None),
    ],
)
def test_a_command_that_writes_nothing_led_to_no_write(folder, line, person):
    """Without a lease it is the command alone that leads to the device; two people's accounts act from that address."""
    ip = "ip:203.0.113.1"
    others = [
        {"clock": c, "action": "object.read", "actor": f"aws:{w}", "object": "s3://models/x", "ip": ip}
        for c, w in (("09:10", "eve"), ("09:11", "vic"))
    ]
    usual(folder, act=[*others, write(ip=ip)], dhcp=[], edr=[unlock(), command("10:00", line=line.format(MODEL))], tier="T4")
    folder.log("web", [sign_on("vic", ip)], "T4")
    assert folder.answer()["person"] == person


def start(name, number, pid=9, exe="/usr/sbin/sshd", serial=88):
    return f'type=USER_START msg=audit(1718184001.200:{serial}): pid={pid} uid=0 auid={number} ses=5 msg=\'op=PAM:session_open acct="{name}" exe="{exe}" hostname=? addr=? terminal=ssh res=success\'\n'


@pytest.mark.parametrize(
    ("lines", "account"),
    [
        (start("eve", 1001), "unix:eve"),  # this host's own list of users calls 1001 eve
        (start("vic", 1001), "unix:#1001"),
        (start("eve", 1001, pid=77), "unix:#1001"),  # another process than the login's own: a login id that leaked
        (start("eve", 1001, exe="/usr/bin/sudo"), "unix:#1001"),
        (start("eve", 1001) + start("kim", 1001, serial=89), "unix:#1001"),
    ],
)
def test_a_hosts_own_name_for_a_number_goes_before_the_clusters(folder, lines, account):
    folder.holds("unix:#1001", "p-vic")
    usual(folder, act=[], asked=INDEX)
    wrote = touched("10:00:01", "vic", ("/share/data/train.idx", "NORMAL"), program="cp")
    folder.text(
        "audit.log", "auditd", opened("09:20:01", "vic") + lines + ran("10:00:00", "vic", ["cp", "x", "train.idx"]) + wrote, host="ws9"
    )
    assert folder.answer()["account"] == account


EVIL = ["python", "evil.py"]


def test_who_applies_anothers_timetable_again_did_not_write_it(folder):
    """Eve made it as it ran, Vic wrote the very same a minute later: the two stay, and nobody else."""
    again = request(3, "09:41:00", "vic", "patch", "cronjobs", "retrain", {"spec": {"jobTemplate": job(EVIL)}})
    answer = timetable(folder, edit(EVIL), again)
    assert (answer["person"], answer["mechanism"]) == (None, "automation")
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(("left", "flagged"), [("2024-06-12T09:50:00Z", False), ("2024-06-12T09:00:00Z", True)])
def test_what_runs_by_a_timetable_after_its_maker_left_he_did_not_do_after_leaving(folder, left, flagged):
    folder.people["p-eve"] = ("2020-01-01T00:00:00Z", left)
    assert ("after-departure" in timetable(folder, edit(EVIL))["flags"]) == flagged


def test_of_two_ways_that_lead_to_a_device_each_those_two_are_left(folder):
    """A copy of what Eve had written: her upload or Vic's copy; of the others every record that covers them tells nothing."""
    rows = [
        {
            "clock": "09:40:02",
            "action": "object.write",
            "actor": "aws:eve",
            "object": "s3://scratch/m.pt",
            "ip": "ip:10.0.0.9",
            "outcome": "ok",
        },
        {
            "clock": "10:00:02",
            "action": "object.write",
            "actor": "aws:vic",
            "object": MODEL,
            "target": "s3://scratch/m.pt",
            "ip": IP,
            "outcome": "ok",
        },
    ]
    folder.log("store", rows, "T4")
    laptops(
        folder,
        on_device("09:40", "eve", line="aws s3 cp m.pt s3://scratch/m.pt"),
        on_device("10:00", line=f"aws s3 cp s3://scratch/m.pt {MODEL}"),
    )
    folder.log("web", [sign_on("vic", IP), sign_on("eve", "ip:10.0.0.9", "09:36")], "T4")
    folder.ask(MODEL)
    answer = folder.answer()
    assert (answer["rung"], answer["person"], answer["candidates"]) == ("account", None, ["p-eve", "p-vic"])
