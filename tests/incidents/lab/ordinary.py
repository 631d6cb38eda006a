"""What happens in a lab when nothing happens: branches, reviews, rebases, robots, logins, pulls and jobs."""

from random import Random

from making.hosts import Session, run

from tests.incidents.lab import forge as forges
from tests.incidents.lab import names
from tests.incidents.lab.clock import DAY, HOUR, MINUTE
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.diary import Stay
from tests.incidents.lab.people import Person
from tests.incidents.lab.world import Clone, Lab, base_key, heartbeat

LOOKS = (
    ["ls", "-la"],
    ["tail", "-n", "80", "run.out"],
    ["du", "-sh", "."],
    ["htop"],
    ["less", "configs/base.toml"],
    ["nvidia-smi"],
    ["vim", "notes.txt"],
)


def plan(lab: Lab) -> None:
    """Plan the ordinary life of the whole window."""
    heartbeat(lab, lab.rng("heartbeat"))
    pace = lab.rng("pace").uniform(0.25, 0.5)
    for n, stay in enumerate(sorted(lab.diary.stays, key=lambda s: (s.start, s.person.id))):
        rng = lab.rng("stay", n)
        if stay.person.id in lab.away or stay.end - stay.start < HOUR:
            continue
        if rng.random() < pace:
            _plan_code(lab, stay, rng)
        if rng.random() < 0.55:
            _plan_visit(lab, stay, rng)
    _plan_robot(lab, lab.rng("robot"))
    _plan_publishing(lab, lab.rng("publishing"))


def _busy_moment(stay: Stay, rng: Random) -> int | None:
    for _ in range(8):
        when = rng.randrange(stay.start + 12 * MINUTE, stay.end - 8 * MINUTE)
        if stay.busy(when):
            return when
    return None


# --- code -------------------------------------------------------------------------------------------------------------


def _plan_code(lab: Lab, stay: Stay, rng: Random) -> None:
    when = _busy_moment(stay, rng)
    if when is not None:
        lab.at(when, lambda: _branch(lab, stay, when, rng))


def branch_name(lab: Lab, person: Person, rng: Random) -> str:
    word = rng.choice(("warmup", "loader", "clip", "resume", "shard", "mask", "sched"))
    return rng.choice((f"{person.login}/{word}", f"{word}-{person.login[:4]}", f"wip/{word}")) + f"-{rng.randrange(1000)}"


def _branch(lab: Lab, stay: Stay, when: int, rng: Random) -> None:
    """Push a branch, perhaps amend it, and have it reviewed."""
    forge, person = lab.forge, stay.person
    name, tip, count = branch_name(lab, person, rng), forge.head(), rng.choice((1, 1, 2, 3))
    mine = forges.signature(person, 1 if len(person.emails) > 1 and rng.random() < 0.6 else 0)
    if rng.random() < 0.07:
        _in_browser(lab, stay, name, mine, when, rng)
        return
    author = mine
    if rng.random() < 0.08:  # picked from a colleague, or a patch applied: theirs is the author's name, one's own the committer's
        author = forges.signature(rng.choice(lab.people))
    for n in range(count):
        tip = forge.commit(
            [tip],
            forge.edit(tip, rng),
            author,
            when - 1500 + 300 * n,
            rng.choice(names.SUBJECTS),
            who=person,
            committer=mine,
            committed=when - 1400 + 300 * n,
        )
    lab.push(stay, person, name, tip, when, count=count)
    if rng.random() < 0.18 and stay.busy(when + 900):
        lab.at(when + 900, lambda: _amend(lab, stay, name, when + 900, rng))
    _plan_review(lab, stay, name, when, rng)


def _in_browser(lab: Lab, stay: Stay, name: str, author: str, when: int, rng: Random) -> None:
    """Edit a file on the forge's pages: the forge commits, and no git command runs anywhere."""
    forge = lab.forge
    tip = forge.head()
    tip = forge.commit(
        [tip],
        forge.edit(tip, rng),
        author,
        when - 2,
        rng.choice(names.SUBJECTS),
        who=stay.person,
        committer=f"Web Editor <noreply@{forge.host}>",
    )
    old = forge.move(name, tip, when)
    forge.pushes.append(forges.Push(when, stay.person.handle, name, old, tip, 1, "web", lab.seen_ip(stay)))
    _plan_review(lab, stay, name, when, rng)


def _amend(lab: Lab, stay: Stay, name: str, when: int, rng: Random) -> None:
    forge = lab.forge
    old = forge.commits[forge.refs[name]]
    new = forge.commit(
        [old.parents[0]],
        forge.edit(old.parents[0], rng),
        forges.signature(stay.person),
        old.when,
        old.title,
        who=stay.person,
        committed=when - 50,
    )
    lab.push(stay, stay.person, name, new, when, force=True)


def _plan_review(lab: Lab, stay: Stay, name: str, when: int, rng: Random) -> None:
    forge = lab.forge
    forge.requests += 1
    number, title = forge.requests, forge.commits[forge.refs[name]].title
    forge.events.append(
        {
            "time": when + 40,
            "login": stay.person.handle,
            "action": "opened",
            "number": number,
            "title": title,
            "ip": lab.seen_ip(stay),
            "bot": False,
        }
    )
    others = [p for p in lab.people if p is not stay.person and p.id not in lab.away]
    reviewer = rng.choice(others)
    found = lab.diary.free(reviewer, when + HOUR, when + 2 * DAY, rng)
    if found and rng.random() < 0.85:
        there, at = found
        forge.events.append(
            {
                "time": at - 60,
                "login": reviewer.handle,
                "action": "approved",
                "number": number,
                "title": title,
                "ip": lab.seen_ip(there),
                "bot": False,
            }
        )
        how, bot = rng.choice(("merge", "merge", "squash", "rebase")), lab.robot if rng.random() < 0.15 else ""
        lab.at(at, lambda: _merge(lab, name, stay.person, there, at, how, title, bot))


def _merge(lab: Lab, name: str, owner: Person, there: Stay, when: int, how: str, title: str, bot: str) -> None:
    if name in lab.forge.refs:
        forges.merge(lab.forge, name, owner, there.person, when, how, title, lab.seen_ip(there), bot)
        old = lab.forge.move(name, None, when + 3)
        lab.forge.pushes.append(
            forges.Push(when + 3, bot or there.person.handle, name, old, None, 0, "merge", lab.seen_ip(there), bot=bool(bot))
        )


def _plan_robot(lab: Lab, rng: Random) -> None:
    """Let the robot roll the configuration every few days, set off by somebody or by a schedule."""
    for day in lab.days[1::3]:
        person = rng.choice([p for p in lab.people if p.id not in lab.away])
        found = lab.diary.free(person, lab.moment(day, 8), lab.moment(day, 22), rng)
        if found:
            stay, when = found
            lab.at(when, lambda stay=stay, when=when: robot_run(lab, stay, when, lab.rng("roll", when)))


def robot_run(lab: Lab, stay: Stay | None, when: int, rng: Random, title: str = "Roll configuration") -> str:
    """Run the pipeline whose robot commits and pushes."""
    forge = lab.forge
    tip = forge.head()
    bot = f"{lab.robot} <{lab.robot}@{lab.domain}>"
    at = when + rng.randrange(25, 70)
    sha = forge.commit([tip], forge.edit(tip, rng, "configs/base.toml"), bot, at - 3, title)
    lab.pipelines.append(
        {
            "time": when,
            "id": 40_000 + len(lab.pipelines) * 7,
            "user": stay.person.handle if stay else lab.robot,
            "sha": sha,
            "ip": lab.seen_ip(stay) if stay else "",
            "status": "success",
        }
    )
    if stay:
        lab.diary.process(stay, when - 1.2, f"curl -X POST https://{forge.host}/api/trigger/roll")
    forges.robot_push(
        forge,
        lab.robot,
        forge.branch,
        sha,
        at,
        "10.9.0.7",
        key_number=299 if lab.shape.forge == "gitlab" else 0,
        token="" if lab.shape.forge == "gitlab" else "robot",
    )
    return sha


# --- publishing -------------------------------------------------------------------------------------------------------


def _plan_publishing(lab: Lab, rng: Random) -> None:
    """Let users of the service account publish releases on most days."""
    for day in lab.days[:-2]:
        person = rng.choice(lab.users_of_service)
        found = lab.diary.free(person, lab.moment(day, 8), lab.moment(day, 22), rng) if rng.random() < 0.6 else None
        if found and person.id not in lab.away:
            stay, when = found
            key = f"{person.team}/release/{rng.choice(names.FAMILIES)}-{rng.randrange(3, 60)}.pt"
            lab.at(when, lambda stay=stay, when=when, key=key: publish(lab, stay, key, when))


def publish(lab: Lab, stay: Stay, key: str, when: float) -> str:
    """Write an object as the service account, from the transfer host, out of one's own login."""
    begin = max(when - 7 * MINUTE, stay.start + 60)
    session = lab.ssh(stay, lab.mover, begin, min(when + 9 * MINUTE, stay.end - 20))
    target = lab.store.ref(key)
    words = ["aws", "s3", "cp", "model.pt", target] if lab.store.kind == "s3" else ["hdfs", "dfs", "-put", "-f", "model.pt", f"/{key}"]
    lab.sudo_as_service(session, when - 3, words, f"/usr/bin/{words[0]}")
    return lab.store.put(key, when, lab.service, lab.host_ips[lab.mover])


# --- logins and jobs --------------------------------------------------------------------------------------------------


def _plan_visit(lab: Lab, stay: Stay, rng: Random) -> None:
    begin = _busy_moment(stay, rng)
    if begin is None:
        return
    clone = next(c for c in lab.clones if c.team == stay.person.team)
    length = rng.randrange(20, 150) * MINUTE
    end = min(begin + length, stay.end - 120)
    if end - begin < 8 * MINUTE:
        return
    lab.at(begin, lambda: _visit(lab, stay, clone, begin, end, rng))


def _visit(lab: Lab, stay: Stay, clone: Clone, begin: int, end: int, rng: Random) -> None:
    session = lab.ssh(stay, clone.host, begin, end)
    for when in sorted(rng.randrange(begin + 20, end - 20) for _ in range(rng.randrange(1, 3))):
        run(session, when + 0.5, rng.choice(LOOKS), f"/home/{stay.person.login}")
    if rng.random() < 0.45:
        pulled = begin + rng.randrange(30, 200)
        lab.at(pulled, lambda: lab.pull(clone, stay.person, session, pulled))
    for _ in range(rng.choice((0, 1, 1, 2))):
        when = rng.randrange(begin + 240, max(begin + 241, end - 30))
        lab.at(when, lambda when=when: submit(lab, stay, session, clone, when, lab.rng("job", when, stay.person.id)))


def submit(lab: Lab, stay: Stay, session: Session, clone: Clone, when: int, rng: Random, **fixed: object) -> Job:
    """Hand in a job, from the login host or, on Kubernetes, mostly from the laptop."""
    cluster, person = lab.cluster, stay.person
    cluster.next_number += rng.randrange(1, 5)
    wanted = int(fixed.get("nodes", rng.choice((1, 1, 1, 2, 2, 4))))  # type: ignore[call-overload]
    length = int(fixed["hours"]) * HOUR if "hours" in fixed else rng.randrange(25, 420) * MINUTE  # type: ignore[call-overload]
    nodes, start = cluster.place(when + rng.randrange(20, 400), length, wanted, rng)
    name = f"{rng.choice(names.FAMILIES)}-{rng.choice(('pre', 'ft', 'eval', 'abl', 'long'))}-{rng.randrange(16**4):04x}"
    own = rng.random() < 0.12
    workdir = f"{lab.share}/people/{person.login}/{lab.forge.repo}" if own else clone.path
    job = Job(
        cluster.next_number,
        name,
        person,
        person.team,
        when,
        start,
        start + length,
        nodes,
        wanted * rng.choice((4, 8)),
        workdir,
        "",
        shared_clone=not own,
    )
    job.commit = lab.clone_head(clone, start) if start < lab.end else lab.clone_head(clone, when)
    job.env = f"{lab.share}/envs/{rng.choice(('stable', 'stable', 'next'))}"
    laptop = cluster.kind == "k8s" and rng.random() < 0.7
    job.ip = lab.seen_ip(stay) if laptop else lab.host_ips[clone.host]
    if job.end >= lab.end - HOUR:  # still running when the records were taken: left out
        return job
    lab.at(start, lambda: _start(lab, job, clone, rng))
    cluster.jobs.append(job)
    command = "sbatch" if cluster.kind == "slurm" else "kubectl create -f"
    if laptop:
        lab.diary.process(stay, when - 0.8, f"{command} {name}.yaml")
    else:
        run(session, when - 0.6, [*command.split(), f"{name}.sh" if cluster.kind == "slurm" else f"{name}.yaml"], workdir)
    if rng.random() < 0.03 and "hours" not in fixed and job.end - job.start > HOUR:  # its owner thinks better of it
        at = job.start + rng.randrange(900, 3000)
        job.cancelled_by, job.end = (at, f"sso:{person.emails[0]}", person.uid, job.ip), at + 1
    elif rng.random() < 0.05 and "hours" not in fixed:
        job.state, job.end = "FAILED", job.start + (job.end - job.start) // 3
    return job


def _start(lab: Lab, job: Job, clone: Clone, rng: Random) -> None:
    """Load what the job begins with, and write what it makes, at their times."""
    job.commit = lab.clone_head(clone, job.start)
    job.image = next((i for t, i in reversed(lab.images) if t <= job.start), "")
    if not job.loads and rng.random() < 0.75:
        job.loads = _choice(lab, job, rng)
    store, ip, key = lab.store, lab.cluster.node_ip(job.nodes[0]), lab.cluster.key(job)
    if job.loads:
        job.loads_version = store.current(job.loads, job.start + 30)
        store.get(job.loads, job.start + 30, job.person.login, ip, job=label(lab, job))
    for n in range(rng.choice((0, 1, 1, 2, 3))):
        when = job.start + (job.end - job.start) * (n + 1) // 4
        name = f"{job.team}/runs/{job.name}/{key}/ckpt-{(n + 1) * 500}.pt"
        lab.at(
            when,
            lambda when=when, name=name: job.writes.append((when, name, store.put(name, when, job.person.login, ip, job=label(lab, job)))),
        )


def label(lab: Lab, job: Job) -> str:
    """Return what the store's records call a job's session."""
    key = lab.cluster.key(job)
    if lab.store.kind == "hdfs":
        return key
    return lab.store.label.format(id=key) if lab.cluster.kind == "slurm" else key


def _choice(lab: Lab, job: Job, rng: Random) -> str:
    """Choose what a job begins with: the team's base, or what an earlier job of the team wrote."""
    base = base_key(lab, job.team)
    mine = [key for j in lab.cluster.jobs[-60:] if j.team == job.team for t, key, _ in j.writes if t < job.start - 60]
    if mine and rng.random() < 0.35:
        return rng.choice(mine)
    return base if any(t <= job.start for t, _ in lab.store.versions[base]) else ""
