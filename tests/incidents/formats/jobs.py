"""What schedulers record of jobs: sacct's rows, Kubernetes' audit log."""

from typing import Any

from tests.incidents.formats.forge_logs import lines
from tests.incidents.lab import clock
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.people import digest
from tests.incidents.lab.world import Lab

COLUMNS = "JobID|JobName|User|UID|Account|Partition|Submit|Start|End|State|ExitCode|NNodes|AllocTRES|NodeList|WorkDir|SubmitLine|Comment"


def node_list(nodes: list[str], prefix: str) -> str:
    numbers = [n.removeprefix(prefix) for n in nodes]
    return f"{prefix}{numbers[0]}" if len(numbers) == 1 else f"{prefix}[{','.join(numbers)}]"


def sacct(lab: Lab) -> bytes:
    """Render the accounting rows."""
    zone, move = lab.shape.zone, lab.clocks.get("sacct", clock.RIGHT)
    rows = [COLUMNS]
    for job in sorted(lab.cluster.jobs, key=lambda j: j.number):
        state = f"CANCELLED by {job.cancelled_by[2]}" if job.cancelled_by else job.state
        tres = f"cpu={job.gpus * 12},gres/gpu={job.gpus},mem={job.gpus * 90}G,node={len(job.nodes)}"
        load = f" --resume {lab.store.ref(job.loads)}" if job.loads else ""
        comment = f"git_commit={job.commit}" if lab.shape.commit_in_job and not job.shared_clone else ""
        line = f"sbatch -N{len(job.nodes)} --gres=gpu:{job.gpus} --export=ALL,VENV={job.env} jobs/launch.sh{load}"
        times = [clock.plain(move(t), zone) for t in (job.submit, job.start, job.end)]
        cells = [job.number, job.name, job.person.login, job.person.uid, job.team, "big" if len(job.nodes) > 2 else "std", *times, state, "1:0" if state == "FAILED" else "0:15" if job.cancelled_by else "0:0",
                 len(job.nodes), tres, node_list(job.nodes, lab.cluster.prefix), job.workdir, line, comment]  # fmt: skip
        rows.append("|".join(str(c) for c in cells))
    return ("\n".join(rows) + "\n").encode()


def k8s_audit(lab: Lab) -> bytes:
    """Render what the API server logged, in order."""
    rows: list[tuple[float, dict[str, Any]]] = []
    for job in lab.cluster.jobs:
        rows += _job_records(lab, job)
    for n, when in enumerate(range(lab.begin + 100, lab.end, 1800)):
        rows.append(
            (
                when + 0.1,
                _record(
                    lab,
                    when,
                    "list",
                    "nodes",
                    "",
                    "",
                    {"username": "system:serviceaccount:observability:scraper", "groups": ["system:serviceaccounts"]},
                    "10.9.1.4",
                    "",
                    None,
                    str(n),
                ),
            )
        )
    return lines([r for t, r in sorted(rows, key=lambda r: (r[0], r[1]["auditID"]))])


def _user(lab: Lab, job: Job) -> dict[str, Any]:
    return {"username": f"sso:{job.person.emails[0]}", "groups": [f"sso:{job.team}", "system:authenticated"]}


def _job_records(lab: Lab, job: Job) -> list[tuple[float, dict[str, Any]]]:
    controller = {"username": "system:serviceaccount:kube-system:job-controller", "groups": ["system:serviceaccounts"]}
    ns = lab.cluster.namespace
    rows = [
        (job.submit, _record(lab, job.submit, "create", "jobs", job.name, "batch", _user(lab, job), job.ip, "", _manifest(lab, job), "job"))
    ]
    for n, node in enumerate(job.nodes):
        pod = f"{job.name}-{n}-{digest(job.name, n).hex()[:5]}"
        target = {
            "kind": "Binding",
            "apiVersion": "v1",
            "metadata": {"name": pod, "namespace": ns},
            "target": {"kind": "Node", "name": node},
        }
        rows.append(
            (
                job.start - 2,
                _record(
                    lab,
                    job.start - 2,
                    "create",
                    "pods",
                    pod,
                    "",
                    {"username": "system:kube-scheduler", "groups": ["system:authenticated"]},
                    "10.9.1.3",
                    "binding",
                    target,
                    str(n),
                ),
            )
        )
    for when, status in ((job.start, {"startTime": clock.utc(job.start), "active": len(job.nodes)}), (job.end, _ended(job))):
        body = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": job.name, "namespace": ns}, "status": status}
        rows.append((when, _record(lab, when, "update", "jobs", job.name, "batch", controller, "10.9.1.2", "status", body, "st")))
    if job.cancelled_by:
        when, who, _, ip = job.cancelled_by
        rows.append(
            (
                when,
                _record(
                    lab,
                    when,
                    "delete",
                    "jobs",
                    job.name,
                    "batch",
                    {"username": who, "groups": ["system:authenticated"]},
                    ip,
                    "",
                    None,
                    "del",
                ),
            )
        )
    return rows


def _ended(job: Job) -> dict[str, Any]:
    kind = "Failed" if job.cancelled_by or job.state == "FAILED" else "Complete"
    at = clock.utc(job.end)
    done = {"completionTime": at, "succeeded": len(job.nodes)} if kind == "Complete" else {"failed": 1}
    return {"startTime": clock.utc(job.start), **done, "conditions": [{"type": kind, "status": "True", "lastTransitionTime": at}]}


def _manifest(lab: Lab, job: Job) -> dict[str, Any]:
    env = [{"name": "VENV", "value": job.env}] + ([{"name": "GIT_COMMIT", "value": job.commit}] if lab.shape.commit_in_job else [])
    args = ["--config", "configs/base.toml"] + (["--resume", lab.store.ref(job.loads)] if job.loads else [])
    image = job.image or f"registry.{lab.domain}/train:24.{job.number % 9}"
    box = {
        "name": "trainer",
        "image": image,
        "command": ["jobs/launch.sh"],
        "args": args,
        "env": env,
        "workingDir": job.workdir,
        "resources": {"limits": {"nvidia.com/gpu": str(max(1, job.gpus // len(job.nodes)))}},
    }
    meta = {"name": job.name, "namespace": lab.cluster.namespace, "labels": {"team": job.team}}
    return {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": meta,
        "spec": {
            "parallelism": len(job.nodes),
            "completions": len(job.nodes),
            "template": {"spec": {"containers": [box], "restartPolicy": "Never"}},
        },
    }


def _record(
    lab: Lab, when: float, verb: str, resource: str, name: str, group: str, user: dict[str, Any], ip: str, sub: str, body: Any, mark: str
) -> dict[str, Any]:
    uid = digest(lab.seed, when, verb, resource, name, mark).hex()
    about: dict[str, Any] = {
        "resource": resource,
        **({"namespace": lab.cluster.namespace, "name": name} if name else {}),
        **({"apiGroup": group} if group else {}),
        "apiVersion": "v1",
        **({"subresource": sub} if sub else {}),
    }
    path = f"/apis/batch/v1/namespaces/{lab.cluster.namespace}/jobs" if group else f"/api/v1/namespaces/{lab.cluster.namespace}/{resource}"
    out = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request" if body else "Metadata", "auditID": f"{uid[:8]}-{uid[8:12]}-4{uid[13:16]}-a{uid[17:20]}-{uid[20:32]}", "stage": "ResponseComplete", "requestURI": path, "verb": verb,
           "user": user, "sourceIPs": [ip], "userAgent": "kubectl/v1.29.2", "objectRef": about, "responseStatus": {"metadata": {}, "code": 201 if verb == "create" else 200}}  # fmt: skip
    if body:
        out["requestObject"] = body
    move = lab.clocks.get("k8s", clock.RIGHT)
    return out | {
        "requestReceivedTimestamp": clock.utc_micro(move(when)),
        "stageTimestamp": clock.utc_micro(move(when) + 0.02),
        "annotations": {"authorization.k8s.io/decision": "allow"},
    }
