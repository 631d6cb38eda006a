"""Known answers of HDFS's audit log."""

import json
import time

import pytest

from forensics.model import Tier
from forensics.source import load

FIELDS = {
    "allowed": "true", "ugi": "mei (auth:SIMPLE)", "ip": "/10.20.4.9", "cmd": "create", "src": "/a", "dst": "null",
    "perm": "mei:ml:rw-r--r--", "proto": "rpc", "callerContext": "JOB_1041",
}  # fmt: skip
HEAD = "2024-06-12 09:10:42,123 INFO FSNamesystem.audit: "


def line(head=HEAD, **changed):
    return (head + "\t".join(f"{name}={value}" for name, value in (FIELDS | changed).items() if value is not None) + "\n").encode()


def reading(read, data, **keys):
    return read("hdfs_audit", data, **({"host": "nn1", "timezone": "Asia/Shanghai"} | keys))


def only(read, head=HEAD, **changed):
    (found,) = reading(read, line(head, **changed)).events
    return found


def reason(read, data, **keys):
    (found,) = reading(read, data, **keys).rejects
    return found.reason


def test_a_write(read):
    found = only(read)
    assert (found.action, found.object, found.actor, found.outcome) == ("object.write", "hdfs://nn1/a", "unix:mei", "ok")
    assert (found.ip, found.session, found.host, found.time) == ("ip:10.20.4.9", "hdfs:JOB_1041", "nn1", 1718154642_123000000)
    assert json.loads(found.attrs) == {"auth": "SIMPLE", "context": "JOB_1041", "perm": "mei:ml:rw-r--r--", "proto": "rpc"}


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("append", "object.write"), ("truncate", "object.write"), ("open", "object.read"), ("delete", "object.delete"),
        ("setPermission", "hdfs.setPermission"), ("listStatus", "hdfs.listStatus"), ("mkdirs", "hdfs.mkdirs"),
    ],
)  # fmt: skip
def test_what_commands_mean(read, command, action):
    found = only(read, cmd=command)
    assert (found.action, found.object, found.prior) == (action, "hdfs://nn1/a", None)


@pytest.mark.parametrize(
    ("command", "options"), [("rename", None), ("rename2", None), ("rename (options=[OVERWRITE])", "OVERWRITE"), ("rename (x", "(x")]
)
def test_a_rename_is_two_acts(read, command, options):
    write, delete = reading(read, line(cmd=command, src="/a._COPYING_", dst="/a")).events
    assert (write.action, write.object, write.prior) == ("object.write", "hdfs://nn1/a", "hdfs://nn1/a._COPYING_")
    assert (delete.action, delete.object, delete.prior) == ("object.delete", "hdfs://nn1/a._COPYING_", None)
    assert (write.start, write.end, write.time, write.attrs) == (delete.start, delete.end, delete.time, delete.attrs)
    assert json.loads(write.attrs).get("options") == options


def test_concat_writes_its_target(read):
    found = only(read, cmd="concat", src="[/p 0, /p,1]", dst="/whole")
    assert (found.action, found.object, found.prior) == ("object.write", "hdfs://nn1/whole", None)
    assert json.loads(found.attrs)["paths"] == ["/p 0", "/p,1"]


def test_several_paths(read):
    found = only(read, cmd="checkAccess", src="[/a, /b]")
    assert (found.object, json.loads(found.attrs)["paths"]) == ("hdfs://nn1/a", ["/a", "/b"])


@pytest.mark.parametrize("src", ["null", "{}", "pool 1", ""])
def test_what_is_no_path(read, src):
    found = only(read, cmd="addCachePool", src=src)
    assert (found.object, json.loads(found.attrs).get("src")) == (None, src if src not in ("null", "") else None)


@pytest.mark.parametrize(
    ("ugi", "actor", "facts"),
    [
        ("mei (auth:SIMPLE)", "unix:mei", {"auth": "SIMPLE"}),
        ("mei (auth:simple)", "unix:mei", {"auth": "SIMPLE"}),
        ("mei@LAB.EXAMPLE (auth:KERBEROS)", "unix:mei", {"auth": "KERBEROS", "principal": "mei@LAB.EXAMPLE"}),
        ("nn/h1@LAB.EXAMPLE (auth:KERBEROS)", "unix:nn", {"auth": "KERBEROS", "principal": "nn/h1@LAB.EXAMPLE"}),
        (
            "mei (auth:PROXY) via hive/h1@LAB.EXAMPLE (auth:KERBEROS)",
            "unix:mei",
            {"auth": "PROXY", "via": "unix:hive", "via_auth": "KERBEROS", "via_principal": "hive/h1@LAB.EXAMPLE"},
        ),
        ("(auth:TOKEN)", None, {"auth": "TOKEN"}),
        ("mei", "unix:mei", {}),
        ("null", None, {}),
        ("", None, {}),
        ("x" * 300 + " (auth:SIMPLE)", "unix:" + "x" * 300, {"auth": "SIMPLE"}),
    ],
)
def test_accounts(read, ugi, actor, facts):
    found = only(read, ugi=ugi, perm="null", proto=None, callerContext=None)
    assert (found.actor, json.loads(found.attrs or "{}")) == (actor, facts)


@pytest.mark.parametrize(
    ("written", "ip", "kept"),
    [
        ("/10.0.0.1", "ip:10.0.0.1", None), ("edge/10.0.0.1", "ip:10.0.0.1", "edge/10.0.0.1"), ("/0:0:0:0:0:0:0:1", "ip:::1", None),
        ("null", None, None), ("edge", None, "edge"), ("/" + "9" * 200, None, "/" + "9" * 200),
    ],
)  # fmt: skip
def test_addresses(read, written, ip, kept):
    found = only(read, ip=written)
    assert (found.ip, json.loads(found.attrs).get("source_address")) == (ip, kept)


def test_denied(read):
    assert only(read, allowed="false").outcome == "denied"


@pytest.mark.parametrize("context", ["CLI", "null", None])
def test_the_shells_context_is_no_session(read, context):
    assert only(read, callerContext=context).session is None


@pytest.mark.parametrize(
    "head",
    [
        "2024-06-12 09:10:42.123 INFO org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit: ",
        "2024-06-12T09:10:42,123 INFO FSNamesystem.audit: ",
        "2024-06-12T01:10:42.123Z INFO FSNamesystem.audit: ",
        "2024-06-12 02:10:42,123 +0100 INFO FSNamesystem.audit: ",
        "2024-06-12 09:10:42,123 INFO  [IPC Server handler 3 on 8020] FSNamesystem.audit: ",
        "2024-06-12 09:10:42,123 [main] INFO FSNamesystem.audit:",
    ],
)
def test_what_log4j_may_write_before(read, head):
    assert only(read, head).time == 1718154642_123000000


def test_local_times_that_occur_twice(read):
    head = HEAD.replace("2024-06-12 09", "2024-10-27 01")
    (found,) = reading(read, line(head), timezone="Europe/London").events
    assert found.time_hi - found.time == 3600_000000000


def test_a_time_zone_is_needed(read):
    assert reason(read, line(), timezone="") == "the time bears no offset and no time zone is declared"


def test_the_host_is_needed():
    assert load("hdfs_audit").needs == ("host",)
    assert load("hdfs_audit").tier is Tier.T3


@pytest.mark.parametrize("name", ["cmd", "src", "dst", "perm"])
def test_a_line_that_lacks_what_every_line_has(read, name):
    assert reason(read, line(**{name: None})) == f"no line of the audit log, or one that is broken off: it has no {name}"


def test_lines_of_other_loggers(read):
    assert (
        reason(read, line().replace(b"FSNamesystem.audit", b"StateChange")) == "no line of the audit log: FSNamesystem.audit is not in it"
    )


def test_a_marker_within_another_loggers_line_begins_none(read):
    assert "before its name is no time and level" in reason(
        read, b"2024-06-12 09:10:42,123 INFO StateChange: /x " + line("FSNamesystem.audit: ")
    )


def test_a_path_with_a_tab_forges_no_field(read):
    assert only(read, src="/a\tb").object == "hdfs://nn1/a\tb"
    assert reason(read, line(src="/a\tdst=/b")).startswith("the line says dst twice")
    assert reason(read, line(callerContext="x\tugi=kai (auth:SIMPLE)")).startswith("the line says ugi twice")


@pytest.mark.parametrize(
    "filler", ["\t", "\t ", " via ", "(auth:", "[", "[x] ", ", /", "a.", "src=", "\tperm=", "/", "@", "FSNamesystem.audit: "]
)
def test_long_lines_take_linear_time(read, filler):
    text = filler * (4_000_000 // len(filler))
    begin = time.perf_counter()
    for data in (line(HEAD[:29] + text + HEAD[29:]), line(ugi=text), line(cmd=text), line(src="[/" + text + "]"), line(HEAD + text)):
        reading(read, data)
    assert time.perf_counter() - begin < 20
