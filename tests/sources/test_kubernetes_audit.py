"""Known answers of the Kubernetes audit log."""

import json

import pytest

TIME = "2024-06-12T01:00:00.000001Z"


def request(verb="create", resource="jobs", name="rank-7", group="batch", code=201, user="oidc:mei", **changed):
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1", "stage": "ResponseComplete", "verb": verb, "user": {"username": user},
        "sourceIPs": ["10.2.0.7"], "objectRef": {"resource": resource, "namespace": "ml", "name": name, "apiGroup": group},
        "responseStatus": {"code": code}, "requestReceivedTimestamp": TIME, "stageTimestamp": "2024-06-12T01:00:01Z",
    } | changed  # fmt: skip


def rows(read, *lines, **keys):
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return read("kubernetes_audit", data, **({"host": "h100"} | keys)).events


def job(count=1, gpus="8", **container):
    box = {"command": ["python", "a b.py"], "resources": {"limits": {"nvidia.com/gpu": gpus}}} | container
    return {"metadata": {"name": "rank-7"}, "spec": {"parallelism": count, "template": {"spec": {"containers": [box]}}}}


def facts(event):
    return json.loads(event.attrs)


def test_a_job_that_was_launched(read):
    env = [{"name": "GIT_COMMIT", "value": "c" * 40}, {"name": "WORKDIR", "value": "/w"}]
    (found,) = rows(read, request(requestObject=job(4, env=env)))
    assert (found.action, found.object, found.actor, found.ip) == ("job.launch", "k8s:h100/ml/rank-7", "k8s:oidc:mei", "ip:10.2.0.7")
    assert found.time == facts(found)["submit"] == 1718154000_000001000
    assert (facts(found)["gpus"], facts(found)["command"]) == (32, "python 'a b.py'")
    assert (facts(found)["commit"], facts(found)["workdir"]) == ("c" * 40, "/w")


def test_the_source_names_the_cluster_where_no_host_is_declared(read):
    assert rows(read, request(), host="", name="audit")[0].object == "k8s:audit/ml/rank-7"


def test_other_stages_count_no_act_twice(read):
    found = rows(read, request(stage="RequestReceived"), request(stage="ResponseStarted"), request(stage="Panic"), request())
    assert [event.action for event in found] == ["log.message", "log.message", "log.message", "job.launch"]


@pytest.mark.parametrize(("code", "outcome"), [(201, "ok"), (401, "denied"), (403, "denied"), (409, "error"), (None, None)])
def test_outcomes(read, code, outcome):
    (found,) = rows(read, request(code=code))
    assert (found.action, found.outcome) == ("job.launch", outcome)


def test_a_dry_run_launches_nothing(read):
    assert rows(read, request(requestURI="/apis/batch/v1/namespaces/ml/jobs?dryRun=All"))[0].action == "log.message"


def test_the_name_that_the_server_made(read):
    sent, made = {"metadata": {"generateName": "sweep-"}, "spec": {}}, {"metadata": {"name": "sweep-x1"}}
    assert rows(read, request(name=None, requestObject=sent, responseObject=made))[0].object == "k8s:h100/ml/sweep-x1"


def test_impersonation_keeps_the_one_who_did_it(read):
    (found,) = rows(read, request(user="system:admin", impersonatedUser={"username": "oidc:mei"}))
    assert (found.actor, found.target) == ("k8s:system:admin", "k8s:oidc:mei")


def test_pods_of_jobs_are_no_launches(read):
    owned = {"metadata": {"name": "rank-7-0-x", "ownerReferences": [{"name": "rank-7"}]}, "spec": {}}
    pod = {"resource": "pods", "group": "", "name": "rank-7-0-x"}
    found = rows(
        read, request(**pod, requestObject=owned), request(**pod, user="system:serviceaccount:kube-system:job-controller"), request(**pod)
    )
    assert [(event.action, event.target) for event in found] == [
        ("log.message", "k8s:h100/ml/rank-7"),
        ("log.message", None),
        ("job.launch", None),
    ]


def test_a_pod_on_a_node(read):
    about = {"resource": "pods", "namespace": "ml", "name": "rank-7-0-x", "subresource": "binding"}
    (found,) = rows(read, request(objectRef=about, user="system:kube-scheduler", requestObject={"target": {"name": "gpu-17"}}))
    assert (found.action, found.object, found.target) == ("job.node", "k8s:h100/ml/rank-7-0-x", "node:h100/gpu-17")


@pytest.mark.parametrize("how", ["Complete", "Failed"])
def test_start_and_end(read, how):
    about = {"resource": "jobs", "namespace": "ml", "name": "rank-7", "apiGroup": "batch", "subresource": "status"}
    ended = {"type": how, "status": "True", "lastTransitionTime": "2024-06-12T02:00:00Z"}
    status = {"startTime": "2024-06-12T01:00:05Z", "conditions": [{"type": "Suspended", "status": "False"}, ended]}
    found = rows(read, request("update", objectRef=about, code=200, requestObject={"status": status}))
    assert [(event.action, event.time // 10**9, event.outcome) for event in found] == [
        ("job.start", 1718154005, "ok"),
        ("job.end", 1718157600, how),
    ]


def test_a_status_that_was_not_written_ends_nothing(read):
    about = {"resource": "jobs", "namespace": "ml", "name": "rank-7", "apiGroup": "batch", "subresource": "status"}
    (found,) = rows(read, request("update", objectRef=about, code=409, requestObject={"status": {"startTime": TIME}}))
    assert found.action == "log.message"


def test_cancelling_is_what_users_do(read):
    found = rows(
        read,
        request("delete", code=200),
        request("delete", code=200, user="system:serviceaccount:kube-system:ttl-after-finished-controller"),
    )
    assert [event.action for event in found] == ["job.cancel", "log.message"]


def test_clouds_wrap_the_same_record(read):
    plain = request("delete", code=200)
    google = {
        "protoPayload": {"serviceName": "k8s.io", "methodName": "io.k8s.batch.v1.jobs.delete", "resourceName": "batch/v1/namespaces/ml/jobs/rank-7",
                         "authenticationInfo": {"principalEmail": "oidc:mei"}, "requestMetadata": {"callerIp": "10.2.0.7"}},
        "timestamp": TIME,
    }  # fmt: skip
    found = rows(read, plain, {"properties": {"log": json.dumps(plain)}}, {"message": json.dumps(plain)}, {"items": [plain]}, google)
    assert len({(event.action, event.object, event.actor, event.ip, event.time, event.outcome) for event in found}) == 1
    assert len(found) == 5


def test_replicas_multiply_gpus(read):
    group = {"template": job()["spec"]["template"]}
    spec = {"pytorchReplicaSpecs": {"Master": group | {"replicas": 1}, "Worker": group | {"replicas": 7}}}
    (found,) = rows(read, request(resource="pytorchjobs", group="kubeflow.org", requestObject={"metadata": {}, "spec": spec}))
    assert facts(found)["gpus"] == 64


def test_absurd_numbers_count_for_nothing(read):
    (found,) = rows(read, request(requestObject=job(10**30, "1e999")))
    assert found.action == "job.launch"
    assert "gpus" not in facts(found)


def node(verb="patch", resource="nodes", name="gpu-7", **sent):
    return request(verb, resource, name, "", 200, "system:node:gpu-7", requestObject=sent)


@pytest.mark.parametrize(
    ("sent", "states"),
    [
        ({"spec": {"unschedulable": True}}, ["SchedulingDisabled"]),
        ({"spec": {"unschedulable": False}}, []),
        ({"spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}, {"key": "team", "effect": "NoSchedule"}]}}, ["unreachable"]),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}, ["NotReady"]),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "MemoryPressure", "status": "False"}]}}, []),
        ({"status": {"conditions": [{"type": "XidError", "status": "True"}, {"type": "DiskPressure", "status": "Unknown"}]}}, ["XidError"]),
        ({"status": {"conditions": "odd"}, "spec": [1]}, []),
    ],
)  # fmt: skip
def test_a_node_in_trouble(read, sent, states):
    found = [e for e in rows(read, node(**sent)) if e.action == "node.state"]
    assert [e.outcome for e in found] == states
    assert all(e.object == "node:h100/gpu-7" for e in found)


def test_a_node_is_in_trouble_since_its_condition_changed_and_a_refused_request_says_nothing(read):
    sent = {"status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2024-06-12T00:30:00Z"}]}}
    (found,) = rows(read, node(**sent))
    assert (found.time, found.actor) == (1718152200000000000, "k8s:system:node:gpu-7")
    (refused,) = rows(read, node(**sent) | {"responseStatus": {"code": 403}})
    assert refused.action == "log.message"


@pytest.mark.parametrize(
    ("kind", "warns", "action"), [("Node", "Warning", "node.state"), ("Node", "Normal", "log.message"), ("Pod", "Warning", "log.message")]
)
def test_a_warning_about_a_node(read, kind, warns, action):
    sent = {"involvedObject": {"kind": kind, "name": "gpu-7"}, "reason": "Rebooted", "message": "boot id changed", "type": warns}
    (found,) = rows(read, node("create", "events", "gpu-7.17d", **sent))
    assert found.action == action
    if action == "node.state":
        assert (found.object, found.outcome, facts(found)["reason"]) == ("node:h100/gpu-7", "Rebooted", "boot id changed")
