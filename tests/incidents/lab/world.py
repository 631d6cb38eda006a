"""One lab: its state, what happens in it in order of time, and the helpers that plots and ordinary life use."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from making.gitobjects import reflog_line
from making.hosts import Host, Session, cron, log_in, run, sudo
from making.objectstore import Trail

from tests.incidents.lab import clock, names
from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR, MINUTE, RIGHT, midnight
from tests.incidents.lab.cluster import Cluster, Job
from tests.incidents.lab.diary import Diary, Stay, hold_meetings, live_day, window_days
from tests.incidents.lab.forge import Forge
from tests.incidents.lab.people import Person, draw_people
from tests.incidents.lab.shape import Shape, draw_shape
from tests.incidents.lab.store import Store


@dataclass(slots=True)
class Identifier:
    identifier: str
    person: str
    kind: str
    since: int | None
    until: int | None
    source: str


@dataclass(slots=True)
class Clone:
    """A shared working clone on the mount."""

    team: str
    path: str
    host: str
    moves: list[tuple[float, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Lab:
    seed: str
    shape: Shape
    domain: str
    days: list[date]
    begin: int
    end: int
    people: list[Person]
    diary: Diary
    forge: Forge
    cluster: Cluster
    store: Store
    hosts: dict[str, Host]
    host_ips: dict[str, str]
    share: str
    bastion: str
    mover: str
    service: str
    robot: str
    users_of_service: list[Person]
    clones: list[Clone]
    queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    serial: int = 0
    node_hosts: dict[str, Host] = field(default_factory=dict)
    """nodes whose audit log exists"""
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    registry: list[dict[str, Any]] = field(default_factory=list)
    images: list[tuple[float, str]] = field(default_factory=list)
    """what jobs' image name stood for: (since when, reference)"""
    checks: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: dict[str, bytes] = field(default_factory=dict)
    """collected objects: key -> content"""
    clocks: dict[str, Callable[[float], float]] = field(default_factory=dict)
    """by kind of source or host: a clock that is wrong"""
    silences: dict[str, tuple[float, float]] = field(default_factory=dict)
    """by kind of source or host: when it recorded nothing"""
    dropped: set[str] = field(default_factory=set)
    """kinds of sources or hosts that were not handed in"""
    controllers: dict[str, list[str]] = field(default_factory=dict)
    kept: bool = True
    """whether the case may say who could have edited the hosts' logs"""
    extra_identifiers: list[Identifier] = field(default_factory=list)
    forged: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """host -> texts replaced in its own log afterwards"""
    forged_span: tuple[float, float] = (0.0, 0.0)
    """within which they were replaced"""
    harmful: Callable[[Job], bool] = field(default=lambda _: False)
    taken: set[str] = field(default_factory=set)
    """people to whom a plot gave a part"""
    leaked: dict[str, tuple[float, Person, int]] = field(default_factory=dict)
    """host -> (since when, whose login id every new session inherits, and that session's number)"""
    away: set[str] = field(default_factory=set)
    """people whom ordinary life leaves alone"""

    def rng(self, *what: object) -> Random:
        return Random("/".join(str(w) for w in (self.seed, *what)))

    def at(self, when: float, act: Callable[[], None]) -> None:
        self.serial += 1
        heapq.heappush(self.queue, (when, self.serial, act))

    def live(self) -> None:
        """Let everything happen that was planned, in order of time."""
        while self.queue:
            heapq.heappop(self.queue)[2]()

    # --- days -------------------------------------------------------------------------------------------------------

    def day(self, share: float) -> date:
        """Return the working day nearest to a share of the window."""
        n = int(len(self.days) * share)
        return next(d for d in (*self.days[n:], *reversed(self.days[:n])) if d.weekday() < 5)

    def moment(self, day: date, hour: float) -> int:
        return midnight(day, self.shape.zone) + int(hour * HOUR)

    def fix(self, person: Person, day: date, *spans: tuple[str, float, float]) -> None:
        """Fix where somebody is on a day; must come before the days are lived."""
        self.diary.fixed[person.id, day] = list(spans)

    def keep_days(self) -> None:
        for day in self.days:
            live_day(self.diary, self.people, day, self.rng("day", day))
        hold_meetings(self.diary, self.people, self.days, self.rng("meetings"))

    # --- hosts ------------------------------------------------------------------------------------------------------

    def login_host(self, n: int = 0) -> str:
        return [h for h in self.hosts if h not in (self.bastion, self.mover)][n]

    def ssh(
        self, stay: Stay, host: str, start: float, end: float, account: Person | None = None, *, quiet: bool = False, audited: bool = True
    ) -> Session:
        """Log in to a host from a laptop, over the bastion where there is one."""
        who = account or stay.person
        if not quiet:
            target = f"{who.login}@{host}" if who is not stay.person else host
            self.diary.process(stay, start - 5.2, f"ssh {target}" if not self.bastion else f"ssh -J {self.bastion} {target}")
        key, ip = stay.kit.key if account is None else who.kit(start).key, stay.ip
        if self.bastion and host != self.bastion:
            log_in(self.hosts[self.bastion], who.login, who.uid, key, ip, start - 2, end + 1, stay.person.id, audited=False)
            ip = self.host_ips[self.bastion]
        return log_in(self.hosts[host], who.login, who.uid, key, ip, start, end, stay.person.id, audited=not self.inherits(host, start))

    def inherits(self, host: str, start: float) -> bool:
        """Tell whether logins on a host bear somebody else's login id by then."""
        return host in self.leaked and start >= self.leaked[host][0]

    def sudo_as_service(self, session: Session, when: float, words: list[str], exe: str) -> None:
        """Run a command as the service account; where login ids leaked, only the audit log is wrong about whose it was."""
        target, home = (self.service, self.service_uid), f"/home/{session.account}"
        if not self.inherits(session.host.name, session.start):
            sudo(session, when, target, words, home, exe)
            return
        command = " ".join([exe, *words[1:]])
        session.host.log(when, f"sudo:  {session.account} : TTY={session.terminal} ; PWD={home} ; USER={self.service} ; COMMAND={command}")
        session.host.log(
            when + 0.02,
            f"sudo: pam_unix(sudo:session): session opened for user {self.service}(uid={self.service_uid}) by {session.account}(uid={session.uid})",
        )
        _, admin, number = self.leaked[session.host.name]
        run(replace(session, account=admin.login, uid=admin.uid, number=number), when + 0.05, words, home, exe, target)

    @property
    def service_uid(self) -> int:
        return self.people[0].uid + 5001

    # --- the forge --------------------------------------------------------------------------------------------------

    def seen_ip(self, stay: Stay) -> str:
        """Return the address under which inner systems see a laptop."""
        return self.diary.egress if self.shape.nat and stay.where == "office" else stay.ip

    def push(self, stay: Stay, person: Person, ref: str, new: str | None, when: float, **more: Any) -> forges.Push:
        """Push from a laptop: the forge and the laptop's agent record it."""
        words = (
            "git push --force-with-lease origin"
            if more.get("force")
            else self.rng("cmd", when).choice(("git push origin", "git push -u origin", "git -C ~/src push origin"))
        )
        self.diary.process(stay, when - 2.1, f"{words} {ref}")
        return forges.push(self.forge, stay, person, ref, new, when, ip=more.pop("ip", "") or self.seen_ip(stay), **more)

    def pull(self, clone: Clone, person: Person, session: Session | None, when: float) -> None:
        """Bring a shared clone to where the forge's branch stands."""
        new, old = self.forge.head(when), clone.moves[-1][1]
        fast = self.forge.contains(new, old)
        if session is not None:
            for n, words in enumerate(
                [["git", "pull", "--ff-only"]]
                if fast
                else [["git", "fetch", "origin"], ["git", "reset", "--hard", f"origin/{self.forge.branch}"]]
            ):
                run(session, when + 4 * n + 0.3, words, clone.path)
        self.forge.fetches.append({"time": when + 1, "person": person, "ip": self.host_ips[clone.host]})
        if new != old:
            local = int(self.clocks.get(clone.host, RIGHT)(when + 2))
            who = f"{forges.signature(person)} {local} {clock.sign(local, self.shape.zone, '')}"
            clone.moves.append(
                (
                    when + 2,
                    new,
                    reflog_line(old, new, who, "pull --ff-only: Fast-forward" if fast else f"reset: moving to origin/{self.forge.branch}"),
                )
            )

    def clone_head(self, clone: Clone, when: float) -> str:
        return [sha for t, sha, _ in clone.moves if t <= when][-1]


def build(seed: int, klass: str, variant: str, needs: dict[str, Any]) -> Lab:
    """Draw a lab."""
    name = f"{seed}/{klass}/{variant}"
    rng = Random(f"{name}/shape")
    shape = draw_shape(rng, needs)
    domain = f"{rng.choice(names.LABS)}.example"
    days = window_days(shape.first, shape.days)
    begin, end = midnight(days[0], shape.zone), midnight(window_days(shape.first, shape.days + 1)[-1], shape.zone)
    people = draw_people(Random(f"{name}/people"), domain, shape.people, begin, end)
    a = rng.randrange(10, 120)
    diary = Diary(shape.zone, (f"10.{a}.7", f"10.{a}.192"), f"{rng.choice(names.HOME_NETS)}.{rng.randrange(2, 40)}")
    lab = Lab(name, shape, domain, days, begin, end, people, diary, _forge(rng, shape, domain), _cluster(rng, shape, a), _store(rng, shape, domain),
              {}, {}, rng.choice(names.SHARES), "", "", rng.choice(names.SERVICES), rng.choice(names.ROBOTS), [], [])  # fmt: skip
    _hosts(lab, rng, a)
    lab.users_of_service = sorted(rng.sample(people, min(len(people), rng.randrange(4, 8))), key=lambda p: p.id)
    lab.forge.found(people[0], begin - 30 * DAY, rng)
    _clones(lab, rng)
    _bases(lab, rng)
    return lab


def _forge(rng: Random, shape: Shape, domain: str) -> Forge:
    return Forge(f"{rng.choice(('code', 'src', 'forge', 'vcs'))}.{domain}", rng.choice(("research", "platform", "ml")), rng.choice(names.REPOS), rng.choice(names.BRANCHES),
                 shape.zone, rng.choice(names.PACKAGES), rng.randrange(20, 900))  # fmt: skip


def _cluster(rng: Random, shape: Shape, a: int) -> Cluster:
    return Cluster(
        shape.scheduler,
        rng.choice(names.CLUSTERS),
        rng.choice(("train", "jobs", "gpu-work")),
        rng.choice(names.NODES),
        rng.randrange(24, 70),
        f"10.{a}.64",
        next_number=rng.randrange(2000, 90000),
    )


def _store(rng: Random, shape: Shape, domain: str) -> Store:
    if shape.store == "hdfs":
        return Store("hdfs", f"nn{rng.randrange(1, 3)}.{domain}", shape.zone, None, "", auth=rng.choice(("SIMPLE", "KERBEROS")))
    bucket = f"{domain.partition('.')[0]}-{rng.choice(('artifacts', 'runs', 'weights'))}"
    trail = Trail(
        f"{rng.randrange(10**11, 10**12)}", rng.choice(("us-east-2", "eu-west-1", "ap-northeast-2", "eu-north-1")), bucket, f"oidc.{domain}"
    )
    return Store("s3", bucket, shape.zone, trail, rng.choice(("job-{id}", "{id}", "run.{id}")))


def _hosts(lab: Lab, rng: Random, a: int) -> None:
    stem, enriched = rng.choice(names.LOGINS), rng.random() < 0.5
    found = [f"{stem}{n + 1}" for n in range(lab.shape.logins)]
    lab.bastion = rng.choice(names.BASTIONS) if lab.shape.bastion else ""
    lab.mover = f"{rng.choice(names.MOVERS)}1"
    for n, host in enumerate([*found, *([lab.bastion] if lab.bastion else []), lab.mover]):
        lab.host_ips[host] = f"10.{a}.3.{20 + n}"
        lab.hosts[host] = Host(host, lab.host_ips[host], enriched=enriched, session=rng.randrange(20, 900), pid=rng.randrange(2000, 60000))


def _clones(lab: Lab, rng: Random) -> None:
    start = lab.forge.head()
    for team in sorted({p.team for p in lab.people}):
        path, host = f"{lab.share}/{team}/{lab.forge.repo}", lab.login_host(rng.randrange(lab.shape.logins))
        who = next(p for p in lab.people if p.team == team and p.since < lab.begin - 5 * DAY)
        when = lab.begin - 2 * DAY
        signed = f"{forges.signature(who)} {when} {clock.sign(when, lab.shape.zone, '')}"
        lab.clones.append(
            Clone(
                team,
                path,
                host,
                [
                    (
                        when,
                        start,
                        reflog_line(None, start, signed, f"clone: from ssh://git@{lab.forge.host}/{lab.forge.group}/{lab.forge.repo}.git"),
                    )
                ],
            )
        )


def _bases(lab: Lab, rng: Random) -> None:
    """Publish each team's base checkpoint shortly before the window, and again early in it."""
    for team in sorted({p.team for p in lab.people}):
        key = f"{team}/base/{rng.choice(names.FAMILIES)}-{rng.choice(('1b', '7b', '13b'))}.pt"
        lab.store.put(key, lab.begin + rng.randrange(600, 6000), lab.service, lab.host_ips[lab.mover])


def base_key(lab: Lab, team: str) -> str:
    return next(k for k in lab.store.versions if k.startswith(f"{team}/base/"))


def heartbeat(lab: Lab, rng: Random) -> None:
    """Let machines show that their logs were alive."""
    for name, host in lab.hosts.items():
        every = rng.choice((40, 60, 60)) * MINUTE
        for when in range(lab.begin + rng.randrange(900), lab.end, every):
            cron(host, when, audited=lab.shape.auditd)
        del name
    _strangers(lab, rng)
    every = rng.choice((30, 45, 60)) * MINUTE
    for when in range(lab.begin + rng.randrange(900), lab.end, every):
        lab.forge.fetches.append({"time": when + rng.random() * 20, "person": None, "ip": "10.9.0.7"})
    lab.store.heartbeat(lab.begin + 60, lab.end, rng.choice((30, 60)) * MINUTE)


def _strangers(lab: Lab, rng: Random) -> None:
    """Let the world knock at the hosts that it can reach."""
    door = lab.hosts[lab.bastion or lab.mover]
    for _ in range(rng.randrange(20, 120)):
        when, ip = rng.uniform(lab.begin, lab.end), f"198.51.100.{rng.randrange(2, 250)}"
        user, pid, port = (
            rng.choice(("root", "admin", "test", "ubuntu", lab.rng("knock").choice(lab.people).login)),
            door.next_pid(),
            rng.randrange(2000, 65000),
        )
        known = any(p.login == user for p in lab.people)
        door.log(when, f"sshd[{pid}]: Failed password for {'' if known else 'invalid user '}{user} from {ip} port {port} ssh2")
        door.log(
            when + 0.4,
            f"sshd[{pid}]: Connection closed by {'authenticating' if known else 'invalid'} user {user} {ip} port {port} [preauth]",
        )
