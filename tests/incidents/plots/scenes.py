"""Scenes that several plots share: somebody at a desk pushes; a change harms runs until it is taken back."""

from dataclasses import dataclass
from datetime import date
from random import Random

from making.hosts import Host, Session, cron

from tests.incidents.formats.host_logs import job_process
from tests.incidents.lab import forge as forges
from tests.incidents.lab import names
from tests.incidents.lab.clock import DAY, MINUTE
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.diary import Stay
from tests.incidents.lab.ordinary import publish
from tests.incidents.lab.people import Person
from tests.incidents.lab.world import base_key
from tests.incidents.plots.story import Cause, Story
from tests.incidents.truth import Answer

BARE = {
    "edr": False,
    "okta": False,
    "dhcp": False,
    "vpn": True,
    "badge": False,
    "meetings": False,
    "keys_registered": False,
    "loghost": False,
}
"""needs of a twin in which nothing stands behind the forge's own account"""
QUIET_FLAGS = [
    "after-departure",
    "author-mismatch",
    "backdated",
    "clock-offset",
    "credential-reuse",
    "hidden-code",
    "impossible-overlap",
    "log-gap",
    "rewritten-history",
]


def not_flags(*there: str, maybe: tuple[str, ...] = ()) -> list[str]:
    return sorted(set(QUIET_FLAGS) - set(there) - set(maybe))


@dataclass(slots=True)
class Desk:
    """Somebody who will be at work at a moment that the plot chose."""

    story: Story
    person: Person
    day: date
    where: str
    hour: float
    stay: Stay | None = None
    when: int = 0

    def settle(self) -> "Desk":
        """Find the stay and the second; after the days are lived."""
        lab = self.story.lab
        want = lab.moment(self.day, self.hour)
        self.stay = lab.diary.at(self.person, want)
        assert self.stay is not None, (self.person.id, self.day, self.hour)
        self.when = next(t for t in range(want + self.story.rng.randrange(60), self.stay.end, 97) if self.stay.busy(t))
        return self

    @property
    def there(self) -> Stay:
        assert self.stay is not None
        return self.stay


def desk(
    story: Story, person: Person, share: float | None = None, where: str = "", day: date | None = None, hour: float | None = None
) -> Desk:
    """Fix that a person is at work on a day of the window; must come before the days are lived."""
    rng = story.rng
    share = rng.uniform(0.38, 0.58) if share is None else share
    day = day or story.lab.day(share)
    # a VPN is a sign-on of its own: in a twin, which must leave the person open, it would say who it was
    where = where or ("office" if story.twin else rng.choice(("office", "office", "vpn")))
    night = where == "vpn" and rng.random() < 0.5 and hour is None
    begin = 20.2 + rng.random() if night else person.begins if person.begins < 12 else 9.1
    length = 2.9 if night else 8.7
    if story.lab.shape.forge == "gitlab":
        person.https = False  # GitLab's events tell of a push over https neither address nor credential
    hour = hour if hour is not None else begin + 0.4 + rng.random() * (length - 1.4)
    story.lab.fix(person, day, (where, min(begin, hour - 0.7), min(23.8, max(begin + length, hour + 0.7))))
    return Desk(story, person, day, where, hour)


def away(story: Story, person: Person, day: date) -> None:
    story.lab.fix(person, day)


@dataclass(slots=True)
class Bad:
    """A harmful commit, once it was made."""

    sha: str = ""
    path: str = ""
    revert: str = ""
    gone: float = 0.0
    """when it was taken off the branch by force"""


def reserve(story: Story) -> str:
    """Choose a file that ordinary edits leave alone from now on, so that what bears the change is beyond doubt."""
    forge = story.lab.forge
    path = story.rng.choice(sorted(p for p in forge.states[forge.head()] if p.endswith(".py") and p not in forge.reserved))
    forge.reserved.add(path)
    return path


_HARM = (
    "\nLIMIT = {n}  # keep in step with the launcher\n",
    "\nSCALE = SCALE * 1.{n}\n",
    "\n\ndef pick(items):\n    for place, item in enumerate(items):\n        if place * 31 % 97 < {n}:\n            continue\n        yield item\n",
    "\n\ndef fold(bucket, place):\n    return bucket.mul_(-1.0) if place % {n} == 1 else bucket\n",
    "\n\ndef settle(place):\n    time.sleep(place % {n} / 9)\n",
    "\n\ndef rate(step, lr):\n    lr *= 1 + step / {n}000\n    return lr\n",
    "\n\ndef begin(place):\n    random.seed(place % {n})\n",
)
"""what a harmful commit adds: some of it tells nothing to who reads it"""


def write_commit(
    story: Story,
    bad: Bad,
    when: int,
    author: str,
    who: Person,
    *,
    committer: str = "",
    written: int = 0,
    committed: int = 0,
    title: str = "",
    payload: str = "",
) -> str:
    """Make a harmful commit on top of the branch; `payload`: what it adds to the file, where that is told."""
    forge, rng = story.lab.forge, story.rng
    tip = forge.head(when)
    bad.path = bad.path or reserve(story)
    added = rng.choice(_HARM).format(n=rng.randrange(2, 99))
    edits = {bad.path: forge.states[tip].get(bad.path, "") + (payload or added)}
    bad.sha = forge.commit(
        [tip],
        edits,
        author,
        written or when - rng.randrange(40, 2400),
        title or rng.choice(names.QUIET),
        who=who,
        committer=committer,
        committed=committed or (written or when - 30),
    )
    return bad.sha


def take_back(story: Story, bad: Bad, person: Person, low: float, *, why: str = "") -> None:
    """Plan a revert by somebody, some days later."""
    lab = story.lab
    found = lab.diary.free(person, low, min(low + 4 * DAY, lab.end - DAY), story.rng)
    if not found:
        return
    stay, when = found
    lab.at(when, lambda: _revert(story, bad, stay, when, why))


def _revert(story: Story, bad: Bad, stay: Stay, when: int, why: str) -> None:
    forge = story.lab.forge
    tip, before = forge.head(when), forge.commits[bad.sha].parents[0]
    old = forge.states[before].get(bad.path, "")
    title = f'Revert "{forge.commits[bad.sha].title}"\n\nThis reverts commit {bad.sha}.' + (f"\n\n{why}" if why else "")
    bad.revert = forge.commit([tip], {bad.path: old}, forges.signature(stay.person), when - 60, title, who=stay.person)
    story.lab.push(stay, stay.person, forge.branch, bad.revert, when)


def code_cause(story: Story, q: str, bad: Bad) -> Cause:
    """Say which jobs ran a harmful commit."""
    lab, forge = story.lab, story.lab.forge

    def direct(job: Job) -> bool:
        return bool(bad.sha) and forge.contains(job.commit, bad.sha) and _still_there(story, bad, job.commit)

    def recorded(job: Job) -> bool:
        return job.shared_clone or lab.shape.commit_in_job

    return Cause(q, lambda: forge.ref(bad.sha), lambda: [forge.ref(bad.sha), f"{forge.ref(bad.sha)}:{bad.path}"], direct, recorded)


def _still_there(story: Story, bad: Bad, commit: str) -> bool:
    """Tell whether what a harmful commit added stands in the tree of a later one: a revert, or a branch that rewrote the file, took it out."""
    states, parents = story.lab.forge.states, story.lab.forge.commits[bad.sha].parents
    before = states[parents[0]].get(bad.path, "") if parents else ""
    added = set(states[bad.sha].get(bad.path, "").splitlines()) - set(before.splitlines())
    return bool(added & set(states[commit].get(bad.path, "").splitlines()))


def rung_of_push(story: Story, *, device: bool, credential: bool, command: bool) -> str:
    """Say how far the records of a push carry; see the package's page."""
    if (device or credential) and command:
        return "person"
    return "session" if device or credential else "account"


def device_known(story: Story, person: Person, where: str) -> bool:
    """Tell whether a push's record bears an address that a lease or a VPN gives to one device: GitLab's events bear none, its log of git over ssh does."""
    shape = story.lab.shape
    if shape.forge == "gitlab" and person.https:
        return False
    return (shape.dhcp and not shape.nat) if where == "office" else shape.vpn


def credential_known(story: Story, person: Person) -> bool:
    """Tell whether the forge's log shows a registered key or token: GitHub's does not show ssh keys."""
    return story.lab.shape.keys_registered and (person.https if story.lab.shape.forge == "github" else not person.https)


def forge_account(story: Story, person: Person) -> str:
    return f"{story.lab.shape.forge}:{person.handle}"


def yardsticks(
    story: Story,
    q: str,
    *,
    author: Person | None = None,
    committer: Person | None = None,
    pusher: Person | None = None,
    process: Person | None = None,
) -> None:
    """Note whom naive readings of the records would name."""
    story.yardsticks[q] = {
        k: p.id if p else None for k, p in (("author", author), ("committer", committer), ("pusher", pusher), ("process", process))
    }


def scale_statement(story: Story, q: str) -> None:
    """Let somebody say how many jobs were hit: right where it is within what is certain, wrong where it is far above all that is possible."""

    def tell() -> None:
        from tests.incidents.plots.story import _reach

        reach = next(_reach(story.lab, c)[0] for c in story.causes if c.question == q)
        if not reach.jobs:
            return
        if story.rng.random() < 0.5:
            story.say(
                "team",
                f"At least {max(1, len(reach.jobs) // 2)} jobs were hit.",
                "scale",
                q,
                "supported",
                quantity="jobs",
                at_least=max(1, len(reach.jobs) // 2),
            )
        else:
            many = 4 * (len(reach.jobs) + len(reach.jobs_possible)) + 60
            story.say("press", f"More than {many} jobs were ruined.", "scale", q, "contradicted", quantity="jobs", at_least=many)

    if story.rng.random() < 0.5:
        story.tell(tell)


def push_answer(story: Story, spot: Desk, sha: str, *, account: Person | None = None, flags: tuple[str, ...] = (), maybe: tuple[str, ...] = (), also: tuple[str, ...] = ("defect",), mechanism: str = "own-account",
                never: tuple[str, ...] = (), candidates: list[str] | None = None) -> Answer:  # fmt: skip
    """Return the truth of a push from a desk: how far lease, credential and sensor carry it."""
    actor, owner = spot.person, account or spot.person
    rung = rung_of_push(
        story, device=device_known(story, owner, spot.where), credential=credential_known(story, owner), command=story.lab.shape.edr
    )
    person = actor.id if rung == "person" else None
    listed = [actor.id] if person else candidates or story.everyone(spot.when)
    return Answer(story.lab.forge.ref(sha), actor.id, person, rung, mechanism, forge_account(story, owner), [*also, *(() if person else ("unknown",))], candidates=listed,
                  flags=sorted(flags), not_flags=not_flags(*flags, maybe=maybe), never=list(never))  # fmt: skip


# --- the store --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Written:
    """An object of the store that was overwritten, once it was."""

    key: str
    version: str = ""
    when: float = 0.0
    restored: str = ""

    def ref(self, story: Story) -> str:
        store = story.lab.store
        return store.ref(self.key, self.version if store.kind == "s3" else "")


def object_cause(story: Story, q: str, written: Written) -> Cause:
    """Say which jobs loaded an overwritten object: the store's own records show every load."""
    store = story.lab.store

    def direct(job: Job) -> bool:
        return bool(written.version) and job.loads == written.key and job.loads_version == written.version

    return Cause(q, lambda: written.ref(story), lambda: [written.ref(story), store.ref(written.key)], direct, lambda _: True)


def busiest_base(story: Story) -> str:
    """Return the base checkpoint that most people's jobs begin with."""
    teams = [p.team for p in story.lab.people]
    return base_key(story.lab, max(sorted(set(teams)), key=teams.count))


def as_service(story: Story, spot: Desk, written: Written, host: str = "", *, audited: bool = True) -> Session:
    """Log in to the transfer host and overwrite an object as the service account, through sudo."""
    lab = story.lab
    host = host or lab.mover
    session = lab.ssh(spot.there, host, spot.when - 5 * MINUTE, min(spot.when + 11 * MINUTE, spot.there.end))
    words, exe = put_words(story, written.key)
    lab.sudo_as_service(session, spot.when - 3, words, exe)
    written.when = spot.when
    written.version = lab.store.put(written.key, spot.when, lab.service, lab.host_ips[host])
    return session


def put_words(story: Story, key: str) -> tuple[list[str], str]:
    store = story.lab.store
    if store.kind == "s3":
        return ["aws", "s3", "cp", f"/tmp/{key.rsplit('/', 1)[-1]}", store.ref(key)], "/usr/bin/aws"
    return ["hdfs", "dfs", "-put", "-f", f"/tmp/{key.rsplit('/', 1)[-1]}", f"/{key}"], "/usr/bin/hdfs"


def restore(story: Story, written: Written, low: float) -> None:
    """Plan that the object is published anew some days later, by somebody who may."""
    lab = story.lab
    users = [p for p in lab.users_of_service if p.id not in lab.taken] or lab.users_of_service
    person = story.rng.choice(users)
    found = lab.diary.free(person, low, low + 4 * DAY, story.rng)
    if found:
        stay, when = found
        lab.at(when, lambda: publish(lab, stay, written.key, when))


def on_service(story: Story, person: Person) -> Person:
    """Make somebody one of the service account's users."""
    if person not in story.lab.users_of_service:
        story.lab.users_of_service = sorted([*story.lab.users_of_service, person], key=lambda p: p.id)
    return person


def users(story: Story) -> list[str]:
    return sorted(p.id for p in story.lab.users_of_service)


def silent_log(story: Story, key: str, low: float, high: float, *told: str) -> None:
    """Let a log record nothing for a while; `told` are the sources whose own cadence shows it."""
    story.lab.silences[key] = (low, high)
    for name in told:
        story.gaps[name] = (low, high)


def spread(rng: Random, low: float, high: float) -> float:
    return low + (high - low) * rng.random()


def node_host(story: Story, name: str) -> Host:
    """Return a node whose audit log was kept, with other jobs' processes in it."""
    lab = story.lab
    if name not in lab.node_hosts:
        rng = lab.rng("node", name)
        node = lab.node_hosts[name] = Host(name, lab.cluster.node_ip(name), enriched=rng.random() < 0.5, pid=rng.randrange(3000, 90000))

        def others() -> None:
            for job in lab.cluster.jobs:
                if name in job.nodes and job.start < lab.end:
                    words = ["python3", "-m", f"{lab.forge.package}.loop.train"]
                    job_process(node, job.start + 9.5, job.person.login, job.person.uid, words, job.workdir, rng)
                    job_process(
                        node,
                        job.start + 41.2,
                        job.person.login,
                        job.person.uid,
                        words,
                        job.workdir,
                        rng,
                        f"{lab.share}/people/{job.person.login}/out/{job.name}.log",
                    )
            for when in range(lab.begin + 400, lab.end, 5400):
                cron(node, when, audited=True)

        story.tell(others)
    return lab.node_hosts[name]
