"""Reason about every question, in order: the act, its hypotheses, the evidence, the rung; then reach, flags and statements."""

from dataclasses import dataclass, field, replace
from math import exp

from forensics.indicator import Hypothesis, Item, indicators
from forensics.model import CaseConfig, Mechanism, Question, Rung
from forensics.patterns.matching import Matching, unmatched
from forensics.reasoning import ladder as rungs
from forensics.reasoning import statements
from forensics.reasoning.answer import Answer, Argued, Weighing
from forensics.reasoning.attended import by_itself
from forensics.reasoning.causes import Cause, Comparison, asked, compare
from forensics.reasoning.causes.inside import code_of_installed
from forensics.reasoning.code import Code, code_of
from forensics.reasoning.controls import controls
from forensics.reasoning.controls.control import Control
from forensics.reasoning.dossier import Dossier, gather
from forensics.reasoning.flag import Flag
from forensics.reasoning.flags import flags, overlap
from forensics.reasoning.gaps import NO_LOGS, gaps, lacking, silences, stops, unwatched
from forensics.reasoning.hypotheses import hypotheses, with_forgers
from forensics.reasoning.impact import Impact, impact
from forensics.reasoning.lineage import Lineage, lineage
from forensics.reasoning.missing import missing
from forensics.reasoning.naming import (
    LEVEL,
    NOBODY,
    OF_PRESENCE,
    Rivals,
    at_the_device,
    candidates_of,
    contrary_to,
    falls_short,
    locked,
    mechanism_below,
    mechanism_of,
    nearest_of,
    session_of,
)
from forensics.reasoning.opportunity import opportunity
from forensics.reasoning.outcomes import coverage, judged
from forensics.reasoning.planted import Planted, planted_items
from forensics.reasoning.policy import Policy
from forensics.reasoning.weighing import Weighed, item_log, leader, ratio, total, weigh
from forensics.reasoning.world import Blobs, Own, Raw, World, no_blobs, no_raw, world
from forensics.tables import Tables


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


def reason(
    tables: Tables,
    case: CaseConfig,
    policy: Policy,
    blobs: Blobs = no_blobs,
    matching: Matching = unmatched,
    own: Own | None = None,
    raw: Raw = no_raw,
) -> Reasoned:
    """Answer every question of a case, or where it has none, who made each of the likeliest causes. Pure: the same tables, policy and contents of files give the same answers."""
    view = world(tables, case, policy, blobs, matching, own, raw)
    logs = [s for s in case.sources if s.kind not in NO_LOGS]
    silent = {s.name: [*silences(tables, s.name, case.timezone, policy), *stops(tables, s.name)] for s in logs}
    hosts = {s.name: s.host for s in logs}
    early = gaps(silent, hosts, policy)
    view = replace(view, gaps={name: [*found, *unwatched(tables, name)] for name, found in early.items()})
    found = compare(view)
    dossiers = [gather(view, q) for q in case.questions or asked(found.causes)]
    quiet = gaps(silent, hosts, policy, lacking(case, dossiers))
    answers = tuple(answer(view, d, quiet) for d in dossiers)
    impacts = tuple(impact(view, a.dossier) for a in answers)
    covered = coverage(view, quiet)
    verdicts = tuple(judged(view, s, answers, impacts, covered, found) for s in case.statements)
    codes = tuple(_code(view, a.dossier, found) for a in answers)
    lineages = tuple(lineage(view, a.dossier) for a in answers)
    checks = tuple(controls(view, *parts) for parts in zip((a.dossier for a in answers), impacts, codes, strict=True))
    return Reasoned(answers, verdicts, impacts, quiet, {k: str(v) for k, v in view.tiers.items()}, found, codes, lineages, checks)


def _code(view: World, dossier: Dossier, found: Comparison) -> Code:
    """Return what a change does in program text: a commit, or an installed file that is not as listed."""
    code = code_of(view, dossier)
    return code if code.looked else code_of_installed(found.altered, found.inside, dossier.objects[0])


def answer(view: World, dossier: Dossier, quiet: dict[str, list[tuple[int, int]]]) -> Answer:
    """Answer one question, as far as the records carry."""
    raised = flags(view, dossier, quiet)
    if dossier.act is None or dossier.act.account is None or dossier.disputed:
        return _without_account(view, dossier.question, dossier, raised)
    if dossier.planted:
        return _deputy(view, dossier, raised, quiet)
    since = view.case.window[0] if by_itself(view, dossier) else dossier.act.time[0]
    who = opportunity(view.case, view.known, (min(since, dossier.act.time[0]), dossier.act.time[1]))
    hyps = hypotheses(view, dossier, who)
    items = _items(view, dossier, hyps)
    every = with_forgers(view, dossier, hyps, items)
    raised = tuple(sorted({f.flag: f for f in (*raised, *overlap(dossier, items))}.values(), key=lambda f: f.flag))
    found = _weighed(view, dossier, every, _items(view, dossier, every) if every != hyps else items, raised)
    return replace(found, candidates=_of_each_way(view, dossier, quiet) or found.candidates) if found.rung is Rung.ACCOUNT else found


_WAYS = 4
"""ways back that are weighed each by itself"""


def _of_each_way(view: World, dossier: Dossier, quiet: dict[str, list[tuple[int, int]]]) -> tuple[str, ...]:
    """Return the people whom one of several ways back leaves, where each of them by itself leads to a session; nobody where one does not."""
    if not 1 < len(dossier.origins) <= _WAYS:
        return ()
    each = [answer(view, replace(dossier, origins=(o,)), quiet) for o in dossier.origins]
    return tuple(sorted({c for a in each for c in a.candidates})) if all(a.rung in (Rung.SESSION, Rung.PERSON) for a in each) else ()


def _deputy(view: World, dossier: Dossier, raised: tuple[Flag, ...], quiet: dict[str, list[tuple[int, int]]]) -> Answer:
    """Answer for a change that planted code made in another's process: who planted it; the process's owner himself stays an alternative."""
    act = dossier.act
    assert act is not None
    first, *more = [_planter(view, dossier, p, quiet) for p in dossier.planted]
    inner = _of_several(first, more)
    items = [i for p in dossier.planted for i in planted_items(view, act, p)]
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
        dossier=replace(inner.dossier, question=dossier.question, objects=dossier.objects, planted=dossier.planted),
        rung=inner.rung if clear else Rung.CHANGE,
        person=inner.person if named else None,
        account=inner.account if clear else None,
        ladder=inner.ladder
        if clear
        else (*(s for s in inner.ladder if s.rung is Rung.CHANGE), rungs.Step(Rung.ACCOUNT, _EITHER, act.events[:2], reached=False)),
        mechanism=Mechanism.DEPUTY if named or clear else Mechanism.UNKNOWN,
        candidates=inner.candidates if named else tuple(sorted({*inner.candidates, *(h.person for h in owners)})),
        alternatives=tuple(sorted((*own, *others), key=lambda o: (o[1].low, o[0]))),
        argued=(*(Argued(w, exp(item_log(view, w, best, owners[0])) if owners else 1.0) for w in weighed), *inner.argued),
        support=view.policy.band(min([r.low for _, r in (*own, *inner.alternatives)], default=0.0)) if inner.support != "none" else "none",
        flags=tuple(sorted(shown.values(), key=lambda f: f.flag)),
        weighings=(Weighing(best, tuple(weighed), own, owners[0] if owners else None), *inner.weighings),
    )


_EITHER = (
    "the process's own account wrote it, and the records do not tell that account's holder from whoever planted what the process had loaded"
)


def _planter(view: World, dossier: Dossier, planted: Planted, quiet: dict[str, list[tuple[int, int]]]) -> Answer:
    """Answer who put one of the planted objects there."""
    at = (planted.write["time"], planted.write["time"])
    return answer(view, gather(view, Question(dossier.question.id, planted.object, at)), quiet)


def _of_several(first: Answer, more: list[Answer]) -> Answer:
    """Return the answer for code in several objects that one process had loaded: theirs, if all have the same; else nobody's, since any of them may have acted."""
    candidates = tuple(sorted({c for a in (first, *more) for c in a.candidates}))
    if all((a.person, a.account) == (first.person, first.account) for a in more):
        weakest = min((first, *more), key=lambda a: list(Rung).index(a.rung))
        return replace(weakest, candidates=candidates) if more else first
    rung, account = (Rung.ACCOUNT, first.account) if len({a.account for a in (first, *more)}) == 1 else (Rung.CHANGE, None)
    steps = tuple(s for s in first.ladder if s.rung is Rung.CHANGE or (s.rung is Rung.ACCOUNT and account))
    return replace(
        first, rung=rung, person=None, account=account, candidates=candidates, support="none", alternatives=(), argued=(), weighings=(),
        ladder=(*steps, rungs.Step(Rung.PERSON, f"the process had loaded {len(more) + 1} objects with code that runs, put there by several accounts or hands", reached=False)),
        flags=tuple({f.flag: f for a in (first, *more) for f in a.flags}.values()),
    )  # fmt: skip


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
    session = session_of(view, dossier, weighed, rivals)
    short = falls_short(view, weighed, best, rivals) if best else LEVEL if hyps else NOBODY
    named = session is not None and not short
    contrary = contrary_to(view, weighed, best, rivals) if named and best else None
    named = named and contrary is None
    if contrary is not None and contrary.item.kind not in OF_PRESENCE:
        session = None  # two records put the act into two hands' sessions
    rung = Rung.PERSON if named else Rung.SESSION if session is not None else Rung.ACCOUNT
    worst = min((r.low for _, r in rivals), default=0.0) if rivals else float(view.policy.lowest)
    candidates = (
        (stand_in.person,)
        if named and stand_in
        else tuple(
            sorted(
                {
                    *candidates_of(view, stand_in, rivals, None if contrary or locked(weighed) else session),
                    *at_the_device(view, dossier, weighed),
                }
            )
        )
    )
    argued = _argued(view, weighed, stand_in, rivals)
    return Answer(
        dossier.question, dossier, rung, stand_in.person if named and stand_in else None, dossier.act.account,
        mechanism_of(view, dossier, stand_in, frozenset(f.flag for f in raised)) if named and stand_in else mechanism_below(view, dossier, rivals, None if contrary else stand_in),
        view.policy.band(worst) if best and rivals and contrary is None else "none", candidates,
        tuple(sorted(others, key=lambda o: (o[1].low, o[0]))), argued, rungs.climbed(dossier, rung, session, contrary, short),
        missing(view, dossier, rung, (), frozenset(w.item.kind for w in weighed)), raised, _on_behalf(dossier),
        weighings=(Weighing(stand_in, tuple(weighed), others, nearest_of(rivals)),) if stand_in else (),
    )  # fmt: skip


def _argued(view: World, weighed: list[Weighed], best: Hypothesis | None, rivals: Rivals) -> tuple[Argued, ...]:
    """Return every item with its ratio for the leading hypothesis against the best-supported alternative."""
    nearest = nearest_of(rivals)
    if best is None or nearest is None:
        return tuple(Argued(w, 1.0) for w in weighed)
    return tuple(Argued(w, exp(item_log(view, w, best, nearest))) for w in weighed)


def _on_behalf(dossier: Dossier) -> str | None:
    return next((o.account for o in dossier.origins if o.manner == "automation"), None)
