"""Jobs: what they ran, loaded and wrote, and where."""

from dataclasses import dataclass, field
from random import Random

from tests.incidents.lab.people import Person


@dataclass(slots=True, eq=False)
class Job:
    number: int
    name: str
    person: Person
    team: str
    submit: int
    start: int
    end: int
    nodes: list[str]
    gpus: int
    workdir: str
    commit: str
    loads: str = ""
    """key of the checkpoint that it began with"""
    loads_version: str = ""
    writes: list[tuple[int, str, str]] = field(default_factory=list)
    """(when, key, version)"""
    state: str = "COMPLETED"
    image: str = ""
    ip: str = ""
    """from where it was handed in"""
    shared_clone: bool = True
    env: str = ""
    cancelled_by: tuple[float, str, int, str] | None = None
    """(when, account, its number, address)"""

    @property
    def gpu_hours(self) -> float:
        return self.gpus * (self.end - self.start) / 3600


@dataclass(slots=True)
class Cluster:
    kind: str
    name: str
    namespace: str
    prefix: str
    count: int
    net: str
    jobs: list[Job] = field(default_factory=list)
    next_number: int = 1000
    free: dict[str, float] = field(default_factory=dict)

    def ref(self, job: Job) -> str:
        return f"slurm:{self.name}/{job.number}" if self.kind == "slurm" else f"k8s:{self.name}/{self.namespace}/{job.name}"

    def key(self, job: Job) -> str:
        """Return what a store's session bears for this job."""
        return str(job.number) if self.kind == "slurm" else job.name

    def node_ip(self, node: str) -> str:
        return f"{self.net}.{int(node.removeprefix(self.prefix)) % 240 + 5}"

    def node_names(self) -> list[str]:
        return [f"{self.prefix}{n:03d}" for n in range(1, self.count + 1)]

    def place(self, start: int, length: int, wanted: int, rng: Random) -> tuple[list[str], int]:
        """Give a job nodes, later where none are free."""
        order = sorted(self.node_names(), key=lambda n: (max(self.free.get(n, 0.0), start), rng.random()))[:wanted]
        begin = int(max([start, *(self.free.get(n, 0.0) + 9 for n in order)]))
        for n in order:
            self.free[n] = begin + length
        return sorted(order), begin
