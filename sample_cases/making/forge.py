"""A code forge with one repository: what people do to it, and the repository, events and ssh log that this leaves behind."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from making.gitobjects import Objects, put_commit, put_tree, reflog_line
from making.people import Lab, Person
from making.presence import Diary
from making.times import stream, utc_milli, utc_time

State = dict[str, dict[str, str]]
"""A work tree: path to settings by name."""
Edit = tuple[str, str, str]
"""One change: path, name of the setting, new value."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and what it changed, so that it can be applied elsewhere."""

    sha: str
    parents: tuple[str, ...]
    author: str
    when: int
    title: str
    edits: tuple[Edit, ...]


@dataclass(slots=True)
class Branch:
    """A branch that somebody works on, and its merge request."""

    name: str
    owner: str
    base: str
    commits: list[Commit] = field(default_factory=list)
    request: int = 0
    last: int = 0


@dataclass(slots=True)
class Forge:
    """The forge's state and the records that it keeps."""

    lab: Lab
    diary: Diary
    host: str
    project: str
    number: int
    render: Any
    """Turns (path, settings) into a file's content."""
    objects: Objects = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    reflogs: dict[str, list[str]] = field(default_factory=dict)
    history: list[tuple[int, str]] = field(default_factory=list)
    """Every value that main had: (moment, commit)."""
    events: list[dict[str, Any]] = field(default_factory=list)
    shell: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 100

    def commit(
        self, parents: list[str], edits: list[Edit], author: str, when: int, title: str, committer: str = "", committed: int = 0
    ) -> Commit:
        """Make a commit on top of its first parent."""
        state = {path: dict(settings) for path, settings in self.states[parents[0]].items()} if parents else {}
        for path, name, value in edits:
            state.setdefault(path, {})[name] = value
        tree = put_tree(self.objects, {path: self.render(path, settings) for path, settings in state.items()})
        wrote, entered = f"{author} {when} +0800", f"{committer or author} {committed or when} +0800"
        sha = put_commit(self.objects, tree, parents, wrote, entered, title)
        self.states[sha] = state
        self.commits[sha] = Commit(sha, tuple(parents), author, when, title, tuple(edits))
        return self.commits[sha]

    def files(self, sha: str) -> dict[str, bytes]:
        """Return the work tree of a commit."""
        return {path: self.render(path, settings) for path, settings in self.states[sha].items()}

    def move(self, ref: str, new: str | None, when: int) -> str | None:
        """Move a branch, create it, or delete it (which takes its reflog along), and return where it was."""
        old = self.refs.get(ref)
        line = reflog_line(old, new, f"git <git@{self.host}> {when} +0000", "push")
        if new is None:
            self.refs.pop(ref, None)
            self.reflogs.pop(ref, None)
        else:
            self.refs[ref] = new
            self.reflogs.setdefault(ref, []).append(line)
        if ref == "main" and new:
            self.history.append((when, new))
        return old

    def holds(self, tip: str, sha: str) -> bool:
        """Tell whether a commit leads to another."""
        todo, seen = [tip], set()
        while todo:
            name = todo.pop()
            if name == sha:
                return True
            if name not in seen:
                seen.add(name)
                todo += self.commits[name].parents
        return False


def push(forge: Forge, login: str, ref: str, new: str, when: int, count: int, device_of: str = "", force: bool = False) -> None:
    """Push from the laptop of a person (`device_of`, else the account's own): forge, ssh log and laptop all record it."""
    person = _owner(forge, login)
    at_desk = device_of or person.id
    stay = forge.diary.at(at_desk, when)
    if stay is None:
        raise ValueError(f"{at_desk} was nowhere at {utc_time(when)}")
    words = ["git", "push", *(["--force"] if force else []), "origin", ref]
    forge.diary.process(at_desk, when - 2.3, " ".join(words))
    ssh_command(forge, person, "git-receive-pack", stay.ip, when)
    pushed(forge, login, ref, new, when, count)


def pushed(forge: Forge, login: str, ref: str, new: str | None, when: int, count: int) -> None:
    """Move a branch and record the push event, whoever or whatever caused it."""
    old = forge.move(ref, new, when)
    kind = "removed" if new is None else "pushed" if old else "created"
    title = forge.commits[new].title if new else None
    data = {"commit_count": count, "action": kind, "ref_type": "branch", "commit_from": old if kind != "created" else None}
    data |= {"commit_to": new, "ref": ref, "commit_title": title, "ref_count": None}
    action = {"removed": "deleted", "pushed": "pushed to", "created": "pushed new"}[kind]
    event(
        forge, login, action, when, {"target_id": None, "target_iid": None, "target_type": None, "target_title": None}, {"push_data": data}
    )


def event(forge: Forge, login: str, action: str, when: float, target: dict[str, Any], more: dict[str, Any] | None = None) -> None:
    """Record one event as the events API returns it; its id comes later, in order of time."""
    person = _owner(forge, login)
    number = forge.lab.forge_id(person) if person.login == login else 7
    name = person.name if person.login == login else login
    author = {"id": number, "username": login, "name": name, "state": "active", "locked": False}
    author |= {"avatar_url": None, "web_url": f"https://{forge.host}/{login}"}
    head = {"id": 0, "project_id": forge.number, "action_name": action, **target, "author_id": number, "created_at": when + 0.4}
    forge.events.append({**head, "author": author, **(more or {}), "author_username": login})


def on_request(forge: Forge, login: str, action: str, when: float, branch: Branch) -> None:
    """Record an event about a merge request."""
    title = branch.commits[0].title
    target = {"target_id": 9000 + branch.request, "target_iid": branch.request, "target_type": "MergeRequest", "target_title": title}
    event(forge, login, action, when, target)


def ssh_command(forge: Forge, person: Person, command: str, ip: str, when: float) -> None:
    """Record a git command over ssh with the person's own key."""
    account = {"gl_key_id": forge.lab.key_id(person), "user_id": f"user-{forge.lab.forge_id(person)}", "username": person.login}
    shell_line(forge, command, ip, when, account)


def shell_line(forge: Forge, command: str, ip: str, when: float, account: dict[str, Any]) -> None:
    """Record a git command over ssh in the forge's ssh log."""
    line = {
        "command": command,
        "correlation_id": _correlation(forge, when, ip),
        "git_protocol": "version=2",
        "gl_key_id": account["gl_key_id"],
    }
    line |= {"gl_key_type": "key", "gl_project_path": forge.project, "gl_repository": f"project-{forge.number}", "level": "info"}
    line |= {
        "msg": "executing git command",
        "remote_ip": ip,
        "at": when - 1,
        "user_id": account["user_id"],
        "username": account["username"],
    }
    forge.shell.append(line)


def _correlation(forge: Forge, when: float, ip: str) -> str:
    """Return a request's id, in the forge's alphabet."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    rng = stream(forge.host, ip, when, len(forge.shell))
    stamp, out = int(when * 1000), ""
    for _ in range(10):
        stamp, digit = divmod(stamp, 32)
        out = alphabet[digit] + out
    return out + "".join(rng.choice(alphabet) for _ in range(16))


def merge(forge: Forge, branch: Branch, merger: str, when: int, how: str, robot: str = "") -> list[str]:
    """Accept a merge request by `merge`, `squash` or `rebase`; return the new commits on main."""
    author = _owner(forge, branch.owner)
    person = _owner(forge, merger)
    login = robot or merger
    committer = f"{robot} <{robot}@{forge.lab.domain}>" if robot else forge.lab.signature(person)
    main = forge.refs["main"]
    new = _joined(forge, branch, main, forge.lab.signature(author), committer, when, how)
    on_request(forge, login, "accepted", when - 0.7, branch)
    pushed(forge, login, "main", new[-1], when, len(branch.commits) + (how == "merge"))
    return new


def _joined(forge: Forge, branch: Branch, main: str, author: str, committer: str, when: int, how: str) -> list[str]:
    """Make the commits by which a branch comes onto main."""
    edits = [edit for commit in branch.commits for edit in commit.edits]
    if how == "merge":
        title = f"Merge branch '{branch.name}' into 'main'"
        return [forge.commit([main, branch.commits[-1].sha], edits, committer, when, title).sha]
    if how == "squash":
        return [forge.commit([main], edits, author, branch.commits[0].when, branch.commits[0].title, committer, when).sha]
    made = []
    for step, c in enumerate(branch.commits):
        main = forge.commit([main], list(c.edits), c.author, c.when, c.title, committer, when - len(branch.commits) + step).sha
        made.append(main)
    return made


def _owner(forge: Forge, login: str) -> Person:
    """Return the person behind a login; for a robot, the first of the lab."""
    return next((p for p in forge.lab.people if p.login == login), forge.lab.people[0])


def event_records(forge: Forge, first_id: int) -> list[dict[str, Any]]:
    """Return the events as the API does: newest first, ids growing with time."""
    order = sorted(forge.events, key=lambda e: (e["created_at"], e["action_name"], e["author_username"]))
    out, number = [], first_id
    for e in order:
        number += 1 + int(hashlib.sha256(str(e["created_at"]).encode()).hexdigest()[0], 16)
        out.append({**e, "id": number, "created_at": utc_milli(e["created_at"])})
    return out[::-1]


def shell_records(forge: Forge) -> list[dict[str, Any]]:
    """Return the lines of the ssh log in order, with their time in its place."""
    order = sorted(forge.shell, key=lambda s: (s["at"], s["correlation_id"]))
    return [{("time" if k == "at" else k): (utc_time(v) if k == "at" else v) for k, v in s.items()} for s in order]
