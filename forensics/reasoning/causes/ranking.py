"""The order of causes, the most telling first."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from forensics import times
from forensics.model import Question
from forensics.reasoning.bearing import bearing, open_book
from forensics.reasoning.causes import candidates as found_in
from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.commands import Command, commands_of
from forensics.reasoning.causes.commits import Jobs, commits, jobs_inferred, jobs_of
from forensics.reasoning.causes.ends import BY_END
from forensics.reasoning.causes.faults import faults
from forensics.reasoning.causes.imports import Imports, imports
from forensics.reasoning.causes.inside import Looked, inside
from forensics.reasoning.causes.installed import Altered, altered, installed, of_images
from forensics.reasoning.causes.launch import launched
from forensics.reasoning.causes.lineage import Line, lines
from forensics.reasoning.causes.places import places
from forensics.reasoning.causes.rating import ROUNDING, Rated, chance_of, level, rank, rate, rated
from forensics.reasoning.causes.runs import Lack, Runs, bits, runs
from forensics.reasoning.causes.scoring import Numbers, scores, separation, subsets
from forensics.reasoning.causes.shown import shown
from forensics.reasoning.causes.spread import Spread, spread
from forensics.reasoning.causes.triggers import TIME, triggers
from forensics.reasoning.world import World

_ASKED = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """A change that sets harmed runs apart from healthy ones."""

    object: str
    score: float
    bad_runs: int
    good_runs: int
    chance: float
    """how often shuffled labels reach this score or more"""
    condition: str
    """subset within which it separates; empty: all runs"""
    when: int | None
    why: str
    kind: str = ""
    """node, image, object, file, package, commit, argument or environment"""
    harmed: tuple[str, ...] = ()
    """harmed runs that it reached, in the order of their start"""
    healthy: tuple[str, ...] = ()
    """healthy runs that it reached"""
    first: int | None = None
    """when the first of the harmed runs that it reached began"""
    refs: tuple[int, ...] = ()
    """events that show the change, and that tie it to the first of these runs"""
    lead: bool = False
    """chance does as well too often to tell it as a cause"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, what came of it, and where nothing did, why, and what to collect."""

    causes: tuple[Cause, ...] = ()
    runs: Runs | None = None
    considered: tuple[tuple[str, int], ...] = ()
    """kind of candidate, and how many there were"""
    floor: float = 1.0
    """the score below which shuffled labels do as well too often to tell a cause"""
    empty: str = ""
    collect: tuple[str, ...] = ()
    altered: tuple[Altered, ...] = ()
    """installed files that are not as their package's list gives them, whether or not they came to any run"""
    lines: tuple[Line, ...] = ()
    """what harmed runs were continued from, and where along it the harm began"""
    commands: tuple[Command, ...] = ()
    """commands that rules ask to look at"""
    commands_left: tuple[tuple[str, str], ...] = ()
    """(rule of the examiner's own, why nothing is told of what it finds)"""
    inside: Mapping[str, Looked] = field(default_factory=dict)
    """altered installed file -> what it does, by the rules over code"""


def causes(world: World) -> tuple[Cause, ...]:
    """Compare harmed with healthy runs by what reached them; empty where there is nothing to compare or nothing separates."""
    return compare(world).causes


def compare(world: World) -> Comparison:
    """Compare harmed with healthy runs by what reached them, and say what was compared."""
    compared, numbers = runs(world), world.policy.causes
    if isinstance(compared, Lack):
        commands, odd = commands_of(world, ()), altered(world)
        return Comparison(
            empty=compared.why, collect=compared.collect, altered=odd, commands=commands.found, commands_left=commands.left,
            inside=inside(world, odd, ()),
        )  # fmt: skip
    ties = _ties(world, compared)
    found_altered = altered(world)
    every = list(_candidates(world, compared, ties, found_altered))
    considered = tuple(sorted(Counter(c.kind for c in every).items()))
    found = _found(world, compared, ties, every, world.case.id)
    told = [_cause(r, compared, found.chance, lead=found.leads) for r in found.told]
    first, rest = told[:1], _rest(world, compared, ties, every, told)
    rest += _otherwise(world, compared, ties, every, [*told[:1], *rest])
    final = sorted([*first, *rest[:1], *told[1:], *rest[1:]], key=lambda c: -c.score)[: int(numbers["most"])]
    causes = _with_records(world, final)
    empty = "" if final else _nothing_separates(found.exact, found.chance)
    wants = () if final and not found.leads else wanted(considered)
    commands = commands_of(world, [c.object for c in causes])
    limit = floor(found.chance, _seldom(compared, numbers))
    line = tuple(lines(ties.came, compared))
    within = inside(world, found_altered, [c.object for c in causes])
    return Comparison(causes, compared, considered, limit, empty, wants, found_altered, line, commands.found, commands.left, within)


@dataclass(frozen=True, slots=True)
class _Found:
    """What sets harmed runs apart, the most telling first."""

    exact: list[Rated]
    chance: Callable[[float], float]
    told: list[Rated]
    leads: bool
    """chance reaches the scores of what is told more often than a cause may be told with"""


def _found(world: World, compared: Runs, ties: "_Ties", every: list[Candidate], seed: str) -> _Found:
    """Rate every candidate, and pick what chance does not explain; where there is nothing of the kind, what it explains seldom."""
    numbers = world.policy.causes
    rough, sets = rated(compared, every, numbers)
    exact, more = _exact(world, compared, ties, _ordered(world, compared, ties, rough))
    chance = chance_of(compared, [*sets, *more], numbers, seed)
    levels = [(r, chance(level(r, compared))) for r in exact]
    likely = [r for r, often in levels if often < _seldom(compared, numbers)]
    leads = [] if likely else [r for r, often in levels if often < numbers["lead"]]
    told = _varied(_near(_ordered(world, compared, ties, likely or leads), numbers["beside"], compared), int(numbers["alike"]))
    told = _behind_faults(told[: int(numbers["most" if likely else "most_leads"])], numbers["behind_fault"])
    return _Found(exact, chance, [replace(r, most=min(r.most, numbers["behind_fault"])) for r in told] if leads else told, bool(leads))


def _seldom(compared: Runs, numbers: Numbers) -> float:
    """Return how seldom chance must reach a cause's score: jobs also break off for reasons of their own, every day."""
    return float(numbers["chance_ends" if compared.told_by == BY_END else "chance"])


def _rest(world: World, compared: Runs, ties: "_Ties", every: list[Candidate], told: list[Cause]) -> list[Cause]:
    """Return what sets those harmed runs apart that the first cause did not reach: there may be several causes.

    The first of them is told with its score among the runs that were left, so that it stands beside the first cause; the others with theirs among all.
    """
    numbers = world.policy.causes
    if not told:
        return []
    reached = set(told[0].harmed)
    left = bits(n for n in compared.places(compared.bad) if compared.jobs[n] not in reached)
    if left.bit_count() < int(numbers["least_left"]):
        return []
    fewer = replace(compared, bad=left, more_bad=0, more_good=0)
    found = _found(world, fewer, ties, every, f"{world.case.id} without the first")
    known = {c.object for c in told}
    more = [] if found.leads else [_cause(r, fewer, found.chance) for r in found.told[: int(numbers["most_left"])]]
    more = [c for c in more if c.object not in known]
    beside = [replace(_among_all(c, compared, left.bit_count()), score=min(c.score, told[0].score)) for c in more[:1]]
    return beside + [_among_all(c, compared, left.bit_count()) for c in more[1:]]


def _otherwise(world: World, compared: Runs, ties: "_Ties", every: list[Candidate], known: list[Cause]) -> list[Cause]:
    """Return what sets those harmed runs apart that are harmed in another way, where the first cause reached the others as well.

    Nothing where a cause that is known tells them apart as well, if only under a condition: one change may do two things.
    """
    names = {c.object for c in known}
    for number, (runs_, others, says) in enumerate(compared.kinds if known else ()):
        apart = replace(compared, bad=runs_, good=compared.good | others, more_bad=0, more_good=0)
        found = _found(world, apart, ties, every, f"{world.case.id}/{number}")
        already = max((r.scored.score for r in found.exact if r.candidate.object in names), default=0.0)
        least = max(already + ROUNDING, world.policy.causes["beside"] * known[0].score)
        if found.told and not found.leads and found.told[0].scored.score > least:
            c = _cause(found.told[0], apart, found.chance)
            why = f"of the harmed runs, {runs_.bit_count()} are off in {says}, and {others.bit_count()} are not; of these two, {c.why}"
            return [replace(c, why=why, score=min(c.score, known[0].score))]
    return []


def _among_all(c: Cause, compared: Runs, left: int) -> Cause:
    """Return a cause of the harmed runs that were left, with its score among all."""
    places = {job: 1 << n for n, job in enumerate(compared.jobs)}
    reached = bits_of(places, (*c.harmed, *c.healthy))
    why = f"of {left} harmed runs that the first cause did not reach, {c.bad_runs}; {c.why}"
    return replace(c, score=round(separation(reached, compared.bad, compared.good), 6), why=why)


def bits_of(places: Mapping[str, int], jobs: Iterable[str]) -> int:
    """Return the set of these jobs."""
    found = 0
    for job in jobs:
        found |= places[job]
    return found


@dataclass(frozen=True, slots=True)
class _Ties:
    """What ties changes to runs: loads and writes, the commits that jobs ran, by records and by inference, and what the harmed ones can have imported of them."""

    came: Spread
    ran: Jobs
    inferred: Jobs
    imported: dict[str, Imports]


def _ties(world: World, compared: Runs) -> _Ties:
    ran = jobs_of(world)
    return _Ties(spread(world, compared), ran, jobs_inferred(world, ran), imports(world, compared, ran))


def _with_records(world: World, told: list[Cause]) -> tuple[Cause, ...]:
    records = shown(world, [(c.object, c.harmed) for c in told]) if told else {}
    return tuple(replace(c, refs=records.get(c.object, ())) for c in told)


def _nothing_separates(found: list[Rated], chance: Callable[[float], float]) -> str:
    if not found:
        return "no change reached some of the runs and not others, as far as the records tell what reached a run"
    best = max(found, key=lambda r: (r.scored.score, r.candidate.object))
    return (
        f"nothing that reached them separates harmed from healthy runs: the best, {best.candidate.object}, scores {best.scored.score:.2f}, "
        f"and shuffled labels do as well in {chance(best.scored.score):.0%} of the shuffles"
    )


def floor(chance: Callable[[float], float], most: float) -> float:
    """Return the lowest score, in hundredths, that chance reaches less often than `most`."""
    return next((n / 100 for n in range(101) if chance(n / 100) < most), 1.0)


_WANTED = {
    "commit": "which commit each job ran: the working copies with their reflogs (kind git, role clone), or a tracker that notes it (mlflow, wandb)",
    "object": "which checkpoints and data each job read: the store's access log (cloudtrail data events, hdfs_audit)",
    "file": "what changed on mounts that jobs share: audit logs of the hosts that write there (auditd), checks of files against recorded hashes (table, file.check)",
    "image": "which image each job ran, by digest, and who pushed it",
    "node": "which nodes each job ran on (sacct's NodeList; the bindings of pods)",
    "package": "which packages each run had installed (wandb's requirements.txt, or a table)",
}


def wanted(considered: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Say what to collect where nothing separates: first the kinds of changes of which the records hold nothing."""
    there = {kind for kind, _ in considered}
    return (*(words for kind, words in _WANTED.items() if kind not in there), "more runs, named harmed or healthy under [symptom]")


def _near(found: list[Rated], share: float, compared: Runs) -> list[Rated]:
    """Leave out what separates much worse than the first: it came with it, or before it, and names people for nothing."""
    return [r for r in found if level(r, compared) >= share * level(found[0], compared)]


def _varied(found: list[Rated], most: int) -> list[Rated]:
    """Keep so many of the commits that reached the very same runs, and note on the first how many more there are: they would hide all others."""
    alike = Counter(r.reached for r in found if r.candidate.kind == "commit")
    seen: Counter[int] = Counter()
    kept = []
    for r in found:
        if r.candidate.kind == "commit":
            seen[r.reached] += 1
            if seen[r.reached] > most:
                continue
            if seen[r.reached] == 1:
                r = replace(r, alike=max(0, alike[r.reached] - most))  # noqa: PLW2901 - the same cause, with its note
        kept.append(r)
    return kept


def asked(found: Iterable[Cause]) -> tuple[Question, ...]:
    """Ask who made each of the first causes, where a case asks nothing (contract, case.toml); of a mere lead nobody is asked after."""
    sure = (c for c in found if not c.lead)
    return tuple(
        Question(f"cause-{n}", c.object, None if c.when is None else (c.when, c.when)) for n, c in enumerate(islice(sure, _ASKED), 1)
    )


def _candidates(world: World, compared: Runs, ties: _Ties, odd: tuple[Altered, ...]) -> Iterator[Candidate]:
    yield from found_in.nodes(compared, int(world.policy.causes["moments"]), faults(world))
    yield from found_in.images(world, compared, of_images(odd))
    yield from found_in.objects(ties.came)
    yield from found_in.files(world, compared, {file.object: file.says for file in odd})
    yield from installed(world, compared, odd)
    yield from found_in.packages(world, compared, ties.came)
    yield from launched(compared)
    yield from commits(world, ties.came, ties.ran, ties.inferred)


def _ordered(world: World, compared: Runs, ties: _Ties, found: list[Rated]) -> list[Rated]:
    """Put the most telling first; of those behind, not more than can matter."""
    most = int(world.policy.causes["most"])
    first = _once(sorted(found, key=lambda r: rank(r, compared, {})))[: 8 * most]
    named = [r.candidate.object for r in first if r.candidate.kind == "commit"]
    near, written = places(world, compared, named, ties.imported), triggers(world, named)
    seen = [r for r in first if r.scored.score > 0]
    seen = [replace(r, asks=asks, does=does) for r in seen for asks, does in [written.get(r.candidate.object, ("", ""))]]
    return sorted(seen, key=lambda r: rank(r, compared, near))


def _once(rows: Iterable[Rated]) -> list[Rated]:
    """Keep the first of each object: a file or name may have been changed several times."""
    found: dict[str, Rated] = {}
    for r in rows:
        found.setdefault(r.candidate.object, r)
    return list(found.values())


def _exact(world: World, compared: Runs, ties: _Ties, found: list[Rated]) -> tuple[list[Rated], list[int]]:
    """Ask `bearing`, which reads contents, about the commits that lead: of fewer where histories are long. Return also the sets of runs that this added.

    A change counts by whichever tells more, what was built on it or what still holds its lines: what it set going may outlive its lines.
    """
    numbers = world.policy.causes
    known = world.tables.rows("SELECT count(DISTINCT object) AS n FROM events WHERE action = 'code.commit'")[0]["n"]
    most = max(1, min(int(numbers["exact"]), int(numbers["exact_work"]) // max(1, known)))
    within = subsets(compared, numbers)
    again: dict[str, Rated] = {}
    asked = [r for r in found if r.candidate.kind == "commit"][:most]
    later_on = found_in.moments(compared, int(numbers["moments"]))
    came, book, sets = ties.came, open_book(world, [r.candidate.object for r in asked]), []
    for r in asked:
        bear = bearing(world, r.candidate.object, book)
        jobs, more = ({job for commit in known.keys() & bear for job in known[commit]} for known in (ties.ran, ties.inferred))
        c = replace(r.candidate, direct=came.reached(came.own, jobs), spread=came.reached(came.downstream, jobs | more))
        forms = [c, *_waiting(c, compared, later_on)] if r.asks == TIME else [c]
        parts = [part for form in forms for part in (form.direct, form.spread)]
        sets += parts
        known_by = dict(zip(map(id, parts), scores(parts, compared, within, numbers), strict=True))
        best = max((other for form in forms if (other := rate(form, known_by))), key=lambda f: f.scored.score, default=None)
        if best and best.scored.score > r.scored.score + ROUNDING:
            again[c.object] = replace(best, by_lines=best.candidate.since is None, asks=r.asks, does=r.does)
    return [again.get(r.candidate.object, r) for r in found], sets


def _waiting(c: Candidate, compared: Runs, later_on: Iterable[int]) -> Iterator[Candidate]:
    """Yield a commit that asks for a date as counted from each of a few moments on: it was harmless before."""
    for moment in later_on:
        later = compared.since(moment, None)
        if later & c.spread not in (0, c.spread):
            yield replace(c, direct=c.direct & later, spread=c.spread & later, since=moment)


def _behind_faults(told: list[Rated], most: float) -> list[Rated]:
    """Limit the scores that are told where a node separates best: what separates worse is no likely cause, however much they share."""
    if not told or told[0].candidate.kind != "node":
        return told
    best = told[0].scored.score
    worse = [r.candidate.kind != "node" and r.scored.score < best - ROUNDING for r in told]
    return [replace(r, most=most) if behind else r for r, behind in zip(told, worse, strict=True)]


def _cause(r: Rated, compared: Runs, chance: Callable[[float], float], *, lead: bool = False) -> Cause:
    s, c = r.scored, r.candidate
    reached = level(r, compared)
    total = compared.bad.bit_count(), compared.good.bit_count()
    parts = [f"reached {s.bad} of {total[0]} harmed and {s.good} of {total[1]} healthy runs"]
    parts += [f"counting runs with {s.subset.says}"] if s.subset.says else []
    parts += [f"counting runs since {times.show(c.since)}"] if c.since is not None else []
    parts += [f"counting runs until {times.show(c.until)}"] if c.until is not None else []
    parts += [f"the records call it {c.fault}" if c.kind == "node" else c.fault] if c.fault else []
    parts += [f"what it added asks for {r.asks}: it may act there or then alone"] if r.asks else []
    parts += [f"what it added {r.does}"] if r.does else []
    parts += ["counting runs whose code still held its lines"] if r.by_lines else []
    parts += ["also through what such jobs wrote, or by what a working tree will have held"] if r.through else []
    parts += [_further(r, compared)] if compared.more_bad or compared.more_good else []
    parts += [f"no run was named: harmed runs were told by {compared.told_by}"] if compared.told_by else []
    parts += [f"{r.alike} more commits reached the very same runs"] if r.alike else []
    parts += [f"a lead, no more: shuffled labels do as well in {chance(reached):.0%} of the shuffles"] if lead else []
    harmed, healthy = compared.named(r.reached & compared.bad), compared.named(r.reached & compared.good)
    first = compared.first(r.reached & compared.bad)
    return Cause(
        c.object, round(min(reached, r.most), 6), s.bad, s.good, chance(reached), s.subset.says, c.when, "; ".join(parts), c.kind, harmed, healthy, first, (), lead
    )  # fmt: skip


def _further(r: Rated, compared: Runs) -> str:
    bad, good = compared.more_bad, compared.more_good
    return (
        f"of runs that nobody named, {(r.reached & bad).bit_count()} of {bad.bit_count()} whose metrics look harmed and "
        f"{(r.reached & good).bit_count()} of {good.bit_count()} whose metrics look healthy"
    )
