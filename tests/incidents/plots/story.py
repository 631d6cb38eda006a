"""What a plot leaves behind: questions, statements, truth, and what the change reached."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.incidents.lab import clock
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.people import Person
from tests.incidents.lab.world import Lab
from tests.incidents.truth import Answer, Reach

EVERY_HARM = ("swing", "drift", "stall", "slow")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a class of incident happens. A twin lacks what would decide, so that abstaining is right."""

    twin: bool = False
    needs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plot:
    number: int
    name: str
    variants: dict[str, Variant]
    plant: Callable[["Story"], None]


@dataclass(slots=True)
class Cause:
    """A harmful change: how to tell whether a job ran it, and how it is written as a cause."""

    question: str
    object: Callable[[], str]
    equivalents: Callable[[], list[str]]
    direct: Callable[[Job], bool]
    recorded: Callable[[Job], bool]
    spreads: bool = True
    blamed: bool = True
    """whether it harms the runs that it reaches; else only its reach is told"""
    sources: Callable[[], list[str]] = field(default=list)
    """objects of the store that bear it"""


@dataclass(slots=True)
class Story:
    """One case in the making."""

    lab: Lab
    rng: Random
    variant: str
    twin: bool
    title: str = "Training went wrong"
    later: list[Callable[[], None]] = field(default_factory=list)
    """what is planned once people's days are known"""
    endings: list[Callable[[], None]] = field(default_factory=list)
    """what is written down once everything has happened"""
    questions: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    when: dict[str, float] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    cause_none: bool = False
    clocks: dict[str, float] = field(default_factory=dict)
    """kind of source or host -> seconds ahead"""
    gaps: dict[str, tuple[float, float]] = field(default_factory=dict)
    yardsticks: dict[str, dict[str, str | None]] = field(default_factory=dict)
    reaches: dict[str, Reach] = field(default_factory=dict)
    harm: dict[int, str] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)
    symptoms: bool = True
    """whether harmed runs are named in the case"""
    fragile: Callable[[Job], bool] = field(default=lambda _: True)
    """which of the jobs that ran the change are harmed by it"""

    def plan(self, act: Callable[[], None]) -> None:
        self.later.append(act)

    def tell(self, act: Callable[[], None]) -> None:
        self.endings.append(act)

    def ask(self, object_: str, when: float | None, answer: Answer, *, at: bool = False, about: str = "") -> str:
        """Ask a question and note its truth."""
        q = f"q{len(self.questions) + 1}"
        row: dict[str, Any] = {"id": q, "object": object_}
        if at and when is not None:
            row["at"] = f"@{clock.iso(int(when) // 60 * 60, self.lab.shape.zone)}"
        if about:
            row["about"] = about
        self.questions.append(row)
        self.answers[q] = answer
        if when is not None:
            self.when[q] = when
        return q

    def say(self, by: str, words: str, test: str, question: str, verdict: str, **more: Any) -> None:
        s = f"s{len(self.statements) + 1}"
        self.statements.append({"id": s, "by": by, "text": words, "test": test, "question": question, **more})
        self.verdicts[s] = verdict

    def everyone(self, when: float) -> list[str]:
        """Return everybody who could have acted then."""
        return sorted(p.id for p in self.lab.people if p.employed(when) or (p.disabled and when < p.disabled and p.since <= when))

    def others(self, *but: Person, when: float = 0) -> list[Person]:
        return [p for p in self.lab.people if p not in but and p.id not in self.lab.taken and p.until is None and p.since < self.lab.begin]

    def pick(self, *but: Person, role: str = "") -> Person:
        """Draw somebody who is there for the whole window, whom no plot uses yet."""
        found = [p for p in self.others(*but) if p.gear[-1].since < self.lab.begin and (not role or p.role == role)]
        chosen = self.rng.choice(found or self.others(*but))
        self.lab.taken.add(chosen.id)
        return chosen


# --- what the changes reached -----------------------------------------------------------------------------------------


def settle(story: Story) -> None:
    """Work out what each change reached, which runs it harmed, and which runs are shown as bad and good."""
    lab, rng = story.lab, story.rng
    touched: set[int] = set()
    for cause in story.causes:
        reach, sure, maybe = _reach(lab, cause)
        if cause.question:
            story.reaches[cause.question] = reach
        if not cause.blamed:
            continue
        touched |= {j.number for j in (*sure, *maybe)}
        kind = rng.choice(EVERY_HARM)
        for job in (*sure, *maybe):
            if story.fragile(job) and not job.cancelled_by and job.state == "COMPLETED":
                story.harm[job.number] = kind
    if story.symptoms and story.harm:
        jobs = [j for j in lab.cluster.jobs if j.state == "COMPLETED" and not j.cancelled_by]
        bad = [j for j in jobs if j.number in story.harm]
        good = [j for j in jobs if j.number not in touched and j.number not in story.harm]
        story.bad = sorted(lab.cluster.ref(j) for j in rng.sample(bad, min(len(bad), rng.randrange(10, 26))))
        story.good = sorted(lab.cluster.ref(j) for j in rng.sample(good, min(len(good), rng.randrange(14, 32))))


def _reach(lab: Lab, cause: Cause) -> tuple[Reach, list[Job], list[Job]]:
    sure: dict[int, Job] = {}
    maybe: dict[int, Job] = {}
    tainted_sure, tainted_maybe = set(cause.sources()), set(cause.sources())
    objects: dict[str, None] = {}
    possible: dict[str, None] = {}
    for job in sorted(lab.cluster.jobs, key=lambda j: j.start):
        loaded = lab.store.ref(job.loads, job.loads_version if lab.store.kind == "s3" else "") if job.loads else ""
        by_load = cause.spreads and loaded in tainted_sure
        if (cause.direct(job) and cause.recorded(job)) or by_load:
            sure[job.number] = job
        elif cause.direct(job) or (cause.spreads and loaded in tainted_maybe):
            maybe[job.number] = job
        else:
            continue
        written = [lab.store.ref(key, v if lab.store.kind == "s3" else "") for _, key, v in job.writes]
        tainted_maybe.update(written)
        if job.number in sure:
            tainted_sure.update(written)
            objects.update(dict.fromkeys(written))
        else:
            possible.update(dict.fromkeys(written))
    jobs, more = [lab.cluster.ref(j) for j in sure.values()], [lab.cluster.ref(j) for j in maybe.values()]
    hours = sum(j.gpu_hours for j in sure.values())
    reach = Reach(
        jobs,
        more,
        list(objects),
        [o for o in possible if o not in objects],
        round(hours, 3),
        round(hours + sum(j.gpu_hours for j in maybe.values()), 3),
    )
    return reach, list(sure.values()), list(maybe.values())
