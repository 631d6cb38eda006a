"""Everyday work on a cluster: sessions on the login node, pulls into a shared clone, jobs, and the checkpoints that they read and write."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from random import Random
from typing import Any

from making.forge import Forge, ssh_command
from making.gitobjects import reflog_line
from making.hosts import Host, Session, cron, log_in, run
from making.objectstore import Trail, assume, get_object, put_object, version_id
from making.people import Person
from making.presence import Diary, Stay
from making.scheduler import Job, place
from making.times import HOUR, MINUTE, days, stream

LOOKS = [["squeue", "--me"], ["ls", "-l"], ["less", "README.md"], ["tail", "-n", "50", "train.log"], ["sinfo"], ["df", "-h", "/share"]]


@dataclass(slots=True)
class Visit:
    """A login that is going to happen."""

    host: Host
    account: Person
    stay: Stay
    start: int
    end: int
    then: Callable[[Session], None] | None = None
    """What the story does in it; without that, an ordinary day's work."""
    command: str = ""
    """What the laptop's agent saw; empty: the usual command."""


@dataclass(slots=True)
class Kind:
    """One team's kind of job."""

    team: str
    family: str
    account: str
    bases: list[str]
    workdirs: list[str]
    people: list[str]


@dataclass(slots=True)
class Cluster:
    """The cluster's state and records."""

    forge: Forge
    diary: Diary
    case: str
    jump: Host
    login: Host
    kinds: list[Kind]
    clone: str
    """The path of the shared clone."""
    jobs: list[Job] = field(default_factory=list)
    versions: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Of each shared checkpoint: (since when, version)."""
    pulls: list[tuple[int, str, str]] = field(default_factory=list)
    """Every value that the clone's main had: (moment, commit, reflog line)."""
    acts: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    """What is going to happen in sessions, and when."""
    free: list[int] = field(default_factory=lambda: [0] * 65)
    """By node number, when it is free again."""
    counter: int = 1000
    names: int = 0

    def main(self, when: int) -> str:
        """Return the commit that the forge's main stood at."""
        return [sha for moved, sha in self.forge.history if moved <= when][-1]

    def kind(self, person: str) -> Kind:
        """Return the kind of job that a person runs."""
        return next(k for k in self.kinds if person in k.people)

    def version(self, key: str, when: int) -> str:
        """Return the version of a shared checkpoint that was current at a moment."""
        return [v for since, v in self.versions[key] if since <= when][-1]

    def head(self, when: int) -> str:
        """Return the commit that the shared clone stood at."""
        return [sha for pulled, sha, _ in self.pulls if pulled <= when][-1]


def ordinary_visits(cluster: Cluster, first: date, last: date, share: float) -> list[Visit]:
    """Draw who logs in to the login node, and when."""
    visits = []
    people = sorted({id_ for kind in cluster.kinds for id_ in kind.people})
    for day in days(first, last):
        for id_ in people:
            rng = stream(cluster.case, "visit", id_, day)
            for stay in cluster.diary.on(id_, day):
                spans = [s for s in stay.active() if s[1] - s[0] > 40 * MINUTE]
                if spans and rng.random() < share:
                    begin, end = rng.choice(spans)
                    start = rng.randrange(begin, end - 30 * MINUTE)
                    stop = min(stay.end - 5 * MINUTE, start + rng.randrange(25, 170) * MINUTE)
                    visits.append(Visit(cluster.login, cluster.diary.lab.person(id_), stay, start, stop))
    return visits


def make_visits(cluster: Cluster, visits: list[Visit]) -> None:
    """Let all logins happen, in order of time, and then what was done in them, in order of time."""
    for v in sorted(visits, key=lambda v: (v.start, v.account.id)):
        session = _enter(cluster, v)
        if v.then:
            v.then(session)
        elif v.host is cluster.login:
            _work(cluster, v.account, session)
    for _, act in sorted(cluster.acts, key=lambda a: a[0]):
        act()


def _enter(cluster: Cluster, v: Visit) -> Session:
    """Log in from a laptop: through the jump host to the login node, straight to any other."""
    lab, by, ip = cluster.diary.lab, v.stay.person, v.stay.ip
    cluster.diary.process(by, v.start - 4.6, v.command or f"ssh {v.host.name}")
    uid, key = lab.uid(v.account), lab.key(v.account)
    if v.host is cluster.login:
        log_in(cluster.jump, v.account.login, uid, key, ip, v.start - 2, v.end + 1, by, audited=False)
        ip = cluster.jump.ip
    return log_in(v.host, v.account.login, uid, key, ip, v.start, v.end, by)


def _work(cluster: Cluster, person: Person, s: Session) -> None:
    """Plan to look around, perhaps to pull, and to submit jobs."""
    rng = stream(cluster.case, "session", s.number)
    kind = cluster.kind(person.id)
    times = sorted(rng.randrange(int(s.start) + 60, int(s.end) - 90) for _ in range(6))
    for when in times[:1] + times[4:5] * (rng.random() < 0.3):
        run(s, when + 0.4, rng.choice(LOOKS), f"/home/{s.account}")
    if kind.workdirs[0] == cluster.clone and rng.random() < 0.42:
        cluster.acts.append((times[1], partial(pull, cluster, person, s, times[1])))
    for when in times[2 : 2 + rng.choice([0, 1, 1, 1, 2, 2, 3])]:
        own = Random(rng.randrange(2**40))
        cluster.acts.append((when + 20, partial(submit, cluster, person, kind, s, when + 20, own)))


def pull(cluster: Cluster, person: Person, s: Session, when: int) -> None:
    """Pull main into the shared clone; where the clone's own line was dropped from main, reset to it."""
    new = cluster.main(when)
    old = cluster.pulls[-1][1]
    clean = cluster.forge.holds(new, old)
    words = [["git", "pull"]] if clean else [["git", "fetch", "origin"], ["git", "reset", "--hard", "origin/main"]]
    for step, command in enumerate(words):
        run(s, when + 9 * step + 0.2, command, cluster.clone)
    ssh_command(cluster.forge, person, "git-upload-pack", cluster.login.ip, when + 2)
    if new != old:
        who = f"{cluster.diary.lab.signature(person)} {when + 3 + 9 * (not clean)} +0800"
        cluster.pulls.append(
            (when + 3 + 9 * (not clean), new, reflog_line(old, new, who, "pull: Fast-forward" if clean else "reset: moving to origin/main"))
        )


def submit(cluster: Cluster, person: Person, kind: Kind, s: Session, when: int, rng: Random) -> None:
    """Submit a job, or now and then an array, from a session."""
    train = rng.random() < 0.66
    nodes = rng.choice([1, 1, 1, 2, 2, 4, 4, 8] if train else [1])
    gpus = 8 * nodes if nodes > 1 else rng.choice([4, 8, 8] if train else [1, 2, 4])
    cluster.names += 1
    name = f"{kind.family}-{rng.choice(['tune', 'distil', 'sweep', 'warm'] if train else ['eval', 'probe'])}{cluster.names:03d}"
    workdir = rng.choice(kind.workdirs).format(login=person.login)
    job = Job("", 0, name, s.account, s.uid, kind.account, nodes, gpus, when, when, when, "", workdir, "", steps=train)
    job.loads = _beginning(cluster, kind, rng, when) if train or rng.random() < 0.5 else None
    job.comment = "weekly sweep" if rng.random() < 0.03 else ""
    job.framework = rng.choice(["fw-2.3"] * 5 + ["fw-2.2"])
    tasks = 4 if train and rng.random() < 0.012 else 0
    words = _command(job, kind, tasks)
    job.line = " ".join(words)
    run(s, when - 0.6, words, workdir)
    for task in range(max(1, tasks)):
        add_job(cluster, replace(job, writes=[]), kind, rng, task if tasks else -1)


def _command(job: Job, kind: Kind, tasks: int) -> list[str]:
    """Return the words of the command that submits a job."""
    words = ["sbatch", f"--job-name={job.name}", f"--nodes={job.nodes}", f"--gpus={job.gpus}"]
    words += [f"--array=0-{tasks - 1}"] * bool(tasks) + [f"--comment={job.comment}"] * bool(job.comment)
    words += [
        f"--export=ALL,FW_ENV=/share/envs/{job.framework}",
        f"jobs/{'train' if job.steps else 'eval'}.sh",
        "--config",
        f"configs/{kind.family}.yaml",
    ]
    return words + (["--init", f"s3://lab-models/{job.loads[0]}"] if job.loads else [])


def _beginning(cluster: Cluster, kind: Kind, rng: Random, when: int) -> tuple[str, str] | None:
    """Draw the checkpoint that a job begins with: a shared base (its version shows later), an earlier run's last one, or none."""
    roll = rng.random()
    if roll < 0.12:
        return None
    done = [j for j in cluster.jobs if j.account == kind.account and j.writes and j.state == "COMPLETED"]
    earlier = [j for j in done if j.end + 9 * HOUR < when < j.end + 200 * HOUR]
    if roll < 0.34 and earlier:
        return rng.choice(earlier).writes[-1][1:]
    return rng.choice(kind.bases), ""


def add_job(cluster: Cluster, job: Job, kind: Kind, rng: Random, task: int) -> None:
    """Give a job, or a task of an array, its number, times, nodes and outcome."""
    cluster.counter += 1 if task > 0 else 1 + rng.randrange(2)
    job.raw = cluster.counter
    job.id = f"{job.raw - task}_{task}" if task >= 0 else str(job.raw)
    job.state = rng.choice(["COMPLETED"] * 26 + ["FAILED"] * 2 + [f"CANCELLED by {job.uid}", "TIMEOUT"])
    length = rng.randrange(50 * MINUTE, 11 * HOUR) if job.steps else rng.randrange(8 * MINUTE, 55 * MINUTE)
    length = {"COMPLETED": length, "TIMEOUT": 12 * HOUR}.get(job.state, length // 3)
    job.start = job.submit + rng.randrange(15, 600) + 3 * max(task, 0)
    job.end = job.start + length
    again = 14 * MINUTE if rng.random() < 0.008 else 0
    job.end += again
    place(job, cluster.free)
    if again:
        job.first_try, job.start = (job.start, job.start + 11 * MINUTE), job.start + again
    _settle(cluster, kind, job)
    cluster.jobs.append(job)


def _settle(cluster: Cluster, kind: Kind, job: Job) -> None:
    """Fix, now that its times are known, which version a job loaded and what it wrote."""
    if job.loads and not job.loads[1]:
        job.loads = (job.loads[0], cluster.version(job.loads[0], job.start + 40))
    length = job.end - job.start
    steps = min(3, 1 + length // (3 * HOUR)) if job.steps and length > 30 * MINUTE else 0
    for step in range(1, steps + 1):
        when = job.start + length * step // steps - 90
        key = f"{kind.team}/runs/{job.name}-{job.id}/step_{1000 * step:06d}.pt"
        job.writes.append((when, key, version_id(key, when)))


def store_records(cluster: Cluster, trail: Trail) -> None:
    """Write what the object store recorded of all jobs."""
    for job in cluster.jobs:
        if job.state != "PENDING" and (job.loads or job.writes):
            if job.first_try:
                _begin_run(cluster, trail, job, job.first_try[0])
            who = _begin_run(cluster, trail, job, job.start)
            rng = stream(cluster.case, "sizes", job.id)
            for when, key, version in job.writes:
                put_object(trail, who, when, _address(job), key, version, size=13_476_000_000 + rng.randrange(999_999))


def _begin_run(cluster: Cluster, trail: Trail, job: Job, start: int) -> dict[str, Any]:
    """Record that a run took up its role and loaded its checkpoint; return the role session."""
    who = assume(trail, f"job-{job.id}", "slurm-job", f"slurm-{job.id}", start + 22, _address(job), by_job=True)
    if job.loads:
        rng = stream(cluster.case, "store", job.id)
        get_object(trail, who, start + 40, _address(job), *job.loads, size=13_476_331_520 + rng.randrange(9) * 4096)
    return who


def _address(job: Job) -> str:
    """Return the address of a job's first node."""
    return f"10.32.4.{job.where[0]}"


def keep_alive(hosts: list[tuple[Host, bool]], begin: int, end: int, every: int) -> None:
    """Run cron on every host, so that its logs have a cadence."""
    for host, audited in hosts:
        for when in range(begin + 17 * MINUTE, end, every):
            cron(host, when, audited)
