"""What the statements of a case are judged by: the outcome of the question that each is about, and what the records cover at all."""

from forensics import times
from forensics.model import Person, Statement
from forensics.reasoning import statements
from forensics.reasoning.answer import Answer
from forensics.reasoning.attended import attended
from forensics.reasoning.causes.ranking import Comparison
from forensics.reasoning.code import hides
from forensics.reasoning.effects import SHOWN, effect
from forensics.reasoning.hardware import node_behind
from forensics.reasoning.impact import Impact
from forensics.reasoning.review import handling
from forensics.reasoning.world import World


def coverage(view: World, quiet: dict[str, list[tuple[int, int]]]) -> statements.Coverage:
    """Tell which sources gave no record, of which stores and clusters there are records, and where logs of jobs are silent."""
    seen = {r["source"] for r in view.tables.rows("SELECT DISTINCT source FROM events")}
    places = view.tables.rows(
        "SELECT regexp_extract(object, '^[a-z0-9]+:(//[^/]*/|[^/]*/)') AS place, max(time) AS last FROM acts WHERE regexp_matches(object, '^(s3|hdfs|slurm|k8s|file):') AND time IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    cut = view.tables.rows("""
        SELECT r.source, count(*) AS lost, (SELECT count(*) FROM events e WHERE e.source = r.source) AS read FROM rejected r
        WHERE r.source IN (SELECT source FROM events WHERE action IN ('job.launch', 'job.start', 'job.end')) GROUP BY r.source ORDER BY r.source
    """)
    most = view.tables.rows('SELECT max(gpus) AS gpus, max(gpus * ("end" - start)) AS span FROM jobs')[0]
    hours = (most["span"] or 0) / times.HOUR
    largest = {"jobs": 1.0, "gpus": most["gpus"] or 0.0, "gpu_hours": hours, "cost": hours * (view.case.gpu_hour or 0.0)}
    return statements.Coverage(
        tuple(s.name for s in view.case.sources if s.name not in seen),
        tuple((r["place"], r["last"]) for r in places if r["place"]),
        _holes(view, quiet),
        tuple((r["source"], r["lost"], r["read"]) for r in cut),
        largest,
    )


def _holes(view: World, quiet: dict[str, list[tuple[int, int]]]) -> tuple[tuple[str, int, int], ...]:
    """Return the stretches over which logs of jobs are silent: gaps, and an end before most other sources' that is farther off than their longest pause."""
    logs = view.tables.rows("""
        WITH logs AS (SELECT DISTINCT source FROM events WHERE action IN ('job.launch', 'job.start', 'job.end')),
        told AS (SELECT source, time, time - lag(time) OVER (PARTITION BY source ORDER BY time) AS pause FROM events WHERE source IN (FROM logs) AND time IS NOT NULL)
        SELECT source, max(time) AS last, max(pause) AS pause FROM told GROUP BY source ORDER BY source
    """)
    ends = view.tables.rows(
        "SELECT max(time) AS last FROM events WHERE time IS NOT NULL AND source IS NOT NULL GROUP BY source ORDER BY last"
    )
    end = min(view.case.window[1], ends[len(ends) // 2]["last"]) if ends else 0
    found = [(r["source"], a, b) for r in logs for a, b in quiet.get(r["source"], ())]
    return (*found, *((r["source"], r["last"], end) for r in logs if r["pause"] and end - r["last"] > r["pause"]))


def judged(
    view: World,
    statement: Statement,
    answers: tuple[Answer, ...],
    impacts: tuple[Impact, ...],
    covered: statements.Coverage,
    found: Comparison,
) -> statements.Verdict:
    """Judge one statement by the outcome of the question that it is about."""
    about = next(((a, i) for a, i in zip(answers, impacts, strict=True) if a.question.id == statement.question), None)
    if about is None:
        return statements.judge(view.case, statement, None, None, None, covered)
    a, reach = about
    refs = a.dossier.act.events if a.dossier.act else a.dossier.seen[:4]
    sources = a.dossier.act.sources if a.dossier.act else ()
    raised = tuple(f.flag for f in a.flags)
    outcome = statements.Outcome(
        a.rung, a.person, a.mechanism, a.candidates, a.dossier.when, refs, sources, a.account, raised, handling(view, a.dossier), _gone(view, a),
        attended(view, a.dossier), hides(view, a.dossier) if statement.test == "defect" else (), any(effect(r) == SHOWN for r in a.dossier.code), _misnamed(view, a),
        node_behind(view, a, reach, found, statement.by) if statement.test == "defect" else None,
    )  # fmt: skip
    jobs = [*reach.jobs, *reach.jobs_possible]
    rows = view.tables.rows(
        "SELECT job, max(gpus) AS g FROM jobs WHERE list_contains($j, job) AND gpus IS NOT NULL GROUP BY job ORDER BY job", j=jobs
    )
    return statements.judge(view.case, statement, outcome, reach, statements.most_gpus({r["job"]: r["g"] for r in rows}), covered)


_OWN_THINGS = ("device:", "badge:", "okta:")


def _gone(view: World, a: Answer) -> frozenset[str]:
    """Return who had left before the act with all of his own things ended, or whose the account then was not.

    Nobody where nothing shows that somebody was there: what was set up before may run later.
    """
    act = a.dossier.act
    if act is None or not attended(view, a.dossier):
        return frozenset()
    moment = act.time[0]
    left = [p for p in view.case.people if p.employed_to is not None and p.employed_to < moment and not _had_a_part_before(view, a, p)]
    things = {p.id: [i for i in view.known.by_person.get(p.id, ()) if i.identifier.startswith(_OWN_THINGS)] for p in left}
    holders = view.known.last_holders(act.account, moment)
    return frozenset(p for p, own in things.items() if p not in holders or (own and not any(i.live(moment) for i in own)))


def _had_a_part_before(view: World, a: Answer, person: Person) -> bool:
    """Tell whether somebody may have set off, or written part of, before he left, what was done later."""
    left = person.employed_to or 0
    wrote = (r for r in (*a.dossier.given, *a.dossier.loaded) if r["time"] <= left)
    return any(o.trigger and person.id in o.people and o.trigger.time[0] <= left for o in a.dossier.origins) or any(
        person.id in view.known.last_holders(r["actor"], r["time"]) for r in wrote
    )


def _misnamed(view: World, a: Answer) -> tuple[str, ...]:
    """Return the people whom records name that a copy out of their keeper's reach contradicts."""
    rows = view.tables.rows(
        "SELECT actor, time FROM acts WHERE list_contains($e, event) ORDER BY event", e=[weak for weak, _ in a.dossier.aside]
    )
    return tuple(sorted({p for r in rows for p in view.known.holders(r["actor"], r["time"])} - {a.person}))
