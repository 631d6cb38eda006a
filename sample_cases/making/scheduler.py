"""Jobs of a Slurm cluster, and their rows as `sacct --parsable2` prints them."""

from dataclasses import dataclass, field

from making.times import plain_time, stream

FIELDS = (
    "JobID|JobIDRaw|JobName|User|UID|Account|Partition|Submit|Start|End|Elapsed|State|ExitCode|"
    "NNodes|AllocTRES|NodeList|WorkDir|SubmitLine|Comment"
)


@dataclass(slots=True)
class Job:
    """One job, or one task of an array."""

    id: str
    raw: int
    name: str
    user: str
    uid: int
    account: str
    nodes: int
    gpus: int
    submit: int
    start: int
    end: int
    state: str
    workdir: str
    line: str
    where: tuple[int, ...] = ()
    comment: str = ""
    steps: bool = True
    """Whether it started processes of its own through srun."""
    first_try: tuple[int, int] | None = None
    """Start and end of an attempt before it was requeued."""
    loads: tuple[str, str] | None = None
    """Key and version of the checkpoint that it began with."""
    writes: list[tuple[int, str, str]] = field(default_factory=list)
    """Checkpoints that it wrote: (moment, key, version)."""
    framework: str = ""
    head: str = ""
    """The commit that its work tree stood at when it started, where that is recorded."""

    @property
    def gpu_hours(self) -> float:
        """GPUs times elapsed time of its last run."""
        return self.gpus * max(0, self.end - self.start) / 3600


def node_list(nodes: tuple[int, ...]) -> str:
    """Write node numbers as Slurm does: gn007, or gn[003-004,009]."""
    runs: list[list[int]] = []
    for n in sorted(nodes):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    text = ",".join(f"{a:03d}" if a == b else f"{a:03d}-{b:03d}" for a, b in runs)
    return f"gn[{text}]" if len(nodes) > 1 else f"gn{text}"


def place(job: Job, free: list[int]) -> None:
    """Give a job nodes that are free when it starts, or let it start later; `free`: by node number, when it is free again."""
    order = sorted(range(1, len(free)), key=lambda n: (max(free[n], job.start), stream(job.raw, n).random()))[: job.nodes]
    late = max(0, max(free[n] for n in order) + 7 - job.start)
    job.start, job.end, job.where = job.start + late, job.end + late, tuple(sorted(order))
    for n in order:
        free[n] = job.end


def elapsed(seconds: int) -> str:
    """Write a duration as Slurm does: 03:25:07 or 1-02:00:00."""
    days, rest = divmod(max(0, seconds), 86400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def sacct_rows(jobs: list[Job], until: int) -> list[str]:
    """Return the accounting rows of all jobs, header first; `until` is the moment of the query."""
    rows = [FIELDS]
    for job in sorted(jobs, key=lambda j: j.raw):
        if job.first_try:
            rows.append(_row(job, *job.first_try, "REQUEUED", "0:0", until))
        rows.append(_row(job, job.start, job.end, job.state, _exit(job.state), until))
        rows += _steps(job, until) if job.state != "PENDING" else []
    return rows


def _exit(state: str) -> str:
    """Return the exit code and signal that go with a state."""
    return {"FAILED": "1:0", "TIMEOUT": "0:0", "OUT_OF_MEMORY": "0:125", "NODE_FAIL": "1:0"}.get(
        state, "0:15" if "CANCELLED" in state else "0:0"
    )


def _row(job: Job, start: int, end: int, state: str, code: str, until: int) -> str:
    """Return the row of a job, or of its earlier attempt."""
    pending, running = state == "PENDING", state == "RUNNING"
    times = ["Unknown" if pending else plain_time(start), "Unknown" if pending or running else plain_time(end)]
    spent = elapsed(0 if pending else (until if running else end) - start)
    tres = "" if pending else f"billing={job.gpus * 8},cpu={job.gpus * 8},gres/gpu={job.gpus},mem={job.gpus * 64}G,node={job.nodes}"
    where = "None assigned" if pending else node_list(job.where)
    partition = "large" if job.nodes > 2 else "batch"
    cells = [job.id, job.raw, job.name, job.user, job.uid, job.account, partition, plain_time(job.submit), *times, spent, state, code]
    return "|".join(str(c) for c in [*cells, job.nodes, tres, where, job.workdir, job.line, job.comment])


def _steps(job: Job, until: int) -> list[str]:
    """Return the rows of a job's steps; they have no user of their own, and their submission is their start."""
    running = job.state == "RUNNING"
    state = job.state.split(" ")[0] if job.state.startswith(("FAILED", "CANCELLED", "RUNNING")) else "COMPLETED"
    if job.state == "TIMEOUT":
        state = "CANCELLED"
    end = "Unknown" if running else plain_time(job.end)
    spent = elapsed((until if running else job.end) - job.start)
    steps = [("batch", "batch", 1), ("extern", "extern", job.nodes)] + ([("0", "python", job.nodes)] if job.steps else [])
    rows = []
    for step, name, nodes in steps:
        at = plain_time(job.start + (3 if step == "0" else 0))
        code = "0:0" if step == "extern" else _exit(state)
        own = "COMPLETED" if step == "extern" and not running else state
        cells = [f"{job.id}.{step}", f"{job.raw}.{step}", name, "", "", job.account, "", at, at, end, spent, own, code, nodes]
        tres = f"cpu={8 * job.gpus * nodes // job.nodes},gres/gpu={job.gpus * nodes // job.nodes},node={nodes}"
        rows.append("|".join(str(c) for c in [*cells, tres, node_list(job.where[:nodes]), "", "", ""]))
    return rows
