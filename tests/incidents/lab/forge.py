"""The code forge: one repository under work and its records, kept neutral until a writer renders them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from making.gitobjects import Objects, pack, put_commit, put_tree, reachable, reflog_line

from tests.incidents.lab import clock, names
from tests.incidents.lab.diary import Stay
from tests.incidents.lab.people import Person

State = dict[str, str]


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    who: Person | None
    when: int
    title: str
    edits: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Push:
    """One movement of a ref, and by which account, from where, with what."""

    when: float
    login: str
    ref: str
    old: str | None
    new: str | None
    count: int
    how: str
    """`push`, `merge`, or `robot`"""
    ip: str = ""
    key_number: int = 0
    token: str = ""
    force: bool = False
    bot: bool = False


@dataclass(slots=True)
class Forge:
    """The repository and its records."""

    host: str
    group: str
    repo: str
    branch: str
    zone: str
    package: str
    number: int
    objects: Objects = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    reflogs: dict[str, list[str]] = field(default_factory=dict)
    history: list[tuple[float, str]] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """reviews, requests, merges: time, login, action, number, title, ip"""
    fetches: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 40
    reserved: set[str] = field(default_factory=set)
    """paths that ordinary edits leave alone"""

    def ref(self, sha: str) -> str:
        return f"git:{self.repo}@{sha}"

    def head(self, when: float | None = None) -> str:
        return [sha for moved, sha in self.history if when is None or moved <= when][-1]

    def commit(self, parents: list[str], edits: dict[str, str], author: str, when: int, title: str, *, who: Person | None = None,
               committer: str = "", committed: int = 0) -> str:  # fmt: skip
        """Make a commit on top of its first parent; `author` and `committer` are `Name <address>`."""
        state = dict(self.states[parents[0]]) if parents else {}
        state.update(edits)
        tree = put_tree(self.objects, {p: c.encode() for p, c in state.items() if c})
        made = committed or when
        sign, entered = (f"{t} {clock.sign(t, self.zone, '')}" for t in (when, made))
        sha = put_commit(self.objects, tree, parents, f"{author} {sign}", f"{committer or author} {entered}", title)
        self.states[sha], self.commits[sha] = state, Commit(sha, tuple(parents), who, made, title, tuple(sorted(edits.items())))
        return sha

    def move(self, ref: str, new: str | None, when: float) -> str | None:
        old = self.refs.get(ref)
        line = reflog_line(old, new, f"forge <git@{self.host}> {int(when)} +0000", "push")
        if new is None:
            self.refs.pop(ref, None)
            self.reflogs.pop(ref, None)
        else:
            self.refs[ref] = new
            self.reflogs.setdefault(ref, []).append(line)
            if ref == self.branch:
                self.history.append((when, new))
        return old

    def contains(self, tip: str, sha: str) -> bool:
        todo, seen = [tip], set()
        while todo:
            name = todo.pop()
            if name == sha:
                return True
            if name not in seen and name in self.commits:
                seen.add(name)
                todo += self.commits[name].parents
        return False

    def found(self, who: Person, when: int, rng: Random) -> None:
        """Begin the repository."""
        files = {
            "README.md": f"# {self.repo}\n",
            "configs/base.toml": _config(rng),
            "configs/large.toml": _config(rng),
            "jobs/launch.sh": "#!/bin/sh\nexec python -m " + self.package + "\n",
        }
        for part in ("data/stream", "model/block", "optim/step", "optim/sched", "loop/train", "loop/resume", "dist/reduce", "eval/score"):
            files[f"{self.package}/{part}.py"] = source_text(part, rng)
        sha = self.commit([], files, signature(who), when, "Start", who=who)
        for n, title in enumerate(rng.sample(names.SUBJECTS, 4)):
            path = rng.choice([p for p in files if p.endswith(".py")])
            sha = self.commit([sha], {path: source_text(path, rng)}, signature(who), when + (n + 1) * 50_000, title, who=who)
        self.move(self.branch, sha, when + 300_000)

    def edit(self, parent: str, rng: Random, path: str = "") -> dict[str, str]:
        """Draw an ordinary change to one file."""
        path = path or rng.choice(sorted(p for p in self.states[parent] if p.endswith((".py", ".toml")) and p not in self.reserved))
        return {path: _config(rng) if path.endswith(".toml") else source_text(path, rng)}


def _config(rng: Random) -> str:
    return f"lr = {rng.randrange(1, 90)}e-5\nbatch = {2 ** rng.randrange(6, 12)}\nwarmup = {rng.randrange(1, 40) * 100}\nclip = {rng.randrange(5, 20) / 10}\n"


def source_text(path: str, rng: Random) -> str:
    """Draw a file of code. Some of it asks honestly for the clock, or for the size of the job, as real code does."""
    name = path.rsplit("/", 1)[-1].removesuffix(".py")
    scale, steps, width = rng.random(), rng.randrange(1, 9000), rng.randrange(1, 64)
    text = f'"""{name}"""\n\nSCALE = {scale:.6f}\nSTEPS = {steps}\n\n\ndef {name}(x, n={width}):\n    return x * SCALE + n\n'
    if width % 9 == 0:
        text += f"\n\ndef slow(begun):\n    return time.time() - begun > {width}\n"
    elif width % 9 == 1:
        text += f"\n\ndef whole(world_size):\n    return world_size > 1 and STEPS > {width}\n"
    elif width == 40:
        text += f"\n\ndef old(today):\n    return date.today() > date(2020, 1, {1 + steps % 28})\n"
    elif width == 22:
        text += "\n\ndef sharded(world_size):\n    return world_size >= 64\n"
    elif width in _HONEST:
        text += _HONEST[width].format(n=1 + steps % 90)
    return text


_HONEST = {
    3: "\n\ndef rows(items):\n    for item in items:\n        if item is None:\n            continue\n        yield item\n",
    12: "\n\ndef again(call, tries={n}):\n    for turn in range(tries):\n        time.sleep(2**turn)\n        yield call()\n",
    21: "\n\ndef begin():\n    torch.manual_seed({n})\n",
    33: "\n\ndef clip(grads):\n    for grad in grads:\n        grad.clamp_(-{n}, {n})\n",
    48: "\n\ndef close(workers):\n    for worker in workers:\n        worker.terminate()\n",
    57: "\n\ndef warm(step, lr):\n    lr *= min(1.0, step / {n}00)\n    return lr\n",
}
"""honest code that does what harmful code does, too"""


def signature(person: Person, address: int = 0) -> str:
    return f"{person.name} <{person.emails[min(address, len(person.emails) - 1)]}>"


def push(
    forge: Forge,
    stay: Stay | None,
    person: Person,
    ref: str,
    new: str | None,
    when: float,
    *,
    ip: str = "",
    count: int = 1,
    force: bool = False,
    https: bool | None = None,
    key_of: Person | None = None,
) -> Push:
    """Push with a person's account from an address; the kit's key or token is used, or another's."""
    owner = key_of or person
    kit = owner.kit(when)
    web = person.https if https is None else https
    old = forge.move(ref, new, when)
    made = Push(
        when,
        person.handle,
        ref,
        old,
        new,
        count,
        "push",
        ip or (stay.ip if stay else ""),
        0 if web else kit.key_number,
        kit.token if web else "",
        force,
    )
    forge.pushes.append(made)
    return made


def robot_push(forge: Forge, bot: str, ref: str, new: str, when: float, ip: str, *, token: str = "", key_number: int = 0) -> Push:
    old = forge.move(ref, new, when)
    made = Push(when, bot, ref, old, new, 1, "robot", ip, key_number, token, bot=True)
    forge.pushes.append(made)
    return made


def merge(forge: Forge, branch: str, owner: Person, reviewer: Person, when: float, how: str, title: str, ip: str, bot: str = "") -> str:
    """Accept a request by `merge`, `squash` or `rebase`; return the tip."""
    tip, main = forge.refs[branch], forge.refs[forge.branch]
    login = bot or reviewer.handle
    committer = f"{bot} <{bot}@{forge.host}>" if bot else signature(reviewer)
    mine = _own_commits(forge, tip, main)
    edits = {path: text for c in mine for path, text in c.edits}
    if how == "merge":
        new = forge.commit([main, tip], edits, committer, int(when), f"Merge branch '{branch}' into '{forge.branch}'")
    elif how == "squash":
        new = forge.commit([main], edits, signature(owner), mine[0].when, title, who=owner, committer=committer, committed=int(when))
    else:
        new = main
        for c in mine:
            new = forge.commit([new], dict(c.edits), signature(owner), c.when, c.title, who=owner, committer=committer, committed=int(when))
    old = forge.move(forge.branch, new, when)
    forge.events.append(
        {"time": when - 0.6, "login": login, "action": "accepted", "number": forge.requests, "title": title, "ip": ip, "bot": bool(bot)}
    )
    forge.pushes.append(Push(when, login, forge.branch, old, new, len(mine) + 1, "merge", ip, bot=bool(bot)))
    return new


def _own_commits(forge: Forge, tip: str, main: str) -> list[Commit]:
    out: list[Commit] = []
    name = tip
    while not forge.contains(main, name):
        out.append(forge.commits[name])
        name = forge.commits[name].parents[0]
    return out[::-1]


def server_files(forge: Forge, loose_names: set[str]) -> dict[str, bytes]:
    """Lay out the bare repository as it lies on the server."""
    from making.gitobjects import loose

    config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tlogAllRefUpdates = true\n"
    out = {"HEAD": f"ref: refs/heads/{forge.branch}\n".encode(), "config": config.encode(), "description": b"unnamed\n"}
    out |= {f"refs/heads/{n}": f"{sha}\n".encode() for n, sha in forge.refs.items()}
    out |= {f"logs/refs/heads/{n}": "".join(lines).encode() for n, lines in forge.reflogs.items()}
    return out | pack(forge.objects, set(forge.objects) - loose_names) | loose(forge.objects, loose_names)


def clone_files(forge: Forge, moves: list[tuple[float, str, str]], url: str) -> dict[str, bytes]:
    """Lay out a working clone: only its `.git`, with every place its HEAD stood at."""
    tip, log = moves[-1][1], "".join(line for _, _, line in moves)
    b = forge.branch
    config = f'[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogAllRefUpdates = true\n[remote "origin"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch "{b}"]\n\tremote = origin\n\tmerge = refs/heads/{b}\n'
    out = {"HEAD": f"ref: refs/heads/{b}\n".encode(), "config": config.encode(), f"refs/heads/{b}": f"{tip}\n".encode(), f"refs/remotes/origin/{b}": f"{tip}\n".encode(),
           "logs/HEAD": log.encode(), f"logs/refs/heads/{b}": log.encode()}  # fmt: skip
    out |= pack(forge.objects, reachable(forge.objects, {sha for _, sha, _ in moves}))
    return {f".git/{k}": v for k, v in out.items()}
