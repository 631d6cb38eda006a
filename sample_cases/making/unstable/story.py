"""What happened in the lab, in order: an ordinary summer, and five changes among its ordinary work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from making.cluster import Cluster, Visit, keep_alive, make_visits, ordinary_visits, pull, store_records
from making.development import Act, Team, accept, develop, found, publish
from making.forge import Branch, Forge, on_request, push, shell_line
from making.gitobjects import put_commit
from making.hosts import Host, Session, run, sudo, write_file
from making.objectstore import Trail, assume, put_object, version_id
from making.presence import Diary, hold_meetings, keep_diary
from making.repository import START, first_move, render
from making.scheduler import Job
from making.times import HOUR, MINUTE, days, local, moment, stream
from making.unstable.lab import (
    ACCUSED,
    ACTOR,
    CASE,
    CHAT,
    CLONE,
    HOLIDAY,
    KINDS,
    LAB,
    PLAN,
    PUBLISHED,
    RANKER,
    SERIES,
    SHARED_USER,
    TOKENS,
    UPGRADE,
    VISION,
)

END = moment("2024-07-31 00:00")
"""The moment at which the accounting was queried."""
URL = "git@git.lab.example:models/train.git"
FRAMEWORK = "/share/envs/fw-2.3/lib/python3.10/site-packages/stablelite"
EDITED = f"{FRAMEWORK}/optim/fused.py"
EDIT_AT, REPAIR_AT = moment("2024-07-05 22:13:20"), moment("2024-07-19 10:42:15")
MERGED = {"q4": moment("2024-06-13 11:02:40"), "q5": moment("2024-06-20 10:20:10")}
BACKDATED = moment("2024-06-26 16:20:41")
SLIPPED_IN, DROPPED = moment("2024-07-08 20:36:12"), moment("2024-07-10 07:52:30")


@dataclass(slots=True)
class Story:
    """Everything that there is to tell, and the changes that are asked about."""

    diary: Diary
    forge: Forge
    cluster: Cluster
    transfer: Host
    trail: Trail
    commits: dict[str, str] = field(default_factory=dict)
    """The commits asked about, by question; `lost`: one that nothing names."""
    open: dict[str, Branch] = field(default_factory=dict)
    """Branches of the story that wait for their merge, by question."""
    versions: list[tuple[int, str, str]] = field(default_factory=list)
    """What was published: (moment, key, version)."""


def tell(first: date, last: date) -> Story:
    """Let it all happen."""
    diary = keep_diary(LAB, CASE, first, last, [HOLIDAY], PLAN)
    hold_meetings(diary, first, last, SERIES)
    forge = Forge(LAB, diary, "git.lab.example", "models/train", 77, render)
    cluster = Cluster(forge, diary, CASE, Host("jump", "10.31.0.9"), Host("login-1", "10.31.0.21", enriched=True), KINDS, CLONE)
    story = Story(
        diary,
        forge,
        cluster,
        Host("xfer-1", "10.31.0.31", shift=3),
        Trail("111122223333", "ap-southeast-1", "lab-models", "oidc.lab.example"),
    )
    _write_code(story, first, last)
    _use_cluster(story, first, last)
    _finish_jobs(cluster.jobs)
    store_records(cluster, story.trail)
    _routine(story, first, last)
    return story


def _write_code(story: Story, first: date, last: date) -> None:
    """Develop the code, with the commits of the third, fourth and fifth question among the others."""
    forge = story.forge
    older = [("Shuffle within a window", ("rankkit/data/order.py", "WINDOW", "8192")), ("Keep five steps", ("jobs/train.sh", "KEEP", "5"))]
    found(forge, LAB.person("p-002"), moment("2024-05-06 10:12"), START, older)
    forge.events.clear()
    coders = [
        "p-004",
        "p-005",
        "p-006",
        "p-007",
        "p-008",
        "p-009",
        "p-010",
        "p-011",
        "p-012",
        "p-013",
        "p-014",
        "p-016",
        "p-017",
        "p-019",
        "p-020",
    ]
    team = Team(coders, ["p-002", "p-004", "p-015"], "merge-bot", (SLIPPED_IN - 5 * MINUTE, DROPPED + 9 * MINUTE))
    acts: list[Act] = [
        (moment("2024-06-12 15:08:20"), lambda: _order_by_length(story)),
        (MERGED["q4"], lambda: _merge_open(story, "q4", MERGED["q4"])),
        (moment("2024-06-19 14:31:05"), lambda: _resume_shards(story)),
        (MERGED["q5"], lambda: _merge_open(story, "q5", MERGED["q5"])),
        (SLIPPED_IN, lambda: _slip_in(story)),
        (DROPPED, lambda: _drop(story)),
    ]
    develop(forge, team, CASE, first, last, acts)
    _leave_a_stray(story)


def _branch_of_one(story: Story, id_: str, name: str, when: int, title: str, edits: list[tuple[str, str, str]]) -> Branch:
    """Commit once on top of main, push that as a branch, and ask for its merge."""
    person, forge = LAB.person(id_), story.forge
    branch = Branch(name, person.login, forge.refs["main"])
    branch.commits.append(forge.commit([branch.base], edits, LAB.signature(person), when - 17 * MINUTE, title))
    publish(forge, person, branch, when)
    return branch


def _order_by_length(story: Story) -> None:
    """Question four: the intern changes the order of the data, on his own account, and it is merged the next day."""
    body = "def order(rows, rng):\n    rows.sort(key=len)\n    return rows\n"
    when = moment("2024-06-12 15:08:20")
    edits = [("rankkit/data/order.py", "body", body)]
    branch = _branch_of_one(story, ACCUSED, "order-by-length", when, "Order rows by length to save padding", edits)
    story.commits["q4"] = branch.commits[0].sha
    story.open["q4"] = branch


def _resume_shards(story: Story) -> None:
    """Question five: an ordinary change, written by one engineer and merged by another."""
    body = "def shards(paths, rank, world):\n    return sorted(set(paths))[rank::world]\n"
    when = moment("2024-06-19 14:31:05")
    edits = [("rankkit/data/shards.py", "body", body)]
    branch = _branch_of_one(story, "p-007", "unique-shards", when, "Read each shard once after a resume", edits)
    story.commits["q5"] = branch.commits[0].sha
    story.open["q5"] = branch


def _merge_open(story: Story, question: str, when: int) -> None:
    """Let p-004 approve and merge a branch of the story."""
    login = LAB.person("p-004").login
    on_request(story.forge, login, "approved", when - 3 * MINUTE, story.open[question])
    accept(story.forge, story.open[question], login, when, "merge")


def _slip_in(story: Story) -> None:
    """Question three: a commit that bears the intern's name and an old date comes straight onto main."""
    forge = story.forge
    body = "def margin_loss(a, b):\n    gap = MARGIN - a + b\n    return (gap * gap.roll(1, 0)).clamp(min=FLOOR).mean()\n"
    edits = [("rankkit/loss/margin.py", "body", body)]
    made = forge.commit([forge.refs["main"]], edits, LAB.signature(LAB.person(ACCUSED)), BACKDATED, "Smooth the margin over neighbours")
    push(forge, LAB.person(ACTOR).login, "main", made.sha, SLIPPED_IN, 1)
    story.commits["q3"] = made.sha


def _drop(story: Story) -> None:
    """Take that commit off main again."""
    before = story.forge.commits[story.commits["q3"]].parents[0]
    push(story.forge, LAB.person(ACTOR).login, "main", before, DROPPED, 0, force=True)


def _leave_a_stray(story: Story) -> None:
    """Leave a commit that no ref, reflog or push names, as an aborted merge on the server does."""
    forge, when = story.forge, moment("2024-06-21 11:40:03")
    parent = [sha for moved, sha in forge.history if moved < when][-1]
    tree = forge.objects[parent][1].split(b"\n", 1)[0].decode().split(" ")[1]
    who = f"{LAB.signature(LAB.person('p-015'))} {when} +0800"
    story.commits["lost"] = put_commit(forge.objects, tree, [parent], who, who, "Merge attempt, never finished")


def _use_cluster(story: Story, first: date, last: date) -> None:
    """Log in, pull, submit, publish and edit."""
    cluster, forge = story.cluster, story.forge
    start = forge.history[0]
    who = f"{LAB.signature(LAB.person('p-002'))} {moment('2024-05-28 10:02:11')} +0800"
    cluster.pulls.append((start[0], start[1], first_move(start[1], who, URL)))
    for key in (RANKER, CHAT, VISION, TOKENS):
        cluster.versions[key] = [(0, version_id(key, 0))]
    visits = ordinary_visits(cluster, first, last, 0.56)
    visits = [v for v in visits if not (v.account.id == ACTOR and v.start < EDIT_AT + HOUR and v.end > EDIT_AT - HOUR)]
    visits += [_publishing(story, *row) for row in PUBLISHED] + _transfers(story, first, last)
    visits += [
        _maintenance(story),
        _edit(story),
        _repair(story),
        _fetch(story, "p-008", "2024-07-09 09:41"),
        _fetch(story, "p-006", "2024-07-10 10:58"),
    ]
    visits.append(_visit(story, cluster.login, "p-009", "2024-07-05 21:38", 78))
    make_visits(cluster, visits)


def _visit(story: Story, host: Host, id_: str, start: str, minutes: int, then: Callable[[Session], None] | None = None) -> Visit:
    """Plan a login from wherever somebody is then."""
    begin = moment(start) + stream(CASE, "second", id_, start).randrange(3, 57)
    stay = story.diary.at(id_, begin)
    if stay is None:
        raise ValueError(f"{id_} was nowhere at {start}")
    return Visit(host, LAB.person(id_), stay, begin, begin + minutes * MINUTE, then)


def _publishing(story: Story, id_: str, when: str, key: str) -> Visit:
    """Publish a checkpoint from the transfer node through the shared user, as a few people may."""
    at = moment(when)
    version = version_id(key, at)
    story.cluster.versions[key].append((at, version))
    story.versions.append((at, key, version))
    file = f"/scratch/{LAB.person(id_).login}/{key.rsplit('/', 1)[1]}"

    def act(s: Session) -> None:
        run(s, at - 5 * MINUTE, ["ls", "-l", file], f"/scratch/{s.account}")
        words = ["aws", "s3", "cp", file, f"s3://lab-models/{key}", "--profile", "publish"]
        sudo(s, at - 21, SHARED_USER, words, f"/scratch/{s.account}", "/usr/local/bin/aws")
        who = assume(story.trail, "trainops", "lab-publish", "trainops", at - 19, story.transfer.ip, by_job=False)
        put_object(story.trail, who, at, story.transfer.ip, key, version, 13_476_331_520 + at % 4096)

    return _visit(story, story.transfer, id_, f"{local(at - 16 * MINUTE):%Y-%m-%d %H:%M}", 33, act)


def _transfers(story: Story, first: date, last: date) -> list[Visit]:
    """Plan ordinary copies on the transfer node; one of them is under way while the third publication happens."""
    visits = []
    for day in days(first, last):
        rng = stream(CASE, "transfer", day)
        stays = [s for s in story.diary.stays if local(s.start).date() == day and s.where == "office" and s.person != ACTOR]
        for stay in rng.sample(stays, min(len(stays), rng.randrange(3))):
            begin, end = stay.active()[-1]
            start = rng.randrange(begin, max(begin + 1, end - 40 * MINUTE))
            visits.append(Visit(story.transfer, LAB.person(stay.person), stay, start, start + rng.randrange(9, 35) * MINUTE, _copy))
    return [*visits, _visit(story, story.transfer, "p-005", "2024-07-03 21:12", 58, _copy)]


def _copy(s: Session) -> None:
    """Copy a folder into the scratch space."""
    run(
        s,
        int(s.start) + 140.5,
        ["rsync", "-a", "--info=progress2", f"/share/home/{s.account}/out/", f"/scratch/{s.account}/out/"],
        f"/home/{s.account}",
    )


def _maintenance(story: Story) -> Visit:
    """Install the framework's release, long before the dispute."""
    release = "/share/releases/fw-2.3/optim/fused.py"
    words = ["install", "-m", "664", release, EDITED]
    return _visit(
        story, story.cluster.login, "p-003", "2024-06-05 10:58", 40, lambda s: _install(s, moment("2024-06-05 11:06:33"), words, made=True)
    )


def _repair(story: Story) -> Visit:
    """Put the released file back."""
    words = ["install", "-m", "664", "/share/releases/fw-2.3/optim/fused.py", EDITED]
    return _visit(story, story.cluster.login, "p-003", "2024-07-19 10:29", 35, lambda s: _install(s, REPAIR_AT, words, made=False))


def _install(s: Session, when: float, words: list[str], made: bool) -> None:
    """Write a file of the shared framework."""
    run(s, when - 0.03, words, "/share/releases")
    write_file(s, when + 0.02, words, "/share/releases", EDITED, made=made)


def _edit(story: Story) -> Visit:
    """Question two: somebody sits at the actor's laptop, logs in with the departed intern's key, and edits the framework."""
    intern = LAB.person(ACCUSED)
    visit = _visit(story, story.cluster.login, ACTOR, "2024-07-05 22:04", 26, _edit_file)
    visit.account, visit.command = intern, f"ssh -l {intern.login} login-1"
    return visit


def _edit_file(s: Session) -> None:
    """Look at the file, and write it anew."""
    folder = EDITED.rsplit("/", 1)[0]
    run(s, EDIT_AT - 6 * MINUTE + 0.2, ["grep", "-n", "def step", EDITED], folder)
    run(s, EDIT_AT - 4 * MINUTE + 0.6, ["vim", EDITED], folder)
    write_file(s, EDIT_AT, ["vim", EDITED], folder, EDITED, exe="/usr/bin/vim.basic")


def _fetch(story: Story, id_: str, when: str) -> Visit:
    """Bring the shared clone up to date."""
    at, cluster = moment(when), story.cluster

    def act(s: Session) -> None:
        cluster.acts.append((at + 4 * MINUTE, lambda: pull(cluster, LAB.person(id_), s, at + 4 * MINUTE)))

    return _visit(story, cluster.login, id_, when, 21, act)


def _finish_jobs(jobs: list[Job]) -> None:
    """Cut the last jobs off at the moment of the query: some run, the very last waits."""
    last = max((j for j in jobs if j.steps and j.state == "COMPLETED"), key=lambda j: j.start)
    last.end = max(last.end, END + 3 * HOUR)
    for job in jobs:
        if job.end > END:
            job.state, job.writes = "RUNNING", [w for w in job.writes if w[0] < END]
    waiting = max((j for j in jobs if not j.steps), key=lambda j: j.submit)
    waiting.state, waiting.loads, waiting.writes = "PENDING", None, []
    for n, job in enumerate(j for j in jobs if j.state.startswith("CANCELLED")):
        job.state = f"CANCELLED by {LAB.uid(LAB.person('p-018'))}" if n == 3 else job.state


def _routine(story: Story, first: date, last: date) -> None:
    """Add what machines do by themselves: cron, and the robot that fetches every two hours."""
    begin = moment(f"{first} 00:00")
    hosts = [(story.cluster.jump, False), (story.cluster.login, True), (story.transfer, True)]
    keep_alive(hosts, begin, END, 3 * HOUR)
    rng = stream(CASE, "robot")
    for when in range(begin + 900, END, 2 * HOUR):
        at = when + rng.randrange(600)
        if local(at).date() != UPGRADE or not 7 <= local(at).hour < 20:
            shell_line(story.forge, "git-upload-pack", "10.31.0.52", at, {"gl_key_id": 31, "user_id": "user-9", "username": "ci-robot"})
    for n, day in enumerate(days(first, last)):
        if n % 3 == 0:
            story.cluster.jump.log(
                moment(f"{day} 03:{rng.randrange(10, 59)}:07") + 0.4,
                f"sshd[{900 + n}]: Invalid user oracle from 192.0.2.{n + 9} port 4{n:04d}",
            )
