"""What an honest examination of the unstable training should say, from the story alone; no program is asked."""

from typing import Any

from making.scheduler import Job
from making.times import HOUR, midnight, utc_time
from making.unstable.lab import ACCUSED, ACTOR, CLONE, LAB, RANKER, UPGRADE
from making.unstable.story import DROPPED, EDIT_AT, EDITED, END, REPAIR_AT, SLIPPED_IN, Story

QUIET = ["clock-offset", "hidden-code", "log-gap", "record-conflict"]
"""Flags that no question of this case gives reason for."""


def job_ref(job: Job) -> str:
    """Return a job's reference."""
    return f"slurm:gpu/{job.id}"


def overwritten(story: Story) -> tuple[int, str]:
    """Return when the shared base was overwritten, and by which version."""
    return next((when, version) for when, key, version in story.versions if key == RANKER and f"{utc_time(when)}".startswith("2024-07-03"))


def objects(story: Story) -> dict[str, str]:
    """Return the object of each question."""
    named = {q: f"git:train@{story.commits[q]}" for q in ("q3", "q4", "q5")}
    return {"q1": f"s3://lab-models/{RANKER}?versionId={overwritten(story)[1]}", "q2": f"file://{EDITED}", **named}


def reached(story: Story, question: str) -> list[Job]:
    """Return the jobs that ran or loaded a change, directly or through checkpoints of such jobs."""
    jobs = [j for j in story.cluster.jobs if j.state != "PENDING"]
    hit = {j.id for j in jobs if _direct(story, question, j)}
    while True:
        bad = {(key, version) for j in jobs if j.id in hit for _, key, version in j.writes}
        more = {j.id for j in jobs if j.loads in bad} - hit
        if not more:
            return [j for j in jobs if j.id in hit]
        hit |= more


def _direct(story: Story, question: str, job: Job) -> bool:
    """Tell whether a job itself loaded or ran a change."""
    if question == "q1":
        return job.loads == (RANKER, overwritten(story)[1])
    if question == "q2":
        return job.framework == "fw-2.3" and EDIT_AT <= job.start < REPAIR_AT
    return job.workdir == CLONE and story.forge.holds(story.cluster.head(job.start), story.commits[question])


def harmed(story: Story) -> set[str]:
    """Return the ids of the runs that swing: those that the overwritten base or the edited framework reached."""
    return {j.id for q in ("q1", "q2") for j in reached(story, q)}


def impact(story: Story, question: str) -> dict[str, Any]:
    """Return what a change reached."""
    jobs = reached(story, question)
    written = [f"s3://lab-models/{key}?versionId={version}" for j in jobs for _, key, version in j.writes]
    hours = sum(j.gpus * (min(j.end, END) - j.start) for j in jobs) / 3600
    return {
        "jobs": [job_ref(j) for j in jobs],
        "jobs_possible": _possible(story, question, jobs),
        "objects": sorted(written),
        "gpu_hours": round(hours, 3),
    }


def _possible(story: Story, question: str, sure: list[Job]) -> list[str]:
    """Return jobs whose own clones are not in evidence, and which began after the commit was on main."""
    if question in ("q1", "q2"):
        return []
    ids = {j.id for j in sure}
    since = next(when for when, sha in story.forge.history if story.forge.holds(sha, story.commits[question]))
    until = DROPPED if question == "q3" else END
    return [job_ref(j) for j in story.cluster.jobs if j.id not in ids and j.workdir != CLONE and since <= j.start and j.submit < until]


def _answer(
    person: str, account: str, mechanism: list[str], flags: list[str], maybe: list[str], when: int, also: list[str]
) -> dict[str, Any]:
    """Return what is expected of one answer."""
    every = [
        "after-departure",
        "author-mismatch",
        "backdated",
        "credential-reuse",
        "impossible-overlap",
        "rewritten-history",
        "shared-address",
        "unreviewed",
    ]
    out = [f for f in sorted([*every, *QUIET]) if f not in (*flags, *maybe)]
    head = {"rung": "person", "person": person, "account": [account, *also], "mechanism": mechanism, "when": utc_time(when)}
    return {**head, "flags": flags, "flags_allowed": maybe, "not_flags": out, "candidates": [person]}


def answers(story: Story) -> dict[str, Any]:
    """Return what is expected of each answer."""
    own, shared = LAB.person(ACTOR).login, ["shared-identity", "deputy"]
    intern, author = LAB.person(ACCUSED).login, LAB.person("p-007").login
    late = ["impossible-overlap", "shared-address", "unreviewed"]
    return {
        "q1": _answer(
            ACTOR, "aws:trainops", shared, [], ["hidden-code", "shared-address", "unreviewed"], overwritten(story)[0], ["unix:trainops"]
        ),
        "q2": _answer(ACTOR, f"unix:{intern}", ["credential-misuse"], ["after-departure", "credential-reuse"], late, EDIT_AT, []),
        "q3": _answer(
            ACTOR, f"gitlab:{own}", ["own-account"], ["author-mismatch", "rewritten-history"], ["backdated", "unreviewed"], SLIPPED_IN, []
        ),
        "q4": _answer(ACCUSED, f"gitlab:{intern}", ["own-account"], [], [], _pushed(story, "q4"), []),
        "q5": _answer("p-007", f"gitlab:{author}", ["own-account", "defect"], [], [], _pushed(story, "q5"), []),
    }


def _pushed(story: Story, question: str) -> int:
    """Return when the commit's branch was pushed by its author."""
    return story.forge.commits[story.commits[question]].when + 17 * 60


def expected(story: Story) -> dict[str, Any]:
    """Return the whole of expected.json."""
    verdicts = {"s1": "supported", "s2": "supported", "s3": "contradicted", "s4": "contradicted", "s5": "supported"}
    never = {"q1": [ACCUSED], "q2": [ACCUSED], "q3": [ACCUSED], "q4": [ACTOR], "q5": ["p-004"]}
    found = {"objects": objects(story), "answers": answers(story), "statements": verdicts, "never_named": never}
    causes = [objects(story)["q1"], objects(story)["q2"]]
    gaps = {"gitlab-shell": [_silence(story)]}
    return {**found, "causes": causes, "impact": {q: impact(story, q) for q in ("q1", "q2", "q3", "q4", "q5")}, "gaps": gaps}


def _silence(story: Story) -> list[str]:
    """Return the last line before the forge's upgrade and the first after it."""
    times = sorted(line["at"] for line in story.forge.shell)
    middle = midnight(UPGRADE) + 13 * HOUR
    return [utc_time(max(t for t in times if t < middle)), utc_time(min(t for t in times if t > middle))]
