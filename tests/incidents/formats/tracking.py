"""Training curves, and MLflow's file store."""

from random import Random

from tests.incidents.lab import clock
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.people import digest
from tests.incidents.lab.world import Lab

Points = list[tuple[int, int, str, float]]
"""(step, when, name, value)"""


def curve(job: Job, rng: Random, harm: str) -> Points:
    """Return a run's points; `harm` is empty, `swing`, `drift`, `stall` or `slow`."""
    out: Points = []
    count, speed = 7, 3000 * job.gpus * (0.95 + 0.1 * rng.random())
    for n in range(1, count + 1):
        when = job.start + (job.end - job.start) * n // (count + 1)
        loss = 1.9 + 5.5 / (1 + 0.8 * n) + 0.03 * (rng.random() - 0.5)
        late = n > count // 3
        if late and harm == "swing":
            loss += rng.choice((0.1, 0.8, 1.9)) * (0.7 + 0.6 * rng.random())
        elif late and harm == "drift":
            loss += 0.22 * (n - count // 3)
        elif late and harm == "stall":
            loss = 1.9 + 5.5 / (1 + 0.8 * (count // 3)) + 0.4 + 0.02 * rng.random()
        rate = speed * (0.35 + 0.1 * rng.random() if late and harm == "slow" else 1 + 0.02 * (rng.random() - 0.5))
        out += [(200 * n, when, "loss", round(loss, 5)), (200 * n, when, "throughput", round(rate, 2))]
    return out


def metrics_csv(rows: list[tuple[str, Points]]) -> bytes:
    out = ["run,step,time,name,value"]
    out += [f"{name},{step},{clock.utc(when)},{what},{value}" for name, points in rows for step, when, what, value in points]
    return ("\n".join(out) + "\n").encode()


def mlflow_files(lab: Lab, jobs: list[Job], points: dict[int, Points]) -> dict[str, bytes]:
    """Lay out a file store: one experiment a team, one run a job."""
    out: dict[str, bytes] = {}
    for team in sorted({j.team for j in jobs}):
        experiment = str(int.from_bytes(digest(lab.domain, team)[:7], "big"))
        root = f"{lab.share}/mlruns/{experiment}"
        out[f"{experiment}/meta.yaml"] = _yaml(
            {
                "artifact_location": root,
                "creation_time": lab.begin * 1000,
                "experiment_id": f"'{experiment}'",
                "last_update_time": lab.begin * 1000,
                "lifecycle_stage": "active",
                "name": team,
            }
        )
        for job in jobs:
            if job.team == team:
                out |= {f"{experiment}/{k}": v for k, v in _run(lab, job, experiment, root, points.get(job.number, [])).items()}
    return out


def _run(lab: Lab, job: Job, experiment: str, root: str, points: Points) -> dict[str, bytes]:
    run = digest(lab.domain, job.number, job.name).hex()[:32]
    meta = {"artifact_uri": f"{root}/{run}/artifacts", "end_time": job.end * 1000, "entry_point_name": "''", "experiment_id": f"'{experiment}'", "lifecycle_stage": "active", "run_id": run, "run_name": job.name, "run_uuid": run,
            "source_name": "''", "source_type": 4, "source_version": "''", "start_time": job.start * 1000, "status": 4 if job.state == "FAILED" or job.cancelled_by else 3, "tags": "[]", "user_id": job.person.login}  # fmt: skip
    tags = {"mlflow.runName": job.name, "mlflow.user": job.person.login, "mlflow.source.name": f"{job.workdir}/{lab.forge.package}/loop/train.py", "mlflow.source.type": "LOCAL", "mlflow.source.git.commit": job.commit,
            ("slurm_job_id" if lab.cluster.kind == "slurm" else "k8s_job"): lab.cluster.key(job)}  # fmt: skip
    params = {"gpus": str(job.gpus), "nodes": str(len(job.nodes)), "resume": lab.store.ref(job.loads) if job.loads else "none"}
    out = (
        {f"{run}/meta.yaml": _yaml(meta)}
        | {f"{run}/tags/{k}": v.encode() for k, v in tags.items()}
        | {f"{run}/params/{k}": v.encode() for k, v in params.items()}
    )
    for name in sorted({p[2] for p in points}):
        out[f"{run}/metrics/{name}"] = "".join(
            f"{when * 1000} {value} {step}\n" for step, when, what, value in points if what == name
        ).encode()
    return out


def _yaml(values: dict[str, object]) -> bytes:
    return "".join(f"{k}: {v}\n" for k, v in sorted(values.items())).encode()
