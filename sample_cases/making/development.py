"""Everyday work on a repository: branches, pushes, reviews, merges of every kind, and honest rewriting of one's own branches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from random import Random

from making.forge import Branch, Commit, Edit, Forge, event, merge, on_request, push, pushed
from making.people import Person
from making.times import HOUR, MINUTE, days, stream

VERBS = ["Tune", "Lower", "Raise", "Revisit", "Set", "Align", "Relax", "Try another"]
Act = tuple[int, Callable[[], None]]
"""A moment, and what happens then."""


@dataclass(slots=True)
class Team:
    """Who writes, who merges, and which branches are open."""

    coders: list[str]
    mergers: list[str]
    robot: str
    closed: tuple[int, int] = (0, 0)
    """While main takes no merges, and nobody starts from it anew."""
    pace: float = 0.3
    open: list[Branch] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    """Names of branches that were used."""


def develop(forge: Forge, team: Team, case: str, first: date, last: date, story: list[Act]) -> None:
    """Live through the days: everybody's work, and the story's acts in between, in order of time."""
    acts = list(story)
    for day in days(first, last):
        for id_ in sorted({*team.coders, *team.mergers}):
            acts += _day_of(forge, team, forge.lab.person(id_), day, stream(case, "code", id_, day))
    for _, act in sorted(acts, key=lambda a: a[0]):
        act()


def _day_of(forge: Forge, team: Team, person: Person, day: date, rng: Random) -> list[Act]:
    """Plan one person's day: pushes of their own, and merges of others' work."""
    spans = [span for stay in forge.diary.on(person.id, day) for span in stay.active() if span[1] - span[0] > 20 * MINUTE]
    plan: list[Act] = []
    for _ in range(2) if spans else ():
        begin, end = rng.choice(spans)
        when = rng.randrange(begin + 10 * MINUTE, end)
        own = Random(rng.randrange(2**40))
        if person.id in team.coders and rng.random() < team.pace:
            plan.append((when, partial(work, forge, team, person, when, own)))
        if person.id in team.mergers:
            plan.append((when + 3, partial(review, forge, team, person, when + 3, own)))
    return plan


def main_at(forge: Forge, team: Team, when: int) -> str:
    """Return the commit that a new branch starts from."""
    if team.closed[0] <= when < team.closed[1]:
        return [sha for moved, sha in forge.history if moved < team.closed[0]][-1]
    return forge.refs["main"]


def some_edit(forge: Forge, sha: str, rng: Random) -> tuple[Edit, str]:
    """Draw a harmless change of one setting, and its title."""
    path = rng.choice(sorted(forge.states[sha]))
    name = rng.choice(sorted(n for n in forge.states[sha][path] if n != "body"))
    value = rng.choice([str(rng.randrange(1, 512)), f"0.{rng.randrange(1, 999):03d}"])
    return (path, name, value), f"{rng.choice(VERBS)} {name.lower().replace('_', ' ')} in {path.rsplit('/', 1)[-1]}"


def work(forge: Forge, team: Team, person: Person, when: int, rng: Random) -> None:
    """Start a branch, or go on with one."""
    own = [b for b in team.open if b.owner == person.login]
    if not own or (len(own) < 2 and rng.random() < 0.2):
        start_branch(forge, team, person, when, rng)
    elif (roll := rng.random()) < 0.62:
        add_commits(forge, person, own[0], when, rng, web=roll < 0.03)
    elif roll < 0.84:
        amend(forge, person, own[0], when)
    elif not team.closed[0] <= when < team.closed[1]:
        rebase(forge, person, own[0], when)


def start_branch(forge: Forge, team: Team, person: Person, when: int, rng: Random) -> None:
    """Commit on top of main, push that as a new branch, and ask for a merge."""
    base = main_at(forge, team, when)
    edit, title = some_edit(forge, base, rng)
    name = "-".join(title.lower().replace(".", " ").replace("_", " ").split()[:4]) + rng.choice(["", f"-{rng.randrange(10, 99)}"])
    while name in team.taken:
        name += "-b"
    branch = Branch(name, person.login, base)
    team.taken.add(name)
    _commit(forge, person, branch, edit, title, when - rng.randrange(4, 50) * MINUTE)
    for _ in range(rng.randrange(3)):
        _commit(forge, person, branch, *some_edit(forge, branch.commits[-1].sha, rng), branch.commits[-1].when + rng.randrange(40, 200))
    publish(forge, person, branch, when)
    team.open.append(branch)


def publish(forge: Forge, person: Person, branch: Branch, when: int) -> None:
    """Push a new branch and ask for its merge."""
    push(forge, person.login, branch.name, branch.commits[-1].sha, when, len(branch.commits))
    forge.requests += 1
    branch.request, branch.last = forge.requests, when
    on_request(forge, person.login, "opened", when + 74, branch)


def _commit(forge: Forge, person: Person, branch: Branch, edit: Edit, title: str, when: int, other: str = "") -> Commit:
    """Add a commit to a branch; `other` wrote what this person only applied."""
    parent = branch.commits[-1].sha if branch.commits else branch.base
    mine = forge.lab.signature(person)
    made = forge.commit([parent], [edit], other or mine, when, title, mine, when + (5 * MINUTE if other else 0))
    branch.commits.append(made)
    return made


def add_commits(forge: Forge, person: Person, branch: Branch, when: int, rng: Random, web: bool) -> None:
    """Add one or two commits to a branch: own ones, a colleague's applied patch, or one made in the browser."""
    for step in range(1 if web else rng.randrange(1, 3)):
        edit, title = some_edit(forge, branch.commits[-1].sha, rng)
        other = forge.lab.person(rng.choice(["p-006", "p-008", "p-009"])) if rng.random() < 0.06 and len(forge.lab.people) > 9 else person
        applied = forge.lab.signature(other) if other is not person else ""
        _commit(forge, person, branch, edit, title, when - (0 if web else (6 - 3 * step) * MINUTE), applied)
    if web:
        pushed(forge, person.login, branch.name, branch.commits[-1].sha, when, 1)
    else:
        push(forge, person.login, branch.name, branch.commits[-1].sha, when, step + 1)
    branch.last = when


def amend(forge: Forge, person: Person, branch: Branch, when: int) -> None:
    """Rewrite the last commit of one's own branch, and push with force."""
    last = branch.commits.pop()
    path, name, value = last.edits[0]
    edit = (path, name, value + "0" if "." in value else str(int(value) + 1) if value.isdigit() else value)
    parent = branch.commits[-1].sha if branch.commits else branch.base
    made = forge.commit([parent], [edit], last.author, last.when, last.title, forge.lab.signature(person), when - 40)
    branch.commits.append(made)
    push(forge, person.login, branch.name, made.sha, when, 1, force=True)
    branch.last = when


def rebase(forge: Forge, person: Person, branch: Branch, when: int) -> None:
    """Put one's own branch on top of main, and push with force."""
    old, branch.commits, branch.base = branch.commits, [], forge.refs["main"]
    tip, mine = branch.base, forge.lab.signature(person)
    for step, c in enumerate(old):
        branch.commits.append(forge.commit([tip], list(c.edits), c.author, c.when, c.title, mine, when - 60 + step))
        tip = branch.commits[-1].sha
    push(forge, person.login, branch.name, tip, when, len(old), force=True)
    branch.last = when


def review(forge: Forge, team: Team, person: Person, when: int, rng: Random) -> None:
    """Merge the oldest request of somebody else that has rested for an hour; sometimes only comment on it."""
    ready = [b for b in team.open if b.owner != person.login and when - b.last > HOUR]
    if not ready or team.closed[0] <= when < team.closed[1]:
        return
    branch = min(ready, key=lambda b: (b.last, b.name))
    if rng.random() < 0.25:
        on_request(forge, person.login, "commented on", when, branch)
        return
    how = rng.choice(["merge"] * 9 + ["squash"] * 6 + ["rebase"] * 5)
    on_request(forge, person.login, "approved", when, branch)
    robot = team.robot if rng.random() < 0.18 else ""
    accept(forge, branch, person.login, when + 45, how, robot, keep=rng.random() < 0.15)
    team.open.remove(branch)


def accept(forge: Forge, branch: Branch, login: str, when: int, how: str, robot: str = "", keep: bool = False) -> None:
    """Merge a request, and delete its branch unless it is kept."""
    merge(forge, branch, login, when, how, robot)
    if not keep:
        pushed(forge, robot or login, branch.name, None, when + 2, 0)


def found(forge: Forge, who: Person, when: int, files: dict[str, dict[str, str]], older: list[tuple[str, Edit]]) -> None:
    """Begin the repository with a first commit and a few older ones, from before the window."""
    edits = [(path, name, value) for path, settings in files.items() for name, value in settings.items()]
    tip = forge.commit([], edits, forge.lab.signature(who), when, "Import the training code").sha
    for step, (title, edit) in enumerate(older, 1):
        tip = forge.commit([tip], [edit], forge.lab.signature(who), when + step * 9 * HOUR, title).sha
    forge.move("main", tip, when + 100 * HOUR)


def joined(forge: Forge, login: str, when: int) -> None:
    """Record that somebody became a member of the project."""
    event(forge, login, "joined", when, {"target_id": None, "target_iid": None, "target_type": None, "target_title": None})
