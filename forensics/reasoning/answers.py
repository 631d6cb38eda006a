"""Reason about every question, in order: the act, its hypotheses, the evidence, the rung; then reach, flags and statements."""

from dataclasses import dataclass, field, replace
from math import exp, log

from forensics.indicator import Hypothesis, Item, indicators
from forensics.model import CaseConfig, Mechanism, Question, Rung, Statement
from forensics.patterns.matching import Matching, unmatched
from forensics.reasoning import ladder as rungs
from forensics.reasoning import statements
from forensics.reasoning.attended import attended
from forensics.reasoning.causes import Cause, Comparison, asked, compare
from forensics.reasoning.code import Code, code_of
from forensics.reasoning.controls import controls
from forensics.reasoning.controls.control import Control
from forensics.reasoning.dossier import Dossier, gather
from forensics.reasoning.effects import SHOWN, effect
from forensics.reasoning.flags import Flag, flags, overlap
from forensics.reasoning.gaps import gaps, silences
from forensics.reasoning.hypotheses import NOT_EVALUATED, behind, hypotheses, with_forgers
from forensics.reasoning.impact import Impact, impact
from forensics.reasoning.lineage import Lineage, lineage
from forensics.reasoning.missing import missing
from forensics.reasoning.opportunity import opportunity
from forensics.reasoning.planted import planted_items, several_writes
from forensics.reasoning.policy import Policy
from forensics.reasoning.review import handling
from forensics.reasoning.weighing import Ratio, Weighed, item_log, leader, ratio, total, weigh
from forensics.reasoning.world import Blobs, World, no_blobs, world
from forensics.tables import Tables


@dataclass(frozen=True, slots=True)
class Argued:
    """An item, and what it contributes to the leading hypothesis against the best-supported alternative."""

    weighed: Weighed
    lr: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """What one comparison of hypotheses rests on, so that its arithmetic can be done again from the findings alone."""

    leading: Hypothesis
    weighed: tuple[Weighed, ...]
    compared: tuple[tuple[Hypothesis, Ratio], ...]
    nearest: Hypothesis | None
    """the alternative that each item's own ratio is against"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question."""

    question: Question
    dossier: Dossier
    rung: Rung
    person: str | None
    account: str | None
    mechanism: Mechanism
    support: str
    candidates: tuple[str, ...]
    alternatives: tuple[tuple[Hypothesis, Ratio], ...] = ()
    argued: tuple[Argued, ...] = ()
    ladder: tuple[rungs.Step, ...] = ()
    missing: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    on_behalf: str | None = None
    not_evaluated: tuple[str, ...] = NOT_EVALUATED
    weighings: tuple[Weighing, ...] = ()
    """the items of `argued`, in their order, shared out to the comparisons that they were weighed in"""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """All that was concluded; telling adds nothing to it."""

    answers: tuple[Answer, ...]
    statements: tuple[statements.Verdict, ...]
    impacts: tuple[Impact, ...]
    gaps: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    comparison: Comparison = field(default_factory=Comparison)
    codes: tuple[Code, ...] = ()
    """what each answer's change does in program text, by rules"""
    lineages: tuple[Lineage, ...] = ()
    """what is new in each answer's checkpoint against those of its run"""
    controls: tuple[tuple[Control, ...], ...] = ()
    """what would have stopped each answer's change, or shown its author"""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Return what the comparison of harmed with healthy runs tells."""
        return self.comparison.causes


def reason(tables: Tables, case: CaseConfig, policy: Policy, blobs: Blobs = no_blobs, matching: Matching = unmatched) -> Reasoned:
    """Answer every question of a case, or where it has none, who made each of the likeliest causes. Pure: the same tables, policy and contents of files give the same answers."""
    view = world(tables, case, policy, blobs, matching)
    logs = [s for s in case.sources if s.kind not in ("git", "metrics")]
    quiet = gaps({s.name: silences(tables, s.name, case.timezone, policy) for s in logs}, {s.name: s.host for s in logs}, policy)
    found = compare(view)
    answers = tuple(answer(view, q, quiet) for q in case.questions or asked(found.causes))
    impacts = tuple(impact(view, a.dossier) for a in answers)
    covered = _coverage(view, quiet)
    verdicts = tuple(_judged(view, s, answers, impacts, covered) for s in case.statements)
    codes = tuple(code_of(view, a.dossier) for a in answers)
    lineages = tuple(lineage(view, a.dossier) for a in answers)
    checks = tuple(controls(view, *parts) for parts in zip((a.dossier for a in answers), impacts, codes, strict=True))
    return Reasoned(answers, verdicts, impacts, quiet, {k: str(v) for k, v in view.tiers.items()}, found, codes, lineages, checks)


def _coverage(view: World, quiet: dict[str, list[tuple[int, int]]]) -> statements.Coverage:
    """Tell which sources gave no record, of which stores and clusters there are records, and where logs of jobs are silent."""
    seen = {r["source"] for r in view.tables.rows("SELECT DISTINCT source FROM events")}
    places = view.tables.rows(
        "SELECT regexp_extract(object, '^[a-z0-9]+:(//[^/]*/|[^/]*/)') AS place, max(time) AS last FROM acts WHERE regexp_matches(object, '^(s3|hdfs|slurm|k8s|file):') AND time IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    return statements.Coverage(
        tuple(s.name for s in view.case.sources if s.name not in seen),
        tuple((r["place"], r["last"]) for r in places if r["place"]),
        _holes(view, quiet),
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


def _judged(
    view: World, statement: Statement, answers: tuple[Answer, ...], impacts: tuple[Impact, ...], covered: statements.Coverage
) -> statements.Verdict:
    found = next(((a, i) for a, i in zip(answers, impacts, strict=True) if a.question.id == statement.question), None)
    if found is None:
        return statements.judge(view.case, statement, None, None, None, covered)
    a, reach = found
    refs = a.dossier.act.events if a.dossier.act else a.dossier.seen[:4]
    sources = a.dossier.act.sources if a.dossier.act else ()
    raised = tuple(f.flag for f in a.flags)
    outcome = statements.Outcome(
        a.rung, a.person, a.mechanism, a.candidates, a.dossier.when, refs, sources, a.account, raised, handling(view, a.dossier), _gone(view, a),
        attended(a.dossier), any(effect(r) == SHOWN for r in a.dossier.code), _misnamed(view, a),
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
    if act is None or not attended(a.dossier):
        return frozenset()
    moment = act.time[0]
    left = [p for p in view.case.people if p.employed_to is not None and p.employed_to < moment]
    things = {p.id: [i for i in view.known.by_person.get(p.id, ()) if i.identifier.startswith(_OWN_THINGS)] for p in left}
    holders = view.known.last_holders(act.account, moment)
    return frozenset(p for p, own in things.items() if p not in holders or (own and not any(i.live(moment) for i in own)))


def _misnamed(view: World, a: Answer) -> tuple[str, ...]:
    """Return the people whom records name that a copy out of their keeper's reach contradicts."""
    rows = view.tables.rows(
        "SELECT actor, time FROM acts WHERE list_contains($e, event) ORDER BY event", e=[weak for weak, _ in a.dossier.aside]
    )
    return tuple(sorted({p for r in rows for p in view.known.holders(r["actor"], r["time"])} - {a.person}))


def answer(view: World, question: Question, quiet: dict[str, list[tuple[int, int]]]) -> Answer:
    """Answer one question, as far as the records carry."""
    dossier = gather(view, question)
    raised = flags(view, dossier, quiet)
    if dossier.act is None or dossier.act.account is None or dossier.disputed:
        return _without_account(view, question, dossier, raised)
    if dossier.planted is not None:
        return _deputy(view, dossier, raised, quiet)
    who = opportunity(view.case, view.known, dossier.act.time)
    hyps = hypotheses(view, dossier, who)
    items = _items(view, dossier, hyps)
    every = with_forgers(view, dossier, hyps, items)
    raised = tuple(sorted({f.flag: f for f in (*raised, *overlap(dossier, items))}.values(), key=lambda f: f.flag))
    return _weighed(view, dossier, every, _items(view, dossier, every) if every != hyps else items, raised)


def _deputy(view: World, dossier: Dossier, raised: tuple[Flag, ...], quiet: dict[str, list[tuple[int, int]]]) -> Answer:
    """Answer for a change that planted code made in another's process: who planted it; the process's owner himself stays an alternative."""
    planted, act = dossier.planted, dossier.act
    assert planted is not None
    assert act is not None
    inner = answer(view, Question(dossier.question.id, planted.object, (planted.write["time"], planted.write["time"])), quiet)
    items = list(planted_items(view, dossier))
    weighed = weigh(view, items)
    best = Hypothesis(inner.person or "", Mechanism.DEPUTY)
    owners = [Hypothesis(p, Mechanism.OWN_ACCOUNT) for p in view.known.last_holders(act.account, act.time[0]) if p != inner.person]
    own = tuple((h, ratio(view, weighed, best, h)) for h in owners)
    clear = all(r.low >= view.policy.lowest and r.left_out_low >= view.policy.left_out for _, r in own)
    named = inner.rung is Rung.PERSON and clear
    others = tuple((Hypothesis(h.person, Mechanism.DEPUTY), r) for h, r in inner.alternatives)
    shown = {f.flag: f for f in (*raised, *inner.flags)}
    return replace(
        inner,
        question=dossier.question,
        dossier=replace(inner.dossier, question=dossier.question, objects=dossier.objects, planted=planted),
        rung=inner.rung if named or inner.rung is not Rung.PERSON else Rung.SESSION,
        person=inner.person if named else None,
        mechanism=Mechanism.DEPUTY if named or clear else Mechanism.UNKNOWN,
        candidates=inner.candidates if named else tuple(sorted({*inner.candidates, *(h.person for h in owners)})),
        alternatives=tuple(sorted((*own, *others), key=lambda o: (o[1].low, o[0]))),
        argued=(*(Argued(w, exp(item_log(view, w, best, owners[0])) if owners else 1.0) for w in weighed), *inner.argued),
        support=view.policy.band(min([r.low for _, r in (*own, *inner.alternatives)], default=0.0)) if inner.support != "none" else "none",
        flags=tuple(sorted(shown.values(), key=lambda f: f.flag)),
        weighings=(Weighing(best, tuple(weighed), own, owners[0] if owners else None), *inner.weighings),
    )


_BEYOND = ("session", "person")
"""rungs whose items are reached over the way back from the act"""


def _items(view: World, dossier: Dossier, hyps: tuple[Hypothesis, ...]) -> list[Item]:
    keepers = frozenset(k for o in dossier.origins for k in o.keepers)
    found = [item for indicator in indicators() for item in indicator.find(view, dossier, hyps)]
    return [replace(i, keepers=keepers) if keepers and i.rung in _BEYOND else i for i in found]


def _without_account(view: World, question: Question, dossier: Dossier, raised: tuple[Flag, ...]) -> Answer:
    """Answer where no record shows which account acted: everybody who could have is a candidate."""
    rung = Rung.CHANGE if dossier.seen else Rung.NONE
    who = opportunity(view.case, view.known, dossier.when or view.case.window)
    silent = tuple(sorted({f.says.partition(",")[0] for f in raised if f.flag == "log-gap"}))
    return Answer(
        question, dossier, rung, None, None, Mechanism.UNKNOWN, "none", who, ladder=rungs.without_account(dossier), flags=raised, missing=missing(view, dossier, rung, silent)
    )  # fmt: skip


def _weighed(view: World, dossier: Dossier, hyps: tuple[Hypothesis, ...], items: list[Item], raised: tuple[Flag, ...]) -> Answer:
    assert dossier.act is not None
    weighed = weigh(view, items)
    best = leader(view, weighed, hyps)
    stand_in = best or (
        max(hyps, key=lambda h: (total(view, weighed, h, hyps[0]), h.mechanism is not Mechanism.CREDENTIAL_MISUSE)) if hyps else None
    )
    others = tuple((h, ratio(view, weighed, stand_in, h)) for h in hyps if h != stand_in) if stand_in else ()
    rivals = tuple((h, r) for h, r in others if stand_in and h.person != stand_in.person)
    session = _session(view, dossier, weighed, rivals)
    named = best is not None and session is not None and _named(view, weighed, best, rivals)
    contrary = _contrary(view, weighed, best, rivals) if named and best else None
    named = named and contrary is None
    if contrary is not None and contrary.item.kind not in _OF_PRESENCE:
        session = None  # two records put the act into two hands' sessions
    rung = Rung.PERSON if named else Rung.SESSION if session is not None else Rung.ACCOUNT
    worst = min((r.low for _, r in rivals), default=0.0) if rivals else float(view.policy.lowest)
    candidates = (stand_in.person,) if named and stand_in else _candidates(view, stand_in, rivals, None if contrary else session)
    argued = _argued(view, weighed, stand_in, rivals)
    return Answer(
        dossier.question, dossier, rung, stand_in.person if named and stand_in else None, dossier.act.account,
        _by(view, dossier, stand_in) if named and stand_in else _mechanism(view, dossier, rivals, None if contrary else stand_in),
        view.policy.band(worst) if best and rivals and contrary is None else "none", candidates,
        tuple(sorted(others, key=lambda o: (o[1].low, o[0]))), argued, rungs.climbed(dossier, rung, session, contrary, worst, view.policy.lowest),
        missing(view, dossier, rung, (), frozenset(w.item.kind for w in weighed)), raised, _on_behalf(dossier),
        weighings=(Weighing(stand_in, tuple(weighed), others, _nearest(rivals)),) if stand_in else (),
    )  # fmt: skip


def _nearest(rivals: tuple[tuple[Hypothesis, Ratio], ...]) -> Hypothesis | None:
    """Return the best-supported alternative of another person."""
    return min(rivals, key=lambda o: (o[1].low, o[0]))[0] if rivals else None


def _by(view: World, dossier: Dossier, h: Hypothesis) -> Mechanism:
    """Return the mechanism of a named hypothesis: who wrote an object with hidden code acts through whoever loads it."""
    if h.mechanism is Mechanism.OWN_ACCOUNT and _honest(view, dossier):
        return Mechanism.DEFECT
    if h.mechanism is Mechanism.CREDENTIAL_MISUSE and not behind(dossier):
        return Mechanism.UNKNOWN  # whose the account is, nobody knows: it may be his own
    if dossier.aside:
        return Mechanism.FORGED_RECORD  # a record named somebody else, and a copy out of its keeper's reach does not
    sure = dossier.code and not several_writes(view, dossier.objects[0], dossier.code)
    return Mechanism.DEPUTY if sure and h.mechanism in (Mechanism.OWN_ACCOUNT, Mechanism.SHARED_IDENTITY) else h.mechanism


def _honest(view: World, dossier: Dossier) -> bool:
    """Tell whether the change bears the marks of an honest mistake: reviewed by somebody else, and taken back by its maker."""
    done = handling(view, dossier)
    return bool(done.reviews and done.taken_back and done.by_maker and not dossier.code)


def _session(view: World, dossier: Dossier, weighed: list[Weighed], rivals: tuple[tuple[Hypothesis, Ratio], ...]) -> Weighed | None:
    """Return the item that establishes a session from a known device or credential, where there is one.

    Records that one of their keepers may have made up, for all that other records say, establish none.
    """
    if len(dossier.origins) != 1:
        return None
    open_forgers = {h.person for h, r in rivals if h.mechanism is Mechanism.FORGED_RECORD and r.low < view.policy.lowest}
    weighed = [w for w in weighed if not w.controllers & open_forgers]
    return next(
        (
            w
            for w in weighed
            if w.item.rung == "session" and w.item.kind in ("origin_device", "device_command", "host_command", "credential", "origin_login")
        ),
        None,
    )


def _named(view: World, weighed: list[Weighed], best: Hypothesis, rivals: tuple[tuple[Hypothesis, Ratio], ...]) -> bool:
    """Tell whether the records carry to a person (method, The ladder): two independent groups, and every alternative clearly less supported."""
    least_left = view.policy.left_out
    if not rivals or any(r.low < view.policy.lowest or min(r.left_out_low, r.dropped_low) < least_left for _, r in rivals):
        return False
    nearest = min(rivals, key=lambda o: (o[1].low, o[0]))[0]
    least = {"session": 0.0, "person": log(view.policy.person)}
    speaking = {
        rung: {w.group for w in weighed if w.item.rung == rung and item_log(view, w, best, nearest) > needed}
        for rung, needed in least.items()
    }
    from_device = any(
        w.item.kind in ("origin_device", "device_command") and w.item.rung == "session" and item_log(view, w, best, nearest) > 0
        for w in weighed
    )
    return from_device and (bool(speaking["person"] - speaking["session"]) or _in_hand(view, weighed, best, nearest, speaking["session"]))


_OF_HANDS = frozenset(
    (
        "presence",
        "elsewhere",
        "device_session",
        "device_command",
        "device_sign_on",
        "sign_on",
        "address_use",
        "host_command",
        "origin_device",
    )
)
"""indicators of where somebody's hands were; whose the account or the key is, and who sat in a meeting with a laptop, does not tell"""
_OF_PRESENCE = frozenset(("presence", "elsewhere", "device_session", "device_sign_on"))
"""those of them that leave open that the session is the one it seems, in somebody else's hands"""
_POOR = ("unlikely", "very unlikely")


def _contrary(view: World, weighed: list[Weighed], best: Hypothesis, rivals: tuple[tuple[Hypothesis, Ratio], ...]) -> Weighed | None:
    """Return a record of that moment that speaks against the leading person's own hands, and better fits somebody else's: with one, nobody is named.

    However much else fits a person: of two records that contradict each other one is wrong, or something happened that no hypothesis tells of, such
    as somebody at another's open laptop, or a log rewritten by a keeper whom nobody declared.
    """
    return next(
        (
            w
            for w in weighed
            if w.item.kind in _OF_HANDS
            and w.item.expect.get(best, w.item.otherwise) in _POOR
            and any(item_log(view, w, best, h) < 0 for h, _ in rivals)
        ),
        None,
    )


def _in_hand(view: World, weighed: list[Weighed], best: Hypothesis, nearest: Hypothesis, session: set[str]) -> bool:
    """Tell whether one sensor's word on the device and on who opened it stands beside another log's word on the session.

    A device that was opened on the spot was in a hand; a sign-on from it may be a saved password's.
    """
    opened = {w.group for w in weighed if w.item.kind == "device_session" and item_log(view, w, best, nearest) > log(view.policy.person)}
    return any(s != p for s in session for p in opened)


def _candidates(
    view: World, best: Hypothesis | None, rivals: tuple[tuple[Hypothesis, Ratio], ...], session: Weighed | None
) -> tuple[str, ...]:
    """Return everybody whom the records do not exclude: whom the leading hypothesis does not outweigh at the low end.

    Without a session nobody is excluded: an account is not a person. A name too few is as wrong as a wrong name: to leave
    somebody out takes more than to be ahead of him, and not one group alone.
    """
    need, alone = view.policy.excluded, view.policy.lowest
    found = {h.person for h, r in rivals if session is None or r.low < need or r.left_out_low < alone}
    return tuple(sorted(found | ({best.person} if best else set())))


def _mechanism(view: World, dossier: Dossier, rivals: tuple[tuple[Hypothesis, Ratio], ...], best: Hypothesis | None) -> Mechanism:
    """Return the mechanism below rung person: only what holds whoever it was."""
    if dossier.account_kind == "shared":
        return Mechanism.SHARED_IDENTITY
    if dossier.account_kind == "service":
        return Mechanism.AUTOMATION if any(o.manner == "automation" for o in dossier.origins) else Mechanism.SHARED_IDENTITY
    if best is None or not behind(dossier):
        return Mechanism.UNKNOWN
    open_to = {h.mechanism for h, r in rivals if r.low < view.policy.lowest} | {best.mechanism}
    holders = set(behind(dossier))
    excluded = all(r.low >= view.policy.lowest for h, r in rivals if h.person in holders)
    if open_to == {Mechanism.CREDENTIAL_MISUSE} and excluded:
        return Mechanism.CREDENTIAL_MISUSE
    return Mechanism.UNKNOWN


def _argued(
    view: World, weighed: list[Weighed], best: Hypothesis | None, rivals: tuple[tuple[Hypothesis, Ratio], ...]
) -> tuple[Argued, ...]:
    """Return every item with its ratio for the leading hypothesis against the best-supported alternative."""
    nearest = _nearest(rivals)
    if best is None or nearest is None:
        return tuple(Argued(w, 1.0) for w in weighed)
    return tuple(Argued(w, exp(item_log(view, w, best, nearest))) for w in weighed)


def _on_behalf(dossier: Dossier) -> str | None:
    return next((o.account for o in dossier.origins if o.manner == "automation"), None)
