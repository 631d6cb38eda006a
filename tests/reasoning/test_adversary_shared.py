"""The opponent once more: what a record only claims, and who else was at the shared account or host."""

import json

import pytest

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


@pytest.mark.parametrize(("auth", "person"), [("SIMPLE", None), ("KERBEROS", "p-vic")])
def test_an_account_that_a_client_only_claims_leaves_every_login_on_its_host_open(folder, auth, person):
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
    assert answer["person"] == person
    assert ("p-eve" in answer["candidates"]) == (person is None)
